//! Reading the form: a note that is wrong is left out and told with its line; only what is no text at all is refused.

use std::io::{BufRead, Read};

use super::super::{DeckPath, Found, Incoming, IncomingCard, ReadError, Sink, tidy};
use super::{Line, MAX_LINE, closes};
use crate::cloze;
use crate::model::{Content, FieldEdit, NoteKind, Problem};

/// The deck of notes above all headings.
const DECK: &str = "Imported";
/// What frames the first lines, where they are no notes.
const FRONT_MATTER: &str = "---";

pub(in super::super) fn read(
    mut source: impl BufRead,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        number: 0,
        headings: Vec::new(),
        draft: None,
        code: None,
        is_front_matter: false,
        is_stray: false,
    };
    let mut bytes = Vec::new();
    let mut has_returns = false;
    loop {
        bytes.clear();
        let length = (&mut source).take(MAX_LINE as u64 + 2).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break;
        }
        reader.number += 1;
        let refused = |what: String| ReadError::Markdown(format!("line {}: {what}", reader.number));
        let mut line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if reader.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            // Where the first line ends so, all do. Elsewhere it is a part of a text.
            has_returns = line.ends_with(b"\r");
        }
        if has_returns {
            line = line.strip_suffix(b"\r").unwrap_or(line);
        }
        if line.len() > MAX_LINE {
            return Err(refused(format!("it has more than {MAX_LINE} bytes")));
        }
        let line = std::str::from_utf8(line).map_err(|_| refused("it is not UTF-8".into()))?;
        if !reader.line(line) {
            return Ok(());
        }
    }
    reader.end();
    Ok(())
}

/// Lines of a text, and whether each is kept where it is blank.
#[derive(Default)]
struct Text(Vec<(String, bool)>);

impl Text {
    fn finish(self) -> String {
        let is_there = |(line, is_kept): &(String, bool)| *is_kept || !line.trim().is_empty();
        let first = self.0.iter().position(is_there).unwrap_or(self.0.len());
        let last = self.0.iter().rposition(is_there).map_or(first, |last| last + 1);
        let lines: Vec<&str> = self.0[first..last].iter().map(|(line, _)| &**line).collect();
        lines.join("\n")
    }
}

/// A note as far as it was read.
struct Draft {
    line: u64,
    kind: Option<NoteKind>,
    guid: Option<String>,
    /// By their names; what is asked and answered has none yet.
    texts: Vec<(Option<String>, Text)>,
    tags: Vec<String>,
    cards: Vec<(u64, i64, DeckPath)>,
    /// Whether text that follows belongs to the last of the texts.
    is_open: bool,
    /// How much was read of it: the lines, and a byte for each.
    bytes: usize,
    /// Why it is left out.
    wrong: Option<String>,
}

impl Draft {
    /// Whether a line is still to be kept: of a note that is longer than any may be nothing is.
    fn takes(&mut self, line: &str) -> bool {
        self.bytes += line.len() + 1;
        let fits = self.bytes <= MAX_LINE;
        if !fits && !line.trim().is_empty() {
            self.wrong.get_or_insert_with(|| format!("it has more than {MAX_LINE} bytes"));
        }
        fits
    }
}

struct Reader<'a, 's> {
    sink: &'a mut Sink<'s>,
    number: u64,
    /// The headings above, with how many signs each has.
    headings: Vec<(usize, Vec<String>)>,
    draft: Option<Draft>,
    /// The block of code that a line is in, and where it began.
    code: Option<(char, usize, u64)>,
    is_front_matter: bool,
    /// Whether the line before belonged to no note: it is told of once.
    is_stray: bool,
}

impl Reader<'_, '_> {
    /// Answers whether reading is to go on.
    fn line(&mut self, line: &str) -> bool {
        if self.is_front_matter || (self.number == 1 && line.trim_end() == FRONT_MATTER) {
            self.is_front_matter = self.number == 1 || line.trim_end() != FRONT_MATTER;
            return true;
        }
        if let Some((sign, length, _)) = self.code {
            self.code = self.code.filter(|_| !closes(line, sign, length));
            return self.text(line, true);
        }
        match Line::of(line) {
            Line::Heading(signs, name) => self.heading(signs, name),
            Line::Question(text) => self.question(text),
            Line::Answer(text) => self.answer(text),
            Line::Field(name) => self.begin(Some(name.to_owned()), "Field"),
            Line::Tags(tags) => {
                let Some(draft) = self.attribute() else { return self.stray() };
                if draft.takes(tags) {
                    draft.tags.extend(tags.split_whitespace().filter_map(tag));
                }
                true
            }
            Line::Card(number, path) => {
                let at = self.number;
                let Some(draft) = self.attribute() else { return self.stray() };
                if draft.takes(path) {
                    draft.cards.push((at, number, deck_path(path)));
                }
                true
            }
            Line::Note(note) => self.note(note),
            Line::Fence(sign, length) => {
                self.code = Some((sign, length, self.number));
                self.text(line, true)
            }
            Line::Text if Line::is_escaped(line) => self.text(&line[1..], true),
            Line::Text => self.text(line, false),
        }
    }

    fn heading(&mut self, signs: usize, name: &str) -> bool {
        if !self.finish() {
            return false;
        }
        self.headings.retain(|(above, _)| *above < signs);
        if name.trim().is_empty() {
            let place = format!("line {}", self.number);
            return self.problem(place, "left out: the heading has no name".into());
        }
        self.headings.push((signs, names(name)));
        true
    }

    fn question(&mut self, text: &str) -> bool {
        if !self.finish() {
            return false;
        }
        self.draft = Some(Draft {
            line: self.number,
            kind: None,
            guid: None,
            texts: Vec::new(),
            tags: Vec::new(),
            cards: Vec::new(),
            is_open: false,
            bytes: 0,
            wrong: None,
        });
        self.begin(None, "Q:") && self.first(text)
    }

    fn answer(&mut self, text: &str) -> bool {
        if self.draft.is_none() {
            let place = format!("line {}", self.number);
            return self.problem(place, "left out: A: without Q:".into());
        }
        self.begin(None, "A:") && self.first(text)
    }

    /// A text begins.
    fn begin(&mut self, name: Option<String>, mark: &str) -> bool {
        let number = self.number;
        let Some(draft) = &mut self.draft else { return self.stray() };
        let own = draft.texts.iter().filter(|(name, _)| name.is_none()).count();
        if name.is_none() && own > 1 {
            draft.wrong = Some(format!("line {number}: {mark} stands there twice"));
        }
        if draft.takes(name.as_deref().unwrap_or(mark)) {
            draft.texts.push((name, Text::default()));
        }
        draft.is_open = true;
        true
    }

    /// What stands on the line where a text begins.
    fn first(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        if let Line::Fence(sign, length) = Line::of(text) {
            self.code = Some((sign, length, self.number));
        }
        self.text(text, true)
    }

    fn text(&mut self, line: &str, is_kept: bool) -> bool {
        match &mut self.draft {
            Some(draft) if draft.is_open => {
                if draft.takes(line)
                    && let Some((_, Text(lines))) = draft.texts.last_mut()
                {
                    lines.push((line.to_owned(), is_kept));
                }
                true
            }
            _ if line.trim().is_empty() => {
                self.is_stray = false;
                true
            }
            _ => self.stray(),
        }
    }

    /// The note that a line says something of which is no text.
    fn attribute(&mut self) -> Option<&mut Draft> {
        let draft = self.draft.as_mut()?;
        draft.is_open = false;
        Some(draft)
    }

    fn note(&mut self, note: &str) -> bool {
        let number = self.number;
        let Some(draft) = self.attribute() else { return self.stray() };
        let note = note.trim_end().strip_suffix("-->").unwrap_or(note).trim();
        let (kind, guid) = note.split_once(' ').unwrap_or((note, ""));
        let kinds = [NoteKind::Basic, NoteKind::BasicReversed, NoteKind::Cloze, NoteKind::Typed];
        draft.kind = kinds.into_iter().find(|known| known.label() == kind);
        if draft.kind.is_none() {
            draft.wrong = Some(format!(
                "line {number}: {kind} is no type of note: BASIC, BASIC_REVERSED, CLOZE or TYPED is accepted"
            ));
        }
        draft.guid = Some(guid.trim().to_owned()).filter(|guid| !guid.is_empty());
        true
    }

    fn stray(&mut self) -> bool {
        if std::mem::replace(&mut self.is_stray, true) {
            return true;
        }
        let place = format!("line {}", self.number);
        self.problem(place, "left out: text that belongs to no note: one begins with Q:".into())
    }

    fn problem(&mut self, place: String, message: String) -> bool {
        (self.sink)(Found::Problem(Problem { place, message }))
    }

    /// The file is at its end.
    fn end(&mut self) {
        if self.is_front_matter {
            let message = "left out: all of the file, since the --- of the first line is not followed by another";
            self.problem("line 1".into(), message.into());
        }
        if let (Some((_, _, began)), Some(draft)) = (self.code, &mut self.draft) {
            draft.wrong =
                Some(format!("line {began}: the block of code that begins there does not end"));
        }
        self.finish();
    }

    /// Hands over the note that ends here. Answers whether reading is to go on.
    fn finish(&mut self) -> bool {
        self.is_stray = false;
        let Some(draft) = self.draft.take() else { return true };
        let place = format!("line {}", draft.line);
        let names: Vec<&str> =
            self.headings.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
        let deck = if names.is_empty() { tidy::path([DECK]) } else { tidy::path(names) };
        let (tags, changed) = tidy::tags(draft.tags.iter().map(String::as_str));
        if !changed.is_empty() {
            let message = format!("tags were changed or left out: {}", changed.join(" "));
            if !self.problem(place.clone(), message) {
                return false;
            }
        }
        match incoming(draft, tags, &deck, &place) {
            Ok(note) => (self.sink)(Found::Note(Box::new(note))),
            Err(message) => self.problem(place, format!("left out: {message}")),
        }
    }
}

fn incoming(
    draft: Draft,
    tags: crate::model::Tags,
    deck: &DeckPath,
    place: &str,
) -> Result<Incoming, String> {
    if let Some(wrong) = draft.wrong {
        return Err(wrong);
    }
    let (mut own, mut fields) = (Vec::new(), Vec::new());
    for (name, text) in draft.texts {
        match name {
            None => own.push(text.finish()),
            Some(name) => fields.push(FieldEdit { name, value: Some(text.finish()) }),
        }
    }
    let is_cloze = own.first().is_some_and(|text| !cloze::numbers(text).is_empty());
    let kind = draft.kind.unwrap_or(match is_cloze {
        true => NoteKind::Cloze,
        false => NoteKind::Basic,
    });
    if own.len() < 2 && kind != NoteKind::Cloze {
        return Err("the note has no answer: expected a line that begins with A:".into());
    }
    let own = kind.fields().into_iter().zip(own);
    let own = own.map(|(name, value)| FieldEdit { name: name.to_owned(), value: Some(value) });
    let fields = own.chain(fields).collect();
    let content = Content::new("fields", kind, fields).map_err(|error| error.to_string())?;
    let mut cards: Vec<IncomingCard> = content
        .cards()
        .iter()
        .map(|card| IncomingCard {
            ordinal: card.ordinal,
            deck: DeckPath::clone(deck),
            reviews: Vec::new(),
            schedule: None,
        })
        .collect();
    for (line, number, deck) in draft.cards {
        match cards.iter_mut().find(|card| card.ordinal + 1 == number) {
            Some(card) => card.deck = deck,
            None => return Err(format!("line {line}: the note makes no card {number}")),
        }
    }
    Ok(Incoming {
        place: place.to_owned(),
        guid: match &draft.guid {
            Some(guid) => tidy::guid(guid),
            None => tidy::guid_of_content(&content),
        },
        cards,
        content,
        tags,
        created_at: None,
    })
}

/// A tag: between backquotes as it stands there, else without what people put around one.
fn tag(word: &str) -> Option<String> {
    let quoted = word.strip_prefix('`').and_then(|word| word.strip_suffix('`'));
    let tag = quoted.unwrap_or_else(|| word.trim_matches(',').trim_start_matches('#'));
    (!tag.is_empty()).then(|| tag.to_owned())
}

fn deck_path(text: &str) -> DeckPath {
    let names = names(text);
    tidy::path(names.iter().map(String::as_str))
}

/// The names of a path. A backslash makes a sign after it one of a name.
fn names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(sign) = rest.next() {
        let is_end = sign == ':' && rest.next_if_eq(&':').is_some();
        if is_end {
            names.push(String::new());
        } else if let Some(name) = names.last_mut() {
            let escaped = rest.next_if(|next| sign == '\\' && next.is_ascii_punctuation());
            name.push(escaped.unwrap_or(sign));
        }
    }
    names
}
