//! What a card shows: a note's fields put into its note type's templates. And which of the common shapes a note type has, so that its
//! notes need no templates.
//!
//! Anki's template language as far as it makes text: `{{Field}}`, `{{FrontSide}}`, `{{Tags}}`, `{{#Field}}…{{/Field}}`,
//! `{{^Field}}…{{/Field}}`, and the filters `cloze`, `type`, `hint` and `text`; other filters pass their text on. The result is HTML as
//! written. <https://docs.ankiweb.net/templates/fields.html>

mod cloze;
mod parse;
mod render;
mod shape;

pub use cloze::deletions;
pub use render::{Hint, Rendered, render};
pub use shape::{Shape, shape};

/// Why a card cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The card's template does not exist.
    #[error("the note type has no template {0}")]
    NoTemplate(u32),
    /// A template names a field that the note type has not.
    #[error("the template names the field {0:?}, which the note type has not")]
    NoField(String),
    /// A conditional part is not closed, closed without having been opened, or nested too deeply.
    #[error("the template's part {{{{#{0}}}}} is not closed in turn, or stands in more than {max} others", max = parse::MOST_DEPTH)]
    Unbalanced(String),
    /// The result is too long.
    #[error("the card would have more than {0} bytes")]
    TooLong(usize),
}
