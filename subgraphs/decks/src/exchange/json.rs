//! Spacey's JSON: everything of decks, notes and cards, so that importing an export gives the same again. It is read and written as a stream:
//! one deck and one note a line, but any white space is accepted.
//!
//! `{"spacey": 1, "decks": [{path, description, color, archived}], "notes": [{guid, type, fields, tags, createdAt, cards: [{ordinal, deck,
//! reviews, schedule}]}]}`. A card that the list lacks is new, and lies where the note's first card does.

use std::fmt;
use std::io::{BufRead, Write};
use std::sync::Arc;

use common::history::{PastReview, Schedule};
use jiff::Timestamp;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outgoing::{Outgoing, OutgoingDeck};
use super::{DeckInfo, Found, Incoming, IncomingCard, ReadError, Sink, completed, line, tidy};
use crate::model::{Color, Content, Description, FieldEdit, MAX_DECKS, NoteKind, Problem, Tag};

/// The version of the form.
const VERSION: u64 = 1;
/// What ends reading early, as an error of the parser's.
const ENOUGH: &str = "enough was read";
/// The most reviews of a card.
const MAX_REVIEWS: usize = 100_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeckForm {
    path: Vec<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    color: Option<String>,
    #[serde(default)]
    archived: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct FieldForm {
    name: String,
    value: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoteForm {
    #[serde(default)]
    guid: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<FieldForm>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    created_at: Option<Timestamp>,
    cards: Vec<CardForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardForm {
    ordinal: i64,
    deck: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<PastReview>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<Schedule>,
}

pub(super) fn read(source: impl BufRead, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut parser = serde_json::Deserializer::from_reader(source);
    let read = File(sink).deserialize(&mut parser).and_then(|()| parser.end());
    match read {
        Ok(()) => Ok(()),
        Err(error) if error.to_string().starts_with(ENOUGH) => Ok(()),
        Err(error) if error.is_io() => Err(ReadError::Io(error.into())),
        Err(error) => Err(ReadError::Json(error.to_string())),
    }
}

/// The whole file.
struct File<'a, 's>(&'a mut Sink<'s>);

impl<'de> DeserializeSeed<'de> for File<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with \"spacey\": 1, \"decks\" and \"notes\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut version = None;
        while let Some(key) = map.next_key::<String>()? {
            match (&*key, version) {
                ("spacey", _) => {
                    let found: u64 = map.next_value()?;
                    if found != VERSION {
                        let message = format!("it has the version {found}; {VERSION} is known");
                        return Err(A::Error::custom(message));
                    }
                    version = Some(found);
                }
                (_, None) => {
                    let message = "it does not begin with \"spacey\": 1";
                    return Err(A::Error::custom(message));
                }
                ("decks" | "notes", _) => {
                    map.next_value_seed(List { is_notes: key == "notes", sink: self.0 })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        version.map(|_| ()).ok_or_else(|| A::Error::custom("it has no \"spacey\": 1"))
    }
}

/// A list of decks or notes.
struct List<'a, 's> {
    is_notes: bool,
    sink: &'a mut Sink<'s>,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0_u64;
        while let Some(value) = list.next_element::<Value>()? {
            let place = format!("{}[{index}]", if self.is_notes { "notes" } else { "decks" });
            let found = if self.is_notes { note(&place, value) } else { deck(value) };
            let found = found.unwrap_or_else(|message| {
                Found::Problem(Problem { place, message: format!("left out: {message}") })
            });
            index += 1;
            if !self.is_notes && index > MAX_DECKS.unsigned_abs() {
                return Err(A::Error::custom(format!("there are more than {MAX_DECKS} decks")));
            }
            if !(self.sink)(found) {
                return Err(A::Error::custom(ENOUGH));
            }
        }
        Ok(())
    }
}

fn deck(value: Value) -> Result<Found, String> {
    let form: DeckForm = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let description = Description::new("description", form.description);
    let color = form.color.map(|color| Color::new("color", &color)).transpose();
    Ok(Found::Deck(DeckInfo {
        path: tidy::path(form.path.iter().map(String::as_str)),
        description: description.map_err(|error| error.to_string())?.0,
        color: color.map_err(|error| error.to_string())?.map(|color| color.0),
        archived: form.archived,
    }))
}

fn note(place: &str, value: Value) -> Result<Found, String> {
    let form: NoteForm = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let kinds = [NoteKind::Basic, NoteKind::BasicReversed, NoteKind::Cloze, NoteKind::Typed];
    let kind = kinds.into_iter().find(|kind| kind.label() == form.kind).ok_or_else(|| {
        format!("type: {:?} is none: BASIC, BASIC_REVERSED, CLOZE or TYPED is accepted", form.kind)
    })?;
    let field = |field: FieldForm| FieldEdit { name: field.name, value: Some(field.value) };
    let content = Content::new("fields", kind, form.fields.into_iter().map(field).collect())
        .map_err(|error| error.to_string())?;
    let (tags, changed) = tidy::tags(form.tags.iter().map(String::as_str));
    if let Some(tag) = changed.first() {
        return Err(format!("tags: {tag:?} is no tag, or one too many"));
    }
    let mut cards = Vec::with_capacity(form.cards.len());
    for card in form.cards {
        if card.reviews.len() > MAX_REVIEWS {
            return Err(format!("a card has at most {MAX_REVIEWS} reviews"));
        }
        cards.push(IncomingCard {
            ordinal: card.ordinal,
            deck: tidy::path(card.deck.iter().map(String::as_str)),
            reviews: card.reviews,
            schedule: card.schedule.map(Schedule::sound),
        });
    }
    let deck =
        cards.first().map_or_else(|| tidy::path(["Imported"]), |card| Arc::clone(&card.deck));
    Ok(Found::Note(Box::new(Incoming {
        place: place.to_owned(),
        guid: match &form.guid {
            Some(guid) => tidy::guid(guid),
            None => tidy::guid_of_content(&content),
        },
        cards: completed(&content, cards, &deck),
        content,
        tags,
        created_at: form.created_at,
    })))
}

/// Writes the form above.
pub(super) struct JsonWriter<W: Write> {
    to: W,
    is_first: bool,
}

impl<W: Write> JsonWriter<W> {
    pub(super) fn new(mut to: W, decks: &[OutgoingDeck]) -> std::io::Result<Self> {
        line(&mut to, &format!("{{\"spacey\": {VERSION}, \"decks\": ["))?;
        for (index, deck) in decks.iter().enumerate() {
            let form = DeckForm {
                path: deck.path.to_vec(),
                description: deck.description.clone(),
                color: deck.color.clone(),
                archived: deck.archived,
            };
            to.write_all(if index == 0 { b"" } else { b"," })?;
            line(&mut to, &serde_json::to_string(&form)?)?;
        }
        line(&mut to, "], \"notes\": [")?;
        Ok(Self { to, is_first: true })
    }

    pub(super) fn note(&mut self, out: &Outgoing) -> std::io::Result<()> {
        let field = |field: &crate::model::Field| FieldForm {
            name: field.name.clone(),
            value: field.value.clone(),
        };
        let cards = out.cards.iter().map(|card| CardForm {
            ordinal: card.card.ordinal,
            deck: card.path.to_vec(),
            reviews: card.reviews.clone(),
            schedule: card.schedule,
        });
        let form = NoteForm {
            guid: Some(out.note.guid.text().to_owned()),
            kind: out.note.content.kind().label().to_owned(),
            fields: out.note.content.fields().iter().map(field).collect(),
            tags: out.note.tags.list().iter().map(Tag::text).map(str::to_owned).collect(),
            created_at: Some(out.note.created_at),
            cards: cards.collect(),
        };
        self.to.write_all(if self.is_first { b"" } else { b"," })?;
        self.is_first = false;
        line(&mut self.to, &serde_json::to_string(&form)?)
    }

    pub(super) fn finish(mut self) -> std::io::Result<W> {
        line(&mut self.to, "]}")?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (Vec<Found>, Result<(), ReadError>) {
        let mut found = Vec::new();
        let read = read(text.as_bytes(), &mut |one| {
            found.push(one);
            found.len() < 3
        });
        (found, read)
    }

    #[test]
    fn one_bad_note_is_left_out_and_the_others_are_read() {
        let good = r#"{"type": "BASIC", "fields": [{"name": "Front", "value": "q"}, {"name": "Back", "value": "a"}],
            "cards": [{"ordinal": 0, "deck": ["A", "B"]}]}"#;
        let (found, read) = found(&format!(
            r#"{{"spacey": 1, "notes": [{{"type": "ODD", "fields": [], "cards": []}}, {good}], "more": {{}}}}"#
        ));
        read.unwrap();
        let [Found::Problem(problem), Found::Note(note)] = &found[..] else { panic!("{found:?}") };
        assert!(problem.place == "notes[0]" && problem.message.contains("ODD"), "{problem:?}");
        assert_eq!(
            (&*note.cards[0].deck, note.cards.len()),
            (&["A".to_owned(), "B".into()][..], 1)
        );
    }

    #[test]
    fn what_is_no_such_file_is_refused_with_its_place() {
        for (text, part) in [
            ("{}", "no \"spacey\": 1"),
            (r#"{"decks": []}"#, "does not begin"),
            (r#"{"spacey": 2}"#, "version 2"),
            ("{\"spacey\": 1,\n\"notes\": [,]}", "line 2"),
            (r#"{"spacey": 1, "notes": 7}"#, "a list"),
        ] {
            let error = found(text).1.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn reading_ends_early_where_enough_was_found() {
        let (found, read) = found(r#"{"spacey": 1, "notes": [1, 2, 3, 4, !"#);
        read.unwrap();
        assert_eq!(found.len(), 3);
    }
}
