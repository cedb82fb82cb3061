//! Notes as an export writes them, and the one way to write them whatever the form.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

use anki::text::{Separator, TextError};
use common::history::{PastReview, Schedule};
use jiff::Timestamp;

use super::DeckPath;
use super::json::JsonWriter;
use super::markdown::MarkdownWriter;
use super::package_out::PackageOut;
use super::table::TableWriter;
use crate::model::{Card, FileFormat, Note};

/// A note with those of its cards that are exported: at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The note.
    pub note: Note,
    /// Its cards, in order.
    pub cards: Vec<OutgoingCard>,
}

/// A card that is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingCard {
    /// The card.
    pub card: Card,
    /// The deck it lies in.
    pub path: DeckPath,
    /// Its reviews, in the order of their time.
    pub reviews: Vec<PastReview>,
    /// Where it stands; `None` for a new one.
    pub schedule: Option<Schedule>,
}

/// A deck that is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingDeck {
    /// Its name after those of the decks it lies in.
    pub path: DeckPath,
    /// What it is about.
    pub description: String,
    /// `#RRGGBB` in capitals.
    pub color: Option<String>,
    /// Put aside by its owner.
    pub archived: bool,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What is to be written cannot be kept in the form.
    #[error("{0}")]
    Package(anki::Error),
    /// As above.
    #[error("{0}")]
    Table(anki::text::TextError),
    /// It would have more than so many bytes.
    #[error("it would have more than {0} bytes")]
    TooLarge(u64),
    /// The disk fails.
    #[error("writing the file failed")]
    Io(#[from] std::io::Error),
}

impl From<anki::Error> for WriteError {
    fn from(error: anki::Error) -> Self {
        match error {
            anki::Error::Io(error) => Self::Io(error),
            other => Self::Package(other),
        }
    }
}

impl From<TextError> for WriteError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Io(error) => Self::Io(error),
            other => Self::Table(other),
        }
    }
}

/// A file that refuses to grow beyond a size.
pub(super) struct Bounded {
    file: File,
    place: u64,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.place + bytes.len() as u64 > self.most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write(bytes)?;
        self.place += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.place = self.file.seek(to)?;
        Ok(self.place)
    }
}

/// A file that is being written: decks first, then notes one after the other.
pub struct Writer {
    form: Form,
    most: u64,
}

enum Form {
    Package(Box<PackageOut>),
    Table(Box<TableWriter<BufWriter<Bounded>>>),
    Json(JsonWriter<BufWriter<Bounded>>),
    Markdown(MarkdownWriter<BufWriter<Bounded>>),
}

impl Writer {
    /// Begins a file at `path` of at most so many bytes. `folder` is for files that are removed again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(
        path: &Path,
        folder: &Path,
        format: FileFormat,
        decks: &[OutgoingDeck],
        now: Timestamp,
        most: u64,
    ) -> Result<Self, WriteError> {
        let to = BufWriter::new(Bounded { file: File::create(path)?, place: 0, most });
        let form = match format {
            FileFormat::Apkg => Form::Package(Box::new(PackageOut::new(to, folder, decks, now)?)),
            FileFormat::Csv => Form::Table(Box::new(TableWriter::new(to, Separator::Comma)?)),
            FileFormat::Tsv => Form::Table(Box::new(TableWriter::new(to, Separator::Tab)?)),
            FileFormat::Markdown => Form::Markdown(MarkdownWriter::new(to, now)?),
            FileFormat::Json => Form::Json(JsonWriter::new(to, decks)?),
        };
        Ok(Self { form, most })
    }

    /// Writes a note with its cards. Answers what of it the form has no place for.
    ///
    /// # Errors
    /// When it cannot be written; [`WriteError::TooLarge`] as soon as the file has too many bytes.
    pub fn note(&mut self, note: &Outgoing) -> Result<Option<&'static str>, WriteError> {
        let most = self.most;
        let written = match &mut self.form {
            Form::Package(package) => package.note(note).map_err(WriteError::from),
            Form::Table(table) => table.note(note).map(|()| None).map_err(WriteError::from),
            Form::Json(json) => json.note(note).map(|()| None).map_err(WriteError::from),
            Form::Markdown(markdown) => {
                markdown.note(note).map(|()| None).map_err(WriteError::from)
            }
        };
        written.map_err(|error| too_large(error, most))
    }

    /// Writes a media file, where the form has a place for it.
    ///
    /// # Errors
    /// As [`Writer::note`].
    pub fn media(&mut self, name: &str, mut bytes: &[u8]) -> Result<(), WriteError> {
        let most = self.most;
        let written = match &mut self.form {
            Form::Package(package) => package.media(name, &mut bytes).map_err(WriteError::from),
            Form::Json(json) => json.media(name, bytes).map_err(WriteError::from),
            Form::Table(_) | Form::Markdown(_) => Ok(()),
        };
        written.map_err(|error| too_large(error, most))
    }

    /// Completes the file.
    ///
    /// # Errors
    /// As [`Writer::note`].
    pub fn finish(self) -> Result<(), WriteError> {
        let most = self.most;
        let finish = || {
            let mut to = match self.form {
                Form::Package(package) => package.finish()?,
                Form::Table(table) => table.finish()?,
                Form::Json(json) => json.finish()?,
                Form::Markdown(markdown) => markdown.finish(),
            };
            Ok(to.flush()?)
        };
        finish().map_err(|error| too_large(error, most))
    }
}

fn too_large(error: WriteError, most: u64) -> WriteError {
    match error {
        WriteError::Io(error) if error.kind() == ErrorKind::FileTooLarge => {
            WriteError::TooLarge(most)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deck, outgoing};
    use super::*;

    #[test]
    fn a_file_that_becomes_too_large_is_refused_as_soon_as_it_is() {
        let notes: Vec<Outgoing> = (0..4_000).map(|n| outgoing(&format!("{n}"))).collect();
        for format in [FileFormat::Csv, FileFormat::Tsv, FileFormat::Json, FileFormat::Markdown] {
            let written = write(format, &notes, 150_000);
            assert!(
                matches!(written, Err((WriteError::TooLarge(150_000), 500..3_000))),
                "{format:?}"
            );
            write(format, &notes[..500], 150_000).unwrap();
        }
        // Packed at the end: until then its database is bounded.
        let written = write(FileFormat::Apkg, &notes, 10_000);
        assert!(matches!(written, Err((WriteError::TooLarge(10_000), _))), "{written:?}");
        write(FileFormat::Apkg, &notes, 1_000_000).unwrap();
    }

    /// Answers how far it came where it was refused.
    fn write(format: FileFormat, notes: &[Outgoing], most: u64) -> Result<(), (WriteError, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let decks = [deck()];
        let new = Writer::new(&path, folder.path(), format, &decks, Timestamp::UNIX_EPOCH, most);
        let mut writer = new.map_err(|error| (error, 0))?;
        for (index, note) in notes.iter().enumerate() {
            writer.note(note).map_err(|error| (error, index))?;
        }
        let written = writer.finish().map_err(|error| (error, notes.len()));
        assert!(std::fs::metadata(&path).unwrap().len() <= most);
        written
    }
}
