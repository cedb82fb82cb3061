//! The single connection mode of GraphQL over SSE: one event stream, reserved by PUT, carries the answers of operations that other
//! requests start (POST, GET) and stop (DELETE), each with the stream's token.
//!
//! Who reserves is authenticated, and only the same viewer may start operations on the stream. Refused: a token that is not known
//! (404), a stream or an operation id in use (409), an operation without an id (400).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::response::{IntoResponse, Response};
use common::Caller;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

use super::event_stream::{self, Envelope};
use super::{relay, streamed};
use crate::authorise::authorise;
use crate::bounds::{Deadline, unless_it_panics};
use crate::charge::{charge, refuse_dry_run};
use crate::client::{Application, ClientKey, client};
use crate::code::Code;
use crate::decode::{MediaType, decode};
use crate::live::{Outlet, Reservations, queue};
use crate::observe::request_id;
use crate::outcome::Outcome;
use crate::respond::respond;
use crate::state::State;
use crate::transport::Exchange;

/// Carries the token of a reserved stream; the query parameter `token` may do so too.
const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");

/// Whether a request is one of this mode.
pub(crate) fn is_of_single_connection(request: &Request) -> bool {
    request.method() == Method::PUT
        || request.headers().contains_key(TOKEN)
        || parameter(request.uri(), "token").is_some()
}

/// Answers a request of this mode.
pub(crate) async fn answer(state: &Arc<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = unless_it_panics(steps(state, &parts, body)).await;
    answered.unwrap_or_else(|outcome| respond(outcome, MediaType::Json).map(Body::new))
}

async fn steps(state: &Arc<State>, parts: &Parts, body: Body) -> Result<Response, Outcome> {
    match parts.method {
        Method::PUT => reserve(state, parts).await,
        Method::DELETE => stop(state, parts),
        Method::GET if parameter(&parts.uri, "query").is_none() => open(state, parts),
        _ => start(state, parts, body).await,
    }
}

/// Reserves a stream and answers with its token.
async fn reserve(state: &Arc<State>, parts: &Parts) -> Result<Response, Outcome> {
    let settings = &state.settings.streams;
    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&parts.headers, &parts.extensions, trusted);
    let identity = state.identify(&parts.headers, &client, false).await?;
    let key = ClientKey::of(identity.viewer.as_ref(), &client);
    let permit = state.clients.admit(key, settings.connections_per_client)?;
    let queue = queue(settings.buffer, settings.patience);
    let token = state.reservations.reserve(identity, queue, permit);
    let (reservations, patience) = (state.reservations.clone(), settings.init_timeout);
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        reservations.forget_unless_open(token);
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::CREATED, headers, token.to_string()).into_response())
}

/// Opens a reserved stream. The token is the credential.
fn open(state: &Arc<State>, parts: &Parts) -> Result<Response, Outcome> {
    let token = token(parts)?;
    let stream = state.reservations.find(token)?;
    let inbox = stream.open()?;
    let outlet = Outlet::new(
        inbox,
        stream.identity.clone(),
        state.authenticator.clone(),
        state.drain.clone(),
        &state.settings.streams,
    );
    let held = EndWhenDropped { reservations: state.reservations.clone(), token };
    let body = event_stream::events(outlet, Envelope::Single, held);
    Ok(streamed(event_stream::CONTENT_TYPE, body))
}

/// Starts an operation, whose answer the stream will carry.
async fn start(state: &Arc<State>, parts: &Parts, body: Body) -> Result<Response, Outcome> {
    let stream = state.reservations.find(token(parts)?)?;
    let deadline = Deadline::after(state.settings.http.request_timeout);
    let arriving = decode(parts, body, &state.settings.http);
    let mut request = deadline.keep(arriving, Code::RequestTimeout).await?;
    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&parts.headers, &parts.extensions, trusted);
    let identity = state.identify(&parts.headers, &client, request.by_safe_method).await?;
    let id = request.operation_id.take().ok_or_else(|| {
        Outcome::bad_request(
            "extensions.operationId is missing: the event stream names the operation by it",
        )
    })?;
    let graph = state.graph.load_full();
    let application = Application::of(&parts.headers);
    let prepared = state.prepare(&graph, &request, &application).await?;
    let prepared = authorise(&prepared, &identity)?;
    let most = state.settings.streams.operations_per_connection;
    let variables = prepared.coerce(request.variables).map_err(Outcome::RequestError)?;
    refuse_dry_run(&parts.headers)?;
    let admitted = stream.admit(&id, identity.viewer.as_ref().map(|viewer| viewer.user), most)?;
    let place = state.admit_opening(&prepared, &variables, &identity).await?;
    let charge = charge(state, &prepared, &variables, &identity, &client).await?;
    let caller = Caller { client, ..Caller::new(identity.viewer, request_id(parts)) };
    let exchange = Exchange::new(caller, &parts.headers, &graph.transports, &state.settings);
    let name = id.as_str().into();
    let operation =
        relay::Operation { graph, prepared, variables, charge, place, exchange, id: name };
    let (state, running, name) = (state.clone(), stream.clone(), id.clone());
    let task = tokio::spawn(async move {
        relay::run(state, operation, running.outbox.clone()).await;
        running.stop(&name);
    });
    admitted.started(task.abort_handle());
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Stops an operation. One that is done already counts as stopped.
fn stop(state: &Arc<State>, parts: &Parts) -> Result<Response, Outcome> {
    let stream = state.reservations.find(token(parts)?)?;
    let id = parameter(&parts.uri, "operationId")
        .ok_or_else(|| Outcome::bad_request("the parameter operationId is missing"))?;
    stream.stop(&id);
    Ok(StatusCode::OK.into_response())
}

fn token(parts: &Parts) -> Result<Uuid, Outcome> {
    let header = parts.headers.get(TOKEN).and_then(|value| value.to_str().ok());
    let token = header.map(str::to_owned).or_else(|| parameter(&parts.uri, "token"));
    let token = token.ok_or_else(|| {
        Outcome::bad_request(
            "the header x-graphql-event-stream-token is missing: reserve a stream by PUT",
        )
    })?;
    // What is no token is one that nobody was given.
    Ok(token.parse().unwrap_or_default())
}

fn parameter(uri: &http::Uri, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Ends a stream's operations when its client goes.
struct EndWhenDropped {
    reservations: Reservations,
    token: Uuid,
}

impl Drop for EndWhenDropped {
    fn drop(&mut self) {
        self.reservations.end(self.token);
    }
}
