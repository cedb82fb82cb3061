//! The HTTP request to a subgraph in another process, whatever protocol it carries.
//!
//! It knows nothing of GraphQL: who calls it says which bytes go where, and reads what comes back.

mod client;

pub(crate) use client::{ClientError, HttpClient};
