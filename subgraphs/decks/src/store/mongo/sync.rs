//! The numbers of changes, and what changed since one.

use std::cmp::Ordering;

use common::{StoreError, UserId};
use mongodb::ClientSession;
use mongodb::bson::{self, Uuid, doc};
use mongodb::options::ReturnDocument;
use serde::{Deserialize, Serialize};

use super::filters::all;
use super::{MongoStore, ONE_BATCH};
use crate::model::{ChangeKey, Kind};

/// The number of a person's last change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SyncDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    change: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ChangedDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    change: i64,
}

impl MongoStore {
    /// The number of a new change of a person's. Two changes at once meet here: one of them begins anew.
    pub(super) async fn next_change(
        &self,
        session: &mut ClientSession,
        owner: UserId,
    ) -> mongodb::error::Result<i64> {
        let next = self
            .sync
            .find_one_and_update(doc! { "_id": owner }, doc! { "$inc": { "change": 1i64 } })
            .upsert(true)
            .return_document(ReturnDocument::After)
            .session(session)
            .await?;
        Ok(next.map_or(0, |sync| sync.change))
    }

    /// The documents in the order of their changes beyond a place, and the number of the last change there is.
    pub(super) async fn changes_after(
        &self,
        owner: UserId,
        after: ChangeKey,
        limit: u32,
    ) -> Result<(Vec<ChangeKey>, i64), StoreError> {
        // First, so that it is not beyond what the documents are read of.
        let last = self.sync.find_one(doc! { "_id": owner }).await?;
        let mut keys = Vec::new();
        for kind in Kind::ALL {
            let id = bson::Uuid::from_bytes(after.id.into_bytes());
            let beyond = match kind.cmp(&after.kind) {
                Ordering::Less => doc! { "change": { "$gt": after.change } },
                Ordering::Greater => doc! { "change": { "$gte": after.change } },
                Ordering::Equal => doc! { "$or": [
                    { "change": { "$gt": after.change } },
                    { "change": after.change, "_id": { "$gt": id } },
                ] },
            };
            let mut filter = doc! { "owner": owner };
            filter.extend(beyond);
            let name = match kind {
                Kind::Deck => self.decks.name(),
                Kind::Note => self.notes.name(),
                Kind::Card => self.cards.name(),
            };
            let documents = self.mongo.collection::<ChangedDocument>(name);
            let found = documents.find(filter).projection(doc! { "change": 1 });
            let found = found.sort(doc! { "change": 1, "_id": 1 }).limit(limit.into());
            let key = |document: ChangedDocument| {
                let id = uuid::Uuid::from_bytes(document.id.bytes());
                Ok(ChangeKey { change: document.change, kind, id })
            };
            keys.append(&mut all(found.batch_size(ONE_BATCH).await?, key).await?);
        }
        keys.sort_unstable();
        keys.truncate(limit as usize);
        Ok((keys, last.map_or(0, |sync| sync.change)))
    }
}
