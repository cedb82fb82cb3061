//! `bench`: measures what Spacey measures itself by, against the release binary, and prints it. Ratios are taken within one run, in
//! alternating rounds, so that a busy machine shifts both sides alike.
//!
//! bench all | home | startup | cost | plans     bench floor FOLDER USER (the hand-written handler, started by `bench home`)
//! bench decks | learning FOLDER \[CARDS\]  (writes DECKS.md, LEARNING.md and a plot each into the folder; collections of up to CARDS)
//! bench plans FOLDER                  (refreshes the section on planning in the folder's RESULTS.md)
//! bench gateway HIVE FOLDER           bench subgraphs FOLDER, bench serve constant | whole (what it measures with)
//! bench load ADDRESS SECONDS          (the same load, for a profiler)

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod client;
mod collection;
mod cost;
mod federated;
mod floor;
mod home;
mod machine;
mod plans;
mod plot;
mod process;
mod raw;
mod startup;
mod studying;

use std::error::Error;
use std::path::{Path, PathBuf};

/// The largest collections that are measured, in cards.
const MOST: usize = 100_000;

/// Any failure ends a benchmark: a number from a run that went wrong is worth nothing.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

// As the product's: the floors and composition are measured with what the product has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["home"] => home::run(&spacey()?).await,
        ["cost"] => cost::run().await,
        ["plans"] => plans::run(),
        ["plans", results] => plans::refresh(Path::new(results)),
        ["decks", folder] => collection::run(&spacey()?, Path::new(folder), MOST).await,
        ["decks", folder, cards] => {
            collection::run(&spacey()?, Path::new(folder), cards.parse()?).await
        }
        ["learning", folder] => studying::run(Path::new(folder), MOST).await,
        ["learning", folder, cards] => studying::run(Path::new(folder), cards.parse()?).await,
        ["startup"] => startup::run(&spacey()?).await,
        ["all"] => {
            home::run(&spacey()?).await?;
            startup::run(&spacey()?).await?;
            cost::run().await?;
            plans::run()
        }
        ["gateway", hive, results] => {
            federated::run(&spacey()?, Path::new(hive), Path::new(results)).await
        }
        ["subgraphs", folder] => federated::serve(Path::new(folder)).await,
        ["load", address, seconds] => federated::press(address.parse()?, seconds.parse()?).await,
        ["serve", what @ ("constant" | "whole")] => federated::serve_floor(what).await,
        ["floor", folder, user] => floor::serve(Path::new(folder), user.parse()?).await,
        _ => Err(
            "usage: bench all | home | startup | cost | plans | decks FOLDER [CARDS] | learning FOLDER [CARDS] | gateway HIVE FOLDER | subgraphs FOLDER"
                .into(),
        ),
    }
}

/// The release binary beside this one.
fn spacey() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("spacey");
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}
