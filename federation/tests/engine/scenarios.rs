//! Every scenario of `tests/scenarios` answers as its data does as one schema, by the plans of its snapshot.

use std::fmt::Write;
use std::sync::Arc;

use federation::{ExecuteSettings, prepare};
use serde_json::json;

use crate::support::Fixture;
use crate::support::scenario::{self, Case, Labels};

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn all_scenarios_are_tested() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            files.sort();
            let mut tested = vec![$(stringify!($name)),*];
            tested.sort_unstable();
            assert_eq!(files, tested);
        }
    };
}

scenarios!(
    conflicting_types,
    contexts,
    directives_of_clients,
    directives_on_fragments,
    enums_and_inputs,
    federation_1,
    inaccessible,
    interface_fields_are_whole,
    interface_object,
    interface_object_and_types_of_a_third,
    interface_object_by_way_of_an_interface,
    interface_object_that_cannot_be_entered,
    interface_object_that_requires,
    interfaces_in_circles,
    interfaces_over_subgraphs,
    join_v0_1,
    keys_mixed,
    keys_that_are_null,
    keys_through_others,
    mutations,
    overridden_fields,
    overrides_by_label,
    parents_first,
    provides,
    requires_in_chains,
    requires_on_an_interface,
    requires_through_fragments,
    requires_with_arguments,
    shared_roots,
    skipped_parts,
    union_in_part,
    union_split,
);

/// Runs `operation` with these override labels on, expects it to answer as one schema, and returns which subgraphs were asked
/// what.
fn with_labels(fixture: &Fixture, operation: &str, labels: Labels) -> String {
    let mut asked = format!("{labels:?}\n");
    let settings = ExecuteSettings { overrides: Arc::new(labels), ..ExecuteSettings::default() };
    fixture.take_log();
    let response = fixture.run_with(&fixture.prepare(operation), json!({}), &settings);
    let actual = String::from_utf8(response.data).unwrap();
    assert_eq!(fixture.run_as_one(operation, json!({})), actual, "{operation}");
    fixture.expect_no_violation(operation);
    for (subgraph, document, _) in fixture.take_log() {
        let _ = writeln!(asked, "{subgraph}: {document}");
    }
    asked.push('\n');
    asked
}

fn check(name: &str) {
    let (fixture, cases) = scenario::load(name);
    let mut plans = String::new();
    for Case { operation, answer, errors, refusal, labels } in cases {
        let _ = writeln!(plans, "{}", operation.trim());
        if let Some(code) = refusal {
            let refused = prepare(&fixture.supergraph, &operation, None).unwrap_err();
            assert_eq!(refused[0].code.as_str(), code, "{operation}\n{refused:#?}");
            let _ = writeln!(plans, "{}\n", refused[0]);
            continue;
        }
        if let Some(labels) = labels {
            plans += &with_labels(&fixture, &operation, labels);
            continue;
        }
        let response = match answer {
            None => fixture.check(&operation, json!({})),
            Some(expected) => {
                let response = fixture.run(&operation, json!({}));
                let actual: serde_json::Value = serde_json::from_slice(&response.data).unwrap();
                assert_eq!(expected, actual, "{operation}\n{:#?}", response.errors);
                fixture.expect_no_violation(&operation);
                response
            }
        };
        assert_eq!(response.errors.len(), errors, "{operation}\n{:#?}", response.errors);
        let _ = writeln!(plans, "{}\n", fixture.prepare(&operation).plan());
    }
    insta::with_settings!({omit_expression => true, snapshot_path => "snapshots/scenarios"}, {
        insta::assert_snapshot!(name, plans);
    });
}
