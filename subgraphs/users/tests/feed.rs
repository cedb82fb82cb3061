//! The feed of ended sessions, on each store: what it tells is what was ended, also after a restart, and no longer than it matters. And what the
//! tokens say of a verified address.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::sync::Arc;

use common::revocation::{Follower, RevocationFeed};
use common::token::AccessTokens;
use common::{
    Backend, Caller, Client, Clock, KeyVerifier, Revocations, Roles, SubgraphRequest, Viewer,
    testing,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use users::{HashingCost, MIGRATIONS, Users, UsersSettings};

const PASSWORD: &str = "correct horse battery";

/// A process that runs the domain.
struct Process {
    users: Users,
    revocations: Arc<Revocations>,
}

async fn start(backend: &Backend, tokens: &Arc<AccessTokens>, clock: &Clock) -> Process {
    let revocations = Arc::new(Revocations::new(clock.clone()));
    let settings = UsersSettings {
        hashing_cost: HashingCost::new(64, 1, 1).unwrap(),
        ..UsersSettings::default()
    };
    let users = users::open(
        backend.clone(),
        settings,
        tokens.clone(),
        revocations.clone(),
        Arc::new(users::mail::Mailbox::new(std::env::temp_dir())),
        Vec::new(),
        clock.clone(),
    );
    Process { users: users.await.unwrap(), revocations }
}

async fn run(users: &Users, viewer: Option<&Viewer>, document: String) -> Value {
    let request = SubgraphRequest {
        document: document.into(),
        operation_name: None,
        variables: async_graphql::Variables::default(),
    };
    let caller = Caller::new(viewer.cloned(), "test");
    let response = users.endpoint.execute(request, Arc::new(caller)).await.unwrap();
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    serde_json::to_value(response.data).unwrap()
}

async fn log_in(users: &Users, tokens: &AccessTokens, clock: &Clock, email: &str) -> Viewer {
    let document = format!(
        "mutation {{ logIn(input: {{ email: {email:?}, password: {PASSWORD:?} }}) {{ accessToken }} }}"
    );
    let data = run(users, None, document).await;
    tokens.verify(data["logIn"]["accessToken"].as_str().unwrap(), clock.now()).unwrap()
}

async fn check(backend: Backend) {
    let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
    let (tokens, clock) = (Arc::new(tokens), Clock::manual(Timestamp::now()));
    let here = start(&backend, &tokens, &clock).await;
    let made = here.users.ensure_account("ada@example.org", "Ada", PASSWORD, Roles::default());
    made.await.unwrap();
    let sign_up = format!(
        "mutation {{ signUp(input: {{ email: \"eve@example.org\", password: {PASSWORD:?}, name: \"Eve\" }}) {{ email }} }}"
    );
    run(&here.users, None, sign_up).await;
    let log_in = async |email| log_in(&here.users, &tokens, &clock, email).await;
    let (ada, other, eve) = (
        log_in("ada@example.org").await,
        log_in("ada@example.org").await,
        log_in("eve@example.org").await,
    );
    assert!(ada.verified && !eve.verified, "who signed up has shown nothing yet");

    // Another process on the same store, and a gateway that follows the first.
    let there = start(&backend, &tokens, &clock).await;
    let followed = Arc::new(Revocations::new(clock.clone()));
    let mut follower = Follower::new(Arc::new(here.users.clone()), followed.clone());
    follower.ask().await;
    assert!(!followed.is_revoked(ada.session));

    let log_out = || "mutation { logOut { loggedOut } }".to_owned();
    run(&there.users, Some(&ada), log_out()).await;
    assert!(there.revocations.is_revoked(ada.session));
    follower.ask().await;
    assert!(followed.is_revoked(ada.session) && !followed.is_revoked(other.session));
    let expires = clock.now() + tokens.lifetime();
    assert!(followed.refuses(ada.session, expires) && !followed.refuses(eve.session, expires));

    // A process that starts later knows it, and so does one that asks with a cursor that was never given.
    let later = start(&backend, &tokens, &clock).await;
    assert!(later.revocations.is_revoked(ada.session));
    for cursor in [None, Some(i64::MIN), Some(i64::MAX), Some(0)] {
        let ended = later.users.ended_since(cursor).await.unwrap();
        let ids: Vec<_> = ended.sessions.iter().map(|ended| ended.id).collect();
        assert_eq!(ids, [ada.session], "{cursor:?}");
    }

    // So is a key that was revoked.
    let until = clock.now() + SignedDuration::from_hours(24);
    let key = format!(
        "mutation {{ createApiKey(input: {{ name: \"script\", scopes: [READ], expiresAt: \"{until}\" }}) {{ apiKey {{ id }} secret }} }}"
    );
    let made = run(&here.users, Some(&eve), key).await["createApiKey"].take();
    let secret = made["secret"].as_str().unwrap();
    let found = there.users.identify(secret, &Client::default()).await.unwrap();
    let of_key = found.unwrap().viewer;
    let revoke = format!(
        "mutation {{ revokeApiKey(input: {{ apiKeyId: {} }}) {{ __typename }} }}",
        made["apiKey"]["id"]
    );
    run(&here.users, Some(&eve), revoke).await;
    let ended = there.users.ended_since(None).await.unwrap().sessions;
    assert!(ended.iter().any(|ended| ended.id == of_key.session));

    // What was told is told again for a while, and not for ever.
    let first = later.users.ended_since(None).await.unwrap();
    assert_eq!(later.users.ended_since(Some(first.cursor)).await.unwrap().sessions.len(), 2);
    clock.advance(SignedDuration::from_mins(1));
    let next = later.users.ended_since(Some(first.cursor)).await.unwrap();
    assert!(later.users.ended_since(Some(next.cursor)).await.unwrap().sessions.is_empty());
    clock.advance(tokens.lifetime());
    assert!(later.users.ended_since(None).await.unwrap().sessions.is_empty());
}

#[tokio::test]
async fn the_feed_tells_what_was_ended_on_sqlite() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    check(Backend::Sqlite(sqlite)).await;
}

#[tokio::test]
async fn the_feed_tells_what_was_ended_on_mongo() {
    check(Backend::Mongo(testing::mongo().await)).await;
}
