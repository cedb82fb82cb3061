//! How the work goes, as numbers and series that plot directly. They are read off the sums of days, never off the log.

use common::{DeckId, Error, Viewer};
use jiff::civil::Date;

use super::{Learner, Service};
use crate::model::RANGE_DAYS;
use crate::scheduler::{Day, Phase, Rating};
use crate::tally::Tally;

/// The work of a local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayPoint {
    /// The local date.
    pub date: Date,
    /// How many reviews.
    pub reviews: u32,
    /// How many cards were new.
    pub new: u32,
    /// How long the reviews took, in milliseconds.
    pub duration_ms: i64,
}

/// How many reviews of learned cards were remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// How many were.
    pub passed: u32,
    /// How many were forgotten.
    pub failed: u32,
}

impl Retention {
    /// The share that was remembered, 0 to 1; `None` without reviews.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        let all = self.passed + self.failed;
        (all > 0).then(|| f64::from(self.passed) / f64::from(all))
    }

    fn of(tally: &Tally, phase: Phase) -> Self {
        let failed = tally.of(phase, Rating::Again);
        Self { passed: tally.of_phase(phase) - failed, failed }
    }
}

/// The work of a range of local days.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The days with reviews, in order.
    pub days: Vec<DayPoint>,
    /// The longest row of days with reviews.
    pub longest_streak_days: u32,
    /// The sums of all days.
    pub total: Tally,
    /// Of learned cards that had waited less than 21 days.
    pub young: Retention,
    /// Of those that had waited longer.
    pub mature: Retention,
}

impl Service {
    /// The work of the viewer from `from` to `to`, both included: the last 30 days unless told otherwise, at most [`RANGE_DAYS`]. With a deck, only what
    /// was done in it and in those within it now.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the range is none or too long; [`Error::Store`].
    pub async fn statistics(
        &self,
        viewer: &Viewer,
        deck: Option<DeckId>,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<Statistics, Error> {
        let Learner { moment, .. } = self.learner(viewer.user).await?;
        let last = to.map_or(moment.today, Day::from_date);
        let first = from.map_or(Day(last.0 - 29), Day::from_date);
        if first > last || last.since(first) >= RANGE_DAYS {
            let message = format!("at most {RANGE_DAYS} days up to `to` are accepted");
            return Err(Error::invalid("from", message));
        }
        let decks = match deck {
            None => None,
            Some(_) => Some(self.tree(viewer.user).await?.subtree(deck)),
        };
        let tallies = self.store.tallies(viewer.user, decks, (first, last)).await?;
        Ok(sum(first, last, &tallies))
    }

    /// How many cards come back on each of the next `days` local days, today first: 1 to 3,650. What is overdue comes today. With a deck, only those in it
    /// and in those within it. Those that are put aside are left out.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `days` is out of range; [`Error::Store`].
    pub async fn forecast(
        &self,
        viewer: &Viewer,
        deck: Option<DeckId>,
        days: i32,
    ) -> Result<Vec<(Date, u32)>, Error> {
        let count = u32::try_from(days).ok().filter(|days| (1..=3_650).contains(days));
        let count = count.ok_or_else(|| Error::invalid("days", "is out of range: 1 to 3650"))?;
        let Learner { moment, .. } = self.learner(viewer.user).await?;
        let decks = self.tree(viewer.user).await?.awake(deck);
        let today = moment.today;
        let due = self.store.forecast(viewer.user, decks, today, today.plus(count - 1)).await?;
        let point = |ahead: u32| {
            let day = today.plus(ahead);
            (day.date(), due.get(&day).copied().unwrap_or(0))
        };
        Ok((0..count).map(point).collect())
    }
}

fn sum(first: Day, last: Day, tallies: &[(Day, Tally)]) -> Statistics {
    let mut total = Tally::default();
    let mut days = Vec::with_capacity(tallies.len());
    let (mut streak, mut longest, mut previous) = (0, 0, None);
    for (day, tally) in tallies.iter().filter(|(_, tally)| tally.reviews() > 0) {
        total.merge(tally);
        days.push(DayPoint {
            date: day.date(),
            reviews: tally.reviews(),
            new: tally.of_phase(Phase::New),
            duration_ms: tally.duration_ms,
        });
        streak = if previous == Some(Day(day.0 - 1)) { streak + 1 } else { 1 };
        longest = longest.max(streak);
        previous = Some(*day);
    }
    Statistics {
        from: first.date(),
        to: last.date(),
        days,
        longest_streak_days: longest,
        young: Retention::of(&total, Phase::Young),
        mature: Retention::of(&total, Phase::Mature),
        total,
    }
}
