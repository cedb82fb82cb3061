//! Search in GraphQL.

use std::ops::Range;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::{PageInfo, Result, caller};
use common::page::{Page, encode_cursor};

use super::batch::CardBatch;
use super::card::CardNode;
use crate::model::Card;
use crate::search::{Query, SearchKey, matches};
use crate::service::Service;

/// A page of what a query found.
#[derive(Debug)]
pub(super) struct SearchConnection {
    query: Query,
    page: Page<(u8, CardNode)>,
}

impl SearchConnection {
    pub(super) fn new(query: Query, page: Page<(u8, Card)>) -> Self {
        let Page { rows, has_previous, has_next } = page;
        let (tiers, cards): (Vec<u8>, Vec<Card>) = rows.into_iter().unzip();
        let rows = tiers.into_iter().zip(CardBatch::nodes(cards)).collect();
        Self { query, page: Page { rows, has_previous, has_next } }
    }

    fn edge(&self, row: &(u8, CardNode)) -> SearchEdge {
        let wanted = self.query.wanted();
        let ranges = |text: &str| matches(&wanted, text).into_iter().map(TextRange::from).collect();
        SearchEdge {
            cursor: cursor(row),
            question_matches: ranges(&row.1.card.question),
            answer_matches: ranges(&row.1.card.answer),
            node: row.1.clone(),
        }
    }
}

fn cursor((tier, node): &(u8, CardNode)) -> String {
    encode_cursor(&SearchKey(*tier, node.card.id))
}

/// A page of what a query found.
#[Object]
impl SearchConnection {
    /// The cards with their cursors, and where they have the words.
    async fn edges(&self) -> Vec<SearchEdge> {
        self.page.rows.iter().map(|row| self.edge(row)).collect()
    }

    /// The cards.
    async fn nodes(&self) -> Vec<CardNode> {
        self.page.rows.iter().map(|(_, node)| node.clone()).collect()
    }

    /// Where the page lies in what was found.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, cursor)
    }

    /// How many cards were found.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let viewer = caller(ctx)?.viewer()?;
        Ok(ctx.data::<Arc<Service>>()?.search_count(viewer, &self.query).await?)
    }
}

/// A card that was found.
#[derive(Debug, SimpleObject)]
pub(super) struct SearchEdge {
    /// Names the card's place in what was found, for `after`.
    cursor: String,
    /// Where the question has the words, in order.
    question_matches: Vec<TextRange>,
    /// Where the answer has the words, in order.
    answer_matches: Vec<TextRange>,
    /// The card.
    node: CardNode,
}

/// A part of a text in UTF-16 code units, as JavaScript, Swift and Kotlin count.
#[derive(Debug, SimpleObject)]
pub(super) struct TextRange {
    /// Its first unit.
    start: u32,
    /// The unit beyond its last.
    end: u32,
}

impl From<Range<usize>> for TextRange {
    fn from(range: Range<usize>) -> Self {
        // Texts are shorter than this by far.
        let units = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: units(range.start), end: units(range.end) }
    }
}
