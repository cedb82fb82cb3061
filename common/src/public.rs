//! When what a domain answers to everybody changes. Whoever keeps such answers keeps them no longer than that, however long they may be kept
//! otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often what a domain answers to everybody has changed, as far as this process knows: 0 at its start. Clones count together.
///
/// A change is counted after it is stored and before it is acknowledged. So whoever reads the number, and then an answer, has one that holds at
/// least as long as the number stays.
#[derive(Debug, Clone, Default)]
pub struct PublicRevision(Arc<AtomicU64>);

impl PublicRevision {
    /// Counts a change.
    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
