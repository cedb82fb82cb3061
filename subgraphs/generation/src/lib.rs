//! The generation domain: jobs that make drafts of cards from a text by calling the Python service, and the drafts until they become cards.
//!
//! It keeps no cards: drafts that are accepted are told to decks, by [`common::event`]. What the language model is told, the limits and who may
//! generate come from config; without it the last known values hold, or those that are built in. It never logs a text or the secret, and
//! whatever the service does, only a job fails.

pub mod address;
pub mod allowance;
mod answer;
pub mod callback;
mod client;
mod decks;
mod graphql;
pub mod model;
mod offsets;
pub mod queue;
pub mod service;
pub mod store;

use std::sync::{Arc, Weak};
use std::time::Duration;

use common::endpoint::SchemaEndpoint;
use common::outbox::Outbox;
use common::{Backend, Clock, Endpoint, Error, ServiceConfig};
use secrecy::SecretString;

use client::Client;
use queue::Bounds;
use service::Service;
use store::Store;
use store::mongo::MongoStore;
use store::sqlite::SqliteStore;

pub use store::sqlite::MIGRATIONS;

/// The subgraph's name.
pub const NAME: &str = "generation";
/// How long the service may take when nothing else is set: as long as the people who use it are used to wait.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is looked for jobs that were over long ago.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// Where the Python service is, and how to speak to it.
#[derive(Debug, Clone)]
pub struct GenerationSettings {
    /// Its address, such as `http://127.0.0.1:8091`. Who can reach it can act as anybody: it must be private.
    pub url: String,
    /// What both sides know.
    pub secret: SecretString,
    /// How long one generation may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How many jobs there may be.
    pub bounds: Bounds,
}

/// Opens the domain on its store, and goes on with the jobs it has. `decks` is asked whether a deck is the viewer's and told of accepted drafts, `config` is asked
/// for the prompt and the limits. A SQLite file must have been opened with [`MIGRATIONS`]. A crypto provider of `rustls` must be installed in
/// the process.
///
/// # Errors
/// [`Error::Invalid`] when a setting cannot be used, [`Error::Store`] when the store cannot; whether the service runs is not asked.
pub async fn open(
    backend: Backend,
    settings: GenerationSettings,
    decks: Arc<dyn Endpoint>,
    config: Arc<dyn Endpoint>,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    let client = Client::new(&settings)?;
    let config = ServiceConfig::over(config, clock.clone());
    let bounds = settings.bounds;
    let start = |store: Arc<dyn Store>, outbox| {
        let service = Service::new(store, outbox, client, bounds, decks.clone(), config, clock);
        start(Arc::new(service), bounds.running > 0)
    };
    match backend {
        Backend::Sqlite(sqlite) => {
            let store = Arc::new(SqliteStore::new(sqlite));
            if settings.bounds.running > 0 {
                store.release().await?;
            }
            let outbox = Outbox::start(NAME, store.clone(), vec![decks.clone()]);
            Ok(start(store, outbox))
        }
        Backend::Mongo(mongo) => {
            let store = Arc::new(MongoStore::open(mongo).await?);
            let outbox = Outbox::start(NAME, store.clone(), vec![decks.clone()]);
            Ok(start(store, outbox))
        }
    }
}

fn start(service: Arc<Service>, begins_jobs: bool) -> Arc<dyn Endpoint> {
    if begins_jobs {
        tokio::spawn(service::work(Arc::downgrade(&service)));
        tokio::spawn(service::upkeep(Arc::downgrade(&service)));
    }
    tokio::spawn(purge(Arc::downgrade(&service)));
    let endpoint = SchemaEndpoint::new(NAME, graphql::schema(service.clone()), service);
    Arc::new(endpoint.with_costs(include_str!("graphql/costs.txt")))
}

/// Deletes jobs that were over long ago, as long as the domain is open.
async fn purge(service: Weak<Service>) {
    loop {
        let Some(service) = service.upgrade() else { return };
        if let Err(error) = service.purge().await {
            tracing::warn!(%error, "old jobs of card generation could not be deleted");
        }
        drop(service);
        tokio::time::sleep(PURGE_EVERY).await;
    }
}
