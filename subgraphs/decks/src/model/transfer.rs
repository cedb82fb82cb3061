//! Imports and exports: jobs that read a file into a person's decks, or write decks into a file. What they are, in which states, and what
//! bounds them.

use common::{DeckId, Error, TransferId, TrashId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most bytes of a file that is imported.
pub const MAX_FILE: u64 = 256 << 20;
/// The most bytes of a file that are sent or fetched at once.
pub const MAX_PART: usize = 512 << 10;
/// How many imports and exports of one person are kept.
pub const MAX_TRANSFERS: usize = 20;
/// How many of them are under way at once.
pub const MAX_UNDER_WAY: usize = 3;
/// The most decks that a file's cards lie in.
pub const MAX_TRANSFER_DECKS: usize = 2_000;
/// The most decks that an export names.
pub const MAX_EXPORT_DECKS: usize = 1_000;
/// How many problems of a file are told one by one.
pub const MAX_PROBLEMS: usize = 100;
/// How many notes a preview shows.
pub const SAMPLE: usize = 10;
/// How long a file waits for what is to be done with it, and how long an exported file is kept.
pub const FILE_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a finished import is told of.
pub const TRANSFER_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A file is read into decks.
    Import,
    /// Decks are written into a file.
    Export,
}

impl Direction {
    /// The number by which stores keep it.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Import => 0,
            Self::Export => 1,
        }
    }

    /// The direction that stores keep by this number.
    #[must_use]
    pub const fn of_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Import),
            1 => Some(Self::Export),
            _ => None,
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// The file is being sent.
    Uploading,
    /// The file is being looked through.
    Reading,
    /// What is in the file is known; nothing is imported yet.
    Preview,
    /// It waits for its turn.
    Queued,
    /// Rows are made that nobody sees yet, or a file is being written.
    Running,
    /// What was made is shown. It goes through, whatever happens.
    Committing,
    /// It is being undone.
    Cancelling,
    /// It is done.
    Done,
    /// It could not be done, and nothing was changed.
    Failed,
    /// It was called off, and nothing was changed.
    Cancelled,
}

impl TransferState {
    const ALL: [Self; 10] = [
        Self::Uploading,
        Self::Reading,
        Self::Preview,
        Self::Queued,
        Self::Running,
        Self::Committing,
        Self::Cancelling,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The number by which stores keep it.
    #[must_use]
    pub fn number(self) -> i64 {
        let place = Self::ALL.iter().position(|state| *state == self);
        place.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
    }

    /// The state that stores keep by this number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// Whether there is work to do, without anybody asking.
    #[must_use]
    pub const fn is_work(self) -> bool {
        matches!(
            self,
            Self::Reading | Self::Queued | Self::Running | Self::Committing | Self::Cancelling
        )
    }

    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileFormat {
    /// `.apkg` and `.colpkg`, in any of Anki's forms; written in the form "legacy 2".
    Apkg,
    /// Values with commas between them, with Anki's header lines.
    Csv,
    /// Values with tabs between them, with Anki's header lines.
    Tsv,
    /// Everything there is, as JSON.
    Json,
    /// Texts, kinds, tags and decks, to be read and written by people.
    Markdown,
}

impl FileFormat {
    /// How a file's name ends.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Apkg => "apkg",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Markdown => "md",
        }
    }

    /// Whether media files have a place in it.
    #[must_use]
    pub const fn takes_media(self) -> bool {
        matches!(self, Self::Apkg | Self::Json)
    }

    /// The media type of such a file.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Apkg => "application/zip",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// The form of a file that begins so and is called so.
    #[must_use]
    pub fn of_beginning(bytes: &[u8], name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let is_called_markdown = [".md", ".markdown"].iter().any(|end| name.ends_with(end));
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let first_line = text.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"#"));
        match text {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Apkg,
            _ if is_called_markdown => Self::Markdown,
            [b'-', b'-', b'-', b'\n' | b'\r', ..] => Self::Markdown,
            [b'{', ..] => Self::Json,
            _ if first_line.is_some_and(|line| line.contains(&b'\t')) => Self::Tsv,
            _ => Self::Csv,
        }
    }
}

/// What to do with a note that is there already, by its global id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Duplicates {
    /// It stays as it is.
    #[default]
    Skip,
    /// It gets the texts and tags of the file; what was learned of its cards stays.
    Update,
    /// The file's is made beside it.
    KeepBoth,
}

/// How a file is to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportOptions {
    /// The deck in which those of the file will lie; `None` for the top.
    pub deck: Option<DeckId>,
    /// What to do with notes that are there already.
    pub duplicates: Duplicates,
    /// Whether what was learned of the cards comes along.
    pub with_scheduling: bool,
    /// Whether media files come along.
    pub with_media: bool,
}

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportOptions {
    /// These decks with those in them; `None` for all.
    pub decks: Option<Vec<DeckId>>,
    /// The form of the file.
    pub format: FileFormat,
    /// Whether what was learned of the cards goes along, where the form has a place for it.
    pub with_scheduling: bool,
    /// Whether media files go along, where the form has a place for them.
    pub with_media: bool,
}

/// Something in a file that is not imported as it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: a line, a row, a note.
    pub place: String,
    /// What is wrong, and what becomes of it.
    pub message: String,
}

/// Problems, the first of them one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Problems {
    /// The first [`MAX_PROBLEMS`].
    pub first: Vec<Problem>,
    /// How many there are.
    pub count: u64,
}

impl Problems {
    /// Takes one in.
    pub fn add(&mut self, problem: Problem) {
        self.count += 1;
        if self.first.len() < MAX_PROBLEMS {
            self.first.push(problem);
        }
    }
}

/// A deck of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDeck {
    /// Its name, after those of the decks it lies in.
    pub path: Vec<String>,
    /// How many cards lie right in it.
    pub cards: u64,
}

/// A note of a file, shortened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleNote {
    /// The number of its kind: see [`super::NoteKind::number`].
    pub kind: i64,
    /// The name of its first card's deck, after those of the decks it lies in.
    pub deck: Vec<String>,
    /// Names and texts, of which at most 200 characters.
    pub fields: Vec<(String, String)>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preview {
    /// Notes that can be imported.
    pub notes: u64,
    /// The cards that they make.
    pub cards: u64,
    /// Reviews of these.
    pub reviews: u64,
    /// Media files.
    pub media: u64,
    /// Whether it says of any card when it is due.
    pub has_scheduling: bool,
    /// The decks that cards lie in.
    pub decks: Vec<FileDeck>,
    /// The first notes.
    pub sample: Vec<SampleNote>,
    /// What cannot be imported as it stands there.
    pub problems: Problems,
}

/// What became of a file's notes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Notes that were made.
    pub added: u64,
    /// Notes that were there and got the file's texts.
    pub updated: u64,
    /// Notes that were there and stayed as they were.
    pub skipped: u64,
    /// Cards that were made.
    pub cards: u64,
    /// Reviews that came along.
    pub reviews: u64,
    /// Media files that came along, those that were there among them.
    pub media: u64,
    /// What was not imported as it stood there.
    pub problems: Problems,
}

/// Why a transfer failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferError {
    /// By which a client decides: BAD_FILE, LIMIT_EXCEEDED, NOT_FOUND, INTERRUPTED, SERVICE_UNAVAILABLE, INTERNAL_SERVER_ERROR.
    pub code: String,
    /// What was wrong, and where.
    pub message: String,
}

/// What a transfer is about and how far it has come, as far as nobody looks for it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TransferBody {
    /// The file's name.
    pub name: String,
    /// The form of the file; `None` until it is known.
    pub format: Option<FileFormat>,
    /// Bytes of the file that are there.
    pub size: u64,
    /// In how many parts.
    pub parts: u32,
    /// How it is imported.
    pub import: Option<ImportOptions>,
    /// What is exported.
    pub export: Option<ExportOptions>,
    /// What is in the file.
    pub preview: Option<Preview>,
    /// What became of it.
    pub report: Report,
    /// How many steps are done,
    pub done: u64,
    /// of how many.
    pub total: u64,
    /// The entry of the trash that holds what was made and is not shown yet.
    pub staging: Option<TrashId>,
    /// Why it failed.
    pub error: Option<TransferError>,
    /// How often it was begun.
    pub attempts: u32,
    /// When the import was asked for: what comes along from elsewhere was learned before.
    pub asked_at: Option<Timestamp>,
    /// How many items wait to be made once the cards are shown: see [`Item`].
    pub items: u64,
}

/// An import or an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Which one.
    pub id: TransferId,
    /// Whose it is.
    pub owner: UserId,
    /// Which way.
    pub direction: Direction,
    /// How far it has come.
    pub state: TransferState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is forgotten, with its file.
    pub expires_at: Timestamp,
    /// Until then somebody is at work on it.
    pub claimed_until: Option<Timestamp>,
    /// Grows with each write: whoever works on it is fenced off by a newer one. 0 before the first.
    pub revision: i64,
    /// The rest.
    pub body: TransferBody,
}

impl Transfer {
    /// From 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        match self.state {
            TransferState::Done => 1.0,
            _ if self.body.total == 0 => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 steps")]
            _ => (self.body.done as f64 / self.body.total as f64).min(1.0),
        }
    }
}

/// What an import does once its cards are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Item {
    /// A note that is there gets other texts.
    Update {
        /// Which note.
        note: common::NoteId,
        /// The number of its kind.
        kind: i64,
        /// Names and texts.
        fields: Vec<(String, String)>,
        /// Its tags.
        tags: Vec<String>,
    },
    /// Learning is told of the past.
    History(common::history::HistoryTold),
}

/// A valid name of a file: 1 to 200 characters, no control characters; of a path only its last part counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(pub(crate) String);

impl FileName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default().trim();
        if name.chars().any(char::is_control) {
            return Err(Error::invalid(argument, "must not hold control characters"));
        }
        super::within(argument, name, 1, 200)?;
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_file_is_told_by_its_beginning() {
        for (beginning, name, format) in [
            (&b"PK\x03\x04rest"[..], "notes.md", FileFormat::Apkg),
            (b"\xef\xbb\xbf {\"spacey\": 1}", "x", FileFormat::Json),
            (b"#separator:tab\na\tb\n", "x", FileFormat::Tsv),
            (b"a,b\n", "x.txt", FileFormat::Csv),
            (b"# a\tb\n", "Notes.MD", FileFormat::Markdown),
            (b"---\ngenerator: Spacey\n", "x", FileFormat::Markdown),
            (b"", "x", FileFormat::Csv),
        ] {
            assert_eq!(FileFormat::of_beginning(beginning, name), format);
        }
    }

    #[test]
    fn states_are_kept_by_numbers() {
        for state in TransferState::ALL {
            assert_eq!(TransferState::of_number(state.number()), Some(state));
        }
        assert_eq!(TransferState::of_number(10), None);
        assert_eq!(FileName::new("n", "C:\\x/../a b.apkg").unwrap(), FileName("a b.apkg".into()));
    }
}
