//! Sessions, passwords, mails, API keys, the log of security events, and the end of an account.

use common::token::Accepted;
use common::{Client, KeyVerifier, Roles, Viewer};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{LOG_IN, LOG_OUT, PASSWORD, REFRESH, SET_ROLE, UPDATE, World, error_of};

const SESSIONS: &str = "{ viewer { sessions { id current createdAt lastUsedAt expiresAt
    origin { address userAgent } } } }";
const END: &str = "mutation($input: EndSessionInput!) { endSession(input: $input) { endedId } }";
const END_OTHERS: &str = "mutation { endOtherSessions { endedCount } }";
const END_OF_USER: &str = "mutation($input: EndSessionsOfUserInput!) {
    endSessionsOfUser(input: $input) { endedCount } }";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) {
    changePassword(input: $input) { user { email } } }";
const SEND: &str = "mutation { sendVerification { email } }";
const VERIFY: &str = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { email } }";
const RESET: &str =
    "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
const CREATE_KEY: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    secret apiKey { id name prefix scopes expiresAt lastUsedAt } } }";
const REVOKE_KEY: &str =
    "mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedId } }";
const KEYS: &str = "{ viewer { apiKeys { id name prefix scopes lastUsedAt } } }";
const EVENTS: &str = "{ viewer { securityEvents { nodes { kind userId actorId detail
    origin { address userAgent } } } } }";
const ALL_EVENTS: &str =
    "query($first: Int, $after: String) { securityEvents(first: $first, after: $after) {
    nodes { kind userId } edges { cursor } pageInfo { hasNextPage endCursor } } }";
const USERS: &str = "query($search: String) { users(search: $search, first: 9) {
    nodes { email sessions { id } apiKeys { id } securityEvents { nodes { kind } } } } }";
const DELETE: &str =
    "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletionDueAt } }";
const CONFIRM: &str = "Confirm your e-mail address";

fn phone() -> Client {
    Client::new(Some("2001:db8::7".parse().unwrap()), Some("Phone 1.0"))
}

impl World {
    async fn kinds(&self, viewer: &Viewer) -> Vec<String> {
        let answer = self.data(Some(viewer), EVENTS, json!({})).await;
        let nodes = answer["viewer"]["securityEvents"]["nodes"].as_array().unwrap().clone();
        nodes.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    }

    async fn log_in_with(&self, email: &str, password: &str) -> Value {
        let input = json!({ "input": { "email": email, "password": password } });
        self.ask(None, LOG_IN, input).await.json
    }
}

pub(crate) async fn sessions_are_listed_and_ended(world: World) {
    world.sign_up("ada@example.org").await;
    let input = json!({ "input": { "email": "ada@example.org", "password": PASSWORD } });
    let auth = world.ask_from(phone(), None, LOG_IN, input).await.json["data"]["logIn"].take();
    let on_phone = world.viewer(&auth);
    world.clock.advance(SignedDuration::from_secs(60));
    let (here, other) = (
        world.viewer(&world.log_in("ada@example.org").await),
        world.viewer(&world.log_in("ada@example.org").await),
    );
    let eve = world.signed_in("eve@example.org").await;

    let list = async |viewer: &Viewer| {
        let mut answer = world.data(Some(viewer), SESSIONS, json!({})).await;
        answer["viewer"]["sessions"].take().as_array().unwrap().clone()
    };
    let sessions = list(&here).await;
    assert_eq!(sessions.len(), 3);
    let current: Vec<_> = sessions.iter().filter(|it| it["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], here.session.to_string());
    assert_eq!(current[0]["origin"], json!({ "address": null, "userAgent": null }));
    let last = &sessions[2];
    assert_eq!(last["id"], on_phone.session.to_string(), "the one used last comes first");
    assert_eq!(last["origin"], json!({ "address": "2001:db8::7", "userAgent": "Phone 1.0" }));
    assert_eq!(last["createdAt"], last["lastUsedAt"]);

    // Using it moves it to the front, and says from where.
    world.clock.advance(SignedDuration::from_secs(1));
    let token = json!({ "input": { "refreshToken": auth["refreshToken"] } });
    let laptop = Client::new(Some([192, 0, 2, 7].into()), Some("Laptop"));
    world.ask_from(laptop, None, REFRESH, token).await;
    let first = list(&here).await[0].clone();
    assert_eq!(first["id"], on_phone.session.to_string());
    assert_eq!(first["origin"]["userAgent"], "Laptop");

    let end = |viewer: &Viewer| json!({ "input": { "sessionId": viewer.session.to_string() } });
    let foreign = world.error(Some(&eve), END, end(&on_phone)).await;
    assert_eq!(foreign.0, "NOT_FOUND");
    assert_eq!(world.error(None, END, end(&on_phone)).await.0, "UNAUTHENTICATED");
    assert!(!world.revocations.is_revoked(on_phone.session));
    let ended = world.data(Some(&here), END, end(&on_phone)).await;
    assert_eq!(ended["endSession"]["endedId"], on_phone.session.to_string());
    assert!(world.revocations.is_revoked(on_phone.session));
    assert_eq!(world.error(Some(&here), END, end(&on_phone)).await.0, "NOT_FOUND");

    let ended = world.data(Some(&here), END_OTHERS, json!({})).await;
    assert_eq!(ended["endOtherSessions"]["endedCount"], 1);
    assert!(world.revocations.is_revoked(other.session));
    assert!(
        !world.revocations.is_revoked(here.session) && !world.revocations.is_revoked(eve.session)
    );
    assert_eq!(list(&here).await.len(), 1);
}

pub(crate) async fn a_password_is_changed_by_who_knows_it(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    let other = world.viewer(&world.log_in("ada@example.org").await);
    let change = |current: &str, new: &str| json!({ "input": { "currentPassword": current, "newPassword": new } });
    for (current, new, code) in [
        ("wrong horse", "another horse", "WRONG_CREDENTIALS"),
        (PASSWORD, "short", "BAD_USER_INPUT"),
        (PASSWORD, "password123", "BAD_USER_INPUT"),
        (PASSWORD, "Ada@Example.org", "BAD_USER_INPUT"),
    ] {
        let error = world.error(Some(&ada), CHANGE, change(current, new)).await;
        assert_eq!(error.0, code, "{new}");
    }
    let nobody = world.error(None, CHANGE, change(PASSWORD, "another horse")).await;
    assert_eq!(nobody.0, "UNAUTHENTICATED");
    assert!(!world.revocations.is_revoked(other.session), "nothing was changed");

    world.data(Some(&ada), CHANGE, change(PASSWORD, "another horse")).await;
    assert!(world.revocations.is_revoked(other.session));
    assert!(!world.revocations.is_revoked(ada.session));
    assert_eq!(
        error_of(&world.log_in_with("ada@example.org", PASSWORD).await).0,
        "WRONG_CREDENTIALS"
    );
    assert!(world.log_in_with("ada@example.org", "another horse").await.get("errors").is_none());
    let letter = world.mail("ada@example.org", "Your password was changed").await;
    assert!(!letter.text.contains("horse"), "{}", letter.text);
    assert!(world.kinds(&ada).await.contains(&"PASSWORD_CHANGED".into()));

    for _ in 0..6 {
        let guess = world.error(Some(&ada), CHANGE, change("wrong horse", "a third horse")).await;
        assert_eq!(guess.0, "WRONG_CREDENTIALS");
    }
    let guess = world.error(Some(&ada), CHANGE, change("another horse", "a third horse")).await;
    assert_eq!(guess.0, "THROTTLED", "who found an open session cannot guess on");
}

pub(crate) async fn an_address_is_confirmed_by_mail(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    let letter = world.mail("ada@example.org", CONFIRM).await;
    assert!(letter.text.contains("\nhttps://app.example/verify-email#token="), "{}", letter.text);
    assert!(letter.html.contains("href=\"https://app.example/verify-email#token="));
    let first = world.secret("ada@example.org", CONFIRM).await;
    let verify = |token: &str| json!({ "input": { "token": token } });
    let verified = async || {
        let answer = world.data(Some(&ada), "{ viewer { emailVerified } }", json!({})).await;
        answer["viewer"]["emailVerified"].clone()
    };
    for wrong in ["", "nonsense", &"A".repeat(43), &format!("{first}A"), &"x".repeat(1 << 20)] {
        assert_eq!(world.error(None, VERIFY, verify(wrong)).await.0, "WRONG_CREDENTIALS");
    }
    let reset = json!({ "input": { "token": first, "newPassword": "another horse" } });
    let error = world.error(None, RESET, reset).await;
    assert_eq!(error.0, "WRONG_CREDENTIALS", "it is good for one purpose");

    world.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(world.error(None, VERIFY, verify(&first)).await.0, "WRONG_CREDENTIALS");
    assert_eq!(verified().await, false);
    assert_eq!(world.error(None, SEND, json!({})).await.0, "UNAUTHENTICATED");
    world.data(Some(&ada), SEND, json!({})).await;
    let second = loop {
        let second = world.secret("ada@example.org", CONFIRM).await;
        if second != first {
            break second;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let answer = world.data(None, VERIFY, verify(&second)).await;
    assert_eq!(answer["verifyEmail"]["email"], "ada@example.org");
    assert_eq!(verified().await, true);
    assert_eq!(
        world.error(None, VERIFY, verify(&second)).await.0,
        "WRONG_CREDENTIALS",
        "it was used"
    );
    assert_eq!(world.error(Some(&ada), SEND, json!({})).await.0, "CONFLICT");
    assert!(world.kinds(&ada).await.contains(&"EMAIL_VERIFIED".into()));
}

pub(crate) async fn a_password_is_reset_by_mail(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    let key = json!({ "input": { "name": "k", "scopes": ["READ"],
        "expiresAt": (world.clock.now() + SignedDuration::from_hours(9)).to_string() } });
    let key = world.data(Some(&ada), CREATE_KEY, key).await["createApiKey"]["secret"].take();
    let request = |email: &str| json!({ "input": { "email": email } });
    let known = world.data(None, REQUEST, request(" Ada@Example.org")).await;
    let unknown = world.data(None, REQUEST, request("nobody@example.org")).await;
    assert_eq!(known["requestPasswordReset"]["email"], "ada@example.org");
    assert_eq!(unknown["requestPasswordReset"]["email"], "nobody@example.org");
    assert_eq!(world.error(None, REQUEST, request("nonsense")).await.0, "BAD_USER_INPUT");

    let secret = world.secret("ada@example.org", "Set a new password").await;
    let reset = |token: &str, new: &str| json!({ "input": { "token": token, "newPassword": new } });
    let refused = world.error(None, RESET, reset(&secret, "password123")).await;
    assert_eq!((&*refused.0, &refused.1), ("BAD_USER_INPUT", &json!("input.newPassword")));
    let verify = json!({ "input": { "token": secret } });
    assert_eq!(world.error(None, VERIFY, verify).await.0, "WRONG_CREDENTIALS");
    assert!(!world.revocations.is_revoked(ada.session));

    let (one, two) = tokio::join!(
        world.ask(None, RESET, reset(&secret, "another horse")),
        world.ask(None, RESET, reset(&secret, "another horse"))
    );
    let failed = [one, two].iter().filter(|it| it.json.get("errors").is_some()).count();
    assert_eq!(failed, 1, "exactly one of two at the same time");
    assert!(world.revocations.is_revoked(ada.session), "everybody is out");
    let key = key.as_str().unwrap();
    assert_eq!(world.users.identify(key, &Client::default()).await.unwrap(), None);
    assert_eq!(
        error_of(&world.log_in_with("ada@example.org", PASSWORD).await).0,
        "WRONG_CREDENTIALS"
    );
    let auth = world.log_in_with("ada@example.org", "another horse").await;
    let ada = world.viewer(&auth["data"]["logIn"]);
    let kinds = world.kinds(&ada).await;
    assert_eq!(kinds[..2], ["LOGGED_IN", "LOG_IN_FAILED"]);
    assert!(
        kinds.contains(&"PASSWORD_RESET".into())
            && kinds.contains(&"PASSWORD_RESET_REQUESTED".into())
    );
    world.mail("ada@example.org", "Your password was changed").await;

    world.clock.advance(SignedDuration::from_hours(2));
    world.data(None, REQUEST, request("ada@example.org")).await;
    let late = loop {
        let late = world.secret("ada@example.org", "Set a new password").await;
        if late != secret {
            break late;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(
        world.error(None, RESET, reset(&late, "a third horse")).await.0,
        "WRONG_CREDENTIALS"
    );
    let letters = world.mailbox.letters().await.unwrap();
    assert!(letters.iter().all(|letter| letter.to == "ada@example.org"), "nobody else gets mail");
}

pub(crate) async fn signing_up_with_a_taken_address_mails_its_owner(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    world.sign_up("ADA@example.org").await;
    let letter = world.mail("ada@example.org", "You have an account already").await;
    assert!(!letter.text.contains("#token"), "{}", letter.text);
    assert_eq!(world.kinds(&ada).await, ["SIGN_UP_REPEATED", "LOGGED_IN", "SIGNED_UP"]);
}

pub(crate) async fn api_keys_are_made_used_and_revoked(world: World) {
    let (ada, eve) =
        (world.signed_in("ada@example.org").await, world.signed_in("eve@example.org").await);
    let expires = world.clock.now() + SignedDuration::from_hours(24);
    let input = |scopes: &[&str]| {
        json!({ "input": { "name": "backup", "scopes": scopes,
        "expiresAt": expires.to_string() } })
    };
    let made = world.data(Some(&ada), CREATE_KEY, input(&["WRITE", "READ"])).await;
    let (secret, key) =
        (made["createApiKey"]["secret"].as_str().unwrap(), &made["createApiKey"]["apiKey"]);
    assert!(
        secret.starts_with("sk_spacey_") && secret.starts_with(key["prefix"].as_str().unwrap())
    );
    assert_eq!(key["scopes"], json!(["READ", "WRITE"]));
    let listed = world.data(Some(&ada), KEYS, json!({})).await["viewer"]["apiKeys"].take();
    assert_eq!((&listed[0]["id"], &listed[0]["lastUsedAt"]), (&key["id"], &Value::Null));
    assert!(!listed.to_string().contains(secret));
    assert_eq!(world.data(Some(&eve), KEYS, json!({})).await["viewer"]["apiKeys"], json!([]));

    let identify = async |secret: &str| world.users.identify(secret, &phone()).await.unwrap();
    let Accepted { viewer, expires: until } = identify(secret).await.unwrap();
    assert_eq!((viewer.user, viewer.roles), (ada.user, ada.roles));
    assert_eq!(viewer.scopes, ["read", "write"]);
    assert_eq!(
        until,
        world.clock.now() + world.tokens.lifetime(),
        "then it is to be asked for again"
    );
    let listed = world.data(Some(&ada), KEYS, json!({})).await["viewer"]["apiKeys"].take();
    assert!(listed[0]["lastUsedAt"].is_string());
    let uses =
        async || world.kinds(&ada).await.iter().filter(|kind| *kind == "API_KEY_USED").count();
    for _ in 0..70 {
        identify(secret).await.unwrap();
        world.clock.advance(SignedDuration::from_mins(1));
    }
    assert!((2..=3).contains(&uses().await), "noted once in each hour, however often it is used");
    let before = uses().await;
    world.clock.advance(SignedDuration::from_hours(1));
    join_all((0..10).map(|_| identify(secret))).await;
    assert_eq!(uses().await, before + 1, "and once by many at the same time");
    for other in
        ["", "sk_spacey_", &secret[1..], &secret.replace("sk_", "pk_"), &"x".repeat(1 << 20)]
    {
        assert_eq!(identify(other).await, None);
    }

    let revoke = json!({ "input": { "apiKeyId": key["id"] } });
    assert_eq!(world.error(Some(&eve), REVOKE_KEY, revoke.clone()).await.0, "NOT_FOUND");
    assert!(identify(secret).await.is_some());
    world.data(Some(&ada), REVOKE_KEY, revoke.clone()).await;
    assert_eq!(identify(secret).await, None);
    assert!(world.revocations.is_revoked(viewer.session), "also where it is remembered");
    assert_eq!(world.error(Some(&ada), REVOKE_KEY, revoke).await.0, "NOT_FOUND");

    let short = world.data(Some(&ada), CREATE_KEY, input(&["READ"])).await;
    let short = short["createApiKey"]["secret"].as_str().unwrap().to_owned();
    assert_eq!(identify(&short).await.unwrap().viewer.scopes, ["read"]);
    let minute = SignedDuration::from_mins(1);
    world.clock.advance(expires.duration_since(world.clock.now()) - minute);
    let until = identify(&short).await.unwrap().expires;
    assert_eq!(until.as_millisecond(), expires.as_millisecond());
    world.clock.advance(minute);
    assert_eq!(identify(&short).await, None, "it has expired");
    let error = world.error(Some(&ada), CREATE_KEY, input(&["READ"])).await;
    assert_eq!((&*error.0, &error.1), ("BAD_USER_INPUT", &json!("input.expiresAt")));
}

pub(crate) async fn an_api_key_cannot_touch_the_account(world: World) {
    let admin = world.admin().await;
    let id = admin.user.to_string();
    let expires = (world.clock.now() + SignedDuration::from_hours(1)).to_string();
    let input =
        json!({ "input": { "name": "k", "scopes": ["READ", "WRITE"], "expiresAt": expires } });
    let made = world.data(Some(&admin), CREATE_KEY, input).await;
    let secret = made["createApiKey"]["secret"].as_str().unwrap();
    let script = world.users.identify(secret, &phone()).await.unwrap().unwrap().viewer;
    assert_eq!(script.roles, Roles { admin: false, ..admin.roles });
    // Nor would it help a key to have that role.
    let promoted = Viewer { roles: admin.roles, ..script.clone() };
    for (document, input) in [
        (CHANGE, json!({ "currentPassword": PASSWORD, "newPassword": "another horse" })),
        (END, json!({ "sessionId": admin.session.to_string() })),
        (END_OTHERS, json!({})),
        (END_OF_USER, json!({ "userId": id })),
        (SEND, json!({})),
        (UPDATE, json!({ "name": "Eve" })),
        (LOG_OUT, json!({})),
        (CREATE_KEY, json!({ "name": "k", "scopes": ["READ"], "expiresAt": expires })),
        (REVOKE_KEY, json!({ "apiKeyId": id })),
        (DELETE, json!({ "password": PASSWORD })),
        (SET_ROLE, json!({ "userId": id, "role": "BETA", "granted": true })),
        (SESSIONS, json!({})),
        (EVENTS, json!({})),
        (ALL_EVENTS, json!({})),
        (USERS, json!({})),
    ] {
        for viewer in [&script, &promoted] {
            let input = json!({ "input": input });
            let error = world.error(Some(viewer), document, input).await;
            assert_eq!(error.0, "FORBIDDEN", "{document}");
        }
    }
    assert!(!world.revocations.is_revoked(admin.session));
    let name = world.data(Some(&script), "{ viewer { name } }", json!({})).await;
    assert_eq!(name["viewer"]["name"], "Root");
}

pub(crate) async fn security_events_are_for_their_owner_and_admins(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    let eve = world.signed_in("eve@example.org").await;
    let wrong = json!({ "input": { "email": "ada@example.org", "password": "wrong horse" } });
    world.ask_from(phone(), None, LOG_IN, wrong).await;
    let unknown = json!({ "input": { "email": "nobody@example.org", "password": "wrong horse" } });
    world.ask(None, LOG_IN, unknown).await;
    let admin = world.admin().await;
    let grant =
        json!({ "input": { "userId": ada.user.to_string(), "role": "BETA", "granted": true } });
    world.data(Some(&admin), SET_ROLE, grant).await;

    let nodes =
        world.data(Some(&ada), EVENTS, json!({})).await["viewer"]["securityEvents"]["nodes"].take();
    let nodes = nodes.as_array().unwrap();
    let kinds: Vec<_> = nodes.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ROLE_GRANTED", "LOG_IN_FAILED", "LOGGED_IN", "SIGNED_UP"]);
    assert_eq!(nodes[0]["actorId"], admin.user.to_string());
    assert_eq!(nodes[0]["detail"], "BETA");
    assert_eq!(nodes[1]["origin"], json!({ "address": "2001:db8::7", "userAgent": "Phone 1.0" }));
    assert!(nodes.iter().all(|event| event["userId"] == ada.user.to_string()));
    assert_eq!(world.kinds(&eve).await, ["LOGGED_IN", "SIGNED_UP"]);

    assert_eq!(world.error(None, ALL_EVENTS, json!({})).await.0, "UNAUTHENTICATED");
    assert_eq!(world.error(Some(&eve), ALL_EVENTS, json!({})).await.0, "FORBIDDEN");
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page =
            world.data(Some(&admin), ALL_EVENTS, json!({ "first": 2, "after": after })).await;
        let page = &page["securityEvents"];
        seen.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 8);
    let of_nobody: Vec<_> = seen.iter().filter(|event| event["userId"].is_null()).collect();
    assert_eq!(of_nobody.len(), 1);
    let bad = world.error(Some(&admin), ALL_EVENTS, json!({ "first": 501 })).await;
    assert_eq!((&*bad.0, &bad.1), ("BAD_USER_INPUT", &json!("first")));
}

pub(crate) async fn admins_find_people_and_end_their_sessions(world: World) {
    let (ada, admin) = (world.signed_in("ada@example.org").await, world.admin().await);
    let found =
        world.data(Some(&admin), USERS, json!({ "search": "ADA@" })).await["users"]["nodes"].take();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["email"], "ada@example.org");
    assert_eq!(found[0]["sessions"][0]["id"], ada.session.to_string());
    assert_eq!(found[0]["apiKeys"], Value::Null, "those are the person's own");
    let all =
        world.data(Some(&admin), USERS, json!({ "search": " " })).await["users"]["nodes"].take();
    assert_eq!(all.as_array().unwrap().len(), 2);
    for (viewer, code) in [(None, "UNAUTHENTICATED"), (Some(&ada), "FORBIDDEN")] {
        assert_eq!(world.error(viewer, USERS, json!({})).await.0, code);
        let input = json!({ "input": { "userId": admin.user.to_string() } });
        assert_eq!(world.error(viewer, END_OF_USER, input).await.0, code);
    }
    let long = world.error(Some(&admin), USERS, json!({ "search": "x".repeat(255) })).await;
    assert_eq!((&*long.0, &long.1), ("BAD_USER_INPUT", &json!("search")));

    let input = json!({ "input": { "userId": ada.user.to_string() } });
    let ended = world.data(Some(&admin), END_OF_USER, input).await;
    assert_eq!(ended["endSessionsOfUser"]["endedCount"], 1);
    assert!(world.revocations.is_revoked(ada.session));
    assert!(!world.revocations.is_revoked(admin.session));
    let absent = json!({ "input": { "userId": ada.session.to_string() } });
    assert_eq!(world.error(Some(&admin), END_OF_USER, absent).await.0, "NOT_FOUND");
}

pub(crate) async fn an_account_is_deleted_after_a_while_unless_its_owner_logs_in(world: World) {
    let ada = world.signed_in("ada@example.org").await;
    let delete = |password: &str| json!({ "input": { "password": password } });
    assert_eq!(world.error(Some(&ada), DELETE, delete("wrong horse")).await.0, "WRONG_CREDENTIALS");
    assert_eq!(world.error(None, DELETE, delete(PASSWORD)).await.0, "UNAUTHENTICATED");
    let admin = world.admin().await;
    assert_eq!(world.error(Some(&admin), DELETE, delete(PASSWORD)).await.0, "CONFLICT");

    let answer = world.ask(Some(&ada), DELETE, delete(PASSWORD)).await;
    let due = world.clock.now() + SignedDuration::from_hours(14 * 24);
    assert_eq!(answer.json["data"]["deleteAccount"]["deletionDueAt"], format!("{due:.3}"));
    assert_eq!(answer.cookies.len(), 2, "the browser forgets its tokens");
    assert!(world.revocations.is_revoked(ada.session));
    let letter = world.mail("ada@example.org", "Your account will be deleted").await;
    assert!(letter.text.contains("in 14 days"), "{}", letter.text);

    world.clock.advance(SignedDuration::from_hours(13 * 24));
    world.users.tidy_up().await.unwrap();
    let ada = world.viewer(&world.log_in("ada@example.org").await);
    assert_eq!(
        world.kinds(&ada).await[..3],
        ["LOGGED_IN", "DELETION_CANCELLED", "DELETION_REQUESTED"]
    );
    world.clock.advance(SignedDuration::from_hours(48));
    world.users.tidy_up().await.unwrap();
    let ada = world.viewer(&world.log_in("ada@example.org").await);

    world.data(Some(&ada), DELETE, delete(PASSWORD)).await;
    world.clock.advance(SignedDuration::from_hours(14 * 24));
    world.users.tidy_up().await.unwrap();
    let gone = world.log_in_with("ada@example.org", PASSWORD).await;
    assert_eq!(error_of(&gone).0, "WRONG_CREDENTIALS");
    assert_eq!(world.data(Some(&ada), "{ viewer { id } }", json!({})).await["viewer"], Value::Null);
    let again = world.signed_in("ada@example.org").await;
    assert_ne!(again.user, ada.user, "the address is free again");
}
