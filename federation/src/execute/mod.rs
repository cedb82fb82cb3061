//! Runs a plan against [`Fetch`], the only I/O seam of the engine.
//!
//! [`execute`] names the steps: introspect, fetch (`run`), project (`project`). Between the last two everything
//! is in the `arena`: rows of slots that point into the texts of the answers. A fetch's way through it: what its location leads
//! to (`locate`) is represented in the text of its requests (`represent`); each answer is read into new rows as the plan expects
//! it (`answer`, `json`, `in_process`), and those are merged into the rows that waited (`entities`). What a viewer may not see was
//! left out of the plan before; here it becomes null and an error.

mod answer;
mod arena;
mod context;
mod delivery;
mod entities;
mod errors;
mod fetch;
mod in_process;
mod introspect;
mod json;
mod leaf;
mod locate;
mod payload;
mod project;
mod represent;
mod response;
mod run;
mod stream;

use std::sync::Arc;

use crate::operation::{OperationKind, RequestError, RequestErrorCode, Variables};
use crate::plan::{ByChance, OverrideLabels, Prepared, Variant};
use crate::value::Object;

use run::Run;

pub use fetch::{
    EntityCount, Events, Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, SubgraphError,
};
pub use in_process::{Answer, Taker};
pub use payload::{
    Completed, Delivery, Incremental, InitialResponse, Payload, Pending, SubsequentResponse,
};
pub use response::{Response, ResponseError, ResponseErrorCode};
pub use stream::execute_stream;

/// Executes a prepared operation.
///
/// # Errors
/// When it is a subscription, for which there is [`execute_stream`], or what the variables leave of it cannot be planned; nothing has
/// been fetched then.
pub async fn execute<F: Fetch>(
    prepared: &Prepared,
    variables: Variables,
    settings: &ExecuteSettings,
    fetch: &F,
) -> Result<Response, Vec<RequestError>> {
    if prepared.kind() == OperationKind::Subscription {
        return Err(vec![RequestError::new(
            RequestErrorCode::Unsupported,
            "a subscription is answered with a stream",
        )]);
    }
    let started = start(prepared, variables, settings, true)?;
    fetch.planned(&started.variant.plan);
    let mut run = Run::new(&started.variant.plan, &started.variables, settings);
    run.withhold(&started.variant.refused);
    run.go(run.first(), fetch).await;
    Ok(project::project(&started, &run.arena, run.errors, settings.response_bytes))
}

/// An operation whose execution can begin.
struct Started {
    variables: Variables,
    variant: Arc<Variant>,
    /// What the client's schema answers.
    introspected: Object,
}

/// Finds the plan for the variables, and answers introspection. With `at_once`, nothing is delivered later.
fn start(
    prepared: &Prepared,
    variables: Variables,
    settings: &ExecuteSettings,
    at_once: bool,
) -> Result<Started, Vec<RequestError>> {
    let variant =
        prepared.variant(&variables, &*settings.overrides, at_once).map_err(|error| vec![error])?;
    let introspected = introspect::introspect(prepared, &variant, &variables);
    Ok(Started { variables, variant, introspected })
}

/// The bounds of an execution, and what is decided for each anew.
#[derive(Debug, Clone)]
pub struct ExecuteSettings {
    /// How many entities one request to a subgraph asks for at most; what is more becomes further requests, at the same time.
    pub representations: usize,
    /// How many requests to subgraphs one operation makes at most.
    pub fetches: usize,
    /// How many bytes of data an answer has at most, and each part of one that comes in parts; a value more may have been written before
    /// it is noticed.
    pub response_bytes: usize,
    /// Which progressive `@override`s are on.
    pub overrides: Arc<dyn OverrideLabels>,
}

impl Default for ExecuteSettings {
    fn default() -> Self {
        Self {
            representations: 5_000,
            fetches: 1_000,
            response_bytes: 64 << 20,
            overrides: Arc::new(ByChance),
        }
    }
}
