//! What operations cost: estimates by the rules of `@cost` and `@listSize`, and what answers cost.

use std::sync::Arc;

use federation::{
    CostSettings, DearField, Object, Prepared, RequestErrorCode, SubgraphSdl, Supergraph, compose,
    prepare,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Fixture;

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@listSize"])

type Query {
  leaf: Int
  dear: Int @cost(weight: 9)
  user(id: ID): User
  heavy: Heavy
  lighter: Heavy @cost(weight: 2)
  users(first: Int = 5, after: String): [User!]! @listSize(slicingArguments: ["first"])
  either(first: Int, last: Int): [User!]! @listSize(slicingArguments: ["first", "last"])
  loose(first: Int, last: Int): [User!] @listSize(assumedSize: 7, slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  page(input: Slice, first: Int): Page @listSize(assumedSize: 6, slicingArguments: ["input.by.first", "first"], sizedFields: ["items", "edges"], requireOneSlicingArgument: false)
  search(text: String @cost(weight: 3), terms: [Term!], level: Level): Page @cost(weight: 20) @listSize(assumedSize: 4, sizedFields: ["items"])
  unsized: [User!]
  numbers: [Level!] @listSize(assumedSize: 3)
  node: Node
  nodes: [Node!] @listSize(assumedSize: 2)
}
type Mutation { add(terms: [Term!]!): User touch: Int }
input Slice { by: By = { first: 8 } }
input By { first: Int = 9 }
input Term { word: String @cost(weight: 2) inner: Term level: Level }
enum Level @cost(weight: 1) { LOW HIGH }
interface Node { id: ID! related: [Node!] }
type User implements Node { id: ID! name: String friends: [User!] @listSize(assumedSize: 3) related: [Node!] @listSize(assumedSize: 2) }
type Heavy implements Node @cost(weight: 11) { id: ID! related: [Node!] @listSize(assumedSize: 4) dear: Int @cost(weight: 5) }
type Page { items: [User!]! edges: [Edge!]! total: Int! }
type Edge { node: User! }
"#;

fn supergraph() -> Arc<Supergraph> {
    let subgraph = SubgraphSdl { name: "all".into(), url: None, sdl: SDL.into() };
    Arc::new(Supergraph::parse(&compose(&[subgraph]).unwrap().supergraph_sdl).unwrap())
}

fn prepared(operation: &str) -> Prepared {
    prepare(&supergraph(), operation, None)
        .unwrap_or_else(|errors| panic!("{operation} {errors:?}"))
}

fn estimate(operation: &str, variables: Value) -> f64 {
    let prepared = prepared(operation);
    let variables: Object = serde_json::from_value(variables).unwrap();
    let variables = prepared.coerce(variables).unwrap();
    prepared.estimate(&variables, &CostSettings::default()).unwrap()
}

#[test]
fn a_field_costs_its_values_and_what_is_selected_on_them_and_its_arguments() {
    for (operation, expected) in [
        ("{ leaf __typename }", 0.0),
        ("{ a: leaf dear b: dear }", 18.0),
        ("{ user { id name } }", 1.0),
        ("{ heavy { id } lighter { dear } }", 11.0 + 2.0 + 5.0),
        ("{ user { friends { name friends { id } } } }", 1.0 + 3.0 * (1.0 + 3.0)),
        ("{ unsized { id } }", 10.0),
        ("{ numbers }", 3.0),
        ("{ search(text: \"x\") { items { id } total } }", 20.0 + 3.0 + 4.0),
        ("{ search(text: null, level: HIGH) { total } }", 20.0 + 1.0),
        (
            "{ search(terms: [{ word: \"a\" }, { inner: { level: LOW } }]) { total } }",
            20.0 + 3.0 + 3.0,
        ),
        ("{ search(terms: { word: \"a\" }) { total } }", 20.0 + 3.0),
        ("mutation { touch }", 10.0),
        ("mutation { a: touch add(terms: [{}, {}]) { id } }", 10.0 + 1.0 + 2.0),
        ("{ __schema { types { name } } }", 10.0),
    ] {
        assert_eq!(estimate(operation, json!({})), expected, "{operation}");
    }
}

#[test]
fn a_list_is_as_long_as_its_arguments_say() {
    for (operation, expected) in [
        ("{ users { id } }", 5.0),
        ("{ users(first: 3) { id } }", 3.0),
        ("{ users(first: -3) { id } }", 0.0),
        ("{ users(first: 0) { friends { id } } }", 0.0),
        ("{ either(last: 4) { id } }", 4.0),
        ("{ loose { id } }", 7.0),
        ("{ loose(first: null) { id } }", 7.0),
        ("{ loose(first: 2, last: 9) { id } }", 9.0),
        ("{ page { items { id } edges { node { id } } } }", 1.0 + 8.0 + 8.0 * 2.0),
        ("{ page(first: 2) { items { id } total } }", 1.0 + 2.0),
        ("{ page(input: {}) { items { id } } }", 1.0 + 9.0 - 1.0),
        ("{ page(input: { by: {} }) { items { id } } }", 1.0 + 9.0),
        ("{ page(input: { by: { first: 1 } }) { items { id } } }", 1.0 + 1.0),
    ] {
        let inputs = f64::from(u32::try_from(operation.matches("input: {").count()).unwrap())
            + f64::from(u32::try_from(operation.matches("by: {").count()).unwrap());
        assert_eq!(estimate(operation, json!({})), expected + inputs, "{operation}");
    }
}

#[test]
fn variables_say_it_too_and_defaults_stand_in_for_them() {
    let users = "query ($n: Int) { users(first: $n) { id } }";
    let default = "query ($n: Int = 4) { users(first: $n) { id } }";
    let input = "query ($i: Slice) { page(input: $i) { items { id } } }";
    let field = "query ($n: Int) { page(input: { by: { first: $n } }) { items { id } } }";
    let terms = "query ($t: [Term!], $w: String) { search(terms: $t, text: $w) { total } }";
    let sign = "query ($yes: Boolean!) { users(first: 2) @include(if: $yes) { id } ... @skip(if: $yes) { user { id } } }";
    for (operation, variables, expected) in [
        (users, json!({}), 5.0),
        (users, json!({ "n": 3 }), 3.0),
        (users, json!({ "n": null }), 5.0),
        (users, json!({ "n": -1 }), 0.0),
        (default, json!({}), 4.0),
        (default, json!({ "n": 1 }), 1.0),
        (input, json!({}), 1.0 + 8.0),
        (input, json!({ "i": null }), 1.0 + 8.0),
        (input, json!({ "i": {} }), 1.0 + 8.0 + 2.0),
        (input, json!({ "i": { "by": { "first": 2 } } }), 1.0 + 2.0 + 2.0),
        (field, json!({ "n": 3 }), 1.0 + 3.0 + 2.0),
        (terms, json!({}), 20.0),
        (
            terms,
            json!({ "w": "a", "t": [{ "word": "b" }, { "inner": { "level": "LOW" } }] }),
            20.0 + 3.0 + 3.0 + 3.0,
        ),
        (sign, json!({ "yes": true }), 2.0),
        (sign, json!({ "yes": false }), 1.0),
    ] {
        assert_eq!(estimate(operation, variables.clone()), expected, "{operation} {variables}");
    }
}

#[test]
fn the_dearest_type_counts() {
    let user = "... on User { friends { id } }";
    let heavy = "... on Heavy { dear }";
    for (operation, expected) in [
        // A node may be the dearest of its types.
        ("{ node { id } }".to_owned(), 11.0),
        (format!("{{ node {{ {user} }} }}"), 11.0 + 3.0),
        (format!("{{ node {{ {user} {heavy} }} }}"), 11.0 + 5.0),
        ("{ nodes { related { id } } }".to_owned(), 2.0 * (11.0 + 4.0 * 11.0)),
        ("{ nodes { ... on User { related { id } } } }".to_owned(), 2.0 * (11.0 + 2.0 * 11.0)),
    ] {
        assert_eq!(estimate(&operation, json!({})), expected, "{operation}");
    }
}

#[test]
fn how_it_is_written_does_not_matter() {
    let cost = |operation: &str| estimate(operation, json!({}));
    let plain = cost("{ users(first: 3) { name friends { id } } }");
    for same in [
        "{ a: users(first: 3) { b: name c: friends { id } } }",
        "{ ... on Query { users(first: 3) { ...F } } } fragment F on User { name friends { id } }",
        "{ ...Q ...Q } fragment Q on Query { users(first: 3) { ... { name } friends { id } } }",
        "{ users(first: 3) { name } users(first: 3) { friends { id } friends { id } } }",
        "{ users(first: 3) { ... @defer { name friends { id } } } }",
        "{ users(first: 3) { name friends { id } } user @skip(if: true) { id } }",
    ] {
        assert_eq!(cost(same), plain, "{same}");
    }
    assert_eq!(cost("{ a: users(first: 3) { id } b: users(first: 3) { id } }"), 6.0);
}

#[test]
fn where_one_argument_must_say_how_many_exactly_one_does() {
    for (operation, is_refused) in [
        ("{ either { id } }", true),
        ("{ either(first: 1) { id } }", false),
        ("{ either(first: 1, last: 1) { id } }", true),
        ("{ either(first: null) { id } }", true),
        ("{ users { id } }", false),
        ("{ loose(first: 1, last: 1) { id } }", false),
    ] {
        let prepared = prepared(operation);
        let variables = prepared.coerce(Object::default()).unwrap();
        let estimated = prepared.estimate(&variables, &CostSettings::default());
        assert_eq!(estimated.is_err(), is_refused, "{operation}");
        if let Err(error) = estimated {
            assert_eq!(error.code, RequestErrorCode::SlicingArgumentRequired);
            assert_eq!(
                error.message,
                "Query.either must be given exactly one of the arguments that say how many it answers: first, last"
            );
        }
    }
}

#[test]
fn the_dearest_fields_are_named() {
    let prepared = prepared(
        "{ users(first: 10) { f: friends { friends { id } } } search(text: \"x\") { items { id } } leaf }",
    );
    let variables = prepared.coerce(Object::default()).unwrap();
    let dearest = prepared.dearest(&variables, &CostSettings::default(), 3).unwrap();
    let field = |path: &str, cost| DearField { path: path.to_owned(), cost };
    assert_eq!(
        dearest,
        [field("users.f.friends", 90.0), field("users.f", 30.0), field("search", 23.0)]
    );
}

#[test]
fn the_costs_of_the_shops_operations() {
    let shop = Fixture::load("shop");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans/shop");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let costs = files.iter().map(|file| {
        let prepared = shop.prepare(&std::fs::read_to_string(file).unwrap());
        let required: Object = serde_json::from_value(
            json!({ "locale": "en", "deep": true, "name": "n", "representations": "r", "input": { "upc": "table" } }),
        )
        .unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        match prepared.coerce(required) {
            Ok(variables) => {
                let cost = prepared.estimate(&variables, &CostSettings::default()).unwrap();
                format!("{name}: {cost}")
            }
            Err(errors) => format!("{name}: {}", errors[0].message),
        }
    });
    insta::assert_snapshot!(costs.collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_answer_costs_what_is_in_it() {
    let shop = Fixture::load("shop");
    for (operation, expected) in [
        ("{ shopName }", Some(0.0)),
        ("{ topProducts(first: 2) { upc name } }", Some(2.0)),
        ("{ a: topProducts(first: 2) { upc } b: topProducts(first: 1) { upc } }", Some(3.0)),
        ("{ __schema { queryType { name } } shopName }", Some(10.0)),
    ] {
        assert_eq!(shop.run(operation, json!({})).cost, expected, "{operation}");
    }
    let nested = shop.run("{ latestReviews { author { name } product { name } } }", json!({}));
    let data: Value = serde_json::from_slice(&nested.data).unwrap();
    let reviews = data["latestReviews"].as_array().unwrap().len();
    assert_eq!(nested.cost, Some(f64::from(u32::try_from(reviews * 3).unwrap())));
}

#[test]
fn what_a_null_took_away_is_not_counted_as_if_it_had_not_been_done() {
    let link = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\"])";
    let subgraph = |name: &str, sdl: &str| SubgraphSdl {
        name: name.into(),
        url: None,
        sdl: format!("{link} {sdl}"),
    };
    let subgraphs = [
        subgraph("a", "type Query { items: [Item!] } type Item @key(fields: \"id\") { id: ID! }"),
        subgraph("b", "type Item @key(fields: \"id\") { id: ID! place: Int! }"),
    ];
    let records =
        json!({ "Query": { "items": ["&Item:1"] }, "Item:1": { "id": "1", "place": null } });
    let fixture = Fixture::compose(&subgraphs, records.as_object().unwrap().clone()).unwrap();
    let response = fixture.run("{ items { place } }", json!({}));
    assert_eq!(response.data, b"{\"items\":null}");
    assert_eq!(response.cost, None);
    assert_eq!(fixture.run("{ items { id } }", json!({})).cost, Some(1.0));
}

proptest! {
    #[test]
    fn longer_lists_never_cost_less(first in -5..500_i32, more in 0..500_i32, assumed in 0..50_u32) {
        let prepared = prepared("query ($n: Int, $m: Int) { users(first: $n) { friends { id } } either(last: $m) { related { id } } unsized { id } }");
        let cost = |n: i32, assumed: u32| {
            let variables: Object = serde_json::from_value(json!({ "n": n, "m": n })).unwrap();
            let variables = prepared.coerce(variables).unwrap();
            prepared.estimate(&variables, &CostSettings { list_size: assumed }).unwrap()
        };
        prop_assert!(cost(first, assumed) <= cost(first + more, assumed));
        prop_assert!(cost(first, assumed) <= cost(first, assumed + 1));
        let n = f64::from(first.max(0));
        prop_assert_eq!(cost(first, assumed), n * 4.0 + n * (1.0 + 22.0) + f64::from(assumed));
    }
}
