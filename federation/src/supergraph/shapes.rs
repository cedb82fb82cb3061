//! Whether subgraphs have other types for a field than clients see: what decides if two selections can share a response key.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::IndexMap;

use super::model::{FieldInfo, FieldSource, SubgraphId, TypeInfo};
use super::{Supergraph, TypeKind};

/// The types of a field by subgraph, as far as they decide whether selections can be merged: lists, nullability, and the
/// name of a leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SubgraphShapes(Vec<(SubgraphId, String)>);

impl SubgraphShapes {
    /// Whether some subgraph has other types in `other`.
    pub(crate) fn conflict_with(&self, other: &Self) -> bool {
        self.0.iter().any(|(mine, shape)| {
            other.0.iter().any(|(theirs, other)| mine == theirs && shape != other)
        })
    }

    /// Adds those of `other`, which must not conflict.
    pub(crate) fn extend(&mut self, other: Self) {
        for entry in other.0 {
            if !self.0.contains(&entry) {
                self.0.push(entry);
            }
        }
    }
}

impl Supergraph {
    /// Whether types differ at all, between subgraphs and supergraph or between an interface and its implementations.
    pub(crate) const fn has_differing_types(&self) -> bool {
        self.has_differing_types
    }

    /// The types that subgraphs have for a field; nothing when types do not differ at all.
    pub(crate) fn shapes(&self, type_name: &str, field: &str) -> SubgraphShapes {
        let info = self.type_info(type_name).and_then(|info| info.fields.get(field));
        let Some(info) = info.filter(|_| self.has_differing_types) else {
            return SubgraphShapes::default();
        };
        let shapes =
            info.sources.iter().map(|source| (source.subgraph, shape(&self.types, info, source)));
        SubgraphShapes(shapes.collect())
    }
}

/// Whether any field has another shape in a subgraph, or on an implementation, than where it is first declared.
pub(super) fn differ(types: &IndexMap<Name, TypeInfo>) -> bool {
    types.values().any(|info| {
        info.fields.iter().any(|(name, field)| {
            let own = of_type(types, &field.ty);
            let in_subgraph = |source: &FieldSource| shape(types, field, source) != own;
            let on_implementation = |implementation: &Name| {
                types
                    .get(implementation)
                    .and_then(|info| info.fields.get(name))
                    .is_some_and(|field| of_type(types, &field.ty) != own)
            };
            field.sources.iter().any(in_subgraph)
                || info.possible.iter().any(|possible| on_implementation(&possible.name))
        })
    })
}

fn shape(types: &IndexMap<Name, TypeInfo>, field: &FieldInfo, source: &FieldSource) -> String {
    of_type(types, source.ty.as_ref().unwrap_or(&field.ty))
}

fn of_type(types: &IndexMap<Name, TypeInfo>, ty: &Type) -> String {
    let named = ty.inner_named_type();
    let text = ty.to_string();
    match types.get(named).map(|info| info.kind) {
        Some(TypeKind::Object | TypeKind::Abstract) => text.replace(named.as_str(), "{}"),
        None => text,
    }
}
