//! `graphql-transport-ws` at the gateway: the whole life of a connection, and each way in which it is closed.

mod support;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use common::token::ACCESS_TOKEN_LIFETIME;
use gateway::{GatewaySettings, StreamSettings};
use http::{HeaderValue, Request};
use serde_json::{Value, json};
use support::Library;
use support::socket::{Socket, listen};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

async fn library() -> (Library, SocketAddr) {
    with(StreamSettings::default()).await
}

async fn with(streams: StreamSettings) -> (Library, SocketAddr) {
    let library = Library::with(GatewaySettings { streams, ..GatewaySettings::default() });
    let address = listen(library.router.clone()).await;
    (library, address)
}

fn next(id: &str, data: Value) -> Value {
    json!({ "id": id, "type": "next", "payload": { "data": data } })
}

fn complete(id: &str) -> Value {
    json!({ "id": id, "type": "complete" })
}

/// Waits until as many subscriptions are open.
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
async fn each_event_is_completed_by_other_subgraphs() {
    let (_library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket.subscribe("a", "subscription { added(count: 2) { id author { name } rating } }").await;
    for (id, author) in [("0", "Author a2"), ("1", "Author a2")] {
        let message = socket.hear().await;
        assert_eq!(message["payload"]["data"]["added"]["id"], id, "{message}");
        assert_eq!(message["payload"]["data"]["added"]["author"]["name"], author);
        assert!(message["payload"]["data"]["added"]["rating"].is_number());
    }
    assert_eq!(socket.hear().await, complete("a"));
}

#[tokio::test]
async fn queries_and_mutations_are_answered_too() {
    let (_library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket.subscribe("q", "{ book(id: 1) { id } }").await;
    assert_eq!(socket.hear().await, next("q", json!({ "book": { "id": "1" } })));
    assert_eq!(socket.hear().await, complete("q"));
    socket.subscribe("q", "mutation { rename(id: 4, title: \"New\") { title } }").await;
    assert_eq!(socket.hear().await, next("q", json!({ "rename": { "title": "New" } })));
    assert_eq!(socket.hear().await, complete("q"));
}

#[tokio::test]
async fn an_operation_that_cannot_be_run_is_an_error_and_the_connection_stays() {
    let (_library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    for (payload, code) in [
        (json!({ "query": "subscription { nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "subscription { who __typename }" }), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({ "query": "subscription S($n: Int!) { added(count: $n) { id } }" }),
            "BAD_USER_INPUT",
        ),
        (json!({ "query": 7 }), "BAD_REQUEST"),
        (json!([]), "BAD_REQUEST"),
    ] {
        socket.say(json!({ "id": "x", "type": "subscribe", "payload": payload })).await;
        let message = socket.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("x")));
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
    }
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
}

#[tokio::test]
async fn a_subgraph_that_refuses_or_breaks_is_told_of_in_an_answer() {
    let (_library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket.subscribe("r", "subscription { refused }").await;
    let message = socket.hear().await;
    assert_eq!(message["payload"]["data"], Value::Null);
    assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "NO", "{message}");
    assert_eq!(socket.hear().await, complete("r"));

    socket.subscribe("p", "subscription { panicking }").await;
    assert_eq!(socket.hear().await, next("p", json!({ "panicking": 0 })));
    let message = socket.hear().await;
    assert_eq!(message["type"], "error");
    let text = message.to_string();
    assert!(text.contains("INTERNAL_SERVER_ERROR") && !text.contains("secret"), "{text}");
    socket.subscribe("q", "{ book(id: 1) { id } }").await;
    assert_eq!(socket.hear().await, next("q", json!({ "book": { "id": "1" } })));
}

#[tokio::test]
async fn what_a_viewer_may_not_subscribe_to_is_told_in_one_answer() {
    let (library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    for query in ["subscription { mine }", "subscription { ... on Subscription { mine } }"] {
        socket.subscribe("a", query).await;
        let message = socket.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!("a")), "{message}");
        let payload = &message["payload"];
        assert_eq!(payload["data"], json!({ "mine": null }));
        assert_eq!(payload["errors"][0]["path"], json!(["mine"]));
        assert_eq!(payload["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(payload["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(socket.hear().await, complete("a"));
    }
    let token = json!({ "authorization": format!("Bearer {}", library.token()) });
    let mut socket = Socket::introduced(address, token).await;
    socket.subscribe("a", "subscription { mine }").await;
    let viewer = library.viewer.user.to_string();
    assert_eq!(socket.hear().await, next("a", json!({ "mine": viewer })));
    assert_eq!(socket.hear().await, complete("a"));
}

#[tokio::test]
async fn stopping_or_leaving_ends_the_subscription_at_the_subgraph() {
    let (library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    let endless = "subscription { added(count: 1000000, every: 5) { id } }";
    socket.subscribe("a", endless).await;
    socket.subscribe("b", endless).await;
    socket.hear().await;
    subscribers(&library, 2).await;
    socket.say(complete("a")).await;
    subscribers(&library, 1).await;
    // The id is free again, and what the first one had sent does not appear under it.
    socket.subscribe("a", "{ book(id: 1) { id } }").await;
    loop {
        let message = socket.hear().await;
        if message["id"] == "a" && message["payload"]["data"].get("book").is_some() {
            break;
        }
    }
    drop(socket);
    subscribers(&library, 0).await;
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let (library, address) = library().await;
    let mut quiet = Socket::introduced(address, json!({})).await;
    assert_eq!(quiet.close(1000).await, 1000);
    let mut busy = Socket::introduced(address, json!({})).await;
    busy.subscribe("a", "subscription { added(count: 1000000, every: 1) { id } }").await;
    subscribers(&library, 1).await;
    assert_eq!(busy.close(1000).await, 1000);
    subscribers(&library, 0).await;
}

#[tokio::test]
async fn who_is_asking_is_told_by_payload_or_headers() {
    let (library, address) = library().await;
    let bearer = format!("Bearer {}", library.token());
    let cookie = format!("spacey-access={}", library.token());
    let own_origin = format!("http://{address}");
    let cases = [
        (json!({ "Authorization": bearer }), vec![PROTOCOL]),
        (json!({}), vec![PROTOCOL, ("authorization", &bearer)]),
        (json!({}), vec![PROTOCOL, ("cookie", &cookie), ("origin", &own_origin)]),
        (json!({ "authorization": bearer }), vec![PROTOCOL, ("cookie", "spacey-access=bad")]),
    ];
    for (payload, headers) in cases {
        let mut socket = Socket::open(address, &headers).await.unwrap();
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        socket.hear().await;
        socket.subscribe("w", "subscription { who }").await;
        let user = library.viewer.user.to_string();
        assert_eq!(socket.hear().await, next("w", json!({ "who": user })));
    }
    let mut socket = Socket::open(address, &[PROTOCOL]).await.unwrap();
    let payload = json!({ "authorization": "Bearer nonsense" });
    socket.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.closed().await, (4403, "Forbidden".into()));
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_unless_it_is_allowed() {
    let mut settings = GatewaySettings::default();
    settings.browser.allowed_origins = vec![HeaderValue::from_static("https://app.example")];
    let library = Library::with(settings);
    let address = listen(library.router.clone()).await;
    let allowed = [PROTOCOL, ("origin", "https://app.example")];
    Socket::open(address, &allowed).await.unwrap();
    for origin in ["https://evil.example", "null", &format!("http://{address}.evil.example")] {
        let refused = Socket::open(address, &[PROTOCOL, ("origin", origin)]).await;
        let Err(tokio_tungstenite::tungstenite::Error::Http(response)) = refused else {
            panic!("{origin}")
        };
        assert_eq!(response.status(), 403, "{origin}");
    }
}

#[tokio::test]
async fn a_request_that_opens_no_websocket_is_refused_with_the_reason_and_a_code() {
    let library = Library::new();
    for (method, version, reason) in [("POST", "13", "GET"), ("GET", "12", "Sec-WebSocket-Version")]
    {
        let request = Request::builder()
            .method(method)
            .uri("/graphql")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-version", version);
        let answer = library.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_REQUEST"));
        assert!(answer.message().contains(reason), "{}", answer.message());
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_the_connection_with_its_code() {
    let (_library, address) = library().await;
    let init = json!({ "type": "connection_init" });
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": "subscription { added(every: 60000) { id } }" } });
    for (messages, code) in [
        (vec![json!({ "type": "nonsense" })], 4400),
        (vec![subscribe.clone()], 4401),
        (vec![init.clone(), init.clone()], 4429),
        (vec![init.clone(), subscribe.clone(), subscribe.clone()], 4409),
        (vec![init.clone(), json!({ "type": "next", "id": "1", "payload": {} })], 4400),
    ] {
        let mut socket = Socket::open(address, &[PROTOCOL]).await.unwrap();
        for message in &messages {
            socket.say(message.clone()).await;
        }
        assert_eq!(socket.closed().await.0, code, "{messages:?}");
    }
    let mut socket = Socket::open(address, &[]).await.unwrap();
    assert_eq!(socket.closed().await, (4406, "Subprotocol not acceptable".into()));
}

#[tokio::test]
async fn a_client_that_never_introduces_itself_is_closed() {
    let init_timeout = Duration::from_millis(50);
    let (_library, address) = with(StreamSettings { init_timeout, ..Default::default() }).await;
    let mut socket = Socket::open(address, &[PROTOCOL]).await.unwrap();
    assert_eq!(socket.closed().await, (4408, "Connection initialisation timeout".into()));
}

#[tokio::test]
async fn a_token_that_expires_or_a_session_that_ends_closes_the_connection() {
    let heartbeat = Duration::from_millis(50);
    let (library, address) = with(StreamSettings { heartbeat, ..Default::default() }).await;
    let payload = json!({ "authorization": format!("Bearer {}", library.token()) });
    let mut quiet = Socket::introduced(address, payload.clone()).await;
    quiet.subscribe("a", "subscription { added(every: 60000) { id } }").await;
    subscribers(&library, 1).await;
    library.identity.clock.advance(ACCESS_TOKEN_LIFETIME);
    assert_eq!(quiet.closed().await.0, 4403);
    subscribers(&library, 0).await;

    let payload = json!({ "authorization": format!("Bearer {}", library.token()) });
    let mut busy = Socket::introduced(address, payload).await;
    busy.subscribe("a", "subscription { added(count: 1000000, every: 1) { id } }").await;
    busy.hear().await;
    let until = library.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    library.identity.revocations.revoke(library.viewer.session, until);
    assert_eq!(busy.closed().await.0, 4403);
}

#[tokio::test]
async fn the_end_of_the_program_closes_connections_so_that_clients_come_back() {
    let (library, address) = library().await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket.subscribe("a", "subscription { added(every: 60000) { id } }").await;
    subscribers(&library, 1).await;
    library.gateway.drain().begin();
    assert_eq!(socket.closed().await.0, 1001);
    subscribers(&library, 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_costs_a_bounded_queue() {
    let patience = Duration::from_millis(200);
    let settings = StreamSettings { patience, buffer: 4, ..Default::default() };
    let (library, address) = with(settings).await;
    let mut socket = Socket::introduced(address, json!({})).await;
    // Large events, so that the system's own buffers are soon full.
    let title = "added(count: 1000000) { author { name } reviews(first: 20000) { text } }";
    socket.subscribe("a", &format!("subscription {{ {title} }}")).await;
    subscribers(&library, 1).await;
    // Without anybody reading, the gateway gives up on the client.
    subscribers(&library, 0).await;
    drop(socket);
}

#[tokio::test]
async fn operations_of_a_connection_and_connections_of_a_client_are_limited() {
    let settings = StreamSettings {
        operations_per_connection: 1,
        connections_per_client: 1,
        ..Default::default()
    };
    let (library, address) = with(settings).await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket.subscribe("a", "subscription { added(every: 60000) { id } }").await;
    socket.subscribe("b", "{ book(id: 1) { id } }").await;
    let message = socket.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("b")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_STREAMS");

    let mut second = Socket::open(address, &[PROTOCOL]).await.unwrap();
    second.say(json!({ "type": "connection_init" })).await;
    assert_eq!(second.closed().await.0, 1013);
    let payload = json!({ "authorization": format!("Bearer {}", library.token()) });
    Socket::introduced(address, payload).await;
}
