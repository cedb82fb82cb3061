//! From endpoints to a supergraph: asks each for its schema and composes them.

use std::sync::Arc;
use std::time::Duration;

use common::{Endpoint, EndpointError};
use federation::compose::{
    ComposeSettings, Composition, Diagnostic, ListSizes, SubgraphSdl, compose_with,
};

/// How long a request for the schema of a starting subgraph is repeated, at intervals of a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no supergraph.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the subgraphs do not compose:\n{}", list(.0))]
    Composition(Vec<Diagnostic>),
}

/// Asks the endpoints for their schemas, in order.
pub(crate) async fn subgraph_sdls(
    endpoints: &[Arc<dyn Endpoint>],
) -> Result<Vec<SubgraphSdl>, EndpointError> {
    let mut sdls = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        let sdl = endpoint.sdl().await?;
        sdls.push(SubgraphSdl { name: endpoint.name().to_owned(), url: None, sdl });
    }
    Ok(sdls)
}

/// Like [`subgraph_sdls`], but waits for subgraphs that are still starting.
pub(crate) async fn await_subgraph_sdls(
    endpoints: &[Arc<dyn Endpoint>],
    patience: Duration,
) -> Result<Vec<SubgraphSdl>, EndpointError> {
    let started = tokio::time::Instant::now();
    loop {
        match subgraph_sdls(endpoints).await {
            Err(error) if started.elapsed() < patience => {
                tracing::warn!(%error, "waiting for a subgraph");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
}

/// Composes them; hints go to the log.
pub(crate) fn supergraph(subgraphs: &[SubgraphSdl]) -> Result<Composition, GraphError> {
    // A list that says nothing of its length is priced by what is assumed, which is no reason not to start.
    compose(subgraphs, ListSizes::Hinted)
}

/// Composes this program's own: each list of objects says how long it is.
pub(crate) fn own_supergraph(subgraphs: &[SubgraphSdl]) -> Result<Composition, GraphError> {
    compose(subgraphs, ListSizes::Required)
}

fn compose(subgraphs: &[SubgraphSdl], list_sizes: ListSizes) -> Result<Composition, GraphError> {
    let settings = ComposeSettings { list_sizes };
    let composition = compose_with(subgraphs, &settings).map_err(GraphError::Composition)?;
    for hint in &composition.hints {
        tracing::debug!(%hint, "composition");
    }
    Ok(composition)
}

fn list(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| format!("  {diagnostic}")).collect::<Vec<_>>().join("\n")
}
