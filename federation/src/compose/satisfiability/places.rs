//! Where a value can be had: places, and what a field leads to from a place without asking another subgraph.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ptr;

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{Selection, SelectionSet};

use crate::compose::merge::{FieldSource, GraphId, MergedField, MergedType, Supergraph};
use crate::compose::subgraph::{Field, FieldSet, Kind, Subgraph};

/// The schemas that all questions are about.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    pub(super) supergraph: &'a Supergraph,
    /// The labels of `@override` that hold.
    pub(super) labels: &'a [&'a str],
    pub(super) subgraphs: &'a [Subgraph],
}

/// Part of a `@provides` that holds at a place. Compared by identity: parts of different `@provides` are different.
#[derive(Debug, Clone, Copy)]
pub(super) struct Provided<'a>(&'a SelectionSet);

impl Provided<'_> {
    fn address(self) -> usize {
        ptr::from_ref(self.0).addr()
    }
}

impl PartialEq for Provided<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Provided<'_> {}

impl PartialOrd for Provided<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Provided<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.address().cmp(&other.address())
    }
}

impl Hash for Provided<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

/// A subgraph in which an object is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place<'a> {
    pub(super) graph: GraphId,
    /// Reached by a key (or a root), so that the subgraph can be asked again with other representations.
    by_key: bool,
    provided: Option<Provided<'a>>,
    /// The `@interfaceObject` that the object is there: the subgraph cannot tell which type it has elsewhere.
    pub(super) standing_for: Option<&'a Name>,
}

impl<'a> Place<'a> {
    /// A subgraph that was entered by a key: what a `@provides` added before does not hold in it.
    pub(super) fn by_key(graph: GraphId, standing_for: Option<&'a Name>) -> Self {
        Self { graph, by_key: true, provided: None, standing_for }
    }

    /// Whether no `@provides` adds anything.
    pub(super) fn is_plain(self) -> bool {
        self.provided.is_none()
    }

    /// The same subgraph, entered by a key.
    pub(super) fn re_entered(self) -> Self {
        Self::by_key(self.graph, self.standing_for)
    }
}

/// A value of the type `ty` of the place's subgraph, which may be abstract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) place: Place<'a>,
    ty: &'a Name,
}

/// A field that can be asked for at a place.
pub(super) struct Available<'a> {
    /// What must be had first.
    pub(super) requires: Option<&'a FieldSet>,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Schemas<'a> {
    /// Whether the source's subgraph can be asked for the field under the labels that hold.
    pub(super) fn resolves(self, source: &FieldSource) -> bool {
        let takes_over = source.override_from.is_some();
        let label = source.override_label.as_deref();
        source.resolves() && label.is_none_or(|label| self.labels.contains(&label) == takes_over)
    }

    pub(super) fn merged_field(self, object: &str, field: &str) -> Option<&'a MergedField> {
        self.supergraph.types.get(object)?.fields.get(field)
    }

    pub(super) fn source(
        self,
        object: &str,
        field: &str,
        graph: GraphId,
    ) -> Option<&'a FieldSource> {
        source_of(self.merged_field(object, field)?, graph)
    }

    /// The field of `object` at `place`, if it can be asked for there. `merged` is the field in the supergraph.
    pub(super) fn available(
        self,
        object: &Name,
        merged: Option<&'a MergedField>,
        field: &Name,
        place: Place<'a>,
    ) -> Option<Available<'a>> {
        let parent = place.standing_for.unwrap_or(object);
        let source = match place.standing_for {
            Some(interface) => self.source(interface, field, place.graph)?,
            None => source_of(merged?, place.graph)?,
        };
        let definition = self.subgraphs[place.graph].field(parent, field)?;
        let mut nested = Vec::new();
        if let Some(provided) = place.provided {
            self.provided_selections(provided.0, object, field, &mut nested);
        }
        if !self.resolves(source) && nested.is_empty() {
            return None;
        }
        let requires = definition.requires.as_ref().filter(|_| nested.is_empty());
        Some(Available { requires, values: values(definition, place.graph, nested) })
    }

    /// The object types that one of `values` may be, with the places where it is one. Those that clients do not see
    /// are among them.
    pub(super) fn objects(self, values: &[Value<'a>]) -> IndexMap<Name, Vec<Place<'a>>> {
        let mut objects: IndexMap<Name, Vec<Place<'a>>> = IndexMap::default();
        for value in values {
            let subgraph = &self.subgraphs[value.place.graph];
            for object in subgraph.possible_types(value.ty) {
                match subgraph.types.get(&object).filter(|def| def.interface_object) {
                    None => objects.entry(object).or_default().push(value.place),
                    Some(def) => {
                        let place = Place { standing_for: Some(&def.name), ..value.place };
                        for object in self.implementations(&def.name) {
                            objects.entry(object.clone()).or_default().push(place);
                        }
                    }
                }
            }
        }
        objects
    }

    /// Object types that implement `interface` in any subgraph.
    fn implementations(self, interface: &'a Name) -> impl Iterator<Item = &'a Name> {
        let types = self.supergraph.types.values();
        types
            .filter(move |def| {
                def.kind == Kind::Object && def.implements.iter().any(|(_, name)| name == interface)
            })
            .map(|def| &def.name)
    }

    /// As what `object` can be asked for in the subgraph `graph`: as itself, or as what stands for its interfaces.
    pub(super) fn entries(self, object: &Name, graph: GraphId) -> Vec<Option<&'a Name>> {
        let types = &self.subgraphs[graph].types;
        if types.contains_key(object) {
            return vec![None];
        }
        let interfaces = self.supergraph.types.get(object).map(MergedType::interfaces);
        interfaces
            .unwrap_or_default()
            .into_iter()
            .filter(|name| types.get(*name).is_some_and(|def| def.interface_object))
            .map(Some)
            .collect()
    }

    /// Whether a fragment on `condition` applies to `object`.
    pub(super) fn applies(self, condition: Option<&Name>, object: &Name) -> bool {
        let Some(condition) = condition.filter(|condition| *condition != object) else {
            return true;
        };
        let object_implements =
            |def: &MergedType| def.implements.iter().any(|(_, interface)| interface == condition);
        match self.supergraph.types.get(condition) {
            Some(def) if def.kind == Kind::Union => {
                def.members.iter().any(|(_, member)| member == object)
            }
            Some(def) if def.kind == Kind::Interface => {
                self.supergraph.types.get(object).is_some_and(object_implements)
            }
            _ => false,
        }
    }

    /// Selections under `field` of `object` in a `@provides`; an empty one for a leaf.
    fn provided_selections(
        self,
        selection: &'a SelectionSet,
        object: &Name,
        field: &Name,
        found: &mut Vec<&'a SelectionSet>,
    ) {
        for item in &selection.selections {
            match item {
                Selection::Field(selected) if selected.name == *field => {
                    found.push(&selected.selection_set)
                }
                Selection::InlineFragment(fragment)
                    if self.applies(fragment.type_condition.as_ref(), object) =>
                {
                    self.provided_selections(&fragment.selection_set, object, field, found);
                }
                _ => {}
            }
        }
    }
}

/// What the field is in the subgraph `graph`.
fn source_of(field: &MergedField, graph: GraphId) -> Option<&FieldSource> {
    let index = field.sources.binary_search_by_key(&graph, |source| source.graph).ok()?;
    field.sources.get(index)
}

fn values<'a>(
    definition: &'a Field,
    graph: GraphId,
    nested: Vec<&'a SelectionSet>,
) -> Vec<Value<'a>> {
    let own = definition.provides.as_ref().map(|provides| &provides.selection);
    let provided: Vec<&SelectionSet> =
        nested.into_iter().chain(own).filter(|selection| !selection.is_empty()).collect();
    let value = |provided| Value {
        place: Place { graph, by_key: false, provided, standing_for: None },
        ty: definition.ty.inner_named_type(),
    };
    if provided.is_empty() {
        vec![value(None)]
    } else {
        provided.into_iter().map(|selection| value(Some(Provided(selection)))).collect()
    }
}
