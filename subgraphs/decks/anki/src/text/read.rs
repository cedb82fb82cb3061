//! Reads a text file record by record.

use std::io::{BufRead, BufReader, Read};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::check::{Bounds, Checked, Found};
use super::{Header, Position, Separator, TextError};
use crate::limits::Limits;
use crate::names;

/// The longest line at the top; longer ones are records.
const MOST_HEADER_BYTES: usize = 64 << 10;
/// More lines at the top than there are keys, by far.
const MOST_HEADER_LINES: u64 = 100;
const UTF_8: &[u8] = b"\xef\xbb\xbf";

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// Where it begins.
    pub at: Position,
    /// From the guid's column.
    pub guid: Option<String>,
    /// From the note type's column, or that of all notes: a name or id.
    pub note_type: Option<String>,
    /// From the deck's column, or that of all notes: a name or id.
    pub deck: Option<String>,
    /// Those of all notes, and those of the tags' column.
    pub tags: Vec<String>,
    /// The other columns, as written.
    pub fields: Vec<String>,
}

/// A text file that is open for reading; its items are the records. The first error is the last item.
pub struct TextReader<R: Read> {
    reader: Reader<Checked<Start<R>>>,
    header: Header,
    separator: Separator,
    found: Found,
    count: u64,
    most: u64,
    record: StringRecord,
    is_over: bool,
}

/// The rest of the header's last line, and what follows it.
type Start<R> = std::io::Chain<std::io::Cursor<Vec<u8>>, BufReader<R>>;

impl<R: Read> TextReader<R> {
    /// Reads the lines at the top.
    ///
    /// # Errors
    ///
    /// If the file is not UTF-8, or such a line means nothing.
    pub fn new(source: R, limits: &Limits) -> Result<Self, TextError> {
        let mut source = BufReader::new(source);
        let mut header = Header::default();
        let mut lines_before = 0;
        let mut line;
        loop {
            line = read_line(&mut source)?;
            if lines_before == 0 {
                if is_wide(&line) {
                    return Err(TextError::Wide);
                }
                if line.starts_with(UTF_8) {
                    line.drain(..UTF_8.len());
                }
            }
            let Some(said) = line.strip_prefix(b"#").filter(|said| {
                lines_before < MOST_HEADER_LINES && said.len() < MOST_HEADER_BYTES - 1
            }) else {
                break;
            };
            let said = text(said, lines_before + 1)?;
            header.take(said.trim_end_matches(['\n', '\r']), lines_before + 1)?;
            lines_before += 1;
        }
        let separator = header.separator.unwrap_or_else(|| Separator::guess(&line));
        let found = Found::default();
        let bounds = Bounds { bytes: limits.text_bytes, record_bytes: limits.note_bytes };
        let checked = Checked::new(
            std::io::Cursor::new(line).chain(source),
            found.clone(),
            separator.byte(),
            bounds,
            lines_before + 1,
        );
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .delimiter(separator.byte())
            .from_reader(checked);
        Ok(Self {
            reader,
            header,
            separator,
            found,
            count: 0,
            most: limits.records,
            record: StringRecord::new(),
            is_over: false,
        })
    }

    /// What the lines at the top say.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What stands between fields: said, or found out from the first record.
    pub fn separator(&self) -> Separator {
        self.separator
    }

    fn read(&mut self) -> Result<Option<TextRow>, TextError> {
        let is_read = self
            .reader
            .read_record(&mut self.record)
            .map_err(|error| self.found.error().unwrap_or_else(|| TextError::Io(error.into())))?;
        // `csv` takes a comment for a record where the file ends in it.
        let Some(line) = self.found.next_line().filter(|_| is_read) else {
            return Ok(None);
        };
        let at = Position { line, column: 1 };
        self.count += 1;
        if self.count > self.most {
            return Err(TextError::TooMuch { at, unit: "records", most: self.most });
        }
        self.row(at).map(Some)
    }

    fn row(&self, at: Position) -> Result<TextRow, TextError> {
        let special = self.header.special();
        let found = self.record.len();
        for (column, what) in special {
            if let Some(column) = column.filter(|column| *column >= found) {
                return Err(TextError::Columns { at, found, wanted: column + 1, what });
            }
        }
        let cell = |column: Option<usize>| {
            let text = self.record.get(column?)?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let mut tags = self.header.tags.clone();
        tags.extend(names::tags(&cell(self.header.tags_column).unwrap_or_default()));
        let is_field = |index: usize| special.iter().all(|(column, _)| *column != Some(index));
        let fields = self.record.iter().enumerate().filter(|(index, _)| is_field(*index));
        Ok(TextRow {
            at,
            guid: cell(self.header.guid_column),
            note_type: cell(self.header.note_type_column).or_else(|| self.header.note_type.clone()),
            deck: cell(self.header.deck_column).or_else(|| self.header.deck.clone()),
            tags,
            fields: fields.map(|(_, field)| field.to_owned()).collect(),
        })
    }
}

impl<R: Read> Iterator for TextReader<R> {
    type Item = Result<TextRow, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.read().transpose();
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// Up to the end of a line, or so many bytes that it can be no header line.
fn read_line(source: &mut impl BufRead) -> Result<Vec<u8>, TextError> {
    let mut line = Vec::new();
    source.by_ref().take(MOST_HEADER_BYTES as u64).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn text(bytes: &[u8], line: u64) -> Result<&str, TextError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).chars().count();
        // The `#`, and columns are counted from 1.
        TextError::Encoding { at: Position { line, column: before as u64 + 2 } }
    })
}

/// Whether it begins with the mark of UTF-16 or UTF-32.
fn is_wide(start: &[u8]) -> bool {
    [&[0xff, 0xfe][..], &[0xfe, 0xff], &[0, 0, 0xfe, 0xff]]
        .iter()
        .any(|mark| start.starts_with(mark))
}
