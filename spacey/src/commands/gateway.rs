//! `spacey gateway`: the gateway alone, over subgraphs that are reached by HTTP. With a supergraph, or subgraphs to compose, it is a general router
//! (`router`); without one it is the product's gateway, over Spacey's own subgraphs.

use std::process::ExitCode;

use super::{front, metrics, router, server};
use crate::cli::GatewayArgs;
use crate::mail_pages;
use crate::origin::Origin;
use crate::settings::Settings;
use crate::wiring::{Domains, Identity};

pub(super) async fn run(mut settings: Settings, arguments: GatewayArgs) -> super::Result {
    if let Some(address) = arguments.listen {
        (settings.listen.host, settings.listen.port) = (address.ip(), address.port());
    }
    settings.http.development |= arguments.development;
    match (arguments.supergraph, arguments.config) {
        (Some(file), _) => router::run(&settings, Origin::file(file)).await,
        (None, Some(config)) => router::run(&settings, Origin::composed(config)).await,
        (None, None) => product(&settings).await,
    }
}

async fn product(settings: &Settings) -> super::Result {
    let (listener, address) = server::listen(&settings.listen).await?;
    metrics::serve(&settings.observed).await?;
    let identity = Identity::load(settings)?;
    let domains = Domains::remote(settings, &identity)?;
    let gateway = front::gateway(settings, identity, &domains).await?;
    println!("The gateway listens on http://{address}");
    let drain = gateway.drain();
    let router = gateway.router().merge(mail_pages::routes());
    server::serve(listener, router, settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}
