//! What config says of card generation: prompt, limits and who may; and that without it generation goes on.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Gateway, Service, TEXT, caller, note};

fn prompt(name: &str) -> Value {
    json!({ "name": name, "systemMessage": "At most {max_cards} cards.", "maxTokens": 900,
        "parameters": { "model": "small", "temperature": 0.5, "topP": 1 } })
}

impl Gateway {
    /// Lets the last known values become old.
    fn later(&self) {
        self.clock.advance(SignedDuration::from_secs(5));
    }
}

async fn told_prompt(gateway: &Gateway, service: &Service) -> Value {
    gateway.data(gateway.input(json!({}))).await;
    service.calls().pop().unwrap().body["prompt"].take()
}

#[tokio::test]
async fn the_prompt_is_passed_on_in_the_services_form() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    gateway.config.set(json!({ "cardPrompt": prompt("short") }));
    let expected = json!({ "name": "short", "system_message": "At most {max_cards} cards.",
        "parameters": { "model": "small", "temperature": 0.5, "top_p": 1.0, "max_tokens": 900 } });
    assert_eq!(told_prompt(&gateway, &service).await, expected);
    gateway.config.set(json!({ "cardPrompt": prompt("new") }));
    assert_eq!(told_prompt(&gateway, &service).await, expected, "within five seconds");
    gateway.later();
    assert_eq!(told_prompt(&gateway, &service).await["name"], "new");
    gateway.config.set(json!({ "cardPrompt": null }));
    gateway.later();
    assert_eq!(told_prompt(&gateway, &service).await, Value::Null, "the built-in one");
}

#[tokio::test]
async fn of_several_prompts_the_one_that_is_asked_for_is_used() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let told = async |wanted: Value| {
        gateway.data(gateway.input(json!({ "prompt": wanted }))).await;
        service.calls().pop().unwrap().body["prompt"]["name"].take()
    };
    let refused = async |wanted: &str| {
        let calls = service.calls().len();
        let error = gateway.error(gateway.input(json!({ "prompt": wanted }))).await;
        assert_eq!(service.calls().len(), calls, "nothing is generated");
        error
    };
    gateway.config.unplug();
    assert_eq!(refused("short").await.0, "GENERATION_UNAVAILABLE");
    assert_eq!(told(Value::Null).await, Value::Null, "the built-in one");

    gateway.config.set(json!({ "cardPrompt": null }));
    gateway.later();
    let (code, message) = refused("short").await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.contains("input.prompt: there is no such prompt: there are none"), "{message}");

    let prompts = json!({ "default": "long", "prompts": [prompt("short"), prompt("long")] });
    gateway.config.set(json!({ "cardPrompt": prompts }));
    gateway.later();
    for (wanted, expected) in
        [(Value::Null, "long"), (json!("long"), "long"), (json!("short"), "short")]
    {
        assert_eq!(told(wanted).await, expected);
    }
    for unknown in ["", "Short", "{max_cards}"] {
        let (code, message) = refused(unknown).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.contains("\"long\", \"short\" are accepted"), "{message}");
    }
    gateway.config.set(json!({ "cardPrompt": prompt("alone") }));
    gateway.later();
    assert_eq!(told(json!("alone")).await, "alone", "one is a choice of one");
}

#[tokio::test]
async fn without_config_the_last_known_or_the_built_in_prompt_is_used() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    assert_eq!(told_prompt(&gateway, &service).await, Value::Null);
    gateway.config.set(json!({ "cardPrompt": prompt("known") }));
    gateway.later();
    assert_eq!(told_prompt(&gateway, &service).await["name"], "known");
    gateway.config.unplug();
    for _ in 0..3 {
        gateway.later();
        assert_eq!(told_prompt(&gateway, &service).await["name"], "known");
    }
    gateway.config.set(json!({ "cardPrompt": { "name": "of a newer program", "tools": [] } }));
    gateway.later();
    assert_eq!(told_prompt(&gateway, &service).await, Value::Null);
}

#[tokio::test]
async fn limits_are_those_of_config_but_never_more_than_is_built_in() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let limits = async || {
        let document = "{ generationLimits { maxTextLength maxCards } }";
        let response = gateway.execute(caller(gateway.owner), document, json!({})).await;
        let data = response.data.into_json().unwrap();
        let limit = |name: &str| data["generationLimits"][name].as_u64().unwrap();
        (limit("maxTextLength"), limit("maxCards"))
    };
    assert_eq!(limits().await, (20_000, 100));
    for (text, cards, expected) in [
        (json!(10), json!(3), (10, 3)),
        (json!(1_000_000), json!(-1), (20_000, 100)),
        (json!(0), json!("7"), (1, 100)),
    ] {
        gateway.config.set(json!({ "generationTextLength": text, "generationCards": cards }));
        gateway.later();
        assert_eq!(limits().await, expected);
    }
    let characters = TEXT.chars().count();
    gateway.config.set(json!({ "generationTextLength": characters - 1, "generationCards": 3 }));
    gateway.later();
    let (code, message) = gateway.error(gateway.input(json!({}))).await;
    assert_eq!(code, "BAD_USER_INPUT");
    let expected = format!("has {characters} characters: 1 to {} are accepted", characters - 1);
    assert!(message.contains(&expected), "{message}");
    gateway.data(gateway.input(json!({ "text": "short", "maxCards": 50 }))).await;
    assert_eq!(service.calls().pop().unwrap().body["max_cards"], 3);
}

#[tokio::test]
async fn whoever_does_not_have_the_feature_is_told_so() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    for (flag, admitted) in [
        (json!({ "percentage": 0 }), false),
        (json!({ "users": [gateway.owner] }), true),
        (json!({ "roles": ["ADMIN"] }), false),
        (json!({ "percentage": 100 }), true),
    ] {
        gateway.config.set(json!({ "cardGeneration": flag }));
        gateway.later();
        let before = service.calls().len();
        let input = gateway.input(json!({}));
        if admitted {
            gateway.data(input).await;
        } else {
            assert_eq!(gateway.error(input).await.0, "FEATURE_DISABLED");
        }
        assert_eq!(service.calls().len() - before, usize::from(admitted), "{flag}");
    }
}

#[tokio::test]
async fn a_config_that_hangs_is_not_waited_for() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    gateway.config.hang();
    let generating = gateway.data(gateway.input(json!({})));
    tokio::time::timeout(Duration::from_secs(10), generating).await.unwrap();
    assert_eq!(service.calls().len(), 1);
}
