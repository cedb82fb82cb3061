//! The writing thread of a database file. It takes changes in the order of arrival and commits all that are waiting together. Each but the first
//! runs in a savepoint of its own, so that one that fails undoes only itself; when the first fails, there is nothing else to undo yet.

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
/// Makes a change, and says whether it was made.
type Change = Box<dyn FnOnce(&Connection, Place) -> (Answer, bool) + Send>;

/// Where a change stands in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Later,
}

/// What must hold when a change is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It survives a power cut.
    Disk,
    /// It survives the process; a power cut may undo it, unless a change that survives one came after it.
    Process,
}

pub(super) struct Writer(Sender<(Durability, Change)>);

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
        durability: Durability,
        change: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let change: Change = Box::new(move |connection, place| {
            let result = run_alone(connection, place, change);
            let is_made = result.is_ok();
            let answer: Answer = Box::new(move |commit| {
                answer(match commit {
                    Ok(()) => result,
                    Err(error) => Err(StoreError::Unavailable(error.to_string().into())),
                });
            });
            (answer, is_made)
        });
        self.0
            .send((durability, change))
            .map_err(|_| StoreError::Unavailable("the writer has stopped".into()))
    }
}

fn run(connection: &Connection, changes: &Receiver<(Durability, Change)>) {
    let mut as_set = Durability::Disk;
    while let Ok((durability, first)) = changes.recv() {
        let mut answers = Vec::new();
        // What need not be on disk is committed by itself: what others wait for is not.
        let others = (durability == Durability::Disk).then_some(changes);
        let committed = set(connection, &mut as_set, durability)
            .and_then(|()| commit_group(connection, first, others, &mut answers));
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of changes could not be committed");
            drop(roll_back(connection));
        }
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
}

/// Sets what a commit waits for. Whoever waits for the disk next flushes what did not, too: it is one log.
fn set(
    connection: &Connection,
    as_set: &mut Durability,
    durability: Durability,
) -> Result<(), StoreError> {
    if durability != *as_set {
        let level = if durability == Durability::Disk { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", level)?;
        *as_set = durability;
    }
    Ok(())
}

fn commit_group(
    connection: &Connection,
    first: Change,
    changes: Option<&Receiver<(Durability, Change)>>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
    // Without a transaction the savepoints below would commit one by one, before the group is known to succeed.
    if begun.is_err() {
        answers.push(Box::new(|_| drop(first)));
        return begun;
    }
    let (answer, is_made) = first(connection, Place::First);
    answers.push(answer);
    if !is_made {
        return roll_back(connection);
    }
    while answers.len() < GROUP
        && let Some(Ok((_, change))) = changes.map(Receiver::try_recv)
    {
        answers.push(change(connection, Place::Later).0);
        // A full disk, for one, makes SQLite give up all that was changed. What came next would be committed by itself.
        if connection.is_autocommit() {
            return Err(StoreError::Unavailable("SQLite gave up the transaction".into()));
        }
    }
    Ok(connection.execute_batch("COMMIT")?)
}

fn roll_back(connection: &Connection) -> Result<(), StoreError> {
    // SQLite may have done it by itself.
    if connection.is_autocommit() { Ok(()) } else { Ok(connection.execute_batch("ROLLBACK")?) }
}

/// Runs a change within the group's transaction. When a later one fails, nothing of it is left; when the first one does, the transaction is to be
/// rolled back.
fn run_alone<T>(
    connection: &Connection,
    place: Place,
    change: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let change = || {
        catch_unwind(AssertUnwindSafe(|| change(connection)))
            .unwrap_or_else(|_| Err(StoreError::Other("a change panicked".into())))
    };
    if place == Place::First {
        // A savepoint costs a copy of each page that is changed in it.
        return change();
    }
    connection.execute_batch("SAVEPOINT change")?;
    let result = change();
    let end = if result.is_ok() { "RELEASE change" } else { "ROLLBACK TO change; RELEASE change" };
    connection.execute_batch(end)?;
    result
}
