//! Answers that last, over HTTP and WebSocket: events of subscriptions, and responses delivered incrementally.
//!
//! | client | protocol | module |
//! |---|---|---|
//! | `graphql-ws` | graphql-transport-ws | `websocket` |
//! | `graphql-sse`, `EventSource` | GraphQL over SSE, distinct connections | `event_stream` |
//! | `graphql-sse` with `singleConnection` | GraphQL over SSE, single connection | `single_connection` |
//! | Apollo Client, urql | `multipart/mixed`, with Apollo's envelope where asked for | `multipart` |

mod event_stream;
mod multipart;
mod relay;
mod single_connection;
mod websocket;

use axum::body::{Body, Bytes};
use axum::response::Response;
use common::Client;
use futures::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use crate::authenticate::Identity;
use crate::client::ClientKey;
use crate::decode::StreamType;
use crate::execute::Opened;
use crate::live::{Outlet, Permit, queue};
use crate::outcome::Outcome;
use crate::state::State;

pub(crate) use event_stream::failed;
pub(crate) use single_connection::{
    answer as answer_on_single_connection, is_of_single_connection,
};
pub(crate) use websocket::{is_upgrade, upgrade};

/// Tells reverse proxies not to collect the answer before they pass it on.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The right to an answer that lasts.
///
/// # Errors
/// [`Code::TooManyStreams`](crate::code::Code::TooManyStreams) when the client has as many as it may have.
pub(crate) fn admit(
    state: &State,
    identity: &Identity,
    client: &Client,
) -> Result<Permit, Outcome> {
    let key = ClientKey::of(identity.viewer.as_ref(), client);
    state.clients.admit(key, state.settings.streams.connections_per_client)
}

/// The HTTP response that carries an answer that lasts.
pub(crate) fn respond(
    state: &State,
    identity: Identity,
    opened: Opened,
    stream_type: StreamType,
    permit: Permit,
) -> Response {
    let settings = &state.settings.streams;
    let (outbox, inbox) = queue(settings.buffer, settings.patience);
    tokio::spawn(relay::relay("".into(), opened.parts, outbox));
    let authenticator = state.authenticator.clone();
    let outlet = Outlet::new(inbox, identity, authenticator, state.drain.clone(), settings);
    let mut response = match stream_type {
        StreamType::EventStream => {
            streamed(event_stream::CONTENT_TYPE, event_stream::body(outlet, permit))
        }
        StreamType::Multipart(kind) => {
            streamed(kind.content_type(), multipart::body(outlet, permit, kind))
        }
    };
    for (name, value) in &opened.headers {
        response.headers_mut().append(name, value.clone());
    }
    response
}

fn streamed(
    content_type: &'static str,
    body: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let mut response =
        Response::new(Body::from_stream(body.map(Ok::<_, std::convert::Infallible>)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    response
}
