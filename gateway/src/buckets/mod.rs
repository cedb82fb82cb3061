//! Token buckets: how many points each client has left.
//!
//! A bucket is kept as the moment at which it will be full, so that nothing needs to be done for it to fill, and one that is full need not
//! be kept at all. What is not known of a client is a full bucket. Refused here: nothing but what a bucket has no points for.

mod memory;

use crate::client::ClientKey;
use crate::settings::Allowance;

use memory::Memory;

/// What became of an attempt to take points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taken {
    /// Whether they were there. If not, none were taken.
    pub(crate) granted: bool,
    /// How many are left.
    pub(crate) available: f64,
}

/// All clients' buckets.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    users: Memory,
    /// Apart, so that no number of networks takes the places of those who are signed in.
    networks: Memory,
}

impl Buckets {
    const fn of(&self, payer: &ClientKey) -> &Memory {
        match payer {
            ClientKey::User(_) => &self.users,
            ClientKey::Network(_) => &self.networks,
        }
    }

    /// Takes `points`, if they are there.
    pub(crate) async fn take(&self, payer: &ClientKey, allowance: Allowance, points: f64) -> Taken {
        self.of(payer).take(payer, allowance, points)
    }

    /// Takes `points` whether or not they are there, and tells how many are left; a bucket is never emptier than empty.
    pub(crate) fn spend(&self, payer: &ClientKey, allowance: Allowance, points: f64) -> f64 {
        self.of(payer).spend(payer, allowance, points)
    }

    /// Gives `points` back that were taken, and tells how many are left.
    pub(crate) fn give(&self, payer: &ClientKey, allowance: Allowance, points: f64) -> f64 {
        self.of(payer).give(payer, allowance, points)
    }
}
