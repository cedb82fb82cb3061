//! The learning domain: scheduling by FSRS, the review log that it is replayed from, and the study queue.
//!
//! It keeps its own copy of which decks and cards exist and whose they are, from the events of [`common::event`]. What a card says it does not
//! know.

pub mod choice;
pub mod entry;
pub mod fit;
mod graphql;
pub mod model;
pub mod scheduler;
pub mod service;
pub mod shelf;
pub mod store;
pub mod submission;
pub mod tally;
pub mod tell;

use std::sync::Arc;

use common::endpoint::SchemaEndpoint;
use common::outbox::Outbox;
use common::{Backend, Clock, Endpoint, Error};

use service::Service;

pub use store::MIGRATIONS;

/// The subgraph's name.
pub const NAME: &str = "learning";

/// Opens the domain on its store. `subscribers` are told what was learned of cards. A SQLite file must have been opened with [`MIGRATIONS`].
///
/// # Errors
/// When the store cannot be used.
pub async fn open(
    backend: Backend,
    subscribers: Vec<Arc<dyn Endpoint>>,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    let store = store::open(backend).await?;
    let outbox = Outbox::start(NAME, store.clone(), subscribers);
    let service = Arc::new(Service::new(store, outbox, clock)?);
    let endpoint = SchemaEndpoint::new(NAME, graphql::schema(service.clone()), service);
    Ok(Arc::new(endpoint.with_costs(include_str!("graphql/costs.txt"))))
}
