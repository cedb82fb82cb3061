//! Files of notes in Spacey's own forms: whatever the bytes, they are read within bounds or refused with a text, and what is read can be written
//! and is then read as the same.

use std::io::Write;
use std::path::Path;

use common::{DeckId, NoteId, UserId};
use decks::exchange::{
    self, Found, Incoming, Outgoing, OutgoingCard, ReadError, WriteError, Writer,
};
use decks::model::{Card, FileFormat, Note};
use jiff::Timestamp;

/// How many things are read of a file.
const MOST: usize = 1_000;
/// How large a media file may be.
const MEDIA: u64 = 1 << 16;

/// Reads `data` as Spacey's JSON.
pub fn run_json(data: &[u8]) {
    run(FileFormat::Json, data);
}

/// Reads `data` as Markdown.
pub fn run_markdown(data: &[u8]) {
    run(FileFormat::Markdown, data);
}

fn run(format: FileFormat, data: &[u8]) {
    let read = match read(format, data) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty(), "the refusal says nothing"),
    };
    let Ok(written) = write(format, &read) else {
        panic!("what was read cannot be written");
    };
    let Ok(again) = self::read(format, &written) else {
        panic!("what was written is refused");
    };
    assert_eq!(again.problems, 0, "what was written is no more right");
    assert_eq!(again.media, read.media, "media that were written are others");
    assert_eq!(texts(&again), texts(&read), "what was written is read as something else");
}

#[derive(Default)]
struct Read {
    notes: Vec<Incoming>,
    media: Vec<(String, Vec<u8>)>,
    problems: usize,
}

/// What a note is in either form, but for where it stands. Moments before 1970 and reviews are JSON's alone, and are compared by its own tests.
fn texts(read: &Read) -> Vec<String> {
    let text = |note: &Incoming| {
        let cards = note.cards.iter().map(|card| (card.ordinal, &card.deck)).collect::<Vec<_>>();
        format!("{:?} {:?} {:?} {cards:?}", note.guid, note.content, note.tags)
    };
    read.notes.iter().map(text).collect()
}

fn read(format: FileFormat, data: &[u8]) -> Result<Read, ReadError> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(data)?;
    let (mut read, mut count) = (Read::default(), 0);
    exchange::read(file.path(), format, Path::new(""), Some(MEDIA), &mut |found| {
        match found {
            Found::Note(note) => read.notes.push(*note),
            Found::Media { name, bytes } => read.media.push((name, bytes)),
            Found::Problem(problem) => {
                assert!(!problem.place.is_empty() && !problem.message.is_empty());
                read.problems += 1;
            }
            Found::Counts { .. } | Found::Deck(_) => {}
        }
        count += 1;
        count < MOST
    })?;
    Ok(read)
}

fn write(format: FileFormat, read: &Read) -> Result<Vec<u8>, WriteError> {
    let file = tempfile::NamedTempFile::new()?;
    let now = Timestamp::UNIX_EPOCH;
    let mut writer = Writer::new(file.path(), Path::new(""), format, &[], now, 1 << 30)?;
    for note in &read.notes {
        writer.note(&outgoing(note, now))?;
    }
    for (name, bytes) in &read.media {
        writer.media(name, bytes)?;
    }
    writer.finish()?;
    Ok(std::fs::read(file.path())?)
}

fn outgoing(incoming: &Incoming, now: Timestamp) -> Outgoing {
    let note = Note {
        id: NoteId::new(),
        owner: UserId::new(),
        guid: incoming.guid.clone(),
        content: incoming.content.clone(),
        tags: incoming.tags.clone(),
        created_at: incoming.created_at.unwrap_or(now),
        updated_at: now,
        version: 1,
    };
    let written = note.content.cards().into_iter().zip(&incoming.cards);
    let cards = written.map(|(written, card)| OutgoingCard {
        card: Card::of(&note, written, DeckId::new()),
        path: card.deck.clone(),
        reviews: card.reviews.clone(),
        schedule: card.schedule,
    });
    let cards = cards.collect();
    Outgoing { note, cards }
}
