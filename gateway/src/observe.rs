//! Gives every request an id and a log line.
//!
//! The line tells method, path, operation name, application, status and duration: never tokens, variables, bodies or query strings, which are
//! other people's.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use common::trace;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::client::Application;
use crate::metrics::Metrics;

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID: usize = 64;

/// Ties together what is logged about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

impl RequestId {
    /// The client's id where it is a sane one (up to 64 of `A-Z a-z 0-9 . _ -`), else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        match given {
            Some(id) if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(sane) => Self(id.into()),
            _ => Self(Uuid::now_v7().to_string().into()),
        }
    }
}

/// Middleware around everything.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let path = request.uri().path();
    let is_probe = path.starts_with("/health/");
    let span = tracing::info_span!(
        "request",
        request_id = &*id.0,
        trace_id = Empty,
        method = %request.method(),
        path,
        operation = Empty,
        client_name = Empty,
        client_version = Empty,
    );
    if let Some(trace) = trace::id(&span) {
        span.record("trace_id", trace);
    }
    let Application { name, version } = Application::of(request.headers());
    for (field, value) in [("client_name", name), ("client_version", version)] {
        if let Some(value) = value {
            span.record(field, &*value);
        }
    }
    request.extensions_mut().insert(id.clone());
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        let status = response.status().as_u16();
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        if is_probe {
            tracing::debug!(status, ms, "answered");
        } else {
            Metrics::get().answered(status);
            tracing::info!(status, ms, "answered");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id of a request that came through [`observe`].
pub(crate) fn request_id(parts: &Parts) -> Arc<str> {
    parts.extensions.get::<RequestId>().map_or_else(|| "".into(), |id| id.0.clone())
}

/// Notes the operation's name on the request's span.
pub(crate) fn note_operation(name: Option<&str>) {
    if let Some(name) = name {
        tracing::Span::current().record("operation", name);
    }
}

/// A plan without the texts that the client wrote into its operation, which are somebody's: names of subgraphs stay.
pub(crate) fn without_texts(plan: &str) -> String {
    const SUBGRAPH: &str = "Fetch(service: ";
    let (mut left, mut rest) = (String::with_capacity(plan.len()), plan);
    while let Some(start) = rest.find('"') {
        left.push_str(&rest[..start]);
        let text = &rest[start..];
        let quotes = if text.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
        let end = end_of(text, quotes);
        left.push_str(if left.ends_with(SUBGRAPH) { &text[..end] } else { "\"…\"" });
        rest = &text[end..];
    }
    left.push_str(rest);
    left
}

/// Where a text ends that begins with `quotes`, after them.
fn end_of(text: &str, quotes: &str) -> usize {
    let mut at = quotes.len();
    while let Some(found) = text.get(at..) {
        if found.starts_with(quotes) {
            return at + quotes.len();
        }
        // What is escaped ends nothing.
        let mut letters = found.chars();
        let Some(letter) = letters.next() else { break };
        at += letter.len_utf8();
        if letter == '\\' {
            at += letters.next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_without_texts() {
        let plan = "Fetch(service: \"users\") { a(b: \"ada\\\"ü\", c: [\"\", \"Fetch(service: \"], d: 5) }";
        let told = "Fetch(service: \"users\") { a(b: \"…\", c: [\"…\", \"…\"], d: 5) }";
        assert_eq!(without_texts(plan), told);
        for (plan, told) in [
            ("a(b: \"\"\"one \"two\" three\"\"\") c", "a(b: \"…\") c"),
            ("a(b: \"without end", "a(b: \"…\""),
            ("a(b: \"ends so\\", "a(b: \"…\""),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_texts(plan), told);
        }
    }

    fn id_of(value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
        RequestId::of(&headers).0.to_string()
    }

    #[test]
    fn a_sane_id_is_kept_and_another_replaced() {
        let longest = "a".repeat(64);
        for sane in ["a", "0190-AB_c.d", &longest] {
            assert_eq!(id_of(sane), *sane);
        }
        let too_long = "a".repeat(65);
        for insane in ["", "a b", "a\tb", "ü", "a;b", &too_long] {
            let id = id_of(insane);
            assert!(id.parse::<Uuid>().is_ok(), "{insane:?} became {id}");
        }
        assert!(RequestId::of(&HeaderMap::new()).0.parse::<Uuid>().is_ok());
    }
}
