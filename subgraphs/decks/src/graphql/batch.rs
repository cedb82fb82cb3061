//! Decks and cards that were read together know one another: the first deck that is asked for its cards reads those of all (see
//! [`common::graphql::batch`]), and the first card that is asked for its deck reads all decks.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use common::graphql::batch::Batch;
use common::graphql::{Failure, Result, caller};
use common::page::{Page, PageRequest};
use common::{CardId, DeckId};
use tokio::sync::OnceCell;

use super::card::CardNode;
use super::deck::DeckNode;
use crate::model::{Card, CardKey, Deck};
use crate::service::Service;

type CardPages = HashMap<DeckId, Arc<Page<Arc<Card>>>>;

/// Decks that were read together.
#[derive(Debug)]
pub(super) struct DeckBatch {
    decks: Vec<DeckId>,
    card_pages: Batch<PageRequest<CardKey>, CardPages>,
}

impl DeckBatch {
    /// The decks as nodes, in their order.
    pub(super) fn nodes(decks: Vec<Deck>) -> Vec<DeckNode> {
        let ids = decks.iter().map(|deck| deck.id).collect();
        let batch = Arc::new(Self { decks: ids, card_pages: Batch::default() });
        let node = |deck| DeckNode { deck: Arc::new(deck), batch: Arc::clone(&batch) };
        decks.into_iter().map(node).collect()
    }

    /// One deck as a node.
    pub(super) fn node(deck: Deck) -> DeckNode {
        let batch = Self { decks: vec![deck.id], card_pages: Batch::default() };
        DeckNode { deck: Arc::new(deck), batch: Arc::new(batch) }
    }

    /// The decks as nodes, by their ids.
    pub(super) fn by_id(decks: Vec<Deck>) -> HashMap<DeckId, DeckNode> {
        Self::nodes(decks).into_iter().map(|node| (node.deck.id, node)).collect()
    }

    /// A page of the cards of `deck`, one of these.
    pub(super) async fn cards(
        &self,
        ctx: &Context<'_>,
        deck: DeckId,
        page: &PageRequest<CardKey>,
    ) -> Result<Arc<Page<Arc<Card>>>> {
        let pages = self.card_pages.get(page.clone(), || self.load(ctx, page)).await?;
        // A deck that has no card there: an empty page.
        let empty = || Arc::new(Page::from_overfull(page, Vec::new()));
        Ok(pages.get(&deck).cloned().unwrap_or_else(empty))
    }

    async fn load(&self, ctx: &Context<'_>, page: &PageRequest<CardKey>) -> Result<CardPages> {
        let viewer = caller(ctx)?.viewer()?;
        let pages = ctx
            .data::<Arc<Service>>()?
            .card_pages(viewer, self.decks.clone(), page.clone())
            .await?;
        let shared = |(deck, page): (DeckId, Page<Card>)| {
            let Page { rows, has_previous, has_next } = page;
            let rows = rows.into_iter().map(Arc::new).collect();
            (deck, Arc::new(Page { rows, has_previous, has_next }))
        };
        Ok(pages.into_iter().map(shared).collect())
    }
}

/// Cards that were read together.
#[derive(Debug)]
pub(super) struct CardBatch {
    decks: Vec<DeckId>,
    nodes: OnceCell<Result<Arc<HashMap<DeckId, DeckNode>>>>,
}

impl CardBatch {
    /// The cards as nodes, in their order.
    pub(super) fn nodes(cards: Vec<Card>) -> Vec<CardNode> {
        let mut decks: Vec<DeckId> = cards.iter().map(|card| card.deck).collect();
        decks.sort_unstable();
        decks.dedup();
        let batch = Arc::new(Self { decks, nodes: OnceCell::new() });
        let node = |card| CardNode { card: Arc::new(card), batch: Arc::clone(&batch) };
        cards.into_iter().map(node).collect()
    }

    /// One card as a node.
    pub(super) fn node(card: Card) -> CardNode {
        let batch = Self { decks: vec![card.deck], nodes: OnceCell::new() };
        CardNode { card: Arc::new(card), batch: Arc::new(batch) }
    }

    /// The cards as nodes, by their ids.
    pub(super) fn by_id(cards: Vec<Card>) -> HashMap<CardId, CardNode> {
        Self::nodes(cards).into_iter().map(|node| (node.card.id, node)).collect()
    }

    /// A batch of cards that all lie in a deck which is known.
    pub(super) fn of(deck: &DeckNode) -> Arc<Self> {
        let nodes = Arc::new(HashMap::from([(deck.deck.id, deck.clone())]));
        Arc::new(Self { decks: vec![deck.deck.id], nodes: OnceCell::new_with(Some(Ok(nodes))) })
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
