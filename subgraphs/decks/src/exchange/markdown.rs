//! Notes for people to read and write: Markdown in which headings are decks and `Q:` begins a note. What is written is read again without loss
//! of texts, kinds, tags and decks; what was learned has no place in it.
//!
//! ```text
//! # Biology::Cells           a deck: `::` stands between names, and a heading below another is a deck in that deck
//!
//! Q: What makes ATP?         a note begins; its text goes on until the next of these lines
//! A: The mitochondrion.
//! Field Source:              another field, whose text begins on the next line
//! page 12
//! Tags: `cell` `energy::atp`
//! Card 2: Biology::Backwards a card of the note, counted from 1, that lies in another deck than the note
//! <!-- note TYPED x7Kj2 -->  its kind and its global id, where they are to be kept
//! ```
//!
//! In a block of code (between ```` ``` ```` or `~~~`) no line means anything. Elsewhere a backslash before a line that means something makes
//! it a text, and one before a blank line keeps that where it would be dropped: at the beginning and the end of a text.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::MarkdownWriter;

/// The most bytes of a line, and of a text.
const MAX_LINE: usize = 1 << 20;

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// A deck: how many signs there are, and its name or path.
    Heading(usize, &'a str),
    /// What is asked: a note begins. What follows on the line is its text's first line.
    Question(&'a str),
    /// What is answered.
    Answer(&'a str),
    /// The field of this name.
    Field(&'a str),
    /// Tags.
    Tags(&'a str),
    /// The deck of the card that is counted so from 1.
    Card(i64, &'a str),
    /// A note's kind and its global id.
    Note(&'a str),
    /// A block of code begins, with so many of this sign.
    Fence(char, usize),
    /// Nothing but text.
    Text,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let signs = line.len() - line.trim_start_matches('#').len();
        if (1..=6).contains(&signs)
            && let Some(name) = after(line, &line[..signs])
        {
            return Self::Heading(signs, name);
        }
        if let Some(text) = after(line, "Q:") {
            return Self::Question(text);
        }
        if let Some(text) = after(line, "A:") {
            return Self::Answer(text);
        }
        if let Some(text) = after(line, "Tags:") {
            return Self::Tags(text);
        }
        if let Some(name) = line.strip_prefix("Field ")
            && let Some(name) = name.trim_end().strip_suffix(':')
        {
            return Self::Field(name);
        }
        if let Some((number, path)) = line.strip_prefix("Card ").and_then(|l| l.split_once(':'))
            && let Ok(number) = number.parse()
        {
            return Self::Card(number, path);
        }
        if let Some(note) = line.strip_prefix("<!-- note ") {
            return Self::Note(note);
        }
        match fence(line) {
            Some((sign, length, _)) => Self::Fence(sign, length),
            None => Self::Text,
        }
    }

    /// Whether it begins with backslashes and could mean something without them.
    fn is_escaped(line: &str) -> bool {
        let rest = line.trim_start_matches('\\');
        rest.len() < line.len() && (rest.trim().is_empty() || Line::of(rest) != Line::Text)
    }
}

/// What follows a mark at the beginning of a line: white space, or nothing.
fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(mark)?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '\r'])).then(|| rest.trim_start())
}

/// The sign of a fence, how many there are, and what follows.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start_matches(' ');
    let sign = line.chars().next().filter(|sign| ['`', '~'].contains(sign))?;
    let rest = line.trim_start_matches(sign);
    let length = line.len() - rest.len();
    // Three signs and one more after them are a piece of code within a line.
    let is_fence = length >= 3 && !(sign == '`' && rest.contains('`'));
    is_fence.then_some((sign, length, rest))
}

/// Whether a line ends the block of code that began so.
fn closes(line: &str, sign: char, length: usize) -> bool {
    fence(line).is_some_and(|(found, count, rest)| {
        found == sign && count >= length && rest.trim().is_empty()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::of_content;
    use super::super::{Found, Incoming};
    use super::*;
    use crate::model::{Content, FieldEdit, Guid, NoteKind, Tag, Tags};

    fn found(text: &[u8]) -> (Vec<Incoming>, Vec<(String, String)>) {
        let (mut notes, mut problems) = (Vec::new(), Vec::new());
        read(text, &mut |found| {
            match found {
                Found::Note(note) => notes.push(*note),
                Found::Problem(problem) => problems.push((problem.place, problem.message)),
                other => panic!("{other:?}"),
            }
            true
        })
        .unwrap();
        (notes, problems)
    }

    fn texts(note: &Incoming) -> Vec<&str> {
        note.content.fields().iter().map(|field| &*field.value).collect()
    }

    #[test]
    fn what_people_write_is_understood() {
        let text = "Q: In no deck?\nA: Yes.\n\n# Biology\n## Cells  \n\nQ: What makes ATP?\nA:\nThe **mitochondrion**:\n\n```\n# no deck\nQ: no note\n```\n\
            Tags: cell, #energy::atp `x`\n\nQ: A {{c1::cloze}} is told by its deletions.\n\n### Deeper::Yet\nQ: Two\nlines\nA: each\n\\# no deck\n# Other\nQ: q\nA: a";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            let (notes, problems) = found(text.as_bytes());
            assert_eq!(problems, []);
            let decks: Vec<String> =
                notes.iter().map(|note| note.cards[0].deck.join("/")).collect();
            assert_eq!(
                decks,
                ["Imported", "Biology/Cells", "Biology/Cells", "Biology/Cells/Deeper/Yet", "Other"]
            );
            let answer = "The **mitochondrion**:\n\n```\n# no deck\nQ: no note\n```";
            assert_eq!(texts(&notes[1]), ["What makes ATP?", answer]);
            let tags: Vec<&str> = notes[1].tags.list().iter().map(Tag::text).collect();
            assert_eq!(tags, ["cell", "energy::atp", "x"]);
            assert_eq!(notes[2].content.kind(), NoteKind::Cloze);
            assert_eq!(texts(&notes[3]), ["Two\nlines", "each\n# no deck"]);
            assert_eq!(notes[4].place, "line 25");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let (notes, problems) = found(
            b"---\ntitle: x\n---\nHello\nyou\n#\n# D\nA: to nothing\nQ: no answer\n\nQ:\nA: no question\nQ: q\nA: a\nA: again\nQ: q\nA: a\nTags: a\"b\nmore\n\
            <!-- note ODD -->\nQ: fine\nA: fine\nCard x: D\nQ: q\nA: a\nCard 3: D\nQ: q\nA: a\nField :\nQ: q\nA:\n~~~\nopen\nQ: q\n",
        );
        let notes: Vec<_> = notes.iter().map(|note| (texts(note), &*note.place)).collect();
        assert_eq!(notes, [(vec!["fine", "fine\nCard x: D"], "line 21")]);
        let told = [
            ("line 4", "text that belongs to no note"),
            ("line 6", "has no name"),
            ("line 8", "A: without Q:"),
            ("line 9", "no answer"),
            ("line 11", "fields.Front"),
            ("line 13", "line 15: A: stands there twice"),
            ("line 19", "text that belongs to no note"),
            ("line 16", "tags were changed"),
            ("line 16", "line 20: ODD is no type of note"),
            ("line 24", "line 26: the note makes no card 3"),
            ("line 27", "fields.name"),
            ("line 30", "line 32: the block of code"),
        ];
        assert_eq!(problems.len(), told.len(), "{problems:#?}");
        for ((place, message), (line, part)) in problems.iter().zip(told) {
            assert!(
                place == line && message.contains(part),
                "{place} {message}, not {line} {part}"
            );
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        for (file, part) in [
            (&b"# D\nQ: \xff\n"[..], "line 2"),
            (&[b'x'; MAX_LINE + 1][..], "line 1"),
            (b"\xff\xfe#\0", "line 1"),
        ] {
            let error = read(file, &mut |_| true).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    /// Lines that mean something, and such as look like it.
    const MARKS: &[&str] = &[
        "Q:",
        "A:",
        "Q: x",
        "# D",
        "#",
        "#x",
        "Tags: a",
        "Field x:",
        "Card 1: D",
        "Card x:",
        "<!-- note BASIC g -->",
        "```",
        "````",
        "~~~",
        "```rust",
        "``` `",
        "---",
        "\\",
        "\\# D",
        "\\\\Q:",
        "",
        " ",
        "\t",
        " x",
        "x ",
        "::",
        "\r",
        "{{c1::x}}",
    ];

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => proptest::sample::select(MARKS).prop_map(str::to_owned),
            1 => ".{0,8}",
        ]
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(line(), 1..6).prop_map(|lines| lines.join("\n"))
    }

    fn name() -> impl Strategy<Value = String> {
        let name = "[-#:\\\\`a ]{1,6}".prop_map(|name| name.trim().to_owned());
        name.prop_filter("a name", |name| !name.is_empty())
    }

    fn path() -> impl Strategy<Value = crate::exchange::DeckPath> {
        proptest::collection::vec(name(), 1..4).prop_map(Into::into)
    }

    fn note() -> impl Strategy<Value = (Content, Tags, String)> {
        let extras = proptest::collection::btree_map(name(), text(), 0..3);
        let tag = "[-a`,#:b]{1,4}".prop_filter_map("a tag", |tag| Tag::new("tag", &tag).ok());
        let tags = proptest::collection::vec(tag, 0..3);
        let guid = "[-<>!a`\\\\]{1,6}";
        (0..4_i64, text(), text(), extras, tags, guid).prop_filter_map(
            "a note",
            |(kind, front, back, extras, tags, guid)| {
                let kind = NoteKind::of_number(kind)?;
                let [first, second] = kind.fields().map(str::to_owned);
                let own = [(first, front), (second, back)];
                let edit = |(name, value)| FieldEdit { name, value: Some(value) };
                let fields = own.into_iter().chain(extras).map(edit).collect();
                let content = Content::new("fields", kind, fields).ok()?;
                Some((content, Tags::new("tags", tags).ok()?, guid))
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            notes in proptest::collection::vec((note(), path(), path()), 1..5)
        ) {
            let now = jiff::Timestamp::UNIX_EPOCH;
            let mut writer = MarkdownWriter::new(Vec::new(), now).unwrap();
            let mut expected = Vec::new();
            for ((content, tags, guid), path, other) in notes {
                let made = content.cards();
                let decks: Vec<_> = made.iter().enumerate()
                    .map(|(nth, _)| if nth % 2 == 0 { path.clone() } else { other.clone() })
                    .collect();
                let out = of_content(content.clone(), tags.clone(), Guid(guid.clone()), &decks);
                writer.note(&out).unwrap();
                expected.push((content, tags, guid, decks));
            }
            let file = writer.finish();
            let (notes, problems) = found(&file);
            prop_assert_eq!(problems, [], "{}", String::from_utf8_lossy(&file));
            let read: Vec<_> = notes.into_iter().map(|note| {
                let decks = note.cards.iter().map(|card| card.deck.clone()).collect();
                (note.content, note.tags, note.guid.text().to_owned(), decks)
            }).collect();
            prop_assert_eq!(read, expected, "{}", String::from_utf8_lossy(&file));
        }
    }
}
