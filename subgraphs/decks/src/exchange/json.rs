//! Spacey's JSON: everything of decks, notes, cards and media, so that importing an export gives the same again. It is read and written as a
//! stream: one deck, note or file a line, but any white space is accepted.
//!
//! `{"spacey": 1, "decks": [{path, description, color, archived}], "notes": [{guid, type, fields, tags, createdAt, cards: [{ordinal, deck,
//! reviews, schedule}]}], "media": [{name, data}]}`. A card that the list lacks is new, and lies where the note's first card does. Which media there
//! are is known once the notes are, so they come last, in Base64; reading passes over the file twice, since notes may name files otherwise here.

use std::fmt;
use std::io::{BufRead, Seek, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
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

#[derive(Debug, Deserialize)]
struct MediaForm {
    name: String,
    data: String,
}

/// What is taken of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// How many media files there are, and those of at most so many bytes.
    Media(Option<u64>),
    /// Decks and notes.
    Notes,
}

pub(super) fn read(
    mut source: impl BufRead + Seek,
    media_bytes: Option<u64>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    if take(&mut source, Taken::Media(media_bytes), sink)? {
        source.rewind()?;
        take(&mut source, Taken::Notes, sink)?;
    }
    Ok(())
}

/// Answers whether reading is to go on.
fn take(source: impl BufRead, taken: Taken, sink: &mut Sink<'_>) -> Result<bool, ReadError> {
    let mut parser = serde_json::Deserializer::from_reader(source);
    let read = File { taken, sink }.deserialize(&mut parser).and_then(|()| parser.end());
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.to_string().starts_with(ENOUGH) => Ok(false),
        Err(error) if error.is_io() => Err(ReadError::Io(error.into())),
        Err(error) => Err(ReadError::Json(error.to_string())),
    }
}

/// The whole file.
struct File<'a, 's> {
    taken: Taken,
    sink: &'a mut Sink<'s>,
}

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
                ("decks" | "notes" | "media", _) => {
                    let list = match &*key {
                        "decks" => Things::Decks,
                        "notes" => Things::Notes,
                        _ => Things::Media,
                    };
                    map.next_value_seed(List { list, taken: self.taken, sink: self.sink })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        version.map(|_| ()).ok_or_else(|| A::Error::custom("it has no \"spacey\": 1"))
    }
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Things {
    Decks,
    Notes,
    Media,
}

struct List<'a, 's> {
    list: Things,
    taken: Taken,
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
        let is_taken = match self.taken {
            Taken::Notes => self.list != Things::Media,
            Taken::Media(most) => self.list == Things::Media && most.is_some(),
        };
        let mut tell = |found| match (self.sink)(found) {
            true => Ok(()),
            false => Err(A::Error::custom(ENOUGH)),
        };
        while is_taken && let Some(value) = list.next_element::<Value>()? {
            let (name, found) = match (self.list, self.taken) {
                (Things::Decks, _) => ("decks", deck(value)),
                (Things::Media, Taken::Media(Some(most))) => ("media", media(value, most)),
                _ => ("notes", note(&format!("notes[{index}]"), value, &mut tell)?),
            };
            let found = found.unwrap_or_else(|message| {
                let place = format!("{name}[{index}]");
                Found::Problem(Problem { place, message: format!("left out: {message}") })
            });
            index += 1;
            if self.list == Things::Decks && index > MAX_DECKS.unsigned_abs() {
                return Err(A::Error::custom(format!("there are more than {MAX_DECKS} decks")));
            }
            tell(found)?;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            index += 1;
        }
        if self.list == Things::Media && self.taken != Taken::Notes {
            tell(Found::Counts { notes: 0, media: index })?;
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

fn media(value: Value, most: u64) -> Result<Found, String> {
    let MediaForm { name, data } =
        serde_json::from_value(value).map_err(|error| error.to_string())?;
    let too_large = || format!("{name} has more than the {most} bytes that are kept");
    // Four characters for three bytes: more are not looked at.
    if data.len() as u64 > most.div_ceil(3) * 4 {
        return Err(too_large());
    }
    let bytes = STANDARD.decode(data).map_err(|error| format!("data: no Base64: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(Found::Media { name, bytes })
}

fn note<E>(
    place: &str,
    value: Value,
    tell: &mut impl FnMut(Found) -> Result<(), E>,
) -> Result<Result<Found, String>, E> {
    let mut problems = Vec::new();
    let note = read_note(place, value, &mut problems);
    for message in problems {
        tell(Found::Problem(Problem { place: place.to_owned(), message }))?;
    }
    Ok(note)
}

fn read_note(place: &str, value: Value, problems: &mut Vec<String>) -> Result<Found, String> {
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
        let all = card.reviews.len();
        let reviews: Vec<PastReview> =
            card.reviews.into_iter().filter_map(PastReview::sound).collect();
        if reviews.len() < all {
            let gone = all - reviews.len();
            let message = "reviews are left out: they are at no moment that is kept";
            problems.push(format!("card {}: {gone} {message}", card.ordinal));
        }
        cards.push(IncomingCard {
            ordinal: card.ordinal,
            deck: tidy::path(card.deck.iter().map(String::as_str)),
            reviews,
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
    has_media: bool,
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
        Ok(Self { to, is_first: true, has_media: false })
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
        self.next()?;
        line(&mut self.to, &serde_json::to_string(&form)?)
    }

    /// After the last note.
    pub(super) fn media(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        if !self.has_media {
            line(&mut self.to, "], \"media\": [")?;
            (self.has_media, self.is_first) = (true, true);
        }
        self.next()?;
        write!(self.to, "{{\"name\":{},\"data\":\"", serde_json::to_string(name)?)?;
        let mut encoder = EncoderWriter::new(&mut self.to, &STANDARD);
        encoder.write_all(bytes)?;
        encoder.finish()?;
        drop(encoder);
        line(&mut self.to, "\"}")
    }

    fn next(&mut self) -> std::io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.to.write_all(if is_first { b"" } else { b"," })
    }

    pub(super) fn finish(mut self) -> std::io::Result<W> {
        line(&mut self.to, "]}")?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn found(text: &str) -> (Vec<Found>, Result<(), ReadError>) {
        let mut found = Vec::new();
        let read = read(Cursor::new(text), Some(6), &mut |one| {
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
    fn moments_that_are_none_are_left_out() {
        let review = |at: i64| {
            format!(
                r#"{{"at": {at}, "button": 3, "interval": 1, "lastInterval": 0, "factor": 0, "taken": 1, "kind": 1}}"#
            )
        };
        let schedule = r#"{"state": 2, "dueAt": 9223372036854775807, "dueDay": -2147483648, "interval": 3, "ease": 2500, "reps": 1, "lapses": 0,
            "stepsLeft": 0, "suspended": false, "buried": false, "flag": 0, "lastReview": -9223372036854775808}"#;
        let (found, read) = found(&format!(
            r#"{{"spacey": 1, "notes": [{{"type": "BASIC", "fields": [{{"name": "Front", "value": "q"}}, {{"name": "Back", "value": "a"}}],
            "cards": [{{"ordinal": 0, "deck": ["A"], "reviews": [{}, {}, {}], "schedule": {schedule}}}]}}]}}"#,
            review(i64::MAX),
            review(5),
            review(-1)
        ));
        read.unwrap();
        let [Found::Problem(problem), Found::Note(note)] = &found[..] else { panic!("{found:?}") };
        assert!(problem.message.contains("card 0: 2 reviews"), "{problem:?}");
        let [card] = &note.cards[..] else { panic!("{note:?}") };
        assert_eq!(card.reviews.iter().map(|review| review.at).collect::<Vec<_>>(), [5]);
        let schedule = card.schedule.unwrap();
        assert_eq!((schedule.due_at, schedule.due_day, schedule.last_review), (None, None, None));
        assert_eq!(schedule.interval, 3);
    }

    #[test]
    fn media_come_before_the_notes_wherever_they_stand() {
        let mut writer = JsonWriter::new(Vec::new(), &[]).unwrap();
        writer.note(&super::super::tests::outgoing("q")).unwrap();
        for (name, bytes) in [("a \".gif", &b"abcd"[..]), ("large.gif", b"1234567")] {
            writer.media(name, bytes).unwrap();
        }
        let file = String::from_utf8(writer.finish().unwrap()).unwrap();
        let (found, _) = found(&file);
        let Found::Media { name, bytes } = &found[0] else { panic!("{found:?}") };
        assert_eq!((&**name, &**bytes), ("a \".gif", &b"abcd"[..]));
        let Found::Problem(problem) = &found[1] else { panic!("{found:?}") };
        assert!(problem.message.contains("large.gif has more than"), "{problem:?}");
        assert_eq!(found[2], Found::Counts { notes: 0, media: 2 });
        let mut kinds = Vec::new();
        read(Cursor::new(file), None, &mut |found| {
            kinds.push(std::mem::discriminant(&found));
            true
        })
        .unwrap();
        let counts = std::mem::discriminant(&found[2]);
        assert!(kinds.len() == 2 && kinds[0] == counts && kinds[1] != counts, "{kinds:?}");
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
        let (found, read) = found(r#"{"spacey": 1, "notes": [1, 2, 3, 4, 5]}"#);
        read.unwrap();
        assert_eq!(found.len(), 3);
    }
}
