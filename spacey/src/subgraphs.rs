//! The subgraphs of a general router: from a supergraph's text to how each of them is called.
//!
//! A subgraph whose address stays the same keeps its connections, and what is known of its health, when the supergraph is replaced.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use federation::{Supergraph, SupergraphError};
use gateway::{GraphQlSubgraph, GraphQlSubgraphError, Transport};

use crate::settings::Policies;

/// Why a supergraph cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouterError {
    #[error(transparent)]
    Supergraph(#[from] SupergraphError),
    #[error(transparent)]
    Subgraph(#[from] GraphQlSubgraphError),
}

/// Makes the subgraphs of supergraphs, one after the other.
#[derive(Debug)]
pub(crate) struct Subgraphs {
    policies: Policies,
    /// Those of the present supergraph, with their addresses.
    present: Mutex<HashMap<String, (String, Arc<GraphQlSubgraph>)>>,
}

impl Subgraphs {
    pub(crate) fn new(policies: Policies) -> Self {
        Self { policies, present: Mutex::default() }
    }

    /// The supergraph in `sdl`, and how each of its subgraphs is reached: at the address of a setting, else at the supergraph's own.
    ///
    /// # Errors
    /// When the supergraph cannot be used, or a subgraph has no address that can be called; it is named.
    pub(crate) fn of_supergraph(
        &self,
        sdl: &str,
    ) -> Result<(Supergraph, Vec<Transport>), RouterError> {
        let supergraph = Supergraph::parse(sdl)?;
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::new();
        for subgraph in supergraph.subgraphs() {
            let name = &*subgraph.name;
            let address = self.policies.address_of(name).unwrap_or(&subgraph.url);
            let made = match present.get(name) {
                Some((known, made)) if known == address => made.clone(),
                _ => Arc::new(GraphQlSubgraph::new(name, address, self.policies.of(name))?),
            };
            next.insert(name.to_owned(), (address.to_owned(), made));
        }
        let transports =
            next.values().map(|(_, subgraph)| Transport::GraphQl(subgraph.clone())).collect();
        *present = next;
        Ok((supergraph, transports))
    }

    /// Says which settings are about no subgraph: a misspelt name would otherwise go unnoticed.
    pub(crate) fn warn_of_unknown(&self, supergraph: &Supergraph) {
        let is_known = |name: &str| supergraph.subgraphs().any(|known| *known.name == *name);
        for name in self.policies.names().filter(|name| !is_known(name)) {
            tracing::warn!("there are settings for a subgraph {name:?} that the supergraph lacks");
        }
    }
}
