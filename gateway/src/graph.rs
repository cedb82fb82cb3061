//! One supergraph as it runs: what is prepared for it, and how its subgraphs are reached. It is replaced as a whole.

use std::sync::Arc;

use federation::{Supergraph, SupergraphError};

use crate::authenticate::IssuerError;
use crate::buckets::StoreError;
use crate::prepare::Operations;
use crate::settings::GatewaySettings;
use crate::transport::{Transport, Transports};

/// Why a gateway cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The supergraph cannot be used.
    #[error(transparent)]
    Supergraph(#[from] SupergraphError),
    /// The supergraph names a subgraph that no transport was given for.
    #[error("the supergraph names the subgraph {0}, and nothing says how to reach it")]
    Unreachable(String),
    /// Another issuer's tokens cannot be recognised.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The store of points that gateways share cannot be used.
    #[error(transparent)]
    Points(#[from] StoreError),
}

/// A supergraph as it runs.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) operations: Operations,
    pub(crate) transports: Arc<Transports>,
}

impl Graph {
    /// # Errors
    /// [`GatewayError::Unreachable`] when the supergraph names a subgraph that is not among `subgraphs`.
    pub(crate) fn new(
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
        settings: &GatewaySettings,
    ) -> Result<Self, GatewayError> {
        let transports = Transports::new(subgraphs.into_iter().map(Into::into));
        for subgraph in supergraph.subgraphs() {
            if !transports.contains(&subgraph.name) {
                return Err(GatewayError::Unreachable(subgraph.name.to_string()));
            }
        }
        let operations = Operations::new(Arc::new(supergraph), settings);
        Ok(Self { operations, transports: Arc::new(transports) })
    }
}
