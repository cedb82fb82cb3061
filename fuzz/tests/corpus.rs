//! Runs every input of the corpus through its target: those written by hand, and those that the fuzzer found.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn what_must_hold_holds_for_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut failed = Vec::new();
    for (name, run) in fuzz::TARGETS {
        let inputs = fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path());
        let mut count = 0;
        for input in inputs {
            let data = fs::read(&input).unwrap();
            if catch_unwind(|| run(&data)).is_err() {
                failed.push(input);
            }
            count += 1;
        }
        assert!(count >= 5, "the corpus of {name} has {count} inputs");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_target_can_be_given_to_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let names: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, names);
}
