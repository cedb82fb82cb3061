//! `bench`: measures what Spacey measures itself by, against the release binary, and prints it. Ratios are taken within one run, in
//! alternating rounds, so that a busy machine shifts both sides alike.
//!
//! bench all | home | startup          bench floor FOLDER USER (the hand-written handler, started by `bench home`)
//! bench gateway HIVE FOLDER           bench subgraphs FOLDER, bench serve constant | whole (what it measures with)

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod client;
mod federated;
mod floor;
mod home;
mod process;
mod startup;

use std::error::Error;
use std::path::{Path, PathBuf};

/// Any failure ends a benchmark: a number from a run that went wrong is worth nothing.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["home"] => home::run(&spacey()?).await,
        ["startup"] => startup::run(&spacey()?).await,
        ["all"] => {
            home::run(&spacey()?).await?;
            startup::run(&spacey()?).await
        }
        ["gateway", hive, results] => {
            federated::run(&spacey()?, Path::new(hive), Path::new(results)).await
        }
        ["subgraphs", folder] => federated::serve(Path::new(folder)).await,
        ["serve", what @ ("constant" | "whole")] => federated::serve_floor(what).await,
        ["floor", folder, user] => floor::serve(Path::new(folder), user.parse()?).await,
        _ => {
            Err("usage: bench all | home | startup | gateway HIVE FOLDER | subgraphs FOLDER".into())
        }
    }
}

/// The release binary beside this one.
fn spacey() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("spacey");
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}
