//! What changed since a device last asked, in GraphQL.

use async_graphql::SimpleObject;
use common::CardId;

use super::card::CardNode;
use crate::service::ChangePage;

/// A page of what changed in learning.
#[derive(Debug, SimpleObject)]
pub(super) struct LearningChanges {
    /// Cards as they are now, each once.
    nodes: Vec<CardNode>,
    /// Cards that are gone.
    tombstones: Vec<CardTombstone>,
    /// Whether settings of decks or presets changed.
    settings_changed: bool,
    /// Pass it as `since` to go on. Null when everything is to be read again.
    next_cursor: Option<String>,
    /// Whether there is more beyond it.
    has_more: bool,
    /// The cursor is too old, or from a later state than there is: ask again without one, and forget what is not answered then.
    reset_required: bool,
}

/// A card that is gone.
#[derive(Debug, SimpleObject)]
pub(super) struct CardTombstone {
    /// The card's id.
    id: CardId,
}

impl From<ChangePage> for LearningChanges {
    fn from(page: ChangePage) -> Self {
        Self {
            nodes: CardNode::all(page.cards),
            tombstones: page.gone.into_iter().map(|id| CardTombstone { id }).collect(),
            settings_changed: page.settings_changed,
            reset_required: page.cursor.is_none(),
            next_cursor: page.cursor,
            has_more: page.has_more,
        }
    }
}
