//! What domains tell each other: the whole contract between them besides the GraphQL schema.
//!
//! An event carries the state of one thing after a change, with a version that grows with each change. Whoever keeps a copy applies
//! it only when its version is newer than the one it has. So it does no harm to deliver an event twice or out of order, and a
//! deletion is not undone by an older event that arrives late: the copy keeps a tombstone with its version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CardId, Day, DeckId, NoteId, UserId};

/// The state of one thing after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Event {
    /// From users: an account.
    User(UserChanged),
    /// From decks: a deck.
    Deck(DeckChanged),
    /// From decks: a card.
    Card(CardChanged),
    /// From learning: what was learned of cards.
    Studied(CardsStudied),
}

/// An account after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserChanged {
    /// Which account.
    pub user: UserId,
    /// Grows with each change of this account.
    pub version: i64,
    /// Whether it is gone: every domain then empties what it holds of this person.
    pub deleted: bool,
    /// IANA name of the person's time zone, such as `Europe/Zurich`.
    pub time_zone: String,
    /// The hour, 0 to 23 in local time, at which a new day of learning starts.
    pub rollover_hour: u8,
}

/// A deck after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeckChanged {
    /// Which deck.
    pub deck: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// Grows with each change of this deck.
    pub version: i64,
    /// Whether it is gone. Its cards are gone with it, whether or not their own events say so.
    pub deleted: bool,
    /// The deck it lies in; absent at the top, and in events from before decks were nested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<DeckId>,
    /// Whether its owner has put it aside: neither it nor what lies in it is learned. Absent in events from before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// A card after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardChanged {
    /// Which card.
    pub card: CardId,
    /// The deck it lies in.
    pub deck: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// Grows with each change of this card.
    pub version: i64,
    /// Whether it is gone.
    pub deleted: bool,
    /// The place among the cards of its deck: new cards are learned in this order.
    pub position: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The note it is made of: cards of one note are siblings. Absent in events from before there were notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<NoteId>,
    /// The tags of its note, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What one change in learning did to some of a person's cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardsStudied {
    /// Whose they are.
    pub owner: UserId,
    /// The cards, each once: at most 1,000.
    pub cards: Vec<CardStudied>,
}

/// What was learned of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardStudied {
    /// Which card.
    pub card: CardId,
    /// Grows with each change in learning of this card.
    pub version: i64,
    /// Where it is in its life.
    pub state: StudyState,
    /// When it comes back; absent for a new card.
    pub due: Option<StudyDue>,
    /// Whether it comes no more.
    pub suspended: bool,
    /// It comes no more before this local day.
    pub buried_until: Option<Day>,
    /// 0 (none) to 7.
    pub flag: u8,
    /// How often it was forgotten after it was learned.
    pub lapses: u32,
    /// Whether it was forgotten so often that it is better written anew.
    pub leech: bool,
    /// When it was last answered AGAIN, HARD, GOOD and EASY, for practice or not.
    pub answered: [Option<Timestamp>; 4],
}

/// Where a card is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StudyState {
    /// Never studied, or reset.
    New,
    /// In the learning steps, minutes apart.
    Learning,
    /// Learned: it comes back after whole days.
    Review,
    /// Forgotten after it was learned: in the relearning steps.
    Relearning,
}

impl StudyState {
    /// All four, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::New, Self::Learning, Self::Review, Self::Relearning];

    /// The number that stores keep: 0 (new) to 3 (relearning).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Learning => 1,
            Self::Review => 2,
            Self::Relearning => 3,
        }
    }
}

/// When a card comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StudyDue {
    /// At a moment, while it is in its steps.
    At(Timestamp),
    /// On a local day, wherever its owner is then.
    On(Day),
}
