//! The shapes that most note types have, told by what their templates do and not by their names, which people translate.

use super::parse::{Node, parse};
use crate::model::{NoteKind, NoteType, Template};

/// What notes of a type amount to; numbers are indexes of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A front and a back.
    Basic {
        /// The front's field.
        front: usize,
        /// The back's.
        back: usize,
    },
    /// A front and a back, asked both ways.
    BasicReversed {
        /// The first card's front.
        front: usize,
        /// Its back.
        back: usize,
    },
    /// A front and a back, which is typed.
    Typed {
        /// The front's field.
        front: usize,
        /// The back's.
        back: usize,
    },
    /// A text with deletions.
    Cloze {
        /// The text's field.
        text: usize,
        /// What the back shows besides.
        extra: Option<usize>,
    },
    /// Something else: each card is to be rendered.
    Other,
}

/// A note type's shape. One that has a field that its cards do not show is none of the common ones: nothing of its notes would be lost.
pub fn shape(note_type: &NoteType) -> Shape {
    common(note_type).filter(|shape| shows_all(note_type, *shape)).unwrap_or(Shape::Other)
}

fn shows_all(note_type: &NoteType, shape: Shape) -> bool {
    let shown = match shape {
        Shape::Cloze { extra: None, .. } => 1,
        Shape::Other => return true,
        _ => 2,
    };
    note_type.fields.len() == shown
}

fn common(note_type: &NoteType) -> Option<Shape> {
    match (note_type.kind, note_type.templates.as_slice()) {
        (NoteKind::Cloze, [template]) => cloze(note_type, template),
        (NoteKind::Standard, [template]) => match sides(note_type, template)? {
            (front, back, false) => Some(Shape::Basic { front, back }),
            (front, back, true) => Some(Shape::Typed { front, back }),
        },
        (NoteKind::Standard, [forth, back]) => {
            let (front, back_side, is_typed) = sides(note_type, forth)?;
            let is_reverse = sides(note_type, back)? == (back_side, front, false);
            (is_reverse && !is_typed).then_some(Shape::BasicReversed { front, back: back_side })
        }
        _ => None,
    }
}

/// The fields of front and back, and whether the back is typed.
fn sides(note_type: &NoteType, template: &Template) -> Option<(usize, usize, bool)> {
    let question = tokens(note_type, &template.question)?;
    let answer = tokens(note_type, &template.answer)?;
    let (front, typed) = match question.as_slice() {
        [Token::Field(front)] => (*front, None),
        [Token::Field(front), Token::Typed(back)] => (*front, Some(*back)),
        _ => return None,
    };
    let back = match answer.as_slice() {
        [Token::FrontSide, back] | [back] => *back,
        [Token::Field(again), back] if *again == front => *back,
        _ => return None,
    };
    match (back, typed) {
        (Token::Field(back), None) if back != front => Some((front, back, false)),
        (Token::Field(back) | Token::Typed(back), Some(typed))
            if back == typed && back != front =>
        {
            Some((front, back, true))
        }
        _ => None,
    }
}

fn cloze(note_type: &NoteType, template: &Template) -> Option<Shape> {
    let question = tokens(note_type, &template.question)?;
    let answer = tokens(note_type, &template.answer)?;
    let [Token::Cloze(text)] = question.as_slice() else {
        return None;
    };
    let extra = match answer.as_slice() {
        [Token::Cloze(again)] if again == text => None,
        [Token::Cloze(again), Token::Field(extra)] if again == text && extra != text => {
            Some(*extra)
        }
        _ => return None,
    };
    Some(Shape::Cloze { text: *text, extra })
}

/// What of a template counts: not line breaks, nor the rule before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Field(usize),
    Cloze(usize),
    Typed(usize),
    FrontSide,
}

fn tokens(note_type: &NoteType, template: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    for node in parse(template).ok()? {
        let Node::Field { filters, name } = node else {
            let Node::Text(text) = node else {
                return None;
            };
            if is_spacing(text) {
                continue;
            }
            return None;
        };
        let field = || note_type.fields.iter().position(|field| field == name);
        tokens.push(match filters.as_slice() {
            [] if name == "FrontSide" => Token::FrontSide,
            [] => Token::Field(field()?),
            ["cloze"] => Token::Cloze(field()?),
            ["type"] => Token::Typed(field()?),
            _ => return None,
        });
    }
    Some(tokens)
}

/// Whether it is nothing but spaces, line breaks and rules.
fn is_spacing(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(tag) = rest.strip_prefix('<') {
        let Some((tag, after)) = tag.split_once('>') else {
            return false;
        };
        let name = tag.trim_end_matches(['/', ' ']).split(' ').next().unwrap_or_default();
        if !name.eq_ignore_ascii_case("br") && !name.eq_ignore_ascii_case("hr") {
            return false;
        }
        rest = after.trim_start();
    }
    rest.is_empty()
}
