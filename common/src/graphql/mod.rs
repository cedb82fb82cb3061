//! What the subgraphs' GraphQL layers share: errors, scalars, entities, and lists that resolve in one pass.

pub mod batch;
pub mod costs;
pub mod entities;
mod failure;
pub mod fast;
mod page_info;
mod scalar;
pub mod sdl;
mod upload;

pub use failure::{Failure, Result};
pub use page_info::PageInfo;
pub use scalar::{DateTime, Readable, Sent};
pub use upload::Upload;

use std::sync::Arc;

use async_graphql::Context;

use crate::Caller;

/// Who asks, as the endpoint passed it.
///
/// # Errors
/// When an operation was run without a caller, which only a mistake in the wiring can do.
pub fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Caller> {
    ctx.data::<Arc<Caller>>().map(AsRef::as_ref).map_err(Failure::from)
}
