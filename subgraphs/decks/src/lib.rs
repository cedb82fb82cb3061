//! The decks domain: decks, the cards in them, and their order.
//!
//! It knows nothing of learning: what it tells other domains are the events of [`common::event`]. It renders no card: question and
//! answer are kept as they were written.

mod graphql;
pub mod model;
pub mod place;
pub mod service;
pub mod store;

use std::sync::Arc;

use common::endpoint::SchemaEndpoint;
use common::outbox::Outbox;
use common::{Backend, Clock, Endpoint, Error};

use service::Service;
use store::Store;
use store::mongo::MongoStore;
use store::sqlite::SqliteStore;

pub use store::sqlite::MIGRATIONS;

/// The subgraph's name.
pub const NAME: &str = "decks";

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
    match backend {
        Backend::Sqlite(sqlite) => Ok(start(SqliteStore::new(sqlite), subscribers, clock)),
        Backend::Mongo(mongo) => Ok(start(MongoStore::open(mongo).await?, subscribers, clock)),
    }
}

fn start(
    store: impl Store + 'static,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
) -> Arc<dyn Endpoint> {
    let store = Arc::new(store);
    let outbox = Outbox::start(NAME, store.clone(), subscribers);
    let service = Arc::new(Service::new(store, outbox, clock));
    Arc::new(SchemaEndpoint::new(NAME, graphql::schema(service.clone()), service))
}
