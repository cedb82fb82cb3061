//! A scenario: subgraph SDLs, data and operations in one text file, composed by the crate's own composition.
//!
//! The file is cut at lines that begin with `===`:
//! - `=== subgraph NAME`: its SDL, to which the `@link` to the federation specification is added;
//! - `=== fed1 subgraph NAME`: its SDL as it is;
//! - `=== supergraph`: a supergraph that another tool composed of them, or an older one, in place of our own;
//! - `=== data`: the data graph as JSON (see `data`);
//! - `=== operation`: an operation that answers as the data does as one schema;
//! - `=== answer`: the data that the operation before it answers with instead;
//! - `=== errors`: how many errors come with that answer;
//! - `=== labels`: which override labels are on for the operation before it, one a line;
//! - `=== refusal`: the code with which the operation before it is refused.

use std::sync::Arc;

use apollo_compiler::Schema;
use federation::{OverrideLabels, SubgraphSdl, Supergraph, compose};

use super::Fixture;
use super::data::{self, Data};
use super::declared;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@requires", "@provides", "@external", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@extends"])"#;

/// An operation and what is expected of it.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) operation: String,
    /// Where it is not what the data says as one schema.
    pub(crate) answer: Option<serde_json::Value>,
    pub(crate) errors: usize,
    pub(crate) refusal: Option<String>,
    /// Present when it matters which override labels are on.
    pub(crate) labels: Option<Labels>,
}

/// The override labels that are on.
#[derive(Debug, Clone)]
pub(crate) struct Labels(pub(crate) Vec<String>);

impl OverrideLabels for Labels {
    fn is_on(&self, label: &str) -> bool {
        self.0.iter().any(|on| on == label)
    }
}

/// Reads the scenario `name` of `tests/scenarios`.
pub(crate) fn load(name: &str) -> (Fixture, Vec<Case>) {
    let file = format!("{}/tests/scenarios/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut subgraphs = Vec::new();
    let (mut data, mut supergraph) = (None, None);
    let mut cases: Vec<Case> = Vec::new();
    for section in text.split("\n=== ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap();
        match heading.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["subgraph", name] => subgraphs.push(sdl(name, format!("{LINK}\n{body}"))),
            ["fed1", "subgraph", name] => subgraphs.push(sdl(name, body.to_owned())),
            ["supergraph"] => supergraph = Some(body.to_owned()),
            ["data"] => data = Some(Data::parse(body)),
            ["operation"] => cases.push(Case { operation: body.to_owned(), ..Case::default() }),
            ["answer"] => {
                cases.last_mut().unwrap().answer = Some(serde_json::from_str(body).unwrap());
            }
            ["errors"] => cases.last_mut().unwrap().errors = body.trim().parse().unwrap(),
            ["labels"] => {
                let labels = body.split_whitespace().map(ToOwned::to_owned).collect();
                cases.last_mut().unwrap().labels = Some(Labels(labels));
            }
            ["refusal"] => cases.last_mut().unwrap().refusal = Some(body.trim().to_owned()),
            other => panic!("{file}: unknown section {other:?}"),
        }
    }
    let supergraph = supergraph.unwrap_or_else(|| composed(&subgraphs));
    (fixture(&subgraphs, &supergraph, data.unwrap()), cases)
}

fn sdl(name: &str, sdl: String) -> SubgraphSdl {
    SubgraphSdl { name: name.to_owned(), url: None, sdl }
}

/// The supergraph of these subgraphs.
fn composed(subgraphs: &[SubgraphSdl]) -> String {
    let composition = compose(subgraphs).unwrap_or_else(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", errors.join("\n"))
    });
    composition.supergraph_sdl
}

/// Mock subgraphs of these SDLs over `data`.
pub(crate) fn fixture(subgraphs: &[SubgraphSdl], supergraph: &str, mut data: Data) -> Fixture {
    let supergraph = Arc::new(Supergraph::parse(supergraph).unwrap());
    let api = Schema::parse_and_validate(supergraph.api_sdl(), "api.graphql").unwrap();
    let subgraphs = declared::subgraphs(subgraphs);
    for subgraph in &subgraphs {
        for rule in &subgraph.rules {
            // What an interface requires where it is an object, its types require.
            let objects = subgraph.implementations.get(&rule.ty).into_iter().flatten();
            for ty in objects.chain([&rule.ty]) {
                if let Some(set) = &rule.requires {
                    let mark = (ty.clone(), rule.field.clone());
                    data.requires.insert(mark, data::field_set(set));
                }
            }
        }
    }
    Fixture {
        subgraphs,
        data,
        supergraph,
        api,
        log: std::sync::Mutex::default(),
        violations: std::sync::Mutex::default(),
        fault: None,
        in_process: std::sync::atomic::AtomicBool::default(),
    }
}
