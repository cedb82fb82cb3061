//! The two sides of a card.

use super::TemplateError;
use super::cloze::{Side, reveal};
use super::parse::{Node, parse};
use crate::model::{Note, NoteKind, NoteType};
use crate::plain::plain_text;

/// As long as a note may be.
const MOST_BYTES: usize = 1 << 20;

/// What a card shows: HTML as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The front, without what is to be typed and without hints.
    pub question: String,
    /// The back.
    pub answer: String,
    /// What is to be typed, where the front asks for it (`{{type:Field}}`): its text without HTML.
    pub typed: Option<String>,
    /// What the front shows on request (`{{hint:Field}}`).
    pub hints: Vec<Hint>,
}

/// What a front shows on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The field's name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Renders the card of a note that has `ordinal`: a template's index, or a deletion's number less one.
///
/// # Errors
///
/// If there is no such template, a template is damaged or names a field that is missing, or the card would have more than 1 MiB.
pub fn render(note_type: &NoteType, note: &Note, ordinal: u32) -> Result<Rendered, TemplateError> {
    let (index, deletion) = match note_type.kind {
        NoteKind::Standard => (usize::try_from(ordinal).unwrap_or(usize::MAX), None),
        NoteKind::Cloze => (0, Some(ordinal.saturating_add(1))),
    };
    let template = note_type.templates.get(index).ok_or(TemplateError::NoTemplate(ordinal))?;
    let mut rendering =
        Rendering { note_type, note, deletion, front: None, rendered: Rendered::default() };
    let question = rendering.side(&template.question)?;
    rendering.front = Some(&question);
    let answer = rendering.side(&template.answer)?;
    let rendered = rendering.rendered;
    Ok(Rendered { question, answer, ..rendered })
}

struct Rendering<'a> {
    note_type: &'a NoteType,
    note: &'a Note,
    deletion: Option<u32>,
    /// The front, once the back is rendered.
    front: Option<&'a str>,
    rendered: Rendered,
}

impl Rendering<'_> {
    fn side(&mut self, template: &str) -> Result<String, TemplateError> {
        let mut html = String::new();
        self.nodes(&parse(template)?, &mut html)?;
        Ok(html)
    }

    fn nodes(&mut self, nodes: &[Node<'_>], to: &mut String) -> Result<(), TemplateError> {
        for node in nodes {
            match node {
                Node::Text(text) => to.push_str(text),
                Node::Field { filters, name } => self.field(filters, name, to)?,
                Node::Part { name, is_negated, nodes } => {
                    if self.has_content(name)? != *is_negated {
                        self.nodes(nodes, to)?;
                    }
                }
            }
            if to.len() > MOST_BYTES {
                return Err(TemplateError::TooLong(MOST_BYTES));
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        filters: &[&str],
        name: &str,
        to: &mut String,
    ) -> Result<(), TemplateError> {
        let is_front = self.front.is_none();
        let mut text = match self.text(name) {
            Some(text) => text,
            None if name == "FrontSide" => self.front.unwrap_or_default().to_owned(),
            None if name == "Tags" => self.note.tags.join(" "),
            None if name == "Type" => self.note_type.name.clone(),
            // What depends on where the card is, which is not known here.
            None if ["Deck", "Subdeck", "Card", "CardFlag", "CardID"].contains(&name) => {
                String::new()
            }
            None => return Err(TemplateError::NoField(name.to_owned())),
        };
        // The innermost stands last.
        for filter in filters.iter().rev() {
            text = match *filter {
                "text" => plain_text(&text),
                "cloze" | "cloze-only" => {
                    let side = if is_front { Side::Question } else { Side::Answer };
                    self.deletion.and_then(|number| reveal(&text, number, side)).unwrap_or_default()
                }
                "type" if is_front => {
                    let typed = if filters.contains(&"cloze") { self.deleted(name) } else { text };
                    self.rendered.typed = Some(plain_text(&typed));
                    String::new()
                }
                "hint" if is_front => {
                    if !text.is_empty() {
                        self.rendered.hints.push(Hint { name: name.to_owned(), text });
                    }
                    String::new()
                }
                _ => text,
            };
        }
        to.push_str(&text);
        Ok(())
    }

    fn text(&self, name: &str) -> Option<String> {
        let index = self.note_type.fields.iter().position(|field| field == name)?;
        self.note.fields.get(index).cloned()
    }

    /// What is behind the card's deletion.
    fn deleted(&self, name: &str) -> String {
        let text = self.text(name).unwrap_or_default();
        let shown = self.deletion.and_then(|number| reveal(&text, number, Side::Answer));
        let shown = shown.unwrap_or_default();
        let parts = shown.split("<span class=\"cloze\">").skip(1);
        let parts: Vec<_> = parts.filter_map(|part| part.split("</span>").next()).collect();
        parts.join(", ")
    }

    /// Whether a conditional part on this is shown: a field is empty too where it has only line breaks.
    fn has_content(&self, name: &str) -> Result<bool, TemplateError> {
        if let Some(text) = self.text(name) {
            return Ok(!is_empty(&text));
        }
        if let Some(number) = name.strip_prefix('c').and_then(|number| number.parse().ok()) {
            return Ok(self.deletion == Some(number));
        }
        match name {
            "Tags" => Ok(!self.note.tags.is_empty()),
            "FrontSide" => Ok(self.front.is_some()),
            "Type" => Ok(true),
            "Deck" | "Subdeck" | "Card" | "CardFlag" | "CardID" => Ok(false),
            _ => Err(TemplateError::NoField(name.to_owned())),
        }
    }
}

fn is_empty(html: &str) -> bool {
    let mut rest = html.trim_start();
    while let Some(tag) = rest.strip_prefix('<') {
        let Some((name, after)) = tag.split_once('>') else {
            return false;
        };
        let name = name.trim_matches(['/', ' ']);
        if !name.eq_ignore_ascii_case("br") && !name.eq_ignore_ascii_case("div") {
            return false;
        }
        rest = after.trim_start();
    }
    rest.is_empty()
}
