//! Notes as an export writes them, and the one way to write them whatever the form.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anki::text::Separator;
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
    Package(#[from] anki::Error),
    /// As above.
    #[error("{0}")]
    Table(#[from] anki::text::TextError),
    /// The disk fails.
    #[error("writing the file failed")]
    Io(#[from] std::io::Error),
}

/// A file that is being written: decks first, then notes one after the other.
pub struct Writer(Form);

enum Form {
    Package(Box<PackageOut>),
    Table(Box<TableWriter<BufWriter<File>>>),
    Json(JsonWriter<BufWriter<File>>),
    Markdown(MarkdownWriter<BufWriter<File>>),
}

impl Writer {
    /// Begins a file at `path`. `folder` is for files that are removed again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(
        path: &Path,
        folder: &Path,
        format: FileFormat,
        decks: &[OutgoingDeck],
        now: Timestamp,
    ) -> Result<Self, WriteError> {
        let file = File::create(path)?;
        if format == FileFormat::Apkg {
            return Ok(Self(Form::Package(Box::new(PackageOut::new(file, folder, decks, now)?))));
        }
        let to = BufWriter::new(file);
        Ok(Self(match format {
            FileFormat::Csv => Form::Table(Box::new(TableWriter::new(to, Separator::Comma)?)),
            FileFormat::Tsv => Form::Table(Box::new(TableWriter::new(to, Separator::Tab)?)),
            FileFormat::Markdown => Form::Markdown(MarkdownWriter::new(to, now)?),
            FileFormat::Json | FileFormat::Apkg => Form::Json(JsonWriter::new(to, decks)?),
        }))
    }

    /// Writes a note with its cards. Answers what of it the form has no place for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, note: &Outgoing) -> Result<Option<&'static str>, WriteError> {
        match &mut self.0 {
            Form::Package(package) => return Ok(package.note(note)?),
            Form::Table(table) => table.note(note)?,
            Form::Json(json) => json.note(note)?,
            Form::Markdown(markdown) => markdown.note(note)?,
        }
        Ok(None)
    }

    /// Whether the form has a place for media.
    #[must_use]
    pub const fn takes_media(&self) -> bool {
        matches!(self.0, Form::Package(_))
    }

    /// Writes a media file, where the form has a place for it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn media(&mut self, name: &str, mut bytes: &[u8]) -> Result<(), WriteError> {
        match &mut self.0 {
            Form::Package(package) => Ok(package.media(name, &mut bytes)?),
            Form::Table(_) | Form::Json(_) | Form::Markdown(_) => Ok(()),
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), WriteError> {
        let mut to = match self.0 {
            Form::Package(package) => return Ok(package.finish()?),
            Form::Table(table) => table.finish()?,
            Form::Json(json) => json.finish()?,
            Form::Markdown(markdown) => markdown.finish(),
        };
        Ok(to.flush()?)
    }
}
