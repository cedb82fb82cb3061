//! `spacey gateway`: the gateway alone, over subgraphs that are reached by HTTP.

use std::fs;
use std::process::ExitCode;

use common::Clock;
use gateway::Gateway;

use super::serve::generation_settings;
use super::server;
use crate::cli::GatewayArgs;
use crate::graph;
use crate::settings::Settings;
use crate::wiring::{Identity, remote_domains};

pub(super) async fn run(settings: Settings, arguments: GatewayArgs) -> super::Result {
    let (listener, address) = server::listen(&settings.listen).await?;
    let identity = Identity::load(&settings)?;
    let clock = Clock::System;
    let domains = remote_domains(&settings, &identity)?;
    let mut endpoints = domains.endpoints;
    endpoints.push(generation::open(generation_settings(&settings)?, domains.decks, clock.clone())?);

    let supergraph = match arguments.supergraph {
        Some(path) => fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?,
        None => {
            let patience = settings.subgraphs.timeout * 6;
            let sdls = graph::await_subgraph_sdls(&endpoints, patience).await?;
            graph::supergraph(&sdls)?.supergraph_sdl
        }
    };
    let gateway = Gateway::new(
        &supergraph,
        endpoints,
        identity.access,
        identity.revocations,
        settings.http.to_gateway(),
        clock,
    )?;
    println!("The gateway listens on http://{address}");
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}
