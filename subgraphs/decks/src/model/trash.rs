//! What was deleted and can still be restored: an entry for each deletion.

use common::{TrashId, UserId};
use jiff::Timestamp;

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrashKind {
    /// A deck with those in it and all their cards.
    Deck,
    /// Cards.
    Cards,
    /// Images and sounds.
    Media,
    /// Cards that an edit of their note left without a text. It is not listed: they come back when the note is written so again.
    Edit,
    /// What an import has made and does not show yet. It is not listed.
    Import,
}

/// An entry of the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trash {
    /// Which one.
    pub id: TrashId,
    /// Whose it is.
    pub owner: UserId,
    /// What was deleted.
    pub kind: TrashKind,
    /// The name of the deck, the first question, or the name of the first file.
    pub title: String,
    /// How many decks were deleted.
    pub deck_count: i64,
    /// How many cards were deleted.
    pub card_count: i64,
    /// How many files were deleted.
    pub media_count: i64,
    /// When.
    pub deleted_at: Timestamp,
}

/// An entry's place in the list of a person's trash, newest first: what its cursor says.
pub type TrashKey = (i64, TrashId);

impl Trash {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> TrashKey {
        (self.deleted_at.as_millisecond(), self.id)
    }
}
