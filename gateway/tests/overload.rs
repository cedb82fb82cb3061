//! More operations than can be run: those that run finish, a few wait, and the rest are told at once to come back.

mod support;

use std::sync::Arc;
use std::time::Duration;

use gateway::{AdmissionSettings, GatewaySettings};
use serde_json::json;
use support::Library;

#[tokio::test]
async fn who_finds_no_place_is_told_when_to_come_back() {
    let admission = AdmissionSettings {
        running: 1,
        waiting: 1,
        patience: Duration::from_millis(300),
        ..AdmissionSettings::default()
    };
    let library =
        Arc::new(Library::with(GatewaySettings { admission, ..GatewaySettings::default() }));
    let ask = |query: &'static str| {
        let library = library.clone();
        tokio::spawn(async move { library.run(query, json!({})).await })
    };
    // Takes a while, on purpose of the subgraph.
    let slow = ask("{ sleeps(milliseconds: 1000) }");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = ask("{ viewer }");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = library.run("{ viewer }", json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "OVERLOADED"));
    assert_eq!(refused.header("retry-after"), "1");
    // It waited for longer than there is patience.
    assert_eq!(waiting.await.unwrap().code(), "OVERLOADED");
    assert_eq!(slow.await.unwrap().status, 200);
    assert_eq!(library.run("{ viewer }", json!({})).await.status, 200);
}
