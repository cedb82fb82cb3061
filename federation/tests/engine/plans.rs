//! Plans as text: an operation of `tests/plans/FIXTURE` in, the printed plan out.

use std::fs;

use crate::support::Fixture;

fn check(fixture: &str) {
    check_folder(fixture, fixture);
}

fn check_folder(fixture: &str, name: &str) {
    let folder = format!("{}/tests/plans/{name}", env!("CARGO_MANIFEST_DIR"));
    let fixture_data = Fixture::load(fixture);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let operation = fs::read_to_string(&file).unwrap();
        let plan = fixture_data.prepare(&operation).plan().to_string();
        let name = format!("{name}__{}", file.file_stem().unwrap().to_str().unwrap());
        insta::with_settings!({description => &operation, omit_expression => true}, {
            insta::assert_snapshot!(name, plan);
        });
    }
}

#[test]
fn plans_of_the_shop() {
    check("shop");
}

#[test]
fn plans_of_the_tricky_graph() {
    check("tricky");
}

#[test]
fn plans_in_parts() {
    check_folder("shop", "incremental");
}
