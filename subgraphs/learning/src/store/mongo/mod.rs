//! The store in MongoDB: one document a card, with what its reviews led to within it, and one a review.
//!
//! Reads ask for their answer in one batch, so that the number of commands does not grow with the number of rows (but for an answer of
//! more than 16 MB).

mod documents;
mod events;
mod queries;
mod submit;

use std::collections::HashMap;
use std::sync::Arc;

use common::mongo::Mongo;
use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, Event, LearningSessionId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Cursor;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::{Answering, QueueCards, QueueQuery, Started, Store, Submitted};
use crate::model::{Person, Review, Session, SessionKey, Stats, StoredCard, StoredDeck};
use crate::scheduler::{AnswerKey, Day, Scheduler};
use documents::{Collections, Owned, date};

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
        Box::pin(async move {
            let Session { id, owner, deck, started_at, .. } = session;
            let key = doc! { "_id": Owned::document(owner, id.to_bson()) };
            let deck_filter = doc! { "_id": deck, "owner": owner, "deleted": false };
            let stored = if self.collections.decks.find_one(deck_filter).await?.is_some() {
                let started = doc! {
                    "owner": owner, "deck": deck, "startedAt": date(started_at), "finishedAt": null,
                };
                self.collections
                    .sessions
                    .find_one_and_update(key, doc! { "$setOnInsert": started })
                    .upsert(true)
                    .return_document(ReturnDocument::After)
                    .await?
            } else {
                self.collections.sessions.find_one(key).await?
            };
            stored.map_or(Ok(Started::UnknownDeck), |stored| stored.read().map(Started::Session))
        })
    }

    fn finish_session(
        &self,
        owner: UserId,
        id: LearningSessionId,
        at: Timestamp,
    ) -> Answering<'_, Option<Session>> {
        Box::pin(async move {
            let key = doc! { "_id": Owned::document(owner, id.to_bson()) };
            let finished = doc! { "$ifNull": ["$finishedAt", date(at)] };
            let session = self
                .collections
                .sessions
                .find_one_and_update(key, vec![doc! { "$set": { "finishedAt": finished } }])
                .return_document(ReturnDocument::After)
                .await?;
            session.map(documents::SessionDoc::read).transpose()
        })
    }

    fn sessions(
        &self,
        owner: UserId,
        page: PageRequest<SessionKey>,
    ) -> Answering<'_, Vec<Session>> {
        Box::pin(async move {
            let mut filter = doc! { "owner": owner };
            let (order, beyond) = match page.direction {
                Direction::Forward => (-1, "$lt"),
                Direction::Backward => (1, "$gt"),
            };
            if let Some((at, id)) = page.cursor {
                filter.extend(beyond_cursor("startedAt", beyond, at, id.to_bson()));
            }
            let sessions = self
                .collections
                .sessions
                .find(filter)
                .sort(doc! { "startedAt": order, "_id.id": order })
                .limit(i64::from(page.limit) + 1)
                .batch_size(ONE_BATCH)
                .await?;
            let sessions: Vec<_> = sessions.try_collect().await?;
            sessions.into_iter().map(documents::SessionDoc::read).collect()
        })
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
