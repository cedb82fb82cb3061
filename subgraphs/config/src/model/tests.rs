//! The rules of the values, each with examples, and as properties: what is accepted is in effect unchanged, what is refused never is.

use common::{Caller, ConfigChangeId, Roles, SessionId, UserId, Viewer};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rule::shortened;
use super::*;

fn change(key: &str, version: i64, value: Option<&str>) -> Change {
    Change {
        id: ConfigChangeId::new(),
        key: key.into(),
        version,
        value: value.map(str::to_owned),
        made_at: Timestamp::UNIX_EPOCH,
        made_by: UserId::new(),
    }
}

fn defaults() -> Snapshot {
    Snapshot::of(Vec::new(), &Environment::default())
}

/// What is in effect when this was set before the program's rule was what it is now.
fn after(key: Key, text: &str) -> Effective {
    let snapshot = Snapshot::of(vec![change(key.name(), 1, Some(text))], &Environment::default());
    for other in Key::ALL.into_iter().filter(|other| *other != key) {
        assert_eq!(snapshot.get(other), defaults().get(other), "others stay as they are");
    }
    snapshot.get(key).unwrap().clone()
}

#[test]
fn the_registry_is_consistent() {
    for (place, key) in Key::ALL.into_iter().enumerate() {
        let definition = key.definition();
        assert_eq!(key as usize, place, "{key:?} is listed in another place than declared");
        assert_eq!(Key::named(definition.name), Some(key));
        assert!(definition.description.ends_with('.'), "{key:?}");
        let default = definition.default;
        assert!(default.is_null() || definition.rule.check(&default).is_ok(), "{key:?}");
        if let Rule::Text { pattern: Some(pattern), .. } = definition.rule {
            regex::Regex::new(pattern.regex).unwrap();
        }
    }
    assert_eq!(Key::named("nonsense"), None);
    assert_eq!(Key::MinimumClientVersion.variable(), "SPACEY_CONFIG_MINIMUM_CLIENT_VERSION");
}

#[test]
fn every_value_that_keeps_its_rule_takes_effect_as_it_is() {
    let deep = (0..28).fold(json!(1), |inner, _| json!([inner]));
    for (key, value) in [
        (Key::DeckColors, json!(["#ffec87", "#000000"])),
        (Key::WelcomeMessage, json!(" Hello, \u{1F600}! ")),
        (Key::WelcomeMessage, json!("é".repeat(500))),
        (Key::MinimumClientVersion, json!("1.20.3")),
        (Key::SignUpOpen, json!(false)),
        (Key::Theme, json!("DARK")),
        (Key::ErrorReportRate, json!(0.1)),
        (Key::ErrorReportRate, json!(1)),
        (Key::FrontendExtras, json!({ "$gt": "", "a.b": [1, 2.5, null, { "deep": deep }] })),
        (Key::GenerationCards, json!(1)),
        (Key::CardGeneration, json!({ "percentage": 12.5, "roles": ["BETA"] })),
        (Key::CardPrompt, json!({ "name": "short", "systemMessage": "Make few cards." })),
        (
            Key::CardPrompt,
            json!({ "default": "long", "prompts": [
                { "name": "short", "systemMessage": "Make few cards." },
                { "name": "long", "systemMessage": "Make cards.", "parameters": { "topP": 0.5 } },
            ] }),
        ),
    ] {
        key.definition().rule.check(&value).unwrap();
        let effective = after(key, &value.to_string());
        assert_eq!((effective.value, effective.source), (value, Source::Stored));
        assert_eq!(effective.problem, None);
    }
}

#[test]
fn every_value_that_breaks_its_rule_is_refused_and_never_takes_effect() {
    let many: Vec<_> = (0..33).map(|n| format!("#0000{n:02X}")).collect();
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    for (key, value) in [
        (Key::DeckColors, json!([])),
        (Key::DeckColors, json!(many)),
        (Key::DeckColors, json!("#FFEC87")),
        (Key::DeckColors, json!(["#FFEC8"])),
        (Key::DeckColors, json!(["#FFEC8G"])),
        (Key::DeckColors, json!(["red; background: url(//evil)"])),
        (Key::DeckColors, json!(["#FFEC87", "#ffec87"])),
        (Key::DeckColors, json!([1])),
        (Key::WelcomeMessage, json!(null)),
        (Key::WelcomeMessage, json!("  ")),
        (Key::WelcomeMessage, json!("x".repeat(501))),
        (Key::WelcomeMessage, json!({ "$gt": "" })),
        (Key::MinimumClientVersion, json!("1.2")),
        (Key::MinimumClientVersion, json!("1.2.3.4")),
        (Key::MinimumClientVersion, json!("1.02.3")),
        (Key::MinimumClientVersion, json!("1.+2.3")),
        (Key::MinimumClientVersion, json!("1.2.3\n")),
        (Key::MinimumClientVersion, json!(1.2)),
        (Key::SignUpOpen, json!("true")),
        (Key::SignUpOpen, json!(1)),
        (Key::Theme, json!("dark")),
        (Key::Theme, json!("")),
        (Key::ErrorReportRate, json!(1.01)),
        (Key::ErrorReportRate, json!("0.5")),
        (Key::FrontendExtras, json!([])),
        (Key::FrontendExtras, json!({ "a": "x".repeat(10_000) })),
        (Key::FrontendExtras, json!({ "a": deep })),
        (Key::GenerationCards, json!(0)),
        (Key::GenerationCards, json!(101)),
        (Key::GenerationCards, json!(1.5)),
        (Key::GenerationTextLength, json!(u64::MAX)),
        (Key::CardGeneration, json!({ "percentage": 101 })),
        (Key::CardPrompt, json!({ "name": "nameless" })),
        (
            Key::CardPrompt,
            json!({ "default": "other", "prompts": [{ "name": "a", "systemMessage": "b" }] }),
        ),
        (Key::CardPrompt, json!({ "default": "a", "prompts": [] })),
        (Key::CardPrompt, json!("Make cards.")),
    ] {
        let error = key.definition().rule.check(&value).unwrap_err().to_string();
        assert!(error.contains("expected") && error.chars().count() < 300, "{error}");
        let effective = after(key, &value.to_string());
        assert_eq!(effective.value, key.definition().default, "{value}");
        assert_eq!((effective.source, effective.problem), (Source::Default, Some(error)));
    }
    let torn = after(Key::SignUpOpen, "{\"half");
    assert_eq!((torn.value, torn.source), (json!(true), Source::Default));
    assert!(torn.problem.unwrap().starts_with("it is no JSON: "));
}

#[test]
fn the_environment_wins_over_what_is_stored_which_wins_over_the_default() {
    let variables = [("SIGN_UP_OPEN", "false"), ("DECK_COLORS", "#000000, #ffffff")];
    let environment =
        Environment::read(&variables.map(|(n, v)| (n.into(), v.into())).into()).unwrap();
    let stored = |key: Key, text| change(key.name(), 3, text);
    let snapshot = Snapshot::of(
        vec![
            stored(Key::SignUpOpen, Some("true")),
            stored(Key::DeckColors, Some("7")),
            stored(Key::Theme, Some("\"DARK\"")),
            stored(Key::GenerationCards, None),
            change("gone", 1, Some("1")),
        ],
        &environment,
    );
    let of = |key| {
        let Effective { value, source, problem, .. } = snapshot.get(key).unwrap().clone();
        (value, source, problem.is_some())
    };
    assert_eq!(of(Key::SignUpOpen), (json!(false), Source::Environment, false));
    let colors = json!(["#000000", "#ffffff"]);
    assert_eq!(of(Key::DeckColors), (colors, Source::Environment, true));
    assert_eq!(of(Key::Theme), (json!("DARK"), Source::Stored, false));
    assert_eq!(of(Key::GenerationCards), (json!(100), Source::Default, false));
    assert_eq!(snapshot.problems().map(|(key, _)| key).collect::<Vec<_>>(), [Key::DeckColors]);
}

#[test]
fn wrong_variables_are_all_named_with_what_is_accepted() {
    let variables = [
        ("SIGN_UP_OPEN", "yes", "\"yes\" is not accepted: expected true or false"),
        ("THEME", "PINK", "expected one of SYSTEM, LIGHT, DARK"),
        ("DECK_COLORS", "red", "a colour such as #FFEC87"),
        ("CARD_GENERATION", "{\"percentage\": 200}", "percentage must be 0 to 100"),
        ("DECK_COLOURS", "#000000", "there are SPACEY_CONFIG_DECK_COLORS, "),
    ];
    let wrong =
        Environment::read(&variables.map(|(name, value, _)| (name.into(), value.into())).into())
            .unwrap_err();
    assert_eq!(wrong.len(), variables.len());
    for (name, _, said) in variables {
        let name = format!("SPACEY_CONFIG_{name}");
        let found = wrong.iter().find(|wrong| wrong.name == name).unwrap();
        assert!(found.to_string().starts_with(&name) && found.reason.contains(said), "{found}");
    }
    for (name, text) in [
        ("CARD_GENERATION", r#"{"roles": ["BETA"]}"#),
        ("DECK_COLORS", r##"["#000000"]"##),
        ("WELCOME_MESSAGE", "\"quoted\", with a comma"),
        ("ERROR_REPORT_RATE", "0.25"),
    ] {
        Environment::read(&[(name.into(), text.into())].into()).unwrap();
    }
}

#[test]
fn visibility_admits_whom_it_says() {
    let person = |admin| {
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles { beta: true, admin });
        Caller::new(Some(viewer), "test")
    };
    let callers = [Caller::anonymous("test"), person(false), person(true)];
    for (visibility, expected) in [
        (Visibility::Public, [true, true, true]),
        (Visibility::SignedIn, [false, true, true]),
        (Visibility::Service, [false, false, true]),
        (Visibility::Admin, [false, false, true]),
    ] {
        assert_eq!(callers.each_ref().map(|caller| visibility.admits(caller)), expected);
    }
}

#[test]
fn a_long_value_is_shortened_where_it_is_told() {
    assert_eq!(shortened("é".repeat(60)), "é".repeat(60));
    assert_eq!(shortened("é".repeat(61)), "é".repeat(59) + "…");
}

fn any_json() -> impl Strategy<Value = Value> {
    let number =
        prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(|n| json!(n))];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        "\\PC{0,20}".prop_map(Value::from),
        "#[0-9a-fA-F]{6}".prop_map(Value::from),
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}".prop_map(Value::from),
        prop::sample::select(vec!["SYSTEM", "LIGHT", "DARK", "USER", "BETA"]).prop_map(Value::from),
        (0..=110i32).prop_map(Value::from),
        (0.0..=1.1f64).prop_map(|n| json!(n)),
    ];
    let member = prop_oneof![
        "[a-z$.]{0,5}".boxed(),
        prop::sample::select(vec!["percentage", "roles", "users", "name", "systemMessage"])
            .prop_map(str::to_owned)
            .boxed(),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(member.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_accepted_is_in_effect_unchanged_and_what_is_refused_never(
        key in prop::sample::select(Key::ALL.to_vec()),
        value in any_json(),
    ) {
        let effective = after(key, &value.to_string());
        match key.definition().rule.check(&value) {
            Ok(()) => {
                prop_assert_eq!(effective.value, value);
                prop_assert_eq!((effective.source, effective.problem), (Source::Stored, None));
            }
            Err(error) => {
                prop_assert_eq!(effective.value, key.definition().default);
                prop_assert_eq!(effective.source, Source::Default);
                prop_assert_eq!(effective.problem, Some(error.to_string()));
            }
        }
    }

    #[test]
    fn any_text_in_the_environment_is_a_valid_value_or_refused(
        key in prop::sample::select(Key::ALL.to_vec()),
        text in prop_oneof![
            any_json().prop_map(|value| value.to_string()),
            any_json().prop_map(|value| value.as_str().unwrap_or("x").to_owned()),
            "[#0-9A-F, ]{0,40}",
        ],
    ) {
        let name = key.variable().trim_start_matches("SPACEY_CONFIG_").to_owned();
        match Environment::read(&[(name, text)].into()) {
            Ok(environment) => {
                let value = environment.get(key).unwrap();
                key.definition().rule.check(value).unwrap();
                let snapshot = Snapshot::of(Vec::new(), &environment);
                prop_assert_eq!(snapshot.value(key), value);
            }
            Err(wrong) => prop_assert_eq!(wrong.len(), 1),
        }
    }
}
