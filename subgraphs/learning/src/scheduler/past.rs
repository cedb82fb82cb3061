//! What was learned of a card elsewhere, before it was imported: how its reviews are counted, and what state it is in afterwards.

use common::history::{PastReview, Schedule};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{MATURE, Phase};
use super::{
    Calendar, CardState, Day, Due, Entry, HalfLife, Memory, Model, ModelError, Rating, Rules,
};

/// Where an imported card stands, with what its file does not say: worked out once, when it arrives, so that a replay always gives the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// As the file says it.
    pub schedule: Schedule,
    /// The file's, or worked out of interval and ease. Never NaN.
    pub stability: f32,
    /// The file's, or worked out of interval and ease. Never NaN.
    pub difficulty: f32,
    /// The last review, to the millisecond.
    pub last_at: Timestamp,
    /// Its local day.
    pub last_day: Day,
}

// Its numbers are never NaN: the model gives none, and `Schedule::sound` leaves none.
impl Eq for Restored {}

impl Restored {
    /// What follows from a file's schedule. `model` is the average person's; `last` the last review, `at` when the card was imported.
    ///
    /// # Errors
    /// Those of the model.
    pub fn new(
        schedule: Schedule,
        model: &Model,
        calendar: &Calendar,
        last: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<Self, ModelError> {
        let schedule = schedule.sound();
        let of_schedule =
            schedule.last_review.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let last_at = of_schedule.or(last).unwrap_or(at);
        let last_at = Timestamp::from_millisecond(last_at.as_millisecond()).unwrap_or(last_at);
        let days = i32::try_from(schedule.interval).unwrap_or(i32::MAX).max(0);
        let last_day = match schedule.due_day {
            // The interval is what lies between the last review and the due date.
            Some(due) if schedule.state == 2 && days > 0 => Day(due.saturating_sub(days)),
            _ => calendar.day_of(last_at),
        };
        let (stability, difficulty) = match schedule.stability.zip(schedule.difficulty) {
            Some(known) => known,
            None => model.of_interval(schedule.ease, days.unsigned_abs())?,
        };
        Ok(Self { schedule, stability, difficulty, last_at, last_day })
    }

    /// The card's state; `None` for a new one.
    #[must_use]
    pub fn memory(&self, rules: &Rules, entry: &Entry) -> Option<Memory> {
        let schedule = &self.schedule;
        let (state, steps) = match schedule.state {
            1 => (CardState::Learning, rules.learning_steps.len()),
            2 => (CardState::Review, 0),
            3 => (CardState::Relearning, rules.relearning_steps.len()),
            _ => return None,
        };
        let due_at = schedule.due_at.and_then(|at| Timestamp::from_millisecond(at).ok());
        let due = match (due_at, schedule.due_day) {
            (Some(at), _) => Due::At(at),
            (None, Some(day)) => Due::On(Day(day)),
            (None, None) => Due::On(entry.day),
        };
        // Of the steps that are left the lower three digits count.
        let left = usize::try_from(schedule.steps_left % 1_000).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "an interval has few days")]
        let half_life = HalfLife(schedule.interval.max(0) as f64);
        Some(Memory {
            state,
            step: u8::try_from(steps.saturating_sub(left.max(1))).unwrap_or(0),
            due,
            stability: self.stability,
            difficulty: self.difficulty,
            half_life,
            reps: schedule.reps,
            lapses: schedule.lapses,
            leech: false,
            last: (self.last_at, entry.id),
            last_day: self.last_day,
        })
    }
}

/// How well the card was remembered, if it was reviewed.
#[must_use]
pub(super) fn rating(past: &PastReview) -> Option<Rating> {
    Rating::from_number(past.button)
}

/// Among which reviews one in the past counts; `is_first` says whether it is the card's first.
#[must_use]
pub(super) fn phase(past: &PastReview, is_first: bool) -> Phase {
    if rating(past).is_none() {
        return Phase::Uncounted;
    }
    match past.kind {
        0 if is_first => Phase::New,
        0 => Phase::Learning,
        1 if past.last_interval >= i64::from(MATURE) => Phase::Mature,
        1 => Phase::Young,
        2 => Phase::Relearning,
        3 => Phase::Practice,
        _ => Phase::Uncounted,
    }
}
