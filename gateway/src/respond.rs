//! Writes the answer: the engine's data bytes where they are, errors around them, and the status that the media type asks for.
//!
//! In `application/graphql-response+json` the status tells what became of the request. In `application/json` a well-formed request is
//! always answered 200, because such a client cannot tell our 400 from a proxy's.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use federation::{RequestError, ResponseError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;
use uuid::Uuid;

use crate::caching::{Bytewise, CachePolicy, Kept};
use crate::decode::MediaType;
use crate::extensions::Extensions;
use crate::outcome::{Executed, Outcome, Refusal};
use crate::points::Report;

/// The HTTP response for an outcome.
pub(crate) fn respond(outcome: Outcome, media_type: MediaType) -> Response<Written> {
    let status = status(&outcome, media_type);
    let body;
    let mut headers = Vec::new();
    let mut from_subgraphs = HeaderMap::new();
    let policy = match &outcome {
        Outcome::Executed(executed) => policy(executed),
        Outcome::Refused(_) | Outcome::RequestError(_) => None,
    };
    match outcome {
        Outcome::Refused(mut refusal) => {
            headers = std::mem::take(&mut refusal.headers);
            body = Written::new(None, &[WireError::from(&refusal)], &Extensions::default());
        }
        Outcome::RequestError(errors) => {
            let errors: Vec<_> = errors.iter().map(WireError::from).collect();
            body = Written::new(None, &errors, &Extensions::default());
        }
        Outcome::Executed(executed) => {
            let federation::Response { data, errors, .. } = executed.response;
            body = Written::new(Some(data.into()), &errors, &executed.extensions);
            from_subgraphs = executed.headers;
        }
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = from_subgraphs;
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.content_type()));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in headers {
        answer.append(name, value);
    }
    if let Some(policy) = policy {
        response.extensions_mut().insert(policy);
    }
    response
}

/// The HTTP response for an answer that was kept.
pub(crate) fn respond_again(
    kept: Kept,
    extensions: &Extensions,
    media_type: MediaType,
) -> Response<Written> {
    let errors: [&ResponseError; 0] = [];
    let mut response = Response::new(Written::new(Some(kept.data), &errors, extensions));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(kept.policy);
    response
}

/// How long the answer may be kept, if at all: not one that is incomplete, tells how it was made, or signs somebody in.
pub(crate) fn policy(executed: &Executed) -> Option<CachePolicy> {
    let complete = executed.response.errors.is_empty() && executed.extensions.plan.is_none();
    let for_all = !executed.headers.contains_key(SET_COOKIE);
    (complete && for_all && executed.policy.allows_keeping()).then_some(executed.policy)
}

fn status(outcome: &Outcome, media_type: MediaType) -> StatusCode {
    match (outcome, media_type) {
        (Outcome::RequestError(_), MediaType::Json) => StatusCode::OK,
        _ => outcome.code().map_or(StatusCode::OK, |code| code.status()),
    }
}

/// The body of an answer, in pieces that go out one after the other: what the engine wrote is not copied once more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pieces: [Bytes; 3],
}

impl Written {
    /// A GraphQL response around `data`, which is JSON already.
    fn new<E: Serialize>(data: Option<Bytes>, errors: &[E], extensions: &Extensions) -> Self {
        let mut rest = Vec::new();
        let (head, data) = match data {
            Some(data) => (Bytes::from_static(b"{\"data\":"), data),
            None => (Bytes::from_static(b"{"), Bytes::new()),
        };
        if !errors.is_empty() {
            if !data.is_empty() {
                rest.push(b',');
            }
            rest.extend_from_slice(b"\"errors\":");
            write_errors(&mut rest, errors);
        }
        extensions.write(&mut rest);
        let rest = if rest.is_empty() {
            Bytes::from_static(b"}")
        } else {
            rest.push(b'}');
            rest.into()
        };
        Self { pieces: [head, data, rest] }
    }
}

impl Bytewise for Written {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(AsRef::as_ref)
    }
}

impl Body for Written {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.iter_mut().find(|piece| !piece.is_empty()).map(std::mem::take);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
    }
}

/// The JSON of what the engine answered, in one piece.
pub(crate) fn executed(response: &federation::Response) -> Vec<u8> {
    let mut body = Vec::with_capacity(response.data.len() + 16);
    body.extend_from_slice(b"{\"data\":");
    body.extend_from_slice(&response.data);
    if !response.errors.is_empty() {
        body.extend_from_slice(b",\"errors\":");
        write_errors(&mut body, &response.errors);
    }
    body.push(b'}');
    body
}

/// The JSON of an answer, in one piece.
pub(crate) fn body(outcome: &Outcome) -> Vec<u8> {
    if let Outcome::Executed(executed) = outcome {
        return self::executed(&executed.response);
    }
    let mut body = b"{\"errors\":".to_vec();
    body.append(&mut errors(outcome));
    body.push(b'}');
    body
}

/// The JSON list of an answer's errors.
pub(crate) fn errors(outcome: &Outcome) -> Vec<u8> {
    let mut list = Vec::new();
    match outcome {
        Outcome::Refused(refusal) => write_errors(&mut list, &[WireError::from(refusal)]),
        Outcome::RequestError(errors) => {
            let errors: Vec<_> = errors.iter().map(WireError::from).collect();
            write_errors(&mut list, &errors);
        }
        Outcome::Executed(executed) => write_errors(&mut list, &executed.response.errors),
    }
    list
}

fn write_errors<E: Serialize>(out: &mut Vec<u8>, errors: &[E]) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, errors) {
        // Texts, numbers and names always serialise. Should that ever change, the answer is still one.
        tracing::error!("the errors of an answer cannot be written: {error}");
        out.truncate(start);
        out.extend_from_slice(br#"[{"message":"internal error"}]"#);
    }
}

/// An error of the gateway's own, as the GraphQL specification has it (section 7.1.6).
#[derive(Serialize)]
struct WireError<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    extensions: ErrorExtensions<'a>,
}

#[derive(Serialize)]
struct Location {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorExtensions<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a Report>,
}

impl<'a> From<&'a Refusal> for WireError<'a> {
    fn from(refusal: &'a Refusal) -> Self {
        let Refusal { code, message, trace_id, cost, .. } = refusal;
        let cost = cost.as_deref();
        let extensions = ErrorExtensions { code: code.as_str(), trace_id: *trace_id, cost };
        Self { message, locations: Vec::new(), extensions }
    }
}

impl<'a> From<&'a RequestError> for WireError<'a> {
    fn from(error: &'a RequestError) -> Self {
        let location = |&(line, column): &(usize, usize)| Location { line, column };
        Self {
            message: &error.message,
            locations: error.locations.iter().map(location).collect(),
            extensions: ErrorExtensions { code: error.code.as_str(), trace_id: None, cost: None },
        }
    }
}
