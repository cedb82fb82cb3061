//! What can be set about accounts. Each value is valid by its type; where it comes from is the program's affair.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use jiff::SignedDuration;

use crate::hashing::HashingCost;
use crate::model::Backoff;

/// What can be set about accounts.
#[derive(Debug, Clone)]
pub struct UsersSettings {
    /// What a password hash costs.
    pub hashing_cost: HashingCost,
    /// How many passwords are hashed at the same time: half of the machine's threads unless set, so that queries have the others.
    pub hashing_threads: NonZeroUsize,
    /// How long a refresh token is good for: 30 days unless set. Each use starts it anew.
    pub refresh_lifetime: SignedDuration,
    /// Whether cookies are sent over HTTPS only. Only a browser on `http://localhost` needs it to be off.
    pub secure_cookies: bool,
    /// Where people find the front end: the links in mails begin with it. Without a slash at its end.
    pub public_url: String,
    /// How long the link in a mail is good for that confirms an address: 2 days unless set.
    pub verification_lifetime: SignedDuration,
    /// How long the link in a mail is good for that sets a new password: 1 hour unless set.
    pub reset_lifetime: SignedDuration,
    /// How long the link in a mail is good for that gives an account another address: 1 day unless set.
    pub email_change_lifetime: SignedDuration,
    /// How long the link in the mail to the former address is good for that undoes that: 7 days unless set.
    pub email_undo_lifetime: SignedDuration,
    /// How long after its owner asked for it an account is deleted: 14 days unless set. Logging in before that keeps it.
    pub deletion_grace: SignedDuration,
    /// How long security events are kept: 90 days unless set.
    pub security_events_kept: SignedDuration,
    /// How often things may be tried.
    pub limits: Limits,
}

impl Default for UsersSettings {
    fn default() -> Self {
        let threads = available_parallelism().map_or(1, NonZeroUsize::get);
        let days = |days: i64| SignedDuration::from_hours(days * 24);
        Self {
            hashing_cost: HashingCost::default(),
            hashing_threads: NonZeroUsize::new(threads / 2).unwrap_or(NonZeroUsize::MIN),
            refresh_lifetime: days(30),
            secure_cookies: true,
            public_url: "http://127.0.0.1:8080".into(),
            verification_lifetime: days(2),
            reset_lifetime: SignedDuration::from_hours(1),
            email_change_lifetime: days(1),
            email_undo_lifetime: days(7),
            deletion_grace: days(14),
            security_events_kept: days(90),
            limits: Limits::default(),
        }
    }
}

/// How often things may be tried before pauses begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong passwords for one account from one network.
    pub log_in: Backoff,
    /// Wrong passwords for one account from all networks from which its owner has not logged in lately, together.
    pub log_in_anywhere: Backoff,
    /// Wrong passwords from one network, for whatever accounts.
    pub log_in_network: Backoff,
    /// Accounts made from one network.
    pub sign_up: Backoff,
    /// New passwords asked for, and links of mails tried, from one network.
    pub reset: Backoff,
    /// Mails to one address.
    pub mail: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = SignedDuration::from_secs;
        let backoff = |free, pause, longest, forget_after| Backoff {
            free,
            pause: seconds(pause),
            longest: seconds(longest),
            forget_after: seconds(forget_after),
        };
        let (minute, hour) = (60, 3600);
        Self {
            log_in: backoff(5, 1, 15 * minute, 24 * hour),
            log_in_anywhere: backoff(50, 1, minute, hour),
            // A school has one address; those who log in rightly are not counted.
            log_in_network: backoff(100, 1, 15 * minute, hour),
            sign_up: backoff(100, 10, 10 * minute, hour),
            reset: backoff(20, 10, 10 * minute, hour),
            mail: backoff(3, minute, hour, 24 * hour),
        }
    }
}
