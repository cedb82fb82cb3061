//! The protocols between a gateway and a subgraph in another process.
//!
//! Anybody's subgraph speaks plain GraphQL over HTTP (`graphql`). Spacey's own speak more, and both ends of that are here:
//!
//! | request | answer |
//! |---|---|
//! | `POST /graphql` `{query, operationName?, variables?}` | 200, a GraphQL response; its `Set-Cookie` headers are the client's |
//! | `GET /graphql` with an upgrade to a WebSocket | `graphql-transport-ws`, one subscription |
//! | `POST /events` `[Event]` | 204 when they are stored |
//! | `GET /revocations?since=CURSOR`, of the users subgraph | 200, the sessions that were ended since, and the next cursor |
//! | `POST /api-keys` a key as plain text, of the users subgraph | 200, for whom it acts and until when, or `null` |
//! | `POST /people` somebody for whom another issuer vouches, of the users subgraph | 200, the account or why there is none |
//! | the same as a form with files, by the multipart request specification | the same |
//! | `GET /files/ID` | 200, what is known of a file that the caller may have; 404 |
//! | `GET /files/ID/bytes?start=N&end=N` | 200, those bytes; 404 |
//! | `GET /changes` | 204; as every answer, with `spacey-public-revision` once what everybody may keep has changed (`public`) |
//! | `GET /sdl` | 200, the schema with federation directives |
//! | `GET /health/live`, `GET /health/ready` | 200, or 503 with the reason |
//!
//! Every request but those about health carries `Authorization: Bearer` with a service token, which says who is asking and is
//! good for a minute. Without a valid one the answer is 401; no header besides it says anything about identity.

mod api_keys;
mod asked;
mod client;
mod graphql;
mod people;
mod public;
mod publish;
mod revocations;
mod server;
mod subscribe;

use std::sync::Arc;

use common::EndpointError;

use crate::http_client::ClientError;
pub(crate) use crate::subgraph::Attempts;
use crate::subgraph::CallError;

pub use api_keys::{RemoteKeys, key_router};
pub use client::{HttpEndpoint, HttpEndpointError};
pub use graphql::{GraphQlSubgraph, GraphQlSubgraphError};
pub use people::{RemoteAdmissions, people_router};
pub use revocations::revocation_router;
pub use server::subgraph_router;

/// Why there is no answer, as the seam has it.
fn unanswered(endpoint: &str, error: impl Into<Arc<CallError>>) -> EndpointError {
    let (endpoint, error) = (endpoint.to_owned(), error.into());
    match &*error {
        CallError::Timeout | CallError::Client(ClientError::ConnectTimeout) => {
            EndpointError::Timeout { endpoint }
        }
        CallError::Client(ClientError::TooLarge { limit }) => {
            EndpointError::TooLarge { endpoint, limit: *limit }
        }
        CallError::Full(_) => EndpointError::Overloaded { endpoint },
        CallError::Open(_) | CallError::Client(_) => {
            EndpointError::Unreachable { endpoint, source: Box::new(error) }
        }
    }
}

const GRAPHQL: &str = "/graphql";
const EVENTS: &str = "/events";
const SDL: &str = "/sdl";
const CHANGES: &str = "/changes";
const FILES: &str = "/files";
const LIVE: &str = "/health/live";
const READY: &str = "/health/ready";
