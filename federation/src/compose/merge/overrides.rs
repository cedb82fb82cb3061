//! `@override`: which subgraphs lose a field to another one.

use super::{GraphId, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, TypeDef};

/// What becomes of a field in one subgraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Nobody overrides it.
    Kept,
    /// Overridden, but the subgraph refers to it, so that it stays there as if it were external.
    UsedOverridden,
    /// Overridden for the requests that a label chooses.
    Migrating,
    /// Both: the subgraph refers to it, and is asked for it in other requests than a label chooses.
    UsedMigrating,
    /// Overridden and gone.
    Overridden,
    /// Overridden in a way that was reported; the field cannot be merged.
    Refused,
}

/// The status of every source of the field `at` of `def`, in their order.
pub(super) fn resolve(
    merger: &mut Merger<'_>,
    def: &TypeDef,
    at: &str,
    sources: &Sources<'_, Field>,
) -> Vec<Status> {
    let mut statuses = vec![Status::Kept; sources.len()];
    for &(graph, field) in sources {
        let Some(from) = &field.override_from else {
            continue;
        };
        let by = merger.name_of(graph);
        let Some(from_graph) = merger.subgraphs.iter().position(|subgraph| subgraph.name == *from)
        else {
            let message =
                format!("@override(from: \"{from}\") names no subgraph of this supergraph");
            merger.report.hint(Code::FromSubgraphDoesNotExist, at, &[by], message);
            continue;
        };
        let Some(position) = sources.iter().position(|(graph, _)| *graph == from_graph) else {
            let object = merger.interface_objects.fields(merger.subgraphs, &def.name, &field.name);
            if let Some((_, interface, _)) =
                object.into_iter().find(|(graph, ..)| *graph == from_graph)
            {
                let message = format!(
                    "@override cannot take the field from \"{from}\", which has it through the @interfaceObject \"{interface}\""
                );
                let code = Code::OverrideCollisionWithAnotherDirective;
                merger.report.error(code, at, &[by, from], message);
                continue;
            }
            let message = format!("the field is no longer in \"{from}\"; @override can be removed");
            merger.report.hint(Code::OverrideDirectiveCanBeRemoved, at, &[by], message);
            continue;
        };
        let overridden = sources[position];
        statuses[position] = match check_source(merger, at, graph, overridden) {
            Some(status) => status,
            None => override_source(merger, def, at, (graph, field), overridden),
        };
    }
    statuses
}

/// The label under which `field` takes over from another subgraph of `sources`, or one of them from it.
pub(super) fn label(
    merger: &Merger<'_>,
    sources: &Sources<'_, Field>,
    graph: GraphId,
    field: &Field,
) -> Option<String> {
    let has = |from: &String| sources.iter().any(|(graph, _)| merger.name_of(*graph) == from);
    let own =
        field.override_label.as_ref().filter(|_| field.override_from.as_ref().is_some_and(has));
    let name = merger.name_of(graph);
    let by = || {
        sources
            .iter()
            .find(|(_, field)| field.override_from.as_deref() == Some(name))
            .and_then(|(_, field)| field.override_label.as_ref())
    };
    own.or_else(by).cloned()
}

/// What prevents a subgraph from losing a field, or makes it needless.
fn check_source(
    merger: &mut Merger<'_>,
    at: &str,
    graph: GraphId,
    (from_graph, overridden): (GraphId, &Field),
) -> Option<Status> {
    let (by, from) = (merger.name_of(graph), merger.name_of(from_graph));
    if overridden.override_from.is_some() {
        let message =
            format!("\"{by}\" overrides the field from \"{from}\", which itself overrides it");
        merger.report.error(Code::OverrideSourceHasOverride, at, &[by, from], message);
        return Some(Status::Refused);
    }
    let collisions = [
        (overridden.requires.is_some(), "@requires"),
        (overridden.provides.is_some(), "@provides"),
    ];
    if let Some((_, other)) = collisions.into_iter().find(|(collides, _)| *collides) {
        let message =
            format!("\"{by}\" cannot override the field from \"{from}\", where it has {other}");
        merger.report.error(Code::OverrideCollisionWithAnotherDirective, at, &[by, from], message);
        return Some(Status::Refused);
    }
    if overridden.is_external() {
        let message =
            format!("the field is @external in \"{from}\" already; @override can be removed");
        merger.report.hint(Code::OverrideDirectiveCanBeRemoved, at, &[by], message);
        return Some(Status::Kept);
    }
    None
}

fn override_source(
    merger: &mut Merger<'_>,
    def: &TypeDef,
    at: &str,
    (graph, overriding): (GraphId, &Field),
    (from_graph, overridden): (GraphId, &Field),
) -> Status {
    let (by, from) = (merger.name_of(graph), merger.name_of(from_graph));
    let used = merger.subgraphs[from_graph].is_used(&def.name, overridden);
    if let Some(label) = &overriding.override_label {
        let message = format!(
            "moving from here to \"{by}\", as the label \"{label}\" decides; once it has moved, {}",
            if used { "mark it @external here" } else { "remove it here" }
        );
        merger.report.hint(Code::OverrideMigrationInProgress, at, &[from], message);
        return if used { Status::UsedMigrating } else { Status::Migrating };
    }
    if used {
        let message = format!(
            "overridden by \"{by}\" and still referred to here; @override can go once it is @external"
        );
        merger.report.hint(Code::OverriddenFieldCanBeRemoved, at, &[from], message);
        return Status::UsedOverridden;
    }
    let message = format!("overridden by \"{by}\"; the field can be removed here");
    merger.report.hint(Code::OverriddenFieldCanBeRemoved, at, &[from], message);
    Status::Overridden
}
