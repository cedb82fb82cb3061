//! A graph that is replaced while requests are under way: none is dropped, and none sees half of it.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use federation::Supergraph;
use gateway::{GatewaySettings, Transport};
use http::Request;
use serde_json::json;
use support::plain::{self, gateway, run};
use support::{SUPERGRAPH, endpoints, send};

fn in_process() -> Vec<Transport> {
    endpoints().0.into_iter().map(Transport::InProcess).collect()
}

/// The supergraph with a field `viewer` that has another name.
fn renamed() -> Supergraph {
    Supergraph::parse(&SUPERGRAPH.replace("  viewer: String", "  reader: String")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_is_dropped_while_graphs_change() {
    let (transports, _) = plain::library().await;
    let gateway = gateway(transports.clone(), GatewaySettings::default());
    let router = gateway.router();
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (router, stop, answered) = (router.clone(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let query = "{ books(first: 3) { id rating author { name } } }";
                    let answer = run(&router, query, &[]).await.json();
                    assert_eq!(answer["data"]["books"].as_array().unwrap().len(), 3, "{answer}");
                    assert!(answer["data"]["books"][1]["author"]["name"].is_string(), "{answer}");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for round in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (gateway, transports) = (gateway.clone(), transports.clone());
        tokio::task::spawn_blocking(move || {
            let supergraph =
                if round % 2 == 0 { renamed() } else { Supergraph::parse(SUPERGRAPH).unwrap() };
            gateway.replace(supergraph, transports).unwrap()
        })
        .await
        .unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert!(answered.load(Ordering::SeqCst) > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_finishes_on_the_graph_it_began_with() {
    let gateway = gateway(in_process(), GatewaySettings::default());
    let router = gateway.router();
    let slow = {
        let router = router.clone();
        tokio::spawn(async move { run(&router, "{ sleeps(milliseconds: 300) viewer }", &[]).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    gateway.replace(renamed(), in_process()).unwrap();
    assert_eq!(run(&router, "{ viewer }", &[]).await.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(run(&router, "{ reader }", &[]).await.json()["data"], json!({ "reader": null }));
    assert_eq!(slow.await.unwrap().json()["data"], json!({ "sleeps": true, "viewer": null }));
}

#[tokio::test]
async fn the_operations_asked_for_most_are_ready_from_the_start() {
    let gateway = gateway(in_process(), GatewaySettings::default());
    let router = gateway.router();
    for query in ["{ viewer }", "{ books { id } }", "{ shelf { __typename } }"] {
        run(&router, query, &[]).await;
    }
    let replaced = gateway.replace(renamed(), in_process()).unwrap();
    assert_eq!(replaced.warmed, 2, "the third is no operation of the new graph");
}

#[tokio::test]
async fn a_graph_that_cannot_be_reached_changes_nothing() {
    let gateway = gateway(in_process(), GatewaySettings::default());
    let mut transports = in_process();
    transports.pop();
    let error = gateway.replace(renamed(), transports).unwrap_err();
    assert!(error.to_string().contains("reviews"), "{error}");
    assert_eq!(
        run(&gateway.router(), "{ viewer }", &[]).await.json()["data"],
        json!({ "viewer": null })
    );
}

#[tokio::test]
async fn readiness_says_when_the_newest_supergraph_cannot_be_used() {
    let gateway = gateway(in_process(), GatewaySettings::default());
    let ready = || async {
        let request = Request::get("/health/ready").body(Body::empty()).unwrap();
        let answer = send(&gateway.router(), request).await;
        (answer.status.as_u16(), answer.json())
    };
    gateway.note_stale();
    let stale = json!({ "status": "ready", "supergraph": "the newest one cannot be used; an older one runs" });
    assert_eq!(ready().await, (200, stale));
    gateway.replace(renamed(), in_process()).unwrap();
    assert_eq!(ready().await, (200, json!({ "status": "ready" })));
}
