//! What is logged about a request: enough to find it again, and nothing that is somebody's secret.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use common::Clock;
use common::token::ACCESS_TOKEN_LIFETIME;
use gateway::{RemoteKeys, key_router};
use serde_json::{Value, json};
use support::key_book::KeyBook;
use support::{Library, remote, serve, service_tokens};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Runs one request with everything logged, and gives the log.
async fn logged(library: &Library, body: &Value) -> String {
    logged_as(library, &library.token(), body).await
}

/// The same with other credentials.
async fn logged_as(library: &Library, credentials: &str, body: &Value) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let body = body.to_string();
    let request = support::post(&body)
        .header("authorization", format!("Bearer {credentials}"))
        .header("cookie", "theme=cookie-value")
        .header("x-request-id", "the-id")
        .body(Body::from(body))
        .unwrap();
    library.send(request).await;
    drop(guard);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_request_has_one_line_that_tells_about_it() {
    let library = Library::new();
    let body = json!({ "query": "query Mine { viewer }" });
    let log = logged(&library, &body).await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered: Vec<_> =
        lines.iter().filter(|line| line["fields"]["message"] == "answered").collect();
    let [line] = answered[..] else { panic!("{log}") };
    assert_eq!(line["fields"]["status"], 200);
    assert!(line["fields"]["ms"].is_number());
    for (field, value) in
        [("request_id", "the-id"), ("method", "POST"), ("path", "/graphql"), ("operation", "Mine")]
    {
        assert_eq!(line["span"][field], value, "{line}");
    }
}

#[tokio::test]
async fn secrets_are_not_logged() {
    let library = Library::new();
    for query in [
        "query($id: ID!) { book(id: $id) { id rating } fails panics }",
        "query($id: ID!) { nothing(id: $id) }",
    ] {
        let body = json!({ "query": query, "variables": { "id": "the-variable" } });
        let log = logged(&library, &body).await;
        assert!(log.contains("the-id"), "{log}");
        for secret in ["the-variable", "cookie-value", &library.token()] {
            assert!(!log.contains(secret), "{secret} is in {log}");
        }
    }
}

#[tokio::test]
async fn api_keys_are_not_logged_whatever_becomes_of_them() {
    let book = Arc::new(KeyBook::default());
    let library = Library::with_keys(book.clone());
    let until = library.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    let good = book.make(&["read"], until).0;
    let writer = book.make(&["write"], until).0;
    let (unknown, malformed) = (good.replace("Key123", "Key124"), good.replace("Key123", "Key"));
    let body = json!({ "query": "{ viewer fails }" });
    for key in [&good, &writer, &unknown, &malformed] {
        let log = logged_as(&library, key, &body).await;
        assert!(log.contains("the-id") && !log.contains(&key[..20]), "{log}");
    }
    book.broken.store(true, Ordering::SeqCst);
    let log = logged_as(&library, &good, &body).await;
    assert!(log.contains("an API key cannot be checked") && !log.contains(&good[..20]), "{log}");

    // Nor between processes.
    let url = serve(key_router(book.clone(), service_tokens(), Clock::System)).await;
    let keys = RemoteKeys::new(Arc::new(remote("users", url)));
    let library = Library::with_keys(Arc::new(keys));
    let log = logged_as(&library, &good, &body).await;
    assert!(log.contains("an API key cannot be checked") && !log.contains(&good[..20]), "{log}");
    book.broken.store(false, Ordering::SeqCst);
    let log = logged_as(&library, &good, &body).await;
    assert!(log.contains("the-id") && !log.contains(&good[..20]), "{log}");
}
