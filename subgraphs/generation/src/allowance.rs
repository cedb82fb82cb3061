//! What card generation may cost a person: points that fill by themselves.
//!
//! They are kept in the domain's store and taken in the transaction that adds a job, so that neither a restart nor a crash gives any anew. Those of a
//! job that fails are given back in the transaction that ends it: once, because a job ends once.

use jiff::Timestamp;

/// What any job costs.
const BASE: u32 = 10;
/// In how many milliseconds an empty allowance is full again: a day.
const FILLS_IN: i128 = 24 * 60 * 60 * 1_000;
/// Points are counted in thousandths, so that nothing of a moment is lost.
const PARTS: i64 = 1_000;

/// The price of a job that may make so many drafts: 10 points, and one for each.
#[must_use]
pub const fn price(max_cards: u32) -> u32 {
    BASE + max_cards
}

/// What a person has left, as it was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// In thousandths of points.
    pub parts: i64,
    /// The moment.
    pub at: Timestamp,
}

/// There are too few points for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// What it costs.
    pub price: u32,
    /// What is there.
    pub points: u32,
    /// In how many seconds there are enough.
    pub seconds: u64,
}

impl Allowance {
    /// That of a person who has used none, or of `known` as it is now, of `most` points.
    #[must_use]
    pub fn now(known: Option<Self>, most: u32, now: Timestamp) -> Self {
        let full = i64::from(most) * PARTS;
        let parts = known.map_or(full, |known| {
            let passed = (now.as_millisecond() - known.at.as_millisecond()).max(0);
            let gained = i128::from(passed) * i128::from(full) / FILLS_IN;
            let gained = i64::try_from(gained).unwrap_or(full).min(full);
            // What is given back may make it more than full.
            known.parts.saturating_add(gained).min(full)
        });
        Self { parts, at: now }
    }

    /// Whole points.
    #[must_use]
    pub fn points(&self) -> u32 {
        u32::try_from(self.parts.max(0) / PARTS).unwrap_or(u32::MAX)
    }

    /// What is left when a job of that price is paid.
    ///
    /// # Errors
    /// When it is too little.
    pub fn pay(self, price: u32, most: u32) -> Result<Self, Short> {
        let left = self.parts - given(price);
        if left >= 0 {
            return Ok(Self { parts: left, ..self });
        }
        let a_second = i64::from(most.max(1)) * PARTS;
        let wait = i128::from(-left) * (FILLS_IN / 1_000);
        let seconds = wait.div_euclid(i128::from(a_second)) + 1;
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        Err(Short { price, points: self.points(), seconds })
    }
}

/// Points in the unit that is stored.
#[must_use]
pub fn given(points: u32) -> i64 {
    i64::from(points) * PARTS
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn later(seconds: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn what_is_paid_fills_within_a_day_and_never_beyond_full() {
        let full = Allowance::now(None, 240, NOW);
        assert_eq!(full.points(), 240);
        let left = full.pay(240, 240).unwrap();
        assert_eq!(left.points(), 0);
        let at = |seconds| Allowance::now(Some(left), 240, later(seconds)).points();
        assert_eq!(
            [at(0), at(359), at(360), at(3_600), at(86_400), at(1 << 30)],
            [0, 0, 1, 10, 240, 240]
        );
        let early = Allowance::now(Some(Allowance { at: later(60), ..left }), 240, NOW);
        assert_eq!(early.points(), 0, "a clock that goes back takes nothing");
        let given_back = Allowance { parts: left.parts + given(500), ..left };
        assert_eq!(Allowance::now(Some(given_back), 240, NOW).points(), 240);
    }

    #[test]
    fn whoever_has_too_little_learns_when_there_is_enough() {
        let left = Allowance::now(None, 240, NOW).pay(230, 240).unwrap();
        let short = left.pay(30, 240).unwrap_err();
        assert_eq!((short.points, short.price), (10, 30));
        let at = |seconds: u64| Allowance::now(Some(left), 240, later(seconds.cast_signed()));
        assert!(at(short.seconds).pay(30, 240).is_ok());
        assert!(at(short.seconds - 2).pay(30, 240).is_err());
    }

    #[test]
    fn a_job_costs_more_the_more_it_may_make() {
        assert_eq!((price(1), price(20), price(100)), (11, 30, 110));
    }
}
