//! What a batch of reviews does: pure functions that the stores call within their transaction, so that both decide alike.
//!
//! The outcome does not depend on the order in which reviews arrive. One that is later than all of its card's continues from the stored state; one that
//! comes late makes the card's whole log be replayed.

use std::collections::{HashMap, HashSet};

use common::{CardId, ReviewId};

use crate::model::{Review, StoredCard};
use crate::scheduler::{Answer, Day, MODEL_VERSION, ModelError, Scheduler};

/// What became of one review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the log now.
    Accepted,
    /// It was there already.
    Duplicate,
    /// Another one is there under its id.
    Conflict,
    /// There is no such card, or it is somebody else's.
    UnknownCard,
}

/// What the store holds of the things a batch names.
#[derive(Debug, Default)]
pub struct Known {
    /// Reviews with the ids of the batch.
    pub reviews: HashMap<ReviewId, Review>,
    /// The owner's cards.
    pub cards: HashMap<CardId, StoredCard>,
}

/// A batch that was looked through.
#[derive(Debug)]
pub struct Admission<'a> {
    /// For each review, in the order of the batch.
    pub verdicts: Vec<Verdict>,
    /// Those to put into the log.
    pub accepted: Vec<&'a Review>,
}

/// The reviews and the time of one local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayWork {
    /// How many reviews.
    pub reviews: u32,
    /// How long they took, in milliseconds.
    pub duration_ms: i64,
}

/// Decides which reviews of a batch enter the log. One that was stored before is a duplicate even when its card is gone by now.
#[must_use]
pub fn admit<'a>(batch: &'a [Review], known: &Known) -> Admission<'a> {
    let mut seen: HashMap<ReviewId, &Review> = HashMap::new();
    let mut accepted = Vec::new();
    let verdict = |review: &'a Review| {
        let other = known.reviews.get(&review.id).or_else(|| seen.get(&review.id).copied());
        match other {
            Some(other) if other.says_the_same_as(review) => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
            None if !known.cards.contains_key(&review.card) => Verdict::UnknownCard,
            None => {
                seen.insert(review.id, review);
                accepted.push(review);
                Verdict::Accepted
            }
        }
    };
    let verdicts = batch.iter().map(verdict).collect();
    Admission { verdicts, accepted }
}

impl Admission<'_> {
    /// The cards whose whole log is needed: a review comes before one that was counted, or an older model made the state.
    #[must_use]
    pub fn cards_to_replay(&self, known: &Known) -> Vec<CardId> {
        let late = |review: &&&Review| {
            known.cards.get(&review.card).is_some_and(|card| {
                card.memory.as_ref().is_some_and(|memory| {
                    review.key() < memory.last || card.model != MODEL_VERSION
                })
            })
        };
        let cards: HashSet<CardId> =
            self.accepted.iter().filter(late).map(|review| review.card).collect();
        cards.into_iter().collect()
    }

    /// The cards after the accepted reviews. `logs` holds what was in the log before of those that [`Admission::cards_to_replay`] named.
    ///
    /// # Errors
    /// When a stored state cannot be what reviews led to.
    pub fn settle(
        &self,
        scheduler: &Scheduler,
        known: &Known,
        mut logs: HashMap<CardId, Vec<Answer>>,
    ) -> Result<Vec<StoredCard>, ModelError> {
        let mut answers: HashMap<CardId, Vec<Answer>> = HashMap::new();
        for review in &self.accepted {
            answers.entry(review.card).or_default().push(review.answer());
        }
        let mut cards = Vec::with_capacity(answers.len());
        for (id, mut answers) in answers {
            let Some(card) = known.cards.get(&id) else { continue };
            let memory = match (logs.remove(&id), &card.memory) {
                (Some(log), _) => {
                    answers.extend(log);
                    scheduler.replay(answers)?
                }
                (None, None) => scheduler.replay(answers)?,
                (None, Some(memory)) => {
                    answers.sort_unstable_by_key(|answer| (answer.at, answer.id));
                    let mut memory = memory.clone();
                    for answer in answers {
                        memory = scheduler.answer(Some(&memory), answer)?;
                    }
                    Some(memory)
                }
            };
            cards.push(StoredCard { memory, model: MODEL_VERSION, ..card.clone() });
        }
        Ok(cards)
    }

    /// What the accepted reviews add to each local day.
    #[must_use]
    pub fn work(&self) -> HashMap<Day, DayWork> {
        let mut days: HashMap<Day, DayWork> = HashMap::new();
        for review in &self.accepted {
            let day = days.entry(review.day).or_default();
            day.reviews += 1;
            day.duration_ms += i64::from(review.duration_ms);
        }
        days
    }
}

/// How many local days in a row there was a review. `days` are those with one, latest first, none after `today`; they are read only as
/// far as the row goes.
///
/// # Errors
/// What reading a day fails with.
pub fn streak<E>(today: Day, days: impl IntoIterator<Item = Result<Day, E>>) -> Result<u32, E> {
    let mut length = 0;
    let mut expected = today;
    for day in days {
        let day = day?;
        // While today has no review yet, the row may end yesterday.
        if length == 0 && day == Day(today.0 - 1) {
            expected = day;
        }
        if day != expected {
            break;
        }
        length += 1;
        expected = Day(day.0 - 1);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streak_of(today: i32, days: &[i32]) -> u32 {
        let days = days.iter().map(|day| Ok::<_, std::convert::Infallible>(Day(*day)));
        streak(Day(today), days).unwrap()
    }

    #[test]
    fn a_streak_may_end_today_or_yesterday() {
        assert_eq!(streak_of(10, &[]), 0);
        assert_eq!(streak_of(10, &[10]), 1);
        assert_eq!(streak_of(10, &[10, 9, 8, 6]), 3);
        assert_eq!(streak_of(10, &[9, 8, 6]), 2);
        assert_eq!(streak_of(10, &[8, 7]), 0);
    }
}
