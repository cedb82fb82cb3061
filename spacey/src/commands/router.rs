//! `spacey gateway --supergraph FILE`: a general router. It runs any supergraph, whoever composed it, over subgraphs that speak GraphQL
//! over HTTP at the addresses that the supergraph has for them.
//!
//! Everybody is anonymous to it, and it needs none of Spacey's secrets, services or folders.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use federation::Supergraph;
use gateway::{Gateway, GraphQlSubgraph, GraphQlSubgraphError, Transport};

use super::{front, server};
use crate::settings::{Settings, SubgraphAddresses};

pub(super) async fn run(settings: &Settings, file: &Path) -> super::Result {
    let sdl = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let supergraph =
        Supergraph::parse(&sdl).map_err(|error| format!("{}: {error}", file.display()))?;
    let subgraphs = transports(&supergraph, &settings.subgraphs.addresses)?;
    let gateway_settings = front::gateway_settings(&settings.http)?;
    let gateway = Gateway::without_authentication(supergraph, subgraphs, gateway_settings)?;
    let (listener, address) = server::listen(&settings.listen).await?;
    println!("The gateway listens on http://{address}");
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}

/// How each subgraph of the supergraph is reached: at the address of a setting, else at the supergraph's own.
fn transports(
    supergraph: &Supergraph,
    addresses: &SubgraphAddresses,
) -> Result<Vec<Transport>, GraphQlSubgraphError> {
    supergraph
        .subgraphs()
        .map(|subgraph| {
            let address = addresses.of(&subgraph.name).unwrap_or(&subgraph.url);
            let subgraph = GraphQlSubgraph::new(&*subgraph.name, address)?;
            Ok(Transport::GraphQl(Arc::new(subgraph)))
        })
        .collect()
}
