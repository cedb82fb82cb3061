//! Taking in log entries (reviews, actions on cards, undo): a batch, an answer for each, and the same outcome however often and in whatever order they
//! arrive.

use std::collections::HashMap;
use std::sync::Arc;

use common::{CardId, Error, LearningSessionId, ReviewId, Viewer};
use jiff::Timestamp;

use super::view::CardView;
use super::{Learner, Service};
use crate::entry::{EntryInput, LogEntry};
use crate::model::{BATCH, UNDOABLE};
use crate::scheduler::Action;
use crate::submission::Verdict;

/// An entry as it was sent: read, or the reason why it cannot be.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its id as it was sent.
    pub id: String,
    /// What was sent under it.
    pub entry: Result<EntryInput, Unreadable>,
}

/// Why an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Something in it is malformed.
    Invalid(String),
    /// It names a card by what is no id, so there can be no such card.
    UnknownCard,
    /// It names a review that is not in the log.
    UnknownReview,
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
    /// There is no such review (yet): nothing was changed.
    UnknownReview,
    /// It does not keep a rule, which the reason names: nothing was changed.
    Invalid,
}

/// What became of an entry, and of its card.
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
    /// Takes in a batch in one transaction. Each entry gets its own result, in order. `argument` names the batch in an error.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the batch is empty or too large; [`Error::Store`], and then nothing was changed.
    pub async fn submit(
        &self,
        viewer: &Viewer,
        argument: &str,
        entries: Vec<Submission>,
    ) -> Result<Vec<ReviewResult>, Error> {
        check_size(argument, entries.len())?;
        let Learner { moment, models } = self.learner(viewer.user).await?;
        let mut batch = Vec::with_capacity(entries.len());
        // For each entry either its place in the batch or its result.
        let mut places = Vec::with_capacity(entries.len());
        for Submission { id, entry } in entries {
            let read = entry.map(|input| LogEntry::new(input, &moment.calendar, moment.now));
            places.push(match read {
                Ok(Ok(entry)) => {
                    batch.push(entry);
                    Ok((id, batch.len() - 1))
                }
                Ok(Err(error)) => Err(refused(id, ReviewStatus::Invalid, error.to_string())),
                Err(Unreadable::Invalid(reason)) => Err(refused(id, ReviewStatus::Invalid, reason)),
                Err(Unreadable::UnknownCard) => Err(unknown_card(id)),
                Err(Unreadable::UnknownReview) => Err(unknown_review(id)),
            });
        }
        let batch: Arc<[LogEntry]> = batch.into();
        let terms = Self::terms(&models, &self.tree(viewer.user).await?);
        let submitted = self.store.submit(viewer.user, batch.clone(), terms).await?;
        if submitted.verdicts.contains(&Verdict::Accepted) {
            self.outbox.flush().await;
        }
        let view = |card: CardId| {
            let card = submitted.cards.get(&card)?.clone();
            Some(CardView::new(card, &models, &moment))
        };
        let result = |(id, place): (String, usize)| {
            let card = view(batch[place].card);
            let (status, reason) = match submitted.verdicts[place] {
                Verdict::Accepted => (ReviewStatus::Accepted, None),
                Verdict::Duplicate => (ReviewStatus::Duplicate, None),
                Verdict::Conflict => {
                    let reason = "another entry is stored under this id: make a new one";
                    (ReviewStatus::Conflict, Some(reason.to_owned()))
                }
                Verdict::UnknownCard => return unknown_card(id),
                Verdict::UnknownReview => return unknown_review(id),
            };
            ReviewResult { id, status, reason, card }
        };
        Ok(places.into_iter().map(|place| place.map_or_else(|refused| refused, result)).collect())
    }

    /// Undoes reviews: each must be among the viewer's last [`UNDOABLE`], by the moment they were given. The same as [`Service::submit`] otherwise.
    ///
    /// # Errors
    /// As [`Service::submit`].
    pub async fn undo(
        &self,
        viewer: &Viewer,
        argument: &str,
        undos: Vec<UndoInput>,
    ) -> Result<Vec<ReviewResult>, Error> {
        check_size(argument, undos.len())?;
        let targets: Vec<ReviewId> =
            undos.iter().filter_map(|undo| undo.review.parse().ok()).collect();
        let found = self.store.entries(viewer.user, targets).await?;
        let found: HashMap<ReviewId, _> =
            found.into_iter().map(|logged| (logged.sent.id, logged)).collect();
        // The earliest that is not too long ago.
        let earliest = self.store.answer_before(viewer.user, UNDOABLE - 1).await?;
        let submission = |undo: UndoInput| {
            let target = undo.review.parse().ok().and_then(|id: ReviewId| found.get(&id));
            let entry = match (undo.id.parse(), target, undo.at) {
                (Err(error), ..) => Err(invalid_id(error)),
                (_, None, _) => Err(Unreadable::UnknownReview),
                (_, Some(logged), _) if logged.sent.action.rating().is_none() => {
                    Err(Unreadable::Invalid("reviewId names no review".to_owned()))
                }
                // One that was undone before may be undone again: it says the same.
                (_, Some(logged), _)
                    if Some(logged.sent.key()) < earliest && !logged.is_undone() =>
                {
                    let reason = format!("only your last {UNDOABLE} reviews can be undone");
                    Err(Unreadable::Invalid(reason))
                }
                (_, _, Err(reason)) => Err(Unreadable::Invalid(reason)),
                (Ok(id), Some(logged), Ok(at)) => Ok(EntryInput {
                    id,
                    card: logged.sent.card,
                    action: Action::Undo(logged.sent.id),
                    at,
                    duration_ms: 0,
                    time_zone: undo.time_zone,
                    session: None::<LearningSessionId>,
                }),
            };
            Submission { id: undo.id, entry }
        };
        self.submit(viewer, argument, undos.into_iter().map(submission).collect()).await
    }
}

/// A review to undo, as it was sent.
#[derive(Debug, Clone)]
pub struct UndoInput {
    /// The id of the undoing itself, made by the client.
    pub id: String,
    /// The review.
    pub review: String,
    /// When, by the client's clock, or why what was sent is no moment.
    pub at: Result<Timestamp, String>,
    /// Where the person was.
    pub time_zone: Option<String>,
}

fn check_size(argument: &str, entries: usize) -> Result<(), Error> {
    if BATCH.contains(&entries) {
        return Ok(());
    }
    let (least, most) = (BATCH.start(), BATCH.end());
    let message = format!("{entries} were sent: {least} to {most} are accepted");
    Err(Error::invalid(argument, message))
}

fn invalid_id(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::Invalid(error.to_string())
}

fn refused(id: String, status: ReviewStatus, reason: String) -> ReviewResult {
    ReviewResult { id, status, reason: Some(reason), card: None }
}

fn unknown_review(id: String) -> ReviewResult {
    let reason = "there is no such review: send it first".to_owned();
    refused(id, ReviewStatus::UnknownReview, reason)
}

fn unknown_card(id: String) -> ReviewResult {
    refused(id, ReviewStatus::UnknownCard, "there is no such card".to_owned())
}

impl Submission {
    /// Reads the ids of an entry; `rest` makes the entry of them.
    #[must_use]
    pub fn read(
        id: String,
        card: &str,
        rest: impl FnOnce(ReviewId, CardId) -> Result<EntryInput, String>,
    ) -> Self {
        let entry = match (id.parse::<ReviewId>(), card.parse::<CardId>()) {
            (Err(error), _) => Err(invalid_id(error)),
            (_, Err(_)) => Err(Unreadable::UnknownCard),
            (Ok(id), Ok(card)) => rest(id, card).map_err(Unreadable::Invalid),
        };
        Self { id, entry }
    }
}
