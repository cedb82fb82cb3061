//! How much of a clone or a pull is written in one transaction: MongoDB holds a transaction in its cache.

use crate::model::Content;

/// About how many cards, or as much text, are written in one transaction.
const PART: usize = 2_000;
/// As much text as counts for a card, in bytes.
const TEXT: usize = 2_048;

/// How much of a part a note takes.
pub(in crate::service) fn weight(content: &Content) -> usize {
    let text: usize = content.fields().iter().map(|field| field.value.len()).sum();
    let cards = content.cards().len();
    cards + cards * text / TEXT
}

/// What is left of a part.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Part {
    left: usize,
    /// Whether something had to wait for the next part.
    pub(in crate::service) more: bool,
}

impl Part {
    /// A new part.
    pub(in crate::service) const fn new() -> Self {
        Self { left: PART, more: false }
    }

    /// Whether there is room for something: for the first thing there always is.
    pub(in crate::service) const fn takes(&mut self, weight: usize) -> bool {
        if self.left == 0 {
            self.more = true;
            return false;
        }
        self.left = self.left.saturating_sub(weight);
        true
    }
}
