//! `spacey plan` as a program: the plan of an operation on standard output, as text and as JSON, and refusals on standard error.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::process::{Command, Output};

use serde_json::{Value, json};

const OPERATION: &str = "query Home($first: Int) { viewer { name decks(first: $first) { nodes { id counts { new } } } } config { frontend { deckColors } } }";

/// Runs the program on an operation, with this project's own supergraph from its file.
fn plan(operation: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("operation.graphql");
    std::fs::write(&file, operation).unwrap();
    let supergraph = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/supergraph.graphql");
    Command::new(env!("CARGO_BIN_EXE_spacey"))
        .args(["plan", "--supergraph", supergraph])
        .args(arguments)
        .arg(&file)
        .output()
        .unwrap()
}

#[test]
fn a_plan_is_printed_as_text() {
    let output = plan(OPERATION, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.starts_with("QueryPlan {\n  Sequence {\n"), "{text}");
    assert!(text.contains("Flatten(path: \"viewer\")"), "{text}");
}

#[test]
fn a_plan_is_printed_as_json_with_the_document_of_each_fetch() {
    let output = plan(OPERATION, &["--format", "json"]);
    assert!(output.status.success());
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fetches = plan["fetches"].as_array().unwrap();
    let of = |subgraph: &str| fetches.iter().find(|fetch| fetch["subgraph"] == subgraph).unwrap();
    let users = of("users");
    assert_eq!(
        *users,
        json!({
            "id": users["id"], "subgraph": "users", "kind": "query", "round": 0, "dependsOn": [], "path": null,
            "operationName": format!("Home__users__{}", users["id"]),
            "document": users["document"], "variables": [], "entities": [],
        })
    );
    assert!(users["document"].as_str().unwrap().contains("viewer {"), "{users}");
    let decks = of("decks");
    assert_eq!(decks["dependsOn"], json!([users["id"]]));
    assert_eq!(decks["variables"], json!(["first"]));
    assert_eq!(
        decks["entities"],
        json!([{
            "path": "viewer", "member": "_entities", "variable": "representations",
            "representations": [{"type": "User", "fields": "id"}],
        }])
    );
    let rounds = fetches.iter().map(|fetch| fetch["round"].as_u64().unwrap() + 1).max();
    assert_eq!(plan["rounds"].as_u64(), rounds);
}

#[test]
fn an_operation_that_is_not_valid_is_explained() {
    let output = plan("{ nothing }", &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("GRAPHQL_VALIDATION_FAILED: "), "{text}");
}

#[test]
fn a_format_that_is_not_known_is_refused() {
    let output = plan(OPERATION, &["--format", "xml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("possible values: text, json"), "{text}");
}
