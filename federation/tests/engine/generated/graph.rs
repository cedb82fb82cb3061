//! A graph that is split over subgraphs, as the generator makes it: every type once, with who has what.

use std::collections::{BTreeMap, BTreeSet};

/// The number of a subgraph.
pub(crate) type SubgraphNo = usize;

#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) subgraphs: usize,
    pub(crate) enums: Vec<EnumType>,
    pub(crate) has_input: bool,
    /// The root types last.
    pub(crate) objects: Vec<ObjectType>,
    pub(crate) interfaces: Vec<AbstractType>,
    pub(crate) unions: Vec<AbstractType>,
}

#[derive(Debug)]
pub(crate) struct EnumType {
    pub(crate) name: String,
    pub(crate) values: Vec<&'static str>,
    pub(crate) here: BTreeSet<SubgraphNo>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Entity,
    Value,
    Root,
}

#[derive(Debug)]
pub(crate) struct ObjectType {
    pub(crate) name: String,
    pub(crate) kind: ObjectKind,
    /// Field sets that tell its objects apart.
    pub(crate) keys: Vec<Key>,
    pub(crate) fields: Vec<Field>,
    /// The subgraphs that define it, with the keys they declare and whether these can be entered by.
    pub(crate) here: BTreeMap<SubgraphNo, Vec<(usize, bool)>>,
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) set: String,
    /// The fields at its top.
    pub(crate) fields: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct AbstractType {
    pub(crate) name: String,
    /// Object types: implementers or members.
    pub(crate) possible: Vec<usize>,
    /// Names of fields that every implementer has; of an interface only.
    pub(crate) fields: Vec<String>,
    /// The subgraphs that define it.
    pub(crate) here: BTreeSet<SubgraphNo>,
    /// Present where a subgraph has it as an object.
    pub(crate) object: Option<InterfaceObject>,
}

#[derive(Debug)]
pub(crate) struct InterfaceObject {
    /// The subgraph that has all its types, and the key `id`.
    pub(crate) home: SubgraphNo,
    /// The subgraph that has it as an object and defines nothing else.
    pub(crate) by: SubgraphNo,
    /// What that adds, and what it names for that.
    pub(crate) fields: Vec<Field>,
    /// Another interface that the object implements, so that it stands in for its types there.
    pub(crate) implements: Option<usize>,
}

impl AbstractType {
    pub(crate) fn is_object_in(&self, subgraph: SubgraphNo) -> bool {
        self.object.as_ref().is_some_and(|object| object.by == subgraph)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Scalar(&'static str),
    Enum(usize),
    Object(usize),
    Interface(usize),
    Union(usize),
}

/// How a named type is wrapped: `{}` stands for it.
pub(crate) const WRAPPERS: [&str; 6] = ["{}", "{}!", "[{}]", "[{}!]!", "[{}!]", "[[{}]!]"];

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) named: Named,
    /// An index into [`WRAPPERS`].
    pub(crate) wrapper: usize,
    pub(crate) arguments: Vec<Argument>,
    /// The subgraphs that resolve it.
    pub(crate) owners: BTreeSet<SubgraphNo>,
    /// The subgraphs that name it but do not resolve it.
    pub(crate) external: BTreeSet<SubgraphNo>,
    pub(crate) requires: Option<String>,
    pub(crate) provides: Option<String>,
    /// Whether another field requires it by way of a field that leads to it; it must not require that one.
    pub(crate) nested: bool,
    /// Whether a subgraph that does not resolve it gives it all the same, on some paths.
    pub(crate) provided: bool,
    /// A subgraph that has it too, but from which the owner has taken it over.
    pub(crate) overridden: Option<SubgraphNo>,
    pub(crate) inaccessible: bool,
}

#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) ty: String,
    pub(crate) default: Option<&'static str>,
    /// A value for it, as GraphQL and as JSON, where the generator must write one.
    pub(crate) example: &'static str,
}

impl Field {
    pub(crate) fn new(name: impl Into<String>, named: Named, wrapper: usize) -> Self {
        Self {
            name: name.into(),
            named,
            wrapper,
            arguments: Vec::new(),
            owners: BTreeSet::new(),
            external: BTreeSet::new(),
            requires: None,
            provides: None,
            nested: false,
            provided: false,
            overridden: None,
            inaccessible: false,
        }
    }

    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self.named, Named::Scalar(_) | Named::Enum(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        WRAPPERS[self.wrapper].starts_with('[')
    }

    /// Whether its value tells what it was computed from: arguments and required fields.
    pub(crate) fn is_computed(&self) -> bool {
        self.named == Named::Scalar("String")
            && !self.is_list()
            && (!self.arguments.is_empty() || self.requires.is_some())
    }
}

impl Graph {
    pub(crate) fn type_name(&self, named: Named) -> &str {
        match named {
            Named::Scalar(name) => name,
            Named::Enum(index) => &self.enums[index].name,
            Named::Object(index) => &self.objects[index].name,
            Named::Interface(index) => &self.interfaces[index].name,
            Named::Union(index) => &self.unions[index].name,
        }
    }

    /// The object types that `subgraph` can give for `named`.
    pub(crate) fn possible_in(&self, subgraph: SubgraphNo, named: Named) -> Vec<usize> {
        let possible = match named {
            Named::Object(index) => return vec![index],
            Named::Interface(index) if self.interfaces[index].is_object_in(subgraph) => {
                return self.interfaces[index].possible.clone();
            }
            Named::Interface(index) => &self.interfaces[index].possible,
            Named::Union(index) => &self.unions[index].possible,
            Named::Scalar(_) | Named::Enum(_) => return Vec::new(),
        };
        let here = |object: &usize| self.objects[*object].here.contains_key(&subgraph);
        let mut possible: Vec<usize> = possible.iter().copied().filter(here).collect();
        for interface in &self.interfaces {
            let implements = interface.object.as_ref().and_then(|object| object.implements);
            if interface.is_object_in(subgraph) && implements.map(Named::Interface) == Some(named) {
                possible.extend(&interface.possible);
            }
        }
        possible
    }

    /// The fields of an interface that every implementer in `subgraph` resolves there.
    pub(crate) fn interface_fields(&self, interface: usize, subgraph: SubgraphNo) -> Vec<&Field> {
        let AbstractType { possible, fields, .. } = &self.interfaces[interface];
        let here: Vec<&ObjectType> = possible
            .iter()
            .map(|object| &self.objects[*object])
            .filter(|object| object.here.contains_key(&subgraph))
            .collect();
        fields
            .iter()
            .filter_map(|name| {
                let own = |object: &&ObjectType| {
                    let field = object.fields.iter().find(|field| field.name == *name);
                    field.is_some_and(|field| field.owners.contains(&subgraph))
                };
                let first = self.objects[*possible.first()?].fields.iter();
                here.iter().all(own).then(|| first.into_iter().find(|field| field.name == *name))?
            })
            .collect()
    }
}
