//! The decks domain: decks in decks, notes, the cards they make, tags, media, and what was deleted lately.
//!
//! It knows nothing of learning: what it tells other domains are the events of [`common::event`]. It renders no card: question and
//! answer are kept as they were written.

pub mod cloze;
pub mod exchange;
mod graphql;
pub mod merge;
pub mod model;
pub mod place;
pub mod references;
pub mod search;
pub mod service;
pub mod store;

use std::sync::{Arc, Weak};
use std::time::Duration;

use common::endpoint::SchemaEndpoint;
use common::outbox::Outbox;
use common::{Backend, Clock, Endpoint, Error};

use model::MediaLimits;
use service::Service;
use store::Store;
use store::mongo::MongoStore;
use store::sqlite::SqliteStore;

pub use store::sqlite::MIGRATIONS;

/// The subgraph's name.
pub const NAME: &str = "decks";

/// The subscriber that is asked how well cards are learned when they are exported.
const LEARNING: &str = "learning";

/// How often it is looked for what has been in the trash for too long.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// How long others have the store to themselves where there is much of it.
const PURGE_PAUSE: Duration = Duration::from_secs(1);

/// Opens the domain on its store. `subscribers` are told of decks and cards that come, change place or go. A SQLite file
/// must have been opened with [`MIGRATIONS`].
///
/// # Errors
/// When the store cannot be used.
pub async fn open(
    backend: Backend,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    open_with(backend, subscribers, clock, MediaLimits::default()).await
}

/// The same with limits of media.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    backend: Backend,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
    limits: MediaLimits,
) -> Result<Arc<dyn Endpoint>, Error> {
    Ok(match backend {
        Backend::Sqlite(sqlite) => {
            start(SqliteStore::open(sqlite).await?, subscribers, clock, limits)
        }
        Backend::Mongo(mongo) => start(MongoStore::open(mongo).await?, subscribers, clock, limits),
    })
}

fn start(
    store: impl Store + 'static,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
    limits: MediaLimits,
) -> Arc<dyn Endpoint> {
    let store = Arc::new(store);
    let learning = subscribers.iter().find(|subscriber| subscriber.name() == LEARNING).cloned();
    let outbox = Outbox::start(NAME, store.clone(), subscribers);
    let service = Service::new(store, outbox, clock).with_media_limits(limits);
    let service = Arc::new(service.with_learning(learning));
    tokio::spawn(purge(Arc::downgrade(&service)));
    tokio::spawn(service::transfers::work::work(Arc::downgrade(&service)));
    let endpoint = SchemaEndpoint::new(NAME, graphql::schema(service.clone()), service);
    Arc::new(endpoint.with_costs(include_str!("graphql/costs.txt")))
}

/// Deletes for good what has been in the trash for too long, and finishes what others left unfinished, as long as the domain is open.
async fn purge(service: Weak<Service>) {
    let mut mended = None;
    loop {
        let Some(service) = service.upgrade() else { return };
        let more = service.purge().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what lies in the trash could not be deleted for good");
            false
        });
        mended = service.mend(mended).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "it could not be looked whether cards are found by what they say");
            mended
        });
        if let Err(error) = service.drop_forgotten_media().await {
            tracing::warn!(%error, "files of decks that are public no more could not be let go of");
        }
        drop(service);
        tokio::time::sleep(if more { PURGE_PAUSE } else { PURGE_EVERY }).await;
    }
}
