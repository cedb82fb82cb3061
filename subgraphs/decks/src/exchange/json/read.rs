//! Reading the form as a stream: a deck, a note or a file that is wrong is left out and told of; what is no such file at all is refused.

use std::fmt;
use std::io::{BufRead, Seek};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::history::{PastReview, Schedule};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::super::{DeckInfo, Found, Incoming, IncomingCard, ReadError, Sink, completed, tidy};
use super::meter::{Meter, Metered};
use super::{AROUND_MEDIA, DeckForm, ENOUGH, FieldForm, MAX_ELEMENT, MediaForm, NoteForm, VERSION};
use crate::model::{Color, Content, Description, FieldEdit, MAX_DECKS, NoteKind, Problem};

/// What is taken of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// How many media files there are, and those of at most so many bytes.
    Media(Option<u64>),
    /// Decks and notes.
    Notes,
}

pub(in super::super) fn read(
    source: impl BufRead + Seek,
    media_bytes: Option<u64>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    read_within(source, media_bytes, MAX_ELEMENT, sink)
}

/// The same, with the most bytes of an element.
pub(super) fn read_within(
    mut source: impl BufRead + Seek,
    media_bytes: Option<u64>,
    most: u64,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    if take(&mut source, Taken::Media(media_bytes), most, sink)? {
        source.rewind()?;
        take(&mut source, Taken::Notes, most, sink)?;
    }
    Ok(())
}

/// Answers whether reading is to go on.
fn take(
    source: impl BufRead,
    taken: Taken,
    most: u64,
    sink: &mut Sink<'_>,
) -> Result<bool, ReadError> {
    let meter = Meter::of(most);
    let mut parser = serde_json::Deserializer::from_reader(Metered(source, &meter));
    let file = File { taken, sink, meter: &meter };
    let read = file.deserialize(&mut parser).and_then(|()| parser.end());
    if read.is_err()
        && let Some(exceeded) = meter.exceeded.take()
    {
        return Err(ReadError::Json(exceeded));
    }
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
    meter: &'a Meter,
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
        let meter = self.meter;
        let name = || "a name of the outermost object".to_owned();
        while let Some(key) = meter.keep(name, 0, || map.next_key::<String>())? {
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
                    let (taken, sink) = (self.taken, &mut *self.sink);
                    map.next_value_seed(List { list, taken, sink, meter })?;
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
    meter: &'a Meter,
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
        let name = match self.list {
            Things::Decks => "decks",
            Things::Notes => "notes",
            Things::Media => "media",
        };
        let most = match self.taken {
            Taken::Media(Some(most)) => in_base64(most).saturating_add(AROUND_MEDIA),
            _ => 0,
        };
        loop {
            let place = || format!("{name}[{index}]");
            let element = match is_taken {
                true => self.meter.keep(place, most, || list.next_element::<Box<RawValue>>())?,
                false => None,
            };
            let Some(element) = element else { break };
            let text = element.get();
            let found = match (self.list, self.taken) {
                (Things::Decks, _) => deck(text),
                (Things::Media, Taken::Media(Some(most))) => media(text, most),
                _ => note(&place(), text, &mut tell)?,
            };
            let found = found.unwrap_or_else(|message| {
                let message = format!("left out: {message}");
                Found::Problem(Problem { place: place(), message })
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

/// How many characters so many bytes have in Base64: four for three.
fn in_base64(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

fn deck(text: &str) -> Result<Found, String> {
    let form: DeckForm = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let description = Description::new("description", form.description);
    let color = form.color.map(|color| Color::new("color", &color)).transpose();
    Ok(Found::Deck(DeckInfo {
        path: tidy::path(form.path.iter().map(String::as_str)),
        description: description.map_err(|error| error.to_string())?.0,
        color: color.map_err(|error| error.to_string())?.map(|color| color.0),
        archived: form.archived,
    }))
}

fn media(text: &str, most: u64) -> Result<Found, String> {
    let MediaForm { name, data } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let too_large = || format!("{name} has more than the {most} bytes that are kept");
    if data.len() as u64 > in_base64(most) {
        return Err(too_large());
    }
    let bytes = STANDARD.decode(&*data).map_err(|error| format!("data: no Base64: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(Found::Media { name, bytes })
}

fn note<E>(
    place: &str,
    text: &str,
    tell: &mut impl FnMut(Found) -> Result<(), E>,
) -> Result<Result<Found, String>, E> {
    let mut problems = Vec::new();
    let note = read_note(place, text, &mut problems);
    for message in problems {
        tell(Found::Problem(Problem { place: place.to_owned(), message }))?;
    }
    Ok(note)
}

fn read_note(place: &str, text: &str, problems: &mut Vec<String>) -> Result<Found, String> {
    let form: NoteForm = serde_json::from_str(text).map_err(|error| error.to_string())?;
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
