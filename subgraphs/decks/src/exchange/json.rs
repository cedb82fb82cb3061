//! Spacey's JSON: everything of decks, notes, cards and media, so that importing an export gives the same again. It is read and written as a
//! stream: one deck, note or file a line, but any white space is accepted.
//!
//! `{"spacey": 1, "decks": [{path, description, color, archived}], "notes": [{guid, type, fields, tags, createdAt, cards: [{ordinal, deck,
//! reviews, schedule}]}], "media": [{name, data}]}`. A card that the list lacks is new, and lies where the note's first card does. Which media there
//! are is known once the notes are, so they come last, in Base64; reading passes over the file twice, since notes may name files otherwise here.
//!
//! A deck, note or file is in memory as the text it is, of [`MAX_ELEMENT`] bytes at most, and then as what it says, whose lists are bounded; what is
//! passed over is not kept at all.

mod meter;
mod read;

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use common::history::{PastReview, Schedule};
use jiff::Timestamp;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::line;
use super::outgoing::{Outgoing, OutgoingDeck};
use crate::model::Tag;

pub(super) use read::read;

/// The version of the form.
const VERSION: u64 = 1;
/// What ends reading early, as an error of the parser's.
const ENOUGH: &str = "enough was read";
/// The most reviews of a card.
const MAX_REVIEWS: usize = 100_000;
/// The most bytes of a deck, a note or a file as it stands in the text, and of a name of the outermost object. A file of media that may be kept is never too long.
const MAX_ELEMENT: u64 = 32 << 20;
/// How many more than its bytes in Base64 a file of media has.
const AROUND_MEDIA: u64 = 64 << 10;
/// The most items of a list but that of reviews. None of what is kept has as many.
const MAX_ITEMS: usize = 1_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeckForm {
    #[serde(deserialize_with = "items")]
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
    #[serde(deserialize_with = "items")]
    fields: Vec<FieldForm>,
    #[serde(default, deserialize_with = "items")]
    tags: Vec<String>,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(deserialize_with = "items")]
    cards: Vec<CardForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardForm {
    ordinal: i64,
    #[serde(deserialize_with = "items")]
    deck: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "reviews")]
    reviews: Vec<PastReview>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<Schedule>,
}

#[derive(Debug, Deserialize)]
struct MediaForm<'a> {
    name: String,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

fn items<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    at_most(from, MAX_ITEMS)
}

fn reviews<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PastReview>, D::Error> {
    at_most(from, MAX_REVIEWS)
}

/// A list of at most so many items: no more are read.
fn at_most<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
    most: usize,
) -> Result<Vec<T>, D::Error> {
    struct AtMost<T>(usize, std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {} items", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                if items.len() == self.0 {
                    return Err(A::Error::invalid_length(self.0 + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }
    from.deserialize_seq(AtMost(most, std::marker::PhantomData))
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
    use std::io::{BufReader, Cursor};

    use super::super::{Found, ReadError};
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

    /// A text that is made as it is read: `before`, so many of `repeated`, `after`.
    struct Made(Vec<u8>, &'static [u8], u64, Vec<u8>);

    impl std::io::Read for Made {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Self(before, repeated, count, after) = self;
            if before.is_empty() && *count > 0 {
                before.extend_from_slice(repeated);
                *count -= 1;
            } else if before.is_empty() {
                std::mem::swap(before, after);
            }
            let read = buffer.len().min(before.len());
            buffer[..read].copy_from_slice(&before[..read]);
            before.drain(..read);
            Ok(read)
        }
    }

    impl std::io::Seek for Made {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }

    #[test]
    fn what_would_not_end_is_refused_and_what_is_passed_over_is_not_kept() {
        let endless = |before: &str, repeated: &'static [u8], count: u64, after: &str| {
            let made = Made(before.into(), repeated, count, after.into());
            let mut found = Vec::new();
            let read = read::read_within(BufReader::new(made), Some(6), 1 << 20, &mut |one| {
                found.push(one);
                true
            });
            (found, read.unwrap_err().to_string())
        };
        const KIB: &[u8] = &[b'a'; 1024];
        // Each is longer than what may be kept, and none ends.
        for (before, repeated, place) in [
            ("{\"", KIB, "a name of the outermost object: it has more than 1048576 bytes"),
            ("{\"spacey\": 1, \"media\": [\"", KIB, "media[0]: it has more than 1048576 bytes"),
            ("{\"spacey\": 1, \"media\": [1, {\"name\": \"", KIB, "media[1]: it has more than"),
            ("{\"spacey\": 1, \"media\": [", b"[", "media[0]: it has more than"),
            ("{\"spacey\": 1, \"media\": [", b"{\"a\":", "media[0]: it has more than"),
            ("{\"spacey\": 1, \"media\": [", b"1", "media[0]: it has more than"),
        ] {
            let (_, error) = endless(before, repeated, u64::MAX, "");
            assert!(error.contains(place), "{error}");
        }
        // What is passed over may be as long as the file. The file cannot be read again, so that its notes are not.
        let passed = "{\"spacey\": 1, \"more\": \"";
        let (found, error) = endless(passed, KIB, 2 << 10, "\", \"media\": []}");
        assert_eq!(found, [Found::Counts { notes: 0, media: 0 }]);
        assert_eq!(error, "reading the file failed");
    }

    #[test]
    fn lists_that_are_too_long_are_left_out_where_they_are() {
        let card = r#"{"ordinal": 0, "deck": ["A"]}"#;
        let review = r#"{"at": 5, "button": 3, "interval": 1, "lastInterval": 0, "factor": 0, "taken": 1, "kind": 1}"#;
        let many = |item: &str, count: usize| vec![item; count].join(",");
        let note = |fields: &str, tags: &str, cards: &str| {
            format!(
                r#"{{"type": "BASIC", "fields": [{fields}], "tags": [{tags}], "cards": [{cards}]}}"#
            )
        };
        let field = r#"{"name": "Front", "value": "q"}, {"name": "Back", "value": "a"}"#;
        let reviewed = format!(
            r#"{{"ordinal": 0, "deck": ["A"], "reviews": [{}]}}"#,
            many(review, MAX_REVIEWS + 1)
        );
        let deep = format!(r#"{{"ordinal": 0, "deck": [{}]}}"#, many("\"a\"", MAX_ITEMS + 1));
        for wrong in [
            note(&many(r#"{"name":"","value":""}"#, MAX_ITEMS + 1), "", card),
            note(field, &many("\"\"", MAX_ITEMS + 1), card),
            note(field, "", &many(card, MAX_ITEMS + 1)),
            note(field, "", &reviewed),
            note(field, "", &deep),
            // Nested deeper than anything is.
            format!("{}0{}", "[".repeat(100_000), "]".repeat(100_000)),
        ] {
            let good = note(field, "", card);
            let (found, read) = found(&format!(r#"{{"spacey": 1, "notes": [{wrong}, {good}]}}"#));
            read.unwrap();
            let [Found::Problem(problem), Found::Note(_)] = &found[..] else { panic!("{found:?}") };
            assert!(problem.place == "notes[0]" && problem.message.len() < 300, "{problem:?}");
        }
    }

    #[test]
    fn reading_ends_early_where_enough_was_found() {
        let (found, read) = found(r#"{"spacey": 1, "notes": [1, 2, 3, 4, 5]}"#);
        read.unwrap();
        assert_eq!(found.len(), 3);
    }
}
