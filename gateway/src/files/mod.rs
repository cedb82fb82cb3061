//! Files that a subgraph keeps, by plain HTTP: what a browser's `<img>` and `<audio>` ask for.
//!
//! What a file is and whose, the subgraph knows; here is only how it is served. Somebody else's is not there. A file never changes under its id, so
//! that it may be kept for ever by whoever got it. Its bytes go on piece by piece as they are read, and whatever is in it, no script in it runs.
//! Refused: whoever is not signed in, and what another site's page asks for with the visitor's cookies.

mod range;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::error::BoxError;
use common::{Caller, Endpoint, FileBytes, FileInfo, Viewer};
use futures::StreamExt;
use http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::authorise::may_read;
use crate::bounds::unless_it_panics;
use crate::client::client;
use crate::code::Code;
use crate::decode::MediaType;
use crate::error::chain;
use crate::observe::request_id;
use crate::outcome::Outcome;
use crate::respond::respond;
use crate::settings::FileSettings;
use crate::state::State;

use range::{Wanted, is_known, wanted};

/// What a file may do in a browser: nothing but be shown.
const SANDBOX: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers a request for the file `id` of the subgraph that `settings` name.
pub(crate) async fn answer(
    state: &Arc<State>,
    settings: FileSettings,
    id: &str,
    name: &str,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match unless_it_panics(steps(state, settings, id, name, &parts)).await {
        Ok(response) => response,
        Err(outcome) => respond(outcome, MediaType::GraphQlResponse).map(Body::new),
    }
}

async fn steps(
    state: &State,
    settings: FileSettings,
    id: &str,
    name: &str,
    parts: &Parts,
) -> Result<Response, Outcome> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Outcome::method_not_allowed("a file is asked for by GET", "GET, HEAD"));
    }
    let caller = Arc::new(caller(state, parts).await?);
    let endpoint = state.graph.load().transports.endpoint(settings.subgraph);
    let endpoint = endpoint.ok_or_else(|| Outcome::internal(&"no subgraph keeps files"))?;
    let id = Uuid::try_parse(id).map_err(|_| not_found())?;
    let info = endpoint.file(id, caller.clone()).await.map_err(|e| unavailable(&e))?;
    let info = info.filter(|info| info.name == name).ok_or_else(not_found)?;
    let file = File { endpoint, id, caller, info };
    file.answer(&parts.method, &parts.headers).await
}

/// Who is asking: somebody who is signed in, on a page of this site.
async fn caller(state: &State, parts: &Parts) -> Result<Caller, Outcome> {
    if !parts.headers.contains_key(AUTHORIZATION) && is_of_another_site(&parts.headers) {
        return Err(Outcome::refused(
            Code::CsrfPrevention,
            "a file is not given to another site's page by a cookie: send an access token in the header authorization",
        ));
    }
    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&parts.headers, &parts.extensions, trusted);
    let identity = state.identify(&parts.headers, &client, false).await?;
    may_read(&identity)?;
    let viewer: Viewer = identity.viewer.ok_or_else(|| {
        Outcome::unauthenticated("sign in first: this needs a valid access token")
    })?;
    Ok(Caller { client, ..Caller::new(Some(viewer), request_id(parts)) })
}

/// Whether a browser says that another site's page asks. A person who follows a link there comes by themselves.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    says("sec-fetch-site", "cross-site") && !says("sec-fetch-mode", "navigate")
}

/// A file for somebody who may have it.
struct File {
    endpoint: Arc<dyn Endpoint>,
    id: Uuid,
    caller: Arc<Caller>,
    info: FileInfo,
}

impl File {
    async fn answer(self, method: &Method, headers: &HeaderMap) -> Result<Response, Outcome> {
        let tag = format!("\"{}\"", self.info.tag);
        if is_known(headers, &tag) {
            return self.response(StatusCode::NOT_MODIFIED, &tag, Body::empty());
        }
        let size = self.info.size;
        let wanted = if *method == Method::GET { wanted(headers, &tag, size) } else { Wanted::All };
        let (status, range) = match wanted {
            Wanted::All => (StatusCode::OK, 0..size),
            Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Wanted::Nothing => {
                let has = value(&format!("bytes */{size}"))?;
                let message = format!("the file has {size} bytes: there is no such part");
                return Err(Outcome::refused(Code::RangeNotSatisfiable, message)
                    .with_header(CONTENT_RANGE, has));
            }
        };
        let length = range.end - range.start;
        let part = value(&format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)))?;
        let body = if *method == Method::HEAD {
            Body::empty()
        } else {
            let bytes = self.endpoint.clone().file_bytes(self.id, range, self.caller.clone());
            let bytes = bytes.await.map_err(|e| unavailable(&e))?.ok_or_else(not_found)?;
            begun(bytes).await?
        };
        let mut response = self.response(status, &tag, body)?;
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        if status == StatusCode::PARTIAL_CONTENT {
            response.headers_mut().insert(CONTENT_RANGE, part);
        }
        Ok(response)
    }

    fn response(&self, status: StatusCode, tag: &str, body: Body) -> Result<Response, Outcome> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(ETAG, value(tag)?);
        for (name, text) in [
            (CACHE_CONTROL, "private, max-age=31536000, immutable"),
            (ACCEPT_RANGES, "bytes"),
            (CONTENT_SECURITY_POLICY, SANDBOX),
            (RESOURCE_POLICY, "same-site"),
        ] {
            headers.insert(name, HeaderValue::from_static(text));
        }
        if status != StatusCode::NOT_MODIFIED {
            headers.insert(CONTENT_TYPE, value(&self.info.content_type)?);
            headers.insert(CONTENT_DISPOSITION, value(&disposition(&self.info.name))?);
        }
        Ok(response)
    }
}

/// The body, once its first piece is there: until then what goes wrong can be said.
async fn begun(mut bytes: FileBytes) -> Result<Body, Outcome> {
    let first = match bytes.next().await {
        None => return Ok(Body::empty()),
        Some(first) => first.map_err(|error| unreadable(&error))?,
    };
    let first = futures::stream::once(async { Ok::<_, BoxError>(first) });
    let rest = bytes.inspect(|piece| {
        if let Err(error) = piece {
            tracing::warn!("a file broke off: {error}");
        }
    });
    Ok(Body::from_stream(first.chain(rest)))
}

/// To be shown, and what to call it when it is kept.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("inline; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

fn value(text: &str) -> Result<HeaderValue, Outcome> {
    HeaderValue::from_str(text).map_err(|error| Outcome::internal(&error))
}

fn not_found() -> Outcome {
    Outcome::refused(Code::FileNotFound, "there is no such file")
}

fn unavailable(error: &common::EndpointError) -> Outcome {
    tracing::warn!("a file cannot be read: {}", chain(error));
    Outcome::refused(
        Code::ServiceUnavailable,
        "files cannot be read at this moment: try again in a few seconds",
    )
}

fn unreadable(error: &BoxError) -> Outcome {
    tracing::warn!("a file cannot be read: {}", chain(&**error));
    Outcome::refused(
        Code::ServiceUnavailable,
        "files cannot be read at this moment: try again in a few seconds",
    )
}
