//! Answers in parts: whatever subgraphs answer and whatever a client asks, the bytes of `multipart/mixed` and of event streams can be
//! taken apart again, each part is JSON, and the parts make up one answer.
//!
//! An input is lines: the `Accept` header, the operation, and then what the subgraphs answer in turn, which are also the events of a
//! subscription: JSON, an object with `data` and `errors`. What is no such answer stands for a subgraph that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Response, ServerError, Value};
use axum::body::Body;
use common::endpoint::EndpointError;
use common::{Caller, Endpoint, Event, SubgraphRequest};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};

use crate::gateway::{read, router, send, well_formed};
use crate::runtime;

const MOST_EVENTS: usize = 8;

/// Asks for an operation in parts, as `data` says.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.lines();
    let (Some(accept), Some(operation)) = (lines.next(), lines.next()) else {
        return;
    };
    let Ok(accept) = HeaderValue::from_str(accept) else {
        return;
    };
    let body = serde_json::json!({ "query": operation }).to_string();
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/graphql");
    request.headers_mut().insert(ACCEPT, accept);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let script = Arc::new(Script { answers: lines.map(answer).collect(), next: 0.into() });
    runtime::with_time(async {
        let router = router(vec![
            Arc::new(Scripted { name: "books", script: script.clone() }) as Arc<dyn Endpoint>,
            Arc::new(Scripted { name: "reviews", script }),
        ]);
        let (parts, body) = send(&router, request).await.into_parts();
        let (body, has_ended) = read(body).await;
        assert!(has_ended, "the answer does not end");
        well_formed::answer(&Method::POST, parts.status, &parts.headers, &body, has_ended);
    });
}

fn answer(line: &str) -> Option<Response> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let data = value.get("data").cloned().unwrap_or_default();
    let mut response = Response::new(Value::from_json(data).ok()?);
    let errors = value.get("errors").and_then(|errors| errors.as_array()).into_iter().flatten();
    response.errors = errors
        .map(|error| ServerError::new(error["message"].as_str().unwrap_or("failed"), None))
        .collect();
    Some(response)
}

/// What subgraphs answer, one after the other and from the start again.
struct Script {
    answers: Vec<Option<Response>>,
    next: AtomicUsize,
}

impl Script {
    fn next(&self) -> Option<Response> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.get(number % self.answers.len().max(1))?.as_ref()?;
        let mut response = Response::new(answer.data.clone());
        response.errors = answer.errors.clone();
        Some(response)
    }
}

/// A subgraph that answers by the script.
struct Scripted {
    name: &'static str,
    script: Arc<Script>,
}

impl Scripted {
    fn unreachable(&self) -> EndpointError {
        EndpointError::Timeout { endpoint: self.name.to_owned() }
    }
}

impl Endpoint for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Err(self.unreachable()) })
    }

    fn execute(
        &self,
        _: SubgraphRequest,
        _: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async { self.script.next().ok_or_else(|| self.unreachable()) })
    }

    fn subscribe(
        &self,
        _: SubgraphRequest,
        _: Arc<Caller>,
    ) -> Result<BoxStream<'static, Response>, EndpointError> {
        let events: Vec<_> = (0..self.script.answers.len().min(MOST_EVENTS))
            .map_while(|_| self.script.next())
            .collect();
        Ok(stream::iter(events).boxed())
    }

    fn apply(&self, _: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }
}
