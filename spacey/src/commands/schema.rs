//! `spacey schema`: writes the schema files, or checks that they are what the program would write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use common::Backend;
use common::sqlite::Sqlite;
use federation::Supergraph;
use federation::compose::SubgraphSdl;

use crate::cli::SchemaArgs;
use crate::graph;

pub(super) fn run(arguments: &SchemaArgs) -> super::Result {
    let files = files()?;
    if arguments.check {
        return Ok(check(&arguments.folder, &files));
    }
    fs::create_dir_all(&arguments.folder)?;
    for (name, text) in &files {
        fs::write(arguments.folder.join(name), text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(folder: &Path, files: &[(String, String)]) -> ExitCode {
    let stale: Vec<PathBuf> = files
        .iter()
        .map(|(name, text)| (folder.join(name), text))
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(*text))
        .map(|(path, _)| path)
        .collect();
    for path in &stale {
        eprintln!("{} is not what the program would write: run `make schema`", path.display());
    }
    if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every file's name and text.
fn files() -> Result<Vec<(String, String)>, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let subgraphs = runtime.block_on(own_sdls())?;
    let composition = graph::own_supergraph(&subgraphs)?;
    let api = Supergraph::parse(&composition.supergraph_sdl)?.api_sdl();
    let mut files: Vec<_> = subgraphs
        .into_iter()
        .map(|subgraph| (format!("{}.graphql", subgraph.name), subgraph.sdl))
        .collect();
    files.push(("supergraph.graphql".to_owned(), composition.supergraph_sdl));
    files.push(("api.graphql".to_owned(), api));
    Ok(files)
}

/// The schemas of this program's own subgraphs, read off domains over empty databases that are removed afterwards.
pub(crate) async fn own_sdls() -> Result<Vec<SubgraphSdl>, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let empty = |name: &str, migrations: &[&str]| {
        Sqlite::open(folder.path().join(name), migrations).map(Backend::Sqlite)
    };
    let clock = common::Clock::System;
    let key = common::token::AccessTokens::generate_pem()?;
    let tokens = Arc::new(common::token::AccessTokens::from_pem(&key)?);
    let learning = empty("learning", learning::MIGRATIONS)?;
    let learning = learning::open(learning, vec![], clock.clone()).await?;
    let unset = config::Environment::default();
    let config = empty("config", config::MIGRATIONS)?;
    let config = config::open(config, unset, clock.clone()).await?;
    let decks = decks::open(empty("decks", decks::MIGRATIONS)?, vec![], clock.clone()).await?;
    let users = users::open(
        empty("users", users::MIGRATIONS)?,
        users::UsersSettings::default(),
        tokens,
        Arc::default(),
        Arc::new(users::mail::Mailbox::new(folder.path().join("mail"))),
        vec![],
        clock.clone(),
    )
    .await?;
    let nowhere = generation::GenerationSettings {
        url: "http://127.0.0.1:1".to_owned(),
        secret: crate::secrets::random(),
        timeout: generation::DEFAULT_TIMEOUT,
        bounds: generation::queue::Bounds::default(),
    };
    let jobs = empty("generation", generation::MIGRATIONS)?;
    let generation = generation::open(jobs, nowhere, decks.clone(), config.clone(), clock).await?;
    let endpoints = [users.endpoint, config, decks, learning, generation];
    Ok(graph::subgraph_sdls(&endpoints).await?)
}
