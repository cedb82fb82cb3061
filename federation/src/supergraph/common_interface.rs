//! Finds the interface under which a subgraph can be asked for fields of several object types at once.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Type};
use apollo_compiler::collections::{HashMap, IndexMap};

use super::Supergraph;
use super::links::JoinVersion;
use super::model::{FieldSource, SubgraphId, TypeInfo, TypeKind};

/// The interfaces of each object type. None in the first version of join, which does not say which subgraph has which
/// fields of an interface.
pub(super) fn by_object(
    types: &IndexMap<Name, TypeInfo>,
    join: JoinVersion,
) -> HashMap<Name, Vec<Name>> {
    let mut interfaces: HashMap<Name, Vec<Name>> = HashMap::default();
    if join == JoinVersion::V1 {
        return interfaces;
    }
    let with_fields =
        types.iter().filter(|(_, info)| info.kind == TypeKind::Abstract && !info.fields.is_empty());
    for (name, info) in with_fields {
        for possible in &info.possible {
            interfaces.entry(possible.name.clone()).or_default().push(name.clone());
        }
    }
    interfaces
}

impl Supergraph {
    /// The interface whose objects in the subgraph are exactly of the types `types`, and that has all of `fields` there, with their
    /// arguments and as the types have them.
    pub(crate) fn common_interface<'f>(
        &self,
        subgraph: SubgraphId,
        types: &[Name],
        fields: impl Iterator<Item = (&'f Name, &'f [Node<Argument>])> + Clone,
    ) -> Option<&Name> {
        let of_first = self.interfaces.get(types.first()?)?;
        of_first.iter().find(|interface| {
            self.is_all_of(subgraph, interface, types)
                && fields.clone().all(|(field, arguments)| {
                    self.has_as(subgraph, interface, types, field)
                        && self.takes(interface, field, arguments)
                })
        })
    }

    /// Whether the subgraph has `interface` and no other objects of it than those of `types`, but all of these.
    pub(crate) fn is_all_of(&self, subgraph: SubgraphId, interface: &str, types: &[Name]) -> bool {
        let Some(info) = self.types.get(interface) else {
            return false;
        };
        if !info.subgraphs.contains(&subgraph) || info.object_in.contains(&subgraph) {
            return false;
        }
        // What stands in for other types there is of the interface too.
        if info.stand_ins.iter().any(|of| of.subgraphs.contains(&subgraph)) {
            return false;
        }
        let mut count = 0;
        let mut possible =
            info.possible.iter().filter(|possible| possible.subgraphs.contains(&subgraph));
        // Mostly both are in the same order.
        possible.all(|possible| {
            count += 1;
            types.get(count - 1) == Some(&possible.name) || types.contains(&possible.name)
        }) && count == types.len()
    }

    /// Whether the subgraph has `field` on the interface, of the same type as on each of `types`.
    fn has_as(&self, subgraph: SubgraphId, interface: &str, types: &[Name], field: &str) -> bool {
        let Some((source, ty)) = self.field_in(subgraph, interface, field) else {
            return false;
        };
        let has_same = |of: &Name| self.field_in(subgraph, of, field).is_some_and(|of| of.1 == ty);
        !source.external && source.rollout.is_none() && types.iter().all(has_same)
    }

    /// A field as a subgraph has it, and its type there.
    pub(crate) fn field_in(
        &self,
        subgraph: SubgraphId,
        ty: &str,
        field: &str,
    ) -> Option<(&FieldSource, &Type)> {
        let info = self.types.get(ty)?.fields.get(field)?;
        let source = info.sources_in(subgraph).next()?;
        Some((source, source.ty.as_ref().unwrap_or(&info.ty)))
    }

    /// Whether the field takes all of `arguments` on the interface; an implementation may take more.
    fn takes(&self, interface: &str, field: &str, arguments: &[Node<Argument>]) -> bool {
        arguments.is_empty()
            || self.api.type_field(interface, field).is_ok_and(|definition| {
                let is_there = |argument: &Node<Argument>| {
                    definition.arguments.iter().any(|known| known.name == argument.name)
                };
                arguments.iter().all(is_there)
            })
    }
}
