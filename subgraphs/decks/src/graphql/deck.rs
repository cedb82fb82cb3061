//! Decks in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::DeckId;
use common::graphql::fast::FastList;
use common::graphql::sdl::key;
use common::graphql::{DateTime, PageInfo, Result, caller};
use common::page::{Page, PageRequest, encode_cursor};

use super::args::{CardFilterInput, CardOrderInput, card_list};
use super::batch::DeckBatch;
use super::card::CardConnection;
use super::public_deck::{DeckSource, PublicDeckNode};
use crate::model::{DEFAULT_PAGE, Deck, DeckFilter, DeckKey, DeckSort};
use crate::service::Service;

/// A deck, and those it was read with.
#[derive(Debug, Clone)]
pub(super) struct DeckNode {
    pub(super) deck: Arc<Deck>,
    pub(super) batch: Arc<DeckBatch>,
}

/// A set of cards that belongs to one person.
#[Object(name = "Deck", directive = key::apply("id".into()))]
impl DeckNode {
    /// The deck's id, a UUID.
    pub(super) async fn id(&self) -> DeckId {
        self.deck.id
    }

    /// What it is called: 1 to 100 characters.
    async fn name(&self) -> &str {
        &self.deck.name
    }

    /// What it is about: up to 2,000 characters, may be empty.
    async fn description(&self) -> &str {
        &self.deck.description
    }

    /// Its color, `#RRGGBB`; null when it has none.
    async fn color(&self) -> Option<&str> {
        self.deck.color.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.deck.created_at)
    }

    /// Whether its owner put it aside: then neither its cards nor those of the decks in it are learned.
    async fn archived(&self) -> bool {
        self.deck.archived
    }

    /// Grows along the decks of the same parent. The distance between two decks means nothing.
    async fn position(&self) -> i64 {
        self.deck.position
    }

    /// The deck it lies in; null at the top.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<DeckNode>> {
        Ok(self.batch.ancestors(ctx, &self.deck).await?.pop())
    }

    /// The decks it lies in, from the top down: at most 15.
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<DeckNode>> {
        self.batch.ancestors(ctx, &self.deck).await
    }

    /// The names of the decks it lies in, from the top down, and its own.
    async fn path(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let ancestors = self.batch.ancestors(ctx, &self.deck).await?;
        let names = ancestors.iter().map(|node| &node.deck).chain([&self.deck]);
        Ok(names.map(|deck| deck.name.clone()).collect())
    }

    /// The decks that lie right in it, in order of position: 50 unless `first` or `last` says otherwise, at most 500.
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: decks after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: decks before it.")] before: Option<String>,
    ) -> Result<DeckConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let page = self.batch.children(ctx, self.deck.id, &page).await?;
        let of = DecksOf::Deck(self.clone());
        Ok(DeckConnection { page: (*page).clone(), by: DeckSort::Position, of })
    }

    /// When its name, description, color or parent last changed, or whether it is archived.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.deck.updated_at)
    }

    /// Starts at 1 and grows when its name, description, color or parent changes, or whether it is archived.
    async fn version(&self) -> i64 {
        self.deck.version
    }

    /// As what it is public; null when it is not.
    async fn publication(&self, ctx: &Context<'_>) -> Result<Option<PublicDeckNode>> {
        self.batch.publication(ctx, self.deck.id).await
    }

    /// Where it comes from; null when it is no clone of a public deck.
    async fn source(&self, ctx: &Context<'_>) -> Result<Option<DeckSource>> {
        self.batch.source(ctx, self.deck.id).await
    }

    /// How many cards lie right in it.
    async fn card_count(&self) -> i64 {
        self.deck.card_count
    }

    /// The cards right in it, in order of position unless `orderBy` says otherwise: 50 unless `first` or `last` says otherwise, at most 500.
    #[expect(clippy::too_many_arguments, reason = "the connection's arguments, each by its name")]
    async fn cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: cards after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: cards before it.")] before: Option<String>,
        #[graphql(desc = "The order of the list; by position when absent.")] order_by: Option<
            CardOrderInput,
        >,
        #[graphql(desc = "Which cards are meant; all when absent.")] filter: Option<
            CardFilterInput,
        >,
    ) -> Result<CardConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let list = card_list(filter, order_by)?;
        let page = self.batch.cards(ctx, self.deck.id, &list, &page).await?;
        let (page, notes) = page;
        Ok(CardConnection { deck: self.clone(), page, list, notes })
    }
}

/// A page of a person's decks.
#[derive(Debug)]
pub(super) struct DeckConnection {
    pub(super) page: Page<DeckNode>,
    pub(super) by: DeckSort,
    pub(super) of: DecksOf,
}

/// Whose decks a page is cut of.
#[derive(Debug)]
pub(super) enum DecksOf {
    /// Those of the viewer that are meant.
    Viewer(DeckFilter),
    /// Those right in a deck.
    Deck(DeckNode),
}

impl DeckConnection {
    fn cursor(&self, node: &DeckNode) -> String {
        encode_cursor(&DeckKey::of(&node.deck, self.by))
    }
}

/// A page of a person's decks.
#[Object]
impl DeckConnection {
    /// The decks with their cursors.
    async fn edges(&self) -> Vec<DeckEdge> {
        let edge = |node: &DeckNode| DeckEdge { cursor: self.cursor(node), node: node.clone() };
        self.page.rows.iter().map(edge).collect()
    }

    /// The decks.
    async fn nodes(&self) -> FastList<DeckNode> {
        self.page.rows.clone().into()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, |node| self.cursor(node))
    }

    /// How many decks the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        match &self.of {
            DecksOf::Deck(parent) => parent.batch.child_count(ctx, parent.deck.id).await,
            DecksOf::Viewer(filter) => {
                let viewer = caller(ctx)?.viewer()?;
                Ok(ctx.data::<Arc<Service>>()?.deck_count(viewer, *filter).await?)
            }
        }
    }
}

/// A deck in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct DeckEdge {
    /// Names the deck's place in the list, for `after` and `before`.
    cursor: String,
    /// The deck.
    node: DeckNode,
}
