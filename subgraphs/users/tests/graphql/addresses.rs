//! Another address for an account: asked for, confirmed, undone, and what nobody can do by it.

use common::{Client, KeyVerifier, Viewer};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{LOG_IN, PASSWORD, World, error_of};

const REQUEST: &str = "mutation($input: RequestEmailChangeInput!) {
    requestEmailChange(input: $input) { email } }";
const CONFIRM: &str = "mutation($input: ConfirmEmailChangeInput!) {
    confirmEmailChange(input: $input) { email } }";
const UNDO: &str =
    "mutation($input: UndoEmailChangeInput!) { undoEmailChange(input: $input) { email } }";
const CHANGE_PASSWORD: &str = "mutation($input: ChangePasswordInput!) {
    changePassword(input: $input) { user { email } } }";
const REQUEST_RESET: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { email } }";
const RESET: &str =
    "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
const VERIFY: &str = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
const KEY: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
const ME: &str = "{ viewer { email emailVerified pendingEmail
    securityEvents { nodes { kind detail } } } }";
const USERS: &str = "query($search: String) { users(search: $search) { nodes { email } } }";

const NEW_SUBJECT: &str = "Confirm your new e-mail address";
const ASKED_SUBJECT: &str = "Another e-mail address was asked for";
const CHANGED_SUBJECT: &str = "Your e-mail address was changed";
const ADA: &str = "ada@example.org";
const NEW: &str = "new@example.org";

impl World {
    /// Ada, whose address is confirmed.
    async fn ada(&self) -> Viewer {
        let ada = self.signed_in(ADA).await;
        let secret = self.secret(ADA, "Confirm your e-mail address").await;
        self.data(None, VERIFY, json!({ "input": { "token": secret } })).await;
        ada
    }

    async fn request(&self, viewer: &Viewer, email: &str) {
        let answer = self.data(Some(viewer), REQUEST, wanted(PASSWORD, email)).await;
        assert_eq!(answer["requestEmailChange"]["email"], email);
    }

    async fn confirm(&self, token: &str) -> Value {
        self.ask(None, CONFIRM, json!({ "input": { "token": token } })).await.json
    }

    async fn undo(&self, token: &str, password: &str) -> Value {
        let input = json!({ "token": token, "newPassword": password });
        self.ask(None, UNDO, json!({ "input": input })).await.json
    }

    async fn me(&self, viewer: &Viewer) -> Value {
        self.data(Some(viewer), ME, json!({})).await["viewer"].take()
    }

    async fn tries(&self, email: &str, password: &str) -> Result<Viewer, String> {
        let input = json!({ "input": { "email": email, "password": password } });
        let answer = self.ask(None, LOG_IN, input).await.json;
        if answer.get("errors").is_some() {
            return Err(error_of(&answer).0);
        }
        Ok(self.viewer(&answer["data"]["logIn"]))
    }

    async fn mails_to(&self, to: &str) -> Vec<String> {
        let letters = self.mailbox.letters().await.unwrap();
        letters.into_iter().filter(|it| it.to == to).map(|it| it.subject).collect()
    }
}

fn wanted(password: &str, email: &str) -> Value {
    json!({ "input": { "currentPassword": password, "newEmail": email } })
}

fn is_refused(answer: &Value) -> bool {
    error_of(answer).0 == "WRONG_CREDENTIALS"
}

pub(crate) async fn an_address_is_changed_by_who_reads_mail_sent_there(world: World) {
    let ada = world.ada().await;
    for (password, email, code) in [
        ("wrong horse", NEW, "WRONG_CREDENTIALS"),
        (PASSWORD, "nonsense", "BAD_USER_INPUT"),
        (PASSWORD, " ADA@example.org", "BAD_USER_INPUT"),
        (PASSWORD, "new@example.org\r\nBcc: all@example.org", "BAD_USER_INPUT"),
    ] {
        let error = world.error(Some(&ada), REQUEST, wanted(password, email)).await;
        assert_eq!(error.0, code, "{email}");
    }
    assert_eq!(world.error(None, REQUEST, wanted(PASSWORD, NEW)).await.0, "UNAUTHENTICATED");
    let scopes = vec!["read".to_owned(), "write".to_owned()];
    let script = Viewer { scopes, ..ada.clone() };
    assert_eq!(world.error(Some(&script), REQUEST, wanted(PASSWORD, NEW)).await.0, "FORBIDDEN");
    assert_eq!(world.me(&ada).await["pendingEmail"], Value::Null, "nothing was changed");

    world.request(&ada, NEW).await;
    world.mail(ADA, ASKED_SUBJECT).await;
    let letter = world.mail(NEW, NEW_SUBJECT).await;
    assert!(letter.text.contains("https://app.example/confirm-email-change#token="));
    let me = world.me(&ada).await;
    assert_eq!((&me["email"], &me["pendingEmail"]), (&json!(ADA), &json!(NEW)));
    assert_eq!(world.tries(NEW, PASSWORD).await.unwrap_err(), "WRONG_CREDENTIALS");
    let other = world.tries(ADA, PASSWORD).await.unwrap();

    let secret = world.secret(NEW, NEW_SUBJECT).await;
    for wrong in ["", "nonsense", &"A".repeat(43), &"x".repeat(1 << 20)] {
        assert!(is_refused(&world.confirm(wrong).await));
    }
    let verify = json!({ "input": { "token": secret } });
    assert_eq!(world.error(None, VERIFY, verify).await.0, "WRONG_CREDENTIALS", "one purpose");
    assert!(is_refused(&world.undo(&secret, "another horse").await));

    let (one, two) = tokio::join!(
        world.ask(Some(&ada), CONFIRM, json!({ "input": { "token": secret } })),
        world.ask(Some(&ada), CONFIRM, json!({ "input": { "token": secret } }))
    );
    let failed = [&one, &two].iter().filter(|it| it.json.get("errors").is_some()).count();
    assert_eq!(failed, 1, "exactly one of two at the same time");
    assert!(!world.revocations.is_revoked(ada.session), "the session that asked stays");
    assert!(world.revocations.is_revoked(other.session), "the others end");
    let me = world.me(&ada).await;
    assert_eq!((&me["email"], &me["pendingEmail"]), (&json!(NEW), &Value::Null));
    assert_eq!(me["emailVerified"], true);
    let events = &me["securityEvents"]["nodes"];
    let has = |kind: &str, detail: &str| {
        let event = json!({ "kind": kind, "detail": detail });
        events.as_array().unwrap().contains(&event)
    };
    assert!(has("EMAIL_CHANGE_REQUESTED", NEW) && has("EMAIL_CHANGED", ADA), "{events}");
    assert_eq!(world.tries(ADA, PASSWORD).await.unwrap_err(), "WRONG_CREDENTIALS");
    world.tries(NEW, PASSWORD).await.unwrap();
    assert!(is_refused(&world.confirm(&secret).await), "it was used");

    let admin = world.admin().await;
    let found = async |text: &str| {
        let answer = world.data(Some(&admin), USERS, json!({ "search": text })).await;
        answer["users"]["nodes"].as_array().unwrap().len()
    };
    assert_eq!([found(ADA).await, found(NEW).await], [0, 1]);
    world.sign_up(ADA).await;
    assert_eq!(found(ADA).await, 1, "the former address is free");
}

pub(crate) async fn a_taken_address_shows_to_nobody_but_its_owner(world: World) {
    let (ada, eve) = (world.ada().await, world.signed_in("eve@example.org").await);
    let taken = world.data(Some(&ada), REQUEST, wanted(PASSWORD, "eve@example.org")).await;
    assert_eq!(taken, json!({ "requestEmailChange": { "email": "eve@example.org" } }));
    world.mail(ADA, ASKED_SUBJECT).await;
    let letter = world.mail("eve@example.org", "Your e-mail address was asked for").await;
    assert!(letter.text.contains("tried to give another account"), "{}", letter.text);
    assert!(!letter.text.contains("token=") && !letter.text.contains(ADA), "{}", letter.text);
    assert!(!world.mails_to("eve@example.org").await.contains(&NEW_SUBJECT.to_owned()));
    assert_eq!(world.me(&eve).await["email"], "eve@example.org");

    // Taken between the mail and the confirmation: nothing is changed, and who reads the mail is told.
    world.request(&ada, NEW).await;
    let secret = world.secret(NEW, NEW_SUBJECT).await;
    world.sign_up(NEW).await;
    assert_eq!(error_of(&world.confirm(&secret).await).0, "CONFLICT");
    assert_eq!(world.me(&ada).await["email"], ADA);
    assert!(!world.revocations.is_revoked(ada.session));
}

pub(crate) async fn a_former_address_undoes_the_change(world: World) {
    let ada = world.ada().await;
    // Whoever took over the session and the password changes the address twice.
    world.request(&ada, NEW).await;
    world.confirm(&world.secret(NEW, NEW_SUBJECT).await).await;
    let thief = world.tries(NEW, PASSWORD).await.unwrap();
    let expires_at = (world.clock.now() + SignedDuration::from_hours(9)).to_string();
    let key = json!({ "name": "k", "scopes": ["READ"], "expiresAt": expires_at });
    let key = world.data(Some(&thief), KEY, json!({ "input": key })).await;
    let key = key["createApiKey"]["secret"].as_str().unwrap();
    world.clock.advance(SignedDuration::from_secs(1));
    world.request(&thief, "third@example.org").await;
    world.confirm(&world.secret("third@example.org", NEW_SUBJECT).await).await;

    let (first, second) =
        (world.secret(ADA, CHANGED_SUBJECT).await, world.secret(NEW, CHANGED_SUBJECT).await);
    let letter = world.mail(ADA, CHANGED_SUBJECT).await;
    assert!(letter.text.contains("https://app.example/undo-email-change#token="));
    assert!(world.undo(&second, "a thief's horse").await.get("errors").is_none());
    let thief = world.tries(NEW, "a thief's horse").await.unwrap();
    let refused = world.undo(&first, "password123").await;
    assert_eq!(error_of(&refused).1, "input.newPassword", "a refused password costs no link");
    let answer = world.undo(&first, "another horse").await;
    assert_eq!(
        answer["data"]["undoEmailChange"]["email"], ADA,
        "the first owner has the last word"
    );

    assert!(world.revocations.is_revoked(thief.session));
    assert_eq!(world.users.identify(key, &Client::default()).await.unwrap(), None);
    assert!(is_refused(&world.undo(&first, "another horse").await), "it was used");
    for (email, password) in [(NEW, "a thief's horse"), (ADA, PASSWORD), (ADA, "a thief's horse")] {
        assert_eq!(world.tries(email, password).await.unwrap_err(), "WRONG_CREDENTIALS");
    }
    let ada = world.tries(ADA, "another horse").await.unwrap();
    let me = world.me(&ada).await;
    assert_eq!((&me["email"], &me["emailVerified"]), (&json!(ADA), &json!(true)));
    assert!(me.to_string().contains("EMAIL_CHANGE_UNDONE"));

    // A former address that another account has by now is given back when that one lets go of it.
    world.clock.advance(SignedDuration::from_hours(25));
    let pending = json!({ "currentPassword": "another horse", "newEmail": "fourth@example.org" });
    world.data(Some(&ada), REQUEST, json!({ "input": pending })).await;
    world.confirm(&world.secret("fourth@example.org", NEW_SUBJECT).await).await;
    let undo = loop {
        let undo = world.secret(ADA, CHANGED_SUBJECT).await;
        if undo != first {
            break undo;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let squatter = world.signed_in(ADA).await;
    assert_eq!(error_of(&world.undo(&undo, "a third horse").await).0, "CONFLICT");
    world.tries("fourth@example.org", "another horse").await.unwrap();
    world.request(&squatter, "fifth@example.org").await;
    world.confirm(&world.secret("fifth@example.org", NEW_SUBJECT).await).await;
    assert!(world.undo(&undo, "a third horse").await.get("errors").is_none());
    world.tries(ADA, "a third horse").await.unwrap();

    // An address that was never confirmed gets no such power.
    let eve = world.signed_in("eve@example.org").await;
    world.request(&eve, "right@example.org").await;
    world.confirm(&world.secret("right@example.org", NEW_SUBJECT).await).await;
    world.mail("eve@example.org", ASKED_SUBJECT).await;
    assert_eq!(world.users.tidy_up().await.ok(), Some(()));
    assert!(!world.mails_to("eve@example.org").await.contains(&CHANGED_SUBJECT.to_owned()));
}

pub(crate) async fn a_change_that_was_asked_for_ends_with_the_password(world: World) {
    let ada = world.ada().await;
    world.data(None, REQUEST_RESET, json!({ "input": { "email": ADA } })).await;
    let reset = world.secret(ADA, "Set a new password").await;
    world.request(&ada, NEW).await;
    let secret = world.secret(NEW, NEW_SUBJECT).await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another horse" });
    world.data(Some(&ada), CHANGE_PASSWORD, json!({ "input": change })).await;
    assert!(is_refused(&world.confirm(&secret).await));
    let me = world.me(&ada).await;
    assert_eq!((&me["email"], &me["pendingEmail"]), (&json!(ADA), &Value::Null));

    let input = wanted("another horse", NEW);
    world.data(Some(&ada), REQUEST, input).await;
    let second = loop {
        let second = world.secret(NEW, NEW_SUBJECT).await;
        if second != secret {
            break second;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    world.confirm(&second).await;
    let input = json!({ "token": reset, "newPassword": "a third horse" });
    let stale = world.error(None, RESET, json!({ "input": input })).await;
    assert_eq!(stale.0, "WRONG_CREDENTIALS", "a mail to the former address resets nothing");
    world.tries(NEW, "another horse").await.unwrap();
}

pub(crate) async fn only_the_last_address_asked_for_counts(world: World) {
    let ada = world.ada().await;
    world.request(&ada, NEW).await;
    let first = world.secret(NEW, NEW_SUBJECT).await;
    world.request(&ada, "third@example.org").await;
    let second = world.secret("third@example.org", NEW_SUBJECT).await;
    assert!(is_refused(&world.confirm(&first).await));
    world.clock.advance(SignedDuration::from_hours(24));
    assert!(is_refused(&world.confirm(&second).await), "it has expired");
    assert_eq!(world.me(&ada).await["email"], ADA);
}

pub(crate) async fn asking_for_addresses_is_bounded(world: World) {
    let ada = world.ada().await;
    for n in 0..3 {
        world.request(&ada, &format!("n{n}@example.org")).await;
    }
    world.data(Some(&ada), REQUEST, wanted(PASSWORD, "n3@example.org")).await;
    let fifth = world.error(Some(&ada), REQUEST, wanted(PASSWORD, "n4@example.org")).await;
    assert_eq!(fifth.0, "THROTTLED");
    let me = world.me(&ada).await;
    assert_eq!(me["pendingEmail"], "n3@example.org", "nothing was changed");
}
