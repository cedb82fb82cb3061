//! How a process learns of sessions that another one ended: it asks a feed again and again for those since it asked last.
//!
//! The feed is answered from the store, so that neither side loses anything by a restart. Moments of several machines are compared,
//! and a change may become visible a little after others with a later moment: so each answer reaches back by [`FEED_OVERLAP`]. Being told
//! of a session twice does no harm.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Revocations;
use crate::{EndpointError, SessionId};

/// How far an answer reaches back before the moment of the one before it.
pub const FEED_OVERLAP: SignedDuration = SignedDuration::from_secs(15);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedSession {
    /// Which one.
    pub id: SessionId,
    /// When all its access tokens have expired, in milliseconds since 1970.
    pub until: i64,
}

/// A feed's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The sessions that were ended since, in any order.
    pub sessions: Vec<EndedSession>,
    /// What to ask with next: milliseconds since 1970, by the clock of whoever answers.
    pub cursor: i64,
}

/// Whoever knows which sessions were ended.
pub trait RevocationFeed: Send + Sync {
    /// The sessions that were ended since the answer that gave `cursor`; without one all whose access tokens may still be good.
    fn ended_since(&self, cursor: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>>;
}

/// Takes over into [`Revocations`] what a feed tells.
///
/// While the feed does not answer, what is known stays known, and sessions that end meanwhile are accepted until their access tokens
/// expire or the feed answers again, which then tells of all of them.
pub struct Follower {
    feed: Arc<dyn RevocationFeed>,
    revocations: Arc<Revocations>,
    cursor: Option<i64>,
    answers: bool,
}

impl Follower {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(feed: Arc<dyn RevocationFeed>, revocations: Arc<Revocations>) -> Self {
        Self { feed, revocations, cursor: None, answers: true }
    }

    /// Asks once, for two seconds at most. That there is no answer is logged when it begins and when it ends.
    pub async fn ask(&mut self) {
        let answer = match timeout(PATIENCE, self.feed.ended_since(self.cursor)).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        };
        match answer {
            Ok(ended) => {
                let until = |ended: &EndedSession| {
                    Some((ended.id, Timestamp::from_millisecond(ended.until).ok()?))
                };
                self.revocations.revoke_all(ended.sessions.iter().filter_map(until));
                self.cursor = Some(ended.cursor);
                if !self.answers {
                    tracing::info!("the feed of ended sessions answers again");
                }
                self.answers = true;
            }
            Err(error) => {
                if self.answers {
                    tracing::warn!(
                        error,
                        "the feed of ended sessions does not answer: sessions that end elsewhere are accepted until their access tokens expire"
                    );
                }
                self.answers = false;
            }
        }
    }

    /// Asks for ever, and waits for `every` after each answer.
    pub async fn run(mut self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.ask().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::Clock;

    /// Answers with what it was given, in order, and remembers the cursors.
    #[derive(Default)]
    struct Script {
        answers: Mutex<Vec<Option<Ended>>>,
        asked: Mutex<Vec<Option<i64>>>,
    }

    impl RevocationFeed for Script {
        fn ended_since(&self, cursor: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>> {
            self.asked.lock().unwrap().push(cursor);
            let answer = self.answers.lock().unwrap().remove(0);
            let silent = || EndpointError::Timeout { endpoint: "users".into() };
            Box::pin(async move { answer.ok_or_else(silent) })
        }
    }

    #[tokio::test]
    async fn what_was_missed_is_told_when_the_feed_answers_again() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let (one, two) = (SessionId::new(), SessionId::new());
        let ended = |id, cursor| {
            Some(Ended { sessions: vec![EndedSession { id, until: 900_000 }], cursor })
        };
        let script = Script::default();
        *script.answers.lock().unwrap() = vec![None, ended(one, 5), None, None, ended(two, 9)];
        let script = Arc::new(script);
        let revocations = Arc::new(Revocations::new(clock));
        let mut follower = Follower::new(script.clone(), revocations.clone());
        let mut known = Vec::new();
        for _ in 0..5 {
            follower.ask().await;
            known.push((revocations.is_revoked(one), revocations.is_revoked(two)));
        }
        let expected = [(false, false), (true, false), (true, false), (true, false), (true, true)];
        assert_eq!(known, expected);
        assert_eq!(*script.asked.lock().unwrap(), [None, None, Some(5), Some(5), Some(5)]);
    }

    #[tokio::test]
    async fn a_feed_that_hangs_is_given_up_on() {
        struct Hangs;
        impl RevocationFeed for Hangs {
            fn ended_since(&self, _: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>> {
                Box::pin(std::future::pending())
            }
        }
        let mut follower = Follower::new(Arc::new(Hangs), Arc::default());
        follower.ask().await;
        assert!(!follower.answers);
    }
}
