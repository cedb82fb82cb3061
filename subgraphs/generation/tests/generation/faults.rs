//! A service that is down, slow or answers garbage: a typed error each time, and not a word of the text or the secret in the log.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Gateway, SECRET, Service, TEXT, note};

#[tokio::test]
async fn each_status_has_its_code() {
    for (status, code) in [
        (400, "GENERATION_FAILED"),
        (401, "GENERATION_FAILED"),
        (409, "GENERATION_FAILED"),
        (422, "GENERATION_FAILED"),
        (429, "GENERATION_UNAVAILABLE"),
        (500, "GENERATION_FAILED"),
        (502, "GENERATION_UNAVAILABLE"),
        (503, "GENERATION_UNAVAILABLE"),
        (504, "GENERATION_TIMEOUT"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        // What an unhandled failure of the service answers: text, not JSON.
        let answer = move || (status, "Internal Server Error").into_response();
        let service = Service::responding(answer).await;
        let gateway = Gateway::of(&service).await;
        assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, code, "{status}");
    }
}

#[tokio::test]
async fn an_answer_of_a_wrong_shape_is_a_failure() {
    for wrong in [
        json!(null),
        json!([]),
        json!({ "message": "success" }),
        json!({ "data": null }),
        json!({ "data": { "id": "n" } }),
        json!({ "data": { "id": "n", "cards": {} } }),
        json!({ "data": { "id": 7, "cards": [] } }),
        json!({ "status_code": 404, "message": "not found" }),
    ] {
        let service = Service::answering(wrong.clone()).await;
        let gateway = Gateway::of(&service).await;
        let error = gateway.failure(gateway.input(json!({}))).await;
        assert_eq!(error.0, "GENERATION_FAILED", "{wrong}");
    }
    for body in ["", "{", "{\"data\": {\"id\": \"n\", \"cards\": [", "<html>", "NaN", "\u{0}"] {
        let answer = move || ([(header::CONTENT_TYPE, "application/json")], body).into_response();
        let service = Service::responding(answer).await;
        let gateway = Gateway::of(&service).await;
        assert_eq!(
            gateway.failure(gateway.input(json!({}))).await.0,
            "GENERATION_FAILED",
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gateway = Gateway::at(&url).await;
    assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_UNAVAILABLE");
}

#[tokio::test]
async fn a_slow_service_is_given_up_on() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"data\":";
    // One says nothing, one stops in the middle of its answer.
    for answer in [&b""[..], answer] {
        let gateway = Gateway::at(&Service::raw(answer, Duration::from_secs(30)).await).await;
        let started = Instant::now();
        assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_TIMEOUT");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_failure() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"data\":",
        b"\x16\x03\x01 this is not HTTP",
    ] {
        let gateway = Gateway::at(&Service::raw(answer, Duration::ZERO).await).await;
        assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_FAILED");
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let answer = || {
        let chunk = futures::stream::repeat_with(|| Ok::<_, io::Error>(vec![b' '; 1 << 16]));
        axum::body::Body::from_stream(chunk).into_response()
    };
    let service = Service::responding(answer).await;
    let gateway = Gateway::of(&service).await;
    assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_FAILED");
}

#[tokio::test]
async fn of_ten_thousand_cards_the_first_are_taken() {
    let cards: Vec<Value> =
        (0..10_000).map(|nth| json!({ "question": format!("{nth}?"), "answer": "a" })).collect();
    let service = Service::answering(note(json!({ "cards": cards }))).await;
    let gateway = Gateway::of(&service).await;
    let job = gateway.data(gateway.input(json!({ "maxCards": 3 }))).await;
    let questions: Vec<_> =
        job["drafts"].as_array().unwrap().iter().map(|draft| &draft["question"]).collect();
    assert_eq!(questions, ["0?", "1?", "2?"]);
    assert_eq!(
        (&job["drafts"][2]["sourceStartIndex"], &job["rejected"]),
        (&Value::Null, &json!(9_997))
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Service::answering(note(json!({}))).await;
    let target = format!("{}/notes", elsewhere.url);
    let service = Service::responding(move || Redirect::temporary(&target).into_response()).await;
    let gateway = Gateway::of(&service).await;
    assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_FAILED");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn after_a_fault_the_next_call_works() {
    let failing = Arc::new(Mutex::new(true));
    let state = Arc::clone(&failing);
    let answer = move || match *state.lock().unwrap() {
        true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => axum::Json(note(json!({}))).into_response(),
    };
    let service = Service::responding(answer).await;
    let gateway = Gateway::of(&service).await;
    assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, "GENERATION_FAILED");
    *failing.lock().unwrap() = false;
    assert_eq!(gateway.data(gateway.input(json!({}))).await["rejected"], 0);
}

#[tokio::test]
async fn decks_that_do_not_answer_are_no_absent_deck() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    gateway.decks.is_broken.store(true, Ordering::Relaxed);
    assert_eq!(gateway.error(gateway.input(json!({}))).await.0, "GENERATION_UNAVAILABLE");
    assert!(service.calls().is_empty());
}

#[tokio::test]
async fn the_log_holds_neither_the_text_nor_the_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: one of its own for this thread would miss what other tests met first. What those log must hold no secrets either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    // A service that repeats in its errors what it was sent, as validation does.
    let repeat = || (StatusCode::UNPROCESSABLE_ENTITY, format!("{TEXT} {SECRET}")).into_response();
    let garbage = || format!("{{\"data\": \"{TEXT}\"}}").into_response();
    for service in [
        Service::responding(repeat).await,
        Service::responding(garbage).await,
        Service::answering(note(json!({}))).await,
    ] {
        let gateway = Gateway::of(&service).await;
        gateway.over(gateway.input(json!({}))).await;
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("it answered with status 422"), "{log}");
    assert!(log.contains("made drafts of cards"), "{log}");
    for word in [SECRET, TEXT, "😀", "What is"] {
        assert!(!log.contains(word), "{word} is in the log:\n{log}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
