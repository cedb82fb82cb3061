//! The config domain: typed settings that the front end reads.
//!
//! The keys are a closed set. Each has a type, bounds and a default in the code; an administrator can override it. A value that
//! breaks a rule never takes effect. Secrets and settings of the services themselves are not here.

mod graphql;
pub mod model;
mod service;
pub mod store;

use std::sync::Arc;

use common::{Backend, Clock, Endpoint, Error};

pub use store::sqlite::MIGRATIONS;

use service::Service;
use store::Store;

/// Opens the domain on a store: a SQLite file that was opened with [`MIGRATIONS`], or a MongoDB database.
///
/// # Errors
/// [`Error::Store`] when the store cannot be used.
pub async fn open(backend: Backend, clock: Clock) -> Result<Arc<dyn Endpoint>, Error> {
    let store: Arc<dyn Store> = match backend {
        Backend::Sqlite(sqlite) => Arc::new(store::sqlite::SqliteStore::new(sqlite)),
        Backend::Mongo(mongo) => Arc::new(store::mongo::MongoStore::new(mongo)),
    };
    let service = Service::open(store, clock).await?;
    Ok(Arc::new(graphql::endpoint(Arc::new(service))))
}
