//! How decks, notes and cards are read from rows, and ids handed to queries.

use common::{DeckId, StoreError};
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Value;
use uuid::Uuid;

use crate::model::{
    Card, Content, Deck, Field, Guid, Note, NoteKind, Source, Tag, Tagged, Tags, Trash, TrashKind,
};
use crate::store::OutlineCard;

/// What [`deck`] reads.
pub(super) const DECK: &str = "deck.id, deck.owner_id, deck.name, deck.description, deck.color, deck.created_at, deck.updated_at, \
    deck.version, deck.card_count, deck.last_place, deck.revision, deck.path, deck.position, deck.archived, deck.trash_id";
/// What [`card`] reads.
pub(super) const CARD: &str = "card.id, card.note_id, card.ordinal, card.kind, card.deck_id, card.owner_id, card.position, \
    card.question, card.answer, card.source_start, card.source_end, card.created_at, card.updated_at, card.version, card.trash_id";
/// What [`note`] reads.
pub(super) const NOTE: &str = "note.id, note.owner_id, note.guid, note.kind, note.fields, note.tags, note.created_at, \
    note.updated_at, note.version";

/// Ids as the queries take many of them: a JSON list of hexadecimal texts.
pub(super) fn list(ids: impl IntoIterator<Item = Uuid>) -> Value {
    let mut text = String::from("[");
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    Value::from(text)
}

pub(super) fn blob(id: Uuid) -> Value {
    Value::from(id.into_bytes().to_vec())
}

/// The ids of decks, one after another.
pub(super) fn path(decks: &[DeckId]) -> Vec<u8> {
    decks.iter().flat_map(|deck| deck.uuid().into_bytes()).collect()
}

pub(super) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    let at: i64 = row.get(index)?;
    Timestamp::from_millisecond(at).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, at))
}

pub(super) fn kind(row: &Row<'_>, index: usize) -> rusqlite::Result<NoteKind> {
    let number: i64 = row.get(index)?;
    NoteKind::of_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(index, number))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            index,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

pub(super) fn deck(row: &Row<'_>) -> rusqlite::Result<Deck> {
    let path: Vec<u8> = row.get(11)?;
    let ancestors = path.chunks_exact(16).filter_map(|id| Uuid::from_slice(id).ok());
    Ok(Deck {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        color: row.get(4)?,
        created_at: time(row, 5)?,
        updated_at: time(row, 6)?,
        version: row.get(7)?,
        card_count: row.get(8)?,
        last_place: row.get(9)?,
        revision: row.get(10)?,
        ancestors: ancestors.map(DeckId::from).collect(),
        position: row.get(12)?,
        archived: row.get(13)?,
        trash: row.get(14)?,
    })
}

pub(super) fn card(row: &Row<'_>) -> rusqlite::Result<Card> {
    let source: (Option<i32>, Option<i32>) = (row.get(9)?, row.get(10)?);
    Ok(Card {
        id: row.get(0)?,
        note: row.get(1)?,
        ordinal: row.get(2)?,
        kind: kind(row, 3)?,
        deck: row.get(4)?,
        owner: row.get(5)?,
        position: row.get(6)?,
        question: row.get(7)?,
        answer: row.get(8)?,
        source: source.0.zip(source.1).map(|(start, end)| Source { start, end }),
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
        version: row.get(13)?,
        trash: row.get(14)?,
    })
}

pub(super) fn fields(row: &Row<'_>, index: usize) -> rusqlite::Result<Vec<Field>> {
    let fields: Vec<(String, String)> = json(row, index)?;
    Ok(fields.into_iter().map(|(name, value)| Field { name, value }).collect())
}

pub(super) fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    let fields = fields(row, 4)?;
    let tags: Vec<String> = json(row, 5)?;
    Ok(Note {
        id: row.get(0)?,
        owner: row.get(1)?,
        guid: Guid(row.get(2)?),
        content: Content::stored(kind(row, 3)?, fields),
        tags: Tags::stored(tags.into_iter().map(Tag::stored).collect()),
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
        version: row.get(8)?,
    })
}

pub(super) fn outline(row: &Row<'_>) -> rusqlite::Result<OutlineCard> {
    Ok(OutlineCard {
        id: row.get(0)?,
        position: row.get(1)?,
        version: row.get(2)?,
        created_at: time(row, 3)?,
        note: row.get(4)?,
    })
}

pub(super) fn tagged(row: &Row<'_>) -> rusqlite::Result<Tagged> {
    Ok(Tagged { tag: Tag::stored(row.get(0)?), notes: row.get(1)? })
}

pub(super) fn trash(row: &Row<'_>) -> rusqlite::Result<Trash> {
    let kind = match row.get(2)? {
        0 => TrashKind::Deck,
        1 => TrashKind::Cards,
        2 => TrashKind::Edit,
        3 => TrashKind::Import,
        4 => TrashKind::Media,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
    };
    Ok(Trash {
        id: row.get(0)?,
        owner: row.get(1)?,
        kind,
        title: row.get(3)?,
        deck_count: row.get(4)?,
        card_count: row.get(5)?,
        deleted_at: time(row, 6)?,
        media_count: row.get(7)?,
    })
}

/// A note's fields and tags as they are stored.
pub(super) fn texts(content: &Content, tags: &Tags) -> Result<(String, String), StoreError> {
    let fields = content.fields().iter().map(|field| (&field.name, &field.value));
    let tags = tags.list().iter().map(Tag::text);
    let text = |result: serde_json::Result<String>| {
        result.map_err(|error| StoreError::Other(Box::new(error)))
    };
    let fields = text(serde_json::to_string(&fields.collect::<Vec<_>>()))?;
    Ok((fields, text(serde_json::to_string(&tags.collect::<Vec<_>>()))?))
}
