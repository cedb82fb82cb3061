//! Visits every state that a query can reach, breadth first, so that the operation shown is a shortest one.
//!
//! Value types that many subgraphs share in different parts can have exponentially many states. When many wait, those
//! with the fewest places go first: what holds there holds in all states with more places, which are then skipped.

use std::collections::VecDeque;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, HashSet};

use super::contexts::{Contexts, Set, usable};
use super::explain::{self, Failure};
use super::places::{Place, Schemas};
use super::resolve::{Places, Resolver, is_type_known};
use crate::compose::merge::MergedField;
use crate::compose::subgraph::ROOTS;

/// One selection on the way to a state: `field`, and `... on condition` in it if the field is of an abstract type.
pub(super) struct Step {
    pub(super) parent: Option<usize>,
    pub(super) field: Name,
    pub(super) condition: Option<Name>,
}

/// From how many waiting states on the order is by places and no longer by distance from a root.
const MANY: usize = 1000;

struct State<'a> {
    object: Name,
    places: Places<'a>,
    /// Set by the objects above this one.
    contexts: Set<'a>,
    root: &'static str,
    step: Option<usize>,
}

pub(super) struct Walk<'a> {
    resolver: Resolver<'a>,
    queue: VecDeque<State<'a>>,
    contexts: Contexts<'a>,
    /// Per object type, sets of places and of contexts from which everything was visited. None includes another.
    visited: HashMap<Name, Vec<(Places<'a>, Set<'a>)>>,
    steps: Vec<Step>,
    failed: HashSet<(Name, Name)>,
    failures: Vec<Failure>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(schemas: Schemas<'a>) -> Self {
        Self {
            resolver: Resolver::new(schemas),
            queue: VecDeque::new(),
            contexts: Contexts::of(schemas.supergraph),
            visited: HashMap::default(),
            steps: Vec::new(),
            failed: HashSet::default(),
            failures: Vec::new(),
        }
    }

    /// Fields that cannot be reached on some path, each once. There is one if any exists; what lies behind a field that
    /// was reported may have more.
    pub(super) fn run(mut self) -> Vec<Failure> {
        for root in ROOTS {
            if let Some(def) = self.resolver.schemas.supergraph.types.get(root) {
                let above = (Vec::new(), Set::from([]));
                self.enter(def.name.clone(), above, root, None);
            }
        }
        while let Some(state) = self.next() {
            if self.is_needed(&state) {
                self.visit(&state);
            }
        }
        self.failures
    }

    fn next(&mut self) -> Option<State<'a>> {
        if self.queue.len() < MANY {
            return self.queue.pop_front();
        }
        let states = self.queue.iter().enumerate();
        let (position, _) = states.min_by_key(|(_, state)| state.places.len())?;
        self.queue.swap_remove_front(position)
    }

    /// Whether no state with fewer places of the same object was found while this one waited.
    fn is_needed(&self, state: &State<'a>) -> bool {
        let known = self.visited.get(&state.object);
        known.is_some_and(|known| {
            known.iter().any(|(places, set)| *places == state.places && *set == state.contexts)
        })
    }

    fn enter(
        &mut self,
        object: Name,
        (places, contexts): (Vec<Place<'a>>, Set<'a>),
        root: &'static str,
        step: Option<usize>,
    ) {
        let places = self.resolver.closure(&object, &places);
        let visited = self.visited.entry(object.clone()).or_default();
        let covers = |(a, set): &(Places<'a>, Set<'a>), b: &Places<'a>, other: &Set<'a>| {
            includes(b, a) && includes(other, set)
        };
        if visited.iter().any(|known| covers(known, &places, &contexts)) {
            return;
        }
        let state = (Places::clone(&places), Set::clone(&contexts));
        visited.retain(|(known, set)| !covers(&state, known, set));
        visited.push(state);
        self.queue.push_back(State { object, places, contexts, root, step });
    }

    fn visit(&mut self, state: &State<'a>) {
        let Some(def) = self.resolver.schemas.supergraph.types.get(&state.object) else {
            return;
        };
        if !is_type_known(&state.places) {
            return self.type_unknown(state);
        }
        for field in def.fields.values().filter(|field| !field.marks.inaccessible) {
            self.visit_field(state, field);
        }
    }

    /// The object is only at hand where something stands for its interface.
    fn type_unknown(&mut self, state: &State<'a>) {
        let Some(interface) = state.places.iter().find_map(|place| place.standing_for) else {
            return;
        };
        let typename = Name::new_unchecked("__typename");
        if self.failed.insert((interface.clone(), typename.clone())) {
            let operation = explain::operation(state.root, &self.steps, state.step, &typename);
            let failure =
                explain::unknown_type(&self.resolver, interface, &state.places, operation);
            self.failures.push(failure);
        }
    }

    fn visit_field(&mut self, state: &State<'a>, field: &MergedField) {
        let places = usable(field, &state.places, &state.contexts);
        let values = self.resolver.values(&state.object, &field.name, &places);
        if values.is_empty() {
            if self.failed.insert((state.object.clone(), field.name.clone())) {
                let operation =
                    explain::operation(state.root, &self.steps, state.step, &field.name);
                let failure = explain::failure(
                    &mut self.resolver,
                    &state.object,
                    &state.places,
                    field,
                    operation,
                );
                self.failures.push(failure);
            }
            return;
        }
        let declared = field.ty.inner_named_type();
        for (object, places) in self.resolver.schemas.objects(&values) {
            let types = &self.resolver.schemas.supergraph.types;
            if types.get(&object).is_none_or(|def| def.marks.inaccessible) {
                continue;
            }
            let condition = (object != *declared).then(|| object.clone());
            self.steps.push(Step { parent: state.step, field: field.name.clone(), condition });
            let step = self.steps.len() - 1;
            let contexts = self.contexts.below(&state.contexts, &state.object);
            self.enter(object, (places, contexts), state.root, Some(step));
        }
    }
}

/// Whether `all` has all of `others`; both are sorted.
fn includes<T: PartialEq>(all: &[T], others: &[T]) -> bool {
    let mut all = all.iter();
    others.iter().all(|other| all.any(|one| one == other))
}
