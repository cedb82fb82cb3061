//! Media in MongoDB: a document for each file in `media` or, when it is deleted, in `trashedMedia`, and one for each chunk of its bytes in `mediaChunks`. A note's document holds the names that
//! its fields hold.

use std::collections::HashSet;

use bytes::Bytes;
use common::page::{Direction, Page, PageRequest};
use common::{MediaId, StoreError, TransferId, TrashId, UserId};
use futures::TryStreamExt;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, Uuid, doc};
use mongodb::error::Result;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use super::documents::{moment, timestamp};
use super::filters::{all, one_of};
use super::public_media::PUBLISHED_MEDIA;
use super::write::{exactly, insert};
use super::{MongoStore, ONE_BATCH};
use crate::model::{ContentHash, Media, MediaFilter, MediaKind, MediaName, MediaTotals, Note};
use crate::references::media_of;
use crate::store::media::{MediaStore, NewContent};
use crate::store::{Changes, Reply};

const TRASHED_MEDIA: &str = "trashedMedia";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    name: String,
    hash: Binary,
    content_type: String,
    size: i64,
    created_at: DateTime,
    /// The import that stored it, until it is its owner's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    staged_by: Option<Uuid>,
}

/// A file in the trash.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TrashedDocument {
    #[serde(flatten)]
    media: MediaDocument,
    trash: Uuid,
}

/// What bytes are kept for.
#[derive(Debug, Serialize, Deserialize)]
struct HolderDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    hash: Binary,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChunkDocument {
    owner: Uuid,
    hash: Binary,
    number: i64,
    bytes: Binary,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TotalsDocument {
    files: i64,
    bytes: i64,
}

pub(super) fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}

pub(super) fn hash_of(binary: &Binary) -> Option<ContentHash> {
    binary.bytes.as_slice().try_into().ok().map(ContentHash)
}

impl MediaDocument {
    fn new(media: &Media, staged_by: Option<TransferId>) -> Self {
        Self {
            id: media.id.to_bson(),
            owner: media.owner.to_bson(),
            name: media.name.text().to_owned(),
            hash: binary(&media.hash.0),
            content_type: media.kind.content_type().to_owned(),
            size: media.size,
            created_at: moment(media.created_at),
            staged_by: staged_by.map(TransferId::to_bson),
        }
    }
}

impl TryFrom<MediaDocument> for Media {
    type Error = StoreError;

    fn try_from(document: MediaDocument) -> std::result::Result<Self, StoreError> {
        let unreadable = || StoreError::Corrupt(format!("the media file {}", document.id));
        let hash = hash_of(&document.hash).ok_or_else(unreadable)?;
        let kind = MediaKind::of_content_type(&document.content_type).ok_or_else(unreadable)?;
        Ok(Self {
            id: document.id.into(),
            owner: document.owner.into(),
            name: MediaName::stored(document.name),
            hash,
            kind,
            size: document.size,
            created_at: timestamp(document.created_at)?,
        })
    }
}

/// The indexes by which media are found, other than those that keep names and chunks apart.
pub(super) fn indexes() -> [(&'static str, &'static str, Document); 4] {
    [
        ("notes", "by_media", doc! { "media": 1, "owner": 1 }),
        ("media", "by_hash", doc! { "owner": 1, "hash": 1 }),
        (TRASHED_MEDIA, "by_hash", doc! { "owner": 1, "hash": 1 }),
        (TRASHED_MEDIA, "by_entry", doc! { "trash": 1 }),
    ]
}

/// The names of files that a note's fields hold.
pub(super) fn names_in(note: &Note) -> Vec<String> {
    media_of(&note.content).iter().map(|name| name.text().to_owned()).collect()
}

/// What is asked of all of a person's files that are meant.
fn theirs(owner: UserId, filter: MediaFilter) -> Document {
    let mut theirs = doc! { "owner": owner };
    if !filter.with_staged {
        theirs.insert("stagedBy", Bson::Null);
    }
    theirs
}

/// The steps after which only files that notes name are left, or only others.
fn used(filter: MediaFilter) -> Vec<Document> {
    let Some(unused) = filter.unused else { return Vec::new() };
    let notes = vec![
        doc! { "$match": { "$expr": { "$eq": ["$owner", "$$owner"] } } },
        doc! { "$limit": 1 },
        doc! { "$project": { "_id": 1 } },
    ];
    vec![
        doc! { "$lookup": {
            "from": "notes",
            "localField": "name",
            "foreignField": "media",
            "let": { "owner": "$owner" },
            "pipeline": notes,
            "as": "notes",
        } },
        doc! { "$match": { "notes": { "$size": i32::from(!unused) } } },
    ]
}

impl MediaStore for MongoStore {
    fn media(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<Media>> {
        Box::pin(async move { all(self.media.find(one_of(ids)).await?, Media::try_from).await })
    }

    fn media_named(&self, owner: UserId, names: Vec<MediaName>) -> Reply<'_, Vec<Media>> {
        let names: Vec<&str> = names.iter().map(MediaName::text).collect();
        let found = self.media.find(doc! { "owner": owner, "name": { "$in": names } });
        Box::pin(async move { all(found.await?, Media::try_from).await })
    }

    fn holders(
        &self,
        owner: UserId,
        hashes: Vec<ContentHash>,
    ) -> Reply<'_, Vec<(MediaId, ContentHash)>> {
        let hashes: Vec<Binary> = hashes.iter().map(|hash| binary(&hash.0)).collect();
        let theirs = doc! { "owner": owner, "hash": { "$in": hashes } };
        let of = async move |collection: &str| {
            let holders = self.mongo.collection::<HolderDocument>(collection);
            let found = holders.find(theirs.clone());
            let found = found.projection(doc! { "hash": 1 }).batch_size(ONE_BATCH).await?;
            let holder = |found: HolderDocument| {
                let unreadable = || StoreError::Corrupt(format!("the hash of {}", found.id));
                Ok((found.id.into(), hash_of(&found.hash).ok_or_else(unreadable)?))
            };
            all(found, holder).await
        };
        Box::pin(async move {
            let mut holders = Vec::new();
            for collection in [self.media.name(), TRASHED_MEDIA, PUBLISHED_MEDIA] {
                holders.append(&mut of(collection).await?);
            }
            Ok(holders)
        })
    }

    fn trashed_media(
        &self,
        owner: UserId,
        entry: Option<TrashId>,
        limit: u32,
    ) -> Reply<'_, Vec<(Media, TrashId)>> {
        let mut theirs = doc! { "owner": owner };
        theirs.extend(entry.map(|entry| ("trash".to_owned(), Bson::from(entry))));
        Box::pin(async move {
            let found = self.trashed_files().find(theirs).limit(i64::from(limit)).await?;
            all(found, |file| Ok((file.media.try_into()?, file.trash.into()))).await
        })
    }

    fn media_ending_with(&self, entry: TrashId, limit: u32) -> Reply<'_, Vec<Media>> {
        Box::pin(self.ending_with(entry, limit))
    }

    fn staged_media(&self, import: TransferId, limit: u32) -> Reply<'_, Vec<Media>> {
        let found = self.media.find(doc! { "stagedBy": import }).limit(i64::from(limit));
        Box::pin(async move { all(found.await?, Media::try_from).await })
    }

    fn staging_of(&self, ids: Vec<MediaId>) -> Reply<'_, Vec<(MediaId, TransferId)>> {
        Box::pin(async move {
            let mut staged = one_of(ids);
            staged.insert("stagedBy", doc! { "$exists": true });
            let staging =
                |file: MediaDocument| Ok(file.staged_by.map(|by| (file.id.into(), by.into())));
            let found = all(self.media.find(staged).await?, staging).await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn names_in_notes(&self, owner: UserId, names: Vec<MediaName>) -> Reply<'_, Vec<MediaName>> {
        let texts: Vec<&str> = names.iter().map(MediaName::text).collect();
        let theirs = doc! { "owner": owner, "media": { "$in": texts } };
        let found = self.notes.distinct("media", theirs);
        Box::pin(async move {
            let found: HashSet<String> = found
                .await?
                .into_iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            Ok(names.into_iter().filter(|name| found.contains(name.text())).collect())
        })
    }

    fn media_page(
        &self,
        owner: UserId,
        filter: MediaFilter,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Media>> {
        let (direction, sign) = match page.direction {
            Direction::Forward => (1, "$gt"),
            Direction::Backward => (-1, "$lt"),
        };
        let mut theirs = theirs(owner, filter);
        if let Some(name) = &page.cursor {
            theirs.insert("name", doc! { sign: name });
        }
        let mut pipeline = vec![
            doc! { "$match": theirs },
            doc! { "$sort": { "owner": direction, "name": direction } },
        ];
        pipeline.extend(used(filter));
        pipeline.push(doc! { "$limit": i64::from(page.limit) + 1 });
        Box::pin(async move {
            let found = self.media.aggregate(pipeline).with_type::<MediaDocument>().await?;
            Ok(Page::from_overfull(&page, all(found, Media::try_from).await?))
        })
    }

    fn media_totals(&self, owner: UserId, filter: MediaFilter) -> Reply<'_, MediaTotals> {
        let mut pipeline = vec![doc! { "$match": theirs(owner, filter) }];
        pipeline.extend(used(filter));
        pipeline.push(doc! { "$group": {
            "_id": null, "files": { "$sum": 1i64 }, "bytes": { "$sum": "$size" },
        } });
        Box::pin(async move {
            let found = self.media.aggregate(pipeline).with_type::<TotalsDocument>().await?;
            let totals: Option<TotalsDocument> = found.try_collect::<Vec<_>>().await?.pop();
            let totals = totals.map(|found| MediaTotals { files: found.files, bytes: found.bytes });
            Ok(totals.unwrap_or_default())
        })
    }

    fn media_chunk(
        &self,
        owner: UserId,
        hash: ContentHash,
        number: i64,
    ) -> Reply<'_, Option<Bytes>> {
        let chunk = doc! { "owner": owner, "hash": binary(&hash.0), "number": number };
        Box::pin(async move {
            let found = self.chunks.find_one(chunk).await?;
            Ok(found.map(|chunk| Bytes::from(chunk.bytes.bytes)))
        })
    }
}

impl MongoStore {
    /// Stores and deletes what `changes` say of media.
    pub(super) async fn write_media(
        &self,
        session: &mut ClientSession,
        changes: &Changes,
    ) -> Result<()> {
        for content in &changes.new_contents {
            self.insert_content(session, content).await?;
        }
        let new = changes.new_media.iter();
        let new = new.map(|media| MediaDocument::new(media, changes.staged_by));
        insert(session, &self.media, new).await?;
        let own = doc! { "$unset": { "stagedBy": "" } };
        if !changes.adopted_media.is_empty() {
            let mut staged = one_of(changes.adopted_media.clone());
            staged.insert("stagedBy", doc! { "$exists": true });
            let adopted = self.media.update_many(staged, own.clone()).session(&mut *session);
            exactly(adopted.await?.matched_count, changes.adopted_media.len())?;
        }
        if let Some(import) = changes.adopted_from {
            let staged = doc! { "stagedBy": import };
            self.media.update_many(staged, own).session(&mut *session).await?;
        }
        if !changes.deleted_media.is_empty() {
            let filter = one_of(changes.deleted_media.clone());
            let gone = self.media.delete_many(filter).session(&mut *session).await?;
            exactly(gone.deleted_count, changes.deleted_media.len())?;
        }
        self.write_trashed(session, changes).await?;
        for (owner, hash) in &changes.deleted_contents {
            let theirs = doc! { "owner": *owner, "hash": binary(&hash.0) };
            self.chunks.delete_many(theirs).session(&mut *session).await?;
        }
        Ok(())
    }

    fn trashed_files(&self) -> Collection<TrashedDocument> {
        self.mongo.collection(TRASHED_MEDIA)
    }

    async fn write_trashed(&self, session: &mut ClientSession, changes: &Changes) -> Result<()> {
        let files = self.trashed_files();
        if !changes.trashed_media.is_empty() {
            let ids = changes.trashed_media.iter().map(|(media, _)| media.id).collect();
            let gone = self.media.delete_many(one_of(ids)).session(&mut *session).await?;
            exactly(gone.deleted_count, changes.trashed_media.len())?;
            let trashed = changes.trashed_media.iter().map(|(media, trash)| TrashedDocument {
                media: MediaDocument::new(media, None),
                trash: trash.to_bson(),
            });
            insert(session, &files, trashed).await?;
        }
        if !changes.untrashed_media.is_empty() {
            let ids = changes.untrashed_media.iter().map(|(media, _)| *media).collect();
            let gone = files.delete_many(one_of(ids)).session(&mut *session).await?;
            exactly(gone.deleted_count, changes.untrashed_media.len())?;
        }
        let entries: HashSet<TrashId> =
            changes.untrashed_media.iter().map(|(_, trash)| *trash).collect();
        for trash in entries {
            let left = files.find_one(doc! { "trash": trash }).session(&mut *session).await?;
            if left.is_none() {
                self.trash.delete_one(doc! { "_id": trash }).session(&mut *session).await?;
            }
        }
        Ok(())
    }

    /// The files that only notes name which end with an entry of the trash: all their cards lie in it, or in a deck in it.
    async fn ending_with(
        &self,
        entry: TrashId,
        limit: u32,
    ) -> std::result::Result<Vec<Media>, StoreError> {
        let decks = self.decks.distinct("_id", doc! { "trash": entry }).await?;
        let going = doc! { "$or": [{ "trash": entry }, { "deck": { "$in": decks.clone() } }] };
        let staying = doc! { "trash": { "$ne": entry }, "deck": { "$nin": decks } };
        let cards_that_stay = vec![
            doc! { "$match": staying },
            doc! { "$limit": 1 },
            doc! { "$project": { "_id": 1 } },
        ];
        let notes_that_stay = vec![
            doc! { "$match": { "$expr": { "$eq": ["$owner", "$$owner"] } } },
            doc! { "$lookup": {
                "from": self.cards.name(),
                "localField": "_id",
                "foreignField": "note",
                "pipeline": cards_that_stay,
                "as": "cards",
            } },
            doc! { "$match": { "cards": { "$ne": [] } } },
            doc! { "$limit": 1 },
            doc! { "$project": { "_id": 1 } },
        ];
        let same = doc! { "$and": [
            { "$eq": ["$owner", "$$owner"] },
            { "$eq": ["$name", "$$name"] },
        ] };
        let file = vec![doc! { "$match": { "$expr": same, "stagedBy": null } }];
        let pipeline = vec![
            doc! { "$match": going },
            doc! { "$group": { "_id": "$note" } },
            doc! { "$lookup": {
                "from": self.notes.name(),
                "localField": "_id",
                "foreignField": "_id",
                "pipeline": [{ "$project": { "media": 1, "owner": 1 } }],
                "as": "note",
            } },
            doc! { "$unwind": "$note" },
            doc! { "$unwind": "$note.media" },
            doc! { "$group": { "_id": { "owner": "$note.owner", "name": "$note.media" } } },
            doc! { "$lookup": {
                "from": self.media.name(),
                "let": { "owner": "$_id.owner", "name": "$_id.name" },
                "pipeline": file,
                "as": "file",
            } },
            doc! { "$unwind": "$file" },
            doc! { "$replaceRoot": { "newRoot": "$file" } },
            doc! { "$lookup": {
                "from": self.notes.name(),
                "localField": "name",
                "foreignField": "media",
                "let": { "owner": "$owner" },
                "pipeline": notes_that_stay,
                "as": "notes",
            } },
            doc! { "$match": { "notes": [] } },
            doc! { "$limit": i64::from(limit) },
        ];
        let found = self.cards.aggregate(pipeline).with_type::<MediaDocument>().await?;
        all(found, Media::try_from).await
    }

    /// One chunk at a time, so that the bytes are not there twice.
    async fn insert_content(
        &self,
        session: &mut ClientSession,
        content: &NewContent,
    ) -> Result<()> {
        for (number, chunk) in content.chunks() {
            let (owner, hash) = (content.owner.to_bson(), binary(&content.hash.0));
            let document = ChunkDocument { owner, hash, number, bytes: binary(chunk) };
            self.chunks.insert_one(document).session(&mut *session).await?;
        }
        Ok(())
    }
}
