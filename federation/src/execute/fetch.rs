//! The seam to the subgraphs: what a [`Fetch`] is asked, and what it may answer.
//!
//! A request is the JSON text of a GraphQL request, written once, so that a transport over a network sends it as it is. An answer
//! is either the text that came back, unread, or a value of a subgraph in this process, which is read without becoming JSON.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use serde::Serialize;

use crate::operation::OperationKind;
use crate::plan::Plan;
use crate::value::{Name, Object};

use super::in_process::Answer;

/// How the engine reaches a subgraph. The caller decides whether that is a function call or the network.
pub trait Fetch: Send + Sync {
    /// Runs one operation on one subgraph.
    fn fetch(
        &self,
        request: FetchRequest<'_>,
    ) -> impl Future<Output = Result<FetchResponse, FetchError>> + Send;

    /// Is told the plan that is about to run, before its first request.
    fn planned(&self, plan: &Plan) {
        let _ = plan;
    }

    /// Opens a subscription on one subgraph. Dropping the events ends it.
    fn subscribe(
        &self,
        request: FetchRequest<'_>,
    ) -> impl Future<Output = Result<Events, FetchError>> + Send {
        let _ = request;
        std::future::ready(Err(FetchError::NoSubscriptions))
    }
}

/// The events of a subscription: a subgraph's answer for each. An error is the last of them.
pub type Events = BoxStream<'static, Result<FetchResponse, FetchError>>;

/// One operation for one subgraph.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    /// The subgraph's name, as composed.
    pub subgraph: &'a str,
    /// What the operation does: only queries may be sent again.
    pub kind: OperationKind,
    /// The operation's text: the same `Arc` each time the same plan runs, so that transports may cache by it.
    pub document: &'a Arc<str>,
    /// The operation's name, where the client's operation had one.
    pub operation_name: Option<&'a str>,
    /// The request as JSON text: an object of `query`, `operationName` where there is one, and `variables`.
    pub body: Bytes,
    /// The number of its fetch in the plan, as the plan's JSON has it. A fetch with many entities makes several requests.
    pub fetch: usize,
    /// What it asks for where it asks for entities; none where it asks for root fields.
    pub entities: Option<EntityCount>,
    /// Where in `body` the variables are.
    pub(super) variables: Range<usize>,
}

/// How much a request for entities is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityCount {
    /// How many representations it has: each entity is asked for once.
    pub representations: usize,
    /// How many objects of the answer they complete.
    pub objects: usize,
}

impl FetchRequest<'_> {
    /// The variables as JSON text: an object of those that the operation declares, the representations of an entity fetch
    /// among them.
    #[must_use]
    pub fn variables_json(&self) -> &[u8] {
        &self.body[self.variables.clone()]
    }
}

/// A subgraph's answer.
pub enum FetchResponse {
    /// The JSON text of a GraphQL response, as it was received.
    Json(Bytes),
    /// What a subgraph in this process answered.
    InProcess {
        /// The `data` member; null when there is none.
        data: Box<dyn Answer>,
        /// The `errors` member.
        errors: Vec<SubgraphError>,
    },
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
    Key(Name),
    /// An index of a list.
    Index(usize),
}

/// Why no answer came from a subgraph. The client is shown the fixed text; the source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It could not be reached.
    #[error("subgraph could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It was not asked, because too many requests wait for it already.
    #[error("too many requests wait for the subgraph already")]
    Overloaded,
    /// It did not answer in time.
    #[error("subgraph did not answer in time")]
    Timeout,
    /// It answered something that is not a GraphQL response.
    #[error("subgraph answered something that is not a GraphQL response: {0}")]
    Malformed(String),
    /// It answered more than is received.
    #[error("subgraph answered more than {limit} bytes")]
    TooLarge {
        /// How much is, in bytes.
        limit: usize,
    },
    /// It cannot be asked for a subscription in the way it is reached.
    #[error("subgraph has no way to be subscribed to")]
    NoSubscriptions,
}

impl FetchResponse {
    /// What a subgraph in this process answered.
    pub fn in_process(data: impl Serialize + Send + 'static, errors: Vec<SubgraphError>) -> Self {
        Self::InProcess { data: Box::new(data), errors }
    }
}

impl std::fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(body) => f.debug_tuple("Json").field(body).finish(),
            Self::InProcess { errors, .. } => {
                f.debug_struct("InProcess").field("errors", errors).finish_non_exhaustive()
            }
        }
    }
}
