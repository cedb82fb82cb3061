//! The store in MongoDB: one document a card, with what its reviews led to within it, and one a review.
//!
//! Reads ask for their answer in one batch, so that the number of commands does not grow with the number of rows (but for an answer of
//! more than 16 MB).

mod documents;
mod events;
mod queries;
mod sessions;
mod submit;

use std::collections::HashMap;
use std::sync::Arc;

use common::mongo::Mongo;
use common::page::PageRequest;
use common::{CardId, DeckId, Event, LearningSessionId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};

use super::{Answering, QueueCards, QueueQuery, Started, Store, Submitted};
use crate::model::{Person, Review, Session, SessionKey, Stats, StoredCard, StoredDeck};
use crate::scheduler::{AnswerKey, Day, Scheduler};
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

    fn decks(&self, owner: UserId, ids: Vec<DeckId>) -> Answering<'_, Vec<StoredDeck>> {
        Box::pin(queries::decks(self, owner, ids))
    }

    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards> {
        Box::pin(queries::queue(self, owner, query))
    }

    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[Review]>,
        scheduler: Arc<Scheduler>,
    ) -> Answering<'_, Submitted> {
        Box::pin(submit::submit(self, owner, batch, scheduler))
    }

    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Review>>> {
        Box::pin(queries::reviews(self, owner, cards, page))
    }

    fn stats(&self, owner: UserId, today: Day, tomorrow: Timestamp) -> Answering<'_, Stats> {
        Box::pin(queries::stats(self, owner, today, tomorrow))
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
