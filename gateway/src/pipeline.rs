//! A request's way through the gateway, step by step. Each step is one module with one entry point.
//!
//! decode → authenticate → prepare → authorise → execute → mask → respond. A step that ends the request early answers with an [`Outcome`] of its own;
//! whatever the outcome, the answer is written in the media type that the client accepts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::Caller;
use federation::{Object, Prepared};
use futures::FutureExt;
use http::request::Parts;
use tokio::time::{Instant, timeout_at};

use crate::authorise::authorise;
use crate::code::Code;
use crate::decode::{MediaType, decode, negotiate};
use crate::error::Panic;
use crate::execute::execute;
use crate::graph::Graph;
use crate::mask::mask;
use crate::observe::RequestId;
use crate::outcome::{Executed, Outcome};
use crate::respond::respond;
use crate::state::State;
use crate::transport::Exchange;
use crate::under_way::{Answer, Same};

/// Answers a request to `/graphql`.
pub(crate) async fn answer(state: &Arc<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let response = match negotiate(&parts.headers) {
        Ok(media_type) => unless_it_panics(steps(state, &parts, body, media_type))
            .await
            .unwrap_or_else(|outcome| respond(outcome, media_type)),
        Err(refused) => respond(refused, MediaType::GraphQlResponse),
    };
    response.map(Body::new)
}

async fn steps(
    state: &Arc<State>,
    parts: &Parts,
    body: Body,
    media_type: MediaType,
) -> Result<Answer, Outcome> {
    let deadline = Deadline::after(state.settings.http.request_timeout);

    let arriving = decode(parts, body, &state.settings.http);
    let request = deadline.keep(arriving, Code::RequestTimeout).await?;

    let viewer = match &state.authenticator {
        Some(authenticator) => {
            authenticator.authenticate(&parts.headers, request.by_safe_method)?
        }
        None => None,
    };
    let caller = Caller { viewer, request_id: request_id(parts) };

    // The graph may be replaced at any moment: this request keeps to the one it began with.
    let graph = state.graph.load_full();
    let prepared = graph.operations.prepare(&request).await?;
    let prepared = authorise(&prepared, caller.viewer.as_ref())?;

    let exchange = Exchange::new(caller, &parts.headers, &graph.transports, &state.settings);
    let Some(under_way) = state.under_way.of(&prepared) else {
        let running = run(state, &graph, &prepared, request.variables, exchange, deadline);
        return Box::pin(running)
            .await
            .map(|executed| respond(Outcome::Executed(executed), media_type));
    };
    let same = Same::new(&prepared, &request.variables, &parts.headers, media_type);
    let state = state.clone();
    let answer = under_way.answer(same, async move {
        let running = run(&state, &graph, &prepared, request.variables, exchange, deadline);
        match unless_it_panics(Box::pin(running)).await {
            Ok(executed) => respond(Outcome::Executed(executed), media_type),
            Err(outcome) => respond(outcome, media_type),
        }
    });
    Ok(answer.await)
}

/// Executes and masks.
async fn run(
    state: &State,
    graph: &Graph,
    prepared: &Prepared,
    variables: Object,
    exchange: Exchange,
    deadline: Deadline,
) -> Result<Box<Executed>, Outcome> {
    let running = execute(prepared, variables, &graph.transports, exchange, &state.settings);
    let mut executed = deadline.keep(running, Code::GatewayTimeout).await?;
    mask(&mut executed.response.errors, &graph.transports, &state.settings.errors);
    Ok(Box::new(executed))
}

/// When the request must have been answered.
struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    fn after(after: Duration) -> Self {
        Self { at: Instant::now() + after, after }
    }

    async fn keep<T>(
        &self,
        step: impl Future<Output = Result<T, Outcome>>,
        code: Code,
    ) -> Result<T, Outcome> {
        timeout_at(self.at, step).await.unwrap_or_else(|_| {
            let seconds = self.after.as_secs_f64();
            Err(Outcome::refused(code, format!("a request may take {seconds} seconds at most")))
        })
    }
}

fn request_id(parts: &Parts) -> std::sync::Arc<str> {
    parts.extensions.get::<RequestId>().map_or_else(|| "".into(), |id| id.0.clone())
}

async fn unless_it_panics<T>(
    steps: impl Future<Output = Result<T, Outcome>>,
) -> Result<T, Outcome> {
    AssertUnwindSafe(steps)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Outcome::internal(&Panic::from(panic))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing() {
        let outcome = unless_it_panics::<()>(async { panic!("the secret is {}", 42) }).await;
        let Err(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(refusal.code, Code::InternalServerError);
        let trace_id = refusal.trace_id.unwrap();
        assert_eq!(refusal.message, format!("internal error (trace {trace_id})"));
    }
}
