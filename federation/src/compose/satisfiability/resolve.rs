//! What can be had from a place: by following keys to other subgraphs, and by fetching what a field requires.
//!
//! Keys and requirements are looked for from one place, with what can be reached from it, and not pieced together
//! from several places at which the value happens to be: a planner follows one path, and others than ours run our
//! supergraphs. Questions may lead back to themselves (keys that need each other, fields that require each other).
//! What can only be had by already having it cannot be had: the answers are the least ones that agree with each other.
//! They are found in rounds. A round asks each question once and takes the last round's answer, at first "no", where
//! one comes up again; the rounds end when one finds nothing more.

use std::mem;
use std::rc::Rc;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::executable::{Selection, SelectionSet};

use super::places::{Available, Place, Schemas, Value};
use crate::compose::merge::{GraphId, MergedField};
use crate::compose::subgraph::{FieldSet, Key, ROOTS};

/// Places, sorted and each once.
pub(super) type Places<'a> = Rc<[Place<'a>]>;

pub(super) struct Resolver<'a> {
    pub(super) schemas: Schemas<'a>,
    entries: HashMap<Name, Places<'a>>,
    /// What is known for good.
    known: Answers<'a>,
    /// What the rounds have found so far.
    found: Answers<'a>,
    /// What this round has asked for. Nothing but between rounds.
    asked: Option<Asked<'a>>,
    /// Whether this round found what the last one did not.
    found_more: bool,
}

/// The places that an object at hand in a place can be followed to.
type Reach<'a> = (Name, Place<'a>);
/// Whether what a field of an object requires at a place can be had.
type Requirement<'a> = (Name, Name, Place<'a>);

#[derive(Default)]
struct Answers<'a> {
    reached: HashMap<Reach<'a>, Places<'a>>,
    satisfied: HashMap<Requirement<'a>, bool>,
}

#[derive(Default)]
struct Asked<'a> {
    reached: HashSet<Reach<'a>>,
    satisfied: HashSet<Requirement<'a>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(schemas: Schemas<'a>) -> Self {
        Self {
            schemas,
            entries: HashMap::default(),
            known: Answers::default(),
            found: Answers::default(),
            asked: None,
            found_more: false,
        }
    }

    /// Every place where an `object` can be had that is at hand in any of `places`.
    pub(super) fn closure(&mut self, object: &Name, places: &[Place<'a>]) -> Places<'a> {
        if let [place] = places
            && !ROOTS.contains(&object.as_str())
        {
            return self.reach(object, *place);
        }
        let mut all =
            if ROOTS.contains(&object.as_str()) { self.roots(object) } else { Vec::new() };
        for place in places {
            all.extend_from_slice(&self.reach(object, *place));
        }
        sorted(all)
    }

    /// A root is at hand everywhere.
    fn roots(&self, object: &Name) -> Vec<Place<'a>> {
        let subgraphs = self.schemas.subgraphs.iter().enumerate();
        subgraphs
            .filter(|(_, subgraph)| subgraph.types.contains_key(object))
            .map(|(graph, _)| Place::by_key(graph, None))
            .collect()
    }

    /// Every place that an `object` at hand in `place` can be followed to by keys, and `place` itself.
    fn reach(&mut self, object: &Name, place: Place<'a>) -> Places<'a> {
        let question = (object.clone(), place);
        if let Some(known) = self.known.reached.get(&question) {
            return Rc::clone(known);
        }
        self.in_rounds(|this| {
            let before = this.found.reached.get(&question);
            let before = before.map_or_else(|| Rc::from([place]), Rc::clone);
            let is_new = this.asked.as_mut().is_some_and(|it| it.reached.insert(question.clone()));
            if !is_new {
                return before;
            }
            let mut places = this.follow_keys(object, place);
            places.extend_from_slice(&before);
            let reached = sorted(places);
            this.found_more |= reached != before;
            this.found.reached.insert(question.clone(), Rc::clone(&reached));
            reached
        })
    }

    /// Asks in this round; without one, in rounds until one finds nothing more, whose answers are then known.
    fn in_rounds<T>(&mut self, mut ask: impl FnMut(&mut Self) -> T) -> T {
        if self.asked.is_some() {
            return ask(self);
        }
        loop {
            self.asked = Some(Asked::default());
            self.found_more = false;
            let answer = ask(self);
            self.asked = None;
            if !self.found_more {
                let found = mem::take(&mut self.found);
                self.known.reached.extend(found.reached);
                self.known.satisfied.extend(found.satisfied);
                return answer;
            }
        }
    }

    fn follow_keys(&mut self, object: &Name, place: Place<'a>) -> Vec<Place<'a>> {
        let mut places = vec![place];
        let mut outside = self.entries(object).to_vec();
        outside.retain(|entry| *entry != place);
        loop {
            let before = outside.len();
            let mut next = 0;
            while let Some(&entered) = outside.get(next) {
                if !self.can_enter(object, entered, &places) {
                    next += 1;
                } else if let Some(known) = self.known.reached.get(&(object.clone(), entered)) {
                    places.extend(known.iter().filter(|known| outside.contains(known)));
                    outside.retain(|entry| known.binary_search(entry).is_err());
                } else {
                    places.push(entered);
                    outside.remove(next);
                }
            }
            if outside.len() == before {
                return places;
            }
        }
    }

    /// Every place that `object` can be followed to by some key, sorted.
    fn entries(&mut self, object: &Name) -> Places<'a> {
        if let Some(known) = self.entries.get(object) {
            return Rc::clone(known);
        }
        let mut places = Vec::new();
        for graph in 0..self.schemas.subgraphs.len() {
            for standing_for in self.schemas.entries(object, graph) {
                places.push(Place::by_key(graph, standing_for));
            }
        }
        let places = sorted(places);
        self.entries.insert(object.clone(), Rc::clone(&places));
        places
    }

    /// Whether `object` can be asked for at `entered` by a key that can be had from `places`.
    ///
    /// As long as it is only at hand where something stands for its interface, nobody knows its type, and it can be
    /// asked for by the name of that interface only.
    fn can_enter(&mut self, object: &Name, entered: Place<'a>, places: &[Place<'a>]) -> bool {
        let known = is_type_known(places);
        let mut at_hand = places.iter().filter_map(|place| place.standing_for);
        let names: Vec<&Name> = match entered.standing_for {
            Some(interface) if known || at_hand.any(|name| name == interface) => vec![interface],
            Some(_) => Vec::new(),
            None if known => vec![object],
            None => at_hand.collect(),
        };
        names.into_iter().any(|name| {
            self.keys(name, entered.graph)
                .any(|key| self.can_resolve(object, places, &key.fields.selection))
        })
    }

    /// Keys by which `graph` takes an entity called `name` there.
    pub(super) fn keys(
        &self,
        name: &Name,
        graph: GraphId,
    ) -> impl Iterator<Item = &'a Key> + use<'a> {
        let def = self.schemas.subgraphs[graph].types.get(name);
        def.into_iter().flat_map(|def| &def.keys).filter(|key| key.resolvable)
    }

    /// Whether `selection` on `object` can be had from `places`, without following more keys of `object` itself.
    fn can_resolve(
        &mut self,
        object: &Name,
        places: &[Place<'a>],
        selection: &SelectionSet,
    ) -> bool {
        selection.selections.iter().all(|item| match item {
            Selection::Field(field) if field.name == "__typename" => true,
            Selection::Field(field) if field.selection_set.is_empty() => {
                let merged = self.schemas.merged_field(object, &field.name);
                places
                    .iter()
                    .any(|place| self.available(object, merged, &field.name, *place).is_some())
            }
            Selection::Field(field) => {
                let values = self.values(object, &field.name, places);
                !values.is_empty() && self.can_resolve_values(&values, &field.selection_set)
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.type_condition.as_ref();
                let decidable = is_type_known(places)
                    || places
                        .iter()
                        .any(|place| condition.is_none_or(|name| place.standing_for == Some(name)));
                decidable
                    && (!self.schemas.applies(condition, object)
                        || self.can_resolve(object, places, &fragment.selection_set))
            }
            Selection::FragmentSpread(_) => false,
        })
    }

    fn can_resolve_values(&mut self, values: &[Value<'a>], selection: &SelectionSet) -> bool {
        selection.is_empty()
            || self.schemas.objects(values).into_iter().all(|(object, places)| {
                let places = self.closure(&object, &places);
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
        let merged = self.schemas.merged_field(object, field);
        places
            .iter()
            .filter_map(|place| self.available(object, merged, field, *place))
            .flat_map(|available| available.values)
            .collect()
    }

    /// The field of `object` at `place`, if it can be asked for there and what it requires can be had. `merged` is the
    /// field in the supergraph.
    fn available(
        &mut self,
        object: &Name,
        merged: Option<&'a MergedField>,
        field: &Name,
        place: Place<'a>,
    ) -> Option<Available<'a>> {
        let available = self.schemas.available(object, merged, field, place)?;
        let satisfied = available
            .requires
            .is_none_or(|requires| self.satisfies(object, field, place, requires));
        satisfied.then_some(available)
    }

    /// Whether what `field` requires at `place` can be had: on the spot, or from elsewhere with a key to come back by.
    fn satisfies(
        &mut self,
        object: &Name,
        field: &Name,
        place: Place<'a>,
        requires: &FieldSet,
    ) -> bool {
        let question = (object.clone(), field.clone(), place);
        if let Some(known) = self.known.satisfied.get(&question) {
            return *known;
        }
        self.in_rounds(|this| {
            let before = this.found.satisfied.get(&question).copied().unwrap_or_default();
            let is_new =
                this.asked.as_mut().is_some_and(|it| it.satisfied.insert(question.clone()));
            if !is_new || before {
                return before;
            }
            let places = this.reach(object, place);
            let satisfied = this.can_resolve(object, &[place], &requires.selection)
                || (this.can_resolve(object, &places, &requires.selection)
                    && places.contains(&place.re_entered()));
            this.found_more |= satisfied;
            this.found.satisfied.insert(question.clone(), satisfied);
            satisfied
        })
    }
}

/// Whether any of the subgraphs where an object is at hand can tell its type.
pub(super) fn is_type_known(places: &[Place<'_>]) -> bool {
    places.iter().any(|place| place.standing_for.is_none())
}

/// Without places that have nothing over another one, so that fewer sets of them are different.
fn sorted(mut places: Vec<Place<'_>>) -> Places<'_> {
    places.sort_unstable();
    places.dedup();
    let all = places.clone();
    places.retain(|place| {
        let entered = place.re_entered();
        *place == entered || !place.is_plain() || all.binary_search(&entered).is_err()
    });
    Rc::from(places)
}
