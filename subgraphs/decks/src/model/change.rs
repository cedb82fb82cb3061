//! Changes of a person's collection, in their order, and what is known of the person besides.

use common::Calendar;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A deck.
    Deck,
    /// A note.
    Note,
    /// A card.
    Card,
}

impl Kind {
    /// All of them, in the order in which those of one change come.
    pub const ALL: [Self; 3] = [Self::Deck, Self::Note, Self::Card];
}

/// A place in the order of a person's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangeKey {
    /// The number of the change: it grows with each.
    pub change: i64,
    /// What was changed: several things may be at once.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
}

impl ChangeKey {
    /// Before everything.
    pub const START: Self = Self { change: -1, kind: Kind::Deck, id: Uuid::nil() };
}

/// Where a person is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// IANA name.
    pub time_zone: String,
    /// 0 to 23.
    pub rollover_hour: u8,
}

impl Person {
    /// The person's calendar. A time zone that is not known any more counts as UTC.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar::new(&self.time_zone, self.rollover_hour).unwrap_or_default()
    }
}
