//! Replaces the supergraph of a running gateway when its file, or the schema of a subgraph that runs elsewhere, has changed.
//!
//! It looks at intervals rather than being told by the file system: files are often replaced through links or lie on other machines'
//! disks, where notifications get lost, and one look costs microseconds. What cannot be used is logged and leaves everything as it is.

use std::error::Error;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::Endpoint;
use federation::Supergraph;
use federation::compose::SubgraphSdl;
use gateway::{Gateway, Replaced, Transport};

use crate::graph;
use crate::subgraphs::Subgraphs;
use crate::wiring::Site;

type BoxError = Box<dyn Error + Send + Sync>;

/// The text of a supergraph file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Runs what is in the file at `path` whenever it is another text than before; at first that is `sdl`. It never ends.
pub(crate) async fn watch_file(
    gateway: Gateway,
    subgraphs: Arc<Subgraphs>,
    path: PathBuf,
    mut sdl: String,
    every: Duration,
) {
    let mut seen = None;
    loop {
        tokio::time::sleep(every).await;
        let stamp = fs::metadata(&path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp == seen {
            continue;
        }
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!("the supergraph cannot be read; the one before goes on: {error}");
                gateway.note_stale();
                continue;
            }
        };
        seen = stamp;
        if text == sdl {
            continue;
        }
        sdl.clone_from(&text);
        let (target, subgraphs) = (gateway.clone(), subgraphs.clone());
        let replace = move || {
            let (supergraph, transports) = subgraphs.of_supergraph(&text)?;
            Ok(target.replace(supergraph, transports)?)
        };
        report(&gateway, tokio::task::spawn_blocking(replace).await);
    }
}

/// Composes anew whenever the schema of a subgraph is another than before; at first that are `sdls`. It never ends.
pub(crate) async fn watch_subgraphs(
    gateway: Gateway,
    sites: Vec<Site>,
    mut sdls: Vec<SubgraphSdl>,
    every: Duration,
) {
    let endpoints: Vec<Arc<dyn Endpoint>> = sites.iter().map(Site::endpoint).collect();
    loop {
        tokio::time::sleep(every).await;
        let found = match graph::subgraph_sdls(&endpoints).await {
            Ok(found) => found,
            // A subgraph that starts anew: it is asked again.
            Err(error) => {
                tracing::debug!(%error, "a subgraph does not tell its schema");
                continue;
            }
        };
        if found == sdls {
            continue;
        }
        sdls.clone_from(&found);
        let (target, sites) = (gateway.clone(), sites.clone());
        let replace = move || {
            let supergraph = Supergraph::parse(&graph::supergraph(&found)?.supergraph_sdl)?;
            let transports = sites.into_iter().map(Transport::from).collect();
            Ok(target.replace(supergraph, transports)?)
        };
        report(&gateway, tokio::task::spawn_blocking(replace).await);
    }
}

fn report(gateway: &Gateway, outcome: Result<Result<Replaced, BoxError>, tokio::task::JoinError>) {
    match outcome.map_err(BoxError::from).and_then(|replaced| replaced) {
        Ok(Replaced { warmed }) => tracing::info!(warmed, "a new supergraph runs"),
        Err(error) => {
            gateway.note_stale();
            tracing::error!(
                "the new supergraph cannot be used; the one before goes on: {}",
                chain(&*error)
            );
        }
    }
}

/// By what a changed file is recognised without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), size: metadata.size(), inode: metadata.ino() }
    }
}
