//! What administrators set, in a MongoDB database. The key is the id, so the collection needs no other index.

use common::StoreError;
use common::mongo::Mongo;
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{self, DateTime, doc};
use serde::{Deserialize, Serialize};

use super::{Answer, Store};
use crate::model::Override;

/// A store in a MongoDB database.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    overrides: Collection<OverrideDocument>,
}

impl MongoStore {
    /// Uses a database.
    #[must_use]
    pub fn new(mongo: Mongo) -> Self {
        Self { overrides: mongo.collection("overrides"), mongo }
    }
}

impl Store for MongoStore {
    fn overrides(&self) -> Answer<'_, Vec<Override>> {
        Box::pin(async move {
            let found = self.overrides.find(doc! {}).sort(doc! { "_id": 1 }).await?;
            let found: Vec<_> = found.try_collect().await?;
            found.into_iter().map(OverrideDocument::read).collect()
        })
    }

    fn put(&self, change: Override) -> Answer<'_, ()> {
        Box::pin(async move {
            let document = OverrideDocument::of(&change);
            let same_key = doc! { "_id": &document.key };
            self.overrides.replace_one(same_key, document).upsert(true).await?;
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.overrides.delete_one(doc! { "_id": key }).await?;
            Ok(())
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct OverrideDocument {
    #[serde(rename = "_id")]
    key: String,
    /// As JSON: so that a value is never read as a structure of the database's.
    value: String,
    set_at: DateTime,
    set_by: bson::Uuid,
}

impl OverrideDocument {
    fn of(change: &Override) -> Self {
        Self {
            key: change.key.clone(),
            value: change.value.to_string(),
            set_at: DateTime::from_millis(change.set_at.as_millisecond()),
            set_by: change.set_by.to_bson(),
        }
    }

    fn read(self) -> Result<Override, StoreError> {
        Ok(Override {
            key: self.key,
            value: serde_json::from_str(&self.value).map_err(corrupt)?,
            set_at: Timestamp::from_millisecond(self.set_at.timestamp_millis()).map_err(corrupt)?,
            set_by: self.set_by.into(),
        })
    }
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
