//! What administrators did, in a MongoDB database. Key and version are the id, so a version is kept once.

use common::mongo::Mongo;
use common::page::{Direction, PageRequest};
use common::{ConfigChangeId, StoreError};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{self, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use serde::{Deserialize, Serialize};

use super::{Answer, Store};
use crate::model::Change;

/// A store in a MongoDB database.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    changes: Collection<ChangeDocument>,
}

impl MongoStore {
    /// Uses a database, and takes over what an earlier version kept in it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        let store = Self { changes: mongo.collection("changes"), mongo };
        for (name, keys, unique) in [
            ("changeId", doc! { "changeId": 1 }, true),
            ("keyVersion", doc! { "_id.key": 1, "_id.version": -1 }, false),
        ] {
            let options = IndexOptions::builder().unique(unique).build();
            store.mongo.ensure_index("changes", name, keys, options).await?;
        }
        store.take_over().await?;
        Ok(store)
    }

    /// Before there was a history, each key that was set had one document, which becomes its first change. Doing it twice, or in two
    /// processes at once, does no harm.
    async fn take_over(&self) -> Result<(), StoreError> {
        let former: Collection<Former> = self.mongo.collection("overrides");
        let mut found = former.find(doc! {}).await?;
        while let Some(Former { key, value, set_at, set_by }) = found.try_next().await? {
            let change = Change {
                id: ConfigChangeId::new(),
                key: key.clone(),
                version: 1,
                value: Some(value),
                made_at: moment(set_at)?,
                made_by: set_by.into(),
            };
            match self.append(change).await {
                Ok(()) | Err(StoreError::Duplicate { .. }) => {}
                Err(error) => return Err(error),
            }
            former.delete_one(doc! { "_id": key }).await?;
        }
        Ok(())
    }
}

impl Store for MongoStore {
    fn last(&self) -> Answer<'_, Vec<Change>> {
        Box::pin(async move {
            let pipeline = [
                doc! { "$sort": { "_id.key": 1, "_id.version": -1 } },
                doc! { "$group": { "_id": "$_id.key", "last": { "$first": "$$ROOT" } } },
                doc! { "$replaceRoot": { "newRoot": "$last" } },
            ];
            let found = self.changes.aggregate(pipeline).with_type::<ChangeDocument>().await?;
            let found: Vec<_> = found.try_collect().await?;
            let mut last: Vec<Change> =
                found.into_iter().map(ChangeDocument::read).collect::<Result<_, _>>()?;
            last.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            Ok(last)
        })
    }

    fn version<'a>(&'a self, key: &'a str, version: i64) -> Answer<'a, Option<Change>> {
        Box::pin(async move {
            let id = doc! { "_id": { "key": key, "version": version } };
            self.changes.find_one(id).await?.map(ChangeDocument::read).transpose()
        })
    }

    fn history<'a>(
        &'a self,
        key: Option<&'a str>,
        page: PageRequest<ConfigChangeId>,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(async move {
            let (beyond, order) = match page.direction {
                Direction::Forward => ("$lt", -1),
                Direction::Backward => ("$gt", 1),
            };
            let mut filter = Document::new();
            if let Some(key) = key {
                filter.insert("_id.key", key);
            }
            if let Some(cursor) = page.cursor {
                filter.insert("changeId", doc! { beyond: cursor });
            }
            let found = self
                .changes
                .find(filter)
                .sort(doc! { "changeId": order })
                .limit(i64::from(page.limit) + 1)
                .await?;
            let found: Vec<_> = found.try_collect().await?;
            found.into_iter().map(ChangeDocument::read).collect()
        })
    }

    fn append(&self, change: Change) -> Answer<'_, ()> {
        Box::pin(async move {
            self.changes.insert_one(ChangeDocument::of(change)).await?;
            Ok(())
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeDocument {
    #[serde(rename = "_id")]
    id: KeyVersion,
    change_id: bson::Uuid,
    /// As JSON: so that a value is never read as a structure of the database's.
    value: Option<String>,
    made_at: DateTime,
    made_by: bson::Uuid,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeyVersion {
    key: String,
    version: i64,
}

impl ChangeDocument {
    fn of(change: Change) -> Self {
        Self {
            id: KeyVersion { key: change.key, version: change.version },
            change_id: change.id.to_bson(),
            value: change.value,
            made_at: DateTime::from_millis(change.made_at.as_millisecond()),
            made_by: change.made_by.to_bson(),
        }
    }

    fn read(self) -> Result<Change, StoreError> {
        Ok(Change {
            id: self.change_id.into(),
            key: self.id.key,
            version: self.id.version,
            value: self.value,
            made_at: moment(self.made_at)?,
            made_by: self.made_by.into(),
        })
    }
}

/// What an earlier version kept.
#[derive(Debug, Serialize, Deserialize)]
struct Former {
    #[serde(rename = "_id")]
    key: String,
    value: String,
    set_at: DateTime,
    set_by: bson::Uuid,
}

fn moment(at: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at.timestamp_millis())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}
