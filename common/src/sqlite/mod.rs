//! One SQLite file: one writer that commits in groups, and a few readers.
//!
//! What [`Sqlite::write`] has answered survives a power cut (`synchronous=FULL`). Writers do not wait for one another's disk flush: those
//! that arrive while one is running share the next. Readers see the last commit and block nobody.

mod snapshot;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::Histogram;
use rusqlite::config::DbConfig;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Semaphore, oneshot};

pub use snapshot::{Snapshot, check, set_era};

use crate::{StoreError, metrics, trace};
use writer::{Durability, Writer};

/// How many reads run at the same time.
const READERS: usize = 4;
/// How long a connection waits for a lock of another process, such as a backup's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Where a file keeps its era: in its header, in a place for what applications like.
const ERA: &str = "application_id";
/// Prepared statements a connection keeps.
const STATEMENTS_KEPT: usize = 64;
/// How many KiB of the file the writer keeps in memory: a batch of changes touches pages all over the indexes.
const WRITER_CACHE_KIB: i64 = 16 << 10;
/// After how many pages of 4 KiB the log of changes is written into the file: each page once, however often it changed.
const CHECKPOINT_PAGES: i64 = 4_000;

/// A domain's database file. Clones share it.
#[derive(Clone)]
pub struct Sqlite(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    permits: Semaphore,
    statements: Arc<AtomicU64>,
    era: i32,
    read_seconds: Histogram,
    write_seconds: Histogram,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sqlite").field(&self.0.path).finish()
    }
}

impl Sqlite {
    /// Opens the file at `path`, makes it when it is not there, and runs those of `migrations` that it has not seen. They are SQL
    /// scripts, numbered from 1 by their place; one that was ever released is never changed.
    ///
    /// # Errors
    /// [`StoreError::Unsuitable`] when the file was written by a newer version, otherwise what SQLite says.
    pub fn open(path: impl AsRef<Path>, migrations: &[&str]) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let statements = Arc::new(AtomicU64::new(0));
        let name: Arc<str> = path.file_stem().unwrap_or_default().to_string_lossy().into();
        let mut connection = connect(&path, false, &name, &statements)?;
        migrate(&mut connection, migrations)?;
        let era = connection.pragma_query_value(None, ERA, |row| row.get(0))?;
        let readers = (0..READERS)
            .map(|_| connect(&path, true, &name, &statements))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Inner {
            path,
            writer: Writer::start(connection)?,
            readers: Mutex::new(readers),
            permits: Semaphore::new(READERS),
            statements,
            era,
            read_seconds: metrics::store_seconds(&name, "read"),
            write_seconds: metrics::store_seconds(&name, "write"),
        })))
    }

    /// Runs `query` on a reader, on the calling thread: handing a read of a millisecond to another thread and back costs as much CPU as
    /// a tenth of it (measured), and readers wait for nobody in WAL mode. A query that takes much longer belongs on a thread of its own.
    ///
    /// # Errors
    /// What `query` fails with; a panic in it is one.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let closed = |error| StoreError::Unavailable(Box::new(error));
        let _permit = self.0.permits.acquire().await.map_err(closed)?;
        let reader = ReaderGuard::take(&self.0)?;
        let connection = reader.connection()?;
        let started = Instant::now();
        let answer = catch_unwind(AssertUnwindSafe(|| query(connection)))
            .unwrap_or_else(|_| Err(StoreError::Other("a query panicked".into())));
        self.0.read_seconds.observe(started.elapsed().as_secs_f64());
        answer
    }

    /// Runs `change` in a transaction. When this answers `Ok`, the change is on disk; when it answers `Err`, nothing was changed.
    ///
    /// # Errors
    /// What `change` fails with, or the commit.
    pub async fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.change(Durability::Disk, change).await
    }

    /// The same, but a power cut may undo it (the end of the process does not): for what does no harm when it is done again, such as forgetting what was
    /// delivered. It waits for no disk.
    ///
    /// # Errors
    /// As [`Sqlite::write`].
    pub async fn write_unflushed<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.change(Durability::Process, change).await
    }

    async fn change<T, F>(&self, durability: Durability, change: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let started = Instant::now();
        // Its statements belong to whoever asked for it, on whichever thread they run.
        let span = trace::is_on().then(tracing::Span::current);
        let change = move |connection: &Connection| match span {
            Some(span) => span.in_scope(|| change(connection)),
            None => change(connection),
        };
        let seconds = self.0.write_seconds.clone();
        self.0.writer.submit(durability, change, move |result| {
            seconds.observe(started.elapsed().as_secs_f64());
            // Whoever asked may have gone away: the change is made all the same.
            drop(sender.send(result));
        })?;
        receiver.await.map_err(|_| StoreError::Unavailable("the change was not made".into()))?
    }

    /// How many statements have run on this file since it was opened: for tests that bound it.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Whether the file can be read now.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }

    /// Another number each time that the file was brought back from a backup: what was numbered before may have been numbered anew since.
    #[must_use]
    pub fn era(&self) -> i32 {
        self.0.era
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

/// A reader that goes back to the others when it is done with, also after a panic.
struct ReaderGuard<'a> {
    inner: &'a Inner,
    connection: Option<Connection>,
}

impl<'a> ReaderGuard<'a> {
    fn take(inner: &'a Inner) -> Result<Self, StoreError> {
        let connection = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Self { inner, connection })
    }

    fn connection(&self) -> Result<&Connection, StoreError> {
        // There are as many permits as readers, so one is always free here.
        self.connection.as_ref().ok_or_else(|| StoreError::Unsuitable("no reader is free".into()))
    }
}

impl Drop for ReaderGuard<'_> {
    fn drop(&mut self) {
        let mut readers = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.extend(self.connection.take());
    }
}

fn connect(
    path: &Path,
    read_only: bool,
    name: &Arc<str>,
    statements: &Arc<AtomicU64>,
) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Else a statement is compiled anew whenever other values are bound, to look for a better plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if !read_only {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // What a savepoint needs to undo a change: in a file it would cost as much as the change.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
    }
    let (statements, name) = (Arc::clone(statements), Arc::clone(name));
    let mut heard = TraceEventCodes::SQLITE_TRACE_STMT;
    if trace::is_on() {
        heard |= TraceEventCodes::SQLITE_TRACE_PROFILE;
    }
    connection.trace_v2(
        heard,
        Some(move |event: TraceEvent<'_>| match event {
            TraceEvent::Stmt(statement, text) => {
                statements.fetch_add(1, Ordering::Relaxed);
                // What a trigger does has a text of its own, and its end is not told.
                if trace::is_on() && statement.sql() == text {
                    trace::statement_begins();
                }
            }
            TraceEvent::Profile(statement, _) => {
                let began = trace::statement_began();
                trace::statement("sqlite", &name, &statement.sql(), began);
            }
            _ => {}
        }),
    )?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let seen: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if seen as usize > migrations.len() {
        return Err(StoreError::Unsuitable(format!(
            "its schema has version {seen}, this program knows up to {}: start a newer one",
            migrations.len()
        )));
    }
    for (version, migration) in (1u32..).zip(migrations).skip(seen as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(failure, message) = &error {
            match (failure.code, failure.extended_code) {
                (
                    ErrorCode::ConstraintViolation,
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
                ) => {
                    let message = message.clone().unwrap_or_default();
                    let index = message.rsplit(": ").next().unwrap_or_default().to_owned();
                    return Self::Duplicate { index };
                }
                (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull, _) => {
                    return Self::Unavailable(Box::new(error));
                }
                (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
                    return Self::Corrupt(error.to_string());
                }
                _ => {}
            }
        }
        Self::Other(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATIONS: &[&str] = &["CREATE TABLE word (text TEXT NOT NULL UNIQUE) STRICT;"];

    fn count(connection: &Connection) -> Result<i64, StoreError> {
        Ok(connection.query_row("SELECT count(*) FROM word", [], |row| row.get(0))?)
    }

    fn insert(connection: &Connection, text: &str) -> Result<(), StoreError> {
        connection.execute("INSERT INTO word VALUES (?)", [text])?;
        Ok(())
    }

    #[tokio::test]
    async fn a_failed_change_leaves_nothing_and_does_not_harm_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("a.db"), MIGRATIONS).unwrap();
        let changes = (0..200).map(|n| {
            store.write(move |connection| {
                insert(connection, &format!("word {n}"))?;
                if n % 2 == 0 { Ok(()) } else { insert(connection, "word 0") }
            })
        });
        let results = futures::future::join_all(changes).await;
        for (n, result) in results.into_iter().enumerate() {
            match result {
                Ok(()) => assert_eq!(n % 2, 0),
                Err(StoreError::Duplicate { index }) => {
                    assert_eq!((n % 2, &*index), (1, "word.text"))
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(store.read(count).await.unwrap(), 100);
    }

    #[tokio::test]
    async fn what_is_answered_is_there_also_when_sqlite_gives_up_a_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("a.db"), MIGRATIONS).unwrap();
        for place in 0..10 {
            let changes = (0..10).map(|n| {
                store.write(move |connection| {
                    // The others come meanwhile, so that they are committed together.
                    std::thread::sleep(Duration::from_millis(2));
                    insert(connection, &format!("word {place} {n}"))?;
                    if n == place {
                        // As SQLite does by itself on a full disk.
                        connection.execute_batch("ROLLBACK")?;
                        return Err(StoreError::Unavailable("the disk is full".into()));
                    }
                    Ok(())
                })
            });
            for (n, result) in futures::future::join_all(changes).await.into_iter().enumerate() {
                let word = format!("word {place} {n}");
                let is_there = move |connection: &Connection| {
                    let select = "SELECT count(*) FROM word WHERE text = ?";
                    Ok(connection.query_row(select, [&word], |row| row.get::<_, bool>(0))?)
                };
                let is_there = store.read(is_there).await.unwrap();
                assert_eq!(result.is_ok(), is_there, "{n} of the group that {place} ends");
                assert!(n != place || result.is_err());
            }
        }
    }

    #[tokio::test]
    async fn what_need_not_be_on_disk_mixes_with_what_must() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("a.db"), MIGRATIONS).unwrap();
        let level = |connection: &Connection| {
            Ok(connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))?)
        };
        assert_eq!(store.write_unflushed(level).await.unwrap(), 1, "NORMAL: no flush in WAL mode");
        assert_eq!(store.write(level).await.unwrap(), 2, "FULL");
        let failed = |connection: &Connection| {
            insert(connection, "twice")?;
            insert(connection, "twice")
        };
        assert!(store.write_unflushed(failed).await.is_err());
        assert_eq!(store.write(level).await.unwrap(), 2, "also after one that failed");
        for n in 0..50 {
            let (flushed, other) = (format!("flushed {n}"), format!("other {n}"));
            let (a, b, c) = tokio::join!(
                store.write(move |connection| insert(connection, &flushed)),
                store.write_unflushed(move |connection| insert(connection, &other)),
                store.write(|connection| insert(connection, "flushed 0")),
            );
            assert!(a.is_ok() && b.is_ok() && c.is_err());
        }
        assert_eq!(store.read(count).await.unwrap(), 100);
    }

    #[tokio::test]
    async fn a_panic_in_a_change_or_a_query_stays_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("a.db"), MIGRATIONS).unwrap();
        for _ in 0..10 {
            assert!(store.write::<(), _>(|_| panic!("change")).await.is_err());
            assert!(store.read::<(), _>(|_| panic!("query")).await.is_err());
        }
        store.write(|connection| insert(connection, "after")).await.unwrap();
        assert_eq!(store.read(count).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_file_of_a_newer_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        drop(
            Sqlite::open(&path, &[MIGRATIONS[0], "CREATE TABLE more (x INTEGER) STRICT;"]).unwrap(),
        );
        let error = Sqlite::open(&path, MIGRATIONS).unwrap_err();
        assert!(matches!(error, StoreError::Unsuitable(message) if message.contains("version 2")));
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = Sqlite::open(&path, MIGRATIONS).unwrap();
        store.write(|connection| insert(connection, "kept")).await.unwrap();
        drop(store);
        assert_eq!(Sqlite::open(&path, MIGRATIONS).unwrap().read(count).await.unwrap(), 1);
    }
}
