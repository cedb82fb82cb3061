//! Token buckets: how many points each client has left.
//!
//! A bucket is kept as the moment at which it will be full, so that nothing needs to be done for it to fill, and one that is full need not
//! be kept at all. What is not known of a client is a full bucket. Refused here: nothing but what a bucket has no points for.
//!
//! They are in this process, or in a store that several gateways share. While that does not answer, each gateway goes on with buckets of its
//! own that hold its share: of N gateways each grants an Nth, so that together they grant what one bucket would.

mod memory;
mod shared;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::client::ClientKey;
use crate::settings::{Allowance, SharedBuckets};

use memory::Memory;
use shared::Shared;
pub(crate) use shared::Sharing;
pub use shared::StoreError;

/// What became of an attempt to take points.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Whether they were there. If not, none were taken.
    pub(crate) granted: bool,
    /// How many are left.
    pub(crate) available: f64,
    /// Where they were taken from.
    pub(crate) bucket: Bucket,
}

/// All clients' buckets.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    own: Arc<Own>,
    shared: Option<Arc<Shared>>,
}

/// Buckets in this process.
#[derive(Debug, Default)]
struct Own {
    users: Memory,
    /// Apart, so that no number of networks takes the places of those who are signed in.
    networks: Memory,
}

impl Own {
    const fn of(&self, payer: &ClientKey) -> &Memory {
        match payer {
            ClientKey::User(_) => &self.users,
            ClientKey::Network(_) => &self.networks,
        }
    }
}

impl Buckets {
    /// Buckets in this process, or in a store that is shared. It is looked for at once, and by each gateway for as long as it runs.
    ///
    /// # Errors
    /// [`StoreError`] when its address is none.
    pub(crate) fn new(shared: Option<&SharedBuckets>) -> Result<Self, StoreError> {
        let shared = shared.map(Shared::new).transpose()?.map(Arc::new);
        Ok(Self { own: Arc::default(), shared })
    }

    /// Takes `points`, if they are there.
    pub(crate) async fn take(&self, payer: ClientKey, allowance: Allowance, points: f64) -> Taken {
        let Some(shared) = &self.shared else { return self.take_here(payer, allowance, points) };
        match shared.take(&payer, allowance, points).await {
            Some((granted, available)) => {
                let left = Arc::new(Mutex::new(Left { points: available, at: Instant::now() }));
                let kept = Kept::Shared(shared.clone(), left);
                Taken { granted, available, bucket: Bucket { kept, payer, allowance } }
            }
            None => self.take_here(payer, shared.share(allowance, points), points),
        }
    }

    fn take_here(&self, payer: ClientKey, allowance: Allowance, points: f64) -> Taken {
        let (granted, available) = self.own.of(&payer).take(&payer, allowance, points);
        let kept = Kept::Here(self.own.clone());
        Taken { granted, available, bucket: Bucket { kept, payer, allowance } }
    }

    /// How the shared store fares, where there is one.
    pub(crate) fn sharing(&self) -> Option<Sharing> {
        self.shared.as_ref().map(|shared| shared.sharing())
    }
}

/// A client's bucket, where it was found when points were taken from it.
#[derive(Clone)]
pub(crate) struct Bucket {
    kept: Kept,
    payer: ClientKey,
    /// What it holds, there.
    pub(crate) allowance: Allowance,
}

#[derive(Debug, Clone)]
enum Kept {
    Here(Arc<Own>),
    Shared(Arc<Shared>, Arc<Mutex<Left>>),
}

/// How many points were left in a bucket that others take from too, as far as is known here.
#[derive(Debug)]
struct Left {
    points: f64,
    at: Instant,
}

/// Without what other clients have.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payer, allowance, .. } = self;
        f.debug_struct("Bucket").field("payer", payer).field("allowance", allowance).finish()
    }
}

impl Bucket {
    /// Whose it is.
    pub(crate) const fn payer(&self) -> &ClientKey {
        &self.payer
    }

    /// Gives `points` back that were taken, or takes more whether or not they are there where they are below 0. Tells how many are left; a
    /// bucket is never emptier than empty. Nobody waits for a shared store: its answer is foretold.
    pub(crate) fn settle(&self, points: f64) -> f64 {
        match &self.kept {
            Kept::Here(own) => own.of(&self.payer).settle(&self.payer, self.allowance, points),
            Kept::Shared(shared, left) => {
                shared.settle(&self.payer, self.allowance, points);
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                left.settle(points, self.allowance)
            }
        }
    }
}

impl Left {
    fn settle(&mut self, points: f64, allowance: Allowance) -> f64 {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        let capacity = f64::from(allowance.capacity);
        let restored = passed * f64::from(allowance.restore_rate);
        self.points = ((self.points + restored).min(capacity) + points).clamp(0.0, capacity);
        self.at = now;
        self.points
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_foretold_by_what_is_restored_and_settled() {
        let allowance = Allowance { capacity: 100, restore_rate: 10 };
        let mut left = Left { points: 50.0, at: Instant::now() };
        assert_eq!(left.settle(8.0, allowance), 58.0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(left.settle(-3.0, allowance), 65.0);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(left.settle(-3.0, allowance), 97.0);
        assert_eq!(left.settle(-200.0, allowance), 0.0);
        assert_eq!(left.settle(200.0, allowance), 100.0);
    }
}
