//! Accounts, profiles and roles.

use common::{Caller, Error, RefreshCookie, Roles, UserId, Viewer};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{
    ENTITIES, LOG_IN, LOG_OUT, PASSWORD, REFRESH, SET_ROLE, SIGN_UP, UPDATE, VIEWER, World,
    error_of,
};

pub(crate) async fn a_person_signs_up_logs_in_and_out(world: World) {
    let input = json!({ "email": " Ada@Example.org ", "password": PASSWORD, "name": "Ada",
        "timeZone": "europe/zurich" });
    let answer = world.data(None, SIGN_UP, json!({ "input": input })).await;
    assert_eq!(answer["signUp"], json!({ "email": "ada@example.org" }));
    assert_eq!(world.data(None, VIEWER, json!({})).await["viewer"], Value::Null);

    let auth = world.log_in("ADA@example.org").await;
    let viewer = world.viewer(&auth);
    let expires: Timestamp = auth["accessTokenExpiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires, world.clock.now() + SignedDuration::from_mins(15));
    let me = &world.data(Some(&viewer), VIEWER, json!({})).await["viewer"];
    let created_at = format!("{:.3}", world.clock.now());
    assert_eq!(
        *me,
        json!({ "id": viewer.user.to_string(), "email": "ada@example.org", "name": "Ada",
            "roles": ["USER"], "emailVerified": false, "timeZone": "Europe/Zurich",
            "rolloverHour": 4, "createdAt": created_at })
    );

    assert!(!world.revocations.is_revoked(viewer.session));
    let out = world.data(Some(&viewer), LOG_OUT, json!({})).await;
    assert_eq!(out["logOut"]["loggedOut"], true);
    assert!(world.revocations.is_revoked(viewer.session));
    let input = json!({ "input": { "refreshToken": auth["refreshToken"] } });
    assert_eq!(world.error(None, REFRESH, input).await.0, "WRONG_CREDENTIALS");
    let out = world.data(None, LOG_OUT, json!({})).await;
    assert_eq!(out["logOut"]["loggedOut"], false);
}

pub(crate) async fn refresh_tokens_rotate_and_reuse_ends_the_session(world: World) {
    world.sign_up("ada@example.org").await;
    let (auth, other) =
        (world.log_in("ada@example.org").await, world.log_in("ada@example.org").await);
    let refresh = |token: &Value| json!({ "input": { "refreshToken": token } });
    let next = world.data(None, REFRESH, refresh(&auth["refreshToken"])).await;
    let next = &next["refreshTokens"];
    assert_ne!(next["refreshToken"], auth["refreshToken"]);
    assert_eq!(world.viewer(next), world.viewer(&auth), "the session is the same");

    world.clock.advance(SignedDuration::from_secs(31));
    let session = world.viewer(&auth).session;
    let message = "the refresh token is not valid: log in again";
    let reused = world.error(None, REFRESH, refresh(&auth["refreshToken"])).await;
    assert_eq!(reused, ("WRONG_CREDENTIALS".into(), Value::Null, message.into()));
    assert!(world.revocations.is_revoked(session), "whoever has a copy is out at once");
    let newest = world.error(None, REFRESH, refresh(&next["refreshToken"])).await;
    assert_eq!(newest, reused);
    for nonsense in ["", "nonsense", &"A".repeat(43)] {
        assert_eq!(world.error(None, REFRESH, refresh(&json!(nonsense))).await, reused);
    }
    world.data(None, REFRESH, refresh(&other["refreshToken"])).await;
}

pub(crate) async fn a_lost_answer_is_given_again_and_of_two_who_refresh_at_once_both_stay(
    world: World,
) {
    world.sign_up("ada@example.org").await;
    let auth = world.log_in("ada@example.org").await;
    let refresh = |token: &Value| json!({ "input": { "refreshToken": token } });
    let first = || world.data(None, REFRESH, refresh(&auth["refreshToken"]));
    let (one, other) = tokio::join!(first(), first());
    world.clock.advance(SignedDuration::from_secs(29));
    let again = first().await;
    let token = &one["refreshTokens"]["refreshToken"];
    for answer in [&other, &again] {
        assert_eq!(&answer["refreshTokens"]["refreshToken"], token, "there is one family");
        assert_eq!(world.viewer(&answer["refreshTokens"]), world.viewer(&auth));
    }
    let next = world.data(None, REFRESH, refresh(token)).await;
    let session = world.viewer(&auth).session;
    let error = world.error(None, REFRESH, refresh(&auth["refreshToken"])).await;
    assert_eq!(error.0, "WRONG_CREDENTIALS", "what came before the last one is old, however soon");
    assert!(world.revocations.is_revoked(session));
    let next = refresh(&next["refreshTokens"]["refreshToken"]);
    assert_eq!(world.error(None, REFRESH, next).await.0, "WRONG_CREDENTIALS");
}

pub(crate) async fn a_browser_refreshes_by_its_cookie(world: World) {
    world.sign_up("ada@example.org").await;
    let auth = world.log_in("ada@example.org").await;
    let by = |token: &str| {
        let refresh_cookie = Some(RefreshCookie(token.to_owned()));
        Caller { refresh_cookie, ..Caller::anonymous("test") }
    };
    let input = json!({ "input": {} });
    let token = auth["refreshToken"].as_str().unwrap();
    let answer = world.ask_as(by(token), REFRESH, input.clone()).await;
    let tokens = &answer.json["data"]["refreshTokens"];
    assert_eq!(world.viewer(tokens), world.viewer(&auth));
    assert_eq!(tokens["refreshToken"], Value::Null, "scripts do not see it");
    let next = answer.cookies[1].strip_prefix("__Host-spacey-refresh=").unwrap();
    let next = next.split(';').next().unwrap();
    assert_ne!(next, token);
    let after = world.ask_as(by(next), REFRESH, input.clone()).await;
    assert_eq!(after.json.get("errors"), None);

    let old = world.ask_as(by(token), REFRESH, input.clone()).await;
    assert_eq!(error_of(&old.json).0, "WRONG_CREDENTIALS");
    assert!(old.cookies.iter().all(|cookie| cookie.contains("=; Max-Age=0;")));
    assert_eq!(old.cookies.len(), 2, "the browser forgets what is good no more");
    assert_eq!(world.error(None, REFRESH, input).await.0, "WRONG_CREDENTIALS");
}

pub(crate) async fn whoever_logs_in_gets_a_session_of_their_own(world: World) {
    world.sign_up("eve@example.org").await;
    world.sign_up("ada@example.org").await;
    let planted = world.log_in("eve@example.org").await;
    let refresh_cookie = Some(RefreshCookie(planted["refreshToken"].as_str().unwrap().to_owned()));
    let viewer = Some(world.viewer(&planted));
    let caller = Caller { refresh_cookie, viewer, ..Caller::anonymous("test") };
    let input =
        json!({ "input": { "email": "ada@example.org", "password": PASSWORD, "cookies": true } });
    let answer = world.ask_as(caller, LOG_IN, input).await;
    let mine = &answer.json["data"]["logIn"];
    assert_ne!(world.viewer(mine).session, world.viewer(&planted).session);
    assert_ne!(mine["refreshToken"], planted["refreshToken"]);
    assert_eq!(answer.cookies.len(), 2, "and the planted ones are replaced");
    let me = world.data(Some(&world.viewer(&planted)), "{ viewer { email } }", json!({})).await;
    assert_eq!(me["viewer"]["email"], "eve@example.org", "who planted it gained nothing");
}

pub(crate) async fn a_refresh_token_expires(world: World) {
    world.sign_up("ada@example.org").await;
    let auth = world.log_in("ada@example.org").await;
    let refresh = |token: &Value| json!({ "input": { "refreshToken": token } });
    let month = SignedDuration::from_hours(30 * 24);
    world.clock.advance(month - SignedDuration::from_secs(1));
    let next = world.data(None, REFRESH, refresh(&auth["refreshToken"])).await;
    world.clock.advance(month);
    let token = &next["refreshTokens"]["refreshToken"];
    assert_eq!(world.error(None, REFRESH, refresh(token)).await.0, "WRONG_CREDENTIALS");
}

pub(crate) async fn cookies_are_set_and_cleared(world: World) {
    world.sign_up("ada@example.org").await;
    let input = |cookies: bool| json!({ "input": { "email": "ada@example.org", "password": PASSWORD, "cookies": cookies } });
    assert!(world.ask(None, LOG_IN, input(false)).await.cookies.is_empty());
    let answer = world.ask(None, LOG_IN, input(true)).await;
    let auth = &answer.json["data"]["logIn"];
    let kept = "Path=/; HttpOnly; SameSite=Lax; Secure";
    let access = auth["accessToken"].as_str().unwrap();
    let refresh = auth["refreshToken"].as_str().unwrap();
    assert_eq!(
        answer.cookies,
        [
            format!("__Host-spacey-access={access}; Max-Age=900; {kept}"),
            format!("__Host-spacey-refresh={refresh}; Max-Age=2592000; {kept}"),
        ]
    );
    let cleared = world.ask(Some(&world.viewer(auth)), LOG_OUT, json!({})).await.cookies;
    assert_eq!(
        cleared,
        [
            format!("__Host-spacey-access=; Max-Age=0; {kept}"),
            format!("__Host-spacey-refresh=; Max-Age=0; {kept}"),
        ]
    );
}

pub(crate) async fn a_profile_is_changed_by_its_owner(world: World) {
    let viewer = world.signed_in("ada@example.org").await;
    let update = |input: Value| json!({ "input": input });
    let changed = world
        .data(
            Some(&viewer),
            UPDATE,
            update(json!({ "name": " Countess ", "timeZone": "asia/tokyo" })),
        )
        .await;
    let expected = json!({ "name": "Countess", "timeZone": "Asia/Tokyo", "rolloverHour": 4 });
    assert_eq!(changed["updateProfile"]["user"], expected);
    let input = update(json!({ "rolloverHour": 0, "name": null }));
    let changed = world.data(Some(&viewer), UPDATE, input).await;
    let expected = json!({ "name": "Countess", "timeZone": "Asia/Tokyo", "rolloverHour": 0 });
    assert_eq!(changed["updateProfile"]["user"], expected);

    for (input, argument) in [
        (json!({ "name": "Eve", "rolloverHour": 24 }), "input.rolloverHour"),
        (json!({ "name": "Eve", "timeZone": "Mars/Olympus" }), "input.timeZone"),
        (json!({ "name": "", "rolloverHour": 7 }), "input.name"),
    ] {
        let error = world.error(Some(&viewer), UPDATE, update(input)).await;
        assert_eq!((&*error.0, &error.1), ("BAD_USER_INPUT", &json!(argument)));
    }
    let nobody = world.error(None, UPDATE, update(json!({ "name": "Eve" }))).await;
    assert_eq!(nobody.0, "UNAUTHENTICATED");
    let after = world.data(Some(&viewer), VIEWER, json!({})).await;
    assert_eq!(
        (&after["viewer"]["name"], &after["viewer"]["rolloverHour"]),
        (&json!("Countess"), &json!(0))
    );
}

pub(crate) async fn bad_input_is_refused_and_changes_nothing(world: World) {
    let long = "x".repeat(1 << 20);
    for (email, password, name, time_zone, argument) in [
        ("nonsense", PASSWORD, "Ada", "UTC", "input.email"),
        (&*long, PASSWORD, "Ada", "UTC", "input.email"),
        ("a@b.org\r\nbcc: eve@b.org", PASSWORD, "Ada", "UTC", "input.email"),
        ("ada@example.org", "short", "Ada", "UTC", "input.password"),
        ("ada@example.org", &long, "Ada", "UTC", "input.password"),
        ("ada@example.org", "password123", "Ada", "UTC", "input.password"),
        ("ada@example.org", PASSWORD, " ", "UTC", "input.name"),
        ("ada@example.org", PASSWORD, &long, "UTC", "input.name"),
        ("ada@example.org", PASSWORD, "Ada", "Nowhere", "input.timeZone"),
    ] {
        let input =
            json!({ "email": email, "password": password, "name": name, "timeZone": time_zone });
        let error = world.error(None, SIGN_UP, json!({ "input": input })).await;
        assert_eq!((&*error.0, &error.1), ("BAD_USER_INPUT", &json!(argument)));
        assert!(error.2.len() < 300, "{}", error.2);
    }
    let input = json!({ "email": "ada@example.org", "password": PASSWORD });
    let error = world.error(None, LOG_IN, json!({ "input": input })).await;
    assert_eq!(error.0, "WRONG_CREDENTIALS", "there is still no account");
    let operator = json!({ "email": { "$gt": "" }, "password": PASSWORD });
    let answer = world.ask(None, LOG_IN, json!({ "input": operator })).await;
    assert!(answer.json["errors"][0]["message"].is_string(), "{}", answer.json);
    let ensured = world.users.ensure_account("ada@example.org", "", PASSWORD, Roles::default());
    assert!(matches!(ensured.await, Err(Error::Invalid { argument, .. }) if argument == "name"));
}

pub(crate) async fn nobody_sees_anybody_else(world: World) {
    let (ada, eve) =
        (world.signed_in("ada@example.org").await, world.signed_in("eve@example.org").await);
    let user = "query($id: ID!) { user(id: $id) { email } }";
    let asked = |id: UserId| json!({ "id": id.to_string() });
    for id in [ada.user, eve.user, UserId::new()] {
        assert_eq!(world.error(Some(&eve), user, asked(id)).await.0, "FORBIDDEN");
        assert_eq!(world.error(None, user, asked(id)).await.0, "UNAUTHENTICATED");
    }
    let admin = world.admin().await;
    let found = world.data(Some(&admin), user, asked(ada.user)).await;
    assert_eq!(found["user"]["email"], "ada@example.org");
    let absent = world.data(Some(&admin), user, asked(UserId::new())).await;
    assert_eq!(absent["user"], Value::Null);
    let nonsense = world.ask(Some(&admin), user, json!({ "id": "12" })).await.json;
    assert!(nonsense["errors"][0]["message"].as_str().unwrap().contains("is not an id"));
}

pub(crate) async fn entities_are_answered_in_order_with_gaps(world: World) {
    let (ada, eve) =
        (world.signed_in("ada@example.org").await, world.signed_in("eve@example.org").await);
    let user = |id: UserId| json!({ "__typename": "User", "id": id.to_string() });
    let asked =
        json!({ "r": [user(ada.user), user(UserId::new()), user(eve.user), user(ada.user)] });
    let entity = |viewer: &Viewer| json!({ "__typename": "User", "id": viewer.user.to_string(), "name": "Ada", "timeZone": "UTC" });
    let answer = world.data(Some(&ada), ENTITIES, asked.clone()).await;
    assert_eq!(answer["_entities"], json!([entity(&ada), null, null, entity(&ada)]));
    let answer = world.data(None, ENTITIES, asked.clone()).await;
    assert_eq!(answer["_entities"], json!([null, null, null, null]));
    let answer = world.data(Some(&world.admin().await), ENTITIES, asked).await;
    assert_eq!(answer["_entities"], json!([entity(&ada), null, entity(&eve), entity(&ada)]));

    let slow =
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { id roles } } }";
    let answer = world.data(Some(&ada), slow, json!({ "r": [user(ada.user)] })).await;
    assert_eq!(answer["_entities"][0]["roles"], json!(["USER"]));
    for (representation, message) in [
        (
            json!({ "__typename": "User", "id": "12" }),
            "representations[0]: has a id that is not an id",
        ),
        (json!({ "__typename": "User" }), "representations[0]: has no id"),
        (json!({ "__typename": "Deck", "id": "12" }), "which is no entity here"),
    ] {
        let error = world.error(Some(&ada), ENTITIES, json!({ "r": [representation] })).await;
        assert!(error.0 == "BAD_USER_INPUT" && error.2.contains(message), "{error:?}");
    }
}

pub(crate) async fn roles_are_given_and_taken_by_admins(world: World) {
    world.sign_up("ada@example.org").await;
    let auth = world.log_in("ada@example.org").await;
    let (ada, admin) = (world.viewer(&auth), world.admin().await);
    let set = |id: UserId, role: &str, granted: bool| json!({ "input": { "userId": id.to_string(), "role": role, "granted": granted } });
    for (viewer, code) in [(None, "UNAUTHENTICATED"), (Some(&ada), "FORBIDDEN")] {
        let error = world.error(viewer, SET_ROLE, set(ada.user, "ADMIN", true)).await;
        assert_eq!(error.0, code);
    }
    let answer = world.data(Some(&admin), SET_ROLE, set(ada.user, "BETA", true)).await;
    assert_eq!(answer["setRole"]["user"]["roles"], json!(["USER", "BETA"]));
    let refresh = json!({ "input": { "refreshToken": auth["refreshToken"] } });
    let refreshed = world.data(None, REFRESH, refresh).await["refreshTokens"].take();
    assert!(world.viewer(&refreshed).roles.beta, "it counts from the next refresh");
    assert!(!world.revocations.is_revoked(ada.session));

    let answer = world.data(Some(&admin), SET_ROLE, set(ada.user, "BETA", false)).await;
    assert_eq!(answer["setRole"]["user"]["roles"], json!(["USER"]));
    assert!(world.revocations.is_revoked(ada.session), "what was issued says BETA");
    let refresh = json!({ "input": { "refreshToken": refreshed["refreshToken"] } });
    assert_eq!(world.error(None, REFRESH, refresh).await.0, "WRONG_CREDENTIALS");

    let error = world.error(Some(&admin), SET_ROLE, set(admin.user, "ADMIN", false)).await;
    assert_eq!(error.0, "CONFLICT");
    assert!(!world.revocations.is_revoked(admin.session));
    let error = world.error(Some(&admin), SET_ROLE, set(ada.user, "USER", false)).await;
    assert_eq!((&*error.0, error.1), ("BAD_USER_INPUT", json!("input.role")));
    let error = world.error(Some(&admin), SET_ROLE, set(UserId::new(), "BETA", true)).await;
    assert_eq!(error.0, "NOT_FOUND");
    world.data(Some(&admin), SET_ROLE, set(ada.user, "ADMIN", true)).await;
    let answer = world.data(Some(&admin), SET_ROLE, set(admin.user, "ADMIN", false)).await;
    assert_eq!(answer["setRole"]["user"]["roles"], json!(["USER"]));
}

pub(crate) async fn entities_take_one_statement(world: World) {
    let admin = world.admin().await;
    let mut ids = vec![admin.user];
    for n in 0..10 {
        ids.push(world.signed_in(&format!("person{n}@example.org")).await.user);
    }
    for count in [1, 11] {
        let representations: Vec<_> = ids[..count]
            .iter()
            .map(|id| json!({ "__typename": "User", "id": id.to_string() }))
            .collect();
        let mut least = u64::MAX;
        // The least of a few: the outbox looks for events behind it.
        for _ in 0..5 {
            let before = world.statements();
            world.data(Some(&admin), ENTITIES, json!({ "r": representations })).await;
            least = least.min(world.statements() - before);
        }
        assert_eq!(least, 1, "{count}");
    }
}
