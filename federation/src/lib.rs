//! The federation engine: compose, prepare, price, plan, execute.
//!
//! A request's way through this crate: [`prepare`] (parse, validate, normalise, plan; the caller caches the
//! result by operation text) → [`Prepared::authorise`] (what the viewer may see of it) →
//! [`Prepared::coerce`] (variables) → [`Prepared::estimate`] (what it may cost) → [`execute()`] (fetch through [`Fetch`], merge, project).
//! The engine is never told about HTTP, JWT, or what any subgraph is for; all I/O happens behind [`Fetch`].

pub mod authorise;
pub mod compose;
pub mod cost;
pub mod execute;
pub mod operation;
pub mod plan;
pub mod supergraph;
pub mod value;

pub use authorise::Claims;
pub use compose::{
    Code, ComposeSettings, Composition, Diagnostic, ListSizes, Severity, SubgraphSdl, compose,
    compose_with,
};
pub use cost::{CostSettings, DearField};
pub use execute::{
    Answer, Completed, Delivery, EntityCount, Events, ExecuteSettings, Fetch, FetchError,
    FetchRequest, FetchResponse, Incremental, InitialResponse, PathSegment, Payload, Pending,
    Response, ResponseError, ResponseErrorCode, SubgraphError, SubsequentResponse, execute,
    execute_stream,
};
pub use operation::{
    Limit, OperationKind, OperationLimits, RequestError, RequestErrorCode, Variables,
};
pub use plan::{ByChance, OverrideLabels, Plan, PlanSettings, Prepared, prepare, prepare_with};
pub use supergraph::{Costs, FieldCost, ListSize, SubgraphInfo, Supergraph, SupergraphError};
pub use value::{Name, Object, Value};
