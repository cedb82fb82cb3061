//! What other domains are told, until it is delivered.

use common::outbox::OutboxStore;
use common::{Event, EventId, StoreError};
use futures::future::BoxFuture;
use rusqlite::types::Value;

use super::SqliteStore;
use super::rows::list;

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        let sql = include_str!("sql/pending.sql");
        let limit = Value::from(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.rows(sql, vec![limit], |row| {
            Ok((row.get::<_, EventId>(0)?, row.get::<_, String>(1)?))
        });
        Box::pin(async move {
            let event = |(id, text): (EventId, String)| match serde_json::from_str(&text) {
                Ok(event) => Ok((id, event)),
                Err(error) => Err(StoreError::Corrupt(format!("event {id}: {error}"))),
            };
            rows.await?.into_iter().map(event).collect()
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let ids = list(events.into_iter().map(EventId::uuid));
        Box::pin(self.0.write_unflushed(move |connection| {
            let sql = include_str!("sql/delivered.sql");
            connection.prepare_cached(sql)?.execute([ids])?;
            Ok(())
        }))
    }
}
