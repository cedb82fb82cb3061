//! Which sessions were ended while access tokens of theirs are still good.
//!
//! An access token is checked without asking a store, so one that was issued before its session ended would be accepted until
//! it expires. Whoever ends a session notes it here, and whoever accepts a token looks here after checking its signature.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;

use crate::{Clock, SessionId};

/// The sessions that were ended lately. It is shared between the domain that ends them and the gateway.
#[derive(Debug, Default)]
pub struct Revocations {
    clock: Clock,
    until: RwLock<HashMap<SessionId, Timestamp>>,
}

impl Revocations {
    /// None yet; `clock` says when one can be forgotten.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, until: RwLock::default() }
    }

    /// Notes that `session` was ended. After `until` all its access tokens have expired, and it is forgotten.
    pub fn revoke(&self, session: SessionId, until: Timestamp) {
        let now = self.clock.now();
        let mut revoked = self.until.write().unwrap_or_else(PoisonError::into_inner);
        revoked.retain(|_, until| *until > now);
        if until > now {
            revoked.insert(session, until);
        }
    }

    /// Whether `session` was ended, so that its access tokens are good no more.
    #[must_use]
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.until.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
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
        assert!(revocations.is_revoked(first));
        assert!(!revocations.is_revoked(other));

        clock.advance(quarter);
        revocations.revoke(second, clock.now() + quarter);
        assert!(!revocations.is_revoked(first), "forgotten");
        assert!(revocations.is_revoked(second));

        revocations.revoke(other, clock.now());
        assert!(!revocations.is_revoked(other), "its tokens have expired already");
    }
}
