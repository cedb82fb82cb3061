//! Sharing of answers that are under way: by clients who ask the same, and by queries to one subgraph. Never another's, never a mutation's.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use futures::future::join_all;
use gateway::{GatewaySettings, SubgraphSettings};
use http::HeaderMap;
use support::{plain, serve};
use tokio::sync::mpsc;

const REVIEWS: &str = "{ books(first: 5) { reviews { stars } } }";
const OTHER_REVIEWS: &str = "{ books(first: 5) { id reviews { stars } } }";

/// A subgraph `reviews` that takes its time, sets a cookie, and tells the headers of each request that it gets.
async fn slow_reviews() -> (String, mpsc::UnboundedReceiver<HeaderMap>) {
    let (told, requests) = mpsc::unbounded_channel();
    let answer = move |headers: HeaderMap, _: Bytes| async move {
        told.send(headers).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        ([("set-cookie", "mine=1")], "{\"data\":{\"_entities\":[]}}")
    };
    let address = serve(Router::new().route("/", post(answer))).await;
    (address.to_string(), requests)
}

fn count(mut requests: mpsc::UnboundedReceiver<HeaderMap>) -> usize {
    std::iter::from_fn(|| requests.try_recv().ok()).count()
}

/// A router whose settings share the answers of clients' queries, those of subgraph queries, or none.
async fn router(clients: bool, subgraphs: bool) -> (Router, mpsc::UnboundedReceiver<HeaderMap>) {
    let (address, requests) = slow_reviews().await;
    let settings = SubgraphSettings { share_queries: subgraphs, ..SubgraphSettings::default() };
    let transports = plain::with_reviews_at(&address, &settings);
    let mut settings = GatewaySettings::default();
    settings.http.share_queries = clients;
    (plain::gateway(transports, settings).router(), requests)
}

/// Asks all at once, each with a header of its own.
async fn ask(router: &Router, asked: &[(&str, &str)]) -> Vec<support::Answer> {
    let asking = asked
        .iter()
        .map(|(query, who)| async move { plain::run(router, query, &[("x-who", who)]).await });
    join_all(asking).await
}

#[tokio::test]
async fn clients_who_ask_the_same_share_one_answer() {
    let (router, requests) = router(true, false).await;
    let answers = ask(&router, &[(REVIEWS, "a"), (REVIEWS, "a"), (REVIEWS, "a")]).await;
    assert_eq!(count(requests), 1);
    assert!(answers.iter().all(|answer| answer.text() == answers[0].text()));
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|answer| answer.headers["x-request-id"].clone()).collect();
    assert_eq!(ids.len(), 3, "each request keeps its own id");
}

#[tokio::test]
async fn clients_who_ask_otherwise_share_nothing() {
    let (router, requests) = router(true, false).await;
    ask(&router, &[(REVIEWS, "a"), (REVIEWS, "b"), (OTHER_REVIEWS, "a")]).await;
    assert_eq!(count(requests), 3);
}

#[tokio::test]
async fn nothing_is_kept_when_it_has_been_answered() {
    let (router, requests) = router(true, true).await;
    ask(&router, &[(REVIEWS, "a")]).await;
    ask(&router, &[(REVIEWS, "a")]).await;
    assert_eq!(count(requests), 2);
}

#[tokio::test]
async fn queries_to_a_subgraph_share_one_answer_whoever_asks_when_no_header_tells() {
    let (router, requests) = router(false, true).await;
    let answers = ask(&router, &[(REVIEWS, "a"), (REVIEWS, "b"), (OTHER_REVIEWS, "c")]).await;
    assert_eq!(count(requests), 1);
    let cookies = |answer: &support::Answer| answer.headers.contains_key("set-cookie");
    assert_eq!(
        answers.iter().filter(|answer| cookies(answer)).count(),
        1,
        "a cookie is one client's"
    );
}

#[tokio::test]
async fn sharing_is_off_unless_it_is_set() {
    let (router, requests) = router(false, false).await;
    ask(&router, &[(REVIEWS, "a"), (REVIEWS, "a")]).await;
    assert_eq!(count(requests), 2);
}

#[tokio::test]
async fn mutations_are_never_shared() {
    let (transports, received) = plain::library().await;
    let mut settings = GatewaySettings::default();
    settings.http.share_queries = true;
    let router = plain::gateway(transports, settings).router();
    let mutation = "mutation { rename(id: 1, title: \"New\") { title } }";
    ask(&router, &[(mutation, "a"), (mutation, "a")]).await;
    assert_eq!(received[0].all().len(), 2);
}
