//! The domain's GraphQL schema: mapping only, no rule.

mod lists;
mod mutation;
mod query;
mod security;
mod types;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject, Schema};
use common::endpoint::{Domain, SchemaEndpoint};
use common::{Error, Event};
use futures::future::BoxFuture;

use crate::service::Service;
use mutation::AccountMutation;
use query::Query;
use security::SecurityMutation;

/// What can be changed.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(AccountMutation, SecurityMutation);

/// The schema and the rest of the domain behind the seam.
pub(crate) fn endpoint(
    service: Arc<Service>,
) -> SchemaEndpoint<Query, Mutation, EmptySubscription> {
    let schema = Schema::build(Query, Mutation::default(), EmptySubscription)
        .data(Arc::clone(&service))
        .finish();
    SchemaEndpoint::new("users", schema, Arc::new(UsersDomain(service)))
        .with_costs(include_str!("costs.txt"))
}

struct UsersDomain(Arc<Service>);

impl Domain for UsersDomain {
    /// What happens elsewhere changes no account.
    fn apply<'a>(&'a self, _events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.0.ready())
    }
}
