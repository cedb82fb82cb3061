//! What the domain does when an account ends, with jobs that were over long ago, for whom asks for a file, and whether it is ready.

use std::ops::Range;

use common::endpoint::Domain;
use common::{Error, Event, FileBytes, FileInfo, Viewer};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::Service;
use crate::model::KEPT_FOR;

/// How many old jobs are deleted at once.
const PURGED_AT_ONCE: u32 = 200;

impl Service {
    /// Deletes jobs that have been over for too long.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn purge(&self) -> Result<(), Error> {
        while self.store.purge(self.clock.now() - KEPT_FOR, PURGED_AT_ONCE).await? > 0 {}
        Ok(())
    }
}

impl Domain for Service {
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            for event in events {
                // An account comes back from being gone by no event, so versions need not be compared.
                if let Event::User(user) = event
                    && user.deleted
                {
                    self.store.forget(user.user, self.clock.now()).await?;
                    self.upkeep.notify_one();
                }
            }
            Ok(())
        })
    }

    fn file<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<FileInfo>, Error>> {
        Box::pin(self.pdf(viewer, id.into()))
    }

    fn file_bytes<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<FileBytes>, Error>> {
        Box::pin(self.pdf_bytes(viewer, id.into(), range))
    }

    /// Whether the store answers. Without the Python service jobs fail, and everything else does its work.
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { Ok(self.store.ping().await?) })
    }
}
