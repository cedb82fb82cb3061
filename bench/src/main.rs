//! `bench`: measures what Spacey measures itself by, against the release binary, and prints it. Ratios are taken within one run, in
//! alternating rounds, so that a busy machine shifts both sides alike.
//!
//! bench all | home | startup | cost | plans     bench floor FOLDER USER (the hand-written handler, started by `bench home`)
//! bench decks FOLDER lists | screen | search \[CARDS\]  (writes a section of DECKS.md and a plot into the folder; collections of up to CARDS)
//! bench learning FOLDER \[CARDS\]      (writes LEARNING.md and a plot into the folder)
//! bench cost | calibrate FOLDER       (what pricing takes, and whether points are worth the same: sections of the folder's COST.md)
//! bench overload FOLDER               (OVERLOAD.md and its plot: what becomes of more requests than can be answered)
//! bench learning fill FILES CARDS, bench learning measure FILES CARDS, bench learning report FILES FOLDER    (the same in steps: only measuring
//! must have the machine for itself)
//! bench plans FOLDER                  (refreshes the section on planning in the folder's RESULTS.md)
//! bench gateway HIVE FOLDER \[PART\]   (one of side-by-side, growth, composition by itself: a few minutes at most)
//! bench subgraphs FOLDER, bench serve constant | whole | replay FILE   (what it measures with)
//! bench load ADDRESS SECONDS          (the same load, for a profiler)

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod calibrate;
mod client;
mod collection;
mod cost;
mod federated;
mod floor;
mod home;
mod machine;
mod overload;
mod plans;
mod plot;
mod process;
mod raw;
mod results;
mod startup;
mod studying;

use std::error::Error;
use std::path::{Path, PathBuf};

/// The largest collections that are measured, in cards.
const MOST: usize = 100_000;

const USAGE: &str = "usage: bench all | home | startup | cost | plans | decks FOLDER lists|screen|search [CARDS] | learning FOLDER [CARDS] | gateway HIVE FOLDER | subgraphs FOLDER";

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
        ["cost", folder] => cost::record(Path::new(folder)).await,
        ["overload", folder] => overload::run(&spacey()?, Path::new(folder)).await,
        ["calibrate", folder] => calibrate::run(&spacey()?, Path::new(folder)).await,
        ["plans"] => plans::run(),
        ["plans", results] => plans::refresh(Path::new(results)),
        ["decks", folder, ref rest @ ..] => {
            let part = |word| collection::Part::ALL.into_iter().find(|(name, _)| *name == word);
            let part = rest.first().and_then(|word| part(*word)).ok_or(USAGE)?.1;
            let most = rest.get(1).map_or(Ok(MOST), |cards| cards.parse())?;
            // The first screen needs the whole program, the other parts do not.
            let spacey = if part == collection::Part::Screen { spacey()? } else { PathBuf::new() };
            collection::run(&spacey, Path::new(folder), part, most).await
        }
        ["learning", folder] => studying::run(Path::new(folder), MOST).await,
        ["learning", "fill", files, cards] => {
            studying::fill(Path::new(files), cards.parse()?).await
        }
        ["learning", "measure", files, cards] => {
            studying::measure(Path::new(files), cards.parse()?).await
        }
        ["learning", "report", files, folder] => {
            studying::report(Path::new(files), Path::new(folder)).await
        }
        ["learning", folder, cards] => studying::run(Path::new(folder), cards.parse()?).await,
        ["startup"] => startup::run(&spacey()?).await,
        ["all"] => {
            home::run(&spacey()?).await?;
            startup::run(&spacey()?).await?;
            cost::run().await?;
            plans::run()
        }
        ["gateway", hive, results] => {
            federated::run(&spacey()?, Path::new(hive), Path::new(results), None).await?;
            plans::refresh(Path::new(results))
        }
        ["gateway", hive, results, part] => {
            federated::run(&spacey()?, Path::new(hive), Path::new(results), Some(part)).await
        }
        ["subgraphs", folder] => federated::serve(Path::new(folder)).await,
        ["load", address, seconds] => federated::press(address.parse()?, seconds.parse()?).await,
        ["serve", what @ ("constant" | "whole")] => federated::serve_floor(what).await,
        ["serve", "replay", file] => federated::serve_replay(Path::new(file)).await,
        ["floor", folder, user] => floor::serve(Path::new(folder), user.parse()?).await,
        _ => Err(USAGE.into()),
    }
}

/// Puts a section into a file of results, in place of the one of that name.
async fn section(file: &Path, name: &str, text: &str) -> Result<()> {
    let heading = format!("## {name}\n");
    let results = tokio::fs::read_to_string(file).await.unwrap_or_default();
    let (before, rest) = match results.split_once(&heading) {
        Some((before, rest)) => (before, rest.find("\n## ").map_or("", |next| &rest[next + 1..])),
        None => (&*results, ""),
    };
    let before = before.trim_end();
    let text = format!("{before}\n\n{heading}\n{}\n\n{rest}", text.trim_end());
    tokio::fs::write(file, format!("{}\n", text.trim())).await?;
    Ok(())
}

/// The release binary beside this one.
fn spacey() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("spacey");
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}
