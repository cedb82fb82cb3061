//! Notes: what is written down, of which cards are made. What cards a [`Content`] makes is computed here; nothing else decides it.

use common::{CardId, Error, NoteId, UserId};
use jiff::Timestamp;

use super::{CardText, MAX_CARD_TEXT, Name, Source, Tags, within};
use crate::cloze;

/// The most fields of a note besides those of its kind.
pub const MAX_EXTRA_FIELDS: usize = 20;
/// The most different deletions of a cloze: each makes a card.
pub const MAX_DELETIONS: usize = 100;
/// The most characters of a note's global id.
pub const MAX_GUID: usize = 64;

/// What cards a note makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoteKind {
    /// One card: from the front to the back.
    Basic,
    /// Two cards: from the front to the back, and from the back to the front.
    BasicReversed,
    /// A card for each number of a deletion: see [`crate::cloze`].
    Cloze,
    /// One card, whose answer is typed.
    Typed,
}

impl NoteKind {
    /// The names of the fields it has in any case, in order.
    #[must_use]
    pub const fn fields(self) -> [&'static str; 2] {
        match self {
            Self::Basic | Self::BasicReversed | Self::Typed => ["Front", "Back"],
            Self::Cloze => ["Text", "Extra"],
        }
    }

    /// Its name in the schema.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::BasicReversed => "BASIC_REVERSED",
            Self::Cloze => "CLOZE",
            Self::Typed => "TYPED",
        }
    }

    /// The number by which stores keep it.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Basic => 0,
            Self::BasicReversed => 1,
            Self::Cloze => 2,
            Self::Typed => 3,
        }
    }

    /// The kind that stores keep by this number.
    #[must_use]
    pub const fn of_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Basic,
            1 => Self::BasicReversed,
            2 => Self::Cloze,
            3 => Self::Typed,
            _ => return None,
        })
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which one.
    pub id: NoteId,
    /// Whose it is.
    pub owner: UserId,
    /// By which it is known when it is exported and imported again.
    pub guid: Guid,
    /// What it says.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// A valid global id: 1 to [`MAX_GUID`] characters, none of them white space or a control character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guid(pub(crate) String);

impl Guid {
    /// Checks a global id.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: String) -> Result<Self, Error> {
        within(argument, &text, 1, MAX_GUID)?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Error::invalid(
                argument,
                "must not hold white space or control characters",
            ));
        }
        Ok(Self(text))
    }

    /// That of a note which has none from elsewhere.
    #[must_use]
    pub fn of(id: NoteId) -> Self {
        Self(id.uuid().simple().to_string())
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A named text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it says, as it was written.
    pub value: String,
}

/// A field to be written.
#[derive(Debug, Clone)]
pub struct FieldEdit {
    /// Its name.
    pub name: String,
    /// What it is to say; `None` takes an extra field away.
    pub value: Option<String>,
}

/// A card that a content makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which of the note's cards: it stays when the note is edited.
    pub ordinal: i64,
    /// Its question.
    pub question: String,
    /// Its answer.
    pub answer: String,
}

/// What a note says: a valid one makes at least one card. It has the fields of its kind, then its extra ones, each name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    kind: NoteKind,
    fields: Vec<Field>,
}

impl Content {
    /// Checks the fields of a note. `path` is where they were given.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the field: one that is missing, blank, too long or given twice, too many, a cloze without a deletion.
    pub fn new(path: &str, kind: NoteKind, fields: Vec<FieldEdit>) -> Result<Self, Error> {
        let mut names: Vec<&str> = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            if names.contains(&field.name.as_str()) {
                let message = format!("the field {:?} is given twice", field.name);
                return Err(Error::invalid(format!("{path}[{index}].name"), message));
            }
            names.push(&field.name);
        }
        Self::build(path, kind, fields)
    }

    /// A question and its answer.
    #[must_use]
    pub fn basic(question: &CardText, answer: &CardText) -> Self {
        Self { kind: NoteKind::Basic, fields: pair(NoteKind::Basic, &question.0, &answer.0) }
    }

    /// A content that was checked when it was stored.
    pub(crate) const fn stored(kind: NoteKind, fields: Vec<Field>) -> Self {
        Self { kind, fields }
    }

    /// This content with some fields written anew, as a note of `kind`. `path` is where they were given.
    ///
    /// # Errors
    /// As [`Content::new`].
    pub fn edited(&self, path: &str, kind: NoteKind, edits: &[FieldEdit]) -> Result<Self, Error> {
        let mut fields: Vec<FieldEdit> = Vec::with_capacity(self.fields.len() + edits.len());
        // What is on a card's sides stays there when the kind changes.
        let renamed = |index: usize, name: &str| match kind.fields().get(index) {
            Some(own) if kind.fields() != self.kind.fields() => (*own).to_owned(),
            _ => name.to_owned(),
        };
        for (index, Field { name, value }) in self.fields.iter().enumerate() {
            fields.push(FieldEdit { name: renamed(index, name), value: Some(value.clone()) });
        }
        for (index, edit) in edits.iter().enumerate() {
            if edits[..index].iter().any(|other| other.name == edit.name) {
                let message = format!("the field {:?} is given twice", edit.name);
                return Err(Error::invalid(format!("{path}[{index}].name"), message));
            }
            match fields.iter_mut().find(|field| field.name == edit.name) {
                Some(field) => field.value.clone_from(&edit.value),
                None => fields.push(edit.clone()),
            }
        }
        Self::build(path, kind, fields)
    }

    fn build(path: &str, kind: NoteKind, given: Vec<FieldEdit>) -> Result<Self, Error> {
        let place = |name: &str| format!("{path}.{name}");
        let mut own: Vec<Field> = kind.fields().map(|name| field(name, "")).into();
        let mut extra = Vec::new();
        for FieldEdit { name, value } in given {
            if let Some(own) = own.iter_mut().find(|field| field.name == name) {
                own.value = value.unwrap_or_default();
            } else if let Some(value) = value {
                let name = Name::new(&place("name"), &name)?.0;
                within(&place(&name), &value, 0, MAX_CARD_TEXT)?;
                extra.push(Field { name, value });
            }
        }
        if extra.len() > MAX_EXTRA_FIELDS {
            let message = format!(
                "has {} fields besides those of its type: at most {MAX_EXTRA_FIELDS} are accepted",
                extra.len()
            );
            return Err(Error::invalid(path, message));
        }
        let optional = |name: &str| kind == NoteKind::Cloze && name == "Extra";
        for Field { name, value } in &own {
            if optional(name) {
                within(&place(name), value, 0, MAX_CARD_TEXT)?;
            } else {
                CardText::new(&place(name), value.clone())?;
            }
        }
        own.append(&mut extra);
        let content = Self { kind, fields: own };
        content.check_deletions(path)?;
        Ok(content)
    }

    fn check_deletions(&self, path: &str) -> Result<(), Error> {
        if self.kind != NoteKind::Cloze {
            return Ok(());
        }
        let place = format!("{path}.Text");
        match cloze::numbers(&self.fields[0].value).len() {
            0 => Err(Error::invalid(
                place,
                "has no deletion: expected at least one such as {{c1::text}} or {{c1::text::hint}}, numbered c1 to c499",
            )),
            many if many > MAX_DELETIONS => Err(Error::invalid(
                place,
                format!("has {many} different deletions: at most {MAX_DELETIONS} are accepted"),
            )),
            _ => Ok(()),
        }
    }

    /// What cards it makes.
    #[must_use]
    pub const fn kind(&self) -> NoteKind {
        self.kind
    }

    /// Its fields: those of its kind, then extra ones.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The same with the two sides of one of its cards written anew. `None` for a cloze, whose cards are parts of one text.
    #[must_use]
    pub fn with_sides(
        &self,
        ordinal: i64,
        question: Option<&CardText>,
        answer: Option<&CardText>,
    ) -> Option<Self> {
        let (front, back) = match (self.kind, ordinal) {
            (NoteKind::Cloze, _) => return None,
            (NoteKind::BasicReversed, 1) => (answer, question),
            _ => (question, answer),
        };
        let mut content = self.clone();
        for (field, side) in content.fields.iter_mut().zip([front, back]) {
            if let Some(side) = side {
                field.value.clone_from(&side.0);
            }
        }
        Some(content)
    }

    /// The cards it makes, in order.
    #[must_use]
    pub fn cards(&self) -> Vec<Written> {
        let [first, second] = [0, 1].map(|index: usize| self.fields[index].value.as_str());
        let card = |ordinal, question: &str, answer: &str| Written {
            ordinal,
            question: question.to_owned(),
            answer: answer.to_owned(),
        };
        match self.kind {
            NoteKind::Basic | NoteKind::Typed => vec![card(0, first, second)],
            NoteKind::BasicReversed => vec![card(0, first, second), card(1, second, first)],
            NoteKind::Cloze => {
                let mut answer = cloze::answer(first);
                if !second.trim().is_empty() {
                    answer.push_str("\n\n");
                    answer.push_str(second);
                }
                let numbers = cloze::numbers(first).into_iter();
                numbers
                    .map(|n| card(i64::from(n) - 1, &cloze::question(first, n), &answer))
                    .collect()
            }
        }
    }
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}

fn pair(kind: NoteKind, first: &str, second: &str) -> Vec<Field> {
    kind.fields().into_iter().zip([first, second]).map(|(name, value)| field(name, value)).collect()
}

/// A note to be made.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// The client's own id, so that making it twice makes it once.
    pub id: Option<NoteId>,
    /// The client's own id of its first card, likewise.
    pub card: Option<CardId>,
    /// Its global id; `None` makes one.
    pub guid: Option<Guid>,
    /// What it says.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
    /// Where it comes from.
    pub source: Option<Source>,
}

impl NewNote {
    /// Whether `note` is what would be made.
    #[must_use]
    pub fn describes(&self, note: &Note) -> bool {
        note.content == self.content
            && note.tags == self.tags
            && self.guid.as_ref().is_none_or(|guid| *guid == note.guid)
    }
}

/// What to change about a note; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct NoteEdit {
    /// Which note.
    pub id: NoteId,
    /// What cards it is to make.
    pub kind: Option<NoteKind>,
    /// The fields to write.
    pub fields: Vec<FieldEdit>,
    /// Its new tags.
    pub tags: Option<Tags>,
    /// Refuse when it has another version by now.
    pub expected_version: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(name: &str, value: &str) -> FieldEdit {
        FieldEdit { name: name.into(), value: Some(value.into()) }
    }

    fn content(kind: NoteKind, fields: &[(&str, &str)]) -> Result<Content, String> {
        let fields = fields.iter().map(|(name, value)| edit(name, value)).collect();
        Content::new("fields", kind, fields).map_err(|error| error.to_string())
    }

    fn sides(content: &Content) -> Vec<(i64, String, String)> {
        content.cards().into_iter().map(|card| (card.ordinal, card.question, card.answer)).collect()
    }

    #[test]
    fn each_kind_makes_its_cards() {
        let sides_of = |kind, fields: &[(&str, &str)]| sides(&content(kind, fields).unwrap());
        let (q, a) = ("q".to_owned(), "a".to_owned());
        let both = [("Back", "a"), ("Front", "q"), ("Hint", "h")];
        assert_eq!(sides_of(NoteKind::Basic, &both), [(0, q.clone(), a.clone())]);
        assert_eq!(sides_of(NoteKind::Typed, &both), [(0, q.clone(), a.clone())]);
        let reversed = [(0, q.clone(), a.clone()), (1, a, q)];
        assert_eq!(sides_of(NoteKind::BasicReversed, &both), reversed);
        let cloze = [("Text", "{{c3::x}} and {{c1::y::z}}"), ("Extra", "more")];
        let answer = "x and y\n\nmore".to_owned();
        assert_eq!(
            sides_of(NoteKind::Cloze, &cloze),
            [(0, "x and [z]".into(), answer.clone()), (2, "[...] and y".into(), answer)]
        );
    }

    #[test]
    fn what_makes_no_card_is_refused() {
        for (kind, fields, start) in [
            (NoteKind::Basic, vec![("Front", "q")], "fields.Back: is empty"),
            (NoteKind::Basic, vec![("Front", " "), ("Back", "a")], "fields.Front: must not be"),
            (NoteKind::Cloze, vec![("Text", "plain")], "fields.Text: has no deletion"),
            (NoteKind::Basic, vec![("A", "1"), ("A", "2")], "fields[1].name: the field"),
            (NoteKind::Basic, vec![("", "1")], "fields.name: is empty"),
        ] {
            let error = content(kind, &fields).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
        let many: String = (1..=101).map(|n| format!("{{{{c{n}::x}}}}")).collect();
        let error = content(NoteKind::Cloze, &[("Text", &many)]).unwrap_err();
        assert!(error.contains("101 different deletions"), "{error}");
        let names: Vec<String> = (0..21).map(|n| format!("f{n}")).collect();
        let mut fields = vec![("Front", "q"), ("Back", "a")];
        fields.extend(names.iter().map(|name| (name.as_str(), "x")));
        let error = content(NoteKind::Basic, &fields).unwrap_err();
        assert!(error.contains("21 fields besides"), "{error}");
    }

    #[test]
    fn an_edit_writes_the_fields_it_names() {
        let before =
            content(NoteKind::Basic, &[("Front", "q"), ("Back", "a"), ("X", "1")]).unwrap();
        let edits =
            [edit("Back", "b"), FieldEdit { name: "X".into(), value: None }, edit("Y", "2")];
        let after = before.edited("fields", NoteKind::BasicReversed, &edits).unwrap();
        let fields: Vec<_> = after.fields().iter().map(|f| (&*f.name, &*f.value)).collect();
        assert_eq!(fields, [("Front", "q"), ("Back", "b"), ("Y", "2")]);
        assert_eq!(after.cards().len(), 2);
        // The sides go along when the fields have other names.
        let cloze = before.edited("fields", NoteKind::Cloze, &[edit("Text", "{{c1::q}}")]).unwrap();
        assert_eq!(sides(&cloze), [(0, "[...]".into(), "q\n\na".into())]);
        assert!(before.edited("fields", NoteKind::Cloze, &[]).is_err());
    }

    #[test]
    fn the_sides_of_a_card_are_written_into_its_note() {
        let note = content(NoteKind::BasicReversed, &[("Front", "q"), ("Back", "a")]).unwrap();
        let text = CardText::new("q", "new".into()).unwrap();
        let note = note.with_sides(1, Some(&text), None).unwrap();
        assert_eq!(sides(&note), [(0, "q".into(), "new".into()), (1, "new".into(), "q".into())]);
        let cloze = content(NoteKind::Cloze, &[("Text", "{{c1::x}}")]).unwrap();
        assert_eq!(cloze.with_sides(0, Some(&text), None), None);
    }
}
