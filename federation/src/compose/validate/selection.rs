//! Questions about field sets that several rules ask.

use std::collections::BTreeSet;

use apollo_compiler::executable::{Field, Selection, SelectionSet};

use crate::compose::subgraph::Subgraph;

/// The first directive in a selection, at any depth.
pub(super) fn first_directive(selection: &SelectionSet) -> Option<String> {
    selection.selections.iter().find_map(|item| {
        let nested = match item {
            Selection::Field(field) => Some(&field.selection_set),
            Selection::InlineFragment(fragment) => Some(&fragment.selection_set),
            Selection::FragmentSpread(_) => None,
        };
        let own = item.directives().first().map(|directive| format!("@{}", directive.name));
        own.or_else(|| nested.and_then(first_directive))
    })
}

/// Calls `visit` with the parent type of every selected field, and the field.
pub(super) fn each_field<'a>(
    selection: &'a SelectionSet,
    visit: &mut impl FnMut(&'a str, &'a Field),
) {
    for item in &selection.selections {
        match item {
            Selection::Field(field) => {
                visit(&selection.ty, field);
                each_field(&field.selection_set, visit);
            }
            Selection::InlineFragment(fragment) => each_field(&fragment.selection_set, visit),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// The first field that a selection names otherwise than its type does.
pub(super) fn first_alias(selection: &SelectionSet) -> Option<String> {
    let mut found = None;
    each_field(selection, &mut |parent, field| {
        if field.alias.is_some() && found.is_none() {
            found = Some(format!("{parent}.{}", field.name));
        }
    });
    found
}

/// Whether two selections select the same, in whatever order.
pub(super) fn same_fields(a: &SelectionSet, b: &SelectionSet) -> bool {
    paths(a) == paths(b)
}

/// Every selected leaf as its path.
fn paths(selection: &SelectionSet) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in &selection.selections {
        let (name, nested) = match item {
            Selection::Field(field) => (field.name.to_string(), &field.selection_set),
            Selection::InlineFragment(fragment) => {
                let condition = fragment.type_condition.as_ref().unwrap_or(&selection.ty);
                (format!("... on {condition}"), &fragment.selection_set)
            }
            Selection::FragmentSpread(_) => continue,
        };
        if nested.is_empty() {
            found.insert(name);
        } else {
            found.extend(paths(nested).into_iter().map(|path| format!("{name} {path}")));
        }
    }
    found
}

/// Leaves of a selection that the subgraph resolves by itself: neither they nor a field above them is external.
pub(super) fn leaves_not_external(subgraph: &Subgraph, selection: &SelectionSet) -> Vec<String> {
    let mut found = Vec::new();
    collect_leaves(subgraph, selection, false, &mut found);
    found
}

fn collect_leaves(
    subgraph: &Subgraph,
    selection: &SelectionSet,
    under_external: bool,
    found: &mut Vec<String>,
) {
    for item in &selection.selections {
        match item {
            Selection::Field(field) => {
                let external =
                    under_external || subgraph.counts_as_external(&selection.ty, &field.name);
                if !field.selection_set.is_empty() {
                    collect_leaves(subgraph, &field.selection_set, external, found);
                } else if !external && field.name != "__typename" {
                    found.push(format!("{}.{}", selection.ty, field.name));
                }
            }
            Selection::InlineFragment(fragment) => {
                collect_leaves(subgraph, &fragment.selection_set, under_external, found);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}
