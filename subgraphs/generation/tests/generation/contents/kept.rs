//! What the service keeps of contents: no more than may be, nothing that is not known here, and nothing of an account that is gone.

use std::time::Duration;

use generation::queue::Bounds;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ADD, DELETE, PAGE, eventually, library, remote, success};
use crate::support::{Gateway, caller, deleted_account};

#[tokio::test]
async fn of_a_person_no_more_are_processed_than_jobs_may_be_under_way() {
    let (service, gateway) = library().await;
    service.library.always("look", 200, success(json!([remote("processing", json!({}))])));
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(gateway.add().await);
    }
    let me = || caller(gateway.owner);
    let (code, message) = gateway.error_as(me(), ADD, json!({ "url": PAGE })).await;
    assert_eq!(code, "LIMIT_EXCEEDED");
    assert!(message.starts_with("10 of your contents are being processed"), "{message}");
    gateway.ask(DELETE, json!({ "id": ids[0] })).await;
    gateway.add().await;
    assert_eq!(gateway.error_as(me(), ADD, json!({ "url": PAGE })).await.0, "LIMIT_EXCEEDED");
    service.library.always("look", 200, success(json!([remote("processed", json!({}))])));
    gateway.content_when(&ids[9], "PROCESSED").await;
    gateway.content_when(&ids[1], "PROCESSED").await;
    gateway.add().await;
}

/// A content in a list of the service, added so long after a moment.
fn in_list(gateway: &Gateway, id: &str, source: &str, seconds: i64) -> Value {
    let at = gateway.clock.now() + SignedDuration::from_secs(seconds);
    json!({ "id": id, "processing_status": "processed", "source": source, "created_at": at.to_string() })
}

#[tokio::test]
async fn what_the_service_took_though_its_answer_was_lost_is_found_and_deleted() {
    let (service, gateway) = library().await;
    service.library.always("add", 500, json!("Internal Server Error"));
    let error = gateway.error_as(caller(gateway.owner), ADD, json!({ "url": PAGE })).await;
    assert_eq!(error.0, "GENERATION_UNAVAILABLE");
    let listed = [
        in_list(&gateway, "lost", PAGE, 2),
        // What the person added in other ways, at another time, or what has no time, is left alone; so is what is known here.
        in_list(&gateway, "another", "http://93.184.216.34/", 2),
        in_list(&gateway, "earlier", PAGE, -3_600),
        in_list(&gateway, "later", PAGE, 1_200),
        json!({ "id": "timeless", "source": PAGE }),
        json!({ "id": "old", "source": PAGE, "created_at": "yesterday" }),
        in_list(&gateway, "c1", PAGE, 3),
    ];
    service.library.always("add", 200, success(remote("processing", json!({}))));
    let known = gateway.add().await;
    gateway.content_when(&known, "PROCESSED").await;
    service.library.always("look", 200, success(json!(listed)));
    let adds = vec![format!("add {{\"source\":\"{PAGE}\"}}"); 2];
    // It may be at it yet.
    gateway.clock.advance(SignedDuration::from_mins(10));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(service.library.asked_for_changes(), adds);
    // A restart does not forget it.
    let again = gateway.restarted().await;
    drop(gateway);
    again.clock.advance(SignedDuration::from_mins(6));
    let deleted = [adds, vec!["delete lost".to_owned()]].concat();
    eventually(&service.library, &deleted).await;
    again.clock.advance(SignedDuration::from_mins(60));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(service.library.asked_for_changes(), deleted, "it is done once");
}

#[tokio::test]
async fn what_is_refused_or_taken_is_not_looked_for_later() {
    let (service, gateway) = library().await;
    let id = gateway.add().await;
    gateway.content_when(&id, "PROCESSED").await;
    service.library.always("add", 400, json!({ "message": "no", "error": "bad_source" }));
    let error = gateway.error_as(caller(gateway.owner), ADD, json!({ "url": PAGE })).await;
    assert_eq!(error.0, "BAD_USER_INPUT");
    gateway.clock.advance(SignedDuration::from_mins(60));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(!service.library.asked().contains(&"look at all".to_owned()));
}

#[tokio::test]
async fn a_person_with_very_many_contents_is_deleted_with_the_service_that_exists() {
    let (service, _) = library().await;
    // A list of that length takes its time.
    let patience = Duration::from_secs(60);
    let gateway = Gateway::waiting(&service.url, Bounds::default(), patience).await;
    gateway.add().await;
    // More than any other answer may have: the list comes with every text.
    let text = "x".repeat(40_000);
    let many: Vec<Value> =
        (0..600).map(|nth| json!({ "id": format!("c{nth}"), "processing_status": "processed", "view_text": text })).collect();
    service.library.always("look", 200, success(json!(many)));
    let gone = deleted_account(gateway.owner);
    gateway.endpoint.apply(vec![gone].into()).await.unwrap();
    let deleted =
        || service.library.asked().iter().filter(|asked| asked.starts_with("delete ")).count();
    for _ in 0..3_000 {
        if deleted() == many.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(deleted(), many.len());
}
