//! Packages that no program writes: bytes put together by hand.

use std::io::{Cursor, Read, Write};

use anki::model::{Collection, Note, NoteKind, NoteType, Template};
use anki::{Error, Limits, Package, PackageWriter};
use rusqlite::Connection;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

pub(crate) fn collection() -> Collection {
    let template = Template {
        name: "Card 1".to_owned(),
        question: "{{Front}}".to_owned(),
        answer: "{{Back}}".to_owned(),
    };
    let note_type = NoteType {
        id: 5,
        name: "Basic".to_owned(),
        kind: NoteKind::Standard,
        fields: vec!["Front".to_owned(), "Back".to_owned()],
        sort_field: 0,
        templates: vec![template],
        css: String::new(),
        latex_header: String::new(),
        latex_footer: String::new(),
    };
    Collection { created: 1_500_000_000, note_types: vec![note_type], ..Collection::default() }
}

pub(crate) fn note(id: i64) -> Note {
    Note {
        id,
        guid: format!("guid {id}"),
        note_type: 5,
        modified: 0,
        tags: Vec::new(),
        fields: vec![format!("front {id}"), "back".to_owned()],
    }
}

/// A package with two notes and a media file.
pub(crate) fn good() -> Vec<u8> {
    let to = Cursor::new(Vec::new());
    let mut writer = PackageWriter::new(to, &std::env::temp_dir(), &collection()).unwrap();
    writer.note(&note(1)).unwrap();
    writer.note(&note(2)).unwrap();
    writer.media("a.png", &mut b"picture".as_slice()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// The database of a good package after `sql` has run on it.
pub(crate) fn database(sql: &str) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(good())).unwrap();
    let mut bytes = Vec::new();
    zip.by_name("collection.anki21").unwrap().read_to_end(&mut bytes).unwrap();
    let folder = super::folder();
    let path = folder.path().join("database");
    std::fs::write(&path, bytes).unwrap();
    let database = Connection::open(&path).unwrap();
    database.execute_batch(sql).unwrap();
    database.close().unwrap();
    std::fs::read(path).unwrap()
}

pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A package of a database after `sql` has run on it.
pub(crate) fn with_sql(sql: &str) -> Vec<u8> {
    archive(&[("collection.anki21", &database(sql))])
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

/// A Protocol Buffers field that holds bytes.
pub(crate) fn message(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    bytes.extend(content);
    bytes
}

/// Replaces each occurrence of bytes by others of the same length.
pub(crate) fn patched(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "{from:?} does not occur");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

pub(crate) fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Package<Cursor<Vec<u8>>>, Error> {
    Package::open(Cursor::new(bytes), &std::env::temp_dir(), limits)
}

/// Opens a package and reads all of it; the first error ends it.
pub(crate) fn read(bytes: Vec<u8>, limits: &Limits) -> Result<(), Error> {
    let mut package = open(bytes, limits)?;
    package.notes().try_for_each(|note| note.map(drop))?;
    package.cards().try_for_each(|card| card.map(drop))?;
    package.reviews().try_for_each(|review| review.map(drop))?;
    for media in package.media().to_vec() {
        package.copy_media(&media, &mut std::io::sink())?;
    }
    Ok(())
}
