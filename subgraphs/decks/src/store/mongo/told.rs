//! What other domains tell: where persons are, and what was learned of cards. Only what is newer is kept.

use common::event::{CardStudied, CardsStudied, StudyDue, UserChanged};
use common::{StoreError, UserId};
use jiff::Timestamp;
use mongodb::bson::{DateTime, Document, Uuid, doc, serialize_to_document};
use serde::{Deserialize, Serialize};

use super::MongoStore;
use super::terms;
use super::write::UPDATES;
use crate::model::Person;

/// Where a person is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    time_zone: String,
    rollover_hour: u8,
}

/// What learning tells of a card. What does not hold is absent, so that the indexes have what they are asked for and no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StudyDocument {
    /// -1 when nothing was told yet.
    version: i64,
    /// 0 new, 1 learning, 2 review, 3 relearning.
    state: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_day: Option<i32>,
    /// The earliest moment at which it may come back, wherever its owner is then: an index has it, and can have only one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    comes_from: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buried_until: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leech: Option<bool>,
    #[serde(default)]
    flag: i32,
    #[serde(default)]
    lapses: u32,
    /// When it was last answered, in any way and in each.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hard: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    good: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    easy: Option<DateTime>,
}

impl Default for StudyDocument {
    /// A card of which nothing was told yet.
    fn default() -> Self {
        Self {
            version: -1,
            state: 0,
            due_at: None,
            due_day: None,
            comes_from: None,
            suspended: None,
            buried_until: None,
            leech: None,
            flag: 0,
            lapses: 0,
            answered_at: None,
            again: None,
            hard: None,
            good: None,
            easy: None,
        }
    }
}

impl From<&CardStudied> for StudyDocument {
    fn from(card: &CardStudied) -> Self {
        let moment = |at: Timestamp| DateTime::from_millis(at.as_millisecond());
        let (due_at, due_day, comes_from) = match card.due {
            None => (None, None, None),
            Some(StudyDue::At(at)) => (Some(moment(at)), None, Some(moment(at))),
            Some(StudyDue::On(day)) => {
                // No local day starts earlier than at midnight 14 hours east of Greenwich.
                let hours = i64::from(day.0) * 24 - 14;
                (None, Some(day.0), Some(DateTime::from_millis(hours * 3_600_000)))
            }
        };
        let [again, hard, good, easy] = card.answered.map(|at| at.map(moment));
        Self {
            version: card.version,
            state: card.state.number().into(),
            due_at,
            due_day,
            comes_from,
            suspended: card.suspended.then_some(true),
            buried_until: card.buried_until.map(|day| day.0),
            leech: card.leech.then_some(true),
            flag: card.flag.into(),
            lapses: card.lapses,
            answered_at: [again, hard, good, easy].into_iter().max().flatten(),
            again,
            hard,
            good,
            easy,
        }
    }
}

impl MongoStore {
    pub(super) async fn keep_person(&self, user: UserChanged) -> Result<(), StoreError> {
        // Nothing of an account that is gone comes back.
        if self.owners.find_one(doc! { "_id": user.user, "gone": true }).await?.is_some() {
            return Ok(());
        }
        let older = doc! { "_id": user.user, "version": { "$lt": user.version } };
        let set = doc! { "$set": {
            "version": user.version,
            "timeZone": user.time_zone,
            "rolloverHour": i32::from(user.rollover_hour),
        } };
        let kept = self.persons.update_one(older, set).upsert(true).await;
        match kept.map_err(StoreError::from) {
            // There is one that is as new, or newer.
            Err(StoreError::Duplicate { .. }) => Ok(()),
            kept => kept.map(drop),
        }
    }

    pub(super) async fn person_of(&self, id: UserId) -> Result<Option<Person>, StoreError> {
        let person = self.persons.find_one(doc! { "_id": id }).await?;
        Ok(person.map(|person| Person {
            time_zone: person.time_zone,
            rollover_hour: person.rollover_hour,
        }))
    }

    pub(super) async fn keep_study(&self, studied: Vec<CardsStudied>) -> Result<(), StoreError> {
        let mut updates: Vec<Document> = Vec::new();
        for CardsStudied { owner, cards } in &studied {
            for card in cards {
                // Cards from before have no version.
                let older = doc! { "$not": { "$gte": card.version } };
                let study = serialize_to_document(&StudyDocument::from(card))
                    .map_err(|error| StoreError::Other(Box::new(error)))?;
                updates.push(doc! {
                    "q": { "_id": card.card, "owner": *owner, "study.version": older },
                    "u": terms::set(doc! { "study": study }),
                });
            }
        }
        for updates in updates.chunks(UPDATES) {
            super::upgrade::run(self, self.cards.name(), updates.to_vec()).await?;
        }
        Ok(())
    }
}
