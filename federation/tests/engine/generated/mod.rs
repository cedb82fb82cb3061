//! Differential tests on generated graphs: schema, data, a split over subgraphs, operations. What the engine answers over
//! the subgraphs is what the same data answers as one schema.
//!
//! A failure prints the smallest case that still fails, and the seed. As a file in `tests/fixtures/found` it stays a test.

pub(crate) mod case;
pub(crate) mod choices;
mod generate;
mod graph;
mod interface_object;
pub(crate) mod operation;
mod records;
mod rules;
mod sdl;

use std::time::{SystemTime, UNIX_EPOCH};

use case::{OPERATIONS, run};

/// Each is a graph with [`OPERATIONS`] operations.
const GRAPHS: usize = 10_000 / OPERATIONS;
const NEW_GRAPHS: usize = 3_000 / OPERATIONS;
const SEED: u64 = 2;

#[test]
fn ten_thousand_generated_cases_answer_as_one() {
    run(SEED, std::env::var("GRAPHS").map_or(GRAPHS, |n| n.parse().unwrap()));
}

#[test]
fn generated_cases_that_never_ran_before_answer_as_one() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = std::env::var("SPACEY_SEED").map_or(now as u64, |seed| seed.parse().unwrap());
    eprintln!("SPACEY_SEED={seed}");
    run(seed, NEW_GRAPHS);
}

#[test]
fn cases_found_before_answer_as_one() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/found");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let case: case::Case = serde_json::from_str(&text).unwrap();
        if let Err(failure) = case.check() {
            panic!("{}: {failure:?}", file.display());
        }
    }
}
