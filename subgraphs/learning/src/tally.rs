//! Sums of the log for one deck and local day. Statistics are read off them, and so is what of a day's work is done.
//!
//! They are kept in the transaction that changes the log: what a late or an undone review changes about others is taken out and put in again.

use std::collections::BTreeMap;

use common::DeckId;
use uuid::Uuid;

use crate::scheduler::{Day, Done, Phase, Rating};

/// How many numbers a [`Tally`] is made of.
pub const NUMBERS: usize = PHASES * RATINGS + 2 * HOURS;
const PHASES: usize = Phase::COUNTED.len();
const RATINGS: usize = Rating::ALL.len();
const HOURS: usize = 24;

/// Sums of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How long they took, in milliseconds.
    pub duration_ms: i64,
    /// How many there were by phase and rating; then by the hour on the wall, first all, then those that were remembered.
    numbers: [u32; NUMBERS],
}

impl Default for Tally {
    fn default() -> Self {
        Self { duration_ms: 0, numbers: [0; NUMBERS] }
    }
}

/// One answer, as far as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Among which reviews.
    pub phase: Phase,
    /// How well the card was remembered.
    pub rating: Rating,
    /// The hour on the wall, 0 to 23.
    pub hour: u8,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
}

impl Tally {
    /// The sums that a store kept as [`Tally::to_bytes`].
    #[must_use]
    pub fn from_bytes(duration_ms: i64, bytes: &[u8]) -> Self {
        let mut numbers = [0; NUMBERS];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
            *number = bytes.try_into().map_or(0, u32::from_le_bytes);
        }
        Self { duration_ms, numbers }
    }

    /// The numbers for a store to keep, four bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Counts an answer.
    pub fn add(&mut self, answer: &Counted) {
        if answer.phase == Phase::Uncounted {
            return;
        }
        self.duration_ms += i64::from(answer.duration_ms);
        self.numbers[place(answer.phase, answer.rating)] += 1;
        let hour = PHASES * RATINGS + usize::from(answer.hour.min(23));
        self.numbers[hour] += 1;
        self.numbers[hour + HOURS] += u32::from(answer.rating.is_pass());
    }

    /// Adds the sums of another.
    pub fn merge(&mut self, other: &Self) {
        self.duration_ms += other.duration_ms;
        for (number, other) in self.numbers.iter_mut().zip(other.numbers) {
            *number = number.saturating_add(other);
        }
    }

    /// Answers of a phase with a rating.
    #[must_use]
    pub fn of(&self, phase: Phase, rating: Rating) -> u32 {
        if phase == Phase::Uncounted { 0 } else { self.numbers[place(phase, rating)] }
    }

    /// Answers of a phase.
    #[must_use]
    pub fn of_phase(&self, phase: Phase) -> u32 {
        Rating::ALL.into_iter().map(|rating| self.of(phase, rating)).sum()
    }

    /// All answers.
    #[must_use]
    pub fn reviews(&self) -> u32 {
        self.numbers[..PHASES * RATINGS].iter().sum()
    }

    /// Answers in an hour of the day, and those of them that were remembered.
    #[must_use]
    pub fn hour(&self, hour: usize) -> (u32, u32) {
        let at = PHASES * RATINGS + hour.min(HOURS - 1);
        (self.numbers[at], self.numbers[at + HOURS])
    }

    /// What of a day's work is done.
    #[must_use]
    pub fn done(&self) -> Done {
        Done {
            new: self.of_phase(Phase::New),
            reviews: self.of_phase(Phase::Young) + self.of_phase(Phase::Mature),
        }
    }
}

fn place(phase: Phase, rating: Rating) -> usize {
    usize::from(phase.number()) * RATINGS + usize::from(rating.number()) - 1
}

/// Stands for all decks together, whose sums are kept as well: what concerns the whole person is read off few rows, however many decks there are.
pub const ALL_DECKS: Uuid = Uuid::nil();

/// What is to be put into the sums of some decks and days, and taken out.
#[derive(Debug, Clone, Default)]
pub struct TallyChanges(BTreeMap<(Day, DeckId), (Tally, Tally)>);

impl TallyChanges {
    /// An answer counts from now on.
    pub fn put(&mut self, day: Day, deck: DeckId, answer: &Counted) {
        for deck in [deck, ALL_DECKS.into()] {
            self.0.entry((day, deck)).or_default().0.add(answer);
        }
    }

    /// An answer counts no more.
    pub fn take(&mut self, day: Day, deck: DeckId, answer: &Counted) {
        for deck in [deck, ALL_DECKS.into()] {
            self.0.entry((day, deck)).or_default().1.add(answer);
        }
    }

    /// Which sums change.
    pub fn keys(&self) -> impl Iterator<Item = (Day, DeckId)> + '_ {
        self.0.keys().copied()
    }

    /// The sums of a day and deck after the change, from those before it.
    #[must_use]
    pub fn after(&self, key: (Day, DeckId), mut before: Tally) -> Tally {
        let Some((put, taken)) = self.0.get(&key) else { return before };
        before.merge(put);
        before.duration_ms -= taken.duration_ms;
        for (number, taken) in before.numbers.iter_mut().zip(taken.numbers) {
            *number = number.saturating_sub(taken);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_and_taken_leaves_nothing() {
        let answer =
            Counted { phase: Phase::Mature, rating: Rating::Again, hour: 23, duration_ms: 1500 };
        let passed = Counted { rating: Rating::Good, phase: Phase::New, ..answer };
        let (day, deck) = (Day(5), DeckId::new());
        let mut changes = TallyChanges::default();
        changes.put(day, deck, &answer);
        changes.put(day, deck, &passed);
        let tally = changes.after((day, deck), Tally::default());
        assert_eq!((tally.reviews(), tally.duration_ms, tally.hour(23)), (2, 3000, (2, 1)));
        assert_eq!(tally.done(), Done { new: 1, reviews: 1 });
        assert_eq!(tally.of(Phase::Mature, Rating::Again), 1);
        assert_eq!(Tally::from_bytes(3000, &tally.to_bytes()), tally);
        let mut back = TallyChanges::default();
        back.take(day, deck, &answer);
        back.take(day, deck, &passed);
        assert_eq!(back.after((day, deck), tally.clone()), Tally::default());
        assert_eq!(back.after((Day(6), deck), tally.clone()), tally);
        let keys: Vec<_> = back.keys().collect();
        assert_eq!(keys, [(day, ALL_DECKS.into()), (day, deck)], "and of all decks");
    }
}
