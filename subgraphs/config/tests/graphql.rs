//! The domain through its endpoint: real documents, as different callers, on each store.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::sync::Arc;

use async_graphql::Variables;
use common::{
    Backend, Caller, Clock, Endpoint, Roles, SessionId, SubgraphRequest, UserId, Viewer, testing,
};
use config::MIGRATIONS;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

struct World {
    endpoint: Arc<dyn Endpoint>,
    backend: Backend,
    clock: Clock,
    _folder: Option<tempfile::TempDir>,
}

macro_rules! on_each_store {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::$case(super::World::on_sqlite().await).await })*
        }
        mod mongo {
            $(#[tokio::test] async fn $case() { super::$case(super::World::on_mongo().await).await })*
        }
    };
}

on_each_store! {
    everybody_reads_the_defaults
    an_admin_overrides_and_resets
    a_value_that_breaks_a_rule_changes_nothing
    only_admins_see_entries_and_change_them
    another_process_follows_within_five_seconds
    reading_takes_no_statement
}

#[tokio::test]
async fn the_sdl_parses_and_lists_every_key() {
    let world = World::on_sqlite().await;
    let sdl = world.endpoint.sdl().await.unwrap();
    async_graphql::parser::parse_schema(&sdl).unwrap();
    for key in ["DECK_COLORS", "WELCOME_MESSAGE", "MINIMUM_CLIENT_VERSION", "SIGN_UP_OPEN"] {
        assert!(sdl.contains(key), "{sdl}");
    }
}

#[tokio::test]
async fn it_is_ready_while_its_store_answers() {
    World::on_sqlite().await.endpoint.ready().await.unwrap();
}

impl World {
    async fn on_sqlite() -> Self {
        let (folder, sqlite) = testing::sqlite(MIGRATIONS);
        Self { _folder: Some(folder), ..Self::on(Backend::Sqlite(sqlite)).await }
    }

    async fn on_mongo() -> Self {
        Self::on(Backend::Mongo(testing::mongo().await)).await
    }

    async fn on(backend: Backend) -> Self {
        let clock = Clock::manual(Timestamp::now());
        let endpoint = config::open(backend.clone(), clock.clone()).await.unwrap();
        Self { endpoint, backend, clock, _folder: None }
    }

    async fn ask(&self, viewer: Option<&Viewer>, document: &str, variables: Value) -> Value {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let caller = Caller::new(viewer.cloned(), "test");
        let response = self.endpoint.execute(request, Arc::new(caller)).await.unwrap();
        serde_json::to_value(&response).unwrap()
    }

    async fn data(&self, viewer: Option<&Viewer>, document: &str, variables: Value) -> Value {
        let mut answer = self.ask(viewer, document, variables).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].take()
    }

    async fn error(&self, viewer: Option<&Viewer>, document: &str, variables: Value) -> Value {
        let mut answer = self.ask(viewer, document, variables).await;
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer}");
        answer["errors"][0].take()
    }

    async fn frontend(&self) -> Value {
        self.data(None, FRONTEND, json!({})).await["config"]["frontend"].take()
    }

    fn statements(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.statements(),
            Backend::Mongo(mongo) => mongo.commands(),
        }
    }
}

fn person(admin: bool) -> Viewer {
    let roles = Roles { beta: true, admin };
    Viewer::new(UserId::new(), SessionId::new(), roles)
}

fn defaults() -> Value {
    json!({
        "deckColors": ["#FFEC87", "#BEBDFF", "#FFAB87", "#87FFE9", "#FF87DD", "#FF878E", "#CFFFAA", "#87DBFF"],
        "welcomeMessage": null,
        "minimumClientVersion": "0.0.0",
        "signUpOpen": true,
    })
}

const FRONTEND: &str =
    "{ config { frontend { deckColors welcomeMessage minimumClientVersion signUpOpen } } }";
const ENTRIES: &str =
    "{ configEntries { key value default description overriddenAt overriddenBy } }";
const SET: &str = "mutation($input: SetConfigInput!) { setConfig(input: $input) {
    entry { key value default overriddenAt overriddenBy } } }";
const RESET: &str = "mutation($input: ResetConfigInput!) { resetConfig(input: $input) {
    entry { key value overriddenAt overriddenBy } } }";

async fn everybody_reads_the_defaults(world: World) {
    assert_eq!(world.frontend().await, defaults());
}

async fn an_admin_overrides_and_resets(world: World) {
    let admin = person(true);
    let at = format!("{:.3}", world.clock.now());
    let input = json!({ "input": { "key": "DECK_COLORS", "value": ["#abcdef", "#000000"] } });
    let set = world.data(Some(&admin), SET, input).await;
    let expected = json!({ "key": "DECK_COLORS", "value": ["#ABCDEF", "#000000"],
        "default": defaults()["deckColors"], "overriddenAt": at, "overriddenBy": admin.user.to_string() });
    assert_eq!(set["setConfig"]["entry"], expected);
    let input = json!({ "input": { "key": "WELCOME_MESSAGE", "value": "Hello!" } });
    world.data(Some(&admin), SET, input).await;
    let frontend = world.frontend().await;
    assert_eq!(frontend["deckColors"], json!(["#ABCDEF", "#000000"]), "at once");
    assert_eq!(frontend["welcomeMessage"], "Hello!");

    let entries = world.data(Some(&admin), ENTRIES, json!({})).await;
    let entries = entries["configEntries"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[1]["value"], "Hello!");
    assert_eq!(entries[1]["default"], Value::Null);
    let untouched = json!({ "key": "SIGN_UP_OPEN", "value": true, "default": true,
        "description": entries[3]["description"], "overriddenAt": null, "overriddenBy": null });
    assert_eq!(entries[3], untouched);

    for key in ["DECK_COLORS", "WELCOME_MESSAGE"] {
        let reset = world.data(Some(&admin), RESET, json!({ "input": { "key": key } })).await;
        assert_eq!(reset["resetConfig"]["entry"]["overriddenAt"], Value::Null);
    }
    assert_eq!(world.frontend().await, defaults());
}

async fn a_value_that_breaks_a_rule_changes_nothing(world: World) {
    let admin = person(true);
    for (key, value, said) in [
        ("DECK_COLORS", json!(["red"]), "\"red\" is not accepted: expected a colour"),
        ("WELCOME_MESSAGE", json!("x".repeat(1 << 20)), "expected a text of 1 to 500 characters"),
        ("MINIMUM_CLIENT_VERSION", json!(2), "2 is not accepted: expected three numbers"),
        ("SIGN_UP_OPEN", json!({ "$ne": true }), "expected true or false"),
    ] {
        let input = json!({ "input": { "key": key, "value": value } });
        let error = world.error(Some(&admin), SET, input).await;
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
        assert_eq!(error["extensions"]["argument"], "input.value");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(said) && message.len() < 300, "{message}");
    }
    let unknown = json!({ "input": { "key": "NONSENSE", "value": 1 } });
    let message = world.error(Some(&admin), SET, unknown).await["message"].to_string();
    assert!(message.contains("NONSENSE"), "{message}");
    assert_eq!(world.frontend().await, defaults());
}

async fn only_admins_see_entries_and_change_them(world: World) {
    let set = json!({ "input": { "key": "SIGN_UP_OPEN", "value": false } });
    let reset = json!({ "input": { "key": "SIGN_UP_OPEN" } });
    let somebody = person(false);
    for (viewer, code) in [(None, "UNAUTHENTICATED"), (Some(&somebody), "FORBIDDEN")] {
        for (document, input) in [(ENTRIES, json!({})), (SET, set.clone()), (RESET, reset.clone())]
        {
            let error = world.error(viewer, document, input).await;
            assert_eq!(error["extensions"]["code"], code, "{document}");
        }
    }
    assert_eq!(world.frontend().await, defaults());
}

async fn another_process_follows_within_five_seconds(world: World) {
    let other = config::open(world.backend.clone(), world.clock.clone()).await.unwrap();
    let other = World {
        endpoint: other,
        clock: world.clock.clone(),
        backend: world.backend.clone(),
        _folder: None,
    };
    let admin = person(true);
    let input = json!({ "input": { "key": "SIGN_UP_OPEN", "value": false } });
    world.data(Some(&admin), SET, input).await;
    assert_eq!(world.frontend().await["signUpOpen"], false);
    assert_eq!(other.frontend().await["signUpOpen"], true);
    world.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(other.frontend().await["signUpOpen"], false);
}

async fn reading_takes_no_statement(world: World) {
    let before = world.statements();
    for _ in 0..10 {
        world.frontend().await;
    }
    assert_eq!(world.statements(), before);
    world.clock.advance(SignedDuration::from_secs(5));
    for _ in 0..10 {
        world.frontend().await;
    }
    assert_eq!(world.statements(), before + 1, "one look every five seconds");
}
