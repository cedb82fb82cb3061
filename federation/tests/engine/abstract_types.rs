//! Interfaces with many types do not make plans explode, nor is an operation planned without end.

use std::fmt::Write;
use std::sync::Arc;

use federation::{RequestErrorCode, Supergraph, prepare};

use crate::support::supergraph_sdl;

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
fn a_plan_that_would_explode_is_refused() {
    let supergraph = supergraph(true);
    assert!(prepare(&supergraph, &nested(1, "name"), None).is_ok());
    let errors = prepare(&supergraph, &nested(8, "name extra"), None).unwrap_err();
    assert_eq!(errors[0].code, RequestErrorCode::OperationTooComplex);
}
