//! The config domain: typed settings that front ends and services read, feature flags and the prompt of card generation among them.
//!
//! The keys are a closed set ([`model::Key`]). Each has a type, a rule and a default in the code; an administrator can override it, with a
//! history, and the environment overrides both. A value that breaks a rule never takes effect. Secrets are not here.

mod graphql;
pub mod model;
mod service;
pub mod store;

use std::sync::{Arc, Weak};
use std::time::Duration;

use common::{Backend, Clock, Endpoint, Error};

pub use model::Environment;
pub use store::sqlite::MIGRATIONS;

use service::Service;
use store::Store;

/// How often it is looked whether it is time to read the store again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Opens the domain on a store: a SQLite file that was opened with [`MIGRATIONS`], or a MongoDB database.
///
/// # Errors
/// [`Error::Store`] when the store cannot be used.
pub async fn open(
    backend: Backend,
    environment: Environment,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    // A file has one process.
    let shared = matches!(backend, Backend::Mongo(_));
    let store: Arc<dyn Store> = match backend {
        Backend::Sqlite(sqlite) => Arc::new(store::sqlite::SqliteStore::new(sqlite)),
        Backend::Mongo(mongo) => Arc::new(store::mongo::MongoStore::open(mongo).await?),
    };
    let service = Arc::new(Service::open(store, environment, clock).await?);
    if shared {
        tokio::spawn(follow(Arc::downgrade(&service)));
    }
    Ok(Arc::new(graphql::endpoint(service)))
}

/// Looks for what other processes changed also while nobody asks: whoever keeps answers is told of it.
async fn follow(service: Weak<Service>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(service) = service.upgrade() else { return };
        service.snapshot().await;
    }
}
