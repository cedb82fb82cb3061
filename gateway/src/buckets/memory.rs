//! Buckets in this process. There are so many at most; once all places hold buckets that are not full, clients that come new share one, so
//! that nobody gets more by coming from many addresses.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::RandomState;
use tokio::time::Instant;

use crate::client::ClientKey;
use crate::settings::Allowance;

/// Locks are shared by this many parts of the clients.
const PARTS: usize = 16;
/// How many buckets each part holds.
const MOST: usize = 10_000;
/// How often a part that has no room looks for buckets that are full again.
const SWEEPS: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Memory {
    hasher: RandomState,
    parts: [Mutex<Part>; PARTS],
}

impl Default for Memory {
    fn default() -> Self {
        Self { hasher: RandomState::new(), parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

/// When each bucket will be full.
#[derive(Debug, Default)]
struct Part {
    full_at: HashMap<ClientKey, Instant, RandomState>,
    /// The bucket of those for whom there is no room.
    others: Option<Instant>,
    swept: Option<Instant>,
}

impl Memory {
    /// Takes `points` if they are there; tells whether they were, and how many are left.
    pub(super) fn take(&self, payer: &ClientKey, allowance: Allowance, points: f64) -> (bool, f64) {
        let now = Instant::now();
        let mut part = self.part(payer);
        let full_at = part.bucket(payer, now);
        let owed = owed(*full_at, now, allowance);
        let available = f64::from(allowance.capacity) - owed;
        let granted = points <= available;
        if granted {
            *full_at = (*full_at).max(now) + time_for(points, allowance);
        }
        (granted, if granted { available - points } else { available })
    }

    /// Gives `points` back, or takes more where they are below 0; tells how many are left.
    pub(super) fn settle(&self, payer: &ClientKey, allowance: Allowance, points: f64) -> f64 {
        let now = Instant::now();
        let mut part = self.part(payer);
        let full_at = part.bucket(payer, now);
        if points < 0.0 {
            let empty = now + time_for(f64::from(allowance.capacity), allowance);
            // One that is emptier than empty, because it lent what it did not hold, does not become fuller.
            let owed = (*full_at).max(now) + time_for(-points, allowance);
            *full_at = owed.min(empty.max(*full_at));
        } else {
            *full_at = full_at.checked_sub(time_for(points, allowance)).unwrap_or(now);
        }
        f64::from(allowance.capacity) - owed(*full_at, now, allowance)
    }

    /// A panic elsewhere leaves the buckets whole.
    fn part(&self, payer: &ClientKey) -> MutexGuard<'_, Part> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        let part = self.hasher.hash_one(payer) as usize % PARTS;
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn bucket(&mut self, payer: &ClientKey, now: Instant) -> &mut Instant {
        if self.full_at.len() >= MOST && !self.full_at.contains_key(payer) && !self.make_room(now) {
            return self.others.get_or_insert(now);
        }
        match self.full_at.entry(payer.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(now),
        }
    }

    /// Forgets buckets that are full.
    fn make_room(&mut self, now: Instant) -> bool {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEPS) {
            self.swept = Some(now);
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        self.full_at.len() < MOST
    }
}

/// How many points a bucket lacks.
fn owed(full_at: Instant, now: Instant, allowance: Allowance) -> f64 {
    full_at.saturating_duration_since(now).as_secs_f64() * f64::from(allowance.restore_rate)
}

/// How long it takes to restore so many points.
fn time_for(points: f64, allowance: Allowance) -> Duration {
    let seconds = points / f64::from(allowance.restore_rate.max(1));
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use common::UserId;

    use super::*;

    const ALLOWANCE: Allowance = Allowance { capacity: 100, restore_rate: 10 };

    fn user() -> ClientKey {
        ClientKey::User(UserId::new())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_is_restored_in_time_and_never_more_than_fits() {
        let (buckets, one) = (Memory::default(), user());
        assert_eq!(buckets.take(&one, ALLOWANCE, 60.0), (true, 40.0));
        assert_eq!(buckets.take(&one, ALLOWANCE, 41.0), (false, 40.0));
        assert_eq!(buckets.take(&one, ALLOWANCE, 40.0), (true, 0.0));
        assert_eq!(buckets.take(&user(), ALLOWANCE, 1.0), (true, 99.0));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(buckets.take(&one, ALLOWANCE, 11.0), (false, 10.0));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(buckets.take(&one, ALLOWANCE, 101.0), (false, 100.0));
        assert_eq!(buckets.take(&one, ALLOWANCE, 100.0), (true, 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_used_is_given_back_and_no_more() {
        let (buckets, one) = (Memory::default(), user());
        buckets.take(&one, ALLOWANCE, 50.0);
        assert_eq!(buckets.settle(&one, ALLOWANCE, 45.0), 95.0);
        assert_eq!(buckets.take(&one, ALLOWANCE, 0.0), (true, 95.0));
        assert_eq!(buckets.settle(&one, ALLOWANCE, 1000.0), 100.0);
        assert_eq!(buckets.take(&one, ALLOWANCE, 0.0), (true, 100.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_spent_leaves_nothing_at_worst() {
        let (buckets, one) = (Memory::default(), user());
        assert_eq!(buckets.settle(&one, ALLOWANCE, -30.0), 70.0);
        assert_eq!(buckets.settle(&one, ALLOWANCE, -500.0), 0.0);
        assert_eq!(buckets.take(&one, ALLOWANCE, 0.0), (true, 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_from_many_addresses_gets_no_more_than_there_is_room_for() {
        let buckets = Memory::default();
        let network = |number: usize| ClientKey::Network(format!("2001:db8:{number}::/64"));
        let granted = |numbers: std::ops::Range<usize>| {
            let taken = numbers.map(|number| buckets.take(&network(number), ALLOWANCE, 100.0));
            taken.filter(|(granted, _)| *granted).count()
        };
        let places = PARTS * MOST;
        let first = granted(0..2 * places);
        assert!(first <= places + PARTS, "{first}");
        assert!(buckets.parts.iter().all(|part| part.lock().unwrap().full_at.len() <= MOST));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(granted(5 * places..5 * places + 100), 100, "those that are full make room");
    }
}
