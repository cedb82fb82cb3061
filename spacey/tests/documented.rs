//! What README.md says of settings is what the program reads, and the other way round. It reads the repository and runs nothing.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names that the card-generation service reads.
const OF_OTHERS: &[&str] = &[
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "SPACEY_GENERATION_MODEL",
    "SPACEY_GENERATION_CONCURRENCY",
];

/// Texts between `quote`s that are names of variables.
fn names_between(text: &str, quote: char) -> Vec<String> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    text.split(quote).filter(is_name).map(str::to_owned).collect()
}

/// Every variable that the settings' code names.
fn read_by_the_program() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root().join("spacey/src/settings")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        for name in names_between(&fs::read_to_string(&path).unwrap(), '"') {
            // What only begins or ends so is a family of names, such as a subgraph's address.
            if name.contains('_') && !name.starts_with('_') && !name.ends_with('_')
                || name == "PORT"
            {
                names.insert(name);
            }
        }
    }
    names
}

/// Every name that a row of README's tables of settings could mean: `…_B` after `A_C` is `A_B`, or `A_C_B`.
fn described(readme: &str, known: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
    let (mut described, mut unknown) = (BTreeSet::new(), Vec::new());
    for row in readme.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap_or_default();
        let mut before = String::new();
        for part in cell.split('`').skip(1).step_by(2) {
            if let Some(end) = part.strip_prefix('…') {
                let mut stem = before.as_str();
                let mut meant = vec![format!("{stem}{end}")];
                while let Some((shorter, _)) = stem.rsplit_once('_') {
                    stem = shorter;
                    meant.push(format!("{stem}{end}"));
                }
                match meant.into_iter().find(|name| known.contains(name)) {
                    Some(name) => drop(described.insert(name)),
                    None => unknown.push(format!("{before}, {part}")),
                }
            } else if part.starts_with("SPACEY_")
                || matches!(part, "PORT" | "DB_NAME" | "MONGO_DB_CONNECTION")
            {
                before = part.to_owned();
                let is_family = part.contains(['{', '…']) || part.starts_with("SPACEY_CONFIG_");
                if known.contains(part) {
                    described.insert(part.to_owned());
                } else if !is_family && !OF_OTHERS.contains(&part) {
                    unknown.push(part.to_owned());
                }
            }
        }
    }
    (described, unknown)
}

#[test]
fn every_setting_is_described_and_every_one_that_is_described_is_read() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let known = read_by_the_program();
    assert!(known.len() > 60, "the settings are found: {known:?}");
    let (described, unknown) = described(&readme, &known);
    assert!(unknown.is_empty(), "README.md describes what nothing reads: {unknown:?}");
    let of_service = fs::read_to_string(root().join("card-generation/card_generation/settings.py"));
    let of_service = of_service.unwrap();
    for name in OF_OTHERS {
        assert!(of_service.contains(name), "card-generation does not read {name}");
    }
    let missing: Vec<_> = known.difference(&described).collect();
    assert!(missing.is_empty(), "README.md does not describe {missing:?}");
}
