//! Text files as Anki exports them: whatever the bytes, they are read within bounds or refused with a text, and what is read can be
//! written and is then read as the same.

use anki::Limits;
use anki::text::{Header, Position, TextError, TextReader, TextRow, TextWriter};

/// Reads `data` as a text file.
pub fn run(data: &[u8]) {
    let (header, rows) = match read(data) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty(), "the refusal says nothing"),
    };
    // A column that is said to hold two things is written once.
    let Ok(written) = write(&header, &rows) else {
        return;
    };
    let Ok((_, again)) = read(&written) else {
        panic!("what was written is refused");
    };
    let texts = |rows: Vec<TextRow>| -> Vec<_> {
        rows.into_iter().map(|row| (row.guid, row.note_type, row.deck, row.fields)).collect()
    };
    if has_distinct_columns(&header) {
        assert_eq!(texts(again), texts(rows), "what was written is read as something else");
    }
}

fn has_distinct_columns(header: &Header) -> bool {
    let columns =
        [header.guid_column, header.note_type_column, header.deck_column, header.tags_column];
    let mut said: Vec<_> = columns.into_iter().flatten().collect();
    said.sort_unstable();
    said.windows(2).all(|pair| pair[0] != pair[1])
}

fn read(data: &[u8]) -> Result<(Header, Vec<TextRow>), TextError> {
    let limits = Limits { records: 10_000, text_bytes: 1 << 20, ..Limits::default() };
    let reader = TextReader::new(data, &limits)?;
    let header = Header { separator: Some(reader.separator()), ..reader.header().clone() };
    let mut line = 0;
    let rows = reader
        .inspect(|row| {
            if let Ok(TextRow { at: Position { line: next, .. }, .. }) = row {
                // A lone carriage return ends a record, but no line.
                assert!(*next >= line.max(1), "record {next} follows {line}");
                line = *next;
            }
        })
        .collect::<Result<_, _>>()?;
    Ok((header, rows))
}

fn write(header: &Header, rows: &[TextRow]) -> Result<Vec<u8>, TextError> {
    let mut writer = TextWriter::new(Vec::new(), header)?;
    rows.iter().try_for_each(|row| writer.row(row))?;
    writer.finish()
}
