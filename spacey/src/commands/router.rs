//! `spacey gateway --supergraph FILE`, or `--config FILE`: a general router. It runs any supergraph, whoever composed it, or composes one
//! itself, over subgraphs that speak GraphQL over HTTP at the addresses that the supergraph has for them.
//!
//! Everybody is anonymous to it unless a setting says otherwise, and it needs none of Spacey's secrets, services or folders.

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use common::token::{AccessTokens, KeyError};
use gateway::Gateway;
use secrecy::SecretString;

use super::{front, server};
use crate::origin::Origin;
use crate::reload;
use crate::settings::{Keys, Settings};
use crate::subgraphs::Subgraphs;

pub(super) async fn run(settings: &Settings, mut origin: Origin) -> super::Result {
    let sdl = origin.changed().await?.unwrap_or_default();
    let subgraphs = Arc::new(Subgraphs::new(settings.subgraphs.policies.clone()));
    let (supergraph, transports) = subgraphs.of_supergraph(&sdl)?;
    subgraphs.warn_of_unknown(&supergraph);
    let gateway_settings = front::gateway_settings(settings)?;
    let tokens = tokens(&settings.keys)?;
    let gateway = Gateway::general(supergraph, transports, tokens, gateway_settings)?;
    let (listener, address) = server::listen(&settings.listen).await?;
    println!("The gateway listens on http://{address}");
    if let Some(every) = settings.subgraphs.reload {
        tokio::spawn(reload::watch(gateway.clone(), subgraphs, origin, every));
    }
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}

/// The key by which access tokens are recognised, where they are looked at. It is never made here: whoever issues tokens has it.
fn tokens(keys: &Keys) -> Result<Option<Arc<AccessTokens>>, String> {
    if !keys.authentication {
        return Ok(None);
    }
    let path = &keys.jwt_key_file;
    let pem = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let pem = SecretString::from(pem);
    let tokens = AccessTokens::from_pem(&pem)
        .map_err(|error: KeyError| format!("SPACEY_JWT_KEY_FILE: {error}"))?;
    Ok(Some(Arc::new(tokens)))
}
