//! The store in MongoDB: one document a card, with what its reviews led to within it, and one a review.
//!
//! Reads ask for their answer in one batch, so that the number of commands does not grow with the number of rows (but for an answer of
//! more than 16 MB).

mod documents;
mod events;
mod fit;
mod log;
mod queries;
mod sessions;
mod settings;
mod submit;
mod tell;
mod upgrade;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use common::mongo::Mongo;
use common::page::PageRequest;
use common::{CardId, DeckId, Event, LearningSessionId, PresetId, ReviewId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};

use super::{
    Answering, CardLogs, ChangeKey, Changed, Changes, Lease, QueueCards, QueueQuery,
    SettingsChange, Started, Store, Submitted,
};
use crate::entry::{LogEntry, Logged};
use crate::fit::Sample;
use crate::model::{
    OwnSettings, Person, Preset, Session, SessionKey, Shelf, Stats, StoredCard, StoredDeck, Weights,
};
use crate::scheduler::{AnswerKey, Day, Model};
use crate::service::FitRecord;
use crate::submission::Terms;
use crate::tally::Tally;
use documents::{Collections, date};

/// More rows than any answer that fits in one message has.
const ONE_BATCH: u32 = 1_000_000;

/// The store in a database of a replica set.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    collections: Collections,
}

impl MongoStore {
    /// Uses a database, and makes the indexes that are missing.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        let collections = Collections::open(&mongo).await?;
        Ok(Self { mongo, collections })
    }

    /// Sums the logs that are from before there were sums, and tells of the cards that are from before they were told of. Work that was done stays done when it is stopped midway.
    ///
    /// # Errors
    /// What the server says.
    pub async fn upgrade(&self) -> Result<(), StoreError> {
        upgrade::upgrade(self).await?;
        tell::tell_old(self).await
    }
}

impl Store for MongoStore {
    fn apply(&self, events: Vec<Event>) -> Answering<'_, ()> {
        Box::pin(events::apply(self, events))
    }

    fn person(&self, user: UserId) -> Answering<'_, Option<Person>> {
        Box::pin(async move {
            let filter =
                doc! { "_id": user, "deleted": false, "version": { "$gt": events::UNTOLD } };
            let person = self.collections.persons.find_one(filter).await?;
            Ok(person.map(|person| Person {
                time_zone: person.time_zone,
                rollover_hour: person.rollover_hour,
                weights: person
                    .weights
                    .into_iter()
                    .map(|weights| Weights { version: weights.version, numbers: weights.numbers })
                    .collect(),
            }))
        })
    }

    fn cards(&self, owner: UserId, ids: Vec<CardId>) -> Answering<'_, Vec<StoredCard>> {
        Box::pin(async move {
            let filter = doc! { "_id": { "$in": ids }, "owner": owner, "live": true };
            let cards = self.collections.cards.find(filter).batch_size(ONE_BATCH).await?;
            let cards: Vec<_> = cards.try_collect().await?;
            cards.into_iter().map(documents::CardDoc::read).collect()
        })
    }

    fn decks(&self, owner: UserId, ids: Vec<DeckId>, today: Day) -> Answering<'_, Vec<StoredDeck>> {
        Box::pin(queries::decks(self, owner, ids, today))
    }

    fn shelf(&self, owner: UserId) -> Answering<'_, Shelf> {
        Box::pin(settings::shelf(self, owner))
    }

    fn put_settings(
        &self,
        owner: UserId,
        change: SettingsChange,
    ) -> Answering<'_, Changed<OwnSettings>> {
        Box::pin(settings::put(self, owner, change))
    }

    fn put_preset(
        &self,
        owner: UserId,
        preset: Preset,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<Preset>> {
        Box::pin(settings::put_preset(self, owner, preset, expected))
    }

    fn delete_preset(
        &self,
        owner: UserId,
        id: PresetId,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<()>> {
        Box::pin(settings::delete_preset(self, owner, id, expected))
    }

    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards> {
        Box::pin(queries::queue(self, owner, query))
    }

    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[LogEntry]>,
        terms: Arc<Terms>,
    ) -> Answering<'_, Submitted> {
        Box::pin(submit::submit(self, owner, batch, terms))
    }

    fn entries(&self, owner: UserId, ids: Vec<ReviewId>) -> Answering<'_, Vec<Logged>> {
        Box::pin(queries::entries(self, owner, ids))
    }

    fn answer_before(&self, owner: UserId, later: u32) -> Answering<'_, Option<AnswerKey>> {
        Box::pin(queries::answer_before(self, owner, later))
    }

    fn era(&self) -> i32 {
        self.mongo.era()
    }

    fn changes(&self, owner: UserId, after: ChangeKey, limit: u32) -> Answering<'_, Changes> {
        Box::pin(queries::changes(self, owner, after, limit))
    }

    fn tallies(
        &self,
        owner: UserId,
        decks: Option<Vec<DeckId>>,
        days: (Day, Day),
    ) -> Answering<'_, Vec<(Day, Tally)>> {
        Box::pin(queries::tallies(self, owner, decks, days))
    }

    fn forecast(
        &self,
        owner: UserId,
        decks: Vec<DeckId>,
        today: Day,
        last: Day,
    ) -> Answering<'_, BTreeMap<Day, u32>> {
        Box::pin(queries::forecast(self, owner, decks, today, last))
    }

    fn samples(&self, owner: UserId) -> Answering<'_, Vec<Sample>> {
        Box::pin(fit::samples(self, owner))
    }

    fn put_weights(&self, owner: UserId, weights: Weights) -> Answering<'_, ()> {
        Box::pin(fit::put_weights(self, owner, weights))
    }

    fn reschedule(
        &self,
        owner: UserId,
        model: Arc<Model>,
        from: Option<CardId>,
    ) -> Answering<'_, Option<CardId>> {
        Box::pin(fit::reschedule(self, owner, model, from))
    }

    fn logs(&self, owner: UserId, cards: Vec<CardId>) -> Answering<'_, CardLogs> {
        Box::pin(submit::read_logs(self, owner, cards))
    }

    fn begin_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, FitRecord> {
        Box::pin(fit::begin(self, owner, fit, lease))
    }

    fn keep_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, bool> {
        Box::pin(fit::keep(self, owner, fit, lease))
    }

    fn take_fit(&self, now: Timestamp, lease: Lease) -> Answering<'_, Option<(UserId, FitRecord)>> {
        Box::pin(fit::take(self, now, lease))
    }

    fn last_fit(&self, owner: UserId) -> Answering<'_, Option<FitRecord>> {
        Box::pin(fit::last(self, owner))
    }

    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Logged>>> {
        Box::pin(queries::reviews(self, owner, cards, page))
    }

    fn stats(
        &self,
        owner: UserId,
        asleep: Vec<DeckId>,
        today: Day,
        tomorrow: Timestamp,
    ) -> Answering<'_, Stats> {
        Box::pin(queries::stats(self, owner, asleep, today, tomorrow))
    }

    fn has_archived(&self, owner: UserId) -> Answering<'_, bool> {
        Box::pin(async move {
            let archived = doc! { "owner": owner, "archived": true, "deleted": false };
            Ok(self.collections.decks.find_one(archived).await?.is_some())
        })
    }

    fn start_session(&self, session: Session) -> Answering<'_, Started> {
        Box::pin(sessions::start(self, session))
    }

    fn finish_session(
        &self,
        owner: UserId,
        id: LearningSessionId,
        at: Timestamp,
    ) -> Answering<'_, Option<Session>> {
        Box::pin(sessions::finish(self, owner, id, at))
    }

    fn sessions(
        &self,
        owner: UserId,
        page: PageRequest<SessionKey>,
    ) -> Answering<'_, Vec<Session>> {
        Box::pin(sessions::list(self, owner, page))
    }

    fn ping(&self) -> Answering<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

/// The rows beyond one in the order of (moment, id).
fn beyond_cursor(field: &str, operator: &str, at: Timestamp, id: mongodb::bson::Uuid) -> Document {
    let at = date(at);
    doc! { "$or": [
        { field: { operator: at } },
        { field: at, "_id.id": { operator: id } },
    ] }
}

/// All documents of an aggregation as values of `T`.
async fn all<T: serde::de::DeserializeOwned>(
    cursor: Cursor<Document>,
) -> Result<Vec<T>, StoreError> {
    Ok(cursor.with_type::<T>().try_collect().await?)
}

/// A value that is kept as JSON.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(error.into()))
}
