//! How much a file may hold. Reading stops at a limit with an error that names it; nothing is allocated beyond it.

/// Bounds on what is read. The defaults let the largest shared collections in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive; 4 GiB.
    pub archive_bytes: u64,
    /// Entries of the archive; 100,000.
    pub entries: u64,
    /// Bytes of the unpacked database; 1 GiB.
    pub database_bytes: u64,
    /// Bytes of the unpacked list of media; 32 MiB.
    pub media_list_bytes: u64,
    /// Bytes of one unpacked media file; 100 MiB, as in Anki.
    pub media_file_bytes: u64,
    /// Bytes of all unpacked media files together; 8 GiB.
    pub media_bytes: u64,
    /// How many times larger an entry may become by unpacking, once it has become larger than 16 MiB; 200.
    pub ratio: u64,
    /// Decks; 20,000.
    pub decks: u64,
    /// Note types; 5,000.
    pub note_types: u64,
    /// Fields of a note type, and templates; 500.
    pub parts: u64,
    /// Bytes of the note types and decks, wherever the database keeps them; 32 MiB.
    pub definition_bytes: u64,
    /// Notes; 1,000,000.
    pub notes: u64,
    /// Bytes of a note's fields together, and of its tags; 1 MiB.
    pub note_bytes: u64,
    /// Cards; 5,000,000.
    pub cards: u64,
    /// Reviews; 50,000,000.
    pub reviews: u64,
    /// Bytes of a name; 1,024.
    pub name_bytes: u64,
    /// Bytes of a text file (CSV, TSV); 1 GiB.
    pub text_bytes: u64,
    /// Records of a text file; 1,000,000.
    pub records: u64,
}

/// What unpacks to less is no bomb, however small it was.
pub(crate) const RATIO_FREE_BYTES: u64 = 16 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 4 << 30,
            entries: 100_000,
            database_bytes: 1 << 30,
            media_list_bytes: 32 << 20,
            media_file_bytes: 100 << 20,
            media_bytes: 8 << 30,
            ratio: 200,
            decks: 20_000,
            note_types: 5_000,
            parts: 500,
            definition_bytes: 32 << 20,
            notes: 1_000_000,
            note_bytes: 1 << 20,
            cards: 5_000_000,
            reviews: 50_000_000,
            name_bytes: 1_024,
            text_bytes: 1 << 30,
            records: 1_000_000,
        }
    }
}
