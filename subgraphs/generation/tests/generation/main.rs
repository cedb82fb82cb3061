//! Card generation through its endpoint, against services that run in the test: one that does as agreed, and one for each way of failing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod configured;
mod contents;
mod drafts;
mod each_fault;
mod faults;
mod jobs;
mod live;
mod pages;
mod points;
mod recorded;
mod restart;
mod support;

use common::{Caller, DeckId, UserId};
use serde_json::{Value, json};
use support::{GENERATE, Gateway, Service, caller, note};

#[tokio::test]
async fn the_service_that_exists_makes_drafts() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let variables = gateway.input(json!({ "idempotencyKey": "key-1" }));
    let mut job = gateway.data(variables).await;
    let id = job["id"].take();
    for draft in job["drafts"].as_array_mut().unwrap() {
        assert_ne!(draft["id"].take(), json!(null));
    }
    let expected = json!({
        "id": null, "state": "READY", "step": "DONE", "progress": 1.0,
        "deck": { "id": gateway.deck.to_string() },
        "sourceUrl": null, "text": support::TEXT, "instructions": null, "maxCards": 20,
        "generator": null,
        "drafts": [
            { "id": null, "question": "What is 😀?", "answer": "A face.", "sourceStartIndex": 0, "sourceEndIndex": 9,
              "edited": false, "state": "PROPOSED", "card": null },
            { "id": null, "question": "二?", "answer": "two", "sourceStartIndex": 10, "sourceEndIndex": 16,
              "edited": false, "state": "PROPOSED", "card": null },
        ],
        "rejected": 0, "notices": [], "failure": null,
    });
    assert_eq!(job, expected);

    let calls = service.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].user_id, gateway.owner.to_string());
    assert_eq!(calls[0].secret.as_deref(), Some(support::SECRET));
    assert_eq!(calls[0].idempotency_key.as_deref(), id.as_str(), "the job's, not the client's");
    let deck = gateway.deck.to_string();
    let expected = json!({ "text": support::TEXT, "deck_id": deck, "max_cards": 20 });
    assert_eq!(calls[0].body, expected);
}

#[tokio::test]
async fn what_our_own_service_adds_is_passed_on() {
    let service = Service::answering(note(json!({
        "generator": { "name": "offline-extractive", "model": null },
        "rejected": { "total": 3, "reasons": { "duplicate": 3 } },
        "notices": [{ "code": "extractive", "message": "Taken from the text." }],
    })))
    .await;
    let gateway = Gateway::of(&service).await;
    let wishes = json!({ "maxCards": 1, "instructions": "In German." });
    let answer = gateway.data(gateway.input(wishes)).await;
    assert_eq!(answer["generator"], json!({ "name": "offline-extractive", "model": null }));
    assert_eq!(answer["drafts"].as_array().unwrap().len(), 1);
    // Three by the service, and one beyond `maxCards`.
    assert_eq!(answer["rejected"], 4);
    let notice = json!([{ "code": "extractive", "message": "Taken from the text." }]);
    assert_eq!(answer["notices"], notice);
    let body = service.calls().remove(0).body;
    assert_eq!((&body["max_cards"], &body["instructions"]), (&json!(1), &json!("In German.")));
}

#[tokio::test]
async fn a_deck_of_another_person_is_not_found_and_the_service_is_not_called() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let input = gateway.input(json!({}));
    let (code, message) = gateway.error_as(caller(UserId::new()), GENERATE, input.clone()).await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(message, format!("deck {} was not found", gateway.deck));
    let absent = gateway.input(json!({ "deckId": DeckId::new().to_string() }));
    assert_eq!(gateway.error(absent).await.0, "NOT_FOUND");
    let anonymous = Caller::anonymous("test");
    assert_eq!(gateway.error_as(anonymous, GENERATE, input).await.0, "UNAUTHENTICATED");
    assert!(service.calls().is_empty());
}

#[tokio::test]
async fn bad_input_is_named_and_the_service_is_not_called() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    for (input, start) in [
        (json!({ "text": "" }), "input.source.text: is blank"),
        (json!({ "text": " \n" }), "input.source.text: is blank"),
        (json!({ "text": "語".repeat(20_001) }), "input.source.text: has 20001 characters"),
        (json!({ "maxCards": 0 }), "input.maxCards: 0 is out of range"),
        (json!({ "maxCards": 101 }), "input.maxCards: 101 is out of range"),
        (json!({ "instructions": "語".repeat(2_001) }), "input.instructions: has 2001 characters"),
        (json!({ "idempotencyKey": "" }), "input.idempotencyKey: 1 to 200"),
        (json!({ "idempotencyKey": "a b" }), "input.idempotencyKey: 1 to 200"),
        (json!({ "idempotencyKey": "ä" }), "input.idempotencyKey: 1 to 200"),
        (json!({ "idempotencyKey": "k".repeat(201) }), "input.idempotencyKey: 1 to 200"),
    ] {
        let (code, message) = gateway.error(gateway.input(input)).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
    let (_, message) = gateway.error(gateway.input(json!({ "deckId": "12" }))).await;
    assert!(message.contains("is not an id"), "{message}");
    assert!(service.calls().is_empty());
    let longest = gateway.input(json!({ "text": "語".repeat(20_000), "maxCards": 100 }));
    gateway.data(longest).await;
    assert_eq!(service.calls().len(), 1);
}

#[tokio::test]
async fn the_sdl_names_the_deck_without_resolving_it() {
    let service = Service::answering(Value::Null).await;
    let gateway = Gateway::of(&service).await;
    let sdl = gateway.endpoint.sdl().await.unwrap();
    async_graphql::parser::parse_schema(&sdl).unwrap_or_else(|error| panic!("{error} in\n{sdl}"));
    let key = "type Deck @key(fields: \"id\", resolvable: false)";
    assert!(sdl.contains(key) && sdl.contains("UTF-16"), "{sdl}");
    assert_eq!(gateway.endpoint.name(), "generation");
    gateway.endpoint.ready().await.unwrap();
    let limits = gateway
        .execute(
            caller(UserId::new()),
            "{ generationLimits { maxTextLength maxCards } }",
            json!({}),
        )
        .await;
    let expected = json!({ "generationLimits": { "maxTextLength": 20_000, "maxCards": 100 } });
    assert_eq!(limits.data.into_json().unwrap(), expected);
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    for (url, secret, start) in [
        ("127.0.0.1:8091", "secret", "generation.url: \"127.0.0.1:8091\" is no address"),
        ("ftp://127.0.0.1", "secret", "generation.url: \"ftp://127.0.0.1\" is no address"),
        ("http://127.0.0.1/?a=b", "secret", "generation.url: "),
        ("http://127.0.0.1", "line\nbreak", "generation.secret: must hold"),
    ] {
        let error = support::open(url, secret).await.err().unwrap().to_string();
        assert!(error.starts_with(start), "{error}");
    }
}
