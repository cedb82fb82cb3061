//! Cards of what is at an address: the service fetches and reads it, never from inside a private network.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Gateway, Service, TEXT, note};

/// An address of the public internet, which needs no name service. Nothing here connects to it.
const PAGE: &str = "http://93.184.216.34/page";

fn content(status: &str, text: Value) -> (StatusCode, Value) {
    let data = json!({ "id": "c1", "processing_status": status, "view_text": text, "title": "T" });
    (StatusCode::OK, json!({ "message": "success", "data": data }))
}

fn listed((status, mut answer): (StatusCode, Value)) -> (StatusCode, Value) {
    answer["data"] = json!([answer["data"].take()]);
    (status, answer)
}

async fn library(answers: Vec<(StatusCode, Value)>) -> (Service, Gateway) {
    let service = Service::answering(note(json!({}))).await;
    *service.library.answers.lock().unwrap() = answers;
    let gateway = Gateway::of(&service).await;
    (service, gateway)
}

#[tokio::test]
async fn what_was_read_becomes_the_text_of_the_job() {
    let answers = vec![
        content("processing", Value::Null),
        listed(content("processing", json!(""))),
        listed(content("processed", json!(TEXT))),
    ];
    let (service, gateway) = library(answers).await;
    let job = gateway.data(gateway.input(json!({ "url": PAGE }))).await;
    assert_eq!((&job["sourceUrl"], &job["text"]), (&json!(PAGE), &json!(TEXT.trim())));
    assert_eq!(job["drafts"][0]["sourceEndIndex"], 9);
    assert_eq!(service.calls()[0].body["text"], TEXT.trim());
    let asked = service.library.asked();
    let add = format!("add {{\"source\":\"{PAGE}\"}}");
    assert_eq!(asked, [&*add, "look at c1", "look at c1", "delete c1"], "nothing is left there");
}

#[tokio::test]
async fn of_a_long_one_the_beginning_is_used_and_one_key_reads_it_once() {
    let long = format!("{}{}", TEXT.trim(), "語".repeat(30_000));
    let (service, gateway) = library(vec![content("processed", json!(long))]).await;
    let input = gateway.input(json!({ "url": "10.1000/182", "idempotencyKey": "k" }));
    let job = gateway.data(input.clone()).await;
    assert_eq!(job["text"].as_str().unwrap().chars().count(), 20_000);
    assert_eq!(gateway.start(input).await, job["id"]);
    assert_eq!(service.library.asked().len(), 2);
    let other = gateway.input(json!({ "url": "10.1000/183", "idempotencyKey": "k" }));
    assert_eq!(gateway.error(other).await.0, "CONFLICT");
}

#[tokio::test]
async fn what_leads_inside_is_refused_before_the_service_is_asked() {
    let (service, gateway) = library(vec![content("processed", json!(TEXT))]).await;
    for url in
        ["http://127.0.0.1/", "http://[::ffff:a9fe:a9fe]/", "http://10.0.0.1/", "ftp://a.example"]
    {
        let (code, message) = gateway.error(gateway.input(json!({ "url": url }))).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with("input.source.url: "), "{message}");
    }
    for url in ["http://localhost/page", "http://no.such.name.invalid/"] {
        let failure = gateway.failure(gateway.input(json!({ "url": url }))).await;
        assert_eq!(failure.0, "GENERATION_SOURCE_REFUSED", "{url}");
    }
    assert!(service.library.asked().is_empty() && service.calls().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_fails_the_job() {
    let failed = || listed(content("failed", Value::Null));
    let refused = (StatusCode::BAD_REQUEST, json!({ "message": "no", "error": "bad_source" }));
    let broken = (StatusCode::INTERNAL_SERVER_ERROR, json!("Internal Server Error"));
    let absent = (StatusCode::OK, json!({ "message": "success", "data": [] }));
    let slow = listed(content("processing", Value::Null));
    for (answers, code) in [
        (vec![content("processing", Value::Null), failed()], "GENERATION_SOURCE_UNREADABLE"),
        (vec![content("processed", json!(" \n "))], "GENERATION_SOURCE_UNREADABLE"),
        (vec![content("processed", Value::Null)], "GENERATION_SOURCE_UNREADABLE"),
        (vec![content("processing", Value::Null), absent], "GENERATION_SOURCE_UNREADABLE"),
        (vec![refused], "GENERATION_SOURCE_UNREADABLE"),
        (vec![broken], "GENERATION_FAILED"),
        (vec![(StatusCode::OK, json!({ "data": 7 }))], "GENERATION_FAILED"),
        (vec![content("processing", Value::Null), slow], "GENERATION_TIMEOUT"),
    ] {
        let (service, gateway) = library(answers).await;
        let failure = gateway.failure(gateway.input(json!({ "url": PAGE }))).await;
        assert_eq!(failure.0, code, "{:?}", service.library.asked());
        assert!(service.calls().is_empty(), "there is nothing to make cards of");
    }
}

#[tokio::test]
async fn a_text_and_an_address_at_once_are_refused() {
    let (service, gateway) = library(vec![content("processed", json!(TEXT))]).await;
    let mut both = gateway.input(json!({}));
    both["input"]["source"]["url"] = json!(PAGE);
    let mut none = gateway.input(json!({}));
    none["input"]["source"] = json!({});
    for wrong in [both, none] {
        assert_eq!(gateway.error(wrong).await.0, "BAD_USER_INPUT");
    }
    assert!(service.library.asked().is_empty());
}
