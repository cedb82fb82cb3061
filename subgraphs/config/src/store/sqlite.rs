//! What administrators did, in a SQLite file.

use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{ConfigChangeId, StoreError};
use jiff::Timestamp;
use rusqlite::{Params, Row, params};

use super::{Answer, Store};
use crate::model::Change;

/// What the file is opened with.
pub const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001_config.sql"), include_str!("migrations/0002_changes.sql")];

/// A store in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file that was opened with [`MIGRATIONS`].
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }

    fn rows<'a>(
        &'a self,
        sql: &'static str,
        values: impl Params + Send + 'static,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                changes.push(read(row)?);
            }
            Ok(changes)
        }))
    }
}

impl Store for SqliteStore {
    fn last(&self) -> Answer<'_, Vec<Change>> {
        self.rows(include_str!("sql/last.sql"), ())
    }

    fn version<'a>(&'a self, key: &'a str, version: i64) -> Answer<'a, Option<Change>> {
        let found = self.rows(include_str!("sql/version.sql"), (key.to_owned(), version));
        Box::pin(async move { Ok(found.await?.pop()) })
    }

    fn history<'a>(
        &'a self,
        key: Option<&'a str>,
        page: PageRequest<ConfigChangeId>,
    ) -> Answer<'a, Vec<Change>> {
        let sql = match page.direction {
            Direction::Forward => include_str!("sql/newest.sql"),
            Direction::Backward => include_str!("sql/oldest.sql"),
        };
        self.rows(sql, (key.map(str::to_owned), page.cursor, page.limit + 1))
    }

    fn append(&self, change: Change) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached(include_str!("sql/append.sql"))?.execute(params![
                change.id,
                change.key,
                change.version,
                change.value,
                change.made_at.as_millisecond(),
                change.made_by,
            ])?;
            Ok(())
        }))
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.0.ping())
    }
}

fn read(row: &Row<'_>) -> Result<Change, StoreError> {
    let made_at = Timestamp::from_millisecond(row.get("made_at")?);
    Ok(Change {
        id: row.get("id")?,
        key: row.get("key")?,
        version: row.get("version")?,
        value: row.get("value")?,
        made_at: made_at.map_err(|error| StoreError::Corrupt(error.to_string()))?,
        made_by: row.get("made_by")?,
    })
}
