//! How decks and cards are written in MongoDB. Nothing outside the store sees these.

use common::{Event, EventId, StoreError};
use jiff::Timestamp;
use mongodb::bson::{DateTime, Uuid};
use serde::{Deserialize, Serialize};

use crate::model::{Card, Deck, Owner, Source};
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
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardDocument {
    #[serde(rename = "_id")]
    id: Uuid,
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
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutlineDocument {
    #[serde(rename = "_id")]
    id: Uuid,
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
        let OwnerDocument { id, deck_count, gone, revision } = document;
        Self { id: id.into(), deck_count, gone, revision }
    }
}

/// A person's row as it will be stored: with the next revision.
impl From<Owner> for OwnerDocument {
    fn from(owner: Owner) -> Self {
        let Owner { id, deck_count, gone, revision } = owner;
        Self { id: id.to_bson(), deck_count, gone, revision: revision + 1 }
    }
}

impl From<&Deck> for DeckDocument {
    fn from(deck: &Deck) -> Self {
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
        }
    }
}

impl DeckDocument {
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
        })
    }
}

impl From<&Card> for CardDocument {
    fn from(card: &Card) -> Self {
        Self {
            id: card.id.to_bson(),
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
        }
    }
}

impl TryFrom<CardDocument> for Card {
    type Error = StoreError;

    fn try_from(document: CardDocument) -> Result<Self, StoreError> {
        let source = document.source_start.zip(document.source_end);
        Ok(Self {
            id: document.id.into(),
            deck: document.deck.into(),
            owner: document.owner.into(),
            position: document.position,
            question: document.question,
            answer: document.answer,
            source: source.map(|(start, end)| Source { start, end }),
            created_at: timestamp(document.created_at)?,
            updated_at: timestamp(document.updated_at)?,
            version: document.version,
        })
    }
}

impl TryFrom<OutlineDocument> for OutlineCard {
    type Error = StoreError;

    fn try_from(document: OutlineDocument) -> Result<Self, StoreError> {
        Ok(Self {
            id: document.id.into(),
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

fn moment(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

fn timestamp(at: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at.timestamp_millis())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}
