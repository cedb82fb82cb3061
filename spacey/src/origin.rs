//! Where a general router's supergraph comes from: a file, or subgraphs that are composed. Either is looked at again and again.
//!
//! A file is looked at rather than watched through the file system: files are often replaced through links or lie on other machines'
//! disks, where notifications get lost, and one look costs microseconds.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::SystemTime;

use federation::compose::SubgraphSdl;
use tokio::task::JoinError;

use crate::graph::{self, GraphError};
use crate::sources::{self, SourceError};

/// Why the supergraph cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error("composition broke off")]
    BrokenOff(#[from] JoinError),
}

/// Where the supergraph comes from, and what was there before.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A file that holds it.
    File { path: PathBuf, seen: Option<Stamp>, text: String },
    /// A configuration that names the subgraphs to compose.
    Composed { config: PathBuf, sdls: Vec<SubgraphSdl> },
}

impl Origin {
    /// A supergraph file.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File { path, seen: None, text: String::new() }
    }

    /// The subgraphs that a configuration file names.
    pub(crate) fn composed(config: PathBuf) -> Self {
        Self::Composed { config, sdls: Vec::new() }
    }

    /// The supergraph, or nothing when it is what it was the last time.
    ///
    /// # Errors
    /// When it cannot be had. What does not compose is told once; what cannot be read is told each time.
    pub(crate) async fn changed(&mut self) -> Result<Option<String>, OriginError> {
        match self {
            Self::File { path, seen, text } => {
                let stamp = fs::metadata(&*path).ok().map(|metadata| Stamp::of(&metadata));
                if stamp.is_some() && stamp == *seen {
                    return Ok(None);
                }
                // Forgotten where it cannot be read, so that the same text counts as a change when it is back.
                *seen = None;
                let before = std::mem::take(text);
                *text = fs::read_to_string(&*path)
                    .map_err(|source| OriginError::File { path: path.clone(), source })?;
                *seen = stamp;
                Ok((*text != before).then(|| text.clone()))
            }
            Self::Composed { config, sdls } => {
                let found = sources::read(sources::of_config(config)?).await?;
                if found == *sdls {
                    return Ok(None);
                }
                sdls.clone_from(&found);
                let compose = move || graph::supergraph(&found);
                let composition = tokio::task::spawn_blocking(compose).await??;
                Ok(Some(composition.supergraph_sdl))
            }
        }
    }
}

/// By what a changed file is recognised without reading it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), size: metadata.size(), inode: metadata.ino() }
    }
}
