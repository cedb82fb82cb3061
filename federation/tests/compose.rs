//! Composition as data: every folder in `compose/fixtures` holds the SDL of some subgraphs, one file each; what
//! composes to what, or is refused with which diagnostics, is the snapshot of the same name.
//!
//! A supergraph in a snapshot is checked to be valid GraphQL and independent of the order of its subgraphs.
//! A test fails when a code has no fixture that provokes it.

#[path = "compose/documented.rs"]
mod documented;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use apollo_compiler::Schema;
use federation::{
    Code, ComposeSettings, ListSizes, SubgraphSdl, Supergraph, compose, compose_with,
};

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose/fixtures");
    let mut cases: Vec<PathBuf> = fs::read_dir(root)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn subgraphs(case: &Path) -> Vec<SubgraphSdl> {
    let mut files: Vec<PathBuf> = fs::read_dir(case)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| SubgraphSdl {
            name: name(file),
            url: Some(format!("http://{}.test/graphql", name(file))),
            sdl: fs::read_to_string(file).expect("SDL"),
        })
        .collect()
}

/// What is asked of the subgraphs of a fixture: more where its name says so.
fn settings(case: &Path) -> ComposeSettings {
    let list_sizes = match name(case).as_str() {
        "list_sizes_required" => ListSizes::Required,
        "list_sizes_hinted" => ListSizes::Hinted,
        _ => ListSizes::Optional,
    };
    ComposeSettings { list_sizes }
}

/// What the snapshot holds: diagnostics, one a line, then the supergraph if there is one.
fn outcome(case: &Path) -> String {
    let composed = compose_with(&subgraphs(case), &settings(case));
    let (diagnostics, supergraph) = match composed {
        Ok(composition) => (composition.hints, composition.supergraph_sdl),
        Err(errors) => (errors, String::new()),
    };
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(lines.iter().all(|line| !line.contains('\n')), "a diagnostic is one line");
    [lines.join("\n"), supergraph].join("\n\n").trim().to_owned()
}

#[test]
fn fixtures_compose_as_recorded() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("compose/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for case in fixtures() {
        let text = outcome(&case);
        settings.bind(|| insta::assert_snapshot!(name(&case), text));
    }
}

#[test]
fn a_supergraph_is_valid_and_the_order_of_subgraphs_does_not_matter() {
    let mut composed = 0;
    for case in fixtures() {
        let mut subgraphs = subgraphs(&case);
        let Ok(composition) = compose(&subgraphs) else {
            continue;
        };
        Schema::parse_and_validate(&*composition.supergraph_sdl, "supergraph.graphql")
            .unwrap_or_else(|invalid| panic!("{}: {}", name(&case), invalid.errors));
        // The clients' schema is made without reading the text again: reading it must give the same.
        let read = Supergraph::parse(&composition.supergraph_sdl)
            .unwrap_or_else(|error| panic!("{}: {error}", name(&case)));
        assert_eq!(read.api_sdl(), composition.api_sdl, "{}", name(&case));
        subgraphs.reverse();
        assert_eq!(compose(&subgraphs), Ok(composition), "{}", name(&case));
        composed += 1;
    }
    assert!(composed > 20, "only {composed} fixtures compose");
}

#[test]
fn every_code_has_a_fixture() {
    let mut provoked = BTreeSet::new();
    for case in fixtures() {
        let diagnostics = match compose_with(&subgraphs(&case), &settings(&case)) {
            Ok(composition) => composition.hints,
            Err(errors) => errors,
        };
        provoked.extend(diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()));
    }
    // Two files of a folder cannot have one name, so that this rule has a test of its own.
    provoked.insert(Code::InvalidSubgraphName.as_str());
    let missing: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !provoked.contains(code))
        .collect();
    assert!(missing.is_empty(), "no fixture provokes {missing:?}");
}

#[test]
fn subgraph_names_are_unique_and_not_reserved() {
    let subgraph = |name: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: "type Query { a: Int }".to_owned(),
    };
    for names in [["a", "a"], ["a", ""], ["a", "_"], ["a", "__a"]] {
        let errors = compose(&names.map(subgraph)).expect_err("refused");
        assert_eq!(errors.len(), 1, "{names:?}");
        assert_eq!(errors[0].code, Code::InvalidSubgraphName);
        assert_eq!(errors[0].subgraphs, [names[1]]);
    }
}

#[test]
fn truncated_input_is_refused_or_composed_but_never_panics() {
    let mut refused = 0;
    for case in fixtures() {
        let whole = subgraphs(&case);
        for eighths in 1..8 {
            let mut subgraphs = whole.clone();
            for subgraph in &mut subgraphs {
                let cut = subgraph.sdl.floor_char_boundary(subgraph.sdl.len() * eighths / 8);
                subgraph.sdl.truncate(cut);
            }
            refused += usize::from(compose(&subgraphs).is_err());
        }
    }
    assert!(refused > 100, "only {refused} truncated inputs are refused");
}

/// Every subgraph but the last lacks one field, so that every set of subgraphs can be what a path leads to. Visiting
/// all of them would never end.
#[test]
fn satisfiability_does_not_visit_every_set_of_subgraphs() {
    const COUNT: usize = 30;
    let subgraph = |lacks: usize| {
        let fields: Vec<String> = (0..COUNT)
            .filter(|field| *field != lacks)
            .map(|field| format!("f{field}: Value"))
            .collect();
        SubgraphSdl {
            name: format!("s{lacks:02}"),
            url: None,
            sdl: format!("type Query {{ value: Value }} type Value {{ {} }}", fields.join(" ")),
        }
    };
    let mut subgraphs: Vec<SubgraphSdl> = (0..=COUNT).map(subgraph).collect();
    assert!(compose(&subgraphs).is_ok());

    subgraphs.pop();
    let errors = compose(&subgraphs).expect_err("refused");
    assert!(!errors.is_empty());
    assert!(errors.iter().all(|error| error.code == Code::SatisfiabilityError));
}

/// Each of many subgraphs adds to an entity that no other one can be asked for.
#[test]
fn what_cannot_be_reached_is_shown_up_to_a_limit() {
    let fields: String = (0..150).map(|field| format!("f{field}: Int ")).collect();
    let subgraph = |name: &str, sdl: String| SubgraphSdl { name: name.to_owned(), url: None, sdl };
    let subgraphs = [
        subgraph("a", "type Query { a: Value } type Value { id: ID }".to_owned()),
        subgraph("b", format!("type Query {{ b: Value }} type Value {{ id: ID {fields} }}")),
    ];
    let errors = compose(&subgraphs).expect_err("refused");
    assert_eq!(errors.len(), 101);
    assert!(errors.iter().all(|error| error.code == Code::SatisfiabilityError));
    assert!(errors[0].message.starts_with("150 fields"), "{}", errors[0].message);
}

/// Every subgraph adds fields to every entity, so that each can be followed to each other one from everywhere. The limit is
/// far above what it takes, and far below what one closure for each path would.
#[test]
fn many_subgraphs_of_many_entities_compose_in_a_moment() {
    const TYPES: usize = 50;
    let subgraph = |graph: usize| {
        let types: String = (0..TYPES)
            .map(|ty| {
                let next = (ty * 7 + graph) % TYPES;
                format!(
                    "type T{ty} @key(fields: \"id\") {{ id: ID! f{graph}: Int l{graph}: T{next} }} "
                )
            })
            .collect();
        SubgraphSdl {
            name: format!("s{graph:02}"),
            url: None,
            sdl: format!("type Query {{ q{graph}: T{} }} {types}", graph % TYPES),
        }
    };
    let subgraphs: Vec<SubgraphSdl> = (0..30).map(subgraph).collect();
    let started = Instant::now();
    assert!(compose(&subgraphs).is_ok());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

/// A subgraph that does not compose it would refuse what a client marks with it.
#[test]
fn clients_see_no_directive_that_is_composed() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/compose/fixtures/hint_composed_directives_differ");
    let composition = compose(&subgraphs(&case)).expect("a supergraph");
    assert!(composition.supergraph_sdl.contains("directive @foo"));
    assert!(!composition.api_sdl.contains("@foo"), "{}", composition.api_sdl);
}

#[test]
fn diagnostics_serialise() {
    let subgraph =
        SubgraphSdl { name: "a".to_owned(), url: None, sdl: "type Mutation { a: Int }".to_owned() };
    let errors = compose(&[subgraph]).expect_err("refused");
    let json = serde_json::to_value(&errors).expect("JSON");
    assert_eq!(json[0]["code"], "NO_QUERIES");
    assert_eq!(json[0]["severity"], "error");
    assert_eq!(json[0]["coordinate"], "Query");
    assert_eq!(json[0]["subgraphs"], serde_json::json!(["a"]));
}
