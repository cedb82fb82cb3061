//! What administrators set, in a SQLite file.

use common::StoreError;
use common::sqlite::Sqlite;
use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Answer, Store};
use crate::model::Override;

/// What the file is opened with.
pub const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_config.sql")];

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

impl Store for SqliteStore {
    fn overrides(&self) -> Answer<'_, Vec<Override>> {
        Box::pin(self.0.read(|connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/overrides.sql"))?;
            let mut rows = statement.query([])?;
            let mut overrides = Vec::new();
            while let Some(row) = rows.next()? {
                overrides.push(read(row)?);
            }
            Ok(overrides)
        }))
    }

    fn put(&self, change: Override) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached(include_str!("sql/put.sql"))?.execute(params![
                change.key,
                change.value.to_string(),
                change.set_at.as_millisecond(),
                change.set_by,
            ])?;
            Ok(())
        }))
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        let key = key.to_owned();
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached(include_str!("sql/remove.sql"))?.execute([key])?;
            Ok(())
        }))
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.0.ping())
    }
}

fn read(row: &Row<'_>) -> Result<Override, StoreError> {
    let value: String = row.get("value")?;
    Ok(Override {
        key: row.get("key")?,
        value: serde_json::from_str(&value).map_err(corrupt)?,
        set_at: Timestamp::from_millisecond(row.get("set_at")?).map_err(corrupt)?,
        set_by: row.get("set_by")?,
    })
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
