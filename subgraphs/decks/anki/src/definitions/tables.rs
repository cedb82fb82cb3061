//! Decks, note types and settings as tables, schema 15 and later. Names are columns; everything else is a Protocol Buffers message.

use rusqlite::types::FromSql;
use rusqlite::{Connection, Row};

use crate::archive::too_much;
use crate::database::check_table;
use crate::error::Error;
use crate::limits::Limits;
use crate::model::{Collection, Deck, NoteKind, NoteType, Template};
use crate::names::normal;
use crate::protobuf::{Malformed, Message};

/// What stands between the names of a deck and of those around it.
const DECK_SEPARATOR: &str = "\u{1f}";

pub(super) fn read(
    database: &Connection,
    collection: &mut Collection,
    limits: &Limits,
) -> Result<(), Error> {
    check_table(database, "decks", &["id", "name", "kind"])?;
    check_table(database, "notetypes", &["id", "name", "config"])?;
    check_table(database, "fields", &["ntid", "ord", "name"])?;
    check_table(database, "templates", &["ntid", "ord", "name", "config"])?;
    check_table(database, "config", &["KEY", "val"])?;
    collection.created_minutes_west = setting(database, "creationOffset")?;
    collection.rollover_hour = setting(database, "rollover")?.filter(|hour| *hour < 24);

    let mut left = limits.definition_bytes;
    each(database, "SELECT id, name, kind FROM decks ORDER BY id", |row| {
        spend(&mut left, row, &[1, 2], limits)?;
        let id = get(row, 0)?;
        let name: String = get(row, 1)?;
        let kind: Vec<u8> = get(row, 2)?;
        let deck = deck(id, &name, &kind).map_err(malformed(format!("deck {id}")))?;
        collection.decks.push(deck);
        within("decks", collection.decks.len(), limits.decks)
    })?;
    each(database, "SELECT id, name, config FROM notetypes ORDER BY id", |row| {
        spend(&mut left, row, &[1, 2], limits)?;
        let id: i64 = get(row, 0)?;
        let name: String = get(row, 1)?;
        let config: Vec<u8> = get(row, 2)?;
        let place = format!("note type {id}");
        collection.note_types.push(note_type(id, &name, &config).map_err(malformed(place))?);
        within("note types", collection.note_types.len(), limits.note_types)
    })?;
    each(database, "SELECT ntid, name FROM fields ORDER BY ntid, ord", |row| {
        spend(&mut left, row, &[1], limits)?;
        let name: String = get(row, 1)?;
        if let Some(note_type) = of(&mut collection.note_types, get(row, 0)?) {
            note_type.fields.push(normal(&name));
        }
        Ok(())
    })?;
    each(database, "SELECT ntid, name, config, ord FROM templates ORDER BY ntid, ord", |row| {
        spend(&mut left, row, &[1, 2], limits)?;
        let name: String = get(row, 1)?;
        let config: Vec<u8> = get(row, 2)?;
        let (id, ordinal): (i64, i64) = (get(row, 0)?, get(row, 3)?);
        let place = format!("template {ordinal} of note type {id}");
        let template = template(&name, &config).map_err(malformed(place))?;
        if let Some(note_type) = of(&mut collection.note_types, id) {
            note_type.templates.push(template);
        }
        Ok(())
    })
}

fn each(
    database: &Connection,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = Error::database("decks and note types");
    let mut statement = database.prepare(sql).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        read(row)?;
    }
    Ok(())
}

fn get<T: FromSql>(row: &Row<'_>, index: usize) -> Result<T, Error> {
    row.get(index).map_err(Error::database("decks and note types"))
}

/// Takes what a row's texts and messages hold from what all of them may.
fn spend(left: &mut u64, row: &Row<'_>, columns: &[usize], limits: &Limits) -> Result<(), Error> {
    for column in columns {
        let value = row.get_ref(*column).map_err(Error::database("decks and note types"))?;
        let bytes = value.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len) as u64;
        *left = left
            // A row costs something even where it says nothing.
            .checked_sub(bytes.saturating_add(32))
            .ok_or_else(|| too_much("decks and note types", "bytes", limits.definition_bytes))?;
    }
    Ok(())
}

fn within(unit: &'static str, count: usize, most: u64) -> Result<(), Error> {
    if count as u64 > most { Err(too_much("the collection", unit, most)) } else { Ok(()) }
}

fn malformed(place: String) -> impl FnOnce(Malformed) -> Error {
    move |error| Error::Definition { place, problem: error.to_string() }
}

/// A setting, a JSON value; what is not as expected counts as absent, as in Anki.
fn setting<T: for<'de> serde::Deserialize<'de>>(
    database: &Connection,
    key: &str,
) -> Result<Option<T>, Error> {
    let mut found = None;
    let sql = format!("SELECT val FROM config WHERE KEY = '{key}' AND length(val) < 100");
    each(database, &sql, |row| {
        let value: Vec<u8> = get(row, 0)?;
        found = serde_json::from_slice(&value).ok();
        Ok(())
    })?;
    Ok(found)
}

/// The note type with an id; they are ordered by it. Anki leaves fields and templates behind of note types that it removed.
fn of(note_types: &mut [NoteType], id: i64) -> Option<&mut NoteType> {
    let index = note_types.binary_search_by_key(&id, |note_type| note_type.id).ok()?;
    note_types.get_mut(index)
}

/// `Deck.KindContainer`: 1 normal {4 description, 5 markdown_description}, 2 filtered.
fn deck(id: i64, name: &str, kind: &[u8]) -> Result<Deck, Malformed> {
    let mut deck = Deck {
        id,
        name: normal(&name.replace(DECK_SEPARATOR, "::")),
        description: String::new(),
        is_markdown: false,
        is_filtered: false,
    };
    for field in Message::new(kind) {
        let field = field?;
        match field.number {
            1 => {
                for field in Message::new(field.bytes()?) {
                    let field = field?;
                    match field.number {
                        4 => field.text()?.clone_into(&mut deck.description),
                        5 => deck.is_markdown = field.number()? != 0,
                        _ => {}
                    }
                }
            }
            2 => deck.is_filtered = true,
            _ => {}
        }
    }
    Ok(deck)
}

/// `Notetype.Config`: 1 kind, 2 sort_field_idx, 3 css, 5 latex_pre, 6 latex_post.
fn note_type(id: i64, name: &str, config: &[u8]) -> Result<NoteType, Malformed> {
    let mut note_type = NoteType {
        id,
        name: normal(name),
        kind: NoteKind::Standard,
        fields: Vec::new(),
        sort_field: 0,
        templates: Vec::new(),
        css: String::new(),
        latex_header: String::new(),
        latex_footer: String::new(),
    };
    for field in Message::new(config) {
        let field = field?;
        match field.number {
            1 if field.number()? == 1 => note_type.kind = NoteKind::Cloze,
            2 => note_type.sort_field = u32::try_from(field.number()?).unwrap_or(0),
            3 => field.text()?.clone_into(&mut note_type.css),
            5 => field.text()?.clone_into(&mut note_type.latex_header),
            6 => field.text()?.clone_into(&mut note_type.latex_footer),
            _ => {}
        }
    }
    Ok(note_type)
}

/// `Notetype.Template.Config`: 1 q_format, 2 a_format.
fn template(name: &str, config: &[u8]) -> Result<Template, Malformed> {
    let mut template =
        Template { name: normal(name), question: String::new(), answer: String::new() };
    for field in Message::new(config) {
        let field = field?;
        match field.number {
            1 => field.text()?.clone_into(&mut template.question),
            2 => field.text()?.clone_into(&mut template.answer),
            _ => {}
        }
    }
    Ok(template)
}
