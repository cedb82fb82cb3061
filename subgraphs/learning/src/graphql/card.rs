//! What learning knows of a card, and its log.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::batch::Batch;
use common::graphql::fast::FastList;
use common::graphql::sdl::key;
use common::graphql::{DateTime, PageInfo, Result, caller};
use common::page::{Page, PageRequest, encode_cursor};
use common::{CardId, ReviewId};

use crate::model::Review;
use crate::scheduler::{AnswerKey, CardState, Rating};
use crate::service::{CardView, Service};

/// How many reviews a page of a log holds unless asked otherwise.
const DEFAULT_PAGE: u32 = 50;

/// A card, seen now, and those it was read with.
#[derive(Debug, Clone)]
pub(super) struct CardNode {
    pub(super) card: Arc<CardView>,
    batch: Arc<CardBatch>,
}

/// Cards that were read together.
#[derive(Debug)]
struct CardBatch {
    cards: Vec<CardId>,
    logs: Batch<PageRequest<AnswerKey>, HashMap<CardId, Arc<Page<Review>>>>,
}

impl CardNode {
    /// The cards as nodes, in their order.
    pub(super) fn all(cards: Vec<CardView>) -> Vec<Self> {
        let ids = cards.iter().map(|card| card.id).collect();
        let batch = Arc::new(CardBatch { cards: ids, logs: Batch::default() });
        let node = |card| Self { card: Arc::new(card), batch: Arc::clone(&batch) };
        cards.into_iter().map(node).collect()
    }

    /// The cards as nodes, by their ids.
    pub(super) fn by_id(cards: Vec<CardView>) -> HashMap<CardId, Self> {
        Self::all(cards).into_iter().map(|node| (node.card.id, node)).collect()
    }
}

/// A question with its answer.
#[Object(name = "Card", directive = key::apply("id".into()))]
impl CardNode {
    /// The card's id, a UUID.
    async fn id(&self) -> CardId {
        self.card.id
    }

    /// Where it is in its life.
    async fn state(&self) -> Option<CardState> {
        Some(self.card.state())
    }

    /// When it comes back; a learned card at the start of its day. Null while it is new.
    async fn due(&self) -> Option<DateTime> {
        self.card.due.map(DateTime)
    }

    /// The probability of recall now, 0 to 1, by FSRS. Null while it is new.
    async fn retrievability(&self) -> Option<f64> {
        self.card.retrievability
    }

    /// The probability of recall now, 0 to 1, by the half-life. 0 while it is new.
    async fn recall_score(&self) -> Option<f64> {
        Some(self.card.recall_score)
    }

    /// Days until the probability of recall falls to 0.9, by FSRS. Null while it is new.
    async fn stability(&self) -> Option<f64> {
        self.card.memory.as_ref().map(|memory| f64::from(memory.stability))
    }

    /// How hard it is to remember, 1 (easy) to 10, by FSRS. Null while it is new.
    async fn difficulty(&self) -> Option<f64> {
        self.card.memory.as_ref().map(|memory| f64::from(memory.difficulty))
    }

    /// How often it was reviewed.
    async fn reps(&self) -> Option<i64> {
        Some(self.card.memory.as_ref().map_or(0, |memory| i64::from(memory.reps)))
    }

    /// How often it was forgotten after it had been learned.
    async fn lapses(&self) -> Option<i64> {
        Some(self.card.memory.as_ref().map_or(0, |memory| i64::from(memory.lapses)))
    }

    /// Whether it was forgotten so often that it is better rewritten.
    async fn leech(&self) -> Option<bool> {
        Some(self.card.memory.as_ref().is_some_and(|memory| memory.leech))
    }

    /// When it was last reviewed. Null while it is new.
    async fn last_reviewed_at(&self) -> Option<DateTime> {
        self.card.memory.as_ref().map(|memory| DateTime(memory.last.0))
    }

    /// Its reviews, earliest first: 50 unless `first` or `last` says otherwise, at most 500.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, or those after `after`: 0 to 500.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: reviews after it.")] after: Option<String>,
        #[graphql(desc = "The last so many, or those before `before`: 0 to 500.")] last: Option<
            i32,
        >,
        #[graphql(desc = "A cursor: reviews before it.")] before: Option<String>,
    ) -> Result<Option<ReviewConnection>> {
        let page =
            PageRequest::new(first, after.as_deref(), last, before.as_deref(), DEFAULT_PAGE)?;
        let load = || async {
            let viewer = caller(ctx)?.viewer()?;
            let cards = self.batch.cards.clone();
            let pages =
                ctx.data::<Arc<Service>>()?.review_pages(viewer, cards, page.clone()).await?;
            Ok(pages.into_iter().map(|(card, page)| (card, Arc::new(page))).collect())
        };
        let pages: Arc<HashMap<_, _>> = self.batch.logs.get(page.clone(), load).await?;
        let empty = || Arc::new(Page::from_overfull(&page, Vec::new()));
        let page = pages.get(&self.card.id).cloned().unwrap_or_else(empty);
        Ok(Some(ReviewConnection { page }))
    }
}

/// A page of a card's reviews.
#[derive(Debug)]
pub(super) struct ReviewConnection {
    page: Arc<Page<Review>>,
}

/// A page of a card's reviews.
#[Object]
impl ReviewConnection {
    /// The reviews with their cursors.
    async fn edges(&self) -> Vec<ReviewEdge> {
        let edge = |review: &Review| ReviewEdge { cursor: cursor(review), node: review.into() };
        self.page.rows.iter().map(edge).collect()
    }

    /// The reviews.
    async fn nodes(&self) -> FastList<ReviewNode> {
        self.page.rows.iter().map(ReviewNode::from).collect::<Vec<_>>().into()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, cursor)
    }
}

fn cursor(review: &Review) -> String {
    encode_cursor(&review.key())
}

/// A review in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct ReviewEdge {
    /// Names the review's place in the list, for `after` and `before`.
    cursor: String,
    /// The review.
    node: ReviewNode,
}

/// A review as it was sent. It never changes.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Review")]
pub(super) struct ReviewNode {
    /// Its id, made by the client.
    pub(super) id: ReviewId,
    /// How well the card was remembered.
    pub(super) rating: Rating,
    /// When, by the client's clock.
    pub(super) reviewed_at: DateTime,
    /// How long it took, in milliseconds: 0 to 3,600,000.
    pub(super) duration_ms: i32,
    /// The time zone that was sent with it, an IANA name.
    pub(super) time_zone: Option<String>,
    /// When it arrived here.
    pub(super) received_at: DateTime,
}

impl From<&Review> for ReviewNode {
    fn from(review: &Review) -> Self {
        Self {
            id: review.id,
            rating: review.rating,
            reviewed_at: DateTime(review.reviewed_at),
            duration_ms: i32::try_from(review.duration_ms).unwrap_or(i32::MAX),
            time_zone: review.time_zone.clone(),
            received_at: DateTime(review.received_at),
        }
    }
}
