//! How published decks, releases, clones and ratings are written in MongoDB. Nothing outside the store sees these.

use common::StoreError;
use mongodb::bson::{Bson, DateTime, Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::documents::{TagsDocument, kind, moment, timestamp};
use crate::model::{
    Content, Field, Licence, Links, Publication, PublishedDeck, PublishedNote, PublishedPlace,
    Release, Subscription,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublicationDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    deck: Uuid,
    owner: Uuid,
    slug: String,
    title: String,
    description: String,
    licence: i64,
    author: Option<String>,
    listed: bool,
    created_at: DateTime,
    updated_at: DateTime,
    release: i64,
    deck_count: i64,
    note_count: i64,
    card_count: i64,
    rating_sum: i64,
    rating_count: i64,
    rating_rank: i64,
    subscriber_count: i64,
    revision: i64,
    #[serde(default)]
    media_count: i64,
    #[serde(default)]
    media_bytes: i64,
    words: Vec<String>,
    #[serde(flatten)]
    tags: TagsDocument,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReleaseDocument {
    publication: Uuid,
    number: i64,
    change_note: String,
    published_at: DateTime,
    deck_count: i64,
    note_count: i64,
    card_count: i64,
    /// JSON, as in every other store; left out where only the release is asked for.
    #[serde(default)]
    decks: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishedNoteDocument {
    publication: Uuid,
    origin: Uuid,
    since: i64,
    until: Option<i64>,
    deck: Uuid,
    position: i64,
    kind: i64,
    fields: Vec<(String, String)>,
    #[serde(flatten)]
    tags: TagsDocument,
}

/// Where a note lies, read of its document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PublishedPlaceDocument {
    origin: Uuid,
    since: i64,
    deck: Uuid,
    position: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CloneDocument {
    #[serde(rename = "_id")]
    deck: Uuid,
    owner: Uuid,
    publication: Uuid,
    release: i64,
    revision: i64,
    /// JSON, as in every other store; left out where it is not asked for.
    #[serde(default)]
    links: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RatingDocument {
    pub(super) publication: Uuid,
    pub(super) user: Uuid,
    pub(super) stars: i64,
}

impl From<&Publication> for PublicationDocument {
    fn from(publication: &Publication) -> Self {
        Self {
            id: publication.id.to_bson(),
            deck: publication.deck.to_bson(),
            owner: publication.owner.to_bson(),
            slug: publication.slug.clone(),
            title: publication.title.clone(),
            description: publication.description.clone(),
            licence: publication.licence.number(),
            author: publication.author.clone(),
            listed: publication.listed,
            created_at: moment(publication.created_at),
            updated_at: moment(publication.updated_at),
            release: publication.release,
            deck_count: publication.deck_count,
            note_count: publication.note_count,
            card_count: publication.card_count,
            rating_sum: publication.rating_sum,
            rating_count: publication.rating_count,
            rating_rank: publication.rank(),
            subscriber_count: publication.subscriber_count,
            revision: publication.revision,
            media_count: publication.media_count,
            media_bytes: publication.media_bytes,
            words: publication.words(),
            tags: TagsDocument::from(&publication.tags),
        }
    }
}

/// A published deck as an update sets it: with the next revision, and without ratings and subscribers.
pub(super) fn edited(publication: &Publication) -> Document {
    let mut fields = TagsDocument::from(&publication.tags).to_fields();
    fields.extend(doc! {
        "slug": &publication.slug,
        "title": &publication.title,
        "description": &publication.description,
        "licence": publication.licence.number(),
        "author": publication.author.as_ref().map_or(Bson::Null, Bson::from),
        "listed": publication.listed,
        "updatedAt": moment(publication.updated_at),
        "release": publication.release,
        "deckCount": publication.deck_count,
        "noteCount": publication.note_count,
        "cardCount": publication.card_count,
        "mediaCount": publication.media_count,
        "mediaBytes": publication.media_bytes,
        "words": publication.words(),
        "revision": publication.revision + 1,
    });
    doc! { "$set": fields }
}

impl TryFrom<PublicationDocument> for Publication {
    type Error = StoreError;

    fn try_from(document: PublicationDocument) -> Result<Self, StoreError> {
        let number = document.licence;
        Ok(Self {
            id: document.id.into(),
            deck: document.deck.into(),
            owner: document.owner.into(),
            slug: document.slug,
            title: document.title,
            description: document.description,
            tags: document.tags.into(),
            licence: Licence::of_number(number)
                .ok_or_else(|| StoreError::Corrupt(format!("{number} is no licence")))?,
            author: document.author,
            listed: document.listed,
            created_at: timestamp(document.created_at)?,
            updated_at: timestamp(document.updated_at)?,
            release: document.release,
            deck_count: document.deck_count,
            note_count: document.note_count,
            card_count: document.card_count,
            rating_sum: document.rating_sum,
            rating_count: document.rating_count,
            subscriber_count: document.subscriber_count,
            revision: document.revision,
            media_count: document.media_count,
            media_bytes: document.media_bytes,
        })
    }
}

impl ReleaseDocument {
    pub(super) fn new(release: &Release, decks: &[PublishedDeck]) -> serde_json::Result<Self> {
        Ok(Self {
            publication: release.publication.to_bson(),
            number: release.number,
            change_note: release.change_note.clone(),
            published_at: moment(release.published_at),
            deck_count: release.deck_count,
            note_count: release.note_count,
            card_count: release.card_count,
            decks: serde_json::to_string(decks)?,
        })
    }

    pub(super) fn decks(&self) -> Result<Vec<PublishedDeck>, StoreError> {
        serde_json::from_str(&self.decks)
            .map_err(|error| StoreError::Corrupt(format!("the decks of a release: {error}")))
    }
}

impl TryFrom<ReleaseDocument> for Release {
    type Error = StoreError;

    fn try_from(document: ReleaseDocument) -> Result<Self, StoreError> {
        Ok(Self {
            publication: document.publication.into(),
            number: document.number,
            change_note: document.change_note,
            published_at: timestamp(document.published_at)?,
            deck_count: document.deck_count,
            note_count: document.note_count,
            card_count: document.card_count,
        })
    }
}

impl From<&PublishedNote> for PublishedNoteDocument {
    fn from(note: &PublishedNote) -> Self {
        let fields = note.content.fields().iter();
        let uuid = |id: uuid::Uuid| Uuid::from_bytes(id.into_bytes());
        Self {
            publication: note.publication.to_bson(),
            origin: uuid(note.origin),
            since: note.since,
            until: note.until,
            deck: uuid(note.deck),
            position: note.position,
            kind: note.content.kind().number(),
            fields: fields.map(|field| (field.name.clone(), field.value.clone())).collect(),
            tags: TagsDocument::from(&note.tags),
        }
    }
}

impl TryFrom<PublishedNoteDocument> for PublishedNote {
    type Error = StoreError;

    fn try_from(document: PublishedNoteDocument) -> Result<Self, StoreError> {
        let fields = document.fields.into_iter().map(|(name, value)| Field { name, value });
        Ok(Self {
            publication: document.publication.into(),
            origin: uuid::Uuid::from_bytes(document.origin.bytes()),
            since: document.since,
            until: document.until,
            deck: uuid::Uuid::from_bytes(document.deck.bytes()),
            position: document.position,
            content: Content::stored(kind(document.kind)?, fields.collect()),
            tags: document.tags.into(),
        })
    }
}

impl From<PublishedPlaceDocument> for PublishedPlace {
    fn from(document: PublishedPlaceDocument) -> Self {
        let PublishedPlaceDocument { origin, since, deck, position } = document;
        let [origin, deck] = [origin, deck].map(|id| uuid::Uuid::from_bytes(id.bytes()));
        Self { origin, since, deck, position }
    }
}

impl CloneDocument {
    /// A clone as it will be stored: with the next revision.
    pub(super) fn new(clone: &Subscription, links: &Links) -> serde_json::Result<Self> {
        Ok(Self {
            deck: clone.deck.to_bson(),
            owner: clone.owner.to_bson(),
            publication: clone.publication.to_bson(),
            release: clone.release,
            revision: clone.revision + 1,
            links: serde_json::to_string(links)?,
        })
    }

    pub(super) fn links(&self) -> Result<Links, StoreError> {
        serde_json::from_str(&self.links)
            .map_err(|error| StoreError::Corrupt(format!("the links of a clone: {error}")))
    }
}

impl From<CloneDocument> for Subscription {
    fn from(document: CloneDocument) -> Self {
        Self {
            deck: document.deck.into(),
            owner: document.owner.into(),
            publication: document.publication.into(),
            release: document.release,
            revision: document.revision,
        }
    }
}
