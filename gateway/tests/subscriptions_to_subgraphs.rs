//! A subgraph of anybody's that is subscribed to over a WebSocket and behaves as it should, or in each way in which it should not:
//! the client is told once, and nothing waits for ever.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use futures::{SinkExt, StreamExt};
use gateway::{
    BreakerSettings, ClientSettings, EndToEndHeader, Gateway, GatewaySettings, GraphQlSubgraph,
    HeaderMatch, HeaderPattern, HeaderRules, HttpVersion, RequestRule, SubgraphSettings, Transport,
};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use support::pki::{Pki, authorities_of};
use support::socket;
use support::{SUPERGRAPH, post};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

type Socket = WebSocketStream<Box<dyn Bytes>>;

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// A subgraph that waits for a connection.
async fn subgraph(scheme: &str) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("{scheme}://{}/graphql", listener.local_addr().unwrap());
    (listener, address)
}

/// Makes a connection a WebSocket, and gives the headers that asked for it.
async fn accept(stream: impl Bytes + 'static) -> (Socket, HeaderMap) {
    let mut sent = HeaderMap::new();
    #[expect(clippy::result_large_err, reason = "the error is the library's")]
    let subprotocol = |request: &http::Request<()>, mut response: http::Response<()>| {
        sent = request.headers().clone();
        let name = http::HeaderValue::from_static("graphql-transport-ws");
        response.headers_mut().insert("sec-websocket-protocol", name);
        Ok(response)
    };
    let stream: Box<dyn Bytes> = Box::new(stream);
    let socket = tokio_tungstenite::accept_hdr_async(stream, subprotocol).await.unwrap();
    (socket, sent)
}

/// Runs `script` on the first WebSocket that the gateway opens, and gives what the client got.
async fn answer<F: Future<Output = ()> + Send>(
    script: impl FnOnce(Socket) -> F + Send + 'static,
) -> String {
    let (listener, address) = subgraph("http").await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(accept(stream).await.0).await;
    });
    through(&address).await
}

/// What a client gets for a subscription of a subgraph at `address`.
async fn through(address: &str) -> String {
    subscribed(&router(address, &SubgraphSettings::default()), &[]).await
}

/// A gateway whose subgraphs are all at `address`.
fn router(address: &str, settings: &SubgraphSettings) -> Router {
    let settings = SubgraphSettings { errors_shown: true, ..settings.clone() };
    let subgraphs: Vec<Transport> = ["authors", "books", "reviews"]
        .map(|name| Arc::new(GraphQlSubgraph::new(name, address, &settings).unwrap()).into())
        .into();
    let supergraph = federation::Supergraph::parse(SUPERGRAPH).unwrap();
    Gateway::general(supergraph, subgraphs, None, GatewaySettings::default()).unwrap().router()
}

/// What a client gets that subscribes with these headers.
async fn subscribed(router: &Router, headers: &[(&str, &str)]) -> String {
    let body = json!({ "query": "subscription S($n: Int!) { added(count: $n) { id } }", "variables": { "n": 2 } });
    let body = body.to_string();
    let mut request = post(&body).header("accept", "text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request: Request<Body> = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// What every conversation begins with.
async fn greet(socket: &mut Socket) -> Value {
    assert_eq!(hear(socket).await["type"], "connection_init");
    say(socket, json!({ "type": "connection_ack" })).await;
    hear(socket).await
}

fn event(id: &str) -> Value {
    json!({ "id": "1", "type": "next", "payload": { "data": { "added": { "id": id } } } })
}

#[tokio::test]
async fn events_are_passed_on_until_it_is_complete() {
    let text = answer(|mut socket| async move {
        let subscribe = greet(&mut socket).await;
        assert_eq!(subscribe["type"], "subscribe");
        assert_eq!(subscribe["payload"]["variables"], json!({ "n": 2 }));
        say(&mut socket, json!({ "type": "ping" })).await;
        assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }));
        say(&mut socket, event("7")).await;
        say(&mut socket, json!({ "id": "1", "type": "complete" })).await;
    });
    let text = text.await;
    assert!(text.contains(r#"data: {"data":{"added":{"id":"7"}}}"#), "{text}");
    assert_eq!(text.matches("event: next").count(), 1, "{text}");
}

#[tokio::test]
async fn its_errors_are_the_client_s() {
    let text = answer(|mut socket| async move {
        greet(&mut socket).await;
        let errors = json!([{ "message": "no", "extensions": { "code": "NOPE" } }]);
        say(&mut socket, json!({ "id": "1", "type": "error", "payload": errors })).await;
    });
    let text = text.await;
    assert!(text.contains(r#""data":null"#) && text.contains("NOPE"), "{text}");
}

#[tokio::test]
async fn one_that_breaks_off_ends_the_subscription_with_an_error() {
    let text = answer(|mut socket| async move {
        greet(&mut socket).await;
        say(&mut socket, event("7")).await;
        drop(socket);
    });
    let text = text.await;
    assert_eq!(text.matches("event: next").count(), 2, "{text}");
    assert!(
        text.contains("SUBREQUEST_UNREACHABLE") && text.ends_with("event: complete\ndata: \n\n")
    );
}

#[tokio::test]
async fn what_is_not_the_protocol_is_told_as_malformed() {
    for message in ["nonsense", r#"{"type":"data"}"#, r#"{"type":"next","payload":{}}"#] {
        let text = answer(move |mut socket| async move {
            greet(&mut socket).await;
            socket.send(Message::text(message)).await.unwrap();
            // One malformed event is no reason to end the subscription; a message that is none is.
            let _ = socket.send(Message::text(r#"{"id":"1","type":"complete"}"#)).await;
            socket.next().await;
        });
        let text = text.await;
        assert!(text.contains("SUBREQUEST_MALFORMED_RESPONSE"), "{message}: {text}");
    }
    let text = answer(|mut socket| async move {
        hear(&mut socket).await;
        say(&mut socket, event("7")).await;
        socket.next().await;
    });
    assert!(text.await.contains("SUBREQUEST_MALFORMED_RESPONSE"));
}

#[tokio::test]
async fn one_that_is_not_there_or_closes_at_once_is_unreachable() {
    let text = answer(|mut socket| async move {
        socket.close(None).await.unwrap();
    });
    assert!(text.await.contains("SUBREQUEST_UNREACHABLE"));
    let (listener, address) = subgraph("http").await;
    drop(listener);
    let text = through(&address).await;
    assert!(text.contains("SUBREQUEST_UNREACHABLE"), "{text}");
}

/// Says one event and that it is over.
async fn one_event(mut socket: Socket) {
    greet(&mut socket).await;
    say(&mut socket, event("7")).await;
    say(&mut socket, json!({ "id": "1", "type": "complete" })).await;
    // Whoever closes first would cut off what was said.
    while let Some(Ok(_)) = socket.next().await {}
}

fn with_client(client: ClientSettings) -> SubgraphSettings {
    SubgraphSettings { client, ..SubgraphSettings::default() }
}

#[tokio::test]
async fn over_tls_each_end_recognises_the_other_as_for_queries() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    let (listener, address) = subgraph("https").await;
    // It would rather speak HTTP/2, which cannot be upgraded.
    let acceptor = pki.acceptor(&[b"h2", b"http/1.1"]);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            one_event(accept(stream).await.0).await;
        }
    });
    for version in [HttpVersion::Negotiated, HttpVersion::Http1, HttpVersion::Http2] {
        let text = subscribed(&router(&address, &with_client(pki.settings(version))), &[]).await;
        assert!(text.contains(r#"data: {"data":{"added":{"id":"7"}}}"#), "{version:?}: {text}");
    }

    let without_identity = ClientSettings { tls: authorities_of(&pki), ..Default::default() };
    let untrusting = ClientSettings { tls: authorities_of(&strangers), ..Default::default() };
    for client in [without_identity, untrusting, ClientSettings::default()] {
        let text = subscribed(&router(&address, &with_client(client)), &[]).await;
        assert!(text.contains("SUBREQUEST_UNREACHABLE"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_given_up_after_the_connect_timeout() {
    let (_listener, address) = subgraph("https").await;
    let client = ClientSettings {
        connect_timeout: Duration::from_millis(100),
        tls: authorities_of(&Pki::new()),
        ..ClientSettings::default()
    };
    let started = Instant::now();
    let text = subscribed(&router(&address, &with_client(client)), &[]).await;
    assert!(text.contains("SUBREQUEST_TIMEOUT"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(5), "the timeout of answers is 30 seconds");
}

#[tokio::test]
async fn one_that_does_not_acknowledge_is_given_up_after_the_timeout() {
    let (listener, address) = subgraph("http").await;
    tokio::spawn(async move {
        let (mut socket, _) = accept(listener.accept().await.unwrap().0).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    let settings =
        SubgraphSettings { timeout: Duration::from_millis(200), ..SubgraphSettings::default() };
    let text = subscribed(&router(&address, &settings), &[]).await;
    assert!(text.contains("SUBREQUEST_TIMEOUT"), "{text}");
}

#[tokio::test]
async fn an_event_may_be_as_large_as_an_answer() {
    for (max_response, contained) in
        [(1 << 20, r#""added":{"id":"7"}"#), (1024, "SUBREQUEST_MALFORMED_RESPONSE")]
    {
        let (listener, address) = subgraph("http").await;
        tokio::spawn(async move {
            let (mut socket, _) = accept(listener.accept().await.unwrap().0).await;
            greet(&mut socket).await;
            let mut large = event("7");
            large["payload"]["extensions"] = json!({ "filling": "x".repeat(2000) });
            say(&mut socket, large).await;
            let _ = socket.send(Message::text(r#"{"id":"1","type":"complete"}"#)).await;
            while let Some(Ok(_)) = socket.next().await {}
        });
        let client = ClientSettings { max_response, ..ClientSettings::default() };
        let text = subscribed(&router(&address, &with_client(client)), &[]).await;
        assert!(text.contains(contained), "{max_response}: {text}");
    }
}

fn rules() -> SubgraphSettings {
    let pattern = HeaderMatch::Pattern(HeaderPattern::new("x-.*|sec-.*|authorization").unwrap());
    let request = vec![
        RequestRule::Propagate { which: pattern, rename: None, default: None },
        RequestRule::Insert {
            name: EndToEndHeader::new("x-gateway").unwrap(),
            value: "spacey".parse().unwrap(),
        },
    ];
    let headers = HeaderRules { request, ..HeaderRules::default() };
    SubgraphSettings { headers, ..SubgraphSettings::default() }
}

/// The headers of the upgrade and `connection_init` of the first subscription.
fn told(listener: TcpListener) -> tokio::task::JoinHandle<(HeaderMap, Value)> {
    tokio::spawn(async move {
        let (mut socket, headers) = accept(listener.accept().await.unwrap().0).await;
        let init = hear(&mut socket).await;
        say(&mut socket, json!({ "type": "connection_ack" })).await;
        hear(&mut socket).await;
        say(&mut socket, event("7")).await;
        say(&mut socket, json!({ "id": "1", "type": "complete" })).await;
        (headers, init["payload"].clone())
    })
}

#[tokio::test]
async fn the_upgrade_carries_what_the_rules_let_through() {
    let (listener, address) = subgraph("http").await;
    let told = told(listener);
    let sent = [("authorization", "Bearer t"), ("x-tenant", "7"), ("cookie", "a=b")];
    let text = subscribed(&router(&address, &rules()), &sent).await;
    assert!(text.contains(r#""id":"7""#), "{text}");
    let (headers, init) = told.await.unwrap();
    let of = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!((of("authorization"), of("x-tenant"), of("x-gateway")), ("Bearer t", "7", "spacey"));
    assert!(!headers.contains_key("cookie"));
    assert_eq!(init, json!({ "authorization": "Bearer t" }));

    let (listener, address) = subgraph("http").await;
    let told = self::told(listener);
    subscribed(&router(&address, &SubgraphSettings::default()), &sent).await;
    let (headers, init) = told.await.unwrap();
    assert!(!headers.contains_key("authorization") && !headers.contains_key("x-tenant"));
    assert_eq!(init, json!({}));
}

#[tokio::test]
async fn what_a_client_says_in_connection_init_goes_along_as_its_header_would() {
    let (listener, address) = subgraph("http").await;
    let told = told(listener);
    let gateway = socket::listen(router(&address, &rules())).await;
    let payload = json!({ "authorization": "Bearer t" });
    let mut client = socket::Socket::introduced(gateway, payload.clone()).await;
    client.subscribe("a", "subscription { added(count: 1) { id } }").await;
    assert_eq!(client.hear().await["payload"]["data"]["added"]["id"], "7");
    let (headers, init) = told.await.unwrap();
    assert_eq!(headers["authorization"], "Bearer t");
    // The client's own handshake is none of the subgraph's business.
    assert_eq!(headers.get_all("sec-websocket-key").iter().count(), 1);
    assert_eq!(init, payload);
}

#[tokio::test]
async fn a_circuit_breaker_counts_subscriptions_that_cannot_be_opened_and_not_those_refused() {
    let breaker = BreakerSettings { minimum: 2, ratio: 1.0, ..BreakerSettings::default() };
    let settings = SubgraphSettings { breaker: Some(breaker), ..SubgraphSettings::default() };
    for (status, reached) in [("401 Unauthorized", 5), ("503 Service Unavailable", 2)] {
        let (listener, address) = subgraph("http").await;
        let serving = tokio::spawn(async move {
            let mut count = 0;
            while let Ok(Ok((mut stream, _))) =
                tokio::time::timeout(Duration::from_millis(500), listener.accept()).await
            {
                count += 1;
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            count
        });
        let router = router(&address, &settings);
        for _ in 0..5 {
            assert!(subscribed(&router, &[]).await.contains("SUBREQUEST_UNREACHABLE"));
        }
        assert_eq!(serving.await.unwrap(), reached, "{status}");
    }
}
