//! The domain through its endpoint: operations as the gateway sends them, as different people, and the JSON that comes back.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod accepted;
mod batches;
mod cards;
mod decks;
mod keeping;
mod media;
mod nodes;
mod notes;
mod public_media;
mod search;
mod sharing;
mod support;
mod sync;
mod tags;
mod transfer_media;
mod transfers;
mod trash;
mod tree;
