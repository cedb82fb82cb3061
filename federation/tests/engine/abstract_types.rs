//! Interfaces with many types do not make plans explode, nor is an operation planned without end.

use std::fmt::Write;
use std::sync::Arc;

use federation::{OperationLimits, PlanSettings, SubgraphSdl, Supergraph, prepare, prepare_with};
use serde_json::json;

use crate::support::{Fixture, supergraph_sdl};

const TYPES: usize = 40;

/// A supergraph with an interface of many types, `next` leading from each to any. `a` has all but `extra`; with
/// `taken_apart`, one type has its `next` elsewhere, so that none can be had on the interface.
fn supergraph(taken_apart: bool) -> Arc<Supergraph> {
    let shop = supergraph_sdl("shop");
    let machinery = &shop[..shop.find("enum join__Graph").unwrap()];
    let mut sdl = machinery.replace("  mutation: Mutation\n", "");
    sdl += "
        enum join__Graph { A @join__graph(name: \"a\", url: \"\") B @join__graph(name: \"b\", url: \"\") }
        type Query @join__type(graph: A) @join__type(graph: B) { node: Node @join__field(graph: A) }
        interface Node @join__type(graph: A) @join__type(graph: B) {
            id: ID!
            name: String
            next: Node @join__field(graph: A)
            extra: Int @join__field(graph: B)
        }
    ";
    for index in 0..TYPES {
        let next = match index {
            0 if taken_apart => "@join__field(graph: A, external: true) @join__field(graph: B)",
            _ => "@join__field(graph: A)",
        };
        let _ = write!(
            sdl,
            "type T{index} implements Node
                @join__implements(graph: A, interface: \"Node\") @join__implements(graph: B, interface: \"Node\")
                @join__type(graph: A, key: \"id\") @join__type(graph: B, key: \"id\")
            {{ id: ID! name: String next: Node {next} extra: Int @join__field(graph: B) }} "
        );
    }
    Arc::new(Supergraph::parse(&sdl).unwrap())
}

fn nested(depth: usize, innermost: &str) -> String {
    let open = "{ next ".repeat(depth);
    format!("{{ node {open} {{ {innermost} }} {} }}", "}".repeat(depth))
}

#[test]
fn selections_stay_on_the_interface_where_the_subgraph_has_them_for_all_types() {
    let plan = prepare(&supergraph(false), &nested(30, "id name"), None).unwrap();
    assert_eq!(plan.plan().fetch_count(), 1);
    assert!(plan.plan().to_string().len() < 10_000);
}

#[test]
fn what_must_be_taken_apart_is_one_fetch_for_all_types() {
    let plan = prepare(&supergraph(false), &nested(10, "extra"), None).unwrap();
    assert_eq!(plan.plan().fetch_count(), 2);
}

#[test]
fn a_plan_that_would_explode_goes_on_with_all_types_together() {
    let supergraph = supergraph(true);
    assert_eq!(prepare(&supergraph, &nested(1, "name"), None).unwrap().plan().rounds(), 2);
    let size = |depth| {
        let prepared = prepare(&supergraph, &nested(depth, "name extra"), None).unwrap();
        let plan = prepared.plan();
        (plan.fetch_count(), plan.to_string().len())
    };
    let ((fetches, length), (more_fetches, more_length)) = (size(8), size(24));
    assert!(fetches <= 8 * 3 && more_fetches <= 24 * 3, "{fetches}, {more_fetches}");
    assert!(more_length < 5 * length, "{length}, {more_length}");
}

/// Values without keys, of an interface that has no `next` in the subgraph that resolves it: each type's is asked for by itself.
#[test]
fn values_without_keys_are_written_once_however_many_types_lead_to_them() {
    const VALUES: usize = 12;
    let subgraph = |name: &str, fields: &str, root: &str| {
        let mut sdl = format!(
            "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@shareable\"]) \
             type Query {{ {root} }} interface Node {{ {fields} }}"
        );
        for value in 0..VALUES {
            let _ = write!(
                sdl,
                " type V{value} implements Node @shareable {{ name: String next: Node own{value}: Int }}"
            );
        }
        SubgraphSdl { name: name.to_owned(), url: None, sdl }
    };
    let subgraphs = [
        subgraph("a", "name: String", "node: Node"),
        subgraph("b", "name: String next: Node", "other: Node"),
    ];
    let data: serde_json::Value = (0..VALUES).rev().fold(serde_json::Value::Null, |next, value| {
        json!({ "__typename": format!("V{value}"), "name": format!("n{value}"), "next": next, format!("own{value}"): value })
    });
    let data = json!({ "Query": { "node": data, "other": null } });
    let fixture = Fixture::compose(&subgraphs, data.as_object().unwrap().clone()).unwrap();
    let nested = |depth: usize| {
        let open = "next { name ... on V3 { own3 } ... on V7 { own7 } ".repeat(depth);
        format!("{{ node {{ {open} {} }} }}", "}".repeat(depth))
    };
    fixture.check(&nested(VALUES), json!({}));
    let length = |depth| {
        let operation = nested(depth);
        for first_steps in [0, PlanSettings::default().first_steps] {
            let settings = PlanSettings { first_steps, ..PlanSettings::default() };
            let prepared = prepare_with(
                &fixture.supergraph,
                &operation,
                None,
                &OperationLimits::default(),
                settings,
            )
            .unwrap();
            assert_eq!(prepared.plan().fetch_count(), 1);
        }
        prepare(&fixture.supergraph, &operation, None).unwrap().plan().to_string().len()
    };
    insta::assert_snapshot!(prepare(&fixture.supergraph, &nested(3), None).unwrap().plan());
    let (short, long) = (length(8), length(32));
    assert!(long < 6 * short, "{short}, {long}");
}
