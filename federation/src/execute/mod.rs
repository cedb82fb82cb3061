//! Runs a plan against [`Fetch`], the only I/O seam of the engine.
//!
//! [`execute`] names the steps: coerce variables, fetch and merge (`run`), introspect, project (`project`).

mod answer;
mod arena;
mod context;
mod entities;
mod errors;
mod fetch;
mod in_process;
mod introspect;
mod json;
mod leaf;
mod locate;
mod project;
mod represent;
mod response;
mod run;

use std::sync::Arc;

use crate::operation::{RequestError, coerce_variables};
use crate::plan::{ByChance, OverrideLabels, Prepared};
use crate::value::Object;

use run::Run;

pub use fetch::{Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, SubgraphError};
pub use in_process::{Answer, Taker};
pub use response::{Response, ResponseError, ResponseErrorCode};

/// Executes a prepared operation.
///
/// # Errors
/// When the variables do not fit what the operation declares; nothing has been fetched then.
pub async fn execute<F: Fetch>(
    prepared: &Prepared,
    variables: Object,
    settings: &ExecuteSettings,
    fetch: &F,
) -> Result<Response, Vec<RequestError>> {
    let document = prepared.document();
    let variables = coerce_variables(
        prepared.supergraph().api(),
        &document.operation,
        &document.executable.sources,
        variables,
    )?;
    let variant =
        prepared.variant(&variables, &*settings.overrides).map_err(|error| vec![error])?;
    let introspected = introspect::introspect(prepared, &variant, &variables);
    let mut run = Run::new(&variant.plan, &variables, settings);
    run.go(run.first(), fetch).await;
    Ok(project::project(&variant.shape, &run.arena, &introspected, run.errors))
}

/// The bounds of an execution, and what is decided for each anew.
#[derive(Debug, Clone)]
pub struct ExecuteSettings {
    /// How many entities one request to a subgraph asks for at most; what is more becomes further requests, at the same time.
    pub representations: usize,
    /// How many requests to subgraphs one operation makes at most.
    pub fetches: usize,
    /// Which progressive `@override`s are on.
    pub overrides: Arc<dyn OverrideLabels>,
}

impl Default for ExecuteSettings {
    fn default() -> Self {
        Self { representations: 5_000, fetches: 1_000, overrides: Arc::new(ByChance) }
    }
}
