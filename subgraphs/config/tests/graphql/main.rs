//! The domain through its endpoint: real documents, as different callers, on each store.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use common::{ServiceConfig, UserId};
use config::model::{Change, Key};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::{World, person};

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
    an_outdated_version_is_a_conflict
    of_many_who_change_a_version_one_does
    a_setting_goes_back_to_a_version
    the_history_says_who_did_what
    a_value_that_breaks_a_rule_changes_nothing
    a_stored_value_that_breaks_a_rule_has_no_effect_and_is_reported
    only_admins_see_entries_and_change_them
    the_environment_wins_and_is_shown
    each_reads_what_concerns_him
    a_feature_is_the_same_for_a_person_everywhere
    services_read_what_is_theirs
    another_process_follows_within_five_seconds
    reading_takes_no_statement
    changes_are_counted_before_they_are_acknowledged
}

#[tokio::test]
async fn the_sdl_parses_and_lists_every_key() {
    let world = World::on_sqlite().await;
    let sdl = world.endpoint.sdl().await.unwrap();
    async_graphql::parser::parse_schema(&sdl).unwrap();
    for key in ["DECK_COLORS", "WELCOME_MESSAGE", "CARD_PROMPT", "OPERATOR_NOTE"] {
        assert!(sdl.contains(key), "{sdl}");
    }
    assert!(sdl.contains("serviceConfig: [ServiceConfigValue!]! @inaccessible"), "{sdl}");
}

#[tokio::test]
async fn it_is_ready_while_its_store_answers() {
    World::on_sqlite().await.endpoint.ready().await.unwrap();
}

/// Each field of `Query` says it, so that none speaks for another.
#[tokio::test]
async fn only_what_is_the_same_for_everybody_may_be_kept_by_everybody() {
    let world = World::on_sqlite().await;
    let admin = person(true);
    for (document, public, max_age) in [
        ("{ config { __typename frontend { colors limits { generationCards } } } }", true, 60),
        ("{ config { frontend { colors } features { name } } }", false, 60),
        ("{ config { settings { key } } }", true, -1),
        ("{ config { frontend { colors } } configEntries { key } }", true, -1),
        ("{ config { frontend { colors } } configHistory { nodes { id } } }", true, -1),
        ("{ config { frontend { colors } } serviceConfig { key } }", true, -1),
    ] {
        let kept = world.respond(Some(&admin), document, json!({})).await.cache_control;
        assert_eq!((kept.public, kept.max_age), (public, max_age), "{document}");
    }
    let sdl = world.endpoint.sdl().await.unwrap();
    let document = async_graphql::parser::parse_schema(&sdl).unwrap();
    let query = document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(defined) if defined.node.name.node == "Query" => {
            Some(&defined.node.kind)
        }
        _ => None,
    });
    let Some(TypeKind::Object(query)) = query else { panic!("{sdl}") };
    let names: Vec<_> = query.fields.iter().map(|field| field.node.name.node.as_str()).collect();
    assert_eq!(names, ["config", "configEntries", "configHistory", "serviceConfig"]);
}

/// Whoever keeps answers goes by it.
async fn changes_are_counted_before_they_are_acknowledged(world: World) {
    let admin = person(true);
    let before = world.endpoint.public_revision();
    world.respond(Some(&admin), FRONTEND, json!({})).await;
    assert_eq!(world.endpoint.public_revision(), before);
    let set =
        r#"mutation { setConfig(input: { key: THEME, value: "DARK" }) { entry { version } } }"#;
    let answer = world.respond(Some(&admin), set, json!({})).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    assert_eq!(world.endpoint.public_revision(), before + 1);
}

fn defaults() -> Value {
    let colors = json!([
        "#FFEC87", "#BEBDFF", "#FFAB87", "#87FFE9", "#FF87DD", "#FF878E", "#CFFFAA", "#87DBFF"
    ]);
    json!({
        "colors": colors,
        "deckColors": colors,
        "limits": { "generationTextLength": 20_000, "generationCards": 100 },
        "features": ["cardGeneration"],
        "welcomeMessage": null,
        "minimumClientVersion": "0.0.0",
        "signUpOpen": true,
        "theme": "SYSTEM",
        "errorReportRate": 0.0,
        "extras": {},
    })
}

const FRONTEND: &str = "{ config { frontend {
    colors deckColors limits { generationTextLength generationCards } features
    welcomeMessage minimumClientVersion signUpOpen theme errorReportRate extras } } }";
const ENTRIES: &str =
    "{ configEntries { key type visibility value source default stored problem description
    version overriddenAt overriddenBy
    rule { description minimum maximum maxLength pattern allowedValues } } }";
const SET: &str = "mutation($input: SetConfigInput!) { setConfig(input: $input) {
    entry { key value source default version overriddenAt overriddenBy } } }";
const RESET: &str = "mutation($input: ResetConfigInput!) { resetConfig(input: $input) {
    entry { key value source version overriddenAt overriddenBy } } }";
const REVERT: &str = "mutation($input: RevertConfigInput!) { revertConfig(input: $input) {
    entry { key value source version overriddenBy } } }";
const HISTORY: &str =
    "query($key: ConfigKey, $first: Int, $after: String, $last: Int, $before: String) {
    configHistory(key: $key, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { key version value madeAt madeBy } }
        nodes { version } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const SETTINGS: &str = "{ config { settings { key value } } }";
const FEATURES: &str = "{ config { features { name enabled } frontend { features } } }";

async fn everybody_reads_the_defaults(world: World) {
    assert_eq!(world.frontend().await, defaults());
}

async fn an_admin_overrides_and_resets(world: World) {
    let admin = person(true);
    let at = format!("{:.3}", world.clock.now());
    let set = world.set(&admin, "DECK_COLORS", json!(["#abcdef", "#000000"])).await;
    let expected = json!({ "key": "DECK_COLORS", "value": ["#abcdef", "#000000"], "source": "STORED",
        "default": defaults()["deckColors"], "version": 1, "overriddenAt": at,
        "overriddenBy": admin.user.to_string() });
    assert_eq!(set, expected);
    world.set(&admin, "WELCOME_MESSAGE", json!("Hello!")).await;
    world.set(&admin, "THEME", json!("DARK")).await;
    world.set(&admin, "FRONTEND_EXTRAS", json!({ "$gt": [0.1] })).await;
    world.set(&admin, "GENERATION_CARDS", json!(7)).await;
    let frontend = world.frontend().await;
    assert_eq!(frontend["deckColors"], json!(["#abcdef", "#000000"]), "at once");
    assert_eq!(frontend["colors"], frontend["deckColors"]);
    assert_eq!(frontend["welcomeMessage"], "Hello!");
    assert_eq!(
        (&frontend["theme"], &frontend["extras"]),
        (&json!("DARK"), &json!({ "$gt": [0.1] }))
    );
    assert_eq!(frontend["limits"]["generationCards"], 7);

    let entries = world.data(Some(&admin), ENTRIES, json!({})).await;
    assert_eq!(entries["configEntries"].as_array().unwrap().len(), Key::ALL.len());
    let cards = world.entry("GENERATION_CARDS").await;
    assert_eq!(
        (&cards["value"], &cards["stored"], &cards["default"]),
        (&json!(7), &json!(7), &json!(100))
    );
    let rule = json!({ "description": "a whole number from 1 to 100", "minimum": 1.0, "maximum": 100.0,
        "maxLength": null, "pattern": null, "allowedValues": null });
    assert_eq!((&cards["type"], &cards["rule"]), (&json!("INTEGER"), &rule));
    let mut untouched = world.entry("SIGN_UP_OPEN").await;
    assert!(untouched["description"].take().is_string() && untouched["rule"].take().is_object());
    let expected = json!({ "key": "SIGN_UP_OPEN", "type": "BOOLEAN", "visibility": "PUBLIC", "value": true,
        "source": "DEFAULT", "default": true, "stored": null, "problem": null, "description": null,
        "version": 0, "overriddenAt": null, "overriddenBy": null, "rule": null });
    assert_eq!(untouched, expected);

    for key in ["DECK_COLORS", "WELCOME_MESSAGE", "THEME", "FRONTEND_EXTRAS", "GENERATION_CARDS"] {
        let reset = world.data(Some(&admin), RESET, json!({ "input": { "key": key } })).await;
        let entry = &reset["resetConfig"]["entry"];
        assert_eq!((&entry["overriddenAt"], &entry["version"]), (&Value::Null, &json!(2)));
        assert_eq!(entry["source"], "DEFAULT");
    }
    assert_eq!(world.frontend().await, defaults());
}

async fn an_outdated_version_is_a_conflict(world: World) {
    let admin = person(true);
    let set = |expected: i64, value: &str| json!({ "input": { "key": "THEME", "value": value, "expectedVersion": expected } });
    world.data(Some(&admin), SET, set(0, "DARK")).await;
    world.data(Some(&admin), SET, set(1, "LIGHT")).await;
    let reset = json!({ "input": { "key": "THEME", "expectedVersion": 1 } });
    let revert = json!({ "input": { "key": "THEME", "toVersion": 1, "expectedVersion": 3 } });
    let stale = [0, 1, 3, -1].map(|version| (SET, set(version, "DARK")));
    for (document, input) in stale.into_iter().chain([(RESET, reset), (REVERT, revert)]) {
        let error = world.error(Some(&admin), document, input).await;
        assert_eq!(error["extensions"]["code"], "CONFLICT", "{error}");
        assert!(error["message"].as_str().unwrap().contains("theme has version 2, not"), "{error}");
    }
    assert_eq!(world.frontend().await["theme"], "LIGHT");
}

async fn of_many_who_change_a_version_one_does(world: World) {
    let admin = person(true);
    let mut worlds = Vec::new();
    for _ in 0..4 {
        worlds.push(world.other(&[]).await);
    }
    let input = |n: usize| json!({ "input": { "key": "GENERATION_CARDS", "value": n + 1, "expectedVersion": 0 } });
    let answers =
        worlds.iter().enumerate().map(|(n, other)| other.respond(Some(&admin), SET, input(n)));
    let answers = futures::future::join_all(answers).await;
    let made = answers.iter().filter(|answer| answer.errors.is_empty()).count();
    for error in answers.iter().flat_map(|answer| &answer.errors) {
        let error = serde_json::to_value(error).unwrap();
        assert_eq!(error["extensions"]["code"], "CONFLICT", "{error}");
    }
    assert_eq!((made, &world.entry("GENERATION_CARDS").await["version"]), (1, &json!(1)));
}

async fn a_setting_goes_back_to_a_version(world: World) {
    let (first, second) = (person(true), person(true));
    world.set(&first, "THEME", json!("DARK")).await;
    world.set(&first, "THEME", json!("LIGHT")).await;
    let input = |version: i64| json!({ "input": { "key": "THEME", "toVersion": version } });
    for (version, value, source, now) in
        [(1, "DARK", "STORED", 3), (0, "SYSTEM", "DEFAULT", 4), (2, "LIGHT", "STORED", 5)]
    {
        let reverted = world.data(Some(&second), REVERT, input(version)).await;
        let by = if source == "STORED" { json!(second.user.to_string()) } else { Value::Null };
        let expected = json!({ "key": "THEME", "value": value, "source": source, "version": now, "overriddenBy": by });
        assert_eq!(reverted["revertConfig"]["entry"], expected);
    }
    for version in [6, -1] {
        let error = world.error(Some(&second), REVERT, input(version)).await;
        assert_eq!(error["extensions"]["argument"], "input.toVersion", "{error}");
        assert!(error["message"].as_str().unwrap().contains("it has 0 to 5"), "{error}");
    }
    // What was valid once may not be any more.
    world.store().await.append(change("theme", 6, "\"PINK\"")).await.unwrap();
    let error = world.error(Some(&second), REVERT, input(6)).await;
    assert!(error["message"].as_str().unwrap().contains("expected one of SYSTEM"), "{error}");
    assert_eq!(world.entry("THEME").await["version"], 6);
}

async fn the_history_says_who_did_what(world: World) {
    let admin = person(true);
    let at = format!("{:.3}", world.clock.now());
    for (key, value) in
        [("THEME", json!("DARK")), ("SIGN_UP_OPEN", json!(false)), ("THEME", json!("LIGHT"))]
    {
        world.set(&admin, key, value).await;
    }
    world.data(Some(&admin), RESET, json!({ "input": { "key": "THEME" } })).await;
    let history = async |variables: Value| {
        world.data(Some(&admin), HISTORY, variables).await["configHistory"].take()
    };
    let by = admin.user.to_string();
    let node = |key: &str, version: i64, value: Value| json!({ "key": key, "version": version, "value": value, "madeAt": at, "madeBy": by });
    let expected = [
        node("THEME", 3, Value::Null),
        node("THEME", 2, json!("LIGHT")),
        node("SIGN_UP_OPEN", 1, json!(false)),
        node("THEME", 1, json!("DARK")),
    ];
    let nodes = |page: &Value| -> Vec<Value> {
        page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
    };
    let all = history(json!({})).await;
    assert_eq!(nodes(&all), expected);
    let first = history(json!({ "first": 3 })).await;
    assert_eq!(
        (nodes(&first), &first["pageInfo"]["hasNextPage"]),
        (expected[..3].to_vec(), &json!(true))
    );
    let rest = history(json!({ "first": 3, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(
        (nodes(&rest), &rest["pageInfo"]["hasNextPage"]),
        (expected[3..].to_vec(), &json!(false))
    );
    let back = history(json!({ "last": 2, "before": rest["pageInfo"]["startCursor"] })).await;
    assert_eq!(
        (nodes(&back), &back["pageInfo"]["hasPreviousPage"]),
        (expected[1..3].to_vec(), &json!(true))
    );
    let one = history(json!({ "key": "SIGN_UP_OPEN" })).await;
    assert_eq!(nodes(&one), expected[2..3]);
    let error = world.error(Some(&admin), HISTORY, json!({ "first": 501 })).await;
    assert_eq!(error["extensions"]["argument"], "first");
}

async fn a_value_that_breaks_a_rule_changes_nothing(world: World) {
    let admin = person(true);
    for (key, value, said) in [
        ("DECK_COLORS", json!(["red"]), "\"red\" is not accepted: expected a colour"),
        ("WELCOME_MESSAGE", json!("x".repeat(1 << 20)), "expected a text of 1 to 500 characters"),
        ("MINIMUM_CLIENT_VERSION", json!(2), "2 is not accepted: expected three numbers"),
        ("SIGN_UP_OPEN", json!({ "$ne": true }), "expected true or false"),
        ("GENERATION_CARDS", json!(101), "a whole number from 1 to 100"),
        ("CARD_PROMPT", json!({ "name": "a", "system": "b" }), "unknown field `system`"),
        ("CARD_GENERATION", json!({ "percentage": 100.5 }), "percentage must be 0 to 100"),
    ] {
        let input = json!({ "input": { "key": key, "value": value } });
        let error = world.error(Some(&admin), SET, input).await;
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
        assert_eq!(error["extensions"]["argument"], "input.value");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(said) && message.len() < 400, "{message}");
    }
    let unknown = json!({ "input": { "key": "NONSENSE", "value": 1 } });
    let message = world.error(Some(&admin), SET, unknown).await["message"].to_string();
    assert!(message.contains("NONSENSE"), "{message}");
    assert_eq!(world.frontend().await, defaults());
    assert!(world.store().await.last().await.unwrap().is_empty());
}

fn change(key: &str, version: i64, value: &str) -> Change {
    Change {
        id: common::ConfigChangeId::new(),
        key: key.into(),
        version,
        value: Some(value.into()),
        made_at: Timestamp::UNIX_EPOCH,
        made_by: UserId::new(),
    }
}

async fn a_stored_value_that_breaks_a_rule_has_no_effect_and_is_reported(world: World) {
    let store = world.store().await;
    for (key, value) in [("deckColors", "[\"red\"]"), ("signUpOpen", "{\"torn"), ("gone", "1")] {
        store.append(change(key, 1, value)).await.unwrap();
    }
    let world = world.other(&[]).await;
    assert_eq!(world.frontend().await, defaults());
    for (key, stored, said) in [
        ("DECK_COLORS", json!(["red"]), "a colour such as"),
        ("SIGN_UP_OPEN", json!("{\"torn"), "no JSON"),
    ] {
        let entry = world.entry(key).await;
        assert_eq!((&entry["source"], &entry["stored"]), (&json!("DEFAULT"), &stored));
        assert_eq!((&entry["value"], &entry["version"]), (&entry["default"], &json!(1)));
        assert!(entry["problem"].as_str().unwrap().contains(said), "{entry}");
    }
    let admin = person(true);
    let history = world.data(Some(&admin), HISTORY, json!({})).await;
    let gone = &history["configHistory"]["edges"][0]["node"];
    assert_eq!((&gone["key"], &gone["value"]), (&Value::Null, &json!(1)));
    world.set(&admin, "SIGN_UP_OPEN", json!(false)).await;
    let entry = world.entry("SIGN_UP_OPEN").await;
    assert_eq!((&entry["problem"], &entry["version"]), (&Value::Null, &json!(2)));
}

async fn only_admins_see_entries_and_change_them(world: World) {
    let set = json!({ "input": { "key": "SIGN_UP_OPEN", "value": false } });
    let reset = json!({ "input": { "key": "SIGN_UP_OPEN" } });
    let revert = json!({ "input": { "key": "SIGN_UP_OPEN", "toVersion": 0 } });
    let somebody = person(false);
    for (viewer, code) in [(None, "UNAUTHENTICATED"), (Some(&somebody), "FORBIDDEN")] {
        for (document, input) in [
            (ENTRIES, json!({})),
            (HISTORY, json!({})),
            (SET, set.clone()),
            (RESET, reset.clone()),
            (REVERT, revert.clone()),
        ] {
            let error = world.error(viewer, document, input).await;
            assert_eq!(error["extensions"]["code"], code, "{document}");
        }
    }
    assert_eq!(world.frontend().await, defaults());
    assert!(world.store().await.last().await.unwrap().is_empty());
}

async fn the_environment_wins_and_is_shown(world: World) {
    let fixed = world.other(&[("SIGN_UP_OPEN", "false"), ("THEME", "DARK")]).await;
    let admin = person(true);
    let set = fixed.set(&admin, "THEME", json!("LIGHT")).await;
    assert_eq!((&set["value"], &set["source"]), (&json!("DARK"), &json!("ENVIRONMENT")));
    let entry = fixed.entry("THEME").await;
    assert_eq!((&entry["stored"], &entry["version"]), (&json!("LIGHT"), &json!(1)));
    let frontend = fixed.frontend().await;
    assert_eq!((&frontend["theme"], &frontend["signUpOpen"]), (&json!("DARK"), &json!(false)));
    world.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(world.frontend().await["theme"], "LIGHT", "where the environment says nothing");
}

async fn each_reads_what_concerns_him(world: World) {
    let (admin, somebody) = (person(true), person(false));
    world.set(&admin, "ANNOUNCEMENT", json!("Closed on Sunday.")).await;
    world.set(&admin, "OPERATOR_NOTE", json!("Back on Monday.")).await;
    let settings = async |viewer| {
        let mut data = world.data(viewer, SETTINGS, json!({})).await;
        data["config"]["settings"].take().as_array().unwrap().clone()
    };
    let has = |settings: &[Value], key: &str| settings.iter().any(|setting| setting["key"] == key);
    for (viewer, count, signed_in, admins) in [
        (None, 9, false, false),
        (Some(&somebody), 10, true, false),
        (Some(&admin), 13, true, true),
    ] {
        let seen = settings(viewer).await;
        assert_eq!(seen.len(), count);
        assert_eq!(has(&seen, "ANNOUNCEMENT"), signed_in);
        assert_eq!((has(&seen, "OPERATOR_NOTE"), has(&seen, "CARD_PROMPT")), (admins, admins));
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!((text.contains("Sunday"), text.contains("Monday")), (signed_in, admins));
    }
}

async fn a_feature_is_the_same_for_a_person_everywhere(world: World) {
    let admin = person(true);
    let flag = json!({ "percentage": 40, "roles": ["ADMIN"] });
    world.set(&admin, "CARD_GENERATION", flag).await;
    let other = world.other(&[]).await;
    let service = ServiceConfig::over(other.endpoint.clone(), other.clock.clone());
    let mut enabled = 0;
    for _ in 0..100 {
        let viewer = person(false);
        let here = world.data(Some(&viewer), FEATURES, json!({})).await;
        assert_eq!(here, other.data(Some(&viewer), FEATURES, json!({})).await);
        let feature = &here["config"]["features"][0];
        assert_eq!(feature["name"], "cardGeneration");
        let has = feature["enabled"].as_bool().unwrap();
        assert_eq!(service.current().await.feature("cardGeneration", Some(&viewer)), Some(has));
        enabled += usize::from(has);
    }
    assert!((15..65).contains(&enabled), "{enabled} of 100");
    for (viewer, expected) in [(None, false), (Some(&admin), true)] {
        let answer = world.data(viewer, FEATURES, json!({})).await;
        assert_eq!(answer["config"]["features"][0]["enabled"], expected);
        assert_eq!(answer["config"]["frontend"]["features"], json!([]), "not for everybody");
    }
}

async fn services_read_what_is_theirs(world: World) {
    let admin = person(true);
    let prompt = json!({ "name": "short", "systemMessage": "Make few cards." });
    world.set(&admin, "CARD_PROMPT", prompt.clone()).await;
    world.set(&admin, "OPERATOR_NOTE", json!("For us only.")).await;
    let service = ServiceConfig::over(world.endpoint.clone(), world.clock.clone());
    let values = service.current().await;
    assert_eq!(values.get("cardPrompt"), Some(&prompt));
    // Several to choose from are a value as any other: they have versions, and can be taken back.
    let long = json!({ "name": "long", "systemMessage": "Make cards." });
    let several = json!({ "default": "long", "prompts": [prompt, long] });
    assert_eq!(world.set(&admin, "CARD_PROMPT", several.clone()).await["version"], 2);
    let reverted = json!({ "input": { "key": "CARD_PROMPT", "toVersion": 1 } });
    let reverted = world.data(Some(&admin), REVERT, reverted).await;
    assert_eq!(reverted["revertConfig"]["entry"]["value"], prompt);
    let history = world.data(Some(&admin), HISTORY, json!({ "key": "CARD_PROMPT" })).await;
    let values: Vec<_> = history["configHistory"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["value"].clone())
        .collect();
    assert_eq!(values, [prompt.clone(), several, prompt.clone()]);
    let values = service.current().await;
    assert_eq!(values.get("generationCards"), Some(&json!(100)));
    assert_eq!((values.get("operatorNote"), values.get("welcomeMessage")), (None, None));
    assert_eq!(values.feature("cardGeneration", None), Some(true));
    assert_eq!(values.feature("unheardOf", None), None);
    // Even should a router let it through, a person's request is not a service's.
    let error = world.error(Some(&admin), "{ serviceConfig { key } }", json!({})).await;
    assert_eq!(error["extensions"]["code"], "NOT_FOUND");
}

async fn another_process_follows_within_five_seconds(world: World) {
    let other = world.other(&[]).await;
    let service = ServiceConfig::over(world.endpoint.clone(), world.clock.clone());
    assert_eq!(service.current().await.get("generationCards"), Some(&json!(100)));
    let admin = person(true);
    world.set(&admin, "SIGN_UP_OPEN", json!(false)).await;
    world.set(&admin, "GENERATION_CARDS", json!(5)).await;
    assert_eq!(world.frontend().await["signUpOpen"], false);
    assert_eq!(other.frontend().await["signUpOpen"], true);
    assert_eq!(service.current().await.get("generationCards"), Some(&json!(100)));
    world.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(other.frontend().await["signUpOpen"], false);
    assert_eq!(service.current().await.get("generationCards"), Some(&json!(5)));
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
