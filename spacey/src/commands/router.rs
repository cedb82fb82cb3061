//! `spacey gateway --supergraph FILE`, or `--config FILE`: a general router. It runs any supergraph, whoever composed it, or composes one
//! itself, over subgraphs that speak GraphQL over HTTP at the addresses that the supergraph has for them.
//!
//! Everybody is anonymous to it unless a setting says otherwise, and it needs none of Spacey's secrets, services or folders.

use std::process::ExitCode;
use std::sync::Arc;

use common::Clock;
use common::token::AccessTokens;
use gateway::{Gateway, Mode};

use super::{front, metrics, server};
use crate::keys::{self, KeysError};
use crate::origin::Origin;
use crate::reload;
use crate::settings::{Keys, Settings};
use crate::subgraphs::Subgraphs;

pub(super) async fn run(settings: &Settings, mut origin: Origin) -> super::Result {
    let sdl = origin.changed().await?.unwrap_or_default();
    let subgraphs = Arc::new(Subgraphs::new(settings.subgraphs.policies.clone()));
    let (supergraph, transports) = subgraphs.of_supergraph(&sdl)?;
    subgraphs.warn_of_unknown(&supergraph);
    let gateway_settings = front::gateway_settings(settings, Mode::Off)?;
    let tokens = tokens(&settings.keys)?;
    let gateway = Gateway::general(supergraph, transports, tokens, gateway_settings)?;
    let (listener, address) = server::listen(&settings.listen).await?;
    metrics::serve(&settings.observed).await?;
    println!("The gateway listens on http://{address}");
    if let Some(every) = settings.subgraphs.reload {
        tokio::spawn(reload::watch(gateway.clone(), subgraphs, origin, every));
    }
    let drain = gateway.drain();
    server::serve(listener, gateway.router(), settings.listen.drain, move || drain.begin()).await?;
    Ok(ExitCode::SUCCESS)
}

/// The keys by which access tokens are recognised, where they are looked at. None is ever made here: whoever issues tokens has them.
fn tokens(keys: &Keys) -> Result<Option<Arc<AccessTokens>>, KeysError> {
    if !keys.authentication {
        return Ok(None);
    }
    let tokens = Arc::new(AccessTokens::new(keys::read(keys)?));
    tokio::spawn(keys::watch(keys.clone(), tokens.clone(), Clock::System));
    Ok(Some(tokens))
}
