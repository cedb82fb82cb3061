//! Whether the schema files in `schema/` are what the program's code stands for. `make schema` writes them.

use std::process::Command;

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
