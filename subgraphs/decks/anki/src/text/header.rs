//! The lines at the top of a text file.

use super::{Position, TextError};

/// What stands between the fields of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// `\t`, as Anki exports.
    #[default]
    Tab,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// ` `
    Space,
    /// `|`
    Pipe,
    /// `:`
    Colon,
}

impl Separator {
    const ALL: [(Self, u8, &'static str); 6] = [
        (Self::Tab, b'\t', "Tab"),
        (Self::Pipe, b'|', "Pipe"),
        (Self::Semicolon, b';', "Semicolon"),
        (Self::Colon, b':', "Colon"),
        (Self::Comma, b',', "Comma"),
        (Self::Space, b' ', "Space"),
    ];

    /// The character.
    pub fn byte(self) -> u8 {
        match self {
            Self::Tab => b'\t',
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Space => b' ',
            Self::Pipe => b'|',
            Self::Colon => b':',
        }
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(separator, ..)| *separator == self).map_or("Tab", |found| found.2)
    }

    /// By its name, in whatever case, or as itself.
    fn parse(value: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, byte, name)| {
            value.eq_ignore_ascii_case(name) || value.as_bytes() == [*byte]
        });
        found.map(|found| found.0).or_else(|| (value == "\\t").then_some(Self::Tab))
    }

    /// The first, in Anki's order, that the first line holds.
    pub(super) fn guess(line: &[u8]) -> Self {
        let found = Self::ALL.iter().find(|(_, byte, _)| line.contains(byte));
        found.map_or(Self::Space, |found| found.0)
    }
}

/// What the lines at the top say. Columns are indexes from 0 here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Absent: to be found out.
    pub separator: Option<Separator>,
    /// Whether fields are HTML; otherwise `<` and line breaks in them are text. Absent: not said.
    pub is_html: Option<bool>,
    /// Tags for all notes.
    pub tags: Vec<String>,
    /// The names of the columns; empty where they have none.
    pub columns: Vec<String>,
    /// The note type of all notes: its name or id.
    pub note_type: Option<String>,
    /// The deck of all notes: its name or id.
    pub deck: Option<String>,
    /// The column of the guid.
    pub guid_column: Option<usize>,
    /// The column of the note type's name or id.
    pub note_type_column: Option<usize>,
    /// The column of the deck's name or id.
    pub deck_column: Option<usize>,
    /// The column of the tags.
    pub tags_column: Option<usize>,
}

/// More columns than a note has fields.
const MOST_COLUMNS: usize = 1_000;

impl Header {
    /// Takes a line in, without its `#` and its end. One without a key is a comment.
    pub(super) fn take(&mut self, line: &str, number: u64) -> Result<(), TextError> {
        let Some((key, value)) = line.split_once(':') else {
            return Ok(());
        };
        let at = Position { line: number, column: key.chars().count() as u64 + 3 };
        let key = key.to_ascii_lowercase();
        let bad = |key, accepted| TextError::Header { at, key, value: value.to_owned(), accepted };
        let trimmed = value.trim();
        let column = |key| match trimmed.parse::<usize>() {
            Ok(number @ 1..=MOST_COLUMNS) => Ok(Some(number - 1)),
            _ => Err(bad(key, "a column's number, 1 to 1000,")),
        };
        let named = || (!trimmed.is_empty()).then(|| trimmed.to_owned());
        match key.trim() {
            "separator" => {
                let spelled = if trimmed.is_empty() { value } else { trimmed };
                let accepted =
                    "Tab, Comma, Semicolon, Space, Pipe, Colon or one of these characters";
                self.separator =
                    Some(Separator::parse(spelled).ok_or_else(|| bad("separator", accepted))?);
            }
            "html" => {
                self.is_html = Some(match trimmed.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(bad("html", "true or false")),
                });
            }
            "tags" => self.tags = crate::names::tags(trimmed),
            "columns" => self.columns = self.split(value),
            "notetype" => self.note_type = named(),
            "deck" => self.deck = named(),
            "guid column" => self.guid_column = column("guid column")?,
            "notetype column" => self.note_type_column = column("notetype column")?,
            "deck column" => self.deck_column = column("deck column")?,
            "tags column" => self.tags_column = column("tags column")?,
            _ => {}
        }
        Ok(())
    }

    /// The names of columns stand as a record does; the separator is said before them, or is found out from them.
    fn split(&self, value: &str) -> Vec<String> {
        let separator = self.separator.unwrap_or_else(|| Separator::guess(value.as_bytes()));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator.byte())
            .from_reader(value.as_bytes());
        let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
        record.iter().map(|name| name.trim().to_owned()).take(MOST_COLUMNS).collect()
    }

    /// The columns that hold something else than a field, with what it is.
    pub(super) fn special(&self) -> [(Option<usize>, &'static str); 4] {
        [
            (self.guid_column, "the guid"),
            (self.note_type_column, "the note type"),
            (self.deck_column, "the deck"),
            (self.tags_column, "the tags"),
        ]
    }
}
