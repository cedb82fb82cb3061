//! Decks and cards in MongoDB 5.0 or newer: collections `owners`, `decks`, `cards`, `deleted`, `outbox`.

mod documents;
mod write;

use std::collections::HashMap;

use common::mongo::Mongo;
use common::outbox::OutboxStore;
use common::page::{Direction, Page, PageRequest};
use common::{CardId, DeckId, Event, EventId, StoreError, UserId};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use mongodb::bson::{self, Bson, DateTime, Document, doc};
use mongodb::{Collection, Cursor};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Changes, Commit, OutlineCard, Reply, Store, outcome, pages};
use crate::model::{Card, CardKey, Deck, DeckKey, DeckOrder, DeckSort, Owner};
use documents::{
    CardDocument, DeckDocument, EventDocument, IdDocument, OutlineDocument, OwnerDocument,
};

/// Decks and cards in a database of a replica set.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    owners: Collection<OwnerDocument>,
    decks: Collection<DeckDocument>,
    cards: Collection<CardDocument>,
    deleted: Collection<IdDocument>,
    outbox: Collection<EventDocument>,
}

impl MongoStore {
    /// Uses the database and makes its indexes.
    ///
    /// # Errors
    /// When an index cannot be made.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        for (collection, name, keys) in [
            ("decks", "by_name", doc! { "owner": 1, "sortName": 1, "_id": 1 }),
            ("decks", "by_created_at", doc! { "owner": 1, "createdAt": 1, "_id": 1 }),
            ("decks", "by_updated_at", doc! { "owner": 1, "updatedAt": 1, "_id": 1 }),
            ("cards", "by_place", doc! { "deck": 1, "position": 1, "_id": 1 }),
        ] {
            mongo.ensure_index(collection, name, keys, Default::default()).await?;
        }
        // A transaction makes no collection while another writes: those without an index of their own are made here.
        for collection in ["owners", "deleted", "outbox"] {
            mongo.ensure_index(collection, "_id_", doc! { "_id": 1 }, Default::default()).await?;
        }
        Ok(Self {
            owners: mongo.collection("owners"),
            decks: mongo.collection("decks"),
            cards: mongo.collection("cards"),
            deleted: mongo.collection("deleted"),
            outbox: mongo.collection("outbox"),
            mongo,
        })
    }
}

impl Store for MongoStore {
    fn owner(&self, id: UserId) -> Reply<'_, Owner> {
        Box::pin(async move {
            let document = self.owners.find_one(doc! { "_id": id }).await?;
            Ok(document.map_or_else(|| Owner::new(id), Owner::from))
        })
    }

    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>> {
        Box::pin(async move { all(self.decks.find(one_of(ids)).await?, Deck::try_from).await })
    }

    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>> {
        Box::pin(async move { all(self.cards.find(one_of(ids)).await?, Card::try_from).await })
    }

    fn deleted(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>> {
        let ids = ids.into_iter().map(|id| bson::Uuid::from_bytes(id.into_bytes()));
        let filter = one_of(ids.collect());
        Box::pin(async move {
            let id = |document: IdDocument| Ok(Uuid::from_bytes(document.id.bytes()));
            all(self.deleted.find(filter).await?, id).await
        })
    }

    fn deck_page(
        &self,
        owner: UserId,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>> {
        let key = match order.by {
            DeckSort::Name => "sortName",
            DeckSort::CreatedAt => "createdAt",
            DeckSort::UpdatedAt => "updatedAt",
        };
        let descending = order.descending != (page.direction == Direction::Backward);
        let cursor = page.cursor.as_ref().map(|cursor| match cursor {
            DeckKey::Name(name, id) => (Bson::from(name), id.to_bson()),
            DeckKey::CreatedAt(at, id) | DeckKey::UpdatedAt(at, id) => {
                (DateTime::from_millis(*at).into(), id.to_bson())
            }
        });
        let mut filter = beyond(key, descending, cursor);
        filter.insert("owner", owner);
        Box::pin(async move {
            let limit = i64::from(page.limit) + 1;
            let found = self.decks.find(filter).sort(sort(key, descending)).limit(limit).await?;
            Ok(Page::from_overfull(&page, all(found, Deck::try_from).await?))
        })
    }

    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>> {
        let descending = page.direction == Direction::Backward;
        let cursor = page.cursor.map(|CardKey(at, id)| (Bson::from(at), id.to_bson()));
        let cards = vec![
            doc! { "$match": beyond("position", descending, cursor) },
            doc! { "$sort": sort("position", descending) },
            doc! { "$limit": i64::from(page.limit) + 1 },
        ];
        // The server joins `$lookup` and `$unwind` into one step, so no document holds the cards of a whole page.
        let pipeline = vec![
            doc! { "$match": one_of(decks) },
            doc! { "$project": { "_id": 1 } },
            doc! { "$lookup": {
                "from": self.cards.name(),
                "localField": "_id",
                "foreignField": "deck",
                "pipeline": cards,
                "as": "card",
            } },
            doc! { "$unwind": "$card" },
            doc! { "$replaceRoot": { "newRoot": "$card" } },
        ];
        Box::pin(async move {
            // One batch, unless it is larger than a message.
            let found = self.decks.aggregate(pipeline).batch_size(100_000);
            let cursor = found.with_type::<CardDocument>().await?;
            Ok(pages(&page, all(cursor, Card::try_from).await?))
        })
    }

    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>> {
        Box::pin(async move {
            let found = self
                .cards
                .clone_with_type::<OutlineDocument>()
                .find(doc! { "deck": deck })
                .projection(doc! { "position": 1, "version": 1, "createdAt": 1 })
                .sort(sort("position", false))
                .await?;
            all(found, OutlineCard::try_from).await
        })
    }

    fn commit(&self, changes: Changes) -> Reply<'_, Commit> {
        Box::pin(async move { outcome(self.write(changes).await) })
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

impl OutboxStore for MongoStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found = self.outbox.find(doc! {}).sort(doc! { "_id": 1 }).limit(limit).await?;
            all(found, EventDocument::into_event).await
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.outbox.delete_many(one_of(events)).await?;
            Ok(())
        })
    }
}

/// Reads a cursor to its end.
async fn all<D, T>(
    cursor: Cursor<D>,
    read: impl Fn(D) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError>
where
    D: DeserializeOwned + Unpin + Send + Sync,
{
    let documents: Vec<D> = cursor.try_collect().await?;
    documents.into_iter().map(read).collect()
}

fn one_of(ids: Vec<impl Into<Bson>>) -> Document {
    doc! { "_id": { "$in": ids.into_iter().map(Into::into).collect::<Vec<Bson>>() } }
}

fn sort(key: &str, descending: bool) -> Document {
    let direction = if descending { -1 } else { 1 };
    doc! { key: direction, "_id": direction }
}

/// The rows beyond a cursor in the order of `key` and id; all rows when there is none.
fn beyond(key: &str, descending: bool, cursor: Option<(Bson, bson::Uuid)>) -> Document {
    let sign = if descending { "$lt" } else { "$gt" };
    match cursor {
        None => doc! {},
        Some((value, id)) => doc! { "$or": [
            { key: { sign: value.clone() } },
            { key: value, "_id": { sign: id } },
        ] },
    }
}
