//! Decks and cards that were read together know one another: the first deck that is asked for its cards reads those of all (see
//! [`common::graphql::batch`]), and the first card that is asked for its deck or its note reads all of them.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use common::graphql::batch::Batch;
use common::graphql::{Failure, Result, caller};
use common::page::{Page, PageRequest};
use common::{CardId, DeckId, NoteId};
use tokio::sync::OnceCell;

use super::card::CardNode;
use super::deck::DeckNode;
use super::note::NoteNode;
use super::public_deck::{DeckSource, PublicDeckNode};
use crate::model::{Card, CardKey, CardList, Deck, DeckKey};
use crate::service::Service;

type CardPage = (Arc<Page<Arc<Card>>>, Arc<NotesOfCards>);
type ChildPages = HashMap<DeckId, Arc<Page<DeckNode>>>;
type DecksById = Arc<HashMap<DeckId, DeckNode>>;

/// Decks that were read together.
#[derive(Debug, Default)]
pub(super) struct DeckBatch {
    decks: Vec<DeckId>,
    above: Vec<DeckId>,
    ancestors: OnceCell<Result<DecksById>>,
    children: Batch<PageRequest<DeckKey>, ChildPages>,
    child_counts: Batch<(), HashMap<DeckId, i64>>,
    card_pages: Batch<(CardList, PageRequest<CardKey>), HashMap<DeckId, CardPage>>,
    card_counts: Batch<CardList, HashMap<DeckId, i64>>,
    publications: Batch<(), HashMap<DeckId, PublicDeckNode>>,
    sources: Batch<(), HashMap<DeckId, DeckSource>>,
}

impl DeckBatch {
    /// The decks as nodes, in their order.
    pub(super) fn nodes(decks: Vec<Deck>) -> Vec<DeckNode> {
        let ids = decks.iter().map(|deck| deck.id).collect();
        let mut above: Vec<DeckId> =
            decks.iter().flat_map(|deck| deck.ancestors.iter().copied()).collect();
        above.sort_unstable();
        above.dedup();
        let batch = Arc::new(Self { decks: ids, above, ..Self::default() });
        let node = |deck| DeckNode { deck: Arc::new(deck), batch: Arc::clone(&batch) };
        decks.into_iter().map(node).collect()
    }

    /// One deck as a node.
    pub(super) fn node(deck: Deck) -> DeckNode {
        let batch = Self { decks: vec![deck.id], above: deck.ancestors.clone(), ..Self::default() };
        DeckNode { deck: Arc::new(deck), batch: Arc::new(batch) }
    }

    /// The decks as nodes, by their ids.
    pub(super) fn by_id(decks: Vec<Deck>) -> HashMap<DeckId, DeckNode> {
        Self::nodes(decks).into_iter().map(|node| (node.deck.id, node)).collect()
    }

    /// The decks that `deck`, one of these, lies in, from the top down.
    pub(super) async fn ancestors(&self, ctx: &Context<'_>, deck: &Deck) -> Result<Vec<DeckNode>> {
        if deck.ancestors.is_empty() {
            return Ok(Vec::new());
        }
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let decks = ctx.data::<Arc<Service>>()?.decks(viewer, self.above.clone()).await?;
            Ok(Arc::new(Self::by_id(decks)))
        };
        let decks = self.ancestors.get_or_init(load).await.clone()?;
        Ok(deck.ancestors.iter().filter_map(|id| decks.get(id).cloned()).collect())
    }

    /// As what `deck`, one of these, is public.
    pub(super) async fn publication(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
    ) -> Result<Option<PublicDeckNode>> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let service = ctx.data::<Arc<Service>>()?;
            let found = service.publications_of(viewer, self.decks.clone()).await?;
            let (decks, public): (Vec<DeckId>, Vec<_>) = found.into_iter().unzip();
            Ok(decks.into_iter().zip(PublicDeckNode::of(public)).collect())
        };
        let nodes: Arc<HashMap<DeckId, PublicDeckNode>> = self.publications.get((), load).await?;
        Ok(nodes.get(&deck).cloned())
    }

    /// Where `deck`, one of these, comes from.
    pub(super) async fn source(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
    ) -> Result<Option<DeckSource>> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let service = ctx.data::<Arc<Service>>()?;
            Ok(DeckSource::of(service.sources(viewer, self.decks.clone()).await?))
        };
        Ok(self.sources.get((), load).await?.get(&deck).cloned())
    }

    /// A page of the decks in `deck`, one of these.
    pub(super) async fn children(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
        page: &PageRequest<DeckKey>,
    ) -> Result<Arc<Page<DeckNode>>> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let service = ctx.data::<Arc<Service>>()?;
            let pages = service.child_pages(viewer, self.decks.clone(), page.clone()).await?;
            let decks = pages.values().flat_map(|page| page.rows.iter().cloned()).collect();
            let mut nodes = Self::by_id(decks);
            let shared = |(deck, page): (DeckId, Page<Deck>)| {
                let Page { rows, has_previous, has_next } = page;
                let rows = rows.iter().filter_map(|deck| nodes.remove(&deck.id)).collect();
                (deck, Arc::new(Page { rows, has_previous, has_next }))
            };
            Ok(pages.into_iter().map(shared).collect())
        };
        let pages: Arc<ChildPages> = self.children.get(page.clone(), load).await?;
        // A deck in which there is none: an empty page.
        let empty = || Arc::new(Page::from_overfull(page, Vec::new()));
        Ok(pages.get(&deck).cloned().unwrap_or_else(empty))
    }

    /// A page of the cards of `deck`, one of these.
    pub(super) async fn cards(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
        list: &CardList,
        page: &PageRequest<CardKey>,
    ) -> Result<CardPage> {
        let arguments = (list.clone(), page.clone());
        let pages = self.card_pages.get(arguments, || self.load(ctx, list, page)).await?;
        // A deck that has no card there: an empty page.
        let empty = || {
            let page = Arc::new(Page::from_overfull(page, Vec::new()));
            (page, NotesOfCards::new(std::iter::empty()))
        };
        Ok(pages.get(&deck).cloned().unwrap_or_else(empty))
    }

    /// How many decks lie right in `deck`, one of these.
    pub(super) async fn child_count(&self, ctx: &Context<'_>, deck: DeckId) -> Result<i64> {
        let load =
            async || Ok(ctx.data::<Arc<Service>>()?.child_counts(self.decks.clone()).await?);
        let counts = self.child_counts.get((), load).await?;
        Ok(counts.get(&deck).copied().unwrap_or(0))
    }

    /// How many cards of `deck`, one of these, are meant.
    pub(super) async fn card_count(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
        list: &CardList,
    ) -> Result<i64> {
        let load = async || {
            let service = ctx.data::<Arc<Service>>()?;
            Ok(service.card_counts(self.decks.clone(), list.clone()).await?)
        };
        let counts = self.card_counts.get(list.clone(), load).await?;
        Ok(counts.get(&deck).copied().unwrap_or(0))
    }

    async fn load(
        &self,
        ctx: &Context<'_>,
        list: &CardList,
        page: &PageRequest<CardKey>,
    ) -> Result<HashMap<DeckId, CardPage>> {
        let viewer = caller(ctx)?.viewer()?;
        let pages = ctx
            .data::<Arc<Service>>()?
            .card_pages(viewer, self.decks.clone(), list.clone(), page.clone())
            .await?;
        let notes = NotesOfCards::new(pages.values().flat_map(|page| &page.rows));
        let shared = |(deck, page): (DeckId, Page<Card>)| {
            let Page { rows, has_previous, has_next } = page;
            let rows = rows.into_iter().map(Arc::new).collect();
            (deck, (Arc::new(Page { rows, has_previous, has_next }), Arc::clone(&notes)))
        };
        Ok(pages.into_iter().map(shared).collect())
    }
}

/// The notes of cards that were read together.
#[derive(Debug)]
pub(super) struct NotesOfCards {
    notes: Vec<NoteId>,
    nodes: OnceCell<Result<Arc<HashMap<NoteId, NoteNode>>>>,
}

impl NotesOfCards {
    pub(super) fn new<'a>(cards: impl Iterator<Item = &'a Card>) -> Arc<Self> {
        let mut notes: Vec<NoteId> = cards.map(|card| card.note).collect();
        notes.sort_unstable();
        notes.dedup();
        Arc::new(Self { notes, nodes: OnceCell::new() })
    }

    /// The note of one of these cards.
    pub(super) async fn note(&self, ctx: &Context<'_>, id: NoteId) -> Result<NoteNode> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let notes = ctx.data::<Arc<Service>>()?.notes(viewer, self.notes.clone()).await?;
            let nodes = NoteNode::of(notes).into_iter().map(|node| (node.note.id, node));
            Ok(Arc::new(nodes.collect()))
        };
        let notes = self.nodes.get_or_init(load).await.clone()?;
        // It was deleted after the card was read.
        notes.get(&id).cloned().ok_or_else(|| Failure::from(common::Error::not_found("note", id)))
    }
}

/// Cards that were read together.
#[derive(Debug)]
pub(super) struct CardBatch {
    decks: Vec<DeckId>,
    nodes: OnceCell<Result<DecksById>>,
    pub(super) notes: Arc<NotesOfCards>,
}

impl CardBatch {
    fn new<'a>(cards: impl Iterator<Item = &'a Card> + Clone) -> Self {
        let mut decks: Vec<DeckId> = cards.clone().map(|card| card.deck).collect();
        decks.sort_unstable();
        decks.dedup();
        Self { decks, nodes: OnceCell::new(), notes: NotesOfCards::new(cards) }
    }

    /// The cards as nodes, in their order.
    pub(super) fn nodes(cards: Vec<Card>) -> Vec<CardNode> {
        let batch = Arc::new(Self::new(cards.iter()));
        let node = |card| CardNode { card: Arc::new(card), batch: Arc::clone(&batch) };
        cards.into_iter().map(node).collect()
    }

    /// One card as a node.
    pub(super) fn node(card: Card) -> CardNode {
        let batch = Self::new([&card].into_iter());
        CardNode { card: Arc::new(card), batch: Arc::new(batch) }
    }

    /// The cards as nodes, by their ids.
    pub(super) fn by_id(cards: Vec<Card>) -> HashMap<CardId, CardNode> {
        Self::nodes(cards).into_iter().map(|node| (node.card.id, node)).collect()
    }

    /// A batch of cards that all lie in a deck which is known.
    pub(super) fn of(deck: &DeckNode, notes: Arc<NotesOfCards>) -> Arc<Self> {
        let nodes = Arc::new(HashMap::from([(deck.deck.id, deck.clone())]));
        let nodes = OnceCell::new_with(Some(Ok(nodes)));
        Arc::new(Self { decks: vec![deck.deck.id], nodes, notes })
    }

    /// The deck of one of these cards.
    pub(super) async fn deck(&self, ctx: &Context<'_>, id: DeckId) -> Result<DeckNode> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            let decks = ctx.data::<Arc<Service>>()?.decks(viewer, self.decks.clone()).await?;
            Ok(Arc::new(DeckBatch::by_id(decks)))
        };
        let decks = self.nodes.get_or_init(load).await.clone()?;
        // It was deleted after the card was read.
        decks.get(&id).cloned().ok_or_else(|| Failure::from(common::Error::not_found("deck", id)))
    }
}
