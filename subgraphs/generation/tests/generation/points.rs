//! What jobs cost, and that those that fail give it back.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use generation::queue::Bounds;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Gateway, Service, lines_and_silence, note};

const CANCEL: &str =
    "mutation($id: ID!) { cancelGeneration(input: { jobId: $id }) { job { points refunded } } }";

async fn allowance(gateway: &Gateway) -> (u64, u64) {
    let data = gateway.ask("{ generationAllowance { points maximum } }", json!({})).await;
    let of = |name: &str| data["generationAllowance"][name].as_u64().unwrap();
    (of("points"), of("maximum"))
}

async fn paid(gateway: &Gateway, id: &Value) -> Value {
    let document = "query($id: ID!) { generationJob(id: $id) { points refunded } }";
    gateway.ask(document, json!({ "id": id })).await["generationJob"].take()
}

#[tokio::test]
async fn a_job_that_succeeds_is_paid_and_one_that_fails_is_not() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    assert_eq!(allowance(&gateway).await, (3_000, 3_000));
    let job = gateway.data(gateway.input(json!({ "maxCards": 5 }))).await;
    assert_eq!(paid(&gateway, &job["id"]).await, json!({ "points": 15, "refunded": false }));
    assert_eq!(allowance(&gateway).await, (2_985, 3_000));

    let failing = Service::responding(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    let gateway = Gateway::of(&failing).await;
    let job = gateway.over(gateway.input(json!({ "maxCards": 100 }))).await;
    assert_eq!(paid(&gateway, &job["id"]).await, json!({ "points": 110, "refunded": true }));
    assert_eq!(allowance(&gateway).await, (3_000, 3_000));
}

#[tokio::test]
async fn one_that_is_cancelled_gives_back_only_what_was_not_begun() {
    let service = Service::responding(|| lines_and_silence(&[])).await;
    let bounds = Bounds { running: 1, ..Bounds::default() };
    let gateway = Gateway::with(&service.url, bounds).await;
    let begun = gateway.start(gateway.input(json!({}))).await;
    gateway.job_when(&begun, |job| job["step"] == "ASKING").await;
    let waits = gateway.start(gateway.input(json!({}))).await;
    assert_eq!(allowance(&gateway).await.0, 2_940);
    for (id, refunded, left) in [(&waits, true, 2_970), (&begun, false, 2_970)] {
        for _ in 0..2 {
            let cancelled = gateway.ask(CANCEL, json!({ "id": id })).await;
            assert_eq!(cancelled["cancelGeneration"]["job"]["refunded"], refunded);
            assert_eq!(allowance(&gateway).await.0, left);
        }
    }
}

#[tokio::test]
async fn whoever_has_used_all_is_told_when_there_is_enough() {
    let service = Service::answering(note(json!({}))).await;
    let bounds = Bounds { points_each: 240, ..Bounds::default() };
    let gateway = Gateway::with(&service.url, bounds).await;
    for _ in 0..2 {
        gateway.data(gateway.input(json!({ "maxCards": 100 }))).await;
    }
    let (code, message) = gateway.error(gateway.input(json!({ "maxCards": 20 }))).await;
    assert_eq!(code, "GENERATION_POINTS_USED_UP");
    assert!(message.starts_with("the job costs 30 points, of which you have 20: "), "{message}");
    assert_eq!(allowance(&gateway).await, (20, 240));
    gateway.data(gateway.input(json!({ "maxCards": 10 }))).await;
    gateway.clock.advance(SignedDuration::from_hours(3));
    assert_eq!(allowance(&gateway).await.0, 30, "a tenth of an hour for each point");
    gateway.data(gateway.input(json!({ "maxCards": 20 }))).await;
}

#[tokio::test]
async fn a_restart_gives_nothing_anew() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    gateway.data(gateway.input(json!({}))).await;
    let again = gateway.restarted().await;
    assert_eq!(allowance(&again).await.0, 2_970);
}
