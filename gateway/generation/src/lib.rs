//! Card generation: drafts of cards from a text, made by the Python service that runs beside the gateway.
//!
//! It has the shape of a subgraph but runs in the gateway, because it owns no data: drafts are answered, not stored, and the client makes
//! cards of those it wants with `createCards`. What the language model is told, the limits and who may generate come from config; without it the
//! last known values hold, or those that are built in. It never logs a text or the secret, and whatever the service does, only this one mutation fails.

mod answer;
mod client;
mod graphql;
mod offsets;
mod service;

use std::sync::Arc;
use std::time::Duration;

use common::endpoint::SchemaEndpoint;
use common::{Clock, Endpoint, Error, ServiceConfig};
use secrecy::SecretString;

use client::Client;
use service::Service;

/// The subgraph's name.
pub const NAME: &str = "generation";
/// How long the service may take when nothing else is set: as long as the people who use it are used to wait.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the Python service is, and how to speak to it.
#[derive(Debug, Clone)]
pub struct GenerationSettings {
    /// Its address, such as `http://127.0.0.1:8091`. Who can reach it can act as anybody: it must be private.
    pub url: String,
    /// What both sides know.
    pub secret: SecretString,
    /// How long one generation may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
}

/// Makes the subgraph. `decks` is asked whether a deck is the viewer's, `config` for the prompt and the limits. A crypto provider of `rustls` must be installed in the process.
///
/// # Errors
/// [`Error::Invalid`] when a setting cannot be used; whether the service runs is not asked.
pub fn open(
    settings: GenerationSettings,
    decks: Arc<dyn Endpoint>,
    config: Arc<dyn Endpoint>,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    let client = Client::new(&settings)?;
    let service =
        Arc::new(Service::new(client, decks, ServiceConfig::over(config, clock.clone()), clock));
    let endpoint = SchemaEndpoint::new(NAME, graphql::schema(service.clone()), service);
    Ok(Arc::new(endpoint.with_costs(include_str!("costs.txt"))))
}
