//! Writing a package in the form "legacy 2", which every Anki since 2018 reads: `collection.anki21`, schema 11.
//!
//! Notes, cards, reviews and media come one after the other, so that memory stays bounded: the database is made in a file and packed at
//! the end. Equal input in equal order gives equal bytes. What would contradict itself (a card of no note, a field with Anki's separator
//! in it) is refused, so that what is written can be read.

mod definitions;
mod rows;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempPath;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::error::Error;
use crate::model::{Card, Collection, Note, Review};
use crate::names::{media_problem, normal};

const SCHEMA: &str = include_str!("writer/schema.sql");
/// `PackageMetadata` {1 version: 2}.
const META: &[u8] = &[0x08, 0x02];
const COLLECTION: &str = "collection.anki21";

/// A package that is being written.
pub struct PackageWriter<W: Write + Seek> {
    zip: ZipWriter<W>,
    // Before the file, so that it is closed when the file is removed.
    database: Connection,
    file: TempPath,
    collection: Collection,
    /// Of each note type: how many fields its notes have, and by which they are sorted.
    fields: HashMap<i64, (usize, usize)>,
    decks: HashSet<i64>,
    media: BTreeMap<usize, String>,
    media_names: HashSet<String>,
    has_memory: bool,
}

impl<W: Write + Seek> PackageWriter<W> {
    /// Begins a package; its database is made in a file in `folder` that is removed with the writer.
    ///
    /// A deck 1, "Default", is added where the collection has none, since Anki cannot do without it.
    ///
    /// # Errors
    ///
    /// If the definitions contradict themselves, or the file cannot be written.
    pub fn new(to: W, folder: &Path, collection: &Collection) -> Result<Self, Error> {
        definitions::check(collection)?;
        let file = tempfile::Builder::new()
            .prefix("anki-")
            .suffix(".db")
            .tempfile_in(folder)?
            .into_temp_path();
        let failed = Error::database("the new file");
        let database = Connection::open(&file).map_err(&failed)?;
        database.execute_batch(SCHEMA).map_err(&failed)?;
        let mut zip = ZipWriter::new(to);
        zip.start_file("meta", options(CompressionMethod::Stored)).map_err(archive)?;
        zip.write_all(META)?;
        let fields = collection.note_types.iter().map(|note_type| {
            let sort_field = usize::try_from(note_type.sort_field).unwrap_or(0);
            (note_type.id, (note_type.fields.len(), sort_field))
        });
        Ok(Self {
            zip,
            database,
            file,
            collection: collection.clone(),
            fields: fields.collect(),
            decks: collection
                .decks
                .iter()
                .map(|deck| deck.id)
                .chain([definitions::DEFAULT_DECK])
                .collect(),
            media: BTreeMap::new(),
            media_names: HashSet::new(),
            has_memory: false,
        })
    }

    /// Adds a note.
    ///
    /// # Errors
    ///
    /// If its note type is unknown or has other fields, if its id was used, or a text cannot be kept in Anki's form: U+001F in a field, a
    /// space in a tag.
    pub fn note(&mut self, note: &Note) -> Result<(), Error> {
        let unwritable =
            |problem: String| Error::Unwritable { what: format!("note {}", note.id), problem };
        let Some((count, sort_field)) = self.fields.get(&note.note_type) else {
            return Err(unwritable(format!("there is no note type {}", note.note_type)));
        };
        if note.fields.len() != *count {
            let found = note.fields.len();
            return Err(unwritable(format!("it has {found} fields; its note type has {count}")));
        }
        rows::add_note(&self.database, note, *sort_field)
    }

    /// Adds a card. Its note may follow later.
    ///
    /// # Errors
    ///
    /// If its deck is unknown, or its id was used.
    pub fn card(&mut self, card: &Card) -> Result<(), Error> {
        for deck in [Some(card.deck), card.home.map(|home| home.deck)].into_iter().flatten() {
            if !self.decks.contains(&deck) {
                let what = format!("card {}", card.id);
                return Err(Error::Unwritable {
                    what,
                    problem: format!("there is no deck {deck}"),
                });
            }
        }
        self.has_memory |= card.extra.memory.is_some();
        rows::add_card(&self.database, card)
    }

    /// Adds a review. Its card may be absent, as after a deletion.
    ///
    /// # Errors
    ///
    /// If its id was used.
    pub fn review(&mut self, review: &Review) -> Result<(), Error> {
        rows::add_review(&self.database, review)
    }

    /// How many bytes the package's database has so far, before it is packed.
    ///
    /// # Errors
    ///
    /// If that cannot be found out.
    pub fn database_bytes(&self) -> Result<u64, Error> {
        let failed = Error::database("the new file");
        let number = |name: &str| {
            let sql = format!("PRAGMA {name}");
            let mut select = self.database.prepare_cached(&sql)?;
            select.query_row([], |row| row.get::<_, u32>(0))
        };
        let pages = number("page_count").map_err(&failed)?;
        let size = number("page_size").map_err(&failed)?;
        Ok(u64::from(pages) * u64::from(size))
    }

    /// Adds a media file.
    ///
    /// # Errors
    ///
    /// If its name is a path or was used, or its content cannot be read.
    pub fn media(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Error> {
        if let Some(problem) = media_problem(name) {
            return Err(Error::MediaName { name: name.to_owned(), problem });
        }
        let name = normal(name);
        if !self.media_names.insert(name.clone()) {
            return Err(Error::MediaTwice { name });
        }
        let number = self.media.len();
        self.zip
            .start_file(number.to_string(), options(CompressionMethod::Stored))
            .map_err(archive)?;
        io::copy(content, &mut self.zip)?;
        self.media.insert(number, name);
        Ok(())
    }

    /// Completes the package and returns what it was written to.
    ///
    /// # Errors
    ///
    /// If a card's note is missing, or the package cannot be written.
    pub fn finish(mut self) -> Result<W, Error> {
        rows::check_cards(&self.database)?;
        definitions::write(&self.database, &self.collection, self.has_memory)?;
        let failed = Error::database("the new file");
        self.database.execute_batch("COMMIT").map_err(&failed)?;
        self.database.close().map_err(|(_, error)| failed(error))?;
        let mut file = File::open(&self.file)?;
        let is_large = file.metadata()?.len() > u64::from(u32::MAX);
        let packed = options(CompressionMethod::Deflated).large_file(is_large);
        self.zip.start_file(COLLECTION, packed).map_err(archive)?;
        io::copy(&mut file, &mut self.zip)?;
        self.zip.start_file("media", options(CompressionMethod::Stored)).map_err(archive)?;
        serde_json::to_writer(&mut self.zip, &self.media).map_err(io::Error::from)?;
        self.zip.finish().map_err(archive)
    }
}

/// No time of writing enters the archive: equal input gives equal bytes.
fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

fn archive(error: zip::result::ZipError) -> Error {
    Error::Io(error.into())
}
