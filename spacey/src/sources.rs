//! Where the schemas of subgraphs come from that are to be composed: files, and subgraphs that run.
//!
//! The configuration file has the form that rover reads. Refused, by name: what it may have besides and only Apollo's registry can tell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use federation::compose::SubgraphSdl;
use futures::future::try_join_all;
use gateway::{GraphQlSubgraph, GraphQlSubgraphError, SubgraphSettings};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cli::SubgraphFile;

/// How long a subgraph may take to tell its schema.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the schemas cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path}: {message}", path = path.display())]
    Config { path: PathBuf, message: String },
    #[error(transparent)]
    Address(#[from] GraphQlSubgraphError),
    #[error("the subgraph {name} does not tell its schema at {url}")]
    Fetch {
        name: String,
        url: String,
        #[source]
        source: common::EndpointError,
    },
}

/// One subgraph to compose.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    name: String,
    /// The address for the supergraph.
    url: Option<String>,
    schema: Schema,
}

#[derive(Debug, PartialEq, Eq)]
enum Schema {
    File(PathBuf),
    /// The address of a subgraph that tells its schema by `_service { sdl }`.
    Running(String),
}

impl From<SubgraphFile> for Source {
    fn from(SubgraphFile { name, file, url }: SubgraphFile) -> Self {
        Self { name, url, schema: Schema::File(file) }
    }
}

/// The subgraphs of a configuration file, by name. Paths in it are relative to its folder.
///
/// # Errors
/// [`SourceError`] when it cannot be read or is not of the form.
pub(crate) fn of_config(path: &Path) -> Result<Vec<Source>, SourceError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SourceError::File { path: path.to_owned(), source })?;
    let wrong = |message| SourceError::Config { path: path.to_owned(), message };
    let config: Config = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if config.subgraphs.is_empty() {
        return Err(wrong("subgraphs is empty: there is nothing to compose".to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let source = |(name, subgraph): (String, ConfiguredSubgraph)| {
        let ConfiguredSubgraph { routing_url, schema } = subgraph;
        let (url, schema) = match (schema.file, schema.subgraph_url) {
            (Some(file), None) => (routing_url, Schema::File(folder.join(file))),
            (None, Some(url)) => (routing_url.or(Some(url.clone())), Schema::Running(url)),
            _ => {
                return Err(wrong(format!(
                    "subgraphs.{name}.schema: either file or subgraph_url is accepted"
                )));
            }
        };
        Ok(Source { name, url, schema })
    };
    config.subgraphs.into_iter().map(source).collect()
}

/// Reads all schemas, those of running subgraphs at the same time.
///
/// # Errors
/// The first of them that cannot be had.
pub(crate) async fn read(sources: Vec<Source>) -> Result<Vec<SubgraphSdl>, SourceError> {
    try_join_all(sources.into_iter().map(|Source { name, url, schema }| async move {
        let sdl = match schema {
            Schema::File(path) => std::fs::read_to_string(&path)
                .map_err(|source| SourceError::File { path, source })?,
            Schema::Running(address) => fetch(&name, address).await?,
        };
        Ok(SubgraphSdl { name, url, sdl })
    }))
    .await
}

async fn fetch(name: &str, url: String) -> Result<String, SourceError> {
    let settings = SubgraphSettings { timeout: PATIENCE, ..SubgraphSettings::default() };
    let subgraph = GraphQlSubgraph::new(name, &url, &settings)?;
    let error = |source| SourceError::Fetch { name: name.to_owned(), url, source };
    subgraph.sdl().await.map_err(error)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Whatever version is asked for, there is one composition.
    #[serde(rename = "federation_version")]
    _federation_version: Option<IgnoredAny>,
    subgraphs: BTreeMap<String, ConfiguredSubgraph>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfiguredSubgraph {
    routing_url: Option<String>,
    schema: ConfiguredSchema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfiguredSchema {
    file: Option<PathBuf>,
    subgraph_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_config(text: &str) -> Result<Vec<Source>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("supergraph.yaml");
        std::fs::write(&path, text).unwrap();
        let sources = of_config(&path).map_err(|error| error.to_string())?;
        let relative = |source: Source| match source.schema {
            Schema::File(path) => Source {
                schema: Schema::File(path.strip_prefix(folder.path()).unwrap().to_owned()),
                ..source
            },
            Schema::Running(_) => source,
        };
        Ok(sources.into_iter().map(relative).collect())
    }

    #[test]
    fn files_and_running_subgraphs_are_read_by_name() {
        let sources = read_config(
            "federation_version: =2.9.0\n\
             subgraphs:\n  \
               words:\n    routing_url: http://words.example\n    schema:\n      file: sub/words.graphql\n  \
               numbers:\n    schema:\n      subgraph_url: http://localhost:4001/graphql\n",
        )
        .unwrap();
        let url = "http://localhost:4001/graphql".to_owned();
        let numbers = Source {
            name: "numbers".to_owned(),
            url: Some(url.clone()),
            schema: Schema::Running(url),
        };
        let words = Source {
            name: "words".to_owned(),
            url: Some("http://words.example".to_owned()),
            schema: Schema::File("sub/words.graphql".into()),
        };
        assert_eq!(sources, [numbers, words]);
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        for (text, message) in [
            ("subgraphs: {}", "nothing to compose"),
            ("subgraphs: {a: {schema: {}}}", "subgraphs.a.schema: either file or subgraph_url"),
            ("subgraphs: {a: {schema: {graphref: x@y}}}", "graphref"),
            ("subgraphs: {a: {routing_url: x}}", "schema"),
            ("graphs: {}", "graphs"),
            ("subgraphs: [", "supergraph.yaml"),
        ] {
            let error = read_config(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
