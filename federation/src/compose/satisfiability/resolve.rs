//! What can be had from a set of places: by following keys to other subgraphs, and by fetching what a field requires.
//!
//! All answers grow with the set of places. A question that comes up while it is being answered (keys that need each
//! other, fields that require each other) is answered "no" there: what can only be had by already having it cannot be
//! had. Answers that depended on such a cut are not remembered.

use std::rc::Rc;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::executable::{Selection, SelectionSet};

use super::places::{Place, Schemas, Value};
use crate::compose::merge::GraphId;
use crate::compose::subgraph::{FieldSet, Key, Kind, ROOTS};

/// Places, sorted and each once.
pub(super) type Places<'a> = Rc<[Place<'a>]>;

type Question<'a> = (Name, Places<'a>);

pub(super) struct Resolver<'a> {
    pub(super) schemas: Schemas<'a>,
    closures: HashMap<Question<'a>, Places<'a>>,
    closing: HashSet<Question<'a>>,
    requiring: HashSet<(Name, Name, GraphId)>,
    /// How many questions were cut short so far.
    cuts: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(schemas: Schemas<'a>) -> Self {
        Self {
            schemas,
            closures: HashMap::default(),
            closing: HashSet::default(),
            requiring: HashSet::default(),
            cuts: 0,
        }
    }

    /// Every place where an `object` can be had that is at hand in `places`.
    pub(super) fn closure(&mut self, object: &Name, mut places: Vec<Place<'a>>) -> Places<'a> {
        places.sort_unstable();
        places.dedup();
        if ROOTS.contains(&object.as_str()) {
            return self.all_roots(object, places);
        }
        let question: Question<'a> = (object.clone(), Rc::from(places));
        if let Some(known) = self.closures.get(&question) {
            return Rc::clone(known);
        }
        if !self.closing.insert(question.clone()) {
            self.cuts += 1;
            return question.1;
        }
        let cuts = self.cuts;
        let closed = self.follow_keys(object, question.1.to_vec());
        self.closing.remove(&question);
        if self.cuts == cuts {
            self.closures.insert(question, Rc::clone(&closed));
        }
        closed
    }

    /// A root is at hand everywhere.
    fn all_roots(&self, object: &Name, mut places: Vec<Place<'a>>) -> Places<'a> {
        let having = self
            .schemas
            .subgraphs
            .iter()
            .enumerate()
            .filter(|(_, graph)| graph.types.contains_key(object));
        places.extend(having.map(|(graph, _)| Place {
            graph,
            provided: None,
        }));
        places.sort_unstable();
        places.dedup();
        Rc::from(places)
    }

    fn follow_keys(&mut self, object: &Name, mut places: Vec<Place<'a>>) -> Places<'a> {
        loop {
            let before = places.len();
            for graph in 0..self.schemas.subgraphs.len() {
                // Entering by a key gives a place without what a `@provides` adds; it may be in already with that.
                let place = Place {
                    graph,
                    provided: None,
                };
                if !places.contains(&place) && self.can_enter(object, graph, &places) {
                    places.push(place);
                }
            }
            if places.len() == before {
                places.sort_unstable();
                return Rc::from(places);
            }
        }
    }

    /// Whether `object` can be asked for in `graph` by a key that can be had from `places`.
    pub(super) fn can_enter(
        &mut self,
        object: &Name,
        graph: GraphId,
        places: &[Place<'a>],
    ) -> bool {
        self.keys(object, graph)
            .any(|key| self.can_resolve(object, places, &key.fields.selection))
    }

    /// Keys by which `graph` takes an `object`.
    pub(super) fn keys(
        &self,
        object: &Name,
        graph: GraphId,
    ) -> impl Iterator<Item = &'a Key> + use<'a> {
        let def = self.schemas.subgraphs[graph]
            .types
            .get(object)
            .filter(|def| def.kind == Kind::Object);
        def.into_iter()
            .flat_map(|def| &def.keys)
            .filter(|key| key.resolvable)
    }

    /// Whether `selection` on `object` can be had from `places`, without following keys of `object` itself.
    pub(super) fn can_resolve(
        &mut self,
        object: &Name,
        places: &[Place<'a>],
        selection: &SelectionSet,
    ) -> bool {
        selection.selections.iter().all(|item| match item {
            Selection::Field(field) if field.name == "__typename" => true,
            Selection::Field(field) => {
                let values = self.values(object, &field.name, places);
                !values.is_empty() && self.can_resolve_values(&values, &field.selection_set)
            }
            Selection::InlineFragment(fragment) => {
                !self
                    .schemas
                    .applies(fragment.type_condition.as_ref(), object)
                    || self.can_resolve(object, places, &fragment.selection_set)
            }
            Selection::FragmentSpread(_) => false,
        })
    }

    fn can_resolve_values(&mut self, values: &[Value<'a>], selection: &SelectionSet) -> bool {
        selection.is_empty()
            || self
                .schemas
                .objects(values)
                .into_iter()
                .all(|(object, places)| {
                    let places = self.closure(&object, places);
                    self.can_resolve(&object, &places, selection)
                })
    }

    /// What asking for `field` of `object` gives at those of `places` where it can be asked for.
    pub(super) fn values(
        &mut self,
        object: &Name,
        field: &Name,
        places: &[Place<'a>],
    ) -> Vec<Value<'a>> {
        let mut values = Vec::new();
        for &place in places {
            if let Some(available) = self.schemas.available(object, field, place)
                && available
                    .requires
                    .is_none_or(|requires| self.satisfies(object, field, place, places, requires))
            {
                values.extend(available.values);
            }
        }
        values
    }

    /// Whether what `field` requires at `place` can be had: on the spot, or from elsewhere with a key to come back by.
    fn satisfies(
        &mut self,
        object: &Name,
        field: &Name,
        place: Place<'a>,
        places: &[Place<'a>],
        requires: &FieldSet,
    ) -> bool {
        let question = (object.clone(), field.clone(), place.graph);
        if !self.requiring.insert(question.clone()) {
            self.cuts += 1;
            return false;
        }
        let satisfied = self.can_resolve(object, &[place], &requires.selection)
            || (self.can_resolve(object, places, &requires.selection)
                && self.can_enter(object, place.graph, places));
        self.requiring.remove(&question);
        satisfied
    }
}
