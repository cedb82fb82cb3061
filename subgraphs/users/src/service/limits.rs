//! Who may try what how often.
//!
//! Wrong passwords are counted for the address and the network they come from together, so that a stranger's attempts are no obstacle to the
//! owner elsewhere; for the network over all addresses; and for the address over all networks that its owner has not logged in from in the
//! last 90 days. The last one slows down a guess that comes from many networks: the owner is held up by it at most on a network that is new
//! to them, for a minute at a time, and can get past it by setting a new password. Nothing here knows whether an address has an account, so
//! nothing of it can show.

use common::{Client, Error};
use jiff::{SignedDuration, Timestamp};

use super::Service;
use crate::model::{Attempt, AttemptKey, Backoff, Email};

/// How long a network counts as one of the owner's after a login.
const NETWORK_KNOWN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The attempts that one try at logging in counts as.
pub(super) struct LogInAttempt {
    of_network: AttemptKey,
    of_both: Option<AttemptKey>,
    of_email: Option<AttemptKey>,
    known: Option<AttemptKey>,
}

impl Service {
    /// Counts an attempt.
    ///
    /// # Errors
    /// [`Error::Throttled`] while a pause is on; then it is not counted.
    pub(super) async fn admit(&self, key: AttemptKey, backoff: Backoff) -> Result<(), Error> {
        match self.attempt(key, backoff).await? {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Whether one more mail may go to an address.
    pub(super) async fn may_mail(&self, email: &Email) -> Result<bool, Error> {
        let key = AttemptKey::of_email("mail", email);
        Ok(self.attempt(key, self.settings.limits.mail).await?.is_none())
    }

    /// Counts a try at logging in with a text that may be no address. All its counts are made before the password is looked at, so that many
    /// tries at the same time are not more than one after the other.
    ///
    /// # Errors
    /// [`Error::Throttled`] while a pause is on.
    pub(super) async fn admit_log_in(
        &self,
        email: Option<&Email>,
        client: &Client,
    ) -> Result<LogInAttempt, Error> {
        let limits = &self.settings.limits;
        let of_network = AttemptKey::of_network("log-in", client);
        self.admit(of_network, limits.log_in_network).await?;
        let mut attempt = LogInAttempt { of_network, of_both: None, of_email: None, known: None };
        let Some(email) = email else { return Ok(attempt) };
        let of_both = AttemptKey::of_both("log-in", email, client);
        let known = AttemptKey::of_both("known", email, client);
        self.admit(of_both, limits.log_in).await?;
        (attempt.of_both, attempt.known) = (Some(of_both), Some(known));
        if !self.store.is_remembered(known, self.now()).await? {
            let of_email = AttemptKey::of_email("log-in", email);
            self.admit(of_email, limits.log_in_anywhere).await?;
            attempt.of_email = Some(of_email);
        }
        Ok(attempt)
    }

    /// Takes the counts back: the password was right. The network is one of the owner's from now on.
    pub(super) async fn log_in_was_right(&self, attempt: LogInAttempt) -> Result<(), Error> {
        self.store.take_back_attempt(attempt.of_network).await?;
        if let Some(key) = attempt.of_both {
            self.store.forget_attempts(key).await?;
        }
        if let Some(key) = attempt.of_email {
            self.store.take_back_attempt(key).await?;
        }
        if let Some(known) = attempt.known {
            let until = self.now().saturating_add(NETWORK_KNOWN_FOR).unwrap_or(Timestamp::MAX);
            self.store.remember(known, until).await?;
        }
        Ok(())
    }

    async fn attempt(&self, key: AttemptKey, backoff: Backoff) -> Result<Option<Error>, Error> {
        let now = self.now();
        Ok(match self.store.attempt(key, backoff, now).await? {
            Attempt::Free => None,
            Attempt::Paused(until) => {
                let milliseconds = until.as_millisecond() - now.as_millisecond();
                let seconds = u64::try_from(milliseconds).unwrap_or_default().div_ceil(1000);
                Some(Error::Throttled { retry_after: seconds.max(1) })
            }
        })
    }
}
