//! Answers that last over HTTP: event streams, multipart bodies, and the single connection mode; what ends them and what they may
//! take up.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use common::token::ACCESS_TOKEN_LIFETIME;
use futures::StreamExt;
use gateway::{GatewaySettings, StreamSettings};
use http::{Request, Response, StatusCode};
use serde_json::json;
use support::{Answer, Library, endpoints, over_http, post};
use tokio::time::timeout;
use tower::ServiceExt;

const EVENTS: &str = "text/event-stream";
const APOLLO: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";
const QUIET: &str = "subscription { added(every: 600000) { id } }";
const DEFERRED: &str =
    "{ books(first: 2) { id ... @defer(label: \"r\") { reviews(first: 1) { stars } } } }";

fn with(streams: StreamSettings) -> Library {
    Library::with(GatewaySettings { streams, ..GatewaySettings::default() })
}

fn request(query: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let body = json!({ "query": query }).to_string();
    let mut request = post(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).unwrap()
}

/// The whole answer to those who accept `accept`.
async fn answer(library: &Library, query: &str, accept: &str) -> Answer {
    library.send(request(query, &[("accept", accept)])).await
}

/// The answer while it goes on.
async fn open(library: &Library, request: Request<Body>) -> Response<BodyDataStream> {
    library.router.clone().oneshot(request).await.unwrap().map(Body::into_data_stream)
}

async fn chunk(body: &mut BodyDataStream) -> Option<String> {
    let chunk = timeout(Duration::from_secs(10), body.next()).await.unwrap()?;
    Some(String::from_utf8(chunk.unwrap().to_vec()).unwrap())
}

async fn rest(mut body: BodyDataStream) -> String {
    let mut text = String::new();
    while let Some(chunk) = chunk(&mut body).await {
        text.push_str(&chunk);
    }
    text
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_events() {
    let library = Library::new();
    let answer = answer(&library, "subscription { added(count: 2) { id } }", EVENTS).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.text(),
        ":\n\n\
         event: next\ndata: {\"data\":{\"added\":{\"id\":\"0\"}}}\n\n\
         event: next\ndata: {\"data\":{\"added\":{\"id\":\"1\"}}}\n\n\
         event: complete\ndata: \n\n"
    );
}

#[tokio::test]
async fn who_reads_events_only_gets_queries_and_their_mistakes_as_events() {
    let library = Library::new();
    let good = answer(&library, "{ book(id: 1) { id } }", EVENTS).await;
    assert!(good.text().contains("data: {\"data\":{\"book\":{\"id\":\"1\"}}}"), "{}", good.text());
    let bad = answer(&library, "{ nothing }", EVENTS).await;
    assert_eq!(bad.status, StatusCode::OK);
    assert!(bad.text().contains("GRAPHQL_VALIDATION_FAILED"), "{}", bad.text());
    assert!(bad.text().ends_with("event: complete\ndata: \n\n"));
    // What is no request of GraphQL over HTTP has a status of its own.
    let headers = [("accept", EVENTS), ("authorization", "Bearer bad")];
    let refused = library.send(request("{ viewer }", &headers)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn what_a_viewer_may_not_subscribe_to_is_told_in_one_event() {
    let library = Library::new();
    let refused = answer(&library, "subscription { mine }", EVENTS).await;
    let text = refused.text();
    assert_eq!(text.matches("event: next").count(), 1, "{text}");
    assert!(text.contains(r#""data":{"mine":null}"#), "{text}");
    assert!(text.contains(r#""code":"UNAUTHENTICATED""#), "{text}");
    assert!(text.ends_with("event: complete\ndata: \n\n"), "{text}");
    let refused = answer(&library, "subscription { mine }", APOLLO).await;
    assert!(refused.text().contains(r#""code":"UNAUTHENTICATED""#), "{}", refused.text());
}

#[tokio::test]
async fn the_envelope_of_apollo_is_around_each_part() {
    let library = Library::new();
    let answer = answer(&library, "subscription { added(count: 1) { id } }", APOLLO).await;
    assert_eq!(
        answer.header("content-type"),
        "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0"
    );
    assert_eq!(
        answer.text(),
        "\r\n--graphql\r\ncontent-type: application/json; charset=utf-8\r\n\r\n\
         {\"payload\":{\"data\":{\"added\":{\"id\":\"0\"}}}}\r\n--graphql--\r\n"
    );
}

#[tokio::test]
async fn who_accepts_no_stream_gets_no_subscription() {
    let library = Library::new();
    let refused = answer(&library, QUIET, "application/json").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (406, "NOT_ACCEPTABLE"));
    assert!(refused.message().contains("text/event-stream"), "{}", refused.message());
}

#[tokio::test]
async fn a_response_comes_in_parts_in_the_form_that_is_asked_for() {
    let library = Library::new();
    let plain = answer(&library, DEFERRED, "application/json").await;
    let whole = json!({ "data": { "books": [
        { "id": "0", "reviews": [{ "stars": 1 }] }, { "id": "1", "reviews": [{ "stars": 1 }] },
    ] } });
    assert_eq!(plain.json(), whole);

    let of_2022 = answer(&library, DEFERRED, "multipart/mixed;deferSpec=20220824, */*").await;
    let text = of_2022.text();
    assert!(
        text.contains(r#"{"data":{"books":[{"id":"0"},{"id":"1"}]},"hasNext":true}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{"data":{"reviews":[{"stars":1}]},"path":["books",1],"label":"r"}"#),
        "{text}"
    );
    assert!(text.ends_with("\"hasNext\":false}\r\n--graphql--\r\n"), "{text}");

    for accept in ["multipart/mixed;incrementalSpec=v0.2", "multipart/mixed", EVENTS] {
        let text = answer(&library, DEFERRED, accept).await.text();
        assert!(text.contains(r#""pending":[{"id":"0","path":["books",0],"label":"r"}"#), "{text}");
        assert!(text.contains(r#"{"id":"1","data":{"reviews":[{"stars":1}]}}"#), "{text}");
        assert!(text.contains(r#""completed":[{"id":"0"},{"id":"1"}],"hasNext":false}"#), "{text}");
    }
}

#[tokio::test]
async fn parts_are_not_held_back_to_compress_them() {
    let library = Library::new();
    for accept in [EVENTS, APOLLO] {
        let headers = [("accept", accept), ("accept-encoding", "gzip, br")];
        let many = "subscription { added(count: 100) { id title reviews { text } } }";
        let answer = library.send(request(many, &headers)).await;
        assert_eq!(answer.header("content-encoding"), "", "{accept}");
        assert!(answer.body.len() > 4096);
    }
}

#[tokio::test]
async fn silence_is_broken_now_and_then() {
    let heartbeat = Duration::from_millis(30);
    let library = with(StreamSettings { heartbeat, ..Default::default() });
    let mut events = open(&library, request(QUIET, &[("accept", EVENTS)])).await.into_body();
    for _ in 0..3 {
        assert_eq!(chunk(&mut events).await.unwrap(), ":\n\n");
    }
    let mut parts = open(&library, request(QUIET, &[("accept", APOLLO)])).await.into_body();
    assert_eq!(chunk(&mut parts).await.unwrap(), "\r\n--graphql");
    for _ in 0..2 {
        assert!(chunk(&mut parts).await.unwrap().ends_with("\r\n\r\n{}\r\n--graphql"));
    }
}

#[tokio::test]
async fn leaving_ends_the_subscription_at_the_subgraph() {
    let library = Library::new();
    let mut events = open(&library, request(QUIET, &[("accept", EVENTS)])).await.into_body();
    chunk(&mut events).await;
    subscribers(&library, 1).await;
    drop(events);
    subscribers(&library, 0).await;
}

async fn subscribers(library: &Library, count: usize) {
    for _ in 0..500 {
        if library.memory.subscribers.load(Ordering::SeqCst) == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} subscriptions are open", library.memory.subscribers.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_end_of_the_token_or_of_the_program_ends_a_stream_with_the_reason() {
    let heartbeat = Duration::from_millis(30);
    let library = with(StreamSettings { heartbeat, ..Default::default() });
    let bearer = format!("Bearer {}", library.token());
    let mut bodies = Vec::new();
    for accept in [EVENTS, APOLLO] {
        let headers = [("accept", accept), ("authorization", bearer.as_str())];
        bodies.push(open(&library, request(QUIET, &headers)).await.into_body());
    }
    subscribers(&library, 2).await;
    library.identity.clock.advance(ACCESS_TOKEN_LIFETIME);
    for body in bodies {
        let text = rest(body).await;
        assert!(text.contains(r#""code":"UNAUTHENTICATED""#), "{text}");
    }

    let events = open(&library, request(QUIET, &[("accept", EVENTS)])).await.into_body();
    let parts = open(&library, request(QUIET, &[("accept", APOLLO)])).await.into_body();
    library.gateway.drain().begin();
    let (events, parts) = (rest(events).await, rest(parts).await);
    assert!(events.contains(r#""code":"SHUTTING_DOWN""#) && events.contains("event: complete"));
    assert!(parts.contains(r#"{"payload":null,"errors":[{"message":"the server stops"#), "{parts}");
    assert!(parts.ends_with("--graphql--\r\n"));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let patience = Duration::from_millis(100);
    let library = with(StreamSettings { patience, buffer: 2, ..Default::default() });
    let endless = "subscription { added(count: 1000000) { id } }";
    let mut events = open(&library, request(endless, &[("accept", EVENTS)])).await.into_body();
    chunk(&mut events).await;
    chunk(&mut events).await;
    subscribers(&library, 0).await;
    let text = rest(events).await;
    assert!(text.contains("STREAM_TOO_SLOW") && text.len() < 2000, "{text}");
}

#[tokio::test]
async fn a_client_has_so_many_streams() {
    let library = with(StreamSettings { connections_per_client: 1, ..Default::default() });
    let first = open(&library, request(QUIET, &[("accept", EVENTS)])).await;
    let second = answer(&library, QUIET, EVENTS).await;
    assert_eq!((second.status.as_u16(), second.code().as_str()), (429, "TOO_MANY_STREAMS"));
    let bearer = format!("Bearer {}", library.token());
    let headers = [("accept", EVENTS), ("authorization", bearer.as_str())];
    assert_eq!(open(&library, request(QUIET, &headers)).await.status(), 200);
    drop(first);
    assert_eq!(open(&library, request(QUIET, &[("accept", EVENTS)])).await.status(), 200);
}

/// Requests of the single connection mode.
struct Single<'a> {
    library: &'a Library,
    token: String,
}

impl<'a> Single<'a> {
    async fn reserved(library: &'a Library) -> Self {
        let answer = library.send(Request::put("/graphql").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        Self { library, token: answer.text() }
    }

    async fn events(&self) -> Response<BodyDataStream> {
        let request = Request::get("/graphql")
            .header("accept", EVENTS)
            .header("x-graphql-event-stream-token", &self.token);
        open(self.library, request.body(Body::empty()).unwrap()).await
    }

    async fn start(&self, id: &str, query: &str) -> Answer {
        let body = json!({ "query": query, "extensions": { "operationId": id } }).to_string();
        let request = post(&body).header("x-graphql-event-stream-token", &self.token);
        self.library.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn stop(&self, id: &str) -> Answer {
        let path = format!("/graphql?operationId={id}&token={}", self.token);
        self.library.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn one_event_stream_carries_several_operations() {
    let library = Library::new();
    let single = Single::reserved(&library).await;
    let mut events = single.events().await.into_body();
    assert_eq!(chunk(&mut events).await.unwrap(), ":\n\n");
    assert_eq!(single.events().await.status(), 409, "the stream is open");

    assert_eq!(single.start("q", "{ book(id: 1) { id } }").await.status, 202);
    assert_eq!(
        chunk(&mut events).await.unwrap(),
        "event: next\ndata: {\"id\":\"q\",\"payload\":{\"data\":{\"book\":{\"id\":\"1\"}}}}\n\n"
    );
    assert_eq!(chunk(&mut events).await.unwrap(), "event: complete\ndata: {\"id\":\"q\"}\n\n");

    assert_eq!(single.start("s", QUIET).await.status, 202);
    subscribers(&library, 1).await;
    assert_eq!(single.start("s", QUIET).await.code(), "STREAM_CONFLICT");
    assert_eq!(single.stop("s").await.status, 200);
    subscribers(&library, 0).await;
    assert_eq!(single.start("s", QUIET).await.status, 202, "the id is free");
    subscribers(&library, 1).await;
    drop(events);
    subscribers(&library, 0).await;
    assert_eq!(single.start("s", QUIET).await.code(), "STREAM_NOT_FOUND");
}

#[tokio::test]
async fn mistakes_on_a_shared_stream_are_answered_where_they_were_made() {
    let init_timeout = Duration::from_millis(150);
    let library =
        with(StreamSettings { init_timeout, operations_per_connection: 1, ..Default::default() });
    let single = Single::reserved(&library).await;
    let events = single.events().await;
    assert_eq!(single.start("x", "{ nothing }").await.code(), "GRAPHQL_VALIDATION_FAILED");
    let body = json!({ "query": "{ viewer }" }).to_string();
    let request = post(&body).header("x-graphql-event-stream-token", &single.token);
    let nameless = library.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!((nameless.status.as_u16(), nameless.code().as_str()), (400, "BAD_REQUEST"));
    assert_eq!(single.start("a", QUIET).await.status, 202);
    assert_eq!(single.start("b", QUIET).await.code(), "TOO_MANY_STREAMS");

    // Another viewer does not find it.
    let body = json!({ "query": "{ viewer }", "extensions": { "operationId": "v" } }).to_string();
    let request = post(&body)
        .header("x-graphql-event-stream-token", &single.token)
        .header("authorization", format!("Bearer {}", library.token()));
    let other = library.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (404, "STREAM_NOT_FOUND"));
    drop(events);

    let forgotten = Single::reserved(&library).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(forgotten.events().await.status(), 404);
}

#[tokio::test]
async fn a_subgraph_in_another_process_is_subscribed_to_with_the_same_answer() {
    let near = Library::new();
    let (endpoints, memory) = endpoints();
    let far = Library::over(over_http(endpoints).await, memory, GatewaySettings::default());
    for operation in [
        "subscription { added(count: 3) { id title author { name } rating extra } }",
        "subscription { refused }",
        "subscription { added(count: 0) { id } }",
    ] {
        let expected = answer(&near, operation, EVENTS).await.text();
        assert_eq!(answer(&far, operation, EVENTS).await.text(), expected, "{operation}");
    }
    let who = [("accept", EVENTS), ("authorization", &*format!("Bearer {}", far.token()))];
    let viewer = far.send(request("subscription { who }", &who)).await.text();
    assert!(viewer.contains(&far.viewer.user.to_string()), "{viewer}");

    let mut events = open(&far, request(QUIET, &[("accept", EVENTS)])).await.into_body();
    chunk(&mut events).await;
    subscribers(&far, 1).await;
    drop(events);
    subscribers(&far, 0).await;
}
