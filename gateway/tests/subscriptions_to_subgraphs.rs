//! A subgraph of anybody's that is subscribed to over a WebSocket and behaves as it should, or in each way in which it should not:
//! the client is told once, and nothing waits for ever.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;

use axum::body::Body;
use futures::{SinkExt, StreamExt};
use gateway::{Gateway, GatewaySettings, GraphQlSubgraph, SubgraphSettings, Transport};
use http::Request;
use serde_json::{Value, json};
use support::{SUPERGRAPH, post};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

type Socket = WebSocketStream<TcpStream>;

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

/// Runs `script` on the first WebSocket that the gateway opens, and gives what the client got.
async fn answer<F: Future<Output = ()> + Send>(
    script: impl FnOnce(Socket) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the error is the library's")]
        let subprotocol = |_: &http::Request<()>, mut response: http::Response<()>| {
            let name = http::HeaderValue::from_static("graphql-transport-ws");
            response.headers_mut().insert("sec-websocket-protocol", name);
            Ok(response)
        };
        script(tokio_tungstenite::accept_hdr_async(stream, subprotocol).await.unwrap()).await;
    });
    through(&address).await
}

/// What a client gets for a subscription of a subgraph at `address`.
async fn through(address: &str) -> String {
    let settings = SubgraphSettings { errors_shown: true, ..SubgraphSettings::default() };
    let subgraphs: Vec<Transport> = ["authors", "books", "reviews"]
        .map(|name| Arc::new(GraphQlSubgraph::new(name, address, &settings).unwrap()).into())
        .into();
    let supergraph = federation::Supergraph::parse(SUPERGRAPH).unwrap();
    let gateway =
        Gateway::general(supergraph, subgraphs, None, GatewaySettings::default()).unwrap();
    let body = json!({ "query": "subscription S($n: Int!) { added(count: $n) { id } }", "variables": { "n": 2 } });
    let body = body.to_string();
    let request: Request<Body> =
        post(&body).header("accept", "text/event-stream").body(Body::from(body)).unwrap();
    let response = gateway.router().oneshot(request).await.unwrap();
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/graphql", listener.local_addr().unwrap());
    drop(listener);
    let text = through(&address).await;
    assert!(text.contains("SUBREQUEST_UNREACHABLE"), "{text}");
}
