//! The writing thread of a database file. It takes changes in the order of arrival and commits all that are waiting together; each runs in a
//! savepoint of its own, so that one that fails undoes only itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::Connection;

use crate::StoreError;

/// The most changes in one commit: bounds how long the first of them waits.
const GROUP: usize = 256;

type Commit<'a> = Result<(), &'a StoreError>;
/// Tells whoever asked how it went, once the group is committed or not.
type Answer = Box<dyn FnOnce(Commit<'_>) + Send>;
type Change = Box<dyn FnOnce(&Connection) -> Answer + Send>;

pub(super) struct Writer(Sender<Change>);

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and what was submitted is done.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (sender, receiver) = channel();
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || run(&connection, &receiver))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self(sender))
    }

    /// Queues a change; `answer` is called with its result after the commit.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let change: Change = Box::new(move |connection| {
            let result = in_savepoint(connection, change);
            Box::new(move |commit| {
                answer(match commit {
                    Ok(()) => result,
                    Err(error) => Err(StoreError::Unavailable(error.to_string().into())),
                });
            })
        });
        self.0.send(change).map_err(|_| StoreError::Unavailable("the writer has stopped".into()))
    }
}

fn run(connection: &Connection, changes: &Receiver<Change>) {
    while let Ok(first) = changes.recv() {
        let mut answers = Vec::new();
        let committed = commit_group(connection, first, changes, &mut answers);
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of changes could not be committed");
            if !connection.is_autocommit() {
                drop(connection.execute_batch("ROLLBACK"));
            }
        }
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
}

fn commit_group(
    connection: &Connection,
    first: Change,
    changes: &Receiver<Change>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
    // Without a transaction the savepoints below would commit one by one, before the group is known to succeed.
    if begun.is_err() {
        answers.push(Box::new(|_| drop(first)));
        return begun;
    }
    answers.push(first(connection));
    while answers.len() < GROUP
        && let Ok(change) = changes.try_recv()
    {
        answers.push(change(connection));
    }
    Ok(connection.execute_batch("COMMIT")?)
}

fn in_savepoint<T>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT change")?;
    let result = catch_unwind(AssertUnwindSafe(|| change(connection)))
        .unwrap_or_else(|_| Err(StoreError::Other("a change panicked".into())));
    let end = if result.is_ok() { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
    connection.execute_batch(end)?;
    result
}
