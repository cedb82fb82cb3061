//! API keys at the gateway: what their scopes are for, when they end, and how they are asked for in another process.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use common::token::{ACCESS_TOKEN_LIFETIME, ServiceTokens};
use common::{Client, Clock, KeyVerifier};
use futures::future::join_all;
use gateway::{GatewaySettings, HttpEndpoint, RemoteKeys, StreamSettings, Transport, key_router};
use http::Request;
use serde_json::json;
use support::key_book::KeyBook;
use support::socket::{Socket, listen};
use support::{Answer, Identity, SUPERGRAPH, endpoints, remote, send, serve, service_tokens};

const QUERY: &str = "{ viewer }";
const MUTATION: &str = "mutation { rename(id: 1, title: \"new\") { title } }";
const SUBSCRIPTION: &str = "subscription { who }";

struct Setup {
    router: Router,
    book: Arc<KeyBook>,
    identity: Identity,
}

impl Setup {
    fn new() -> Self {
        let book = Arc::new(KeyBook::default());
        Self::with(book.clone(), book)
    }

    fn with(book: Arc<KeyBook>, keys: Arc<dyn KeyVerifier>) -> Self {
        let identity = Identity { keys: Some(keys), ..Identity::new() };
        let heartbeat = Duration::from_millis(50);
        let streams = StreamSettings { heartbeat, ..StreamSettings::default() };
        let settings = GatewaySettings { streams, ..GatewaySettings::default() };
        let transports = endpoints().0.into_iter().map(Transport::InProcess).collect();
        let router = identity.gateway(SUPERGRAPH, transports, settings).unwrap().router();
        Self { router, book, identity }
    }

    fn key(&self, scopes: &[&str]) -> String {
        self.book.make(scopes, self.identity.clock.now() + ACCESS_TOKEN_LIFETIME).0
    }

    async fn run(&self, key: &str, query: &str) -> Answer {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"))
            .header("user-agent", "script/1.0")
            .body(Body::from(json!({ "query": query }).to_string()))
            .unwrap();
        send(&self.router, request).await
    }
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_key_runs_what_its_scopes_are_for() {
    let it = Setup::new();
    let forbidden = (403, "FORBIDDEN".to_owned());
    for (scopes, reads, writes) in [
        (&["read"][..], true, false),
        (&["write"], false, true),
        (&["read", "write"], true, true),
        (&["READ", "admin"], false, false),
    ] {
        let key = it.key(scopes);
        let (read, write) = (it.run(&key, QUERY).await, it.run(&key, MUTATION).await);
        assert_eq!(outcome(&read) == (200, String::new()), reads, "{}", read.text());
        assert_eq!(outcome(&write) == (200, String::new()), writes, "{}", write.text());
        if !reads {
            assert_eq!(outcome(&read), forbidden);
            assert!(read.message().contains("the scope READ"), "{}", read.text());
        }
        if !writes {
            assert_eq!(outcome(&write), forbidden);
            assert!(write.message().contains("the scope WRITE"), "{}", write.text());
            let challenge = "Bearer error=\"insufficient_scope\", scope=\"write\"";
            assert_eq!(write.header("www-authenticate"), challenge);
            assert!(write.json().get("data").is_none(), "nothing was run");
        }
    }
    let agents = it.book.asked.lock().unwrap().clone();
    assert!(agents.iter().all(|client| client.user_agent.as_deref() == Some("script/1.0")));
}

#[tokio::test]
async fn what_cannot_be_a_key_is_not_asked_for() {
    let it = Setup::new();
    let key = it.key(&["read"]);
    let long = format!("{key}{}", "x".repeat(100_000));
    for other in ["sk_spacey_", &key[..47], &format!("{key}x"), &key.replace("Key", "-.~"), &long] {
        assert_eq!(outcome(&it.run(other, QUERY).await), (401, "UNAUTHENTICATED".to_owned()));
    }
    assert_eq!(it.book.was_asked(), 0);
    let cookie = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("cookie", format!("spacey-access={key}"))
        .body(Body::from(json!({ "query": QUERY }).to_string()))
        .unwrap();
    let answer = send(&it.router, cookie).await;
    assert_eq!(outcome(&answer), (401, "UNAUTHENTICATED".to_owned()), "a key is no cookie");
    assert_eq!(it.book.was_asked(), 0);
}

#[tokio::test]
async fn a_key_that_is_revoked_or_has_expired_is_good_no_more() {
    let it = Setup::new();
    let until = it.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    let (revoked, session) = it.book.make(&["read"], until);
    let expiring = it.key(&["read"]);
    for key in [&revoked, &expiring] {
        assert_eq!(it.run(key, QUERY).await.status, 200);
    }
    it.identity.revocations.revoke(session, until);
    assert_eq!(outcome(&it.run(&revoked, QUERY).await), (401, "UNAUTHENTICATED".to_owned()));
    it.identity.clock.advance(ACCESS_TOKEN_LIFETIME);
    assert_eq!(outcome(&it.run(&expiring, QUERY).await), (401, "UNAUTHENTICATED".to_owned()));
    // Without whoever knows keys, nothing is executed, and nobody is told that a key is bad.
    it.book.broken.store(true, Ordering::SeqCst);
    let answer = it.run(&it.key(&["read"]), QUERY).await;
    assert_eq!(outcome(&answer), (503, "SERVICE_UNAVAILABLE".to_owned()));
    assert!(answer.json().get("data").is_none());
}

#[tokio::test]
async fn a_websocket_takes_a_key_for_as_long_as_it_is_good() {
    let it = Setup::new();
    let address = listen(it.router.clone()).await;
    let payload = |key: &str| json!({ "Authorization": format!("Bearer {key}") });
    let mut writer = Socket::introduced(address, payload(&it.key(&["write"]))).await;
    for (id, query) in [("a", SUBSCRIPTION), ("b", QUERY)] {
        writer.subscribe(id, query).await;
        let message = writer.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let until = it.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    let (key, session) = it.book.make(&["read"], until);
    let mut reader = Socket::introduced(address, payload(&key)).await;
    reader.subscribe("a", QUERY).await;
    assert!(reader.hear().await["payload"]["data"]["viewer"].is_string());
    it.identity.revocations.revoke(session, until);
    assert_eq!(reader.closed().await.0, 4403);
    assert_eq!(refused(address, &key).await, 4403);
    it.book.broken.store(true, Ordering::SeqCst);
    assert_eq!(refused(address, &it.key(&["read"])).await, 1013, "try again later");
}

/// The code with which a WebSocket is closed that is introduced with the key.
async fn refused(address: SocketAddr, key: &str) -> u16 {
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    let mut socket = Socket::open(address, &[protocol]).await.unwrap();
    let payload = json!({ "authorization": format!("Bearer {key}") });
    socket.say(json!({ "type": "connection_init", "payload": payload })).await;
    socket.closed().await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn in_another_process_a_key_is_asked_for_now_and_then_and_refused_at_once() {
    let book = Arc::new(KeyBook::default());
    let url = serve(key_router(book.clone(), service_tokens(), Clock::System)).await;
    let keys = RemoteKeys::new(Arc::new(remote("users", url.clone())));
    let it = Setup::with(book.clone(), Arc::new(keys));
    let until = it.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    let (key, session) = it.book.make(&["read"], until);
    let answers = join_all((0..50).map(|_| it.run(&key, QUERY))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(it.run(&key, MUTATION).await.code(), "FORBIDDEN");
    assert_eq!(it.book.was_asked(), 1);
    let client = it.book.asked.lock().unwrap()[0].clone();
    assert_eq!(client.user_agent.as_deref(), Some("script/1.0"), "for the log of security events");

    it.identity.revocations.revoke(session, until);
    assert_eq!(it.run(&key, QUERY).await.status, 401, "whatever is remembered");
    let unknown = key.replace("Key123", "Key124");
    for _ in 0..2 {
        assert_eq!(it.run(&unknown, QUERY).await.status, 401);
    }
    assert_eq!(it.book.was_asked(), 3, "of what is no good nothing is remembered");
    it.book.broken.store(true, Ordering::SeqCst);
    assert_eq!(it.run(&it.key(&["read"]), QUERY).await.code(), "SERVICE_UNAVAILABLE");

    let asked = it.book.was_asked();
    let others = Arc::new(ServiceTokens::new(&"a secret that nobody here shares".into()));
    let timeout = Duration::from_secs(5);
    let stranger = HttpEndpoint::new("users", url.clone(), others, timeout).unwrap();
    let stranger = RemoteKeys::new(Arc::new(stranger));
    assert!(stranger.identify(&key, &Client::default()).await.is_err());
    assert_eq!(it.book.was_asked(), asked, "a stranger asks for nothing");
}
