//! What can be set about accounts. Each value is valid by its type; where it comes from is the program's affair.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use jiff::SignedDuration;

use crate::hashing::HashingCost;

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
}

impl Default for UsersSettings {
    fn default() -> Self {
        let threads = available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            hashing_cost: HashingCost::default(),
            hashing_threads: NonZeroUsize::new(threads / 2).unwrap_or(NonZeroUsize::MIN),
            refresh_lifetime: SignedDuration::from_hours(30 * 24),
            secure_cookies: true,
        }
    }
}
