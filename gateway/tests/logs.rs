//! What is logged about a request: enough to find it again, and nothing that is somebody's secret.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use serde_json::{Value, json};
use support::Library;
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
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let body = body.to_string();
    let request = support::post(&body)
        .header("authorization", format!("Bearer {}", library.token()))
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
