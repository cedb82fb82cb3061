//! Notes of tables (CSV, TSV) with Anki's header lines: the first column that is a field is the front, the second the back, the others extra
//! fields. The note type's name says which kind a note is of; without one it is basic.

use std::fs::File;
use std::io::Write;

use anki::Limits;
use anki::text::{Header, Separator, TextReader, TextRow, TextWriter};

use super::outgoing::Outgoing;
use super::{Found, Incoming, ReadError, Sink, completed, tidy};
use crate::model::{Content, FieldEdit, NoteKind, Problem, Tag};

/// The deck of notes whose table names none.
const DECK: &str = "Imported";

pub(super) fn read(file: File, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let reader = TextReader::new(file, limits)?;
    let names = field_names(reader.header());
    for row in reader {
        let row = row?;
        let place = row.at.to_string();
        let (tags, changed) = tidy::tags(row.tags.iter().map(String::as_str));
        if !changed.is_empty() {
            let message = format!("tags were changed or left out: {}", changed.join(" "));
            if !sink(Found::Problem(Problem { place: place.clone(), message })) {
                return Ok(());
            }
        }
        let deck = tidy::path_of_text(row.deck.as_deref().unwrap_or(DECK));
        let kind = kind_of(row.note_type.as_deref().unwrap_or_default());
        let goes_on = match content(kind, row.fields, &names) {
            Ok(content) => sink(Found::Note(Box::new(Incoming {
                guid: match row.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty()) {
                    Some(guid) => tidy::guid(guid),
                    None => tidy::guid_of_content(&content),
                },
                cards: completed(&content, Vec::new(), &deck),
                content,
                tags,
                created_at: None,
                place,
            }))),
            Err(message) => {
                sink(Found::Problem(Problem { place, message: format!("left out: {message}") }))
            }
        };
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

/// The names of the columns that are fields.
fn field_names(header: &Header) -> Vec<String> {
    let special =
        [header.guid_column, header.note_type_column, header.deck_column, header.tags_column];
    let names = header.columns.iter().enumerate();
    let fields = names.filter(|(index, _)| !special.contains(&Some(*index)));
    fields.map(|(_, name)| name.clone()).collect()
}

/// The kind that a note type's name means, Anki's English names among them.
fn kind_of(name: &str) -> NoteKind {
    let name = name.to_lowercase();
    if name.contains("cloze") {
        NoteKind::Cloze
    } else if name.contains("revers") {
        NoteKind::BasicReversed
    } else if name.contains("type") {
        NoteKind::Typed
    } else {
        NoteKind::Basic
    }
}

fn content(kind: NoteKind, texts: Vec<String>, names: &[String]) -> Result<Content, String> {
    let own = kind.fields();
    let name = |index: usize| match own.get(index) {
        Some(own) => (*own).to_owned(),
        None => {
            match names.get(index).filter(|name| !name.is_empty() && !own.contains(&name.as_str()))
            {
                Some(name) => name.clone(),
                None => format!("Field {}", index + 1),
            }
        }
    };
    let fields = texts.into_iter().enumerate();
    let fields = fields.filter(|(index, text)| *index < own.len() || !text.is_empty());
    let fields =
        fields.map(|(index, text)| FieldEdit { name: name(index), value: Some(text) }).collect();
    Content::new("columns", kind, fields).map_err(|error| error.to_string())
}

/// Writes notes as a table: guid, note type, deck, tags, front and back, extra fields.
pub(super) struct TableWriter<W: Write>(TextWriter<W>);

impl<W: Write> TableWriter<W> {
    pub(super) fn new(to: W, separator: Separator) -> Result<Self, anki::text::TextError> {
        let header = Header {
            separator: Some(separator),
            is_html: Some(true),
            guid_column: Some(0),
            note_type_column: Some(1),
            deck_column: Some(2),
            tags_column: Some(3),
            ..Header::default()
        };
        Ok(Self(TextWriter::new(to, &header)?))
    }

    pub(super) fn note(&mut self, note: &Outgoing) -> Result<(), anki::text::TextError> {
        let content = &note.note.content;
        let deck = note.cards.first().map(|card| card.path.join("::")).unwrap_or_default();
        let row = TextRow {
            at: anki::text::Position { line: 0, column: 0 },
            guid: Some(note.note.guid.text().to_owned()),
            note_type: Some(content.kind().label().to_owned()),
            deck: Some(deck),
            tags: note.note.tags.list().iter().map(Tag::text).map(str::to_owned).collect(),
            fields: content.fields().iter().map(|field| field.value.clone()).collect(),
        };
        self.0.row(&row)
    }

    pub(super) fn finish(self) -> Result<W, anki::text::TextError> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_note_types_say_the_kind() {
        for (name, kind) in [
            ("Basic", NoteKind::Basic),
            ("Basic (and reversed card)", NoteKind::BasicReversed),
            ("BASIC_REVERSED", NoteKind::BasicReversed),
            ("Basic (type in the answer)", NoteKind::Typed),
            ("TYPED", NoteKind::Typed),
            ("Cloze", NoteKind::Cloze),
            ("", NoteKind::Basic),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn columns_beyond_the_second_are_extra_fields() {
        let texts = ["q", "a", "", "more"].map(str::to_owned).to_vec();
        let names = ["Front", "Back", "Empty", "Source"].map(str::to_owned);
        let content = content(NoteKind::Basic, texts, &names).unwrap();
        let fields: Vec<_> = content.fields().iter().map(|f| (&*f.name, &*f.value)).collect();
        assert_eq!(fields, [("Front", "q"), ("Back", "a"), ("Source", "more")]);
    }
}
