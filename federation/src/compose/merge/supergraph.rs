//! The merged schema with, for everything in it, which subgraph contributes what.
//!
//! Data only: written by `merge`, read by the stages after it. What it holds is exactly what the `join` directives
//! of the printed supergraph say (<https://specs.apollo.dev/join/v0.3/>).

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveLocation, Type, Value};
use apollo_compiler::collections::IndexMap;

use super::names::DirectiveNames;
use crate::compose::subgraph::{Import, Kind, Marks, Version};

/// Index of a subgraph, among all sorted by name.
pub(crate) type GraphId = usize;

#[derive(Debug)]
pub(crate) struct Supergraph {
    pub(crate) graphs: Vec<Graph>,
    pub(crate) types: BTreeMap<Name, MergedType>,
    /// What is said of the schema as a whole.
    pub(crate) description: Option<Node<str>>,
    /// What the schema as a whole is marked with.
    pub(crate) schema_marks: Marks,
    /// Directives of the subgraphs' own that are kept.
    pub(crate) directives: Vec<MergedDirective>,
    /// The specifications of those of them that are not for operations.
    pub(crate) links: Vec<MergedLink>,
    pub(crate) names: DirectiveNames,
}

/// The definition of a directive.
#[derive(Debug)]
pub(crate) struct MergedDirective {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) arguments: IndexMap<Name, MergedInput>,
    pub(crate) repeatable: bool,
    pub(crate) locations: Vec<DirectiveLocation>,
    /// Whether clients may use it. Those that `@composeDirective` keeps are for routers and tools.
    pub(crate) for_operations: bool,
}

/// `@link`: a specification that composition does not know.
#[derive(Debug)]
pub(crate) struct MergedLink {
    pub(crate) identity: String,
    pub(crate) version: Option<Version>,
    pub(crate) imports: Vec<Import>,
}

#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Its value in the enum `join__Graph`.
    pub(crate) enum_value: String,
}

/// A type of any kind; the parts that its kind does not have are empty.
#[derive(Debug)]
pub(crate) struct MergedType {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    pub(crate) joins: Vec<JoinType>,
    pub(crate) implements: Vec<(GraphId, Name)>,
    pub(crate) fields: IndexMap<Name, MergedField>,
    pub(crate) input_fields: IndexMap<Name, MergedInput>,
    pub(crate) members: Vec<(GraphId, Name)>,
    pub(crate) values: IndexMap<Name, MergedEnumValue>,
    pub(crate) specified_by: Option<String>,
    pub(crate) one_of: bool,
    pub(crate) cache_tags: Vec<CacheTag>,
}

/// `@cacheTag`, which is printed as `@join__directive`.
#[derive(Debug, Clone)]
pub(crate) struct CacheTag {
    pub(crate) format: String,
    pub(crate) graphs: Vec<GraphId>,
}

/// `@join__type`: the subgraph has the type, and perhaps a key for it.
#[derive(Debug)]
pub(crate) struct JoinType {
    pub(crate) graph: GraphId,
    pub(crate) key: Option<String>,
    pub(crate) extension: bool,
    pub(crate) resolvable: bool,
    /// The subgraph has an object in place of the interface.
    pub(crate) interface_object: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct MergedField {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    pub(crate) arguments: IndexMap<Name, MergedInput>,
    /// The subgraphs that declare it, sorted; those that lost it by `@override` and do not need it are left out. None for a
    /// field that an object has only because an `@interfaceObject` adds it to its interface.
    pub(crate) sources: Vec<FieldSource>,
    /// Whether the sources are printed as `@join__field`. Otherwise they follow from the type's.
    pub(crate) needs_join: bool,
    pub(crate) cache_tags: Vec<CacheTag>,
}

/// `@join__field`: what the field is in one subgraph.
#[derive(Debug, Clone)]
pub(crate) struct FieldSource {
    pub(crate) graph: GraphId,
    pub(crate) requires: Option<String>,
    pub(crate) provides: Option<String>,
    /// The type there, when not all subgraphs agree.
    pub(crate) ty: Option<Type>,
    pub(crate) external: bool,
    pub(crate) override_from: Option<String>,
    /// The label under which the override holds. Both subgraphs have it, the one that loses the field and the one that
    /// takes it.
    pub(crate) override_label: Option<String>,
    pub(crate) contexts: Vec<ContextArgument>,
    /// Overridden elsewhere, but still there because the subgraph refers to it.
    pub(crate) used_overridden: bool,
}

/// An argument that clients do not give, because its value comes from a context.
#[derive(Debug, Clone)]
pub(crate) struct ContextArgument {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    /// With the name of its subgraph.
    pub(crate) context: String,
    pub(crate) selection: String,
}

impl FieldSource {
    /// Whether the subgraph can be asked for the field wherever it has the parent.
    pub(crate) fn resolves(&self) -> bool {
        !self.external && (!self.used_overridden || self.override_label.is_some())
    }
}

/// An argument or input field. Both are in the supergraph only if all subgraphs have them.
#[derive(Debug, Clone)]
pub(crate) struct MergedInput {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Node<Value>>,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    /// The type in each subgraph, when they do not all agree. Printed for input fields.
    pub(crate) source_types: Vec<(GraphId, Type)>,
}

#[derive(Debug)]
pub(crate) struct MergedEnumValue {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    pub(crate) graphs: Vec<GraphId>,
}

impl MergedType {
    /// Interfaces that the type implements in any subgraph, each once.
    pub(crate) fn interfaces(&self) -> Vec<&Name> {
        each_once(&self.implements)
    }

    /// Members of the union in any subgraph, each once.
    pub(crate) fn member_names(&self) -> Vec<&Name> {
        each_once(&self.members)
    }
}

fn each_once(pairs: &[(GraphId, Name)]) -> Vec<&Name> {
    let mut names: Vec<&Name> = Vec::new();
    for (_, name) in pairs {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
