//! What a database says of the collection itself, of decks and note types: JSON in the one row of `col` up to schema 14, tables whose
//! rows hold Protocol Buffers from schema 15 on.

mod json;
mod tables;

use rusqlite::Connection;

use crate::archive::too_much;
use crate::error::Error;
use crate::limits::Limits;
use crate::model::{Collection, Deck, NoteType};

/// The newest schema that is known.
const NEWEST_SCHEMA: i64 = 18;
/// From this schema on decks and note types have tables.
const SCHEMA_OF_TABLES: i64 = 15;

/// Reads everything but notes, cards and reviews.
pub(crate) fn read(database: &Connection, limits: &Limits) -> Result<Collection, Error> {
    let failed = Error::database("table col");
    let (created, modified, schema) = database
        .query_row("SELECT crt, mod, ver FROM col", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))
        })
        .map_err(&failed)?;
    if schema > NEWEST_SCHEMA {
        return Err(Error::Newer { what: "schema", found: schema, newest: NEWEST_SCHEMA });
    }
    let mut collection = Collection { created, modified, ..Collection::default() };
    if schema < SCHEMA_OF_TABLES {
        json::read(database, &mut collection, limits)?;
    } else {
        tables::read(database, &mut collection, limits)?;
    }
    check(&mut collection, limits)?;
    Ok(collection)
}

fn check(collection: &mut Collection, limits: &Limits) -> Result<(), Error> {
    collection.decks.sort_by_key(|deck| deck.id);
    collection.note_types.sort_by_key(|note_type| note_type.id);
    at_most("the collection", "decks", collection.decks.len(), limits.decks)?;
    at_most("the collection", "note types", collection.note_types.len(), limits.note_types)?;
    for Deck { id, name, .. } in &collection.decks {
        at_most(&format!("the name of deck {id}"), "bytes", name.len(), limits.name_bytes)?;
    }
    for NoteType { id, name, fields, templates, .. } in &collection.note_types {
        let place = format!("note type {id}");
        at_most(&place, "fields", fields.len(), limits.parts)?;
        at_most(&place, "templates", templates.len(), limits.parts)?;
        let names = fields.iter().chain(templates.iter().map(|template| &template.name));
        for name in names.chain([name]) {
            at_most(&format!("a name of {place}"), "bytes", name.len(), limits.name_bytes)?;
        }
        if fields.is_empty() {
            return Err(Error::Definition { place, problem: "it has no fields".to_owned() });
        }
    }
    Ok(())
}

fn at_most(place: &str, unit: &'static str, count: usize, most: u64) -> Result<(), Error> {
    if count as u64 > most {
        return Err(too_much(place, unit, most));
    }
    Ok(())
}
