//! How many requests to a subgraph are under way at once. More of them wait for their turn, in order, and no more than may wait: a queue
//! without an end would only make every answer late.

use tokio::sync::{Semaphore, SemaphorePermit};

/// As many requests wait for their turn as may: nothing was sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for the subgraph already")]
pub(crate) struct Full;

/// A limit on concurrent requests.
#[derive(Debug)]
pub(super) struct Limit {
    under_way: Semaphore,
    waiting: Semaphore,
}

impl Limit {
    /// A limit of `most` requests, for which `waiting` others may wait; of 0, which would let none through, it makes 1.
    pub(super) fn new(most: usize, waiting: usize) -> Self {
        Self {
            under_way: Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)),
            waiting: Semaphore::new(waiting.min(Semaphore::MAX_PERMITS)),
        }
    }

    /// Waits for a place. It is free again when what is given back is dropped.
    ///
    /// # Errors
    /// [`Full`] at once, when there is none and nobody else may wait.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Full> {
        // A place that others wait for is never free: it is handed on.
        if let Ok(place) = self.under_way.try_acquire() {
            return Ok(place);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Full)?;
        // The semaphore is never closed, so there always is a place in the end.
        self.under_way.acquire().await.map_err(|_| Full)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn those_beyond_the_queue_are_turned_away_and_the_others_have_their_turn_in_order() {
        let limit = Limit::new(1, 2);
        let place = limit.enter().await.unwrap();
        let mut first = Box::pin(limit.enter());
        let mut second = Box::pin(limit.enter());
        assert!(
            first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none()
        );
        assert_eq!(limit.enter().await.unwrap_err(), Full);

        drop(place);
        assert!(second.as_mut().now_or_never().is_none(), "the first waits longer");
        let place = first.await.unwrap();
        let third = Box::pin(limit.enter());
        assert!(third.now_or_never().is_none(), "there is room to wait again");
        drop(place);
        drop(second.await.unwrap());
        assert!(limit.enter().await.is_ok());
    }

    #[tokio::test]
    async fn where_nobody_may_wait_a_place_or_nothing() {
        let limit = Limit::new(1, 0);
        let place = limit.enter().await.unwrap();
        assert_eq!(limit.enter().await.unwrap_err(), Full);
        drop(place);
        assert!(limit.enter().await.is_ok());
    }
}
