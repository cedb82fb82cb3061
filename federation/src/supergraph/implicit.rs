//! What join v0.1 leaves unsaid: it names the subgraphs of entities only. Value types, interfaces and unions belong to every
//! subgraph whose fields lead to them, and a key's fields to every subgraph that has the key.

use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;

use super::model::{FieldSet, FieldSource, SubgraphId, TypeInfo};

/// Completes types read from a supergraph of join v0.1.
pub(super) fn complete(types: &mut IndexMap<Name, TypeInfo>) {
    let keys: Vec<_> = types
        .iter()
        .flat_map(|(name, info)| info.keys.iter().map(move |key| (name.clone(), key.clone())))
        .collect();
    for (name, key) in keys {
        add_key_fields(types, &name, key.subgraph, &key.fields);
    }
    let unowned: Vec<Name> = types
        .iter()
        .filter(|(_, info)| info.subgraphs.is_empty())
        .map(|(name, _)| name.clone())
        .collect();
    for (name, subgraph) in reached(types) {
        if unowned.contains(&name)
            && let Some(info) = types.get_mut(&name)
        {
            info.subgraphs.push(subgraph);
            for field in info.fields.values_mut() {
                if field.sources.iter().all(|source| source.subgraph != subgraph) {
                    field.sources.push(FieldSource::plain(subgraph));
                }
            }
        }
    }
    complete_possible(types);
}

fn add_key_fields(
    types: &mut IndexMap<Name, TypeInfo>,
    name: &Name,
    subgraph: SubgraphId,
    set: &FieldSet,
) {
    for field in &set.fields {
        let Some(info) = types.get_mut(name) else {
            return;
        };
        // A type without a subgraph is a value type, whose fields follow it.
        let is_entity = !info.subgraphs.is_empty();
        if let Some(present) = info.fields.get_mut(&field.name)
            && is_entity
            && present.sources.iter().all(|source| source.subgraph != subgraph)
        {
            present.sources.push(FieldSource::plain(subgraph));
        }
        if let Some(selections) = &field.selections {
            add_key_fields(types, &selections.ty, subgraph, selections);
        }
    }
}

/// The types that each subgraph's fields lead to.
fn reached(types: &IndexMap<Name, TypeInfo>) -> BTreeSet<(Name, SubgraphId)> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<(Name, SubgraphId)> = Vec::new();
    for info in types.values() {
        for field in info.fields.values() {
            let target = field.ty.inner_named_type();
            open.extend(field.sources.iter().map(|source| (target.clone(), source.subgraph)));
        }
    }
    while let Some((name, subgraph)) = open.pop() {
        let Some(info) = types.get(&name) else {
            continue;
        };
        if !reached.insert((name, subgraph)) {
            continue;
        }
        if info.subgraphs.is_empty() {
            let targets = info.fields.values().map(|field| field.ty.inner_named_type());
            open.extend(targets.map(|target| (target.clone(), subgraph)));
        }
        let of_here = |possible: &Name| {
            types
                .get(possible)
                .is_some_and(|info| info.subgraphs.is_empty() || info.subgraphs.contains(&subgraph))
        };
        let possible = info.possible.iter().map(|possible| &possible.name);
        open.extend(possible.filter(|name| of_here(name)).map(|name| (name.clone(), subgraph)));
    }
    reached
}

/// An object type is possible wherever both it and the abstract type are.
fn complete_possible(types: &mut IndexMap<Name, TypeInfo>) {
    let subgraphs: IndexMap<Name, Vec<SubgraphId>> =
        types.iter().map(|(name, info)| (name.clone(), info.subgraphs.clone())).collect();
    for info in types.values_mut() {
        for possible in &mut info.possible {
            let there = subgraphs.get(&possible.name).map(Vec::as_slice).unwrap_or_default();
            possible.subgraphs =
                info.subgraphs.iter().filter(|id| there.contains(id)).copied().collect();
        }
    }
}
