//! What mutations take and answer.

use async_graphql::{Enum, ID, InputObject, SimpleObject};
use common::graphql::{DateTime, Sent};
use common::{DeckId, LearningSessionId, PresetId};
use jiff::Timestamp;

use super::card::CardNode;
use super::scalar::Date;
use super::session::LearningSession;
use super::settings::{DeckStudySettings, OwnStudySettings, StudyPreset};
use crate::entry::EntryInput;
use crate::scheduler::{Action, Rating};
use crate::service::{self, ReviewStatus, Submission, UndoInput};

/// Reviews to take in.
#[derive(Debug, InputObject)]
pub(super) struct SubmitReviewsInput {
    /// 1 to 1,000 reviews, in any order.
    pub(super) reviews: Vec<ReviewInput>,
}

/// A review to take in.
#[derive(Debug, InputObject)]
pub(super) struct ReviewInput {
    /// A UUID made by the client, and kept by it until the review is answered for.
    pub(super) id: ID,
    /// The card that was reviewed.
    pub(super) card_id: ID,
    /// How well it was remembered.
    pub(super) rating: Rating,
    /// For practice: it counts as work, and changes nothing of when the card comes back.
    #[graphql(default)]
    pub(super) practice: bool,
    /// When, by the client's clock: from the year 2000 to 24 hours from now.
    pub(super) reviewed_at: Sent<DateTime>,
    /// How long it took, in milliseconds: 0 to 3,600,000.
    #[graphql(default)]
    pub(super) duration_ms: i32,
    /// Where the person was: an IANA name such as `Europe/Zurich`. Without it, the time zone of the account.
    pub(super) time_zone: Option<String>,
    /// The learning session it belongs to.
    pub(super) session_id: Option<ID>,
}

impl From<ReviewInput> for Submission {
    fn from(input: ReviewInput) -> Self {
        let ReviewInput {
            id,
            card_id,
            rating,
            practice,
            reviewed_at,
            duration_ms,
            time_zone,
            session_id,
        } = input;
        Self::read(id.0, &card_id.0, |id, card| {
            let session = session_id.map(|id| id.parse::<LearningSessionId>()).transpose();
            Ok(EntryInput {
                id,
                card,
                action: if practice { Action::Practice(rating) } else { Action::Answer(rating) },
                at: moment("reviewedAt", reviewed_at)?,
                duration_ms,
                time_zone,
                session: session.map_err(|error| format!("sessionId {error}"))?,
            })
        })
    }
}

/// What became of a batch of reviews.
#[derive(Debug, SimpleObject)]
pub(super) struct SubmitReviewsPayload {
    /// For each review, in the order in which they were sent.
    pub(super) results: Vec<ReviewResult>,
}

/// What became of a review, or of another entry of the log.
#[derive(Debug, SimpleObject)]
pub(super) struct ReviewResult {
    /// Its id as it was sent.
    pub(super) id: ID,
    /// What became of it.
    pub(super) status: ReviewStatus,
    /// Why it was not accepted.
    pub(super) reason: Option<String>,
    /// Its card as it is now, when it is the viewer's.
    pub(super) card: Option<CardNode>,
}

/// A session to start.
#[derive(Debug, InputObject)]
pub(super) struct StartSessionInput {
    /// The deck to learn.
    pub(super) deck_id: DeckId,
    /// A UUID made by the client, so that starting twice starts once.
    pub(super) id: Option<LearningSessionId>,
}

/// The session that runs.
#[derive(Debug, SimpleObject)]
pub(super) struct StartSessionPayload {
    /// The session.
    pub(super) session: LearningSession,
}

/// A session to finish.
#[derive(Debug, InputObject)]
pub(super) struct FinishSessionInput {
    /// The session.
    pub(super) id: LearningSessionId,
}

/// The session that was finished.
#[derive(Debug, SimpleObject)]
pub(super) struct FinishSessionPayload {
    /// The session.
    pub(super) session: LearningSession,
}

impl ReviewResult {
    pub(super) fn all(results: Vec<service::ReviewResult>) -> Vec<Self> {
        let cards = results.iter().filter_map(|result| result.card.clone()).collect();
        let cards = CardNode::by_id(cards);
        let result = |result: service::ReviewResult| Self {
            id: result.id.into(),
            status: result.status,
            reason: result.reason,
            card: result.card.and_then(|card| cards.get(&card.id).cloned()),
        };
        results.into_iter().map(result).collect()
    }
}

/// What is done to a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum CardAction {
    /// It comes no more,
    Suspend,
    /// or again.
    Unsuspend,
    /// It comes no more today,
    Bury,
    /// or again.
    Unbury,
    /// It bears the flag that `flag` says.
    Flag,
    /// It is new again: what its reviews led to is forgotten, the log keeps them.
    Reset,
    /// It comes back on the day that `dueOn` says. A new card becomes a learned one.
    SetDue,
}

/// Changes of cards.
#[derive(Debug, InputObject)]
pub(super) struct ChangeCardsInput {
    /// 1 to 1,000 changes, in any order.
    pub(super) changes: Vec<CardChangeInput>,
}

/// A change of a card.
#[derive(Debug, InputObject)]
pub(super) struct CardChangeInput {
    /// A UUID made by the client, and kept by it until the change is answered for. No review may have it.
    pub(super) id: ID,
    /// The card.
    pub(super) card_id: ID,
    /// What is done to it.
    pub(super) action: CardAction,
    /// For FLAG: 1 to 7, or 0 for none.
    pub(super) flag: Option<i32>,
    /// For SET_DUE: from yesterday to 36,500 days from now.
    pub(super) due_on: Option<Sent<Date>>,
    /// When, by the client's clock: from the year 2000 to 24 hours from now.
    pub(super) at: Sent<DateTime>,
    /// Where the person was: an IANA name such as `Europe/Zurich`. Without it, the time zone of the account.
    pub(super) time_zone: Option<String>,
}

impl From<CardChangeInput> for Submission {
    fn from(input: CardChangeInput) -> Self {
        let CardChangeInput { id, card_id, action, flag, due_on, at, time_zone } = input;
        let action = match (action, flag, due_on) {
            (CardAction::Suspend, None, None) => Ok(Action::Suspend),
            (CardAction::Unsuspend, None, None) => Ok(Action::Unsuspend),
            (CardAction::Bury, None, None) => Ok(Action::Bury),
            (CardAction::Unbury, None, None) => Ok(Action::Unbury),
            (CardAction::Reset, None, None) => Ok(Action::Reset),
            (CardAction::Flag, Some(flag), None) => {
                Ok(Action::Flag(u8::try_from(flag).unwrap_or(u8::MAX)))
            }
            (CardAction::SetDue, None, Some(Sent(due))) => match due {
                Ok(due) => Ok(Action::SetDue(due.into())),
                Err(reason) => Err(format!("dueOn {reason}")),
            },
            (CardAction::Flag, ..) => Err("flag is needed for FLAG, and nothing else".to_owned()),
            (CardAction::SetDue, ..) => {
                Err("dueOn is needed for SET_DUE, and nothing else".to_owned())
            }
            _ => Err("flag is for FLAG alone, dueOn for SET_DUE alone".to_owned()),
        };
        Self::read(id.0, &card_id.0, |id, card| {
            let (action, at) = (action?, moment("at", at)?);
            Ok(EntryInput { id, card, action, at, duration_ms: 0, time_zone, session: None })
        })
    }
}

/// What became of changes of cards.
#[derive(Debug, SimpleObject)]
pub(super) struct ChangeCardsPayload {
    /// For each change, in the order in which they were sent.
    pub(super) results: Vec<ReviewResult>,
}

/// Reviews to undo.
#[derive(Debug, InputObject)]
pub(super) struct UndoReviewsInput {
    /// 1 to 1,000 undoings, in any order.
    pub(super) undos: Vec<UndoReviewInput>,
}

/// A review to undo.
#[derive(Debug, InputObject)]
pub(super) struct UndoReviewInput {
    /// A UUID made by the client for the undoing, and kept by it until it is answered for.
    pub(super) id: ID,
    /// The review.
    pub(super) review_id: ID,
    /// When, by the client's clock: from the year 2000 to 24 hours from now.
    pub(super) at: Sent<DateTime>,
    /// Where the person was: an IANA name such as `Europe/Zurich`. Without it, the time zone of the account.
    pub(super) time_zone: Option<String>,
}

impl From<UndoReviewInput> for UndoInput {
    fn from(input: UndoReviewInput) -> Self {
        let UndoReviewInput { id, review_id, at, time_zone } = input;
        Self { id: id.0, review: review_id.0, at: moment("at", at), time_zone }
    }
}

/// A moment of an entry of a batch, or why it is none.
fn moment(field: &str, Sent(sent): Sent<DateTime>) -> Result<Timestamp, String> {
    sent.map(|moment| moment.0).map_err(|reason| format!("{field} {reason}"))
}

/// What became of the undoings.
#[derive(Debug, SimpleObject)]
pub(super) struct UndoReviewsPayload {
    /// For each undoing, in the order in which they were sent.
    pub(super) results: Vec<ReviewResult>,
}

/// Settings for a deck.
#[derive(Debug, InputObject)]
pub(super) struct SetDeckSettingsInput {
    /// The deck.
    pub(super) deck_id: DeckId,
    /// A preset to start from, instead of what the deck inherits.
    pub(super) preset_id: Option<PresetId>,
    /// What the deck sets itself; null where it inherits.
    pub(super) settings: OwnStudySettings,
    /// The version of the settings as they were read. When there is another by now, nothing is changed.
    pub(super) expected_version: Option<i64>,
}

/// A deck that is to inherit again.
#[derive(Debug, InputObject)]
pub(super) struct ResetDeckSettingsInput {
    /// The deck.
    pub(super) deck_id: DeckId,
    /// The version of the settings as they were read. When there is another by now, nothing is changed.
    pub(super) expected_version: Option<i64>,
}

/// The settings of a deck.
#[derive(Debug, SimpleObject)]
pub(super) struct DeckSettingsPayload {
    /// The deck.
    pub(super) deck_id: DeckId,
    /// Its settings.
    pub(super) settings: DeckStudySettings,
}

/// A preset to make or change.
#[derive(Debug, InputObject)]
pub(super) struct SaveStudyPresetInput {
    /// The preset to change, or a UUID made by the client for a new one.
    pub(super) id: Option<PresetId>,
    /// 1 to 100 characters, another one than those of your other presets.
    pub(super) name: String,
    /// What it sets; null where it leaves the default.
    pub(super) settings: OwnStudySettings,
    /// The version of the preset as it was read. When there is another by now, nothing is changed.
    pub(super) expected_version: Option<i64>,
}

/// The preset.
#[derive(Debug, SimpleObject)]
pub(super) struct SaveStudyPresetPayload {
    /// The preset as it is now.
    pub(super) preset: StudyPreset,
}

/// A preset to delete.
#[derive(Debug, InputObject)]
pub(super) struct DeleteStudyPresetInput {
    /// The preset.
    pub(super) id: PresetId,
    /// The version of the preset as it was read. When there is another by now, nothing is changed.
    pub(super) expected_version: Option<i64>,
}

/// The preset that was deleted.
#[derive(Debug, SimpleObject)]
pub(super) struct DeleteStudyPresetPayload {
    /// Its id.
    pub(super) deleted_id: PresetId,
}
