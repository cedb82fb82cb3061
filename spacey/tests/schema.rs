//! Whether the schema files in `schema/` are what the program's code stands for. `make schema` writes them.

use std::process::Command;

use federation::{ComposeSettings, ListSizes, SubgraphSdl, compose_with};

#[test]
fn the_schema_files_are_those_of_the_code() {
    let output = Command::new(env!("CARGO_BIN_EXE_spacey"))
        .args(["schema", "--check", concat!(env!("CARGO_MANIFEST_DIR"), "/../schema")])
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `make schema`: {said}");
}

/// What operations cost is told by the schema: where a list is new, a line in its subgraph's `costs.txt` says how long it is.
#[test]
fn every_list_of_objects_says_how_long_it_is() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema");
    let subgraphs: Vec<_> = ["users", "config", "decks", "learning", "generation"]
        .into_iter()
        .map(|name| SubgraphSdl {
            name: name.to_owned(),
            url: None,
            sdl: std::fs::read_to_string(format!("{folder}/{name}.graphql")).unwrap(),
        })
        .collect();
    let settings = ComposeSettings { list_sizes: ListSizes::Required };
    let missing = compose_with(&subgraphs, &settings).err().unwrap_or_default();
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
