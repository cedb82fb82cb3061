//! `spacey serve`: the whole product in one process.

use std::process::ExitCode;
use std::sync::Arc;

use common::{Clock, Endpoint};
use gateway::Gateway;
use generation::GenerationSettings;

use super::{demo, server};
use crate::graph;
use crate::settings::Settings;
use crate::sidecar::{Sidecar, SidecarCommand};
use crate::wiring::{Domains, Identity, WiringError, generation_secret};

pub(super) async fn run(settings: Settings) -> super::Result {
    // The port first: when it is taken, nothing else is started.
    let (listener, address) = server::listen(&settings.listen).await?;
    let identity = Identity::load(&settings)?;
    let clock = Clock::System;
    let sidecar = start_sidecar(&settings)?;
    let domains = Domains::open(&settings, &identity, &clock).await?;
    let mut endpoints = domains.endpoints.clone();
    endpoints.push(open_generation(&settings, domains.decks.clone(), &clock)?);

    let sdls = graph::await_subgraph_sdls(&endpoints, settings.subgraphs.timeout).await?;
    let supergraph = graph::supergraph(&sdls)?.supergraph_sdl;
    let gateway = Gateway::new(
        &supergraph,
        endpoints,
        identity.access,
        identity.revocations,
        settings.http.to_gateway(),
        clock,
    )?;
    let demo = match &domains.users {
        Some(users) if settings.accounts.demo => {
            Some(demo::ensure(&settings.data.dir, users, domains.decks.as_ref()).await?)
        }
        _ => None,
    };

    println!("Spacey listens on http://{address}");
    if settings.http.graphiql {
        println!("GraphiQL:      http://{address}/graphiql");
    }
    if let Some(demo) = demo {
        println!("Demo account:  {} with password {}", demo.email, demo.password);
    }
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    if let Some(sidecar) = sidecar {
        sidecar.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

fn start_sidecar(settings: &Settings) -> Result<Option<Sidecar>, WiringError> {
    let Some(words) = settings.generation.command.clone() else { return Ok(None) };
    Ok(Some(Sidecar::start(SidecarCommand {
        words,
        url: settings.generation.url.clone(),
        secret: generation_secret(settings)?,
        data_dir: settings.data.dir.join("generation"),
    })))
}

pub(super) fn open_generation(
    settings: &Settings,
    decks: Arc<dyn Endpoint>,
    clock: &Clock,
) -> Result<Arc<dyn Endpoint>, Box<dyn std::error::Error>> {
    let generation = GenerationSettings {
        url: settings.generation.url.clone(),
        secret: generation_secret(settings)?,
        timeout: settings.generation.timeout,
    };
    Ok(generation::open(generation, decks, clock.clone())?)
}
