//! Writes a text file as Anki exports notes: the header, then a record for each note.

use std::io::Write;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::{Header, Separator, TextError};
use crate::text::TextRow;

/// A text file that is being written.
pub struct TextWriter<W: Write> {
    writer: Writer<W>,
    header: Header,
    count: u64,
}

impl<W: Write> TextWriter<W> {
    /// Writes the lines that `header` stands for; a separator that is not said is a tab.
    ///
    /// # Errors
    ///
    /// If a text of the header holds a line break, or the file cannot be written.
    pub fn new(mut to: W, header: &Header) -> Result<Self, TextError> {
        let separator = header.separator.unwrap_or_default();
        let mut lines = vec![("separator", separator.name().to_owned())];
        lines.extend(header.is_html.map(|is_html| ("html", is_html.to_string())));
        lines.extend(header.note_type.clone().map(|name| ("notetype", name)));
        lines.extend(header.deck.clone().map(|name| ("deck", name)));
        let columns = [
            ("guid column", header.guid_column),
            ("notetype column", header.note_type_column),
            ("deck column", header.deck_column),
            ("tags column", header.tags_column),
        ];
        lines.extend(
            columns.into_iter().filter_map(|(key, column)| Some((key, (column? + 1).to_string()))),
        );
        if !header.tags.is_empty() {
            lines.push(("tags", header.tags.join(" ")));
        }
        if !header.columns.is_empty() {
            lines.push(("columns", record(&header.columns, separator)?));
        }
        for (key, value) in lines {
            if value.contains(['\n', '\r']) {
                let problem = "a line of the header holds a line break";
                return Err(TextError::Unwritable { record: 0, problem });
            }
            writeln!(to, "#{key}:{value}")?;
        }
        Ok(Self { writer: builder(separator).from_writer(to), header: header.clone(), count: 0 })
    }

    /// Writes a record: what has a column into it, the fields into the others in turn. What has none (a deck, say, that is that of all
    /// notes) is left to the header.
    ///
    /// # Errors
    ///
    /// If the record would have no column, a tag holds a space, or the file cannot be written.
    pub fn row(&mut self, row: &TextRow) -> Result<(), TextError> {
        self.count += 1;
        let unwritable = |problem| TextError::Unwritable { record: self.count, problem };
        let own: Vec<_> = row.tags.iter().filter(|tag| !self.header.tags.contains(tag)).collect();
        if own.iter().any(|tag| tag.is_empty() || tag.contains(char::is_whitespace)) {
            return Err(unwritable("a tag is empty or holds a space, which separates tags"));
        }
        let tags = own.iter().map(|tag| tag.as_str()).collect::<Vec<_>>().join(" ");
        let special = [
            (self.header.guid_column, row.guid.as_deref().unwrap_or_default()),
            (self.header.note_type_column, row.note_type.as_deref().unwrap_or_default()),
            (self.header.deck_column, row.deck.as_deref().unwrap_or_default()),
            (self.header.tags_column, tags.as_str()),
        ];
        let used = special.iter().filter(|(column, _)| column.is_some()).count();
        let mut fields = row.fields.iter();
        let mut cells = Vec::with_capacity(used + row.fields.len());
        for index in 0..used + row.fields.len() {
            let found = special.iter().find(|(column, _)| *column == Some(index));
            cells.push(match found {
                Some((_, text)) => text,
                None => fields.next().map(String::as_str).unwrap_or_default(),
            });
        }
        if cells.is_empty() {
            return Err(unwritable("it has no column"));
        }
        self.writer.write_record(&cells).map_err(into_io)
    }

    /// Completes the file and returns what it was written to.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<W, TextError> {
        self.writer.into_inner().map_err(|error| TextError::Io(error.into_error()))
    }
}

/// Everything is quoted: what begins with `#` is then no comment, and an empty record is none that is passed over.
fn builder(separator: Separator) -> WriterBuilder {
    let mut builder = WriterBuilder::new();
    builder
        .delimiter(separator.byte())
        .flexible(true)
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::Any(b'\n'));
    builder
}

fn record(cells: &[String], separator: Separator) -> Result<String, TextError> {
    let mut writer = builder(separator).from_writer(Vec::new());
    writer.write_record(cells).map_err(into_io)?;
    let bytes = writer.into_inner().map_err(|error| TextError::Io(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
}

/// The error of what is written to, as it is.
fn into_io(error: csv::Error) -> TextError {
    if !error.is_io_error() {
        return TextError::Io(error.into());
    }
    match error.into_kind() {
        csv::ErrorKind::Io(error) => TextError::Io(error),
        other => TextError::Io(std::io::Error::other(format!("{other:?}"))),
    }
}
