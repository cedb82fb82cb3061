//! What clients do to a real connection: stop in the middle, send far too much, send what is no HTTP.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use support::{Library, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn start() -> SocketAddr {
    let url = serve(Library::new().router).await;
    format!("127.0.0.1:{}", url.port().unwrap()).parse().unwrap()
}

/// Sends `bytes` and gives what comes back until the other end closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    rest(connection).await
}

/// Sends `bytes`, stops there, and gives what comes back.
async fn break_off(address: SocketAddr, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    connection.shutdown().await.unwrap();
    rest(connection).await
}

async fn rest(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = connection.read_to_end(&mut answer);
    // The other end may reset the connection rather than close it.
    drop(timeout(Duration::from_secs(20), reading).await.expect("the connection hangs"));
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(length: usize, extra: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{extra}\r\n"
    )
}

async fn assert_alive(address: SocketAddr) {
    let body = r#"{"query":"{ __typename }"}"#;
    let request = format!("{}{body}", head(body.len(), "connection: close\r\n"));
    let answer = exchange(address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_breaks_off_is_refused_or_closed() {
    let address = start().await;
    for sent in [
        "",
        "P",
        "POST /graphql HTTP/1.1\r\nhost:",
        &head(100, ""),
        &format!("{}{{\"query\":\"{{", head(100, "")),
    ] {
        let answer = break_off(address, sent.as_bytes()).await;
        let fine = answer.is_empty() || answer.starts_with("HTTP/1.1 400");
        assert!(fine, "{sent:?}: {answer}");
        assert_alive(address).await;
    }
    let chunked = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n";
    let answer = break_off(address, chunked.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_alive(address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_are_answered_413() {
    let address = start().await;
    let body = vec![b' '; 50 << 20];
    let mut request = head(body.len(), "connection: close\r\n").into_bytes();
    request.extend_from_slice(&body);
    let answer = exchange(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("PAYLOAD_TOO_LARGE"), "{answer}");

    let asks_first = head(body.len(), "expect: 100-continue\r\nconnection: close\r\n");
    let answer = exchange(address, asks_first.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_alive(address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused() {
    let address = start().await;
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let long = format!("GET /graphql?query={} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000));
    for bytes in [&binary[..], b"\r\n\r\n", b"GET\r\n\r\n", long.as_bytes()] {
        let answer = break_off(address, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:.100}");
        assert_alive(address).await;
    }
}
