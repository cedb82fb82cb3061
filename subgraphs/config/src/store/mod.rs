//! What the domain asks of its store. The suite in `tests/store.rs` says what each implementation must do.

pub mod mongo;
pub mod sqlite;

use common::StoreError;
use futures::future::BoxFuture;

use crate::model::Override;

/// The answer of a store, when it comes.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps what administrators set.
pub trait Store: Send + Sync {
    /// All of it, in the order of the keys.
    fn overrides(&self) -> Answer<'_, Vec<Override>>;

    /// Keeps one, in the place of what was kept under the same key.
    fn put(&self, change: Override) -> Answer<'_, ()>;

    /// Forgets what is kept under `key`, if anything.
    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()>;

    /// Whether the store answers now.
    fn ping(&self) -> Answer<'_, ()>;
}
