//! Directives for operations: kept when all subgraphs define them, with what they have in common.
//!
//! Rules: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#executable-directives>.

use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};

use super::annotations::merge_description;
use super::{GraphId, MergedDirective, Merger, inputs};
use crate::compose::diagnostic::Code;

/// Merges the definitions of directives for operations.
pub(super) fn merge(merger: &mut Merger<'_>) -> Vec<MergedDirective> {
    let subgraphs = merger.subgraphs;
    let names: BTreeSet<&Name> = subgraphs
        .iter()
        .flat_map(|subgraph| subgraph.directive_definitions.values())
        .filter(|definition| definition.locations.iter().any(|location| is_executable(*location)))
        .map(|definition| &definition.name)
        .filter(|name| !merger.custom.contains(name))
        .collect();
    names.into_iter().filter_map(|name| merge_one(merger, name)).collect()
}

fn merge_one(merger: &mut Merger<'_>, name: &Name) -> Option<MergedDirective> {
    let at = format!("@{name}");
    let subgraphs = merger.subgraphs;
    let sources: Vec<(GraphId, &Node<DirectiveDefinition>)> = subgraphs
        .iter()
        .enumerate()
        .filter_map(|(graph, subgraph)| Some((graph, subgraph.directive_definitions.get(name)?)))
        .collect();
    let names = merger.names_of(&sources);
    if sources.len() < subgraphs.len() {
        let message =
            "the directive for operations is left out, because not all subgraphs define it"
                .to_owned();
        merger.report.hint(Code::InconsistentExecutableDirectivePresence, &at, &names, message);
        return None;
    }
    let repeatable = sources.iter().all(|(_, definition)| definition.repeatable);
    if !repeatable && sources.iter().any(|(_, definition)| definition.repeatable) {
        let message =
            "the directive is not repeatable, because it is not in all subgraphs".to_owned();
        merger.report.hint(Code::InconsistentExecutableDirectiveRepeatable, &at, &names, message);
    }
    let locations = merge_locations(merger, &at, &sources)?;
    let description = merge_description(
        merger,
        &at,
        sources.iter().map(|(graph, definition)| (*graph, &definition.description)),
    );
    let arguments = inputs::merge_directive_arguments(merger, name);
    Some(MergedDirective {
        name: name.clone(),
        description,
        arguments,
        repeatable,
        locations,
        for_operations: true,
    })
}

fn merge_locations(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &[(GraphId, &Node<DirectiveDefinition>)],
) -> Option<Vec<DirectiveLocation>> {
    let executable = |definition: &DirectiveDefinition| -> Vec<DirectiveLocation> {
        let locations = definition.locations.iter().copied();
        locations.filter(|location| is_executable(*location)).collect()
    };
    let all: Vec<Vec<DirectiveLocation>> =
        sources.iter().map(|(_, definition)| executable(definition)).collect();
    let common: Vec<DirectiveLocation> = all
        .first()?
        .iter()
        .filter(|location| all.iter().all(|locations| locations.contains(location)))
        .copied()
        .collect();
    let names = merger.names_of(sources);
    if common.is_empty() {
        let message =
            "the directive is left out, because no location for it is common to all subgraphs"
                .to_owned();
        merger.report.hint(Code::NoExecutableDirectiveIntersection, at, &names, message);
        return None;
    }
    if all.iter().any(|locations| locations.len() != common.len()) {
        let message =
            "the directive keeps the locations that are common to all subgraphs".to_owned();
        merger.report.hint(Code::InconsistentExecutableDirectiveLocations, at, &names, message);
    }
    Some(common)
}

/// Whether it is a place in an operation.
pub(super) fn is_executable(location: DirectiveLocation) -> bool {
    use DirectiveLocation as At;
    matches!(
        location,
        At::Query
            | At::Mutation
            | At::Subscription
            | At::Field
            | At::FragmentDefinition
            | At::FragmentSpread
            | At::InlineFragment
            | At::VariableDefinition
    )
}
