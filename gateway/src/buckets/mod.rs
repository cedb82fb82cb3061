//! Token buckets: how many points each client has left.
//!
//! A bucket is kept as the moment at which it will be full, so that nothing needs to be done for it to fill, and one that is full need not
//! be kept at all. What is not known of a client is a full bucket. Refused here: nothing but what a bucket has no points for.

mod memory;

use common::UserId;

use crate::settings::Allowance;

use memory::Memory;

/// Whose points are taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    /// A signed-in person, however they sign in.
    User(UserId),
    /// Whoever has not signed in, from one network: an IPv4 address or an IPv6 /64.
    Network(String),
}

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
    memory: Memory,
}

impl Buckets {
    /// Takes `points`, if they are there.
    pub(crate) async fn take(&self, payer: &Payer, allowance: Allowance, points: f64) -> Taken {
        self.memory.take(payer, allowance, points)
    }

    /// Takes `points` whether or not they are there, and tells how many are left; a bucket is never emptier than empty.
    pub(crate) fn spend(&self, payer: &Payer, allowance: Allowance, points: f64) -> f64 {
        self.memory.spend(payer, allowance, points)
    }

    /// Gives `points` back that were taken, and tells how many are left.
    pub(crate) fn give(&self, payer: &Payer, allowance: Allowance, points: f64) -> f64 {
        self.memory.give(payer, allowance, points)
    }
}
