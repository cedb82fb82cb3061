//! A request's way through the gateway, step by step. Each step is one module with one entry point.
//!
//! decode → authenticate → prepare → execute → mask → respond. A step that ends the request early answers with an [`Outcome`] of its
//! own; whatever the outcome, the answer is written in a media type that the client accepts: at once, or as a stream of parts.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::Caller;
use http::request::Parts;

use crate::bounds::{Deadline, unless_it_panics};
use crate::code::Code;
use crate::decode::{Accepted, Delivery, MediaType, decode, negotiate};
use crate::execute::{execute, open};
use crate::mask::mask;
use crate::observe::request_id;
use crate::outcome::Outcome;
use crate::respond::respond;
use crate::state::State;
use crate::streams;
use crate::transport::Exchange;

/// Answers a request to `/graphql`.
pub(crate) async fn answer(state: &Arc<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let accepted = match negotiate(&parts.headers) {
        Ok(accepted) => accepted,
        Err(refused) => return respond(refused, MediaType::GraphQlResponse),
    };
    match unless_it_panics(steps(state, &parts, body, accepted)).await {
        Ok(response) => response,
        Err(outcome) if accepted.tells_errors_as_events(&outcome) => streams::failed(&outcome),
        Err(outcome) => respond(outcome, accepted.for_errors()),
    }
}

async fn steps(
    state: &Arc<State>,
    parts: &Parts,
    body: Body,
    accepted: Accepted,
) -> Result<Response, Outcome> {
    let deadline = Deadline::after(state.settings.http.request_timeout);

    let arriving = decode(parts, body, &state.settings.http);
    let request = deadline.keep(arriving, Code::RequestTimeout).await?;

    let identity = state.identify(&parts.headers, request.by_safe_method)?;
    let caller = Caller { viewer: identity.viewer.clone(), request_id: request_id(parts) };

    // The graph may be replaced at any moment: this request keeps to the one it began with.
    let graph = state.graph.load_full();
    let prepared = graph.operations.prepare(&request)?;

    let settings = &state.settings;
    let exchange = Exchange::new(caller, &parts.headers, &graph.transports, settings);
    match accepted.delivery(prepared.kind(), prepared.is_incremental())? {
        Delivery::AtOnce(media_type) => {
            let running =
                execute(&prepared, request.variables, &graph.transports, exchange, settings);
            let mut executed = deadline.keep(running, Code::GatewayTimeout).await?;
            mask(&mut executed.response.errors, &graph.transports, &settings.errors);
            Ok(respond(Outcome::Executed(executed), media_type))
        }
        Delivery::Stream(stream_type) => {
            let opening = open(prepared, request.variables, &graph.transports, exchange, settings);
            let opened = deadline.keep(opening, Code::GatewayTimeout).await?;
            streams::respond(state, parts, identity, opened, stream_type)
        }
    }
}
