//! How often something may be tried: some attempts are free, then each is followed by a pause that doubles.
//!
//! There is no lock-out: the longest pause is bounded, and after a quiet time everything is free again.

use common::Client;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Email;

/// How many attempts are free, and how long the pauses after that are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// How many attempts are free.
    pub free: u32,
    /// The pause after the first attempt that is not; it doubles with each further one.
    pub pause: SignedDuration,
    /// The longest pause.
    pub longest: SignedDuration,
    /// After how long without an attempt all are forgotten.
    pub forget_after: SignedDuration,
}

impl Backoff {
    /// How long the pause after the attempt number `count` is.
    #[must_use]
    pub fn pause_after(&self, count: u32) -> SignedDuration {
        let Some(beyond) = count.checked_sub(self.free).filter(|beyond| *beyond > 0) else {
            return SignedDuration::ZERO;
        };
        let factor = 2_i32.checked_pow(beyond - 1).unwrap_or(i32::MAX);
        self.pause.checked_mul(factor).map_or(self.longest, |pause| pause.min(self.longest))
    }
}

/// Whose attempts at what are counted together. It says nothing of whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptKey(pub [u8; 32]);

impl AttemptKey {
    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Of what a client's network does.
    #[must_use]
    pub fn of_network(what: &str, client: &Client) -> Self {
        Self::of(&[what, "network", &client.network()])
    }

    /// Of what is done about an address, by whomever.
    #[must_use]
    pub fn of_email(what: &str, email: &Email) -> Self {
        Self::of(&[what, "email", email.as_str()])
    }

    /// Of what a client's network does about an address.
    #[must_use]
    pub fn of_both(what: &str, email: &Email, client: &Client) -> Self {
        Self::of(&[what, "both", email.as_str(), &client.network()])
    }

    /// Of what a person who is signed in does.
    #[must_use]
    pub fn of_user(what: &str, user: common::UserId) -> Self {
        Self::of(&[what, "user", &user.to_string()])
    }
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may, and was counted.
    Free,
    /// It may not before this time, and was not counted.
    Paused(Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = SignedDuration::from_secs;
        let backoff = Backoff {
            free: 3,
            pause: seconds(2),
            longest: seconds(60),
            forget_after: SignedDuration::from_hours(24),
        };
        let pauses: Vec<_> =
            (0..=9).chain([40, u32::MAX]).map(|n| backoff.pause_after(n).as_secs()).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn keys_tell_purposes_and_people_apart() {
        let (ada, eve) = (
            Email::new("", "ada@example.org").unwrap(),
            Email::new("", "eve@example.org").unwrap(),
        );
        let (here, there) = (
            Client::new(Some([192, 0, 2, 1].into()), None),
            Client::new(Some([192, 0, 2, 2].into()), None),
        );
        let keys = [
            AttemptKey::of_network("a", &here),
            AttemptKey::of_network("a", &there),
            AttemptKey::of_network("b", &here),
            AttemptKey::of_email("a", &ada),
            AttemptKey::of_email("a", &eve),
            AttemptKey::of_both("a", &ada, &here),
            AttemptKey::of_both("a", &ada, &there),
            AttemptKey::of_user("a", common::UserId::new()),
        ];
        let different: std::collections::HashSet<_> = keys.into_iter().collect();
        assert_eq!(different.len(), 8);
    }
}
