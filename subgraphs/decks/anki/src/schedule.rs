//! When a card is due, in units that need no knowledge of Anki's queues.

use crate::model::{Card, CardKind, Collection, Queue};

/// A due date in the unit that its card has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// New: its place among the new.
    Position(i64),
    /// In steps within a day: seconds since 1970.
    At(i64),
    /// Days since the collection's creation; [`Collection::date_of`] makes a date of it.
    Day(i64),
}

/// Days since a collection's creation are fewer by far, seconds since 1970 more.
const FIRST_SECOND: i64 = 1_000_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// Anki's, where the collection does not say its own.
const ROLLOVER_HOUR: u8 = 4;

impl Card {
    /// When it is due where it belongs, be it suspended, buried or lent to a filtered deck at present.
    pub fn due_at_home(&self) -> Due {
        let due = match self.home {
            Some(home) if home.due != 0 => home.due,
            _ => self.due,
        };
        match self.kind {
            CardKind::New => Due::Position(due),
            // Before 2018 a card that was forgotten stayed a review while it was in steps.
            _ if due >= FIRST_SECOND => Due::At(due),
            _ => Due::Day(due),
        }
    }

    /// Whether it is out of use until the person wants it back.
    pub fn is_suspended(&self) -> bool {
        self.queue == Queue::Suspended
    }

    /// Whether it is put off to the next day.
    pub fn is_buried(&self) -> bool {
        matches!(self.queue, Queue::UserBuried | Queue::SiblingBuried)
    }
}

impl Collection {
    /// The date of a day of the collection, where it was created, as days since 1970-01-01.
    pub fn date_of(&self, day: i64) -> i64 {
        let west = i64::from(self.created_minutes_west.unwrap_or(0)) * 60;
        let rollover = i64::from(self.rollover_hour.unwrap_or(ROLLOVER_HOUR)) * 3600;
        let local = self.created.saturating_sub(west).saturating_sub(rollover);
        local.div_euclid(SECONDS_A_DAY).saturating_add(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CardExtra, Home};

    fn card(kind: CardKind, queue: Queue, due: i64) -> Card {
        Card {
            id: 1,
            note: 1,
            ordinal: 0,
            deck: 1,
            modified: 0,
            kind,
            queue,
            due,
            interval: 0,
            ease_factor: 0,
            reps: 0,
            lapses: 0,
            steps_left: 0,
            home: None,
            flags: 0,
            extra: CardExtra::default(),
        }
    }

    #[test]
    fn the_unit_is_the_kinds_whatever_the_queue() {
        for (kind, due, expected) in [
            (CardKind::New, 7, Due::Position(7)),
            (CardKind::Learning, 1_700_000_000, Due::At(1_700_000_000)),
            (CardKind::Relearning, 120, Due::Day(120)),
            (CardKind::Review, 120, Due::Day(120)),
            (CardKind::Review, 1_400_000_000, Due::At(1_400_000_000)),
        ] {
            let mut card = card(kind, Queue::Suspended, due);
            assert!(card.is_suspended() && !card.is_buried());
            assert_eq!(card.due_at_home(), expected);
            card.home = Some(Home { deck: 3, due });
            card.due = -100_000;
            assert_eq!(card.due_at_home(), expected);
        }
        assert!(card(CardKind::New, Queue::SiblingBuried, 1).is_buried());
    }

    #[test]
    fn days_are_dates_where_the_collection_was_created() {
        // 2026-11-30 04:00 in UTC, in Berlin (UTC+1) and in New York (UTC−5).
        let date = 20_787;
        for (created, west) in [(1_796_011_200, 0), (1_796_007_600, -60), (1_796_029_200, 300)] {
            let collection =
                Collection { created, created_minutes_west: Some(west), ..Collection::default() };
            assert_eq!(collection.date_of(0), date);
            assert_eq!(collection.date_of(10), date + 10);
        }
    }
}
