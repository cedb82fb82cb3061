//! What must hold whatever bytes come in: one module a kind of input, each a function that panics when it does not hold.
//!
//! `make fuzz` lets libFuzzer search for such bytes; `tests/corpus.rs` runs what it kept in `corpus/`, so that nothing found comes back.

pub mod anki_package;
pub mod anki_text;
mod gateway;
mod graph;
pub mod http;
pub mod multipart;
pub mod notes;
pub mod operation;
pub mod response;
mod runtime;
pub mod subgraphs;
pub mod supergraph;
pub mod variables;
pub mod websocket;

/// A fuzz target: its name, which is also its corpus' folder, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("anki_database", anki_package::run_database),
    ("anki_package", anki_package::run),
    ("anki_text", anki_text::run),
    ("http", http::run),
    ("multipart", multipart::run),
    ("notes_json", notes::run_json),
    ("notes_markdown", notes::run_markdown),
    ("operation", operation::run),
    ("response", response::run),
    ("subgraphs", subgraphs::run),
    ("supergraph", supergraph::run),
    ("variables", variables::run),
    ("websocket", websocket::run),
];
