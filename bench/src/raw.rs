//! What taking in reviews is compared with: SQLite that is handed the finished rows, with the settings and transactions that the product has.

use std::path::Path;

use common::UserId;
use learning::entry::EntryInput;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params, params_from_iter};

use crate::Result;

macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("../../subgraphs/learning/src/store/sqlite/sql/", $name, ".sql"))
    };
}

/// All rows that a batch of reviews made the domain write, as the statements take them.
pub(crate) struct Batch {
    owner: UserId,
    reviews: Vec<Vec<Value>>,
    cards: Vec<Vec<Value>>,
    tallies: Vec<Vec<Value>>,
}

/// Reads them back from the domain's file.
pub(crate) struct Rows(Connection);

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?))
    }

    pub(crate) fn of(&self, owner: UserId, batch: &[EntryInput]) -> Result<Batch> {
        let ids: Vec<String> =
            batch.iter().map(|entry| entry.id.uuid().simple().to_string()).collect();
        let ids = serde_json::to_string(&ids)?;
        let read = |sql: &str| -> Result<Vec<Vec<Value>>> {
            let mut select = self.0.prepare_cached(sql)?;
            let columns = select.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
            Ok(select.query_map(params![ids, owner], row)?.collect::<rusqlite::Result<_>>()?)
        };
        Ok(Batch {
            owner,
            reviews: read(
                "SELECT r.owner, r.id, r.card, r.kind, r.rating, r.value, r.target, r.reviewed_at, r.received_at, r.duration_ms,
                    r.time_zone, r.session, r.day, r.hour, r.deck, r.rules, r.phase, r.past
                 FROM json_each(?1) AS wanted CROSS JOIN review AS r ON r.owner = ?2 AND r.id = unhex(wanted.value)",
            )?,
            cards: read(
                "SELECT DISTINCT c.id, c.model, c.weights, c.state, c.step, c.due_at, c.due_day, c.stability, c.difficulty, c.half_life,
                    c.reps, c.lapses, c.leech, c.last_reviewed_at, c.last_review, c.last_day, c.suspended, c.buried_until, c.flag,
                    c.last_entry_at, c.last_entry, c.seq, c.answered_again, c.answered_hard, c.answered_good, c.answered_easy
                 FROM json_each(?1) AS wanted CROSS JOIN review AS r ON r.owner = ?2 AND r.id = unhex(wanted.value)
                 CROSS JOIN card AS c ON c.id = r.card",
            )?,
            tallies: read(
                "SELECT DISTINCT t.owner, t.day, t.deck, t.reviews, t.duration_ms, t.numbers
                 FROM json_each(?1) AS wanted CROSS JOIN review AS r ON r.owner = ?2 AND r.id = unhex(wanted.value)
                 CROSS JOIN tally AS t ON t.owner = r.owner AND t.deck IN (r.deck, zeroblob(16)) AND t.day = r.day",
            )?,
        })
    }
}

/// A file of its own.
pub(crate) struct Raw(Connection);

impl Raw {
    /// A copy of the domain's file as it is now.
    pub(crate) fn copy(from: &Path, to: &Path) -> Result<Self> {
        let name = to.to_str().ok_or("the folder's name is not UTF-8")?;
        Connection::open(from)?.execute("VACUUM INTO ?1", [name])?;
        let connection = Connection::open(to)?;
        connection.set_prepared_statement_cache_capacity(64);
        // As the product's own: see common/src/sqlite.
        for (name, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("wal_autocheckpoint", "4000"),
            ("cache_size", "-16384"),
            ("temp_store", "MEMORY"),
        ] {
            connection.pragma_update(None, name, value)?;
        }
        Ok(Self(connection))
    }

    /// Writes all of a batch.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<()> {
        let transaction = self.0.transaction()?;
        execute(&transaction, sql!("put_review"), &batch.reviews)?;
        execute(&transaction, sql!("put_tally"), &batch.tallies)?;
        transaction.prepare_cached(sql!("next_seq"))?.query_row([batch.owner], |_| Ok(()))?;
        execute(&transaction, sql!("put_progress"), &batch.cards)?;
        Ok(transaction.commit()?)
    }

    /// Writes what of a batch goes into the log.
    pub(crate) fn write_log(&mut self, batch: &Batch) -> Result<()> {
        let transaction = self.0.transaction()?;
        execute(&transaction, sql!("put_review"), &batch.reviews)?;
        Ok(transaction.commit()?)
    }
}

fn execute(connection: &Connection, sql: &str, rows: &[Vec<Value>]) -> Result<()> {
    let mut put = connection.prepare_cached(sql)?;
    for row in rows {
        put.execute(params_from_iter(row))?;
    }
    Ok(())
}
