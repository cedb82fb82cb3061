//! Fields of objects and interfaces: all of all subgraphs, each with the widest of its types.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::IndexMap;

use super::annotations::qualified_context;
use super::annotations::{merge_description, merge_marks};
use super::overrides::{self, Status};
use super::types::cache_tags;
use super::variance::all_equal;
use super::{
    ContextArgument, FieldSource, GraphId, MergedField, Merger, Sources, external, inputs, sharing,
};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, FieldSet, Kind, TypeDef};

/// Merges the fields of one type.
pub(super) fn merge(
    merger: &mut Merger<'_>,
    defs: &Sources<'_, TypeDef>,
) -> IndexMap<Name, MergedField> {
    let mut names: Vec<&Name> = Vec::new();
    for name in defs.iter().flat_map(|(_, def)| def.fields.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .filter_map(|name| Some((name.clone(), merge_one(merger, defs, name)?)))
        .collect()
}

fn merge_one(
    merger: &mut Merger<'_>,
    defs: &Sources<'_, TypeDef>,
    name: &Name,
) -> Option<MergedField> {
    let (_, def) = defs.first()?;
    let at = format!("{}.{name}", def.name);
    let declared: Vec<(GraphId, &Field)> =
        defs.iter().filter_map(|(graph, def)| Some((*graph, def.fields.get(name)?))).collect();
    let statuses = overrides::resolve(merger, def, &at, &declared);
    if statuses.contains(&Status::Refused) {
        return None;
    }
    let remaining: Vec<(GraphId, &Field, Status)> = declared
        .iter()
        .zip(statuses)
        .filter(|(_, status)| *status != Status::Overridden)
        .map(|(&(graph, field), status)| (graph, field, status))
        .collect();
    // An overridden field counts too: clients may know it from there, and it is what the subgraph goes back to.
    let (external, internal): (Vec<_>, Vec<_>) =
        declared.iter().copied().partition(|(_, field)| field.is_external());
    let through_interface = merger
        .interface_objects
        .fields(merger.subgraphs, &def.name, name)
        .iter()
        .any(|(.., field)| !field.is_external());
    if internal.is_empty() && !through_interface {
        external::report_missing_base(merger, &at, &external);
        return None;
    }
    if def.merged_kind() == Kind::Object {
        let kept: Vec<(GraphId, &Field)> = remaining
            .iter()
            .filter(|(_, _, status)| *status == Status::Kept)
            .map(|(graph, field, _)| (*graph, *field))
            .collect();
        sharing::check(merger, &def.name, name, &kept);
    }
    let (internal, external) =
        if internal.is_empty() { (external, Vec::new()) } else { (internal, external) };
    let (ty, types_agree) = merge_type(merger, &at, &internal)?;
    let marks =
        merge_marks(merger, &at, internal.iter().map(|(graph, field)| (*graph, &field.marks)));
    let mut merged = MergedField {
        name: name.clone(),
        ty,
        description: merge_description(
            merger,
            &at,
            internal.iter().map(|(graph, field)| (*graph, &field.description)),
        ),
        marks,
        arguments: inputs::merge_arguments(merger, &at, &internal),
        sources: Vec::new(),
        needs_join: false,
        cache_tags: cache_tags(internal.iter().map(|(graph, field)| (*graph, &field.cache_tags))),
    };
    external::check(merger, &at, &external, &merged);
    merged.sources = remaining
        .iter()
        .map(|(graph, field, status)| FieldSource {
            graph: *graph,
            requires: field.requires.as_ref().map(source_text),
            provides: field.provides.as_ref().map(source_text),
            ty: (!types_agree || field.ty != merged.ty).then(|| field.ty.clone()),
            external: field.is_external(),
            override_from: field.override_from.clone(),
            override_label: overrides::label(merger, &declared, *graph, field),
            contexts: contexts(merger.name_of(*graph), field),
            used_overridden: matches!(status, Status::UsedOverridden | Status::UsedMigrating),
        })
        .collect();
    merged.needs_join =
        merged.sources.len() < defs.len() || merged.sources.iter().any(says_something);
    Some(merged)
}

/// The arguments whose values come from contexts of `subgraph`.
fn contexts(subgraph: &str, field: &Field) -> Vec<ContextArgument> {
    let arguments = field.arguments.values();
    arguments
        .filter_map(|argument| {
            let from = argument.from_context.as_ref()?;
            Some(ContextArgument {
                name: argument.name.clone(),
                ty: argument.ty.clone(),
                context: qualified_context(subgraph, &from.context),
                selection: from.selection.clone(),
            })
        })
        .collect()
}

fn source_text(fields: &FieldSet) -> String {
    fields.source.clone()
}

/// Whether a source says more than that the subgraph has the field.
fn says_something(source: &FieldSource) -> bool {
    source.requires.is_some()
        || source.provides.is_some()
        || source.ty.is_some()
        || source.external
        || source.override_label.is_some()
        || !source.contexts.is_empty()
        || source.used_overridden
}

/// The widest type, and whether all types are equal.
fn merge_type(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &Sources<'_, Field>,
) -> Option<(Type, bool)> {
    let types: Vec<(GraphId, &Type)> =
        sources.iter().map(|(graph, field)| (*graph, &field.ty)).collect();
    let names = merger.names_of(sources);
    let written: Vec<String> = types
        .iter()
        .map(|(graph, ty)| format!("\"{ty}\" in \"{}\"", merger.name_of(*graph)))
        .collect();
    let written = written.join(", ");
    let agree = all_equal(&types);
    let Some(widest) = merger.subtypes.widest(&types) else {
        let message = format!("its types have nothing in common: {written}");
        merger.report.error(Code::FieldTypeMismatch, at, &names, message);
        return None;
    };
    if !agree {
        let message = format!("its types differ, the widest is taken: {written}");
        merger.report.hint(Code::InconsistentButCompatibleFieldType, at, &names, message);
    }
    Some((widest.clone(), agree))
}
