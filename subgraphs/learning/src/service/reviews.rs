//! Taking in reviews: a batch, an answer for each, and the same outcome however often and in whatever order they arrive.

use std::sync::Arc;

use common::{CardId, Error, ReviewId, Viewer};

use super::Service;
use super::view::CardView;
use crate::model::{BATCH, Review, ReviewInput};
use crate::submission::Verdict;

/// A review as it was sent: read, or the reason why it cannot be.
#[derive(Debug, Clone)]
pub struct SubmittedReview {
    /// Its id as it was sent.
    pub id: String,
    /// What was sent under it.
    pub review: Result<ReviewInput, UnreadableReview>,
}

/// Why a review cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadableReview {
    /// Something in it is malformed.
    Invalid(String),
    /// It names a card by what is no id, so there can be no such card.
    UnknownCard,
}

/// What became of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum ReviewStatus {
    /// It is stored, and its card was scheduled by it.
    Accepted,
    /// It was stored before: nothing was changed.
    Duplicate,
    /// Another review is stored under its id: nothing was changed.
    Conflict,
    /// There is no such card: nothing was changed.
    UnknownCard,
    /// It does not keep a rule, which the reason names: nothing was changed.
    Invalid,
}

/// What became of a review, and of its card.
#[derive(Debug, Clone)]
pub struct ReviewResult {
    /// Its id as it was sent.
    pub id: String,
    /// What became of it.
    pub status: ReviewStatus,
    /// Why it was not accepted.
    pub reason: Option<String>,
    /// Its card as it is now, where it is the viewer's.
    pub card: Option<CardView>,
}

impl Service {
    /// Takes in a batch in one transaction. Each review gets its own result, in order.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the batch is empty or too large; [`Error::Store`], and then nothing was changed.
    pub async fn submit(
        &self,
        viewer: &Viewer,
        reviews: Vec<SubmittedReview>,
    ) -> Result<Vec<ReviewResult>, Error> {
        if !BATCH.contains(&reviews.len()) {
            let (least, most) = (BATCH.start(), BATCH.end());
            let message = format!("{} were sent: {least} to {most} are accepted", reviews.len());
            return Err(Error::invalid("input.reviews", message));
        }
        let moment = self.moment(viewer.user).await?;
        let mut batch = Vec::with_capacity(reviews.len());
        // For each review either its place in the batch or its result.
        let mut places = Vec::with_capacity(reviews.len());
        for SubmittedReview { id, review } in reviews {
            let read = review.map(|input| Review::new(input, &moment.calendar, moment.now));
            places.push(match read {
                Ok(Ok(review)) => {
                    batch.push(review);
                    Ok((id, batch.len() - 1))
                }
                Ok(Err(error)) => Err(refused(id, ReviewStatus::Invalid, error.to_string())),
                Err(UnreadableReview::Invalid(reason)) => {
                    Err(refused(id, ReviewStatus::Invalid, reason))
                }
                Err(UnreadableReview::UnknownCard) => Err(unknown_card(id)),
            });
        }
        let batch: Arc<[Review]> = batch.into();
        let submitted =
            self.store.submit(viewer.user, batch.clone(), self.scheduler.clone()).await?;
        let view = |card: CardId| {
            let card = submitted.cards.get(&card)?.clone();
            Some(CardView::new(card, &self.scheduler.model, &moment))
        };
        let result = |(id, place): (String, usize)| {
            let card = view(batch[place].card);
            let (status, reason) = match submitted.verdicts[place] {
                Verdict::Accepted => (ReviewStatus::Accepted, None),
                Verdict::Duplicate => (ReviewStatus::Duplicate, None),
                Verdict::Conflict => {
                    let reason = "another review is stored under this id: make a new one";
                    (ReviewStatus::Conflict, Some(reason.to_owned()))
                }
                Verdict::UnknownCard => return unknown_card(id),
            };
            ReviewResult { id, status, reason, card }
        };
        Ok(places.into_iter().map(|place| place.map_or_else(|refused| refused, result)).collect())
    }
}

fn refused(id: String, status: ReviewStatus, reason: String) -> ReviewResult {
    ReviewResult { id, status, reason: Some(reason), card: None }
}

fn unknown_card(id: String) -> ReviewResult {
    refused(id, ReviewStatus::UnknownCard, "there is no such card".to_owned())
}

impl SubmittedReview {
    /// Reads the ids of a review; `rest` makes the review of them.
    #[must_use]
    pub fn read(
        id: String,
        card: &str,
        rest: impl FnOnce(ReviewId, CardId) -> Result<ReviewInput, String>,
    ) -> Self {
        let review = match (id.parse::<ReviewId>(), card.parse::<CardId>()) {
            (Err(error), _) => Err(UnreadableReview::Invalid(error.to_string())),
            (_, Err(_)) => Err(UnreadableReview::UnknownCard),
            (Ok(id), Ok(card)) => rest(id, card).map_err(UnreadableReview::Invalid),
        };
        Self { id, review }
    }
}
