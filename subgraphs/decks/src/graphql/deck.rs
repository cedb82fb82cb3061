//! Decks in GraphQL, and what a person has of them.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use common::graphql::fast::FastList;
use common::graphql::sdl::key;
use common::graphql::{DateTime, PageInfo, Result, caller};
use common::page::{Page, PageRequest, encode_cursor};
use common::{DeckId, UserId};

use super::batch::DeckBatch;
use super::card::CardConnection;
use crate::model::{DEFAULT_PAGE, Deck, DeckKey, DeckOrder, DeckSort};
use crate::service::Service;

/// A person, by id.
#[derive(Debug, Clone)]
pub(super) struct UserNode {
    pub(super) id: UserId,
}

/// A person.
#[Object(name = "User", directive = key::apply("id".into()))]
impl UserNode {
    /// The person's id, a UUID.
    pub(super) async fn id(&self) -> UserId {
        self.id
    }

    /// The person's decks: 50 unless `first` or `last` says otherwise, at most 500. Only the viewer's own can be asked for.
    async fn decks(
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
        #[graphql(
            desc = "The order of the list.",
            default_with = "Some(DeckOrderInput::default())"
        )]
        order_by: Option<DeckOrderInput>,
    ) -> Result<Option<DeckConnection>> {
        let viewer = caller(ctx)?.viewer()?;
        if viewer.user != self.id {
            return Ok(None);
        }
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let order = DeckOrder::from(order_by.unwrap_or_default());
        let page = ctx.data::<Arc<Service>>()?.deck_page(viewer, order, page).await?;
        let Page { rows, has_previous, has_next } = page;
        let page = Page { rows: DeckBatch::nodes(rows), has_previous, has_next };
        Ok(Some(DeckConnection { page, by: order.by }))
    }
}

/// What a list of decks is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum DeckOrderField {
    /// By name, without regard to case.
    Name,
    /// By the time of making.
    CreatedAt,
    /// By the time of the last change of name, description or color.
    UpdatedAt,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum OrderDirection {
    /// From the least to the greatest.
    Asc,
    /// From the greatest to the least.
    Desc,
}

/// The order of a list of decks.
#[derive(Debug, Clone, Copy, InputObject)]
#[graphql(name = "DeckOrder")]
pub(super) struct DeckOrderInput {
    /// What to sort by.
    #[graphql(default_with = "DeckOrderField::CreatedAt")]
    field: DeckOrderField,
    /// Which way to sort.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for DeckOrderInput {
    fn default() -> Self {
        Self { field: DeckOrderField::CreatedAt, direction: OrderDirection::Asc }
    }
}

impl From<DeckOrderInput> for DeckOrder {
    fn from(order: DeckOrderInput) -> Self {
        let by = match order.field {
            DeckOrderField::Name => DeckSort::Name,
            DeckOrderField::CreatedAt => DeckSort::CreatedAt,
            DeckOrderField::UpdatedAt => DeckSort::UpdatedAt,
        };
        Self { by, descending: order.direction == OrderDirection::Desc }
    }
}

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
    async fn id(&self) -> DeckId {
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

    /// When its name, description or color last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.deck.updated_at)
    }

    /// Starts at 1 and grows when its name, description or color changes.
    async fn version(&self) -> i64 {
        self.deck.version
    }

    /// How many cards lie in it.
    async fn card_count(&self) -> i64 {
        self.deck.card_count
    }

    /// Its cards in order of position: 50 unless `first` or `last` says otherwise, at most 500.
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
    ) -> Result<CardConnection> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let page = self.batch.cards(ctx, self.deck.id, &page).await?;
        Ok(CardConnection { deck: self.clone(), page })
    }
}

/// A page of a person's decks.
#[derive(Debug)]
pub(super) struct DeckConnection {
    page: Page<DeckNode>,
    by: DeckSort,
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

    /// How many decks the person has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(ctx.data::<Arc<Service>>()?.deck_count(caller(ctx)?.viewer()?).await?)
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
