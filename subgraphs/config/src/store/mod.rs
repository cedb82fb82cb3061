//! What the domain asks of its store. The suite in `tests/store.rs` says what each implementation must do.

pub mod mongo;
pub mod sqlite;

use common::page::PageRequest;
use common::{ConfigChangeId, StoreError};
use futures::future::BoxFuture;

use crate::model::Change;

/// The answer of a store, when it comes.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps what administrators did, and forgets nothing of it.
pub trait Store: Send + Sync {
    /// The last change of each key, in the order of the keys.
    fn last(&self) -> Answer<'_, Vec<Change>>;

    /// The change that gave a key this version.
    fn version<'a>(&'a self, key: &'a str, version: i64) -> Answer<'a, Option<Change>>;

    /// The changes of one key or of all, the newest first: one more than the page's limit where there are as many, in the direction of
    /// reading.
    fn history<'a>(
        &'a self,
        key: Option<&'a str>,
        page: PageRequest<ConfigChangeId>,
    ) -> Answer<'a, Vec<Change>>;

    /// Adds a change; [`StoreError::Duplicate`] when the key has that version already.
    fn append(&self, change: Change) -> Answer<'_, ()>;

    /// Whether the store answers now.
    fn ping(&self) -> Answer<'_, ()>;
}
