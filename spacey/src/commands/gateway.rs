//! `spacey gateway`: the gateway alone, over subgraphs that are reached by HTTP.

use std::fs;
use std::process::ExitCode;

use super::{front, server};
use crate::cli::GatewayArgs;
use crate::settings::Settings;
use crate::wiring::{Domains, Identity};

pub(super) async fn run(settings: Settings, arguments: GatewayArgs) -> super::Result {
    let (listener, address) = server::listen(&settings.listen).await?;
    let identity = Identity::load(&settings)?;
    let domains = Domains::remote(&settings, &identity)?;
    let supergraph = match arguments.supergraph {
        Some(path) => {
            Some(fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?)
        }
        None => None,
    };
    let generation = front::generation_settings(&settings)?;
    let gateway = front::gateway(&settings, identity, &domains, generation, supergraph).await?;
    println!("The gateway listens on http://{address}");
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}
