//! One download of everything that is a person's: a list of paged operations, run one page after the other as that person, through the steps
//! that every operation takes, and written as one JSON document while they are answered.
//!
//! What the operations are is the program's affair; here is only how. What is in memory at a time is a page. Refused: whoever has not logged in
//! in person, a browser's request that another site could have caused, and a second download of the same person while one runs. A download that
//! cannot be completed breaks off: the connection is cut within the document, which then is no JSON.

mod document;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use common::Caller;
use federation::Value;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use crate::bounds::unless_it_panics;
use crate::client::{ClientKey, client};
use crate::code::Code;
use crate::decode::MediaType;
use crate::live::Permit;
use crate::observe::request_id;
use crate::outcome::Outcome;
use crate::respond::respond;
use crate::settings::ExportSettings;
use crate::state::State;

use document::Document;
use pages::Pages;

/// How many pieces of the document wait for a client that reads slowly.
const WAITING: usize = 4;
/// How long a piece may wait before the client counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers a request for the download that `settings` describe.
pub(crate) async fn answer(
    state: &Arc<State>,
    settings: &'static ExportSettings,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match unless_it_panics(steps(state, settings, &parts)).await {
        Ok(response) => response,
        Err(outcome) => respond(outcome, MediaType::GraphQlResponse).map(Body::new),
    }
}

async fn steps(
    state: &Arc<State>,
    settings: &'static ExportSettings,
    parts: &Parts,
) -> Result<Response, Outcome> {
    if parts.method != Method::GET {
        return Err(Outcome::method_not_allowed("a download is asked for by GET", "GET"));
    }
    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&parts.headers, &parts.extensions, trusted);
    let identity = state.identify(&parts.headers, &client, true).await?;
    let viewer = identity.viewer.clone().ok_or_else(|| {
        Outcome::unauthenticated("sign in first: this needs a valid access token")
    })?;
    if !viewer.scopes.is_empty() {
        return Err(Outcome::refused(
            Code::Forbidden,
            "this is for a person who has logged in: an API key cannot do it",
        ));
    }
    let permit = state.exports.admit(ClientKey::User(viewer.user), 1).map_err(|_| {
        Outcome::refused(
            Code::ExportUnderWay,
            "a download of this account is under way: wait until it is done",
        )
    })?;
    let caller = Caller { client, ..Caller::new(Some(viewer), request_id(parts)) };
    let pages = Pages::new(state.clone(), settings, identity, caller, parts.headers.clone());
    // While nothing is sent yet, what goes wrong can still be said.
    let first = pages.first(&settings.sections[0]).await?;
    if matches!(first, Value::Null) {
        return Err(Outcome::refused(Code::Forbidden, "these credentials are of no account here"));
    }
    Ok(download(settings.file_name, write(pages, settings, first, permit)))
}

/// Writes the document into a channel, which ends with a word when it is complete.
fn write(
    pages: Pages,
    settings: &'static ExportSettings,
    first: Value,
    permit: Permit,
) -> impl futures::Stream<Item = Result<Bytes, BrokenOff>> {
    let (pieces, mut arriving) = mpsc::channel(WAITING);
    let (complete, completed) = oneshot::channel();
    let writing = async move {
        let written = Document::new(pages, settings, pieces).write(first).await;
        // Before the client sees the end, so that it may ask again then.
        drop(permit);
        match written {
            // The receiver is gone only when the client is.
            Ok(()) => drop(complete.send(())),
            Err(error) => tracing::warn!(%error, "a download broke off"),
        }
    };
    tokio::spawn(writing.in_current_span());
    async_stream::stream! {
        while let Some(piece) = arriving.recv().await {
            yield Ok(piece);
        }
        // Also after a panic, which lets go of both ends.
        if completed.await.is_err() {
            yield Err(BrokenOff);
        }
    }
}

fn download(
    file_name: &'static str,
    body: impl futures::Stream<Item = Result<Bytes, BrokenOff>> + Send + 'static,
) -> Response {
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{file_name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// Cuts the connection.
#[derive(Debug, thiserror::Error)]
#[error("the download could not be completed")]
struct BrokenOff;
