//! The domain through its endpoint: operations as the gateway sends them, as different people, and the JSON that comes back.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod actions;
mod batches;
mod entities;
mod fit;
mod history;
mod learning;
mod reviews;
mod sessions;
mod settings;
mod statistics;
mod support;
mod sync;
