//! Decks and learning together, on both stores, with nothing between them but events: what one of them does is so in the other.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod phones;
mod studied;
mod support;
mod trash;
