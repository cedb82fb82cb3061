//! Writes the answer: the engine's data bytes as they are, errors around them, and the status that the media type asks for.
//!
//! In `application/graphql-response+json` the status tells what became of the request. In `application/json` a well-formed request is
//! always answered 200, because such a client cannot tell our 400 from a proxy's.

use axum::body::Body;
use axum::response::Response;
use federation::RequestError;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decode::MediaType;
use crate::outcome::{Outcome, Refusal};

/// The HTTP response for an outcome.
pub(crate) fn respond(outcome: Outcome, media_type: MediaType) -> Response {
    let status = status(&outcome, media_type);
    let mut body = Vec::new();
    let mut headers = Vec::new();
    match outcome {
        Outcome::Refused(mut refusal) => {
            headers = std::mem::take(&mut refusal.headers);
            write(&mut body, None, &[RefusalError(&refusal)]);
        }
        Outcome::RequestError(errors) => {
            let errors: Vec<_> = errors.iter().map(WireRequestError).collect();
            write(&mut body, None, &errors);
        }
        Outcome::Executed(executed) => {
            write(&mut body, Some(executed.response.data), &executed.response.errors);
            headers.extend(executed.cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
        }
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.content_type()));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in headers {
        answer.append(name, value);
    }
    response
}

fn status(outcome: &Outcome, media_type: MediaType) -> StatusCode {
    match (outcome, media_type) {
        (Outcome::RequestError(_), MediaType::Json) => StatusCode::OK,
        _ => outcome.code().map_or(StatusCode::OK, |code| code.status()),
    }
}

/// Writes a GraphQL response around `data`, which is JSON already.
fn write<E: Serialize>(body: &mut Vec<u8>, data: Option<Vec<u8>>, errors: &[E]) {
    body.push(b'{');
    if let Some(data) = data {
        body.reserve(data.len() + 16);
        body.extend_from_slice(b"\"data\":");
        body.extend_from_slice(&data);
        if !errors.is_empty() {
            body.push(b',');
        }
    }
    if !errors.is_empty() {
        body.extend_from_slice(b"\"errors\":");
        let start = body.len();
        if let Err(error) = serde_json::to_writer(&mut *body, errors) {
            // Texts, numbers and names always serialise. Should that ever change, the answer is still one.
            tracing::error!("the errors of an answer cannot be written: {error}");
            body.truncate(start);
            body.extend_from_slice(br#"[{"message":"internal error"}]"#);
        }
    }
    body.push(b'}');
}

struct RefusalError<'a>(&'a Refusal);

impl Serialize for RefusalError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Extensions {
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            trace_id: Option<uuid::Uuid>,
        }
        let Refusal { code, message, trace_id, .. } = self.0;
        let mut error = serializer.serialize_map(None)?;
        error.serialize_entry("message", message)?;
        let extensions = Extensions { code: code.as_str(), trace_id: *trace_id };
        error.serialize_entry("extensions", &extensions)?;
        error.end()
    }
}

struct WireRequestError<'a>(&'a RequestError);

#[derive(Serialize)]
struct Location {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct OnlyCode {
    code: &'static str,
}

impl Serialize for WireRequestError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RequestError { message, code, locations, .. } = self.0;
        let mut error = serializer.serialize_map(None)?;
        error.serialize_entry("message", message)?;
        if !locations.is_empty() {
            let locations =
                locations.iter().map(|(line, column)| Location { line: *line, column: *column });
            error.serialize_entry("locations", &locations.collect::<Vec<_>>())?;
        }
        error.serialize_entry("extensions", &OnlyCode { code: code.as_str() })?;
        error.end()
    }
}
