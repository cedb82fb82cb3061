//! Jobs and what they may cost in a SQLite file.

mod contents;

use common::outbox::OutboxStore;
use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{Event, EventId, GenerationJobId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

use super::{Inserted, Reply, Store, admit, at_once, moment, read, written};
use crate::allowance::{Allowance, given};
use crate::model::Job;
use crate::queue::{self, Active, Bounds};

/// What the file is opened with.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_generation.sql"),
    include_str!("migrations/0002_contents_and_points.sql"),
    include_str!("migrations/0003_what_got_lost.sql"),
];

const BY_KEY: &str = "SELECT body FROM job WHERE owner = ?1 AND key = ?2";

/// A store in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file that was opened with [`MIGRATIONS`].
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }

    /// Lets jobs that are running be begun again at once: for the one process that runs those of a file, when it starts.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn release(&self) -> Result<(), StoreError> {
        let release = |connection: &Connection| {
            connection.execute("UPDATE job SET worker = NULL, lease = NULL WHERE state = 1", [])?;
            Ok(())
        };
        self.0.write(release).await
    }
}

impl Store for SqliteStore {
    fn insert(&self, mut job: Job, bounds: Bounds) -> Reply<'_, Inserted> {
        Box::pin(self.0.write(move |connection| {
            let owner = job.owner;
            let gone = "SELECT 1 FROM owner WHERE id = ?1";
            if connection.prepare_cached(gone)?.exists([owner])? {
                return Ok(Inserted::Gone);
            }
            if let Some(key) = &job.request.key
                && let Some(job) = bodies(connection, BY_KEY, params![owner, key])?.pop()
            {
                return Ok(Inserted::Known(job));
            }
            let kept = "SELECT count(*) FROM job WHERE owner = ?1";
            let kept: u32 =
                connection.prepare_cached(kept)?.query_row([owner], |row| row.get(0))?;
            job.turn = match admit(&active(connection)?, owner, kept as usize, &bounds) {
                Ok(turn) => turn,
                Err(full) => return Ok(Inserted::Full(full)),
            };
            let allowance =
                Allowance::now(allowance(connection, owner)?, bounds.points_each, job.created_at);
            let left = match allowance.pay(job.points, bounds.points_each) {
                Ok(left) => left,
                Err(short) => return Ok(Inserted::Short(short)),
            };
            connection.prepare_cached(include_str!("sql/put_allowance.sql"))?.execute(params![
                owner,
                left.parts,
                left.at.as_millisecond()
            ])?;
            connection.prepare_cached(include_str!("sql/insert.sql"))?.execute(params![
                job.id,
                owner,
                job.request.key,
                job.state.number(),
                job.turn,
                job.version,
                job.finished_at.map(Timestamp::as_millisecond),
                written(&job)?,
            ])?;
            Ok(Inserted::New(job))
        }))
    }

    fn by_key(&self, owner: UserId, key: String) -> Reply<'_, Option<Job>> {
        Box::pin(
            self.0
                .read(move |connection| Ok(bodies(connection, BY_KEY, params![owner, key])?.pop())),
        )
    }

    fn jobs(&self, ids: Vec<GenerationJobId>) -> Reply<'_, Vec<Job>> {
        Box::pin(self.0.read(move |connection| {
            let mut jobs = Vec::with_capacity(ids.len());
            for id in ids {
                jobs.extend(bodies(connection, "SELECT body FROM job WHERE id = ?1", [id])?);
            }
            Ok(jobs)
        }))
    }

    fn page(&self, owner: UserId, page: PageRequest<GenerationJobId>) -> Reply<'_, Vec<Job>> {
        Box::pin(self.0.read(move |connection| {
            let sql = match page.direction {
                Direction::Forward => include_str!("sql/page_newest.sql"),
                Direction::Backward => include_str!("sql/page_oldest.sql"),
            };
            bodies(connection, sql, params![owner, page.cursor, page.limit + 1])
        }))
    }

    fn claim(
        &self,
        worker: Uuid,
        now: Timestamp,
        until: Timestamp,
        bounds: Bounds,
    ) -> Reply<'_, Option<Job>> {
        Box::pin(self.0.write(move |connection| {
            let Some(id) = queue::next(&active(connection)?, &bounds, now) else {
                return Ok(None);
            };
            let found = bodies(connection, "SELECT body FROM job WHERE id = ?1", [id])?;
            let Some(mut job) = found.into_iter().next() else { return Ok(None) };
            job.begin(now);
            if !put(connection, &job)? {
                return Err(StoreError::Corrupt(format!("job {id} has two versions")));
            }
            connection
                .prepare_cached("UPDATE job SET worker = ?2, lease = ?3 WHERE id = ?1")?
                .execute(params![id, worker.as_bytes(), until.as_millisecond()])?;
            Ok(Some(job))
        }))
    }

    fn renew(&self, job: GenerationJobId, worker: Uuid, until: Timestamp) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let sql = "UPDATE job SET lease = ?3 WHERE id = ?1 AND worker = ?2 AND state = 1";
            let values = params![job, worker.as_bytes(), until.as_millisecond()];
            Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
        }))
    }

    fn replace(&self, job: Job, events: Vec<Event>, refund: u32) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            if !put(connection, &job)? {
                return Ok(false);
            }
            if refund > 0 {
                connection
                    .prepare_cached("UPDATE allowance SET parts = parts + ?2 WHERE owner = ?1")?
                    .execute(params![job.owner, given(refund)])?;
            }
            for event in &events {
                let text = serde_json::to_string(event).map_err(|e| StoreError::Other(e.into()))?;
                connection
                    .prepare_cached("INSERT INTO outbox (id, event) VALUES (?1, ?2)")?
                    .execute(params![EventId::new(), text])?;
            }
            Ok(true)
        }))
    }

    fn remove(&self, job: GenerationJobId, version: i64) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let sql = "DELETE FROM job WHERE id = ?1 AND version = ?2";
            Ok(connection.prepare_cached(sql)?.execute(params![job, version])? == 1)
        }))
    }

    fn purge(&self, before: Timestamp, limit: u32) -> Reply<'_, u64> {
        Box::pin(self.0.write(move |connection| {
            let values = params![before.as_millisecond(), limit];
            Ok(connection.prepare_cached(include_str!("sql/purge.sql"))?.execute(values)? as u64)
        }))
    }

    fn allowance(&self, owner: UserId) -> Reply<'_, Option<Allowance>> {
        Box::pin(self.0.read(move |connection| allowance(connection, owner)))
    }

    fn forget(&self, owner: UserId, now: Timestamp) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            let new = "INSERT OR IGNORE INTO owner (id) VALUES (?1)";
            if connection.execute(new, [owner])? == 0 {
                return Ok(());
            }
            connection.execute("DELETE FROM job WHERE owner = ?1", [owner])?;
            connection.execute("DELETE FROM allowance WHERE owner = ?1", [owner])?;
            contents::forget(connection, owner, now)
        }))
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.0.ping())
    }
}

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(self.0.read(move |connection| {
            let sql = "SELECT id, event FROM outbox ORDER BY id LIMIT ?1";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            at_once(rows.collect::<Result<_, _>>()?)
        }))
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.0.write_unflushed(move |connection| {
            let mut delete = connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
            for id in events {
                delete.execute([id])?;
            }
            Ok(())
        }))
    }
}

fn put(connection: &Connection, job: &Job) -> Result<bool, StoreError> {
    let changed = connection.prepare_cached(include_str!("sql/replace.sql"))?.execute(params![
        job.id,
        job.state.number(),
        job.turn,
        job.version,
        job.finished_at.map(Timestamp::as_millisecond),
        written(job)?,
    ])?;
    Ok(changed == 1)
}

fn allowance(connection: &Connection, owner: UserId) -> Result<Option<Allowance>, StoreError> {
    let sql = "SELECT parts, at FROM allowance WHERE owner = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = connection.prepare_cached(sql)?.query_row([owner], row).optional()?;
    found.map(|(parts, at)| Ok(Allowance { parts, at: moment(at)? })).transpose()
}

fn bodies(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<Job>, StoreError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(values)?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(read(row.get_ref(0)?.as_str().map_err(|e| StoreError::Other(e.into()))?)?);
    }
    Ok(jobs)
}

fn active(connection: &Connection) -> Result<Vec<Active>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/active.sql"))?;
    let mut rows = select.query([])?;
    let mut active = Vec::new();
    while let Some(row) = rows.next()? {
        let lease: Option<i64> = row.get(3)?;
        active.push(Active {
            id: row.get(0)?,
            owner: row.get(1)?,
            turn: row.get(2)?,
            lease: lease.map(moment).transpose()?,
        });
    }
    Ok(active)
}
