//! The HTTP call to a subgraph in another process, whatever protocol it carries, with everything that can be set about it.
//!
//! [`call`] is the one place where the policies meet; each is a module of its own and costs nothing while it is off. None of them knows
//! GraphQL: who calls says which bytes go where and whether they may be sent twice, and reads what comes back.

mod breaker;
mod call;
mod headers;
mod limit;
mod retry;
mod settings;
mod share;

pub use breaker::BreakerSettings;
pub use call::SubgraphSetupError;
pub(crate) use call::{Attempts, CallError, SubgraphClient};
pub use headers::{
    EndToEndHeader, HeaderMatch, HeaderMatchError, HeaderPattern, HeaderRules, Merge, RequestRule,
    ResponseRule,
};
pub use retry::RetrySettings;
pub use settings::SubgraphSettings;
pub(crate) use share::SharingClient;
