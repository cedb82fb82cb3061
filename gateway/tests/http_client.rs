//! The client for subgraphs against real servers: connections are kept, shared and replaced; TLS recognises both ends; bounds hold.

#![expect(clippy::unwrap_used, reason = "only tests call this")]

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway::{
    ClientError, ClientIdentity, ClientSettings, ClientSetupError, HttpVersion, SubgraphHttpClient,
    TlsSettings,
};
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use support::pki::{Pki, authorities_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use url::Url;

/// Answers with what it was asked: version, method, path and body.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = format!(
        "{:?} {} {} host={:?} {}",
        parts.version,
        parts.method,
        parts.uri.path_and_query().unwrap(),
        parts.headers.get("host").map(|host| host.to_str().unwrap().to_owned()),
        String::from_utf8(body.to_vec()).unwrap(),
    );
    Ok(Response::new(Full::from(text)))
}

/// A server of either version that counts its connections.
async fn server(acceptor: Option<TlsAcceptor>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                match acceptor {
                    None => {
                        drop(builder.serve_connection(TokioIo::new(stream), service_fn(echo)).await)
                    }
                    Some(acceptor) => {
                        // A client that is refused here finds out by itself.
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        drop(
                            builder.serve_connection(TokioIo::new(stream), service_fn(echo)).await,
                        );
                    }
                }
            });
        }
    });
    (address, connections)
}

fn client(address: SocketAddr, settings: &ClientSettings) -> SubgraphHttpClient {
    SubgraphHttpClient::new(&format!("http://{address}").parse().unwrap(), settings).unwrap()
}

fn over(version: HttpVersion) -> ClientSettings {
    ClientSettings { version, ..ClientSettings::default() }
}

fn post(path: &str, body: &'static str) -> Request<Bytes> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

async fn text(client: &SubgraphHttpClient, request: Request<Bytes>) -> String {
    String::from_utf8(client.send(request).await.unwrap().into_body().to_vec()).unwrap()
}

#[tokio::test]
async fn http_1_1_connections_are_used_again() {
    let (address, connections) = server(None).await;
    let client = client(address, &ClientSettings::default());
    for _ in 0..5 {
        assert_eq!(
            text(&client, post("http://elsewhere/a?b=1", "hello")).await,
            format!("HTTP/1.1 POST /a?b=1 host=Some(\"{address}\") hello")
        );
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let both =
        futures::future::join(text(&client, post("/left", "")), text(&client, post("/right", "")));
    let (left, right) = both.await;
    assert!(left.contains("/left") && right.contains("/right"), "{left} {right}");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn connections_grow_old() {
    let (address, connections) = server(None).await;
    let settings = ClientSettings { idle_timeout: Duration::ZERO, ..ClientSettings::default() };
    let old = client(address, &settings);
    let settings = ClientSettings { max_idle: 0, ..ClientSettings::default() };
    let unkept = client(address, &settings);
    for client in [&old, &old, &unkept, &unkept] {
        text(client, post("/", "")).await;
    }
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_by_prior_knowledge_over_one_connection() {
    let (address, connections) = server(None).await;
    let client = client(address, &over(HttpVersion::Http2));
    let requests = (0..20).map(|_| text(&client, post("/a", "hello")));
    for answer in futures::future::join_all(requests).await {
        assert_eq!(answer, "HTTP/2.0 POST /a host=None hello");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_takes_its_connection_along() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = client(address, &ClientSettings::default());
    let sending = client.send(post("/", ""));
    assert!(tokio::time::timeout(Duration::from_millis(100), sending).await.is_err());
    let (mut stream, _) = listener.accept().await.unwrap();
    // Whatever was sent is followed by the end.
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
}

/// Takes one request on a connection and answers with `answer`.
async fn answer_once(stream: &mut TcpStream, answer: &[u8]) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nbody") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
    stream.write_all(answer).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            answer_once(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    let client = client(address, &ClientSettings::default());
    for _ in 0..3 {
        assert_eq!(text(&client, post("/", "body")).await, "ok");
        // The server drops the connection now; give the end of it time to arrive, or not.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    serving.await.unwrap();
}

/// What the client makes of an answer, after which the server closes.
async fn answered(answer: &'static [u8], max_response: usize) -> Result<Bytes, ClientError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        answer_once(&mut stream, answer).await;
    });
    let settings = ClientSettings { max_response, ..ClientSettings::default() };
    let response = client(address, &settings).send(post("/", "body")).await;
    response.map(Response::into_body)
}

#[tokio::test]
async fn bodies_arrive_however_they_are_sent() {
    for answer in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 5\r\n\r\nhello",
    ] {
        let body = answered(answer, 5).await;
        assert_eq!(body.unwrap(), "hello", "{}", String::from_utf8_lossy(answer));
    }
    let nothing = answered(b"HTTP/1.1 204 No Content\r\n\r\n", 5).await;
    assert_eq!(nothing.unwrap(), "");
}

#[tokio::test]
async fn a_response_that_is_too_large_is_refused() {
    for answer in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello!",
    ] {
        let error = answered(answer, 5).await.unwrap_err();
        assert!(matches!(error, ClientError::TooLarge { limit: 5 }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_response_is_an_error() {
    for answer in [
        b"".as_slice(),
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n",
    ] {
        let error = answered(answer, 100).await.unwrap_err();
        assert!(matches!(error, ClientError::Broken(_)), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address, &ClientSettings::default()).send(post("/", "")).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let settings = ClientSettings {
        connect_timeout: Duration::from_millis(100),
        tls: authorities_of(&Pki::new()),
        ..ClientSettings::default()
    };
    let client = SubgraphHttpClient::new(&url, &settings).unwrap();
    let error = client.send(post("/", "")).await.unwrap_err();
    assert!(matches!(error, ClientError::ConnectTimeout), "{error:?}");
}

#[tokio::test]
async fn over_tls_the_version_is_negotiated() {
    let pki = Pki::new();
    for (offered, version, spoken) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], HttpVersion::Negotiated, Some(Version::HTTP_2)),
        (&[b"h2".as_slice(), b"http/1.1"][..], HttpVersion::Http1, Some(Version::HTTP_11)),
        (&[b"http/1.1".as_slice()][..], HttpVersion::Negotiated, Some(Version::HTTP_11)),
        (&[][..], HttpVersion::Negotiated, Some(Version::HTTP_11)),
        (&[][..], HttpVersion::Http2, None),
        (&[b"h2".as_slice()][..], HttpVersion::Http1, None),
    ] {
        let (address, connections) = server(Some(pki.acceptor(offered))).await;
        let url: Url = format!("https://{address}").parse().unwrap();
        let client = SubgraphHttpClient::new(&url, &pki.settings(version)).unwrap();
        for _ in 0..3 {
            match (spoken, client.send(post("/a", "hello")).await) {
                (Some(spoken), Ok(response)) => assert_eq!(response.version(), spoken),
                (None, Err(ClientError::Connect(_))) => continue,
                (_, result) => panic!("{offered:?} {version:?}: {result:?}"),
            }
            assert_eq!(connections.load(Ordering::SeqCst), 1, "{offered:?} {version:?}");
        }
    }
}

#[tokio::test]
async fn neither_end_trusts_a_stranger() {
    let (pki, strangers) = (Pki::new(), Pki::new());
    let (address, _) = server(Some(pki.acceptor(&[b"http/1.1"]))).await;
    let url: Url = format!("https://{address}").parse().unwrap();
    let without_identity = ClientSettings { tls: authorities_of(&pki), ..over(HttpVersion::Http1) };
    let mut untrusting = pki.settings(HttpVersion::Http1);
    untrusting.tls.authorities = authorities_of(&strangers).authorities;
    for settings in [without_identity, untrusting, strangers.settings(HttpVersion::Http1)] {
        let client = SubgraphHttpClient::new(&url, &settings).unwrap();
        client.send(post("/", "")).await.unwrap_err();
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_at_once() {
    for url in ["ftp://host/", "unix:/run/socket"] {
        let error =
            SubgraphHttpClient::new(&url.parse().unwrap(), &ClientSettings::default()).unwrap_err();
        assert!(matches!(error, ClientSetupError::Address(_)), "{url}: {error:?}");
    }
    let url: Url = "https://host".parse().unwrap();
    let pki = Pki::new();
    let nonsense = || Some(b"nonsense".to_vec());
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let identity = ClientIdentity {
        certificates: pki.client.0.clone().into(),
        key: pki.server.1.clone().into(),
    };
    for tls in [
        TlsSettings { authorities: nonsense(), identity: None },
        TlsSettings { authorities: Some(broken.into()), identity: None },
        TlsSettings { identity: Some(identity), ..authorities_of(&pki) },
    ] {
        let settings = ClientSettings { tls, ..ClientSettings::default() };
        let error = SubgraphHttpClient::new(&url, &settings).unwrap_err();
        assert!(matches!(error, ClientSetupError::Tls { .. }), "{error:?}");
        assert!(!format!("{settings:?}").contains("PRIVATE"));
    }
}
