//! `spacey serve`: the whole product in one process.

use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use common::Clock;
use gateway::Gateway;
use generation::GenerationSettings;
use url::Url;

use super::{demo, server};
use crate::graph;
use crate::settings::Settings;
use crate::sidecar::{Sidecar, SidecarCommand};
use crate::wiring::{Domains, Identity, generation_secret};

const WHERE_IT_LISTENS_BY_DEFAULT: &str = "http://127.0.0.1:8091";

pub(super) async fn run(settings: Settings) -> super::Result {
    // The port first: when it is taken, nothing else is started.
    let (listener, address) = server::listen(&settings.listen).await?;
    let identity = Identity::load(&settings)?;
    let clock = Clock::System;
    let generation = generation_settings(&settings)?;
    let sidecar = start_sidecar(&settings, &generation);
    let domains = Domains::open(&settings, &identity, &clock).await?;
    let mut endpoints = domains.endpoints.clone();
    endpoints.push(generation::open(generation, domains.decks.clone(), clock.clone())?);

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

fn start_sidecar(settings: &Settings, generation: &GenerationSettings) -> Option<Sidecar> {
    let words = settings.generation.command.clone()?;
    Some(Sidecar::start(SidecarCommand {
        words,
        url: generation.url.clone(),
        secret: generation.secret.clone(),
        data_dir: settings.data.dir.join("generation"),
    }))
}

/// Where the card-generation service is, or will be.
pub(super) fn generation_settings(
    settings: &Settings,
) -> Result<GenerationSettings, Box<dyn std::error::Error>> {
    let url = match (&settings.generation.url, &settings.generation.command) {
        (Some(url), _) => url.clone(),
        (None, None) => Url::parse(WHERE_IT_LISTENS_BY_DEFAULT)?,
        (None, Some(_)) => {
            // The port is free now; should another program take it first, the service says so and is started again.
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            Url::parse(&format!("http://{free}"))?
        }
    };
    let (secret, timeout) = (generation_secret(settings)?, settings.generation.timeout);
    Ok(GenerationSettings { url, secret, timeout })
}
