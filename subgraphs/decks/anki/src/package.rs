//! Reading `.apkg` and `.colpkg`: opening checks the archive, the database and all definitions; notes, cards, reviews and media are then
//! read as they are asked for, in bounded memory.
//!
//! Newer packages carry a `collection.anki2` beside the real collection that only asks for an update of Anki. It is never read: which
//! entry counts is said by `meta`, and where that is missing by the best form there is.

use std::collections::HashMap;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rusqlite::{Connection, Row};
use sha1::{Digest, Sha1};
use tempfile::TempPath;

use crate::archive::{Archive, Packing, too_much};
use crate::error::Error;
use crate::limits::Limits;
use crate::model::{Card, Collection, Counts, Media, Note, Review};
use crate::protobuf::Message;
use crate::rows::{self, Rows};
use crate::{database, definitions, media};

const META: &str = "meta";
const MOST_META_BYTES: u64 = 1024;
/// A cloze note has at most 500 cards in Anki.
const MOST_CARDS_OF_A_NOTE: u64 = 1_000;
const MOST_REVIEWS_OF_A_CARD: u64 = 100_000;

/// The forms that packages have had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `collection.anki2`, until 2018 and by most other programs.
    Legacy1,
    /// `collection.anki21`, what newer versions write for older ones.
    Legacy2,
    /// `collection.anki21b`, packed by Zstandard, with tables of Protocol Buffers messages.
    Current,
}

impl Format {
    fn collection(self) -> &'static str {
        match self {
            Self::Legacy1 => "collection.anki2",
            Self::Legacy2 => "collection.anki21",
            Self::Current => "collection.anki21b",
        }
    }

    fn packing(self) -> Packing {
        match self {
            Self::Legacy1 | Self::Legacy2 => Packing::None,
            Self::Current => Packing::Zstd,
        }
    }
}

/// A package that is open for reading.
pub struct Package<R: Read + Seek> {
    archive: Archive<R>,
    format: Format,
    // Before the file, so that it is closed when the file is removed.
    database: Connection,
    _file: TempPath,
    collection: Collection,
    media: Vec<Media>,
    missing_media: Vec<String>,
    field_counts: HashMap<i64, usize>,
    limits: Limits,
}

impl<R: Read + Seek> Package<R> {
    /// Opens a package; its database is unpacked to a file in `folder` that is removed with the package.
    ///
    /// # Errors
    ///
    /// If it is no package, a damaged one, one of a newer version, one that holds more than `limits` allow, or one that was made to do
    /// harm: [`Error`] has all of them.
    pub fn open(source: R, folder: &Path, limits: &Limits) -> Result<Self, Error> {
        let mut archive = Archive::open(source, limits)?;
        let format = format(&mut archive)?;
        let file = unpack(&mut archive, format, folder, limits)?;
        let database = database::open(&file, limits)?;
        let collection = definitions::read(&database, limits)?;
        let (media, missing_media) = media::read(&mut archive, format.packing(), limits)?;
        let field_counts = collection
            .note_types
            .iter()
            .map(|note_type| (note_type.id, note_type.fields.len()))
            .collect();
        let package = Self {
            archive,
            format,
            database,
            _file: file,
            collection,
            media,
            missing_media,
            field_counts,
            limits: limits.clone(),
        };
        let counts = package.counts()?;
        for (table, count, most) in [
            ("notes", counts.notes, limits.notes),
            ("cards", counts.cards, limits.cards),
            ("reviews", counts.reviews, limits.reviews),
        ] {
            if count > most {
                return Err(too_much("the collection", table, most));
            }
        }
        Ok(package)
    }

    /// Its form.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The collection, with decks and note types.
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// How much there is.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn counts(&self) -> Result<Counts, Error> {
        let count = |table: &'static str| {
            let sql = format!("SELECT count(*) FROM {table}");
            self.database
                .query_row(&sql, [], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
                .map_err(Error::database(table))
        };
        Ok(Counts {
            notes: count("notes")?,
            cards: count("cards")?,
            reviews: count("revlog")?,
            media: self.media.len() as u64,
        })
    }

    /// All notes.
    pub fn notes(&self) -> Rows<'_, Note> {
        let read = |row: &Row<'_>| {
            let (note, bytes) = rows::note(row, &self.limits)?;
            rows::check_fields(&note, self.field_counts.get(&note.note_type).copied())?;
            Ok((note, bytes))
        };
        let most = self.limits.notes;
        Rows::new(&self.database, "notes", rows::NOTE_COLUMNS, most, Box::new(read))
    }

    /// All cards, also those without a note.
    pub fn cards(&self) -> Rows<'_, Card> {
        let most = self.limits.cards;
        Rows::new(&self.database, "cards", rows::CARD_COLUMNS, most, Box::new(rows::card))
    }

    /// All reviews, also those of cards that were deleted.
    pub fn reviews(&self) -> Rows<'_, Review> {
        let most = self.limits.reviews;
        Rows::new(&self.database, "revlog", rows::REVIEW_COLUMNS, most, Box::new(rows::review))
    }

    /// The cards of a note, by id.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, or the database has not the index for it, which every program that writes collections makes.
    pub fn cards_of(&self, note: i64) -> Result<Vec<Card>, Error> {
        let table = "cards INDEXED BY ix_cards_nid WHERE nid";
        self.of(note, "cards", table, rows::CARD_COLUMNS, MOST_CARDS_OF_A_NOTE, rows::card)
    }

    /// The reviews of a card, in the order of their time.
    ///
    /// # Errors
    ///
    /// As of [`Self::cards_of`].
    pub fn reviews_of(&self, card: i64) -> Result<Vec<Review>, Error> {
        let table = "revlog INDEXED BY ix_revlog_cid WHERE cid";
        self.of(card, "revlog", table, rows::REVIEW_COLUMNS, MOST_REVIEWS_OF_A_CARD, rows::review)
    }

    fn of<T>(
        &self,
        id: i64,
        table: &'static str,
        from: &str,
        columns: &str,
        most: u64,
        read: fn(&Row<'_>) -> Result<(T, usize), Error>,
    ) -> Result<Vec<T>, Error> {
        let failed = Error::database(table);
        let sql = format!("SELECT {columns} FROM {from} = ?1 ORDER BY id");
        let mut statement = self.database.prepare_cached(&sql).map_err(&failed)?;
        let mut rows = statement.query([id]).map_err(&failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            if found.len() as u64 == most {
                return Err(too_much(&format!("what belongs to {id}"), table, most));
            }
            found.push(read(row)?.0);
        }
        Ok(found)
    }

    /// The media that the archive holds.
    pub fn media(&self) -> &[Media] {
        &self.media
    }

    /// The names of media that are listed and that the archive lacks.
    pub fn missing_media(&self) -> &[String] {
        &self.missing_media
    }

    /// Writes a media file's content.
    ///
    /// # Errors
    ///
    /// If it is damaged, or its size or SHA-1 is not what was announced: what was written by then is to be thrown away. Also if it cannot be
    /// written.
    pub fn copy_media(&mut self, media: &Media, to: &mut dyn Write) -> Result<(), Error> {
        let mut hashing = Hashing { to, sha1: Sha1::new() };
        // One byte more, so that a longer file is told from one of the announced size.
        let most = media.size.saturating_add(1).min(self.limits.media_file_bytes);
        let found = self.archive.unpack(media.entry, self.format.packing(), most, &mut hashing)?;
        if found != media.size {
            let what = format!("the media file {:?}", media.name);
            return Err(Error::WrongSize { what, said: media.size, found });
        }
        let sha1: [u8; 20] = hashing.sha1.finalize().into();
        if media.sha1.is_some_and(|said| said != sha1) {
            return Err(Error::WrongSha1 { name: media.name.clone() });
        }
        Ok(())
    }
}

struct Hashing<'a> {
    to: &'a mut dyn Write,
    sha1: Sha1,
}

impl Write for Hashing<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.to.write(buffer)?;
        self.sha1.update(&buffer[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

fn format<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Format, Error> {
    let format = match archive.find(META) {
        None if archive.find(Format::Legacy2.collection()).is_some() => Format::Legacy2,
        None => Format::Legacy1,
        Some(entry) => match version(&archive.read(entry, Packing::None, MOST_META_BYTES)?)? {
            1 => Format::Legacy1,
            2 => Format::Legacy2,
            3 => Format::Current,
            0 => {
                let (place, problem) = (META.to_owned(), "it has no version".to_owned());
                return Err(Error::Definition { place, problem });
            }
            newer => {
                let found = i64::try_from(newer).unwrap_or(i64::MAX);
                return Err(Error::Newer { what: "package version", found, newest: 3 });
            }
        },
    };
    match archive.find(format.collection()) {
        Some(_) => Ok(format),
        None => Err(Error::NoCollection),
    }
}

/// `PackageMetadata` {1 version}.
fn version(meta: &[u8]) -> Result<u64, Error> {
    let mut version = 0;
    for field in Message::new(meta) {
        let read = field.and_then(|field| {
            if field.number == 1 {
                version = field.number()?;
            }
            Ok(())
        });
        read.map_err(|error| Error::Definition {
            place: META.to_owned(),
            problem: error.to_string(),
        })?;
    }
    Ok(version)
}

fn unpack<R: Read + Seek>(
    archive: &mut Archive<R>,
    format: Format,
    folder: &Path,
    limits: &Limits,
) -> Result<TempPath, Error> {
    let entry = archive.find(format.collection()).ok_or(Error::NoCollection)?;
    let mut file = tempfile::Builder::new().prefix("anki-").suffix(".db").tempfile_in(folder)?;
    archive.unpack(entry, format.packing(), limits.database_bytes, file.as_file_mut())?;
    Ok(file.into_temp_path())
}
