//! Which sessions were ended while access tokens of theirs are still good.
//!
//! An access token is checked without asking a store, so one that was issued before its session ended would be accepted until
//! it expires. Whoever ends a session notes it here, and whoever accepts a token looks here after checking its signature. Processes
//! that end no sessions themselves learn of them from a [`RevocationFeed`].

mod feed;

pub use feed::{Ended, EndedSession, FEED_OVERLAP, Follower, RevocationFeed};

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;

use crate::{Clock, SessionId};

/// How many sessions are remembered: about 10 MB.
const CAPACITY: usize = 100_000;

/// The sessions that were ended lately. It is shared between the domain that ends them and the gateway.
///
/// Its memory is bounded. When more sessions end than it holds, it forgets those whose tokens expire first, and refuses in their place
/// all tokens that expire no later: people with such a token must refresh it, and nobody gets in who should not.
#[derive(Debug)]
pub struct Revocations {
    clock: Clock,
    capacity: usize,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    until: HashMap<SessionId, Timestamp>,
    /// The same, those first whose tokens expire first.
    order: BTreeSet<(Timestamp, SessionId)>,
    /// Tokens that expire then or earlier are refused, whosever they are.
    horizon: Option<Timestamp>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::new(Clock::System)
    }
}

impl Revocations {
    /// None yet; `clock` says when one can be forgotten.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, capacity: CAPACITY, known: RwLock::default() }
    }

    /// Notes that `session` was ended. After `until` all its access tokens have expired, and it is forgotten.
    pub fn revoke(&self, session: SessionId, until: Timestamp) {
        self.revoke_all([(session, until)]);
    }

    /// The same for many.
    pub fn revoke_all(&self, sessions: impl IntoIterator<Item = (SessionId, Timestamp)>) {
        let now = self.clock.now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.forget_until(now);
        for (session, until) in sessions {
            if until > now {
                known.insert(session, until);
            }
            while known.until.len() > self.capacity {
                known.give_up_first();
            }
        }
    }

    /// Whether `session` is known to have been ended.
    #[must_use]
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).until.contains_key(&session)
    }

    /// Whether a token of `session` that expires at `expires` is good no more.
    #[must_use]
    pub fn refuses(&self, session: SessionId, expires: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.until.contains_key(&session)
            || known.horizon.is_some_and(|horizon| expires <= horizon)
    }
}

impl Known {
    fn insert(&mut self, session: SessionId, until: Timestamp) {
        match self.until.get(&session) {
            Some(known) if *known >= until => return,
            Some(known) => drop(self.order.remove(&(*known, session))),
            None => {}
        }
        self.until.insert(session, until);
        self.order.insert((until, session));
    }

    fn forget_until(&mut self, now: Timestamp) {
        while let Some((until, session)) =
            self.order.first().copied().filter(|(until, _)| *until <= now)
        {
            self.order.remove(&(until, session));
            self.until.remove(&session);
        }
        self.horizon = self.horizon.filter(|horizon| *horizon > now);
    }

    /// Forgets the session whose tokens expire first. Each of them expires no later than this.
    fn give_up_first(&mut self) {
        if let Some((until, session)) = self.order.pop_first() {
            self.until.remove(&session);
            self.horizon = self.horizon.max(Some(until));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_session_is_revoked_until_its_tokens_have_expired() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let revocations = Revocations::new(clock.clone());
        let (first, second, other) = (SessionId::new(), SessionId::new(), SessionId::new());
        let quarter = SignedDuration::from_mins(15);
        revocations.revoke(first, clock.now() + quarter);
        assert!(revocations.is_revoked(first) && revocations.refuses(first, clock.now() + quarter));
        assert!(!revocations.is_revoked(other));

        clock.advance(quarter);
        revocations.revoke(second, clock.now() + quarter);
        assert!(!revocations.is_revoked(first), "forgotten");
        assert!(revocations.is_revoked(second));

        revocations.revoke(other, clock.now());
        assert!(!revocations.is_revoked(other), "its tokens have expired already");
    }

    #[test]
    fn being_told_again_changes_nothing() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let revocations = Revocations::new(clock.clone());
        let (session, minute) = (SessionId::new(), SignedDuration::from_mins(1));
        for until in [minute * 2, minute, minute * 2, minute * 3] {
            revocations.revoke(session, clock.now() + until);
        }
        clock.advance(minute * 2);
        revocations.revoke_all([]);
        assert!(revocations.is_revoked(session));
        assert_eq!(revocations.known.read().unwrap().order.len(), 1);
    }

    #[test]
    fn too_many_are_refused_with_others_rather_than_forgotten() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let revocations = Revocations { capacity: 100, ..Revocations::new(clock.clone()) };
        let at = |second| Timestamp::from_second(second).unwrap();
        let sessions: Vec<_> = (1..=150).map(|second| (SessionId::new(), at(second))).collect();
        revocations.revoke_all(sessions.iter().copied());
        let known = revocations.known.read().unwrap();
        assert_eq!((known.until.len(), known.order.len()), (100, 100));
        drop(known);
        for (session, until) in sessions {
            assert!(revocations.refuses(session, until), "{until}");
        }
        let other = SessionId::new();
        assert!(revocations.refuses(other, at(50)) && !revocations.refuses(other, at(51)));
        clock.advance(SignedDuration::from_secs(50));
        revocations.revoke_all([]);
        assert!(!revocations.refuses(other, at(50)), "it has expired by itself");
    }
}
