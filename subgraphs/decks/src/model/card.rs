//! Cards: what they are, what makes and changes them, and the orders of their lists.

use common::{CardId, DeckId, NoteId, TrashId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CardText, Note, NoteKind, Source, Tag, Written};

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Which one.
    pub id: CardId,
    /// The note it is made of.
    pub note: NoteId,
    /// Which of the note's cards: 0 for the only or the first one, 1 for the reversed one, for a cloze the deletion's number less one.
    pub ordinal: i64,
    /// The kind of its note.
    pub kind: NoteKind,
    /// The deck it lies in.
    pub deck: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// Its place in the deck: see [`crate::place`].
    pub position: i64,
    /// As it was written, or for a cloze with the deletion left out.
    pub question: String,
    /// As it was written, or for a cloze the whole text.
    pub answer: String,
    /// Where in a source text it comes from.
    pub source: Option<Source>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
    /// The entry of the trash it lies in, if it was deleted.
    pub trash: Option<TrashId>,
}

impl Card {
    /// A new card of a note: in a deck at place 0, as old as the note, and of no known source.
    #[must_use]
    pub fn of(note: &Note, written: Written, deck: DeckId) -> Self {
        Self {
            id: CardId::new(),
            note: note.id,
            ordinal: written.ordinal,
            kind: note.content.kind(),
            deck,
            owner: note.owner,
            position: 0,
            question: written.question,
            answer: written.answer,
            source: None,
            created_at: note.created_at,
            updated_at: note.updated_at,
            version: 1,
            trash: None,
        }
    }
}

/// A card to be made.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// The client's own id, so that making it twice makes it once.
    pub id: Option<CardId>,
    /// Its question.
    pub question: CardText,
    /// Its answer.
    pub answer: CardText,
    /// Where it comes from.
    pub source: Option<Source>,
}

impl NewCard {
    /// Whether `card` is what would be made in `deck`.
    #[must_use]
    pub fn describes(&self, card: &Card, deck: DeckId) -> bool {
        card.deck == deck
            && card.question == self.question.0
            && card.answer == self.answer.0
            && card.source == self.source
    }
}

/// What to change about a card; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct CardEdit {
    /// Which card.
    pub id: CardId,
    /// Its new question.
    pub question: Option<CardText>,
    /// Its new answer.
    pub answer: Option<CardText>,
    /// Refuse when it has another version by now.
    pub expected_version: Option<i64>,
}

/// Where cards are to lie.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which cards, in their new order.
    pub cards: Vec<CardId>,
    /// The deck to move them to; `None`: that of `before`, or else the one they lie in.
    pub deck: Option<DeckId>,
    /// The card before which they will lie; `None`: at the end.
    pub before: Option<CardId>,
}

/// What a list of cards is sorted by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum CardSort {
    /// Their places in the deck.
    #[default]
    Position,
    /// When they were made.
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
}

/// Which of a deck's cards are meant, and in which order. Cards of the same value are in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CardList {
    /// What they are sorted by.
    pub by: CardSort,
    /// From the greatest to the least.
    pub descending: bool,
    /// Only those whose note has this tag, or one below it.
    pub tag: Option<Tag>,
    /// Only those of this kind of note.
    pub kind: Option<NoteKind>,
}

impl CardList {
    /// Whether some of a deck's cards may be left out.
    #[must_use]
    pub const fn is_filtered(&self) -> bool {
        self.tag.is_some() || self.kind.is_some()
    }
}

/// A card's place in a list of its deck's cards: what its cursor says. The number is the place, or a time in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardKey(pub CardSort, pub i64, pub CardId);

impl CardKey {
    /// The key of `card` in a list sorted `by`.
    #[must_use]
    pub fn of(card: &Card, by: CardSort) -> Self {
        let value = match by {
            CardSort::Position => card.position,
            CardSort::CreatedAt => card.created_at.as_millisecond(),
            CardSort::UpdatedAt => card.updated_at.as_millisecond(),
        };
        Self(by, value, card.id)
    }
}
