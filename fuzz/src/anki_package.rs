//! Packages of Anki: whatever the bytes of an archive, or of the database in it, they are read within bounds or refused with a text, and
//! what is read can be written and is then read as the same.

use std::env::temp_dir;
use std::io::{Cursor, Write};

use anki::model::{Card, Collection, Note, Review};
use anki::template::{render, shape};
use anki::{Error, Limits, Package, PackageWriter, references};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// So little that reaching a limit is quick.
fn limits() -> Limits {
    Limits {
        archive_bytes: 1 << 20,
        entries: 100,
        database_bytes: 1 << 20,
        media_list_bytes: 1 << 16,
        media_file_bytes: 1 << 18,
        media_bytes: 1 << 20,
        notes: 1_000,
        cards: 1_000,
        reviews: 1_000,
        ..Limits::default()
    }
}

/// Reads `data` as an archive.
pub fn run(data: &[u8]) {
    let read = match read(data.to_vec()) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty(), "the refusal says nothing"),
    };
    show(&read);
    // What contradicts itself, such as two decks of one name, is refused.
    let Ok(written) = write(&read) else {
        return;
    };
    let Ok(mut again) = self::read(written) else {
        panic!("what was written is refused");
    };
    // Anki cannot do without this deck, so that it is added.
    if !read.collection.decks.iter().any(|deck| deck.id == 1) {
        again.collection.decks.retain(|deck| deck.id != 1);
    }
    assert_eq!(again, read, "what was written is read as something else");
}

/// Renders all cards: templates and fields are texts of a stranger too.
fn show(read: &Read) {
    for note in &read.notes {
        for name in note.fields.iter().flat_map(|field| references(field)) {
            assert!(!name.contains(['/', '\\']), "{name} is a path");
        }
        let note_type = read.collection.note_types.iter().find(|found| found.id == note.note_type);
        for card in read.cards.iter().filter(|card| card.note == note.id) {
            let rendered = note_type.map(|note_type| render(note_type, note, card.ordinal));
            if let Some(Err(error)) = rendered {
                assert!(!error.to_string().is_empty(), "the refusal says nothing");
            }
            let _due = card.due_at_home();
        }
    }
    for note_type in &read.collection.note_types {
        let _shape = shape(note_type);
    }
}

/// Reads `data` as the database of a package.
pub fn run_database(data: &[u8]) {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let packed = zip
        .start_file("collection.anki21", options)
        .and_then(|()| Ok(zip.write_all(data)?))
        .and_then(|()| zip.finish());
    run(&packed.map(Cursor::into_inner).unwrap_or_default());
}

/// What could be read; rows that are wrong are left out, as whoever imports leaves them out.
#[derive(Debug, PartialEq)]
struct Read {
    collection: Collection,
    notes: Vec<Note>,
    cards: Vec<Card>,
    reviews: Vec<Review>,
    media: Vec<(String, Vec<u8>)>,
}

fn read(bytes: Vec<u8>) -> Result<Read, Error> {
    let mut package = Package::open(Cursor::new(bytes), &temp_dir(), &limits())?;
    let mut media = Vec::new();
    for file in package.media().to_vec() {
        let mut content = Vec::new();
        if package.copy_media(&file, &mut content).is_ok() {
            media.push((file.name, content));
        }
    }
    Ok(Read {
        collection: package.collection().clone(),
        notes: rows(package.notes())?,
        cards: rows(package.cards())?,
        reviews: rows(package.reviews())?,
        media,
    })
}

fn rows<T>(rows: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    rows.filter(|row| !row.as_ref().is_err_and(Error::is_of_one_row)).collect()
}

fn write(read: &Read) -> Result<Vec<u8>, Error> {
    let to = Cursor::new(Vec::new());
    let mut writer = PackageWriter::new(to, &temp_dir(), &read.collection)?;
    read.notes.iter().try_for_each(|note| writer.note(note))?;
    read.cards.iter().try_for_each(|card| writer.card(card))?;
    read.reviews.iter().try_for_each(|review| writer.review(review))?;
    for (name, content) in &read.media {
        writer.media(name, &mut content.as_slice())?;
    }
    Ok(writer.finish()?.into_inner())
}
