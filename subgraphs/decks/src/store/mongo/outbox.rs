//! The events that wait to be delivered, in MongoDB, in the order in which they were written.

use common::outbox::OutboxStore;
use common::{Event, EventId, StoreError};
use futures::future::BoxFuture;
use mongodb::bson::doc;

use super::MongoStore;
use super::documents::EventDocument;
use super::filters::{all, one_of};

impl OutboxStore for MongoStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found = self.outbox.find(doc! {}).sort(doc! { "_id": 1 }).limit(limit).await?;
            all(found, EventDocument::into_event).await
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.outbox.delete_many(one_of(events)).await?;
            Ok(())
        })
    }
}
