//! Copies of several database files as they were at one moment, while others go on writing.
//!
//! Each file is locked against writers, then read from; once all are, they are let go. From then on each connection reads what was there at
//! that moment, however long the copying takes. The files may belong to other processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::{BUSY_TIMEOUT, ERA};
use crate::StoreError;

/// How many pages are copied at once.
const PAGES: std::ffi::c_int = 1_000;

/// Database files as they were when it was taken.
#[derive(Debug)]
pub struct Snapshot(Vec<(PathBuf, Connection)>);

impl Snapshot {
    /// Takes one of the files at `paths`, which must be there. Whoever wants to write waits meanwhile: some milliseconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when somebody writes for longer than is waited for; otherwise what SQLite says.
    pub fn take(paths: &[PathBuf]) -> Result<Self, StoreError> {
        let mut paths = paths.to_vec();
        // In one order, so that two who take one at the same time do not wait for each other.
        paths.sort();
        let locked = paths
            .iter()
            .map(|path| {
                let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.execute_batch("BEGIN IMMEDIATE")?;
                Ok(connection)
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let reading = paths
            .into_iter()
            .map(|path| {
                let connection = open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                // A transaction sees nothing in particular until it reads.
                connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
                Ok((path, connection))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        for connection in &locked {
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(Self(reading))
    }

    /// Writes the copy of each file into `folder`, under its name there, and tells which they are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn copy(self, folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, StoreError> {
        let mut copies = Vec::new();
        for (index, (path, connection)) in self.0.into_iter().enumerate() {
            let copy = folder.join(format!("{index}.db"));
            let mut target = Connection::open(&copy)?;
            Backup::new(&connection, &mut target)?.run_to_completion(
                PAGES,
                Duration::ZERO,
                None,
            )?;
            copies.push((path, copy));
        }
        Ok(copies)
    }
}

/// Looks through the whole file at `path` for damage.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first that is found; otherwise what SQLite says.
pub fn check(path: &Path) -> Result<(), StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Corrupt(found)) }
}

/// Begins an era in the file at `path`, which nobody uses: see [`Sqlite::era`](super::Sqlite::era).
///
/// # Errors
/// What SQLite says.
pub fn set_era(path: &Path, era: i32) -> Result<(), StoreError> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?.pragma_update(None, ERA, era)?;
    Ok(())
}

fn open(path: &Path, mode: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

    use super::*;
    use crate::sqlite::Sqlite;

    const MIGRATIONS: &[&str] = &["CREATE TABLE counted (number INTEGER NOT NULL) STRICT;"];

    fn last(path: &Path) -> i64 {
        let connection = Connection::open(path).unwrap();
        let of = "SELECT coalesce(max(number), 0) FROM counted";
        let last: i64 = connection.query_row(of, [], |row| row.get(0)).unwrap();
        let all: i64 =
            connection.query_row("SELECT count(*) FROM counted", [], |row| row.get(0)).unwrap();
        assert_eq!(last, all, "none is missing before the last");
        last
    }

    /// Writes each number first into one file and then, once that is acknowledged, into another.
    async fn writes(stores: [Sqlite; 2], acknowledged: Arc<AtomicI64>, stop: Arc<AtomicBool>) {
        for number in 1.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            for store in &stores {
                let insert = move |connection: &Connection| {
                    Ok(connection.execute("INSERT INTO counted VALUES (?)", [number])?)
                };
                store.write(insert).await.unwrap();
            }
            acknowledged.store(number, Ordering::SeqCst);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_files_are_of_one_moment_whoever_writes_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.db", "b.db"].map(|name| folder.path().join(name));
        let stores = paths.clone().map(|path| Sqlite::open(path, MIGRATIONS).unwrap());
        let (acknowledged, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let writing = tokio::spawn(writes(stores, acknowledged.clone(), stop.clone()));
        for round in 0..20 {
            let into = tempfile::tempdir().unwrap();
            let (into_path, paths) = (into.path().to_owned(), paths.to_vec());
            let acknowledged = acknowledged.clone();
            let taking = tokio::task::spawn_blocking(move || {
                let before = acknowledged.load(Ordering::SeqCst);
                let snapshot = Snapshot::take(&paths).unwrap();
                // What is written from here on is in none of the copies.
                let after = acknowledged.load(Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
                (before, after, snapshot.copy(&into_path).unwrap())
            });
            let (before, after, copies) = taking.await.unwrap();
            let [first, second] = [0, 1].map(|index: usize| last(&copies[index].1));
            assert!(first >= before && second <= after + 1, "{round}: {before} {second} {after}");
            assert!((0..=1).contains(&(first - second)), "{round}: {first} and {second}");
            for (_, copy) in &copies {
                check(copy).unwrap();
                set_era(copy, round + 1).unwrap();
                assert_eq!(Sqlite::open(copy, MIGRATIONS).unwrap().era(), round + 1);
            }
        }
        stop.store(true, Ordering::Relaxed);
        writing.await.unwrap();
    }

    #[test]
    fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("CREATE TABLE a (b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO a SELECT i FROM n")
            .unwrap();
        drop(connection);
        check(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
        assert!(check(&path).is_err());
    }
}
