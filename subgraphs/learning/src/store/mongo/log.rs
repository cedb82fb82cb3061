//! Entries of the log and their sums as MongoDB keeps them.

use common::{StoreError, UserId};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::documents::{Owned, date, moment};
use crate::entry::{LogEntry, Logged};
use crate::scheduler::{Action, Day, Phase, Rating, RulesId};
use crate::tally::Tally;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewDoc {
    #[serde(rename = "_id")]
    pub(super) key: Owned,
    pub(super) owner: Uuid,
    pub(super) card: Uuid,
    rating: u8,
    reviewed_at: DateTime,
    received_at: DateTime,
    duration_ms: u32,
    time_zone: Option<String>,
    session: Option<Uuid>,
    day: Day,
    /// As in SQLite: 0 an answer, 1 practice; others have the rating 0.
    #[serde(default)]
    kind: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Uuid>,
    /// JSON: what was learned elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    past: Option<String>,
    #[serde(default)]
    rules: i64,
    /// These three are absent in entries from before there were sums until their owner's log was summed.
    deck: Option<Uuid>,
    hour: Option<u8>,
    phase: Option<u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TallyDoc {
    pub(super) day: Day,
    pub(super) deck: Uuid,
    pub(super) reviews: u32,
    duration_ms: i64,
    numbers: Binary,
}

impl TallyDoc {
    pub(super) fn read(&self) -> Tally {
        Tally::from_bytes(self.duration_ms, &self.numbers.bytes)
    }
}

/// The sums for a store to keep.
pub(super) fn tally_fields(tally: &Tally) -> Document {
    let numbers = Binary { subtype: BinarySubtype::Generic, bytes: tally.to_bytes() };
    doc! { "reviews": tally.reviews(), "durationMs": tally.duration_ms, "numbers": numbers }
}

impl ReviewDoc {
    pub(super) fn new(owner: UserId, logged: &Logged) -> Self {
        let Logged { sent, deck, rules, phase } = logged;
        let (kind, rating, value, target) = action_fields(sent.action);
        Self {
            key: Owned { owner: owner.to_bson(), id: sent.id.to_bson() },
            owner: owner.to_bson(),
            card: sent.card.to_bson(),
            rating,
            reviewed_at: date(sent.at),
            received_at: date(sent.received_at),
            duration_ms: sent.duration_ms,
            time_zone: sent.time_zone.clone(),
            session: sent.session.map(|session| session.to_bson()),
            day: sent.day,
            kind,
            value,
            target,
            past: past_field(sent.action),
            rules: rules.0,
            deck: Some(deck.to_bson()),
            hour: Some(sent.hour),
            phase: Some(phase.number()),
        }
    }

    pub(super) fn read(self) -> Result<Logged, StoreError> {
        let action = self.action()?;
        Ok(Logged {
            sent: LogEntry {
                id: self.key.id.into(),
                card: self.card.into(),
                action,
                at: moment(self.reviewed_at)?,
                duration_ms: self.duration_ms,
                time_zone: self.time_zone,
                session: self.session.map(Into::into),
                day: self.day,
                hour: self.hour.unwrap_or(0),
                received_at: moment(self.received_at)?,
            },
            deck: self.deck.map_or_else(|| uuid::Uuid::nil().into(), Into::into),
            rules: RulesId(self.rules),
            phase: self.phase.map_or(Phase::Uncounted, Phase::from_number),
        })
    }

    fn action(&self) -> Result<Action, StoreError> {
        let missing = || StoreError::Corrupt("an entry of the log lacks what it is about".into());
        Ok(match self.kind {
            0 => Action::Answer(rating(self.rating)?),
            1 => Action::Practice(rating(self.rating)?),
            2 => Action::Suspend,
            3 => Action::Unsuspend,
            4 => Action::Bury,
            5 => Action::Unbury,
            6 => {
                let flag = self.value.and_then(|flag| u8::try_from(flag).ok());
                Action::Flag(flag.ok_or_else(missing)?)
            }
            7 => Action::Reset,
            8 => Action::SetDue(Day(self.value.ok_or_else(missing)?)),
            9 => Action::Undo(self.target.ok_or_else(missing)?.into()),
            10 => Action::Past(super::json(self.past.as_deref().ok_or_else(missing)?)?),
            11 => Action::Restore(super::json(self.past.as_deref().ok_or_else(missing)?)?),
            other => return Err(StoreError::Corrupt(format!("{other} is no kind of entry"))),
        })
    }
}

/// Kind, rating, value and target of an action, as [`ReviewDoc`] reads them.
fn action_fields(action: Action) -> (u8, u8, Option<i32>, Option<Uuid>) {
    match action {
        Action::Answer(rating) => (0, rating.number(), None, None),
        Action::Practice(rating) => (1, rating.number(), None, None),
        Action::Suspend => (2, 0, None, None),
        Action::Unsuspend => (3, 0, None, None),
        Action::Bury => (4, 0, None, None),
        Action::Unbury => (5, 0, None, None),
        Action::Flag(flag) => (6, 0, Some(flag.into()), None),
        Action::Reset => (7, 0, None, None),
        Action::SetDue(day) => (8, 0, Some(day.0), None),
        Action::Undo(review) => (9, 0, None, Some(review.to_bson())),
        Action::Past(past) => (10, past.button.min(4), None, None),
        Action::Restore(_) => (11, 0, None, None),
    }
}

/// What was learned elsewhere, as [`ReviewDoc`] reads it. Numbers and moments always can be written.
fn past_field(action: Action) -> Option<String> {
    match action {
        Action::Past(past) => serde_json::to_string(&past).ok(),
        Action::Restore(restored) => serde_json::to_string(&restored).ok(),
        _ => None,
    }
}

fn rating(number: u8) -> Result<Rating, StoreError> {
    Rating::from_number(number)
        .ok_or_else(|| StoreError::Corrupt(format!("{number} is not a rating")))
}
