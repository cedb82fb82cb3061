//! Why a file is refused: what is wrong, and where.

use std::io;

/// The table, row and column of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub row: i64,
    /// The column.
    pub column: &'static str,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {} of row {} of table {}", self.column, self.row, self.table)
    }
}

/// Why a package cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no ZIP archive, or a damaged one.
    #[error("the file is not a ZIP archive that can be read: {0}")]
    Archive(String),
    /// It is an archive of something else.
    #[error(
        "the archive holds no Anki collection: none of the entries collection.anki21b, collection.anki21 and collection.anki2 that its version asks for"
    )]
    NoCollection,
    /// A newer version of Anki wrote it.
    #[error("the file has the {what} {found}; versions up to {newest} can be read")]
    Newer {
        /// What has a version.
        what: &'static str,
        /// The version found.
        found: i64,
        /// The newest that is known.
        newest: i64,
    },
    /// There is more than [`crate::Limits`] allow.
    #[error("there are more than {most} {unit} in {place}")]
    TooMuch {
        /// Where.
        place: String,
        /// What is counted.
        unit: &'static str,
        /// The limit.
        most: u64,
    },
    /// An entry becomes so much larger by unpacking that it must be a bomb.
    #[error("the archive's entry {entry:?} unpacks to more than {most} times its size")]
    Bomb {
        /// The entry.
        entry: String,
        /// The limit.
        most: u64,
    },
    /// An entry's name leads out of the archive, or is no text.
    #[error("the archive's entry {entry:?} has a name that is not allowed: {problem}")]
    EntryName {
        /// The name.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry is of a sort that Anki does not write: a link, encrypted, or packed in another way.
    #[error("the archive's entry {entry:?} is {sort}, which Anki does not write")]
    EntrySort {
        /// The entry.
        entry: String,
        /// What it is.
        sort: &'static str,
    },
    /// Two entries have one name, or share bytes.
    #[error("the archive has entries that {how}")]
    Entries {
        /// What they do.
        how: &'static str,
    },
    /// An entry's bytes do not fit what the archive says of them: its checksum, its packing.
    #[error("the archive's entry {entry:?} is damaged: {problem}")]
    Damaged {
        /// The entry.
        entry: String,
        /// What is wrong.
        problem: String,
    },
    /// An entry has another size than is said of it.
    #[error("{what} has {found} bytes where {said} were announced")]
    WrongSize {
        /// The entry or media file.
        what: String,
        /// What was announced.
        said: u64,
        /// What there was.
        found: u64,
    },
    /// A media file's content has another checksum than is said of it.
    #[error("the media file {name:?} has another SHA-1 than was announced")]
    WrongSha1 {
        /// Its name.
        name: String,
    },
    /// The list of media is no list of media.
    #[error("the list of media cannot be read: {0}")]
    MediaList(String),
    /// A media file's name is none.
    #[error("the media file {name:?} has a name that is not allowed: {problem}")]
    MediaName {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two media files have one name.
    #[error("there are two media files {name:?}")]
    MediaTwice {
        /// Their name.
        name: String,
    },
    /// The database is damaged, or none.
    #[error("the collection's database cannot be read ({place}): {problem}")]
    Database {
        /// What was read.
        place: &'static str,
        /// What SQLite says.
        problem: String,
    },
    /// The database has something that Anki's have not and that could do harm: a trigger, a view, a virtual table.
    #[error("the collection's database has {what} {name:?}, which no collection has")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A table or column is missing, or is not what it must be.
    #[error("table {table} of the collection's database {problem}")]
    Schema {
        /// The table.
        table: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The definition of a note type or deck is damaged.
    #[error("{place} of the collection cannot be read: {problem}")]
    Definition {
        /// Which.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A value is of the wrong type, or means nothing. The other rows can still be read.
    #[error("{place}: {problem}")]
    Value {
        /// Where.
        place: Place,
        /// What is wrong, and what is accepted.
        problem: String,
    },
    /// What is to be written contradicts itself.
    #[error("{what} cannot be written: {problem}")]
    Unwritable {
        /// What.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// The disk, or whatever is read from or written to, fails.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether only one row is concerned, so that reading may go on.
    pub fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Value { .. })
    }

    pub(crate) fn database(place: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |error| Self::Database { place, problem: error.to_string() }
    }
}
