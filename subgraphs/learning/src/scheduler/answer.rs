//! One answer and what follows from it. Steps behave as Anki's: AGAIN starts them over, HARD repeats the step (the first one at the mean of the
//! first two delays), GOOD goes to the next step or ends them, EASY ends them.

use common::{CardId, ReviewId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::fuzz::spread;
use super::model::Outcome;
use super::{CardState, Day, Due, HalfLife, Memory, Model, ModelError, Rating, Rules};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An answer in a card's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Which review it is.
    pub id: ReviewId,
    /// How well the card was remembered.
    pub rating: Rating,
    /// When it was given.
    pub at: Timestamp,
    /// The local day it was given on, where the person was then.
    pub day: Day,
}

/// What a rating would lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// The rating.
    pub rating: Rating,
    /// The time until the card comes back; whole days for a learned card.
    pub interval: SignedDuration,
    /// When it comes back.
    pub due: Due,
}

/// The rules of a deck with the weights of a person.
#[derive(Debug, Clone, Copy)]
pub struct Scheduler<'a> {
    /// The memory model.
    pub model: &'a Model,
    /// What decides when a card comes back.
    pub rules: &'a Rules,
}

impl Scheduler<'_> {
    /// The state after `answer`, which must be later in the log than those that led to `before`.
    ///
    /// # Errors
    /// [`ModelError::State`] when `before` holds what no answers lead to.
    pub fn answer(
        &self,
        card: CardId,
        before: Option<&Memory>,
        answer: Answer,
    ) -> Result<Memory, ModelError> {
        // A day does not come before one that has been: a journey westward, or a clock that was put right.
        let day = before.map_or(answer.day, |before| answer.day.max(before.last_day));
        let elapsed = before.map_or(0, |before| day.since(before.last_day));
        let known = before.map_or((0.0, 0.0), |before| (before.stability, before.difficulty));
        let outcome = self.model.next(self.rules, known, elapsed, answer.rating)?;

        let state = before.map_or(CardState::New, |before| before.state);
        let step = before.map_or(0, |before| before.step);
        let reps = before.map_or(0, |before| before.reps) + 1;
        let interval = spread(self.rules, card, reps, day, outcome.interval);
        let outcome = Outcome { interval, ..outcome };
        let (state_after, step, due) = self.next_place(state, step, answer, day, outcome);
        let lapsed = state == CardState::Review && answer.rating == Rating::Again;
        let lapses = before.map_or(0, |before| before.lapses) + u32::from(lapsed);
        let leech = before.is_some_and(|before| before.leech);
        let half_life = before.map_or(HalfLife::default(), |before| before.half_life);
        Ok(Memory {
            state: state_after,
            step,
            due,
            stability: outcome.stability,
            difficulty: outcome.difficulty,
            half_life: half_life.after(answer.rating.is_pass(), before.is_none() || elapsed > 0),
            reps,
            lapses,
            leech: leech || (lapsed && self.rules.is_leech_alarm(lapses)),
            last: (answer.at, answer.id),
            last_day: day,
        })
    }

    /// What each rating would lead to at this moment.
    ///
    /// # Errors
    /// As [`Scheduler::answer`].
    pub fn previews(
        &self,
        card: CardId,
        before: Option<&Memory>,
        at: Timestamp,
        day: Day,
    ) -> Result<[Preview; 4], ModelError> {
        let id = ReviewId::from(Uuid::max());
        let preview = |rating| {
            let after = self.answer(card, before, Answer { id, rating, at, day })?;
            let interval = match after.due {
                Due::At(moment) => moment.duration_since(at),
                Due::On(due) => DAY * i32::try_from(due.since(after.last_day)).unwrap_or(i32::MAX),
            };
            Ok(Preview { rating, interval, due: after.due })
        };
        let [again, hard, good, easy] = Rating::ALL;
        Ok([preview(again)?, preview(hard)?, preview(good)?, preview(easy)?])
    }

    fn next_place(
        &self,
        state: CardState,
        step: u8,
        answer: Answer,
        day: Day,
        outcome: Outcome,
    ) -> (CardState, u8, Due) {
        let (steps, waiting) = match state {
            CardState::New | CardState::Learning => {
                (&self.rules.learning_steps, CardState::Learning)
            }
            CardState::Review | CardState::Relearning => {
                (&self.rules.relearning_steps, CardState::Relearning)
            }
        };
        let next = match (state, answer.rating) {
            (_, Rating::Again) => steps.first().map(|delay| (0, *delay)),
            (CardState::Review, _) | (_, Rating::Easy) => None,
            (_, Rating::Hard) => hard_delay(steps, step).map(|delay| (step, delay)),
            (_, Rating::Good) => {
                steps.get(usize::from(step) + 1).map(|delay| (step.saturating_add(1), *delay))
            }
        };
        match next {
            Some((step, delay)) => {
                let due = answer.at.saturating_add(delay).unwrap_or(Timestamp::MAX);
                (waiting, step, Due::At(due))
            }
            None => (CardState::Review, 0, Due::On(day.plus(outcome.interval))),
        }
    }
}

/// The delay of HARD in the steps: between AGAIN and GOOD at the first, the step's own at the others.
fn hard_delay(steps: &[SignedDuration], step: u8) -> Option<SignedDuration> {
    match (step, steps) {
        (_, []) => None,
        (0, [only]) => Some((*only + *only / 2).min(*only + DAY)),
        (0, [first, second, ..]) => Some((*first + *second) / 2),
        // Settings may have lost steps since: the last one is meant then.
        (step, steps) => steps.get(usize::from(step)).or(steps.last()).copied(),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
