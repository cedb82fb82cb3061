//! The numbers by which the database names what the model has words for.

use crate::model::{CardKind, Queue, ReviewKind};

pub(crate) const CARD_KINDS: &[(CardKind, i64)] = &[
    (CardKind::New, 0),
    (CardKind::Learning, 1),
    (CardKind::Review, 2),
    (CardKind::Relearning, 3),
];

pub(crate) const QUEUES: &[(Queue, i64)] = &[
    (Queue::UserBuried, -3),
    (Queue::SiblingBuried, -2),
    (Queue::Suspended, -1),
    (Queue::New, 0),
    (Queue::Learning, 1),
    (Queue::Review, 2),
    (Queue::DayLearning, 3),
    (Queue::Preview, 4),
];

pub(crate) const REVIEW_KINDS: &[(ReviewKind, i64)] = &[
    (ReviewKind::Learn, 0),
    (ReviewKind::Review, 1),
    (ReviewKind::Relearn, 2),
    (ReviewKind::Filtered, 3),
    (ReviewKind::Manual, 4),
    (ReviewKind::Rescheduled, 5),
];

/// A word's number; the tables have all words.
pub(crate) fn number<T: Copy + PartialEq>(codes: &[(T, i64)], word: T) -> i64 {
    codes.iter().find(|(known, _)| *known == word).map_or(0, |(_, number)| *number)
}

/// A number's word.
pub(crate) fn word<T: Copy>(codes: &[(T, i64)], number: i64) -> Option<T> {
    codes.iter().find(|(_, known)| *known == number).map(|(word, _)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_number_of_its_own() {
        // A word that is added must be added here, or this does not compile.
        let last = |kind: ReviewKind, queue: Queue, card: CardKind| match (kind, queue, card) {
            (
                ReviewKind::Learn
                | ReviewKind::Review
                | ReviewKind::Relearn
                | ReviewKind::Filtered
                | ReviewKind::Manual
                | ReviewKind::Rescheduled,
                Queue::UserBuried
                | Queue::SiblingBuried
                | Queue::Suspended
                | Queue::New
                | Queue::Learning
                | Queue::Review
                | Queue::DayLearning
                | Queue::Preview,
                CardKind::New | CardKind::Learning | CardKind::Review | CardKind::Relearning,
            ) => (6, 8, 4),
        };
        let counts = last(ReviewKind::Learn, Queue::New, CardKind::New);
        assert_eq!((REVIEW_KINDS.len(), QUEUES.len(), CARD_KINDS.len()), counts);
        assert!(QUEUES.iter().all(|(queue, code)| word(QUEUES, *code) == Some(*queue)));
        assert!(CARD_KINDS.iter().all(|(kind, code)| word(CARD_KINDS, *code) == Some(*kind)));
        assert!(REVIEW_KINDS.iter().all(|(kind, code)| word(REVIEW_KINDS, *code) == Some(*kind)));
    }
}
