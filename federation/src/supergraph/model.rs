//! The parts of a [`Supergraph`](super::Supergraph): subgraphs, types, fields, keys and field sets.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Type};
use apollo_compiler::collections::IndexMap;

/// A subgraph as the supergraph names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphInfo {
    /// The name it was composed under.
    pub name: Arc<str>,
    /// Where it is reached; empty when the supergraph leaves that to settings.
    pub url: String,
}

/// The index of a subgraph in its supergraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SubgraphId(usize);

impl SubgraphId {
    /// No subgraph; it resolves nothing.
    pub(crate) const NONE: Self = Self(usize::MAX);

    pub(crate) const fn new(index: usize) -> Self {
        Self(index)
    }

    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeKind {
    Object,
    /// An interface or a union.
    Abstract,
}

/// An object, interface or union.
#[derive(Debug)]
pub(crate) struct TypeInfo {
    pub(crate) kind: TypeKind,
    /// The subgraphs that define it.
    pub(crate) subgraphs: Vec<SubgraphId>,
    /// The keys by which a subgraph can be entered at this type, resolvable ones only.
    pub(crate) keys: Vec<Key>,
    /// The keys of the type's own name that differ in their fields, as places among `keys`.
    pub(crate) own_keys: Vec<usize>,
    /// Its fields; none for a union.
    pub(crate) fields: IndexMap<Name, FieldInfo>,
    /// The object types it can be; none for an object type.
    pub(crate) possible: Vec<PossibleType>,
    /// The interfaces that are objects in the subgraphs named (`@interfaceObject`) and implement this interface there, so that
    /// such an object is answered in place of one whose type the subgraph cannot tell.
    pub(crate) stand_ins: Vec<PossibleType>,
    /// The contexts that this type sets for what stands below it.
    pub(crate) contexts: Vec<Arc<str>>,
    /// The subgraphs in which this interface is an object (`@interfaceObject`): they cannot tell its implementations apart.
    pub(crate) object_in: Vec<SubgraphId>,
}

#[derive(Debug)]
pub(crate) struct PossibleType {
    pub(crate) name: Name,
    /// The subgraphs in which the object type implements the interface or is a member of the union.
    pub(crate) subgraphs: Vec<SubgraphId>,
}

/// The fields that identify an entity to a subgraph.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) subgraph: SubgraphId,
    pub(crate) fields: FieldSet,
    /// The name that representations bear, where it is not that of the type itself: an interface that is an object in
    /// the subgraph.
    pub(crate) entered_as: Option<Name>,
}

#[derive(Debug)]
pub(crate) struct FieldInfo {
    pub(crate) ty: Type,
    /// One entry for each subgraph that has the field, in the order of the subgraphs.
    pub(crate) sources: Vec<FieldSource>,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldSource {
    pub(crate) subgraph: SubgraphId,
    /// Of an interface's field: whether the subgraph resolves it on all types that the interface can be there, always and with
    /// nothing given.
    pub(crate) whole: bool,
    /// Declared there, but not resolved except where a `@provides` says so.
    pub(crate) external: bool,
    pub(crate) requires: Option<FieldSet>,
    pub(crate) provides: Option<FieldSet>,
    /// The field's type in this subgraph, where it differs from the supergraph's.
    pub(crate) ty: Option<Type>,
    /// Present while an `@override` is being rolled out: only requests on the right side of the label ask here.
    pub(crate) rollout: Option<Rollout>,
    /// Arguments that clients do not give: they are filled from what stands above.
    pub(crate) contexts: Vec<ContextArgument>,
}

/// An argument that takes its value from an object further out (`@fromContext`).
#[derive(Debug, Clone)]
pub(crate) struct ContextArgument {
    pub(crate) argument: Name,
    pub(crate) ty: Type,
    /// The context; the nearest object around whose type sets it gives the value.
    pub(crate) context: Arc<str>,
    /// What is selected there, for each type that sets the context: one field, perhaps below others.
    pub(crate) selections: IndexMap<Name, FieldSet>,
}

/// On which side of a progressive `@override` a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollout {
    pub(crate) label: Arc<str>,
    /// Whether the source is asked when the label is on (the overriding subgraph) or off (the overridden one).
    pub(crate) when: bool,
}

impl TypeInfo {
    /// Puts its parts in the order in which they are looked for, when it is complete.
    pub(super) fn index(&mut self) {
        for field in self.fields.values_mut() {
            field.sources.sort_by_key(|source| source.subgraph);
        }
        for (place, key) in self.keys.iter().enumerate() {
            // Most subgraphs have the same key.
            let is_known = |known: &usize| self.keys[*known].fields.is_same(&key.fields);
            if key.entered_as.is_none() && !self.own_keys.iter().any(is_known) {
                self.own_keys.push(place);
            }
        }
    }
}

impl FieldSource {
    /// Whether the subgraph resolves the field always and with nothing given.
    fn is_unconditional(&self) -> bool {
        !self.external
            && self.requires.is_none()
            && self.contexts.is_empty()
            && self.rollout.is_none()
    }
}

/// Finds out which fields of interfaces subgraphs resolve on all types.
pub(super) fn mark_whole(types: &mut IndexMap<Name, TypeInfo>) {
    let mut whole = Vec::new();
    for (name, info) in types.iter().filter(|(_, info)| info.kind == TypeKind::Abstract) {
        for (field, of) in &info.fields {
            for (place, source) in of.sources.iter().enumerate() {
                let here = |of: &&PossibleType| of.subgraphs.contains(&source.subgraph);
                let mut objects =
                    info.possible.iter().chain(&info.stand_ins).filter(here).peekable();
                let resolves = |of: &PossibleType| {
                    let field = types.get(&of.name).and_then(|info| info.fields.get(field));
                    let source = field.and_then(|field| field.sources_in(source.subgraph).next());
                    source.is_some_and(FieldSource::is_unconditional)
                };
                let is_any = objects.peek().is_some();
                if source.is_unconditional() && is_any && objects.all(resolves) {
                    whole.push((name.clone(), field.clone(), place));
                }
            }
        }
    }
    for (name, field, place) in whole {
        let field = types.get_mut(&name).and_then(|info| info.fields.get_mut(&field));
        if let Some(source) = field.and_then(|field| field.sources.get_mut(place)) {
            source.whole = true;
        }
    }
}

impl FieldInfo {
    /// What the field is in a subgraph.
    pub(crate) fn sources_in(&self, subgraph: SubgraphId) -> impl Iterator<Item = &FieldSource> {
        let first = self.sources.partition_point(|source| source.subgraph < subgraph);
        self.sources[first..].iter().take_while(move |source| source.subgraph == subgraph)
    }
}

impl FieldSource {
    /// A subgraph that resolves the field, and nothing more to say.
    pub(super) const fn plain(subgraph: SubgraphId) -> Self {
        Self {
            subgraph,
            whole: false,
            external: false,
            requires: None,
            provides: None,
            ty: None,
            rollout: None,
            contexts: Vec::new(),
        }
    }
}

/// What a `@key`, `@requires` or `@provides` names.
#[derive(Debug, Clone)]
pub(crate) struct FieldSet {
    pub(crate) ty: Name,
    pub(crate) fields: Vec<FieldSetField>,
    /// Sets under type conditions.
    pub(crate) fragments: Vec<FieldSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldSetField {
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) ty: Type,
    /// Present for composite fields.
    pub(crate) selections: Option<FieldSet>,
}

impl FieldSet {
    /// Adds a field, or what it selects to the same field.
    pub(super) fn add(&mut self, field: FieldSetField) {
        let present = self
            .fields
            .iter_mut()
            .find(|present| present.name == field.name && present.arguments == field.arguments);
        match present {
            None => self.fields.push(field),
            Some(present) => {
                if let (Some(present), Some(set)) = (&mut present.selections, field.selections) {
                    present.merge(set);
                }
            }
        }
    }

    /// Adds everything of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        for field in other.fields {
            self.add(field);
        }
        self.fragments.extend(other.fragments);
    }

    /// Whether both name the same plain fields, which have nothing selected on them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_plain = |set: &Self| {
            let mut fields = set.fields.iter();
            set.fragments.is_empty()
                && fields.all(|field| field.selections.is_none() && field.arguments.is_empty())
        };
        let mut fields = self.fields.iter();
        is_plain(self)
            && is_plain(other)
            && self.fields.len() == other.fields.len()
            && fields.all(|field| other.fields.iter().any(|other| other.name == field.name))
    }

    /// The entry for `field` of an object of type `type_name`, type conditions taken into account.
    pub(crate) fn field(&self, type_name: &str, field: &str) -> Option<&FieldSetField> {
        self.fields.iter().find(|entry| entry.name == field).or_else(|| {
            self.fragments
                .iter()
                .filter(|fragment| fragment.ty == type_name)
                .find_map(|fragment| fragment.field(type_name, field))
        })
    }
}
