//! Reading for all rows of a list at once what a selection asks of each.
//!
//! Rows that were read together share a [`Batch`]. The same selection is made on all of them, so the first that is asked reads for all, and the
//! others take theirs from that. This needs no timer and no task, as a generic data loader would, and the number of statements depends on
//! the operation alone, not on the number of rows or on how threads run.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Result;

/// A value that is read once for all who wait for it; they share a failure too.
type Once<V> = Arc<OnceCell<Result<Arc<V>>>>;

/// What was read for rows that belong together, by the arguments it was asked with.
#[derive(Debug)]
pub struct Batch<K, V>(Mutex<HashMap<K, Once<V>>>);

impl<K, V> Default for Batch<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Batch<K, V> {
    /// What `load` gives for `arguments`; it runs once for each.
    ///
    /// # Errors
    /// What `load` fails with.
    pub async fn get<F>(&self, arguments: K, load: impl FnOnce() -> F) -> Result<Arc<V>>
    where
        F: Future<Output = Result<V>>,
    {
        let once = {
            let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(values.entry(arguments).or_default())
        };
        once.get_or_init(|| async { load().await.map(Arc::new) }).await.clone()
    }
}
