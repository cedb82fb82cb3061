//! How many requests to a subgraph are under way at once. More of them wait for their turn, in order.

use tokio::sync::{Semaphore, SemaphorePermit};

/// A limit on concurrent requests.
#[derive(Debug)]
pub(super) struct Limit(Semaphore);

impl Limit {
    /// A limit of `most` requests; of 0, which would let none through, it makes 1.
    pub(super) fn new(most: usize) -> Self {
        Self(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)))
    }

    /// Waits for a place. It is free again when what is given back is dropped.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there always is a place in the end.
        self.0.acquire().await.ok()
    }
}
