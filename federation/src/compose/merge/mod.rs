//! Merges valid subgraphs into one [`Supergraph`]. One module per kind of thing that is merged.
//!
//! Rules: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#rules-of-composition>.
//! What comes out may still break rules that are about the whole; `postmerge` and `satisfiability` check those.

mod access;
mod annotations;
mod custom;
mod enums;
mod executable;
mod external;
mod fields;
mod graphs;
mod inputs;
mod interface_objects;
mod names;
mod overrides;
mod presence;
mod sharing;
mod supergraph;
mod types;
mod variance;

use std::collections::BTreeMap;

use apollo_compiler::Name;

use super::diagnostic::{Code, Report};
use super::subgraph::{Marks, Subgraph, TypeDef};
use interface_objects::InterfaceObjects;
pub(super) use supergraph::{
    CacheTag, ContextArgument, FieldSource, Graph, GraphId, JoinType, MergedDirective,
    MergedEnumValue, MergedField, MergedInput, MergedLink, MergedType, Supergraph,
};

/// A type as each subgraph that has it sees it.
type Sources<'a, T> = [(GraphId, &'a T)];

/// Merges `subgraphs`, which are sorted by name.
pub(super) fn merge(subgraphs: &[Subgraph], report: &mut Report) -> Supergraph {
    let groups = group_by_name(subgraphs);
    check_query_exists(&groups, subgraphs, report);
    let mut merger = Merger {
        subgraphs,
        subtypes: variance::Subtypes::of(subgraphs),
        enum_usage: enums::usage(subgraphs),
        custom: custom::Custom::of(subgraphs, report),
        interface_objects: InterfaceObjects::of(subgraphs),
        report,
    };
    let mut types = groups
        .iter()
        .filter_map(|(name, sources)| Some((name.clone(), types::merge(&mut merger, sources)?)))
        .collect();
    interface_objects::validate(&mut merger, &types);
    interface_objects::add_fields(&mut merger, &mut types);
    access::spread(&mut types);
    access::check_reading(&mut merger, &types);
    let described = subgraphs.iter().map(|subgraph| &subgraph.description).enumerate();
    let description = annotations::merge_description(&mut merger, "schema", described);
    let schema_marks = merger.schema_marks();
    let mut directives = executable::merge(&mut merger);
    directives.extend(merger.custom.definitions().map(|definition| inputs::definition(definition)));
    directives.sort_by(|a, b| a.name.cmp(&b.name));
    let links = merger.custom.links();
    Supergraph {
        graphs: graphs::name_graphs(subgraphs),
        types,
        description,
        schema_marks,
        directives,
        links,
        names: names::DirectiveNames::of(subgraphs, report),
    }
}

/// What every merging rule needs.
struct Merger<'a> {
    subgraphs: &'a [Subgraph],
    subtypes: variance::Subtypes,
    enum_usage: enums::EnumUsage,
    custom: custom::Custom,
    interface_objects: InterfaceObjects,
    report: &'a mut Report,
}

impl<'a> Merger<'a> {
    fn name_of(&self, graph: GraphId) -> &'a str {
        &self.subgraphs[graph].name
    }

    fn schema_marks(&mut self) -> Marks {
        let all = self.subgraphs.iter().map(|subgraph| &subgraph.schema_marks).enumerate();
        annotations::merge_marks(self, "schema", all)
    }

    fn names_of<T>(&self, sources: &Sources<'_, T>) -> Vec<&'a str> {
        sources.iter().map(|(graph, _)| self.name_of(*graph)).collect()
    }
}

fn group_by_name(subgraphs: &[Subgraph]) -> BTreeMap<Name, Vec<(GraphId, &TypeDef)>> {
    let mut groups: BTreeMap<Name, Vec<(GraphId, &TypeDef)>> = BTreeMap::new();
    for (graph, subgraph) in subgraphs.iter().enumerate() {
        for def in subgraph.types.values() {
            groups.entry(def.name.clone()).or_default().push((graph, def));
        }
    }
    groups
}

fn check_query_exists(
    groups: &BTreeMap<Name, Vec<(GraphId, &TypeDef)>>,
    subgraphs: &[Subgraph],
    report: &mut Report,
) {
    let queries = groups.get("Query").into_iter().flatten();
    if queries.flat_map(|(_, query)| &query.fields).next().is_none() {
        let names: Vec<&str> = subgraphs.iter().map(|subgraph| subgraph.name.as_str()).collect();
        let message =
            "no subgraph has a query; at least one field of \"Query\" is needed".to_owned();
        report.error(Code::NoQueries, "Query", &names, message);
    }
}
