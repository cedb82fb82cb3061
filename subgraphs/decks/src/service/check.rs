//! What several changes refuse: too many things at once, one named twice, a version that is no longer the present one.

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

use common::Error;
use serde_json::{Value, json};

use crate::model::{Card, Deck, MAX_BATCH, Note};

/// Refuses no things, and too many.
pub(super) fn batch_size(argument: &str, what: &str, count: usize) -> Result<(), Error> {
    if (1..=MAX_BATCH).contains(&count) {
        return Ok(());
    }
    let message = format!("names {count} {what}: 1 to {MAX_BATCH} are accepted at once");
    Err(Error::invalid(argument, message))
}

/// Refuses an id that was given before.
pub(super) fn no_duplicates<I: Eq + Hash + Display>(
    ids: impl Iterator<Item = (usize, I)>,
    argument: impl Fn(usize) -> String,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (index, id) in ids {
        let message = format!("{id} is given twice");
        if !seen.insert(id) {
            return Err(Error::invalid(argument(index), message));
        }
    }
    Ok(())
}

/// An id that a client made is that of something else.
pub(super) fn taken(argument: &str, id: impl Display) -> Error {
    Error::Conflict(format!(
        "{argument}: the id {id} belongs to something else, or to something deleted: make a new one"
    ))
}

/// A thing with a version that clients go by.
pub(super) trait Versioned {
    /// What it is called, its id and its version.
    fn version(&self) -> (&'static str, String, i64);

    /// Its state by the names of the schema.
    fn state(&self) -> Value;
}

/// Refuses a change to another version than the one the client has seen.
pub(super) fn expect_version(thing: &impl Versioned, expected: Option<i64>) -> Result<(), Error> {
    let (what, id, version) = thing.version();
    match expected {
        Some(expected) if expected != version => Err(Error::Outdated {
            message: format!(
                "the {what} {id} has changed: it has version {version} by now, not {expected}; extensions.current has it"
            ),
            current: Box::new(thing.state()),
        }),
        _ => Ok(()),
    }
}

fn moment(at: jiff::Timestamp) -> String {
    format!("{at:.3}")
}

impl Versioned for Deck {
    fn version(&self) -> (&'static str, String, i64) {
        ("deck", self.id.to_string(), self.version)
    }

    fn state(&self) -> Value {
        json!({
            "__typename": "Deck",
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "color": self.color,
            "archived": self.archived,
            "updatedAt": moment(self.updated_at),
            "version": self.version,
        })
    }
}

impl Versioned for Card {
    fn version(&self) -> (&'static str, String, i64) {
        ("card", self.id.to_string(), self.version)
    }

    fn state(&self) -> Value {
        json!({
            "__typename": "Card",
            "id": self.id,
            "question": self.question,
            "answer": self.answer,
            "position": self.position,
            "updatedAt": moment(self.updated_at),
            "version": self.version,
        })
    }
}

impl Versioned for Note {
    fn version(&self) -> (&'static str, String, i64) {
        ("note", self.id.to_string(), self.version)
    }

    fn state(&self) -> Value {
        let fields = self.content.fields().iter();
        let field =
            |field: &crate::model::Field| json!({ "name": field.name, "value": field.value });
        json!({
            "__typename": "Note",
            "id": self.id,
            "type": self.content.kind().label(),
            "fields": fields.map(field).collect::<Vec<_>>(),
            "tags": self.tags.list().iter().map(|tag| tag.text()).collect::<Vec<_>>(),
            "updatedAt": moment(self.updated_at),
            "version": self.version,
        })
    }
}
