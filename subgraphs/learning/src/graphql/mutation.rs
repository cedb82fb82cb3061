//! What can be changed: reviews come in, sessions start and finish.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use common::graphql::{DateTime, Result, caller};
use common::{DeckId, LearningSessionId};

use super::card::CardNode;
use super::session::LearningSession;
use crate::model::ReviewInput as Review;
use crate::scheduler::Rating;
use crate::service::{ReviewStatus, Service, SubmittedReview};

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Mutation;

#[Object]
impl Mutation {
    /// Takes in reviews, 1 to 1,000, in one transaction; each gets its own result. Sending one twice stores it once, and the outcome does not
    /// depend on the order of arrival: a phone may send what it collected offline, again if it got no answer.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn submit_reviews(
        &self,
        ctx: &Context<'_>,
        input: SubmitReviewsInput,
    ) -> Result<SubmitReviewsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let reviews = input.reviews.into_iter().map(SubmittedReview::from).collect();
        let results = ctx.data::<Arc<Service>>()?.submit(viewer, reviews).await?;
        let cards = results.iter().filter_map(|result| result.card.clone()).collect();
        let cards = CardNode::by_id(cards);
        let result = |result: crate::service::ReviewResult| ReviewResult {
            id: result.id.into(),
            status: result.status,
            reason: result.reason,
            card: result.card.and_then(|card| cards.get(&card.id).cloned()),
        };
        Ok(SubmitReviewsPayload { results: results.into_iter().map(result).collect() })
    }

    /// Starts a learning session in one of the viewer's decks.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn start_session(
        &self,
        ctx: &Context<'_>,
        input: StartSessionInput,
    ) -> Result<StartSessionPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let session =
            ctx.data::<Arc<Service>>()?.start_session(viewer, input.deck_id, input.id).await?;
        Ok(StartSessionPayload { session: (&session).into() })
    }

    /// Finishes a learning session. One that was finished before stays as it was.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn finish_session(
        &self,
        ctx: &Context<'_>,
        input: FinishSessionInput,
    ) -> Result<FinishSessionPayload> {
        let session =
            ctx.data::<Arc<Service>>()?.finish_session(caller(ctx)?.viewer()?, input.id).await?;
        Ok(FinishSessionPayload { session: (&session).into() })
    }
}

/// Reviews to take in.
#[derive(Debug, InputObject)]
struct SubmitReviewsInput {
    /// 1 to 1,000 reviews, in any order.
    reviews: Vec<ReviewInput>,
}

/// A review to take in.
#[derive(Debug, InputObject)]
struct ReviewInput {
    /// A UUID made by the client, and kept by it until the review is answered for.
    id: ID,
    /// The card that was reviewed.
    card_id: ID,
    /// How well it was remembered.
    rating: Rating,
    /// When, by the client's clock: from the year 2000 to 24 hours from now.
    reviewed_at: DateTime,
    /// How long it took, in milliseconds: 0 to 3,600,000.
    #[graphql(default)]
    duration_ms: i32,
    /// Where the person was: an IANA name such as `Europe/Zurich`. Without it, the time zone of the account.
    time_zone: Option<String>,
    /// The learning session it belongs to.
    session_id: Option<ID>,
}

impl From<ReviewInput> for SubmittedReview {
    fn from(input: ReviewInput) -> Self {
        let ReviewInput { id, card_id, rating, reviewed_at, duration_ms, time_zone, session_id } =
            input;
        Self::read(id.0, &card_id.0, |id, card| {
            let session = session_id.map(|id| id.parse::<LearningSessionId>()).transpose();
            Ok(Review {
                id,
                card,
                rating,
                reviewed_at: reviewed_at.0,
                duration_ms,
                time_zone,
                session: session.map_err(|error| format!("sessionId {error}"))?,
            })
        })
    }
}

/// What became of a batch of reviews.
#[derive(Debug, SimpleObject)]
struct SubmitReviewsPayload {
    /// For each review, in the order in which they were sent.
    results: Vec<ReviewResult>,
}

/// What became of a review.
#[derive(Debug, SimpleObject)]
struct ReviewResult {
    /// The review's id as it was sent.
    id: ID,
    /// What became of it.
    status: ReviewStatus,
    /// Why it was not accepted.
    reason: Option<String>,
    /// Its card as it is now, when it is the viewer's.
    card: Option<CardNode>,
}

/// A session to start.
#[derive(Debug, InputObject)]
struct StartSessionInput {
    /// The deck to learn.
    deck_id: DeckId,
    /// A UUID made by the client, so that starting twice starts once.
    id: Option<LearningSessionId>,
}

/// The session that runs.
#[derive(Debug, SimpleObject)]
struct StartSessionPayload {
    /// The session.
    session: LearningSession,
}

/// A session to finish.
#[derive(Debug, InputObject)]
struct FinishSessionInput {
    /// The session.
    id: LearningSessionId,
}

/// The session that was finished.
#[derive(Debug, SimpleObject)]
struct FinishSessionPayload {
    /// The session.
    session: LearningSession,
}
