//! Decks, note types and settings as JSON: schema 11 and those between it and 15. Programs other than Anki write this form too, and
//! leave things out or write numbers as texts; what Anki reads is read.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::archive::too_much;
use crate::database::check_table;
use crate::error::Error;
use crate::limits::Limits;
use crate::model::{Collection, Deck, NoteKind, NoteType, Template};
use crate::names::normal;

#[derive(Deserialize)]
struct Settings {
    #[serde(default, rename = "creationOffset")]
    created_minutes_west: Option<i32>,
    #[serde(default)]
    rollover: Option<u8>,
}

#[derive(Deserialize)]
struct JsonDeck {
    name: String,
    #[serde(default)]
    desc: String,
    #[serde(default)]
    md: bool,
    #[serde(default, rename = "dyn", deserialize_with = "truth")]
    is_filtered: bool,
}

#[derive(Deserialize)]
struct JsonNoteType {
    name: String,
    #[serde(default, rename = "type")]
    kind: u8,
    #[serde(rename = "flds")]
    fields: Vec<JsonField>,
    #[serde(default, rename = "sortf")]
    sort_field: u32,
    #[serde(default, rename = "tmpls")]
    templates: Vec<JsonTemplate>,
    #[serde(default)]
    css: String,
    #[serde(default, rename = "latexPre")]
    latex_header: String,
    #[serde(default, rename = "latexPost")]
    latex_footer: String,
}

#[derive(Deserialize)]
struct JsonField {
    name: String,
    #[serde(default)]
    ord: Option<u32>,
}

#[derive(Deserialize)]
struct JsonTemplate {
    name: String,
    #[serde(default)]
    ord: Option<u32>,
    #[serde(default, rename = "qfmt")]
    question: String,
    #[serde(default, rename = "afmt")]
    answer: String,
}

/// `true`, or a number that is not 0.
fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Truth {
        Bool(bool),
        Number(i64),
        Other(IgnoredAny),
    }
    Ok(match Truth::deserialize(from)? {
        Truth::Bool(truth) => truth,
        Truth::Number(number) => number != 0,
        Truth::Other(_) => false,
    })
}

pub(super) fn read(
    database: &Connection,
    collection: &mut Collection,
    limits: &Limits,
) -> Result<(), Error> {
    check_table(database, "col", &["conf", "models", "decks"])?;
    let settings: Option<Settings> = serde_json::from_str(&column(database, "conf", limits)?).ok();
    if let Some(settings) = settings {
        collection.created_minutes_west = settings.created_minutes_west;
        collection.rollover_hour = settings.rollover.filter(|hour| *hour < 24);
    }
    for (id, deck) in parse::<JsonDeck>(database, "decks", limits)? {
        collection.decks.push(Deck {
            id,
            name: normal(&deck.name),
            description: deck.desc,
            is_markdown: deck.md,
            is_filtered: deck.is_filtered,
        });
    }
    for (id, note_type) in parse::<JsonNoteType>(database, "models", limits)? {
        collection.note_types.push(note_type.into_model(id)?);
    }
    Ok(())
}

fn column(database: &Connection, name: &'static str, limits: &Limits) -> Result<String, Error> {
    let failed = Error::database("table col");
    let place = format!("column {name} of table col");
    let bytes: i64 = database
        .query_row(&format!("SELECT length(CAST({name} AS BLOB)) FROM col"), [], |row| row.get(0))
        .map_err(&failed)?;
    if bytes.unsigned_abs() > limits.definition_bytes {
        return Err(too_much(&place, "bytes", limits.definition_bytes));
    }
    database
        .query_row(&format!("SELECT {name} FROM col"), [], |row| row.get(0))
        .map_err(|error| Error::Definition { place, problem: error.to_string() })
}

/// An object whose keys are ids.
fn parse<T: for<'de> Deserialize<'de>>(
    database: &Connection,
    name: &'static str,
    limits: &Limits,
) -> Result<BTreeMap<i64, T>, Error> {
    let text = column(database, name, limits)?;
    let place = format!("column {name} of table col");
    let bad = |problem: String| Error::Definition { place: place.clone(), problem };
    let entries: BTreeMap<String, T> =
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let mut parsed = BTreeMap::new();
    for (key, value) in entries {
        let id: i64 = key.parse().map_err(|_| bad(format!("{key:?} is no id")))?;
        if parsed.insert(id, value).is_some() {
            return Err(bad(format!("the id {id} stands twice")));
        }
    }
    Ok(parsed)
}

impl JsonNoteType {
    fn into_model(mut self, id: i64) -> Result<NoteType, Error> {
        let kind = match self.kind {
            0 => NoteKind::Standard,
            1 => NoteKind::Cloze,
            other => {
                return Err(Error::Definition {
                    place: format!("note type {id}"),
                    problem: format!("its type is {other}; 0 and 1 are known"),
                });
            }
        };
        // Stable, so that those without a number stay in their places.
        self.fields.sort_by_key(|field| field.ord);
        self.templates.sort_by_key(|template| template.ord);
        Ok(NoteType {
            id,
            name: normal(&self.name),
            kind,
            fields: self.fields.iter().map(|field| normal(&field.name)).collect(),
            sort_field: self.sort_field,
            templates: self
                .templates
                .into_iter()
                .map(|template| Template {
                    name: normal(&template.name),
                    question: template.question,
                    answer: template.answer,
                })
                .collect(),
            css: self.css,
            latex_header: self.latex_header,
            latex_footer: self.latex_footer,
        })
    }
}
