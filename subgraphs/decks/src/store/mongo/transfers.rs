//! Imports and exports in MongoDB: collections `transfers`, `transferParts`, `transferItems`. What nobody looks for is JSON, as in SQLite.

use std::collections::HashSet;

use common::mongo::Mongo;
use common::{NoteId, StoreError, TransferId, UserId};
use futures::FutureExt;
use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, Uuid, doc};
use mongodb::error::{Error, Result};
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use super::documents::{moment, timestamp};
use super::filters::{all, live};
use super::write::{exactly, insert};
use super::{MongoStore, ONE_BATCH};
use crate::model::{Direction, Item, Note, Transfer, TransferState};
use crate::store::transfers::{TransferStore, from_json, to_json};
use crate::store::{Changes, Commit, Reply, outcome};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    direction: i64,
    state: i64,
    /// Whether there is work to do.
    work: bool,
    created_at: DateTime,
    updated_at: DateTime,
    expires_at: DateTime,
    claimed_until: Option<DateTime>,
    revision: i64,
    body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PartDocument {
    transfer: Uuid,
    number: i64,
    bytes: Binary,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ItemDocument {
    transfer: Uuid,
    number: i64,
    body: String,
}

/// A card, as far as it says which note it is of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NoteOfCard {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) note: Uuid,
}

/// The collections of transfers.
#[derive(Debug, Clone)]
pub(super) struct Transfers {
    list: Collection<TransferDocument>,
    parts: Collection<PartDocument>,
    items: Collection<ItemDocument>,
}

impl Transfers {
    pub(super) fn of(mongo: &Mongo) -> Self {
        Self {
            list: mongo.collection("transfers"),
            parts: mongo.collection("transferParts"),
            items: mongo.collection("transferItems"),
        }
    }
}

/// The indexes that the queries here rely on.
pub(super) fn indexes() -> [(&'static str, &'static str, Document); 5] {
    [
        ("transfers", "by_owner", doc! { "owner": 1, "createdAt": 1 }),
        ("transfers", "with_work", doc! { "work": 1, "createdAt": 1, "_id": 1 }),
        ("transfers", "by_end", doc! { "expiresAt": 1 }),
        ("transferParts", "of_transfer", doc! { "transfer": 1, "number": 1 }),
        ("transferItems", "of_transfer", doc! { "transfer": 1, "number": 1 }),
    ]
}

impl TransferDocument {
    /// As it will be stored: with the next revision.
    fn new(transfer: &Transfer) -> std::result::Result<Self, StoreError> {
        Ok(Self {
            id: transfer.id.to_bson(),
            owner: transfer.owner.to_bson(),
            direction: transfer.direction.number(),
            state: transfer.state.number(),
            work: transfer.state.is_work(),
            created_at: moment(transfer.created_at),
            updated_at: moment(transfer.updated_at),
            expires_at: moment(transfer.expires_at),
            claimed_until: transfer.claimed_until.map(moment),
            revision: transfer.revision + 1,
            body: to_json(&transfer.body)?,
        })
    }

    fn read(self) -> std::result::Result<Transfer, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the transfer {}", self.id));
        Ok(Transfer {
            id: self.id.into(),
            owner: self.owner.into(),
            direction: Direction::of_number(self.direction).ok_or_else(corrupt)?,
            state: TransferState::of_number(self.state).ok_or_else(corrupt)?,
            created_at: timestamp(self.created_at)?,
            updated_at: timestamp(self.updated_at)?,
            expires_at: timestamp(self.expires_at)?,
            claimed_until: self.claimed_until.map(timestamp).transpose()?,
            revision: self.revision,
            body: from_json(&self.body)?,
        })
    }
}

impl MongoStore {
    /// Stores the transfer of some changes, with its items.
    pub(super) async fn put_transfer_in(
        &self,
        session: &mut ClientSession,
        changes: &Changes,
    ) -> Result<()> {
        let Some(transfer) = &changes.transfer else { return Ok(()) };
        self.replace_transfer(session, transfer).await?;
        let first = transfer.body.items.saturating_sub(changes.new_items.len() as u64);
        let item = |(index, item): (u64, &Item)| {
            Ok(ItemDocument {
                transfer: transfer.id.to_bson(),
                number: i64::try_from(first + index).unwrap_or(i64::MAX),
                body: to_json(item).map_err(Error::custom)?,
            })
        };
        let items: Result<Vec<_>> = (0..).zip(&changes.new_items).map(item).collect();
        insert(session, &self.transfers.items, items?).await?;
        if let Some(number) = changes.done_items {
            let done = doc! { "transfer": transfer.id, "number": { "$lte": number } };
            self.transfers.items.delete_many(done).session(session).await?;
        }
        Ok(())
    }

    /// A person's notes with these global ids that have a card which is not in the trash.
    pub(super) async fn known_notes(
        &self,
        owner: UserId,
        guids: Vec<String>,
    ) -> std::result::Result<Vec<Note>, StoreError> {
        let filter = doc! { "owner": owner, "guid": { "$in": guids } };
        let found = self.notes.find(filter).batch_size(ONE_BATCH).await?;
        let mut notes = all(found, Note::try_from).await?;
        let ids: Vec<NoteId> = notes.iter().map(|note| note.id).collect();
        let cards = self.cards.clone_with_type::<NoteOfCard>();
        let theirs = cards.find(live(doc! { "note": { "$in": ids } }));
        let theirs = theirs.projection(doc! { "note": 1 }).batch_size(ONE_BATCH).await?;
        let live: HashSet<NoteId> =
            all(theirs, |card| Ok(NoteId::from(card.note))).await?.into_iter().collect();
        notes.retain(|note| live.contains(&note.id));
        Ok(notes)
    }

    async fn replace_transfer(
        &self,
        session: &mut ClientSession,
        transfer: &Transfer,
    ) -> Result<()> {
        let document = TransferDocument::new(transfer).map_err(Error::custom)?;
        if transfer.revision == 0 {
            self.transfers.list.insert_one(document).session(session).await?;
            return Ok(());
        }
        let filter = doc! { "_id": transfer.id, "revision": transfer.revision };
        let replaced = self.transfers.list.replace_one(filter, document).session(session).await?;
        exactly(replaced.matched_count, 1)
    }

    async fn put(
        &self,
        transfer: Transfer,
        part: Option<PartDocument>,
    ) -> std::result::Result<(), StoreError> {
        let (store, mongo) = (self.clone(), self.mongo.clone());
        let work = std::sync::Arc::new((store, transfer, part));
        mongo
            .transaction(move |session| {
                let work = std::sync::Arc::clone(&work);
                async move {
                    let (store, transfer, part) = &*work;
                    store.replace_transfer(session, transfer).await?;
                    insert(session, &store.transfers.parts, part.clone()).await
                }
                .boxed()
            })
            .await
    }

    async fn find_transfers(
        &self,
        filter: Document,
        sort: Document,
        limit: u32,
    ) -> std::result::Result<Vec<Transfer>, StoreError> {
        let found = self.transfers.list.find(filter).sort(sort).limit(i64::from(limit)).await?;
        all(found, TransferDocument::read).await
    }
}

impl TransferStore for MongoStore {
    fn put_transfer(&self, transfer: Transfer) -> Reply<'_, Commit> {
        Box::pin(async move { outcome(self.put(transfer, None).await) })
    }

    fn transfer(&self, id: TransferId) -> Reply<'_, Option<Transfer>> {
        Box::pin(async move {
            let found = self.transfers.list.find_one(doc! { "_id": id }).await?;
            found.map(TransferDocument::read).transpose()
        })
    }

    fn transfers(&self, owner: UserId, direction: Option<Direction>) -> Reply<'_, Vec<Transfer>> {
        let mut filter = doc! { "owner": owner };
        if let Some(direction) = direction {
            filter.insert("direction", direction.number());
        }
        Box::pin(self.find_transfers(filter, doc! { "createdAt": -1, "_id": -1 }, 0))
    }

    fn waiting_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>> {
        let free =
            [doc! { "claimedUntil": Bson::Null }, doc! { "claimedUntil": { "$lte": moment(now) } }];
        let filter = doc! { "work": true, "$or": free.to_vec() };
        Box::pin(self.find_transfers(filter, doc! { "createdAt": 1, "_id": 1 }, limit))
    }

    fn expired_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>> {
        let filter = doc! { "expiresAt": { "$lte": moment(now) } };
        Box::pin(self.find_transfers(filter, doc! { "expiresAt": 1 }, limit))
    }

    fn delete_transfer(&self, id: TransferId) -> Reply<'_, ()> {
        Box::pin(async move {
            self.delete_parts(id).await?;
            self.transfers.list.delete_one(doc! { "_id": id }).await?;
            Ok(())
        })
    }

    fn put_part(&self, transfer: Transfer, number: u32, bytes: Vec<u8>) -> Reply<'_, Commit> {
        let part = PartDocument {
            transfer: transfer.id.to_bson(),
            number: number.into(),
            bytes: Binary { subtype: BinarySubtype::Generic, bytes },
        };
        Box::pin(async move { outcome(self.put(transfer, Some(part)).await) })
    }

    fn part(&self, id: TransferId, number: u32) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let filter = doc! { "transfer": id, "number": i64::from(number) };
            Ok(self.transfers.parts.find_one(filter).await?.map(|part| part.bytes.bytes))
        })
    }

    fn delete_parts(&self, id: TransferId) -> Reply<'_, ()> {
        Box::pin(async move {
            self.transfers.parts.delete_many(doc! { "transfer": id }).await?;
            self.transfers.items.delete_many(doc! { "transfer": id }).await?;
            Ok(())
        })
    }

    fn items(&self, id: TransferId, limit: u32) -> Reply<'_, Vec<(i64, Item)>> {
        Box::pin(async move {
            let found = self.transfers.items.find(doc! { "transfer": id });
            let found = found.sort(doc! { "number": 1 }).limit(i64::from(limit)).await?;
            all(found, |item| Ok((item.number, from_json(&item.body)?))).await
        })
    }
}
