//! Cards in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::CardId;
use common::graphql::fast::FastList;
use common::graphql::sdl::key;
use common::graphql::{DateTime, PageInfo, Result};
use common::page::{Page, encode_cursor};

use super::args::NoteType;
use super::batch::{CardBatch, NotesOfCards};
use super::deck::DeckNode;
use super::note::NoteNode;
use crate::model::{Card, CardKey, CardList, NoteKind};

/// A card, and those it was read with.
#[derive(Debug, Clone)]
pub(super) struct CardNode {
    pub(super) card: Arc<Card>,
    pub(super) batch: Arc<CardBatch>,
}

/// A question and its answer. It belongs to one person and lies in one deck.
#[Object(name = "Card", directive = key::apply("id".into()))]
impl CardNode {
    /// The card's id, a UUID.
    pub(super) async fn id(&self) -> CardId {
        self.card.id
    }

    /// The note it is made of.
    async fn note(&self, ctx: &Context<'_>) -> Result<NoteNode> {
        self.batch.notes.note(ctx, self.card.note).await
    }

    /// The type of its note.
    #[graphql(name = "type")]
    async fn kind(&self) -> NoteType {
        self.card.kind.into()
    }

    /// Which of the note's cards it is: 0 for the first or only one, 1 for the reversed one, for a cloze the deletion's number less one.
    async fn ordinal(&self) -> i64 {
        self.card.ordinal
    }

    /// What is to be typed; null unless the type is TYPED.
    async fn typed_answer(&self) -> Option<&str> {
        (self.card.kind == NoteKind::Typed).then_some(self.card.answer.as_str())
    }

    /// The question, as it was written, usually Markdown: 1 to 10,000 characters. Of a cloze it is the text with `[...]` or `[hint]` in place
    /// of the deletion.
    async fn question(&self) -> &str {
        &self.card.question
    }

    /// The answer, as it was written, usually Markdown: 1 to 10,000 characters. Of a cloze it is the whole text with `Extra` below it, up to
    /// 20,002 characters.
    async fn answer(&self) -> &str {
        &self.card.answer
    }

    /// Grows along the cards of a deck. The distance between two cards means nothing.
    async fn position(&self) -> i64 {
        self.card.position
    }

    /// The deck the card lies in.
    async fn deck(&self, ctx: &Context<'_>) -> Result<DeckNode> {
        self.batch.deck(ctx, self.card.deck).await
    }

    /// When the card was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.card.created_at)
    }

    /// When the card last changed or moved.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.card.updated_at)
    }

    /// Starts at 1 and grows with each change.
    async fn version(&self) -> i64 {
        self.card.version
    }

    /// Where in its source text the card comes from: the index of the first UTF-16 code unit. Null when it has no source.
    async fn source_start_index(&self) -> Option<i32> {
        self.card.source.map(|source| source.start)
    }

    /// Where in its source text the card comes from: the index beyond the last UTF-16 code unit. Null when it has no source.
    async fn source_end_index(&self) -> Option<i32> {
        self.card.source.map(|source| source.end)
    }
}

/// A page of a deck's cards.
#[derive(Debug)]
pub(super) struct CardConnection {
    pub(super) deck: DeckNode,
    pub(super) page: Arc<Page<Arc<Card>>>,
    pub(super) list: CardList,
    pub(super) notes: Arc<NotesOfCards>,
}

impl CardConnection {
    fn cards(&self) -> impl Iterator<Item = CardNode> {
        let batch = CardBatch::of(&self.deck, Arc::clone(&self.notes));
        let node =
            move |card: &Arc<Card>| CardNode { card: Arc::clone(card), batch: Arc::clone(&batch) };
        self.page.rows.iter().map(node)
    }

    fn cursor(&self, card: &Card) -> String {
        encode_cursor(&CardKey::of(card, self.list.by))
    }
}

/// A page of a deck's cards.
#[Object]
impl CardConnection {
    /// The cards with their cursors.
    async fn edges(&self) -> Vec<CardEdge> {
        self.cards().map(|node| CardEdge { cursor: self.cursor(&node.card), node }).collect()
    }

    /// The cards.
    async fn nodes(&self) -> FastList<CardNode> {
        self.cards().collect::<Vec<_>>().into()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |card| self.cursor(card))
    }

    /// How many cards the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        if self.list.is_filtered() {
            return self.deck.batch.card_count(ctx, self.deck.deck.id, &self.list).await;
        }
        Ok(self.deck.deck.card_count)
    }
}

/// A card in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct CardEdge {
    /// Names the card's place in the list, for `after` and `before`.
    cursor: String,
    /// The card.
    node: CardNode,
}
