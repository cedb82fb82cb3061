//! What domains tell each other: the whole contract between them besides the GraphQL schema.
//!
//! An event carries the state of one thing after a change, with a version that grows with each change. Whoever keeps a copy applies
//! it only when its version is newer than the one it has. So it does no harm to deliver an event twice or out of order, and a
//! deletion is not undone by an older event that arrives late: the copy keeps a tombstone with its version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::history::HistoryTold;
use crate::{CardId, DeckId, NoteId, UserId};

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
    /// From decks: what was learned of cards before they were imported. It has no version: each part of it has an id of its own.
    History(HistoryTold),
}

impl Event {
    /// How much work it is to take in: that of the state of one thing is 1.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::History(told) => told.size(),
            Self::User(_) | Self::Deck(_) | Self::Card(_) => 1,
        }
    }
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
