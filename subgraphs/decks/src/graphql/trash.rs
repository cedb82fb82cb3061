//! The trash in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use common::TrashId;
use common::graphql::{DateTime, PageInfo, Result, caller};
use common::page::{Page, encode_cursor};

use crate::model::{TRASH_KEPT, Trash, TrashKind};
use crate::service::Service;

/// A page of a person's trash.
#[derive(Debug)]
pub(super) struct TrashConnection(pub(super) Page<Trash>);

fn cursor(entry: &Trash) -> String {
    encode_cursor(&entry.key())
}

/// A page of a person's trash.
#[Object]
impl TrashConnection {
    /// The entries with their cursors.
    async fn edges(&self) -> Vec<TrashEdge> {
        let edge = |entry| TrashEdge { cursor: cursor(entry), node: TrashEntry::from(entry) };
        self.0.rows.iter().map(edge).collect()
    }

    /// The entries.
    async fn nodes(&self) -> Vec<TrashEntry> {
        self.0.rows.iter().map(TrashEntry::from).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, cursor)
    }

    /// How many entries the whole trash has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let viewer = caller(ctx)?.viewer()?;
        Ok(ctx.data::<Arc<Service>>()?.trash_count(viewer).await?)
    }
}

/// An entry of the trash in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct TrashEdge {
    /// Names the entry's place in the list, for `after` and `before`.
    cursor: String,
    /// The entry.
    node: TrashEntry,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum TrashEntryKind {
    /// A deck with those in it and all their cards.
    Deck,
    /// Cards.
    Cards,
    /// Images and sounds.
    Media,
}

/// What was deleted at once. `restoreDeleted` brings it back.
#[derive(Debug, SimpleObject)]
pub(super) struct TrashEntry {
    /// The entry's id, a UUID.
    id: TrashId,
    /// What was deleted.
    kind: TrashEntryKind,
    /// The deck's name, the beginning of the first card's question, or the first file's name: up to 100 characters.
    title: String,
    /// How many decks were deleted.
    deck_count: i64,
    /// How many cards were deleted.
    card_count: i64,
    /// How many files were deleted.
    media_count: i64,
    /// When.
    deleted_at: DateTime,
    /// When it is deleted for good.
    purged_at: DateTime,
}

impl From<&Trash> for TrashEntry {
    fn from(entry: &Trash) -> Self {
        let kind = match entry.kind {
            TrashKind::Deck => TrashEntryKind::Deck,
            TrashKind::Media => TrashEntryKind::Media,
            TrashKind::Cards | TrashKind::Edit | TrashKind::Import => TrashEntryKind::Cards,
        };
        Self {
            id: entry.id,
            kind,
            title: entry.title.clone(),
            deck_count: entry.deck_count,
            card_count: entry.card_count,
            media_count: entry.media_count,
            deleted_at: DateTime(entry.deleted_at),
            purged_at: DateTime(entry.deleted_at + TRASH_KEPT),
        }
    }
}
