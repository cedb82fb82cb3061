//! The feed of ended sessions, answered from the store: for gateways in other processes, and for processes that share the database.

use common::EndpointError;
use common::revocation::{Ended, RevocationFeed};
use futures::future::BoxFuture;

use crate::{Users, failed};

impl RevocationFeed for Users {
    fn ended_since(&self, cursor: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>> {
        Box::pin(async move { self.service.ended_since(cursor).await.map_err(failed) })
    }
}
