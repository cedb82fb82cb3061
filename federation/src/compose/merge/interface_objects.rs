//! `@interfaceObject`: a subgraph adds fields to all implementations of an interface without knowing any of them.
//!
//! Specification: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/interfaces>.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, HashSet};

use super::{GraphId, MergedField, MergedType, Merger, sharing};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, Kind, Subgraph};

/// For each object type, the subgraphs that do not know it but have an object in place of one of its interfaces.
#[derive(Debug, Default)]
pub(super) struct InterfaceObjects(HashMap<Name, Vec<(GraphId, Name)>>);

impl InterfaceObjects {
    pub(super) fn of(subgraphs: &[Subgraph]) -> Self {
        let mut standing_for: HashMap<&Name, Vec<GraphId>> = HashMap::default();
        for (graph, subgraph) in subgraphs.iter().enumerate() {
            for def in subgraph.types.values().filter(|def| def.interface_object) {
                standing_for.entry(&def.name).or_default().push(graph);
            }
        }
        let mut found: HashMap<Name, Vec<(GraphId, Name)>> = HashMap::default();
        if standing_for.is_empty() {
            return Self(found);
        }
        let objects = subgraphs.iter().flat_map(|subgraph| subgraph.types.values());
        for def in objects.filter(|def| def.merged_kind() == Kind::Object) {
            for interface in &def.interfaces {
                for &graph in standing_for.get(interface).into_iter().flatten() {
                    let pair = (graph, interface.clone());
                    let pairs = found.entry(def.name.clone()).or_default();
                    if !subgraphs[graph].types.contains_key(&def.name) && !pairs.contains(&pair) {
                        pairs.push(pair);
                    }
                }
            }
        }
        found.values_mut().for_each(|pairs| pairs.sort());
        Self(found)
    }

    /// What stands for interfaces of `object`, sorted by subgraph.
    pub(super) fn for_object(&self, object: &str) -> &[(GraphId, Name)] {
        self.0.get(object).map_or(&[], Vec::as_slice)
    }

    /// The field of `object` where subgraphs have it through an interface.
    pub(super) fn fields<'a>(
        &self,
        subgraphs: &'a [Subgraph],
        object: &str,
        field: &str,
    ) -> Vec<(GraphId, &'a Name, &'a Field)> {
        self.for_object(object)
            .iter()
            .filter_map(|(graph, interface)| {
                let def = subgraphs[*graph].types.get(interface)?;
                Some((*graph, &def.name, def.fields.get(field)?))
            })
            .collect()
    }
}

/// Gives every object the fields that an `@interfaceObject` adds to its interfaces, unless it has them.
pub(super) fn add_fields(merger: &mut Merger<'_>, types: &mut BTreeMap<Name, MergedType>) {
    let mut added: Vec<(Name, MergedField)> = Vec::new();
    for def in types.values().filter(|def| def.kind == Kind::Object) {
        let mut seen: HashSet<&Name> = HashSet::default();
        for interface in def.interfaces().into_iter().filter_map(|name| types.get(name)) {
            for field in interface.fields.values() {
                let missing = !def.fields.contains_key(&field.name);
                if missing
                    && resolves_as_object(merger, interface, field)
                    && seen.insert(&field.name)
                {
                    let field = MergedField { sources: Vec::new(), ..field.clone() };
                    added.push((def.name.clone(), field));
                }
            }
        }
    }
    for (object, field) in added {
        sharing::check(merger, &object, &field.name, &[]);
        if let Some(def) = types.get_mut(&object) {
            def.fields.insert(field.name.clone(), field);
        }
    }
}

/// Whether the field is resolved by a subgraph that has an object in place of the interface.
fn resolves_as_object(merger: &Merger<'_>, interface: &MergedType, field: &MergedField) -> bool {
    field.sources.iter().filter(|source| source.resolves()).any(|source| {
        let def = merger.subgraphs[source.graph].types.get(&interface.name);
        def.is_some_and(|def| def.interface_object)
    })
}

/// Who answers for all of an interface must know all of it; who stands for it must know nothing of it.
pub(super) fn validate(merger: &mut Merger<'_>, types: &BTreeMap<Name, MergedType>) {
    let entities = types.values().filter(|def| def.kind == Kind::Interface);
    for interface in entities.filter(|def| def.joins.iter().any(|join| join.key.is_some())) {
        let implementations: Vec<&str> = types
            .values()
            .filter(|def| def.kind == Kind::Object && def.interfaces().contains(&&interface.name))
            .map(|def| def.name.as_str())
            .collect();
        check_implementations(merger, interface, &implementations);
    }
}

fn check_implementations(
    merger: &mut Merger<'_>,
    interface: &MergedType,
    implementations: &[&str],
) {
    for (graph, subgraph) in merger.subgraphs.iter().enumerate() {
        let Some(def) = subgraph.types.get(&interface.name) else {
            continue;
        };
        let by = [merger.name_of(graph)];
        if def.interface_object {
            let known: Vec<&str> = implementations
                .iter()
                .copied()
                .filter(|name| subgraph.types.contains_key(*name))
                .collect();
            if !known.is_empty() {
                let message = format!(
                    "the type is an @interfaceObject, so that the subgraph cannot define implementations of the \
                     interface, but it defines \"{}\"",
                    known.join("\", \"")
                );
                merger.report.error(Code::InterfaceObjectUsageError, &def.name, &by, message);
            }
        } else if let Some(key) = def.keys.iter().find(|key| key.resolvable) {
            let known = subgraph.possible_types(&def.name);
            let missing: Vec<&str> = implementations
                .iter()
                .copied()
                .filter(|name| !known.iter().any(|known| known == name))
                .collect();
            if !missing.is_empty() {
                let message = format!(
                    "the interface has the resolvable @key(fields: \"{}\"), so that the subgraph must define all its \
                     implementations; it does not define \"{}\"",
                    key.fields.source,
                    missing.join("\", \"")
                );
                merger.report.error(
                    Code::InterfaceKeyMissingImplementationType,
                    &def.name,
                    &by,
                    message,
                );
            }
        }
    }
}
