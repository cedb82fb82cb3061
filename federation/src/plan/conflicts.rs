//! Keeps apart what shares a response key but not a type in some subgraph.
//!
//! A client may select `... on User { id } ... on Admin { id }` when both are `ID` in its schema. Where a subgraph has one of
//! them as `ID!`, the same selections are not valid there (the specification's section 5.3.2, SameResponseShape). So one of
//! them is fetched under another key, under which the data holds it; the answer has the client's key again.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, HashSet, IndexMap};

use crate::operation::{Field, SelectionSet};
use crate::supergraph::{SubgraphShapes, Supergraph};

/// The client's response key of each key that only the data has.
pub(crate) type Renamed = HashMap<Name, Name>;

/// Gives the fields of `operation` keys under which no subgraph finds a conflict.
pub(super) fn separate(
    supergraph: &Supergraph,
    operation: SelectionSet,
) -> (SelectionSet, Renamed) {
    if !supergraph.has_differing_types() {
        return (operation, Renamed::default());
    }
    let mut separator = Separator {
        supergraph,
        places: vec![Place::default()],
        taken: HashSet::default(),
        renamed: Renamed::default(),
    };
    separator.take_keys(&operation);
    let separated = separator.set(&operation, 0);
    (separated, separator.renamed)
}

struct Separator<'a> {
    supergraph: &'a Supergraph,
    places: Vec<Place>,
    /// All response keys of the operation.
    taken: HashSet<Name>,
    renamed: Renamed,
}

/// A place in the answer: for each of the client's response keys the keys that stand for it.
#[derive(Default)]
struct Place(IndexMap<Name, Vec<Key>>);

struct Key {
    name: Name,
    shapes: SubgraphShapes,
    /// The place under it.
    place: usize,
}

impl Separator<'_> {
    fn take_keys(&mut self, set: &SelectionSet) {
        for field in &set.fields {
            self.taken.insert(field.key.clone());
            if let Some(selections) = &field.selections {
                self.take_keys(selections);
            }
        }
        for fragment in &set.fragments {
            self.take_keys(fragment);
        }
    }

    fn set(&mut self, set: &SelectionSet, place: usize) -> SelectionSet {
        let mut separated = SelectionSet::new(set.ty.clone());
        for field in &set.fields {
            match self.shapes(&set.ty, field) {
                Some(shapes) => separated.fields.push(self.field(field, shapes, place)),
                // The types that the interface stands for do not agree, so each has the field for itself.
                None => {
                    for ty in self.supergraph.possible_types(&set.ty) {
                        let shapes = self.supergraph.shapes(&ty, &field.name);
                        let mut fragment = SelectionSet::new(ty);
                        fragment.fields.push(self.field(field, shapes, place));
                        separated.add_fragment(&fragment);
                    }
                }
            }
        }
        for fragment in &set.fragments {
            let fragment = self.set(fragment, place);
            separated.add_fragment(&fragment);
        }
        separated
    }

    /// The types that subgraphs have for `field` wherever `parent` may stand, unless one subgraph has several.
    fn shapes(&self, parent: &Name, field: &Field) -> Option<SubgraphShapes> {
        let mut shapes = self.supergraph.shapes(parent, &field.name);
        for ty in self.supergraph.possible_types(parent) {
            let of_type = self.supergraph.shapes(&ty, &field.name);
            if shapes.conflict_with(&of_type) {
                return None;
            }
            shapes.extend(of_type);
        }
        Some(shapes)
    }

    fn field(&mut self, field: &Arc<Field>, shapes: SubgraphShapes, place: usize) -> Arc<Field> {
        let (key, child) = self.key(&field.key, shapes, place);
        let selections = field.selections.as_ref().map(|selections| self.set(selections, child));
        Arc::new(Field { key, selections, ..Field::clone(field) })
    }

    /// A key for what the client calls `response_key`, and the place under it.
    fn key(&mut self, response_key: &Name, shapes: SubgraphShapes, place: usize) -> (Name, usize) {
        let next = self.places.len();
        let keys = self.places[place].0.entry(response_key.clone()).or_default();
        if let Some(key) = keys.iter_mut().find(|key| !key.shapes.conflict_with(&shapes)) {
            key.shapes.extend(shapes);
            return (key.name.clone(), key.place);
        }
        let name = match keys.is_empty() {
            true => response_key.clone(),
            false => free_key(&mut self.taken, &mut self.renamed, response_key),
        };
        keys.push(Key { name: name.clone(), shapes, place: next });
        self.places.push(Place::default());
        (name, next)
    }
}

/// A key that stands nowhere in the operation; it is a name because `response_key` is one.
fn free_key(taken: &mut HashSet<Name>, renamed: &mut Renamed, response_key: &Name) -> Name {
    let mut number = renamed.len() + 1;
    loop {
        let name = Name::new_unchecked(&format!("_{response_key}_as_{number}"));
        if taken.insert(name.clone()) {
            renamed.insert(name.clone(), response_key.clone());
            return name;
        }
        number += 1;
    }
}
