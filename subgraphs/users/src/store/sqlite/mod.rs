//! Everything of the domain in a SQLite file, a module for each kind of thing.

mod accounts;
mod audit;
mod keys;
mod limits;
mod mail;
mod people;
mod sessions;

use common::outbox::OutboxStore;
use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{Client, Event, EventId, StoreError};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

/// What the file is opened with.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_users.sql"),
    include_str!("../migrations/0002_security.sql"),
    include_str!("../migrations/0003_email_change.sql"),
    include_str!("../migrations/0004_people.sql"),
    include_str!("../migrations/0005_session_seed.sql"),
];

/// A store in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file that was opened with [`MIGRATIONS`].
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }
}

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("../sql/pending.sql"))?;
            let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let event = serde_json::from_str(row.get_ref("event")?.as_str().map_err(corrupt)?)
                    .map_err(corrupt)?;
                events.push((row.get("id")?, event));
            }
            Ok(events)
        }))
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let events = hex_array(events.iter().map(|event| event.uuid()));
        Box::pin(self.0.write_unflushed(move |connection| {
            connection.prepare_cached(include_str!("../sql/delivered.sql"))?.execute([events])?;
            Ok(())
        }))
    }
}

fn insert_event(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let event = serde_json::to_string(event).map_err(|error| StoreError::Other(Box::new(error)))?;
    connection
        .prepare_cached(include_str!("../sql/insert_event.sql"))?
        .execute(params![EventId::new(), event])?;
    Ok(())
}

fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let time: Option<i64> = row.get(column)?;
    time.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
}

/// A client from the columns `address` and `user_agent`.
fn client(row: &Row<'_>) -> Result<Client, StoreError> {
    let address: Option<String> = row.get("address")?;
    let address = address.map(|text| text.parse()).transpose().map_err(corrupt)?;
    Ok(Client::new(address, row.get::<_, Option<String>>("user_agent")?.as_deref()))
}

fn address(client: &Client) -> Option<String> {
    client.address.map(|address| address.to_string())
}

/// `ORDER BY` and `LIMIT` of a page of rows sorted by `id`, and the comparison of `id` with its cursor, which is `?2`. The limit is `?3`.
fn page_clauses<K>(page: &PageRequest<K>, newest_first: bool) -> &'static str {
    match (page.direction == Direction::Forward, newest_first) {
        (true, false) | (false, true) => "(?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3",
        (true, true) | (false, false) => "(?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
    }
}

fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(row.get(column)?).map_err(corrupt)
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// A JSON array that `unhex(value) FROM json_each(?)` turns into ids.
fn hex_array(ids: impl Iterator<Item = Uuid>) -> String {
    let ids: Vec<_> = ids.map(|id| format!("\"{}\"", id.simple())).collect();
    format!("[{}]", ids.join(","))
}
