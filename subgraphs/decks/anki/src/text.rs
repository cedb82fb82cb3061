//! Text files as Anki exports and imports them: CSV or TSV, with lines at the top that say how the rest is to be read.
//!
//! Such a line is `#key:value`. Those that are known: `separator`, `html`, `tags`, `columns`, `notetype`, `deck`, `guid column`, `notetype
//! column`, `deck column`, `tags column`; columns are counted from 1. Others are passed over, as Anki does. After them a line that begins
//! with `#` is a comment. <https://docs.ankiweb.net/importing/text-files.html#file-headers>

mod check;
mod header;
mod read;
mod write;

pub use header::{Header, Separator};
pub use read::{TextReader, TextRow};
pub use write::TextWriter;

use std::io;

/// A place in a text file, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The character in the line.
    pub column: u64,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// It is in another encoding.
    #[error("{at}: the text is not UTF-8, which alone is accepted")]
    Encoding {
        /// The first byte that is none of UTF-8's.
        at: Position,
    },
    /// It begins as UTF-16 and UTF-32 do.
    #[error("the file is in UTF-16 or UTF-32; save it as UTF-8, which alone is accepted")]
    Wide,
    /// A line at the top says what means nothing.
    #[error("{at}: #{key}:{value} is not understood; {accepted} is accepted")]
    Header {
        /// Where the value stands.
        at: Position,
        /// What it is for.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        accepted: &'static str,
    },
    /// A quotation mark opens a field that nothing closes.
    #[error("{at}: the quotation mark is never closed")]
    OpenQuote {
        /// The mark.
        at: Position,
    },
    /// A record has other columns than the header names, or none with content.
    #[error("{at}: the record has {found} columns; at least {wanted} are needed, for {what}")]
    Columns {
        /// The record.
        at: Position,
        /// How many it has.
        found: usize,
        /// How many the header asks for.
        wanted: usize,
        /// What the missing one is for.
        what: &'static str,
    },
    /// There is more than the limits allow.
    #[error("{at}: there are more than {most} {unit}")]
    TooMuch {
        /// Where the limit was passed.
        at: Position,
        /// What is counted.
        unit: &'static str,
        /// The limit.
        most: u64,
    },
    /// What is to be written cannot be read again.
    #[error("record {record} cannot be written: {problem}")]
    Unwritable {
        /// Which, from 1.
        record: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}
