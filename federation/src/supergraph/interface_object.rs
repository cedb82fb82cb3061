//! What `@interfaceObject` implies: the implementations of an interface have the fields that a subgraph adds to the interface
//! as an object, and can be entered there under the interface's name.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::ExtendedType;

use super::model::{FieldSource, Key, SubgraphId, TypeInfo};

/// What implementations inherit of one interface.
struct Inherited {
    fields: Vec<(Name, FieldSource)>,
    keys: Vec<Key>,
    subgraphs: Vec<SubgraphId>,
}

/// Adds to each object type what its interfaces have as objects.
pub(super) fn complete(schema: &Schema, types: &mut IndexMap<Name, TypeInfo>) {
    let inherited: IndexMap<Name, Inherited> = types
        .iter()
        .filter(|(_, info)| !info.object_in.is_empty())
        .map(|(name, info)| (name.clone(), of_interface(name, info)))
        .collect();
    for (interface, inherited) in &inherited {
        for (name, ty) in &schema.types {
            if let ExtendedType::Object(object) = ty
                && object.implements_interfaces.contains(interface)
                && let Some(info) = types.get_mut(name)
            {
                inherit(info, inherited);
            }
        }
    }
}

fn of_interface(name: &Name, info: &TypeInfo) -> Inherited {
    let is_object_in = |subgraph: SubgraphId| info.object_in.contains(&subgraph);
    let fields = info.fields.iter().flat_map(|(field, of)| {
        of.sources
            .iter()
            .filter(|source| is_object_in(source.subgraph))
            // The type is as the interface has it, which an implementation may narrow.
            .map(|source| FieldSource {
                ty: source.ty.clone().or_else(|| Some(of.ty.clone())),
                ..source.clone()
            })
            .map(|source| (field.clone(), source))
    });
    let keys = info.keys.iter().filter(|key| is_object_in(key.subgraph));
    Inherited {
        fields: fields.collect(),
        keys: keys.map(|key| Key { entered_as: Some(name.clone()), ..key.clone() }).collect(),
        subgraphs: info.object_in.clone(),
    }
}

fn inherit(info: &mut TypeInfo, inherited: &Inherited) {
    // A subgraph that defines the type itself has said what it resolves of it.
    let new: Vec<_> =
        inherited.subgraphs.iter().filter(|subgraph| !info.subgraphs.contains(subgraph)).collect();
    for (field, source) in &inherited.fields {
        if new.contains(&&source.subgraph)
            && let Some(field) = info.fields.get_mut(field)
            && field.sources.iter().all(|present| present.subgraph != source.subgraph)
        {
            field.sources.push(source.clone());
        }
    }
    let keys = inherited.keys.iter().filter(|key| new.contains(&&key.subgraph));
    info.keys.extend(keys.cloned());
}
