//! Text files: read and written beside Anki's own library, all header lines, and every mistake with its place.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use anki::Limits;
use anki::text::{Header, Position, Separator, TextError, TextReader, TextRow, TextWriter};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use support::{folder, python};

fn read(bytes: &[u8]) -> Result<(Header, Vec<TextRow>), TextError> {
    read_within(bytes, &Limits::default())
}

fn read_within(bytes: &[u8], limits: &Limits) -> Result<(Header, Vec<TextRow>), TextError> {
    // A byte at a time, so that each character stands across two reads once.
    let reader = TextReader::new(ByteByByte(bytes), limits)?;
    let header = reader.header().clone();
    Ok((header, reader.collect::<Result<_, _>>()?))
}

struct ByteByByte<'a>(&'a [u8]);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

fn fields(bytes: &[u8]) -> Vec<Vec<String>> {
    read(bytes).unwrap().1.into_iter().map(|row| row.fields).collect()
}

fn notes(rows: &[TextRow]) -> Value {
    rows.iter()
        .map(|row| json!([row.guid, row.note_type, row.deck, row.tags, row.fields]))
        .collect()
}

#[test]
fn what_anki_exports_is_read() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    let expected: Value =
        serde_json::from_str(&python("text.py", &[Path::new("write"), &path])).unwrap();
    let (header, rows) = read(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(header.separator, Some(Separator::Tab));
    assert_eq!(header.is_html, Some(true));
    assert_eq!((header.guid_column, header.tags_column), (Some(0), Some(5)));
    assert_eq!(notes(&rows), expected);
}

#[test]
fn anki_imports_what_is_written() {
    let folder = folder();
    let path = folder.path().join("notes.csv");
    let rows: Vec<_> = [
        ("one", "Basic", ["plain", "text"], vec!["a", "b::c"]),
        ("#two", "Cloze", ["{{c1::é}}, \"日本\"; 🎌", "line\nbreak"], vec![]),
        ("3", "Basic", ["# no comment", "a\tb|c:d"], vec!["x"]),
    ]
    .into_iter()
    .map(|(guid, note_type, fields, tags)| TextRow {
        at: Position { line: 1, column: 1 },
        guid: Some(guid.to_owned()),
        note_type: Some(note_type.to_owned()),
        deck: Some("Geo::Asia".to_owned()),
        tags: [vec!["_all"], tags].concat().into_iter().map(str::to_owned).collect(),
        fields: fields.map(str::to_owned).to_vec(),
    })
    .collect();
    for separator in [Separator::Tab, Separator::Comma, Separator::Semicolon, Separator::Pipe] {
        let header = Header {
            separator: Some(separator),
            is_html: Some(true),
            tags: vec!["_all".to_owned()],
            deck: Some("Geo::Asia".to_owned()),
            columns: ["Tags", "Front", "GUID", "Back", "Notetype"].map(str::to_owned).to_vec(),
            tags_column: Some(0),
            guid_column: Some(2),
            note_type_column: Some(4),
            ..Header::default()
        };
        let mut writer = TextWriter::new(File::create(&path).unwrap(), &header).unwrap();
        rows.iter().for_each(|row| writer.row(row).unwrap());
        writer.finish().unwrap();
        let found: Value =
            serde_json::from_str(&python("text.py", &[Path::new("read"), &path])).unwrap();
        assert_eq!(found, notes(&rows), "{separator:?}");
    }
}

#[test]
fn all_lines_at_the_top_are_understood() {
    let text = "\u{feff}#separator:Comma\r\n#html:false\r\n# a comment without a key\r\n#tags:a  b::c\r\n\
        #columns:\"Front, 1\",Back\r\n#notetype:Basic (a)\r\n#deck:One::Two\r\n#guid column:3\r\n\
        #notetype column:4\r\n#deck column:5\r\n#tags column:6\r\n#if matches:keep both\r\n\
        q,\"a\"\"b\",g,,Deck,t\r\n# comment\r\n\r\nq2,a2,,Cloze,,\r\n";
    let (header, rows) = read(text.as_bytes()).unwrap();
    assert_eq!(
        header,
        Header {
            separator: Some(Separator::Comma),
            is_html: Some(false),
            tags: vec!["a".to_owned(), "b::c".to_owned()],
            columns: vec!["Front, 1".to_owned(), "Back".to_owned()],
            note_type: Some("Basic (a)".to_owned()),
            deck: Some("One::Two".to_owned()),
            guid_column: Some(2),
            note_type_column: Some(3),
            deck_column: Some(4),
            tags_column: Some(5),
        }
    );
    assert_eq!(
        notes(&rows),
        json!([
            ["g", "Basic (a)", "Deck", ["a", "b::c", "t"], ["q", "a\"b"]],
            [null, "Cloze", "One::Two", ["a", "b::c"], ["q2", "a2"]],
        ])
    );
    assert_eq!(rows[0].at.line, 13);
    assert_eq!(rows[1].at.line, 16);
}

#[test]
fn the_separator_is_found_out() {
    for text in ["a\tb;c", "a|b;c", "a;b:c", "a:b,c", "a,b c", "a b"] {
        let rows = fields(text.as_bytes());
        assert_eq!(rows[0].len(), 2, "{text}");
    }
    for (name, separator) in
        [("tab", "\t"), ("SEMICOLON", ";"), ("|", "|"), (" ", " "), ("\\t", "\t")]
    {
        let text = format!("#separator:{name}\na{separator}b");
        assert_eq!(fields(text.as_bytes()), [["a", "b"]], "{name}");
    }
    assert_eq!(fields(b""), [[""; 0]; 0]);
    assert_eq!(fields(b"\n\nalone\n"), [["alone"]]);
}

#[test]
fn what_is_not_utf_8_is_named_with_its_place() {
    for (bytes, line, column) in [
        (&b"a\tb\nc\t\xe9\n"[..], 2, 3),
        (b"\xff", 1, 1),
        ("#html:true\nä\tö".as_bytes()[..15].as_ref(), 2, 3),
        (b"#deck:\xe9", 1, 7),
        (b"#html:true\n\"a\nb\nc\xc3\x28\"", 4, 2),
    ] {
        let error = read(bytes).unwrap_err();
        let at = Position { line, column };
        assert!(matches!(&error, TextError::Encoding { at: found } if *found == at), "{error}");
    }
    for mark in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a"] {
        assert!(matches!(read(mark), Err(TextError::Wide)));
    }
}

#[test]
fn mistakes_are_named_with_their_places() {
    for (text, key, line) in [
        ("#separator:xx\na", "separator", 1),
        ("#html:true\n#html:perhaps\na", "html", 2),
        ("#guid column:0\na", "guid column", 1),
        ("#deck column:x\na", "deck column", 1),
        ("#tags column:1001\na", "tags column", 1),
        ("#notetype column:-1\na", "notetype column", 1),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        let is_it =
            matches!(&error, TextError::Header { key: k, at, .. } if *k == key && at.line == line);
        assert!(is_it, "{error}");
    }
    let open = read("a,b\nc,\"d\ne,f\ng".as_bytes()).unwrap_err();
    let at = Position { line: 2, column: 3 };
    assert!(matches!(&open, TextError::OpenQuote { at: found } if *found == at), "{open}");
    let few = read(b"#separator:,\n#tags column:3\na,b,c\nd,e\n").unwrap_err();
    let is_it = matches!(&few, TextError::Columns { found: 2, wanted: 3, what: "the tags", at } if at.line == 4);
    assert!(is_it, "{few}");
    // Quotation marks that close nothing are text.
    assert_eq!(fields(b"a\tb\"c\n\"d\"\t\"\"\n"), [["a", "b\"c"], ["d", ""]]);
    // The end of the file ends a comment, which is then no record.
    assert_eq!(fields(b"a\tb\n# c"), [["a", "b"]]);
    // In a comment they open nothing.
    assert_eq!(fields(b"a\tb\n# it's \"\nc\td\n"), [["a", "b"], ["c", "d"]]);
}

#[test]
fn text_is_bounded() {
    let long = format!("a\n\"{}\"\n", "line\n".repeat(500_000));
    for (text, limits, unit) in [
        (long.as_str(), Limits::default(), "bytes in a record"),
        ("a\nb\nc\n", Limits { records: 2, ..Limits::default() }, "records"),
        ("abc\ndef\n", Limits { text_bytes: 5, ..Limits::default() }, "bytes in the file"),
    ] {
        let error = read_within(text.as_bytes(), &limits).unwrap_err();
        assert!(
            matches!(&error, TextError::TooMuch { unit: found, .. } if *found == unit),
            "{error}"
        );
    }
    // A line at the top that never ends is a comment, of which only so much is kept.
    let endless = [b"#".as_slice(), &[b'x'; 100_000], b"\na b"].concat();
    assert_eq!(fields(&endless), [["a", "b"]]);
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let header = Header { deck: Some("a\nb".to_owned()), ..Header::default() };
    assert!(matches!(
        TextWriter::new(Vec::new(), &header),
        Err(TextError::Unwritable { record: 0, .. })
    ));
    let header = Header { tags_column: Some(0), ..Header::default() };
    let mut writer = TextWriter::new(Vec::new(), &header).unwrap();
    let row = TextRow {
        at: Position { line: 1, column: 1 },
        guid: None,
        note_type: None,
        deck: None,
        tags: vec!["a b".to_owned()],
        fields: vec!["x".to_owned()],
    };
    assert!(matches!(writer.row(&row), Err(TextError::Unwritable { record: 1, .. })));
}

fn row() -> impl Strategy<Value = TextRow> {
    let text = "[^\r\u{0}]{0,20}";
    let word = "[a-zé:]{1,6}";
    (option::of(word), word, word, vec(word, 0..3), vec(text, 1..5)).prop_map(
        |(guid, note_type, deck, tags, fields)| TextRow {
            at: Position { line: 1, column: 1 },
            guid,
            note_type: Some(note_type),
            deck: Some(deck),
            tags,
            fields,
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        mut rows in vec(row(), 0..10),
        separator in select(vec![
            Separator::Tab, Separator::Comma, Separator::Semicolon, Separator::Space,
            Separator::Pipe, Separator::Colon,
        ]),
        columns in select(vec![[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 4], [0, 1, 3, 2]]),
    ) {
        let header = Header {
            separator: Some(separator),
            is_html: Some(true),
            guid_column: Some(columns[0]),
            note_type_column: Some(columns[1]),
            deck_column: Some(columns[2]),
            tags_column: Some(columns[3]),
            ..Header::default()
        };
        let mut writer = TextWriter::new(Vec::new(), &header).unwrap();
        for row in &rows {
            writer.row(row).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let reader = TextReader::new(Cursor::new(bytes), &Limits::default()).unwrap();
        prop_assert_eq!(reader.header(), &header);
        let mut found: Vec<_> = reader.map(Result::unwrap).collect();
        for row in found.iter_mut().chain(&mut rows) {
            row.at = Position { line: 1, column: 1 };
        }
        prop_assert_eq!(found, rows);
    }
}
