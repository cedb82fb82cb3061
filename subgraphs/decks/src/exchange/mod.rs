//! Files and what is in them: notes as an import takes them, and as an export writes them, whatever the form of the file.
//!
//! It knows no store and nobody's decks. What it reads was made by strangers: one note that cannot be taken is a [`Problem`] and is left out;
//! a file that cannot be read is a [`ReadError`].

mod json;
mod markdown;
mod outgoing;
mod package;
mod package_out;
mod table;
mod tidy;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use anki::Limits;
use common::history::{PastReview, Schedule};
use jiff::Timestamp;

use crate::model::{Content, FileFormat, Guid, Problem, Tags};

pub use outgoing::{Outgoing, OutgoingCard, OutgoingDeck, WriteError, Writer};
pub use tidy::MAX_PATH_TEXT;

/// The names from the outermost deck to the one that is meant; each a valid name, 1 to [`crate::model::MAX_DEPTH`] of them.
pub type DeckPath = Arc<[String]>;

/// A note of a file that can be imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Where it stands in the file.
    pub place: String,
    /// By which it is known.
    pub guid: Guid,
    /// What it says.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// A card for each that its content makes, in their order.
    pub cards: Vec<IncomingCard>,
}

impl Incoming {
    /// About how many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = self.content.fields().iter().map(|field| field.value.len()).sum::<usize>();
        let reviews = self.cards.iter().map(|card| card.reviews.len()).sum::<usize>();
        // The cards have the texts once more.
        texts * (1 + self.cards.len()) + reviews * size_of::<PastReview>() + 500
    }
}

/// A card of a note of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct IncomingCard {
    /// Which of the note's cards.
    pub ordinal: i64,
    /// The deck it lies in.
    pub deck: DeckPath,
    /// Its reviews, in the order of their time.
    pub reviews: Vec<PastReview>,
    /// Where it stands; `None` for a new one.
    pub schedule: Option<Schedule>,
}

/// What a file says of a deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeckInfo {
    /// Which deck.
    pub path: DeckPath,
    /// What it is about: valid.
    pub description: String,
    /// `#RRGGBB` in capitals.
    pub color: Option<String>,
    /// Put aside by its owner.
    pub archived: bool,
}

/// A thing in a file, in the order in which it is read: decks and media are told of before notes.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// How many notes there are, and media files; where the file says so.
    Counts {
        /// Notes.
        notes: u64,
        /// Media files.
        media: u64,
    },
    /// A deck.
    Deck(DeckInfo),
    /// A media file, where they are asked for.
    Media {
        /// Its name, which notes say.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A note.
    Note(Box<Incoming>),
    /// Something that is left out, or changed.
    Problem(Problem),
}

/// Takes in what is found; answers whether reading is to go on.
pub type Sink<'a> = dyn FnMut(Found) -> bool + 'a;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no package, a damaged one, or one that was made to do harm.
    #[error("{0}")]
    Package(#[from] anki::Error),
    /// It is no table.
    #[error("{0}")]
    Table(#[from] anki::text::TextError),
    /// It is not the JSON that is written here.
    #[error("the file is not JSON as Spacey exports it: {0}")]
    Json(String),
    /// It is no text, or has a line beyond all measure.
    #[error("the file is not Markdown: {0}")]
    Markdown(String),
    /// The disk fails.
    #[error("reading the file failed")]
    Io(#[from] std::io::Error),
}

/// Reads a file of a form. `folder` is for files that are removed again. With `media_bytes` media are read too, those of at most so many bytes.
///
/// # Errors
/// As of [`ReadError`]; what was found by then is to be thrown away.
pub fn read(
    path: &Path,
    format: FileFormat,
    folder: &Path,
    media_bytes: Option<u64>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let limits = limits();
    let file = File::open(path)?;
    match format {
        FileFormat::Apkg => package::read(file, folder, &limits, media_bytes, sink),
        FileFormat::Csv | FileFormat::Tsv => table::read(file, &limits, sink),
        FileFormat::Json => json::read(BufReader::new(file), media_bytes, sink),
        FileFormat::Markdown => markdown::read(BufReader::new(file), sink),
    }
}

/// What a file may hold. The file itself is bounded before.
fn limits() -> Limits {
    Limits { database_bytes: 1 << 30, notes: 500_000, cards: 1_000_000, ..Limits::default() }
}

/// The form of a file, told by how it begins; Markdown, which begins as it likes, by what it is called too.
///
/// # Errors
/// When it cannot be read.
pub fn format_of(path: &Path, name: &str) -> std::io::Result<FileFormat> {
    let mut beginning = Vec::new();
    File::open(path)?.take(4_096).read_to_end(&mut beginning)?;
    Ok(FileFormat::of_beginning(&beginning, name))
}

/// Gives each card that a content makes its place: one that the file lacks is new, and lies where the note's first card does.
fn completed(content: &Content, found: Vec<IncomingCard>, deck: &DeckPath) -> Vec<IncomingCard> {
    let home = found.first().map_or_else(|| Arc::clone(deck), |card| Arc::clone(&card.deck));
    let mut found: Vec<Option<IncomingCard>> = found.into_iter().map(Some).collect();
    let mut card = |ordinal| {
        let known = found
            .iter_mut()
            .find(|card| card.as_ref().is_some_and(|card: &IncomingCard| card.ordinal == ordinal));
        known.and_then(Option::take).unwrap_or_else(|| IncomingCard {
            ordinal,
            deck: Arc::clone(&home),
            reviews: Vec::new(),
            schedule: None,
        })
    };
    content.cards().into_iter().map(|written| card(written.ordinal)).collect()
}

/// Tells of a thing once, however often it is met.
#[derive(Default)]
struct Once(HashSet<String>);

impl Once {
    fn tell(&mut self, place: String, message: &str, sink: &mut Sink<'_>) -> bool {
        if !self.0.insert(place.clone()) {
            return true;
        }
        sink(Found::Problem(Problem { place, message: message.to_owned() }))
    }
}

/// Writes a text and counts nothing: what writers of texts need.
fn line(to: &mut dyn Write, text: &str) -> std::io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.write_all(b"\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use common::{DeckId, NoteId, UserId};

    use super::*;
    use crate::model::{Card, FieldEdit, Note, NoteKind};

    /// A note as it would be exported, its cards in these decks in turn.
    pub(crate) fn of_content(
        content: Content,
        tags: Tags,
        guid: Guid,
        decks: &[DeckPath],
    ) -> Outgoing {
        let (owner, now) = (UserId::new(), Timestamp::UNIX_EPOCH);
        let note = Note {
            id: NoteId::new(),
            owner,
            guid,
            content,
            tags,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let cards = note.content.cards().into_iter().zip(decks.iter().cycle());
        let cards = cards.map(|(written, path)| OutgoingCard {
            card: Card::of(&note, written, DeckId::new()),
            path: DeckPath::clone(path),
            reviews: Vec::new(),
            schedule: None,
        });
        let cards = cards.collect();
        Outgoing { note, cards }
    }

    pub(crate) fn outgoing(question: &str) -> Outgoing {
        let fields = [("Front", question), ("Back", "an answer")];
        let edit = |(name, value): (&str, &str)| FieldEdit {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        let fields = fields.into_iter().map(edit).collect();
        let content = Content::new("fields", NoteKind::Basic, fields).unwrap();
        let guid = tidy::guid_of_content(&content);
        of_content(content, Tags::default(), guid, &[deck().path])
    }

    pub(crate) fn deck() -> OutgoingDeck {
        OutgoingDeck {
            path: tidy::path(["A", "B"]),
            description: String::new(),
            color: None,
            archived: false,
        }
    }
}
