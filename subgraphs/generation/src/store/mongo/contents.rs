//! Contents in a MongoDB database, collection `contents`, and what the service is to delete, `removals`.

use common::mongo::Mongo;
use common::page::{Direction, PageRequest};
use common::{ContentId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{self, Bson, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MongoStore, Step, date};
use crate::model::{Content, Status};
use crate::store::contents::{Added, ContentStore, Most, Removal, What, read, written};
use crate::store::{Reply, moment};

/// The collections of contents.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    contents: Collection<ContentDocument>,
    removals: Collection<RemovalDocument>,
}

impl Contents {
    pub(super) async fn open(mongo: &Mongo) -> Result<Self, StoreError> {
        let unfinished =
            IndexOptions::builder().partial_filter_expression(doc! { "unfinished": true }).build();
        let plain = IndexOptions::default;
        for (collection, name, keys, options) in [
            ("contents", "of_owner", doc! { "owner": 1, "_id": 1 }, plain()),
            ("contents", "unfinished", doc! { "unfinished": 1, "_id": 1 }, unfinished),
            ("removals", "by_due", doc! { "due": 1 }, plain()),
            ("removals", "of_owner", doc! { "owner": 1 }, plain()),
        ] {
            mongo.ensure_index(collection, name, keys, options).await?;
        }
        let (contents, removals) = (mongo.collection("contents"), mongo.collection("removals"));
        Ok(Self { contents, removals })
    }

    /// Deletes what is kept of a person's contents; the service is to delete all it has of them.
    pub(super) async fn forget(
        &self,
        session: &mut ClientSession,
        owner: UserId,
        now: Timestamp,
    ) -> mongodb::error::Result<()> {
        self.contents.delete_many(doc! { "owner": owner }).session(&mut *session).await?;
        self.removals.delete_many(doc! { "owner": owner }).session(&mut *session).await?;
        let removals = Removal::of_all(owner, now).map(RemovalDocument::of);
        self.removals.insert_many(removals).session(session).await?;
        Ok(())
    }

    async fn remove(
        &self,
        session: &mut ClientSession,
        content: Content,
        now: Timestamp,
    ) -> Step<bool> {
        let of_version = doc! { "_id": content.id, "version": content.version };
        let removed = self.contents.delete_one(of_version).session(&mut *session).await?;
        if removed.deleted_count != 1 {
            return Ok(Ok(false));
        }
        if let Some(remote) = content.remote {
            let removal = RemovalDocument::of(Removal::of(content.owner, remote, now));
            self.removals.insert_one(removal).session(session).await?;
        }
        Ok(Ok(true))
    }

    async fn found(
        &self,
        filter: Document,
        order: i32,
        limit: i64,
    ) -> Result<Vec<Content>, StoreError> {
        let found = self.contents.find(filter).sort(doc! { "_id": order }).limit(limit).await?;
        let found: Vec<ContentDocument> = found.try_collect().await?;
        found.iter().map(|document| read(&document.body)).collect()
    }
}

impl MongoStore {
    async fn add_content(
        &self,
        session: &mut ClientSession,
        content: &Content,
        most: Most,
    ) -> Step<Added> {
        // So that an account does not end, and nobody adds another one, meanwhile.
        self.lock(session).await?;
        let owner = content.owner.to_bson();
        let gone = self.owners.find_one(doc! { "_id": owner }).session(&mut *session).await?;
        if gone.is_some() {
            return Ok(Ok(Added::Gone));
        }
        let contents = &self.contents.contents;
        let mut counts = [0; 2];
        for (count, filter) in counts
            .iter_mut()
            .zip([doc! { "owner": owner }, doc! { "owner": owner, "unfinished": true }])
        {
            *count = contents.count_documents(filter).session(&mut *session).await?;
        }
        let admitted = most.admits(counts[0], counts[1]);
        if admitted != Added::New {
            return Ok(Ok(admitted));
        }
        match ContentDocument::of(content) {
            Ok(document) => contents.insert_one(document).session(session).await?,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(Added::New))
    }
}

impl ContentStore for MongoStore {
    fn insert_content(&self, content: Content, most: Most) -> Reply<'_, Added> {
        let (this, mongo) = (self.clone(), self.mongo.clone());
        Box::pin(async move {
            let added = mongo.transaction(move |session| {
                let (this, content) = (this.clone(), content.clone());
                Box::pin(async move { this.add_content(session, &content, most).await })
            });
            added.await?
        })
    }

    fn contents(&self, ids: Vec<ContentId>) -> Reply<'_, Vec<Content>> {
        let ids: Vec<Bson> = ids.into_iter().map(Bson::from).collect();
        Box::pin(async move { self.contents.found(doc! { "_id": { "$in": ids } }, 1, 0).await })
    }

    fn content_page(&self, owner: UserId, page: PageRequest<ContentId>) -> Reply<'_, Vec<Content>> {
        Box::pin(async move {
            let (beyond, order) = match page.direction {
                Direction::Forward => ("$lt", -1),
                Direction::Backward => ("$gt", 1),
            };
            let mut filter = doc! { "owner": owner };
            if let Some(cursor) = page.cursor {
                filter.insert("_id", doc! { beyond: cursor });
            }
            self.contents.found(filter, order, i64::from(page.limit) + 1).await
        })
    }

    fn replace_content(&self, content: Content) -> Reply<'_, bool> {
        Box::pin(async move {
            let document = ContentDocument::of(&content)?;
            let last = doc! { "_id": content.id, "version": content.version - 1 };
            let replaced = self.contents.contents.replace_one(last, document).await?;
            Ok(replaced.matched_count == 1)
        })
    }

    fn remove_content(&self, content: Content, now: Timestamp) -> Reply<'_, bool> {
        let (contents, mongo) = (self.contents.clone(), self.mongo.clone());
        Box::pin(async move {
            let removed = mongo.transaction(move |session| {
                let (contents, content) = (contents.clone(), content.clone());
                Box::pin(async move { contents.remove(session, content, now).await })
            });
            removed.await?
        })
    }

    fn unfinished_contents(&self, limit: u32) -> Reply<'_, Vec<Content>> {
        Box::pin(async move {
            self.contents.found(doc! { "unfinished": true }, 1, i64::from(limit)).await
        })
    }

    fn insert_removal(&self, removal: Removal) -> Reply<'_, ()> {
        Box::pin(async move {
            self.contents.removals.insert_one(RemovalDocument::of(removal)).await?;
            Ok(())
        })
    }

    fn removals(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Removal>> {
        Box::pin(async move {
            let due = self.contents.removals.find(doc! { "due": { "$lte": date(now) } });
            let found = due.sort(doc! { "due": 1 }).limit(i64::from(limit)).await?;
            let found: Vec<RemovalDocument> = found.try_collect().await?;
            found.into_iter().map(RemovalDocument::read).collect()
        })
    }

    fn removed(&self, removal: Uuid) -> Reply<'_, ()> {
        Box::pin(async move {
            let id = bson::Uuid::from_bytes(removal.into_bytes());
            self.contents.removals.delete_one(doc! { "_id": id }).await?;
            Ok(())
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ContentDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    owner: bson::Uuid,
    version: i64,
    unfinished: bool,
    /// As JSON: so that no text is ever read as a structure of the database's.
    body: String,
}

impl ContentDocument {
    fn of(content: &Content) -> Result<Self, StoreError> {
        Ok(Self {
            id: content.id.to_bson(),
            owner: content.owner.to_bson(),
            version: content.version,
            unfinished: content.status == Status::Processing,
            body: written(content)?,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct RemovalDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    owner: bson::Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    due: DateTime,
}

impl RemovalDocument {
    fn of(removal: Removal) -> Self {
        let Removal { id, owner, what, due } = removal;
        let id = bson::Uuid::from_bytes(id.into_bytes());
        let (remote, source, since) = what.columns();
        Self { id, owner: owner.to_bson(), remote, source, since, due: date(due) }
    }

    fn read(self) -> Result<Removal, StoreError> {
        Ok(Removal {
            id: Uuid::from_bytes(self.id.bytes()),
            owner: self.owner.into(),
            what: What::of((self.remote, self.source, self.since))?,
            due: moment(self.due.timestamp_millis())?,
        })
    }
}
