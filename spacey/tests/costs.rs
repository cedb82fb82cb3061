//! What operations on Spacey's own graph cost, by the schema files: the examples that developers are offered are far from any limit, a batch of
//! any size can be asked for, and what is nested without bounds cannot.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use federation::{CostSettings, Object, Supergraph, prepare};
use serde_json::{Value, json};

fn supergraph() -> Arc<Supergraph> {
    let sdl = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/supergraph.graphql");
    Arc::new(Supergraph::parse(&std::fs::read_to_string(sdl).unwrap()).unwrap())
}

fn cost(supergraph: &Arc<Supergraph>, text: &str, name: Option<&str>, variables: Value) -> f64 {
    let prepared =
        prepare(supergraph, text, name).unwrap_or_else(|errors| panic!("{text} {errors:?}"));
    let variables: Object = serde_json::from_value(variables).unwrap();
    let variables = prepared.coerce(variables).unwrap_or_else(|errors| panic!("{text} {errors:?}"));
    prepared.estimate(&variables, &CostSettings::default()).unwrap()
}

fn maximum() -> f64 {
    f64::from(gateway::CostSettings::default().maximum_cost)
}

#[test]
fn the_example_operations_may_be_asked_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/graphiql/operations");
    let supergraph = supergraph();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "graphql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let variables = std::fs::read_to_string(path.with_extension("variables.jsonc"));
        let variables: String = variables
            .as_deref()
            .unwrap_or("{}")
            .lines()
            .filter(|line| !line.trim().starts_with("//"))
            .collect();
        let variables = variables
            .replace("{{uuid}}", "00000000-0000-4000-8000-000000000000")
            .replace("{{now}}", "2026-01-01T00:00:00Z");
        let variables: Value = serde_json::from_str(&variables).unwrap();
        let names = text.lines().filter_map(|line| {
            let mut words = line.split([' ', '(', '{']);
            let kind = words.next()?;
            matches!(kind, "query" | "mutation" | "subscription").then(|| words.next())?
        });
        for name in names {
            let cost = cost(&supergraph, &text, Some(name), variables.clone());
            assert!(cost <= maximum() / 2.0, "{name} costs {cost}");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn a_full_batch_may_be_asked_for_and_a_tree_of_full_pages_may_not() {
    let supergraph = supergraph();
    let reviews: Vec<Value> = (0..1_000)
        .map(|_| json!({ "id": "00000000-0000-4000-8000-000000000000", "cardId": "00000000-0000-4000-8000-000000000000", "rating": "GOOD", "reviewedAt": "2026-01-01T00:00:00Z" }))
        .collect();
    let batch = "mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { __typename } } }";
    let submitted = cost(&supergraph, batch, None, json!({ "input": { "reviews": reviews } }));
    assert!((2_000.0..=maximum() / 2.0).contains(&submitted), "{submitted}");
    // What is given is paid for, also where nothing of it is asked for.
    let notes = vec![json!("00000000-0000-4000-8000-000000000000"); 1_000];
    let tagging = "mutation ($input: TagNotesInput!) { tagNotes(input: $input) { __typename } }";
    let tagged = cost(&supergraph, tagging, None, json!({ "input": { "noteIds": notes } }));
    assert!((4_000.0..=maximum()).contains(&tagged), "{tagged}");

    let page = "query ($n: Int) { viewer { decks(first: $n) { nodes { name cards(first: $n) { nodes { question } } } } } }";
    let small = cost(&supergraph, page, None, json!({ "n": 20 }));
    assert!((400.0..=600.0).contains(&small), "{small}");
    assert!(cost(&supergraph, page, None, json!({ "n": 500 })) > 250_000.0);
    // A person's first screen, of as many decks as anybody has.
    assert!(cost(&supergraph, page, None, json!({ "n": 50 })) <= maximum());
    let search = "query { searchCards(query: \"a\", first: 20) { nodes { question } pageInfo { hasNextPage } } }";
    assert_eq!(cost(&supergraph, search, None, json!({})), 30.0 + 20.0);
}
