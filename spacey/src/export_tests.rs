//! Whether everything that is a person's is in the download of their account: read off the schema that the program composes.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::types::{
    ExecutableDocument, Selection, SelectionSet, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{parse_query, parse_schema};
use federation::Supergraph;

use super::{ACCOUNT, LEFT_OUT};
use crate::commands::own_sdls;
use crate::graph;

/// The fields of each object type, each with its type's name.
type Types = BTreeMap<String, BTreeMap<String, String>>;

/// The graph as clients see it.
async fn supergraph() -> Supergraph {
    // As the program does at its start.
    drop(rustls::crypto::ring::default_provider().install_default());
    let sdls = own_sdls().await.unwrap();
    Supergraph::parse(&graph::supergraph(&sdls).unwrap().supergraph_sdl).unwrap()
}

fn types(api_sdl: &str) -> Types {
    let definitions = parse_schema(api_sdl).unwrap().definitions.into_iter();
    let objects = definitions.filter_map(|definition| {
        let TypeSystemDefinition::Type(ty) = definition else { return None };
        let TypeKind::Object(object) = ty.node.kind else { return None };
        let fields = object.fields.iter().map(|field| {
            let ty = field.node.ty.node.to_string().replace(['[', ']', '!'], "");
            (field.node.name.node.to_string(), ty)
        });
        Some((ty.node.name.node.to_string(), fields.collect()))
    });
    objects.collect()
}

/// Every `Type.field` that the operations ask for.
fn asked_for(types: &Types) -> BTreeSet<String> {
    let document = parse_query(ACCOUNT.document).unwrap();
    let mut found = BTreeSet::new();
    for (_, operation) in document.operations.iter() {
        visit(&document, types, "Query", &operation.node.selection_set.node, &mut found);
    }
    found
}

fn visit(
    document: &ExecutableDocument,
    types: &Types,
    ty: &str,
    selection_set: &SelectionSet,
    found: &mut BTreeSet<String>,
) {
    for selection in &selection_set.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                found.insert(format!("{ty}.{name}"));
                let inner = &field.node.selection_set.node;
                visit(document, types, &types[ty][name], inner, found);
            }
            Selection::FragmentSpread(spread) => {
                let fragment = &document.fragments[&spread.node.fragment_name.node].node;
                let ty = &fragment.type_condition.node.on.node;
                visit(document, types, ty, &fragment.selection_set.node, found);
            }
            Selection::InlineFragment(_) => panic!("name the fragment"),
        }
    }
}

/// Whether a field is a part of how lists are paged: what it says is in the list itself.
fn is_plumbing(types: &Types, ty: &str, field: &str) -> bool {
    let is_connection = types[ty].contains_key("pageInfo");
    ty == "PageInfo" || is_connection && matches!(field, "edges" | "totalCount")
}

#[tokio::test]
async fn every_field_that_is_a_persons_is_in_the_download_or_left_out_for_a_reason() {
    let types = types(&supergraph().await.api_sdl());
    let asked_for = asked_for(&types);
    let left_out: BTreeSet<_> = LEFT_OUT.iter().map(|(field, _)| (*field).to_owned()).collect();
    let mut missing = Vec::new();
    let mut met = BTreeSet::new();
    let mut reached = BTreeSet::from(["Query".to_owned()]);
    let mut next = vec!["Query".to_owned()];
    while let Some(ty) = next.pop() {
        for (field, of) in &types[&ty] {
            let coordinate = format!("{ty}.{field}");
            met.insert(coordinate.clone());
            if asked_for.contains(&coordinate) {
                if types.contains_key(of) && reached.insert(of.clone()) {
                    next.push(of.clone());
                }
            } else if !left_out.contains(&coordinate) && !is_plumbing(&types, &ty, field) {
                missing.push(coordinate);
            }
        }
    }
    assert!(missing.is_empty(), "in neither account-export.graphql nor LEFT_OUT: {missing:?}");
    for (field, reason) in LEFT_OUT {
        assert!(!reason.is_empty() && met.contains(*field), "{field} is not there to leave out");
        assert!(!asked_for.contains(*field), "{field} is asked for");
    }
    for ty in ["User", "Session", "ApiKey", "SecurityEvent", "Deck", "Card", "Review"] {
        assert!(reached.contains(ty), "{ty} was not looked at");
    }
}

#[tokio::test]
async fn every_list_can_go_on_and_every_operation_runs() {
    let supergraph = std::sync::Arc::new(supergraph().await);
    let types = types(&supergraph.api_sdl());
    let mut continued = BTreeSet::new();
    for list in ACCOUNT.sections.iter().chain(ACCOUNT.nested) {
        let prepared = federation::prepare(&supergraph, ACCOUNT.document, Some(list.operation));
        prepared.unwrap_or_else(|errors| panic!("{}: {errors:?}", list.operation));
        let mut ty = "Query";
        for field in list.at.split('.') {
            continued.insert(format!("{ty}.{field}"));
            ty = &types[ty][field];
        }
        let document = parse_query(ACCOUNT.document).unwrap();
        let operation = document
            .operations
            .iter()
            .find(|(name, _)| name.is_some_and(|name| name == list.operation));
        let variables = &operation.unwrap().1.node.variable_definitions;
        let takes = |name: &str| variables.iter().any(|it| it.node.name.node == name);
        let is_nested = ACCOUNT.nested.iter().any(|it| it.name == list.name);
        assert_eq!(takes("after"), types[ty].contains_key("pageInfo"), "{}", list.operation);
        assert_eq!(takes("of"), is_nested, "{}", list.operation);
    }
    for field in asked_for(&types) {
        let (ty, name) = field.split_once('.').unwrap();
        let of = &types[ty][name];
        if types.get(of).is_some_and(|fields| fields.contains_key("pageInfo")) {
            assert!(continued.contains(&field), "nothing gives the next page of {field}");
        }
    }
}
