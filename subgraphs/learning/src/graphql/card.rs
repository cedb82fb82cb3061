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
use jiff::Timestamp;

use crate::entry::Logged;
use crate::scheduler::{Action, AnswerKey, CardState, Rating};
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
    logs: Batch<PageRequest<AnswerKey>, HashMap<CardId, Arc<Page<Logged>>>>,
    views: Batch<Timestamp, HashMap<CardId, CardView>>,
}

impl CardNode {
    /// The cards as nodes, in their order.
    pub(super) fn all(cards: Vec<CardView>) -> Vec<Self> {
        let ids = cards.iter().map(|card| card.id).collect();
        let batch =
            Arc::new(CardBatch { cards: ids, logs: Batch::default(), views: Batch::default() });
        let node = |card| Self { card: Arc::new(card), batch: Arc::clone(&batch) };
        cards.into_iter().map(node).collect()
    }

    /// The cards as nodes, by their ids.
    pub(super) fn by_id(cards: Vec<CardView>) -> HashMap<CardId, Self> {
        Self::all(cards).into_iter().map(|node| (node.card.id, node)).collect()
    }
}

impl CardNode {
    async fn views(
        &self,
        ctx: &Context<'_>,
        DateTime(at): DateTime,
    ) -> Result<Arc<HashMap<CardId, CardView>>> {
        let load = || async {
            let viewer = caller(ctx)?.viewer()?;
            let cards = self.batch.cards.clone();
            let cards = ctx.data::<Arc<Service>>()?.cards_at(viewer, cards, at).await?;
            Ok(cards.into_iter().map(|card| (card.id, card)).collect())
        };
        self.batch.views.get(at, load).await
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
        self.card.memory().map(|memory| f64::from(memory.stability))
    }

    /// How hard it is to remember, 1 (easy) to 10, by FSRS. Null while it is new.
    async fn difficulty(&self) -> Option<f64> {
        self.card.memory().map(|memory| f64::from(memory.difficulty))
    }

    /// How often it was reviewed.
    async fn reps(&self) -> Option<i64> {
        Some(self.card.memory().map_or(0, |memory| i64::from(memory.reps)))
    }

    /// How often it was forgotten after it had been learned.
    async fn lapses(&self) -> Option<i64> {
        Some(self.card.memory().map_or(0, |memory| i64::from(memory.lapses)))
    }

    /// Whether it was forgotten so often that it is better rewritten.
    async fn leech(&self) -> Option<bool> {
        Some(self.card.memory().is_some_and(|memory| memory.leech))
    }

    /// When it was last reviewed. Null while it is new.
    async fn last_reviewed_at(&self) -> Option<DateTime> {
        self.card.memory().map(|memory| DateTime(memory.last.0))
    }

    /// Whether it comes no more until it is unsuspended.
    async fn suspended(&self) -> Option<bool> {
        Some(self.card.progress.suspended)
    }

    /// Whether it comes no more today.
    async fn buried(&self) -> Option<bool> {
        Some(self.card.buried)
    }

    /// The flag it bears: 1 to 7, 0 for none.
    async fn flag(&self) -> Option<i32> {
        Some(self.card.progress.flag.into())
    }

    /// The version of the weights of the memory model that made its state, 0 for those of the average person. Null while it is new.
    async fn weights_version(&self) -> Option<i64> {
        self.card.weights
    }

    /// The probability of recall at a moment, 0 to 1, by FSRS, when it is not reviewed until then. Null while it is new.
    async fn retrievability_at(&self, ctx: &Context<'_>, at: DateTime) -> Result<Option<f64>> {
        let views = self.views(ctx, at).await?;
        Ok(views.get(&self.card.id).and_then(|card| card.retrievability))
    }

    /// The probability of recall at a moment, 0 to 1, by the half-life, when it is not reviewed until then. 0 while it is new.
    async fn recall_score_at(&self, ctx: &Context<'_>, at: DateTime) -> Result<Option<f64>> {
        let views = self.views(ctx, at).await?;
        Ok(views.get(&self.card.id).map(|card| card.recall_score))
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
    page: Arc<Page<Logged>>,
}

/// A page of a card's reviews.
#[Object]
impl ReviewConnection {
    /// The reviews with their cursors.
    async fn edges(&self) -> Vec<ReviewEdge> {
        let edge = |review: &Logged| ReviewEdge { cursor: cursor(review), node: review.into() };
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

fn cursor(review: &Logged) -> String {
    encode_cursor(&review.sent.key())
}

/// A review in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct ReviewEdge {
    /// Names the review's place in the list, for `after` and `before`.
    cursor: String,
    /// The review.
    node: ReviewNode,
}

/// A review as it was sent. It never changes, but may be undone.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Review")]
pub(super) struct ReviewNode {
    /// Its id, made by the client.
    pub(super) id: ReviewId,
    /// How well the card was remembered.
    pub(super) rating: Rating,
    /// Whether it was for practice, without a change of when the card comes back.
    pub(super) practice: bool,
    /// Whether it was undone.
    pub(super) undone: bool,
    /// When, by the client's clock.
    pub(super) reviewed_at: DateTime,
    /// How long it took, in milliseconds: 0 to 3,600,000.
    pub(super) duration_ms: i32,
    /// The time zone that was sent with it, an IANA name.
    pub(super) time_zone: Option<String>,
    /// When it arrived here.
    pub(super) received_at: DateTime,
}

impl From<&Logged> for ReviewNode {
    fn from(logged: &Logged) -> Self {
        let review = &logged.sent;
        Self {
            id: review.id,
            // The log that is answered holds nothing but reviews.
            rating: review.action.any_rating().unwrap_or(Rating::Again),
            practice: matches!(review.action, Action::Practice(_)),
            undone: logged.is_undone(),
            reviewed_at: DateTime(review.at),
            duration_ms: i32::try_from(review.duration_ms).unwrap_or(i32::MAX),
            time_zone: review.time_zone.clone(),
            received_at: DateTime(review.received_at),
        }
    }
}
