//! Notes of Anki's packages. A note type that does what one of ours does becomes that one; notes of all others become basic notes, one for
//! each card, of what the card shows.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anki::model::{Card, CardKind, Collection, Note, NoteType, Review, ReviewKind};
use anki::schedule::Due;
use anki::template::{Shape, render, shape};
use anki::{Limits, Package};
use common::history::{PastReview, Schedule};
use jiff::Timestamp;

use super::{
    DeckInfo, DeckPath, Found, Incoming, IncomingCard, Once, ReadError, Sink, completed, tidy,
};
use crate::model::{Content, FieldEdit, Guid, MAX_DESCRIPTION, MAX_GUID, NoteKind, Problem};

/// What stands for a side that is empty: HTML that shows nothing.
const NOTHING: &str = "&nbsp;";

struct Reader<'a> {
    package: &'a Package<File>,
    decks: HashMap<i64, DeckPath>,
    default_deck: DeckPath,
    types: HashMap<i64, (&'a NoteType, Shape)>,
    has_reviews: bool,
    once: Once,
}

pub(super) fn read(
    file: File,
    folder: &Path,
    limits: &Limits,
    media_bytes: Option<u64>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut package = Package::open(file, folder, limits)?;
    let counts = package.counts()?;
    if !sink(Found::Counts { notes: counts.notes, media: counts.media }) {
        return Ok(());
    }
    let is_read = match media_bytes {
        Some(most) => media(&mut package, most, sink)?,
        None => true,
    };
    if !is_read {
        return Ok(());
    }
    let collection = package.collection();
    for deck in &collection.decks {
        let info = DeckInfo {
            path: tidy::path(deck.path()),
            description: deck.description.chars().take(MAX_DESCRIPTION).collect(),
            color: None,
            archived: false,
        };
        if !deck.is_filtered && !sink(Found::Deck(info)) {
            return Ok(());
        }
    }
    let types = collection.note_types.iter();
    let mut reader = Reader {
        package: &package,
        decks: collection.decks.iter().map(|deck| (deck.id, tidy::path(deck.path()))).collect(),
        default_deck: tidy::path(["Default"]),
        types: types.map(|note_type| (note_type.id, (note_type, shape(note_type)))).collect(),
        has_reviews: counts.reviews > 0,
        once: Once::default(),
    };
    for note in package.notes() {
        let goes_on = match note {
            Ok(note) => reader.note(&note, sink)?,
            Err(error) if error.is_of_one_row() => sink(problem("a note", &error)),
            Err(error) => return Err(error.into()),
        };
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

/// Answers whether reading is to go on.
fn media(package: &mut Package<File>, most: u64, sink: &mut Sink<'_>) -> Result<bool, ReadError> {
    for media in package.media().to_vec() {
        let found = if media.size > most {
            problem(&media.name, format!("it has {} bytes, at most {most} are kept", media.size))
        } else {
            let mut bytes = Vec::new();
            package.copy_media(&media, &mut bytes)?;
            Found::Media { name: media.name, bytes }
        };
        if !sink(found) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn problem(place: impl Into<String>, message: impl std::fmt::Display) -> Found {
    Found::Problem(Problem { place: place.into(), message: format!("left out: {message}") })
}

impl Reader<'_> {
    fn note(&mut self, note: &Note, sink: &mut Sink<'_>) -> Result<bool, ReadError> {
        let place = format!("note {}", note.id);
        let cards = match self.package.cards_of(note.id) {
            Ok(cards) => cards,
            Err(error) if error.is_of_one_row() => return Ok(sink(problem(place, &error))),
            Err(error) => return Err(error.into()),
        };
        let Some((note_type, shape)) = self.types.get(&note.note_type).copied() else {
            return Ok(sink(problem(place, "its note type is missing")));
        };
        let (tags, changed) = tidy::tags(note.tags.iter().map(String::as_str));
        if !changed.is_empty() {
            let message = format!("tags were changed or left out: {}", changed.join(" "));
            if !sink(Found::Problem(Problem { place: place.clone(), message })) {
                return Ok(false);
            }
        }
        let text = |index: usize| note.fields.get(index).cloned().unwrap_or_default();
        let (kind, first, second) = match shape {
            Shape::Basic { front, back } => (NoteKind::Basic, text(front), text(back)),
            Shape::BasicReversed { front, back } => {
                (NoteKind::BasicReversed, text(front), text(back))
            }
            Shape::Typed { front, back } => (NoteKind::Typed, text(front), text(back)),
            Shape::Cloze { text: index, extra } => {
                (NoteKind::Cloze, text(index), extra.map(text).unwrap_or_default())
            }
            Shape::Other => {
                return self.rendered(note, note_type, cards, &tags, sink);
            }
        };
        let content = match content(kind, first, second) {
            Ok(content) => content,
            Err(error) => return Ok(sink(problem(place, error))),
        };
        let made: Vec<i64> = content.cards().iter().map(|card| card.ordinal).collect();
        let mut found = Vec::with_capacity(cards.len());
        for card in &cards {
            if !made.contains(&i64::from(card.ordinal)) {
                let message = format!("card {}: its note no longer makes it", card.ordinal + 1);
                if !sink(problem(place.clone(), message)) {
                    return Ok(false);
                }
                continue;
            }
            found.push(self.card(card, i64::from(card.ordinal), &place, sink)?);
        }
        Ok(sink(Found::Note(Box::new(Incoming {
            guid: tidy::guid(&note.guid),
            cards: completed(&content, found, &self.default_deck),
            content,
            tags,
            created_at: Timestamp::from_millisecond(note.id).ok(),
            place,
        }))))
    }

    /// A basic note for each card, of what it shows.
    fn rendered(
        &mut self,
        note: &Note,
        note_type: &NoteType,
        cards: Vec<Card>,
        tags: &crate::model::Tags,
        sink: &mut Sink<'_>,
    ) -> Result<bool, ReadError> {
        let message = "it does what no type of note here does: each card became a basic note of what it shows";
        if !self.once.tell(format!("note type {:?}", note_type.name), message, sink) {
            return Ok(false);
        }
        for card in cards {
            let place = format!("note {}, card {}", note.id, card.ordinal + 1);
            let content = render(note_type, note, card.ordinal)
                .map_err(|error| error.to_string())
                .and_then(|sides| content(NoteKind::Basic, sides.question, sides.answer));
            let content = match content {
                Ok(content) => content,
                Err(error) => {
                    if !sink(problem(place, error)) {
                        return Ok(false);
                    }
                    continue;
                }
            };
            let found = self.card(&card, 0, &place, sink)?;
            let incoming = Incoming {
                guid: guid_of_card(&note.guid, card.ordinal),
                cards: completed(&content, vec![found], &self.default_deck),
                content,
                tags: tags.clone(),
                created_at: Timestamp::from_millisecond(note.id).ok(),
                place,
            };
            if !sink(Found::Note(Box::new(incoming))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn card(
        &self,
        card: &Card,
        ordinal: i64,
        place: &str,
        sink: &mut Sink<'_>,
    ) -> Result<IncomingCard, ReadError> {
        let deck = card.home.map_or(card.deck, |home| home.deck);
        let mut reviews = Vec::new();
        let rows = match self.has_reviews {
            true => self.package.reviews_of(card.id),
            false => Ok(Vec::new()),
        };
        match rows {
            Ok(rows) => {
                for row in rows {
                    match past(&row).sound() {
                        Some(review) => reviews.push(review),
                        None => {
                            sink(problem(place, format!("review {}: it has no moment", row.id)));
                        }
                    }
                }
            }
            Err(error) if error.is_of_one_row() => {
                sink(problem(place, &error));
            }
            Err(error) => return Err(error.into()),
        }
        let deck = self.decks.get(&deck).unwrap_or(&self.default_deck);
        let schedule = schedule(self.package.collection(), card);
        Ok(IncomingCard { ordinal, deck: Arc::clone(deck), reviews, schedule })
    }
}

fn content(kind: NoteKind, first: String, second: String) -> Result<Content, String> {
    let [name, other] = kind.fields();
    let filled = |text: String| match text.trim().is_empty() {
        true => NOTHING.to_owned(),
        false => text,
    };
    let second = if kind == NoteKind::Cloze { second } else { filled(second) };
    let fields = vec![
        FieldEdit { name: name.to_owned(), value: Some(filled(first)) },
        FieldEdit { name: other.to_owned(), value: Some(second) },
    ];
    Content::new("fields", kind, fields).map_err(|error| error.to_string())
}

/// The global id of one card of a note.
fn guid_of_card(guid: &str, ordinal: u32) -> Guid {
    let text = format!("{guid}#{ordinal}");
    match text.chars().count() <= MAX_GUID {
        true => tidy::guid(&text),
        false => tidy::guid(&format!("{text} ")),
    }
}

fn past(review: &Review) -> PastReview {
    PastReview {
        at: review.id,
        button: review.button,
        interval: review.interval,
        last_interval: review.last_interval,
        factor: review.factor,
        taken: review.taken,
        kind: match review.kind {
            ReviewKind::Learn => 0,
            ReviewKind::Review => 1,
            ReviewKind::Relearn => 2,
            ReviewKind::Filtered => 3,
            ReviewKind::Manual => 4,
            ReviewKind::Rescheduled => 5,
        },
    }
}

/// Where a card stands; `None` for a new one of which there is nothing to say.
fn schedule(collection: &Collection, card: &Card) -> Option<Schedule> {
    let state = match card.kind {
        CardKind::New => 0,
        CardKind::Learning => 1,
        CardKind::Review => 2,
        CardKind::Relearning => 3,
    };
    let flag = u8::try_from(card.flags & 7).unwrap_or(0);
    let is_plain = state == 0 && !card.is_suspended() && !card.is_buried() && flag == 0;
    if is_plain {
        return None;
    }
    let (mut due_at, mut due_day, mut position) = (None, None, card.extra.position);
    match card.due_at_home() {
        Due::Position(place) => position = u32::try_from(place).ok().or(position),
        Due::At(seconds) => {
            due_at = seconds.checked_mul(1_000);
        }
        Due::Day(day) => due_day = i32::try_from(collection.date_of(day)).ok(),
    }
    let schedule = Schedule {
        state,
        due_at,
        due_day,
        interval: card.interval,
        ease: card.ease_factor,
        reps: card.reps,
        lapses: card.lapses,
        steps_left: card.steps_left,
        suspended: card.is_suspended(),
        buried: card.is_buried(),
        flag,
        stability: card.extra.memory.map(|memory| memory.stability),
        difficulty: card.extra.memory.map(|memory| memory.difficulty),
        desired_retention: card.extra.desired_retention,
        decay: card.extra.decay,
        last_review: card.extra.last_review,
        position,
    };
    Some(schedule.sound())
}
