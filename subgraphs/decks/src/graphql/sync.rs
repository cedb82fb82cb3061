//! What changed since a device last asked, in GraphQL.

use async_graphql::{Enum, ID, SimpleObject};

use super::node::{NodeInterface, nodes};
use crate::model::Kind;
use crate::service::ChangePage;

/// A page of what changed in a person's collection.
#[derive(Debug, SimpleObject)]
pub(super) struct DeckChanges {
    /// Decks, notes and cards as they are now, each once. Tags are those of the notes.
    nodes: Vec<NodeInterface>,
    /// Decks, notes and cards that are gone.
    tombstones: Vec<Tombstone>,
    /// Pass it as `since` to go on. Null when everything is to be read again.
    next_cursor: Option<String>,
    /// Whether there is more beyond it.
    has_more: bool,
    /// The cursor is too old, or from a later state than there is: ask again without one, and forget what is not answered then.
    reset_required: bool,
}

/// A deck, note or card that is gone. It may come back, under the same id.
#[derive(Debug, SimpleObject)]
pub(super) struct Tombstone {
    /// Its id.
    id: ID,
    /// What it was.
    kind: TombstoneKind,
}

/// What something was that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(super) enum TombstoneKind {
    /// A deck.
    Deck,
    /// A note.
    Note,
    /// A card.
    Card,
}

impl From<ChangePage> for DeckChanges {
    fn from(page: ChangePage) -> Self {
        let gone = page.gone.into_iter();
        Self {
            nodes: nodes(page.nodes.into_iter().map(Some).collect())
                .into_iter()
                .flatten()
                .collect(),
            tombstones: gone
                .map(|(kind, id)| Tombstone { id: id.into(), kind: kind.into() })
                .collect(),
            reset_required: page.cursor.is_none(),
            next_cursor: page.cursor,
            has_more: page.has_more,
        }
    }
}
