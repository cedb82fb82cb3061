//! Federation 1 subgraphs, which link no specification, are rewritten to mean in Federation 2 what they meant before.
//!
//! Federation 1 ignored much of what was written: `@external` on interfaces, `@key` on interfaces, `@provides` and
//! `@requires` of fields that are not external, `@external` fields that nothing needs. All of that goes. Later
//! stages know Federation 2 only.

use apollo_compiler::Name;
use apollo_compiler::collections::HashSet;
use apollo_compiler::executable::{Selection, SelectionSet};

use super::diagnostic::{Code, Report};
use super::subgraph::{
    External, FieldSet, Kind, ROOTS, Subgraph, TypeDef, field_set_targets, index_field_sets,
};

/// Rewrites the Federation 1 subgraphs among `subgraphs`.
pub(super) fn upgrade(subgraphs: &mut [Subgraph], report: &mut Report) {
    let old: Vec<usize> =
        (0..subgraphs.len()).filter(|&graph| subgraphs[graph].version.is_federation_1()).collect();
    for &graph in &old {
        check_interface_keys(subgraphs, graph, report);
        let resolved = keys_of_extensions(subgraphs, graph);
        let tags = tags_given_elsewhere(subgraphs, graph);
        let subgraph = &mut subgraphs[graph];
        for (type_name, field) in resolved {
            set_resolved(subgraph, &type_name, &field);
        }
        clean_interfaces(subgraph);
        drop_inactive_selections(subgraph);
        index_field_sets(subgraph);
        drop_unused_externals(subgraph, report);
        for (type_name, field, tag) in tags {
            let def = subgraph.types.get_mut(&type_name);
            if let Some(field) = def.and_then(|def| def.fields.get_mut(&field)) {
                field.marks.tags.retain(|own| *own != tag);
            }
        }
    }
}

/// A key on an interface meant nothing, so that nobody can rely on it to learn the type of an object.
fn check_interface_keys(subgraphs: &[Subgraph], graph: usize, report: &mut Report) {
    let subgraph = &subgraphs[graph];
    for def in subgraph.types.values() {
        if def.kind != Kind::Interface || def.keys.is_empty() {
            continue;
        }
        let relying: Vec<&str> = subgraphs
            .iter()
            .filter(|other| other.types.get(&def.name).is_some_and(|def| def.interface_object))
            .map(|other| other.name.as_str())
            .collect();
        if !relying.is_empty() {
            let message = format!(
                "the type is an @interfaceObject in \"{}\", which needs an interface with a @key to learn its type from; \
                 the one here is without effect, because the subgraph does not link Federation 2",
                relying.join("\", \"")
            );
            report.error(Code::InterfaceObjectUsageError, &def.name, &[&subgraph.name], message);
        }
    }
}

/// `@external` fields that are resolved all the same: those of the key of an extension. An extension without a key has
/// the first key of each other definition.
fn keys_of_extensions(subgraphs: &[Subgraph], graph: usize) -> Vec<(Name, Name)> {
    let subgraph = &subgraphs[graph];
    let mut found = Vec::new();
    for def in subgraph.types.values().filter(|def| def.extension_only) {
        let of_type = |(name, _): &(Name, Name)| *name == def.name;
        if def.keys.is_empty() {
            for other in subgraphs.iter().filter(|other| other.name != subgraph.name) {
                let key = other.types.get(&def.name).and_then(|def| def.keys.first());
                let targets = key.map(|key| field_set_targets(other, &key.fields.selection));
                found.extend(targets.unwrap_or_default().into_iter().filter(of_type));
            }
        }
        for key in &def.keys {
            let targets = field_set_targets(subgraph, &key.fields.selection);
            found.extend(targets.into_iter().filter(of_type));
        }
    }
    found
}

fn set_resolved(subgraph: &mut Subgraph, type_name: &Name, field: &Name) {
    let def = subgraph.types.get_mut(type_name);
    if let Some(field) = def.and_then(|def| def.fields.get_mut(field)) {
        field.external = External::No;
    }
}

/// Tags of `@external` fields that the field has where it is resolved, as (type, field, tag).
fn tags_given_elsewhere(subgraphs: &[Subgraph], graph: usize) -> Vec<(Name, Name, String)> {
    let mut found = Vec::new();
    for def in subgraphs[graph].types.values() {
        for field in def.fields.values().filter(|field| field.is_external()) {
            for tag in &field.marks.tags {
                let given =
                    subgraphs.iter().filter_map(|other| other.field(&def.name, &field.name));
                if given
                    .filter(|other| !other.is_external())
                    .any(|other| other.marks.tags.contains(tag))
                {
                    found.push((def.name.clone(), field.name.clone(), tag.clone()));
                }
            }
        }
    }
    found
}

/// What was without effect on interfaces.
fn clean_interfaces(subgraph: &mut Subgraph) {
    for def in subgraph.types.values_mut().filter(|def| def.kind == Kind::Interface) {
        def.keys.clear();
        for field in def.fields.values_mut() {
            field.external = External::No;
            field.requires = None;
            field.provides = None;
        }
    }
}

/// `@requires` and `@provides` keep of their selections what is external.
fn drop_inactive_selections(subgraph: &mut Subgraph) {
    let mut changed = Vec::new();
    for def in subgraph.types.values() {
        for field in def.fields.values() {
            let active = |set: &Option<FieldSet>| {
                set.as_ref()
                    .and_then(|set| external_part(subgraph, &set.selection))
                    .map(FieldSet::of)
            };
            if field.requires.is_some() || field.provides.is_some() {
                let (requires, provides) = (active(&field.requires), active(&field.provides));
                changed.push((def.name.clone(), field.name.clone(), requires, provides));
            }
        }
    }
    for (type_name, field, requires, provides) in changed {
        let def = subgraph.types.get_mut(&type_name);
        if let Some(field) = def.and_then(|def| def.fields.get_mut(&field)) {
            field.requires = requires;
            field.provides = provides;
        }
    }
}

/// The part of a selection that is external, or lies under something external.
fn external_part(subgraph: &Subgraph, selection: &SelectionSet) -> Option<SelectionSet> {
    let mut part = SelectionSet { ty: selection.ty.clone(), selections: Vec::new() };
    for item in &selection.selections {
        let kept = match item {
            Selection::Field(field) if subgraph.counts_as_external(&selection.ty, &field.name) => {
                Some(item.clone())
            }
            Selection::Field(field) => {
                external_part(subgraph, &field.selection_set).map(|nested| {
                    let mut field = field.clone();
                    field.make_mut().selection_set = nested;
                    Selection::Field(field)
                })
            }
            Selection::InlineFragment(fragment) => external_part(subgraph, &fragment.selection_set)
                .map(|nested| {
                    let mut fragment = fragment.clone();
                    fragment.make_mut().selection_set = nested;
                    Selection::InlineFragment(fragment)
                }),
            Selection::FragmentSpread(_) => None,
        };
        part.selections.extend(kept);
    }
    (!part.selections.is_empty()).then_some(part)
}

fn drop_unused_externals(subgraph: &mut Subgraph, report: &mut Report) {
    let unused = |def: &TypeDef| -> Vec<Name> {
        def.fields
            .values()
            .filter(|field| field.is_external() && !subgraph.is_used(&def.name, field))
            .map(|field| field.name.clone())
            .collect()
    };
    let unused: Vec<(Name, Vec<Name>)> =
        subgraph.types.values().map(|def| (def.name.clone(), unused(def))).collect();
    for (type_name, fields) in unused.into_iter().filter(|(_, fields)| !fields.is_empty()) {
        let Some(def) = subgraph.types.get_mut(&type_name) else {
            continue;
        };
        def.fields.retain(|name, _| !fields.contains(name));
        if !def.fields.is_empty() {
            continue;
        }
        // A mark on it would be lost.
        let marked = def.marks.inaccessible;
        if !marked && !is_referenced(subgraph, &type_name) {
            subgraph.types.shift_remove(&type_name);
        } else {
            let message =
                "the type has only @external fields that no @key, @requires or @provides refers to";
            report.error(
                Code::TypeWithOnlyUnusedExternal,
                &type_name,
                &[&subgraph.name],
                message.to_owned(),
            );
        }
    }
}

fn is_referenced(subgraph: &Subgraph, type_name: &Name) -> bool {
    let mut referenced: HashSet<&str> = HashSet::default();
    for def in subgraph.types.values() {
        referenced.extend(def.fields.values().map(|field| field.ty.inner_named_type().as_str()));
        referenced.extend(def.interfaces.iter().map(Name::as_str));
        referenced.extend(def.members.iter().map(Name::as_str));
    }
    !ROOTS.contains(&type_name.as_str()) && referenced.contains(type_name.as_str())
}
