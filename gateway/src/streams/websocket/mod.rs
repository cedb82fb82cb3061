//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, on the address of the graph.
//!
//! A browser sends the visitor's cookies with a WebSocket of any site's page and asks nobody first, so the origin it names must be
//! this one or one that was allowed; programs name none. Who is asking is told in the payload of `connection_init`, or by the
//! upgrade's own headers.

mod connection;
mod message;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use http::header::{CONNECTION, HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::code::Code;
use crate::decode::MediaType;
use crate::outcome::Outcome;
use crate::respond::respond;
use crate::state::State;

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade(request: &Request) -> bool {
    let names = |header, token: &str| {
        let value = request.headers().get(header).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    };
    let is_http_2 = request.method() == Method::CONNECT;
    is_http_2 || (names(CONNECTION, "upgrade") && names(UPGRADE, "websocket"))
}

/// Answers with a WebSocket.
pub(crate) async fn upgrade(state: &Arc<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if let Err(refused) = check_origin(state, &parts.headers) {
        return respond(refused, MediaType::Json).map(Body::new);
    }
    let socket = match WebSocketUpgrade::from_request_parts(&mut parts, state).await {
        Ok(socket) => socket,
        Err(rejection) => {
            let refused =
                Outcome::bad_request(format!("this opens no WebSocket: {}", rejection.body_text()));
            return respond(refused, MediaType::Json).map(Body::new);
        }
    };
    let limit = state.settings.http.body_limit;
    let state = state.clone();
    socket
        .protocols([SUBPROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_failed_upgrade(|error| tracing::debug!("a WebSocket did not come about: {error}"))
        .on_upgrade(move |socket| connection::serve(socket, state, Opening::of(parts)))
}

/// What is kept of the request that asked for the WebSocket.
struct Opening {
    headers: HeaderMap,
    extensions: http::Extensions,
    request_id: Arc<str>,
}

impl Opening {
    fn of(parts: Parts) -> Self {
        let request_id = crate::observe::request_id(&parts);
        Self { headers: parts.headers, extensions: parts.extensions, request_id }
    }
}

fn check_origin(state: &State, headers: &HeaderMap) -> Result<(), Outcome> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let is_own = own.is_some_and(|(_, origin)| host.is_some_and(|host| origin == host));
    if is_own || state.settings.browser.allowed_origins.contains(origin) {
        return Ok(());
    }
    Err(Outcome::refused(
        Code::CsrfPrevention,
        "pages of this origin may not open a WebSocket here: the server's settings name those that may",
    ))
}
