//! The domain's GraphQL schema: mapping only, no rule.

mod frontend;
mod history;
mod mutation;
mod query;
mod types;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Schema};
use common::endpoint::{Domain, SchemaEndpoint};
use common::{Error, Event};
use futures::future::BoxFuture;

use crate::service::Service;
use mutation::Mutation;
use query::Query;

/// The schema and the rest of the domain behind the seam.
pub(crate) fn endpoint(
    service: Arc<Service>,
) -> SchemaEndpoint<Query, Mutation, EmptySubscription> {
    let schema =
        Schema::build(Query, Mutation, EmptySubscription).data(Arc::clone(&service)).finish();
    SchemaEndpoint::new("config", schema, Arc::new(ConfigDomain(service)))
        .with_costs(include_str!("costs.txt"))
}

struct ConfigDomain(Arc<Service>);

impl Domain for ConfigDomain {
    /// What happens elsewhere changes no setting.
    fn apply<'a>(&'a self, _events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.0.ready())
    }

    fn public_revision(&self) -> u64 {
        self.0.revision()
    }
}
