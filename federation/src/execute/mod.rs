//! Runs a plan against [`Fetch`], the only I/O seam of the engine.
//!
//! [`execute`] names the steps: coerce variables, fetch and merge (`run`), introspect, project (`project`).

mod batch;
mod entities;
mod errors;
mod introspect;
mod leaf;
mod merge;
mod payload;
mod project;
mod response;
mod run;
mod stream;
mod walk;

use std::future::Future;
use std::sync::Arc;

use futures::stream::BoxStream;

use crate::operation::{RequestError, coerce_variables};
use crate::plan::Prepared;
use crate::value::{Object, Value};

pub use payload::{
    Completed, Delivery, Incremental, InitialResponse, Payload, Pending, SubsequentResponse,
};
pub use response::{Response, ResponseError, ResponseErrorCode};
pub use stream::execute_stream;

/// Executes a prepared operation.
///
/// # Errors
/// When the variables do not fit what the operation declares; nothing has been fetched then.
pub async fn execute<F: Fetch>(
    prepared: &Prepared,
    variables: Object,
    fetch: &F,
) -> Result<Response, Vec<RequestError>> {
    let document = prepared.document();
    let variables = coerce_variables(
        prepared.supergraph().api(),
        &document.operation,
        &document.executable.sources,
        variables,
    )?;
    let variant = prepared.variant(&variables).map_err(|error| vec![error])?;
    let introspected = introspect::introspect(prepared, &variant, &variables)?;
    let (data, errors) = run::run(&variant.plan, &variables, fetch).await;
    Ok(project::project(&variant.shape, &data, &introspected, errors))
}

/// How the engine reaches a subgraph. The caller decides whether that is a function call or the network.
pub trait Fetch: Send + Sync {
    /// Runs one operation on one subgraph.
    fn fetch(
        &self,
        request: FetchRequest<'_>,
    ) -> impl Future<Output = Result<FetchResponse, FetchError>> + Send;

    /// Opens a subscription on one subgraph. Dropping the events ends it.
    fn subscribe(
        &self,
        request: FetchRequest<'_>,
    ) -> impl Future<Output = Result<Events, FetchError>> + Send;
}

/// The events of a subscription: a subgraph's answer for each. An error is the last of them.
pub type Events = BoxStream<'static, Result<FetchResponse, FetchError>>;

/// One operation for one subgraph.
#[derive(Debug)]
pub struct FetchRequest<'a> {
    /// The subgraph's name, as composed.
    pub subgraph: &'a str,
    /// The operation's text: the same `Arc` each time the same plan runs, so that transports may cache by it.
    pub document: &'a Arc<str>,
    /// The operation's name, where the client's operation had one.
    pub operation_name: Option<&'a str>,
    /// The variables the operation declares, `representations` among them for an entity fetch.
    pub variables: Object,
}

/// A subgraph's answer.
#[derive(Debug, Default)]
pub struct FetchResponse {
    /// The `data` member; `Null` when it was null or absent.
    pub data: Value,
    /// The `errors` member.
    pub errors: Vec<SubgraphError>,
}

/// An entry of a subgraph's `errors`.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgraphError {
    /// What the subgraph said.
    pub message: String,
    /// Where, in the subgraph's own response.
    pub path: Vec<PathSegment>,
    /// The `extensions` member, `code` among them.
    pub extensions: Object,
}

/// A step of an error path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathSegment {
    /// A response key.
    Key(crate::value::Name),
    /// An index of a list.
    Index(usize),
}

/// Why no answer came from a subgraph. The client is shown the fixed text; the source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It could not be reached.
    #[error("subgraph could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It did not answer in time.
    #[error("subgraph did not answer in time")]
    Timeout,
    /// It answered something that is not a GraphQL response.
    #[error("subgraph answered something that is not a GraphQL response: {0}")]
    Malformed(String),
    /// It cannot be asked for a subscription in the way it is reached.
    #[error("subgraph has no way to be subscribed to")]
    NoSubscriptions,
}
