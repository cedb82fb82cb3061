//! Files of published decks in MongoDB: a document for each in `publishedMedia`. Their bytes are the author's, in `mediaChunks`.

use common::{PublicationId, StoreError, UserId};
use mongodb::bson::{Binary, Document, Uuid, doc};
use mongodb::error::Result;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use super::filters::{all, one_of};
use super::media::{binary, hash_of};
use super::sharing::PUBLICATIONS;
use super::write::{exactly, insert};
use super::{MongoStore, ONE_BATCH};
use crate::model::{MediaKind, MediaName, PublishedMedia};
use crate::store::Reply;
use crate::store::sharing::ShareChanges;

pub(super) const PUBLISHED_MEDIA: &str = "publishedMedia";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublishedMediaDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    publication: Uuid,
    owner: Uuid,
    name: String,
    hash: Binary,
    content_type: String,
    size: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct UnlistedDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
}

impl From<&PublishedMedia> for PublishedMediaDocument {
    fn from(file: &PublishedMedia) -> Self {
        Self {
            id: file.id.to_bson(),
            publication: file.publication.to_bson(),
            owner: file.owner.to_bson(),
            name: file.name.text().to_owned(),
            hash: binary(&file.hash.0),
            content_type: file.kind.content_type().to_owned(),
            size: file.size,
        }
    }
}

impl TryFrom<PublishedMediaDocument> for PublishedMedia {
    type Error = StoreError;

    fn try_from(document: PublishedMediaDocument) -> std::result::Result<Self, StoreError> {
        let unreadable = || StoreError::Corrupt(format!("the published file {}", document.id));
        Ok(Self {
            id: document.id.into(),
            publication: document.publication.into(),
            owner: document.owner.into(),
            name: MediaName::stored(document.name),
            hash: hash_of(&document.hash).ok_or_else(unreadable)?,
            kind: MediaKind::of_content_type(&document.content_type).ok_or_else(unreadable)?,
            size: document.size,
        })
    }
}

impl MongoStore {
    fn published_files(&self) -> Collection<PublishedMediaDocument> {
        self.mongo.collection(PUBLISHED_MEDIA)
    }

    /// Published files that are meant; `limit` 0 is none.
    pub(super) fn published_media_by(
        &self,
        filter: Document,
        limit: i64,
    ) -> Reply<'_, Vec<PublishedMedia>> {
        let files = self.published_files();
        Box::pin(async move {
            let found = files.find(filter).limit(limit).batch_size(ONE_BATCH);
            all(found.await?, PublishedMedia::try_from).await
        })
    }

    pub(super) async fn unlisted_with_files(
        &self,
        limit: u32,
    ) -> std::result::Result<Vec<(PublicationId, UserId)>, StoreError> {
        let file = vec![doc! { "$limit": 1 }, doc! { "$project": { "_id": 1 } }];
        let pipeline = vec![
            doc! { "$match": { "listed": false } },
            doc! { "$lookup": {
                "from": PUBLISHED_MEDIA,
                "localField": "_id",
                "foreignField": "publication",
                "pipeline": file,
                "as": "files",
            } },
            doc! { "$match": { "files": { "$ne": [] } } },
            doc! { "$limit": i64::from(limit) },
            doc! { "$project": { "owner": 1 } },
        ];
        let unlisted = self.mongo.collection::<UnlistedDocument>(PUBLICATIONS);
        let found = unlisted.aggregate(pipeline).with_type::<UnlistedDocument>().await?;
        all(found, |found| Ok((found.id.into(), found.owner.into()))).await
    }

    /// Stores and deletes what `changes` say of the files of published decks.
    pub(super) async fn write_published_media(
        &self,
        session: &mut ClientSession,
        changes: &ShareChanges,
    ) -> Result<()> {
        let files = self.published_files();
        if !changes.dropped_media.is_empty() {
            let gone = files.delete_many(one_of(changes.dropped_media.clone()));
            let gone = gone.session(&mut *session).await?;
            exactly(gone.deleted_count, changes.dropped_media.len())?;
        }
        let new = changes.new_media.iter().map(PublishedMediaDocument::from);
        insert(session, &files, new).await
    }
}
