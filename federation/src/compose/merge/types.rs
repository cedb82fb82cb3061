//! Merges one type: what all kinds have in common, then the parts of its kind.

use apollo_compiler::collections::IndexMap;

use super::annotations::{merge_description, merge_marks, most_frequent};
use super::{
    CacheTag, GraphId, JoinType, MergedType, Merger, Sources, enums, fields, inputs, presence,
};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Kind, ROOTS, TypeDef};

/// Merges the definitions of one name; `None`, with a report, when they are not of one kind.
pub(super) fn merge(merger: &mut Merger<'_>, sources: &Sources<'_, TypeDef>) -> Option<MergedType> {
    let (_, first) = sources.first()?;
    if !check_kind(merger, first, sources) {
        return None;
    }
    check_defined(merger, first, sources);
    let name = first.name.clone();
    let description = merge_description(
        merger,
        &name,
        sources.iter().map(|(graph, def)| (*graph, &def.description)),
    );
    let marks = merge_marks(merger, &name, sources.iter().map(|(graph, def)| (*graph, &def.marks)));
    let urls = sources.iter().filter_map(|(graph, def)| Some((*graph, def.specified_by.as_ref()?)));
    let specified_by = most_frequent(merger, &name, "specifiedBy", urls);
    let mut merged = MergedType {
        name,
        kind: first.merged_kind(),
        description,
        marks,
        joins: sources.iter().flat_map(|(graph, def)| joins(*graph, def)).collect(),
        implements: each(sources, |def| &def.interfaces),
        fields: IndexMap::default(),
        input_fields: IndexMap::default(),
        members: each(sources, |def| &def.members),
        values: IndexMap::default(),
        specified_by,
        // It takes the less: what is valid for it is valid for the subgraphs that do not ask for it.
        one_of: sources.iter().any(|(_, def)| def.one_of),
        cache_tags: cache_tags(sources.iter().map(|(graph, def)| (*graph, &def.cache_tags))),
    };
    match first.merged_kind() {
        Kind::Scalar | Kind::Union => {}
        Kind::Object | Kind::Interface => merged.fields = fields::merge(merger, sources),
        Kind::Enum => merged.values = enums::merge(merger, sources),
        Kind::InputObject => {
            merged.input_fields = inputs::merge_input_fields(merger, sources);
        }
    }
    presence::check(merger, sources);
    Some(merged)
}

/// Every format once, with the subgraphs that give it.
pub(super) fn cache_tags<'a>(
    all: impl IntoIterator<Item = (GraphId, &'a Vec<String>)>,
) -> Vec<CacheTag> {
    let mut tags: Vec<CacheTag> = Vec::new();
    for (graph, formats) in all {
        for format in formats {
            match tags.iter_mut().find(|tag| tag.format == *format) {
                Some(tag) if tag.graphs.contains(&graph) => {}
                Some(tag) => tag.graphs.push(graph),
                None => tags.push(CacheTag { format: format.clone(), graphs: vec![graph] }),
            }
        }
    }
    tags
}

fn joins(graph: GraphId, def: &TypeDef) -> Vec<JoinType> {
    let interface_object = def.interface_object;
    if def.keys.is_empty() {
        let (key, extension, resolvable) = (None, false, true);
        return vec![JoinType { graph, key, extension, resolvable, interface_object }];
    }
    def.keys
        .iter()
        .map(|key| JoinType {
            graph,
            key: Some(key.fields.source.clone()),
            extension: key.extension,
            resolvable: key.resolvable,
            interface_object,
        })
        .collect()
}

fn each<T: Clone>(
    sources: &Sources<'_, TypeDef>,
    part: impl Fn(&TypeDef) -> &Vec<T>,
) -> Vec<(GraphId, T)> {
    sources
        .iter()
        .flat_map(|(graph, def)| part(def).iter().map(|item| (*graph, item.clone())))
        .collect()
}

fn check_kind(merger: &mut Merger<'_>, first: &TypeDef, sources: &Sources<'_, TypeDef>) -> bool {
    if sources.iter().all(|(_, def)| def.merged_kind() == first.merged_kind()) {
        return check_interface_exists(merger, first, sources);
    }
    let kinds: Vec<String> = sources
        .iter()
        .map(|(graph, def)| {
            let kind = if def.interface_object { "@interfaceObject" } else { def.kind.describe() };
            format!("{kind} in \"{}\"", merger.name_of(*graph))
        })
        .collect();
    let message = format!("the type is not of one kind everywhere: {}", kinds.join(", "));
    let names = merger.names_of(sources);
    merger.report.error(Code::TypeKindMismatch, &first.name, &names, message);
    false
}

/// What stands for an interface needs one that it stands for.
fn check_interface_exists(
    merger: &mut Merger<'_>,
    first: &TypeDef,
    sources: &Sources<'_, TypeDef>,
) -> bool {
    let exists = sources.iter().any(|(_, def)| !def.interface_object);
    if !exists {
        let message = "the type is an @interfaceObject everywhere; one subgraph must define it as an interface";
        let names = merger.names_of(sources);
        merger.report.error(
            Code::InterfaceObjectUsageError,
            &first.name,
            &names,
            message.to_owned(),
        );
    }
    exists
}

fn check_defined(merger: &mut Merger<'_>, first: &TypeDef, sources: &Sources<'_, TypeDef>) {
    let root = ROOTS.contains(&first.name.as_str());
    if !root && sources.iter().all(|(_, def)| def.extension_only) {
        let message = "the type is only extended; one subgraph must define it".to_owned();
        let names = merger.names_of(sources);
        merger.report.error(Code::ExtensionWithNoBase, &first.name, &names, message);
    }
}
