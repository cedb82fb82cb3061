//! How decks and cards are written in MongoDB. Nothing outside the store sees these.

use common::{DeckId, Event, EventId, StoreError, TrashId};
use jiff::Timestamp;
use mongodb::bson::{Bson, DateTime, Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::media;
use crate::model::{
    Card, Content, Deck, Field, Guid, Note, NoteKind, Owner, Source, Tag, Tagged, Tags, Trash,
    TrashKind,
};
use crate::store::OutlineCard;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IdDocument {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    deck_count: i64,
    #[serde(default)]
    media_count: i64,
    #[serde(default)]
    media_bytes: i64,
    gone: bool,
    revision: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeckDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    name: String,
    sort_name: String,
    description: String,
    color: Option<String>,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
    card_count: i64,
    last_place: i64,
    revision: i64,
    parent: Option<Uuid>,
    ancestors: Vec<Uuid>,
    position: i64,
    archived: bool,
    trash: Option<Uuid>,
    /// The number of the change it was last written by.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    note: Uuid,
    ordinal: i64,
    kind: i64,
    deck: Uuid,
    owner: Uuid,
    position: i64,
    question: String,
    answer: String,
    source_start: Option<i32>,
    source_end: Option<i32>,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
    trash: Option<Uuid>,
}

/// The fields of a card's document that are not the card.
pub(super) fn without_words() -> Document {
    doc! { "terms": 0, "foldedQuestion": 0, "foldedAnswer": 0, "tags": 0, "tagKeys": 0, "study": 0, "change": 0 }
}

/// Tags, and the keys by which they are found: their own and those of the tags above them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagsDocument {
    tags: Vec<TagDocument>,
    pub(super) tag_keys: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TagDocument {
    key: String,
    text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NoteDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    guid: String,
    kind: i64,
    fields: Vec<(String, String)>,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
    change: i64,
    tags: Vec<TagDocument>,
    tag_keys: Vec<String>,
    /// The files that its fields name.
    #[serde(default)]
    media: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaggedDocument {
    text: String,
    notes: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrashDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    kind: TrashKindDocument,
    title: String,
    deck_count: i64,
    card_count: i64,
    #[serde(default)]
    media_count: i64,
    deleted_at: DateTime,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum TrashKindDocument {
    Deck,
    Cards,
    Edit,
    Import,
    Media,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlaceDocument {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) position: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CountDocument {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) count: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutlineDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    note: Uuid,
    position: i64,
    version: i64,
    created_at: DateTime,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EventDocument {
    #[serde(rename = "_id")]
    id: Uuid,
    /// JSON, as in every other store.
    event: String,
}

impl From<OwnerDocument> for Owner {
    fn from(document: OwnerDocument) -> Self {
        let OwnerDocument { id, deck_count, media_count, media_bytes, gone, revision } = document;
        Self { id: id.into(), deck_count, media_count, media_bytes, gone, revision }
    }
}

/// A person's row as it will be stored: with the next revision.
impl From<Owner> for OwnerDocument {
    fn from(owner: Owner) -> Self {
        let Owner { id, deck_count, media_count, media_bytes, gone, revision } = owner;
        let (id, revision) = (id.to_bson(), revision + 1);
        Self { id, deck_count, media_count, media_bytes, gone, revision }
    }
}

impl DeckDocument {
    /// A deck as it is written by a change.
    pub(super) fn new(deck: &Deck, change: i64) -> Self {
        Self {
            id: deck.id.to_bson(),
            owner: deck.owner.to_bson(),
            name: deck.name.clone(),
            sort_name: deck.sort_name(),
            description: deck.description.clone(),
            color: deck.color.clone(),
            created_at: moment(deck.created_at),
            updated_at: moment(deck.updated_at),
            version: deck.version,
            card_count: deck.card_count,
            last_place: deck.last_place,
            revision: deck.revision,
            parent: deck.parent().map(DeckId::to_bson),
            ancestors: deck.ancestors.iter().map(|deck| deck.to_bson()).collect(),
            position: deck.position,
            archived: deck.archived,
            trash: deck.trash.map(TrashId::to_bson),
            change: Some(change),
        }
    }

    /// Says that it was written once more.
    pub(super) fn next_revision(&mut self) {
        self.revision += 1;
    }
}

impl TryFrom<DeckDocument> for Deck {
    type Error = StoreError;

    fn try_from(document: DeckDocument) -> Result<Self, StoreError> {
        Ok(Self {
            id: document.id.into(),
            owner: document.owner.into(),
            name: document.name,
            description: document.description,
            color: document.color,
            created_at: timestamp(document.created_at)?,
            updated_at: timestamp(document.updated_at)?,
            version: document.version,
            card_count: document.card_count,
            last_place: document.last_place,
            revision: document.revision,
            ancestors: document.ancestors.into_iter().map(DeckId::from).collect(),
            position: document.position,
            archived: document.archived,
            trash: document.trash.map(TrashId::from),
        })
    }
}

impl From<&Card> for CardDocument {
    fn from(card: &Card) -> Self {
        Self {
            id: card.id.to_bson(),
            note: card.note.to_bson(),
            ordinal: card.ordinal,
            kind: card.kind.number(),
            deck: card.deck.to_bson(),
            owner: card.owner.to_bson(),
            position: card.position,
            question: card.question.clone(),
            answer: card.answer.clone(),
            source_start: card.source.map(|source| source.start),
            source_end: card.source.map(|source| source.end),
            created_at: moment(card.created_at),
            updated_at: moment(card.updated_at),
            version: card.version,
            trash: card.trash.map(TrashId::to_bson),
        }
    }
}

impl TryFrom<CardDocument> for Card {
    type Error = StoreError;

    fn try_from(document: CardDocument) -> Result<Self, StoreError> {
        let source = document.source_start.zip(document.source_end);
        Ok(Self {
            id: document.id.into(),
            note: document.note.into(),
            ordinal: document.ordinal,
            kind: kind(document.kind)?,
            deck: document.deck.into(),
            owner: document.owner.into(),
            position: document.position,
            question: document.question,
            answer: document.answer,
            source: source.map(|(start, end)| Source { start, end }),
            created_at: timestamp(document.created_at)?,
            updated_at: timestamp(document.updated_at)?,
            version: document.version,
            trash: document.trash.map(TrashId::from),
        })
    }
}

pub(super) fn kind(number: i64) -> Result<NoteKind, StoreError> {
    NoteKind::of_number(number)
        .ok_or_else(|| StoreError::Corrupt(format!("{number} is no kind of note")))
}

impl From<&Tags> for TagsDocument {
    fn from(tags: &Tags) -> Self {
        let document = |tag: &Tag| TagDocument { key: tag.key(), text: tag.text().to_owned() };
        Self { tags: tags.list().iter().map(document).collect(), tag_keys: tags.keys() }
    }
}

impl From<TagsDocument> for Tags {
    fn from(document: TagsDocument) -> Self {
        tags_of(document.tags)
    }
}

fn tags_of(tags: Vec<TagDocument>) -> Tags {
    Tags::stored(tags.into_iter().map(|tag| Tag::stored(tag.text)).collect())
}

impl TagsDocument {
    /// The fields as an update sets them.
    pub(super) fn to_fields(&self) -> Document {
        let tag = |tag: &TagDocument| Bson::from(doc! { "key": &tag.key, "text": &tag.text });
        let tags: Vec<Bson> = self.tags.iter().map(tag).collect();
        doc! { "tags": tags, "tagKeys": self.tag_keys.clone() }
    }
}

impl NoteDocument {
    /// A note as it is written by a change.
    pub(super) fn new(note: &Note, change: i64) -> Self {
        let fields = note.content.fields().iter();
        let TagsDocument { tags, tag_keys } = TagsDocument::from(&note.tags);
        Self {
            id: note.id.to_bson(),
            owner: note.owner.to_bson(),
            guid: note.guid.text().to_owned(),
            kind: note.content.kind().number(),
            fields: fields.map(|field| (field.name.clone(), field.value.clone())).collect(),
            created_at: moment(note.created_at),
            updated_at: moment(note.updated_at),
            version: note.version,
            change,
            tags,
            tag_keys,
            media: media::names_in(note),
        }
    }
}

impl TryFrom<NoteDocument> for Note {
    type Error = StoreError;

    fn try_from(document: NoteDocument) -> Result<Self, StoreError> {
        let fields = document.fields.into_iter().map(|(name, value)| Field { name, value });
        Ok(Self {
            id: document.id.into(),
            owner: document.owner.into(),
            guid: Guid(document.guid),
            content: Content::stored(kind(document.kind)?, fields.collect()),
            tags: tags_of(document.tags),
            created_at: timestamp(document.created_at)?,
            updated_at: timestamp(document.updated_at)?,
            version: document.version,
        })
    }
}

impl From<TaggedDocument> for Tagged {
    fn from(document: TaggedDocument) -> Self {
        Self { tag: Tag::stored(document.text), notes: document.notes }
    }
}

impl From<&Trash> for TrashDocument {
    fn from(trash: &Trash) -> Self {
        Self {
            id: trash.id.to_bson(),
            owner: trash.owner.to_bson(),
            kind: match trash.kind {
                TrashKind::Deck => TrashKindDocument::Deck,
                TrashKind::Cards => TrashKindDocument::Cards,
                TrashKind::Edit => TrashKindDocument::Edit,
                TrashKind::Import => TrashKindDocument::Import,
                TrashKind::Media => TrashKindDocument::Media,
            },
            title: trash.title.clone(),
            deck_count: trash.deck_count,
            card_count: trash.card_count,
            media_count: trash.media_count,
            deleted_at: moment(trash.deleted_at),
        }
    }
}

impl TryFrom<TrashDocument> for Trash {
    type Error = StoreError;

    fn try_from(document: TrashDocument) -> Result<Self, StoreError> {
        Ok(Self {
            id: document.id.into(),
            owner: document.owner.into(),
            kind: match document.kind {
                TrashKindDocument::Deck => TrashKind::Deck,
                TrashKindDocument::Cards => TrashKind::Cards,
                TrashKindDocument::Edit => TrashKind::Edit,
                TrashKindDocument::Import => TrashKind::Import,
                TrashKindDocument::Media => TrashKind::Media,
            },
            title: document.title,
            deck_count: document.deck_count,
            card_count: document.card_count,
            media_count: document.media_count,
            deleted_at: timestamp(document.deleted_at)?,
        })
    }
}

impl TryFrom<OutlineDocument> for OutlineCard {
    type Error = StoreError;

    fn try_from(document: OutlineDocument) -> Result<Self, StoreError> {
        Ok(Self {
            id: document.id.into(),
            note: document.note.into(),
            position: document.position,
            version: document.version,
            created_at: timestamp(document.created_at)?,
        })
    }
}

impl EventDocument {
    /// A new entry of the outbox.
    pub(super) fn new(event: &Event) -> Result<Self, StoreError> {
        let event = serde_json::to_string(event).map_err(|e| StoreError::Other(Box::new(e)))?;
        Ok(Self { id: EventId::new().to_bson(), event })
    }

    pub(super) fn into_event(self) -> Result<(EventId, Event), StoreError> {
        let id = EventId::from(self.id);
        let event = serde_json::from_str(&self.event)
            .map_err(|error| StoreError::Corrupt(format!("event {id}: {error}")))?;
        Ok((id, event))
    }
}

pub(super) fn moment(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

pub(super) fn timestamp(at: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at.timestamp_millis())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}
