//! Which parts of an answer are to come, which can be delivered, and what the client was told of them: the specification's
//! incremental delivery, over the parts that the projection left out.
//!
//! A part can be delivered once all fetches made for its deferred fragments are done. A fragment at one place of the answer is
//! announced (`pending`) when the first of its parts is found and the fragments around it are completed there; it is completed when
//! all its parts are delivered, or when one of them became null, and then nothing comes of the fragments inside it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ahash::RandomState;

use crate::operation::{DeferSet, DeferUsage};

use super::PathSegment;
use super::Started;
use super::arena::Arena;
use super::errors::Errors;
use super::payload::{
    Completed, Delivery, Incremental, InitialResponse, Payload, Pending, SubsequentResponse,
};
use super::project::{Found, Part, Projection, to_client_keys};
use super::response::{Response, ResponseError};

/// The state of an incremental delivery.
pub(super) struct Deliveries<'s> {
    started: &'s Started,
    /// How many bytes each part may have.
    most: usize,
    /// For each set of deferred fragments, how many fetches made for it are not done.
    open: BTreeMap<DeferSet, usize>,
    errors: BTreeMap<DeferSet, Errors>,
    announced: Vec<Announced>,
    /// The fragments among them, by their places.
    places: HashMap<Place, usize, RandomState>,
    /// Parts of what was announced.
    waiting: Vec<Waiting<'s>>,
    /// Parts of fragments that others around them hold back.
    held: Vec<Found<'s>>,
    began: bool,
}

/// A deferred fragment, by its number, at one place of the answer.
type Place = (usize, Vec<PathSegment>);

/// What the client was told of.
struct Announced {
    pending: Pending,
    /// How many of its parts are not delivered.
    waiting: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Completed,
    /// One of its parts became null.
    Failed,
}

/// A part to come, and what was announced that it belongs to.
struct Waiting<'s> {
    found: Found<'s>,
    announced: Vec<usize>,
}

impl<'s> Deliveries<'s> {
    /// What is written of a plan's answers, at most `most` bytes at a time.
    pub(super) fn new(started: &'s Started, most: usize) -> Self {
        let mut open: BTreeMap<DeferSet, usize> = BTreeMap::new();
        for fetch in &started.variant.plan.fetches {
            *open.entry(fetch.defer).or_default() += 1;
        }
        Self {
            started,
            most,
            open,
            errors: BTreeMap::new(),
            announced: Vec::new(),
            places: HashMap::default(),
            waiting: Vec::new(),
            held: Vec::new(),
            began: false,
        }
    }

    /// The errors that are told with the first part.
    pub(super) fn told_at_once(&mut self) -> &mut Errors {
        self.errors.entry(DeferSet::NONE).or_default()
    }

    /// The errors of what is fetched for the same fragments as `fetch`.
    pub(super) fn errors_of(&mut self, fetch: usize) -> &mut Errors {
        let defer = self.started.variant.plan.fetches[fetch].defer;
        self.errors.entry(defer).or_default()
    }

    /// Notes that a fetch is done.
    pub(super) fn done(&mut self, fetch: usize) {
        let defer = self.started.variant.plan.fetches[fetch].defer;
        if let Some(open) = self.open.get_mut(&defer) {
            *open -= 1;
        }
    }

    fn is_fetched(&self, set: DeferSet) -> bool {
        self.open.get(&set).is_none_or(|&open| open == 0)
    }

    /// What can be delivered now, if anything can.
    pub(super) fn next(&mut self, arena: &Arena<'_>) -> Option<Payload> {
        if !self.began {
            return self.is_fetched(DeferSet::NONE).then(|| self.initial(arena));
        }
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|part| self.is_fetched(set_of(&part.found)));
        self.waiting = waiting;
        if ready.is_empty() {
            return None;
        }
        let part = self.subsequent(ready, arena);
        let says_something =
            !(part.has_next && part.incremental.is_empty() && part.completed.is_empty());
        says_something.then_some(Payload::Subsequent(part))
    }

    fn initial(&mut self, arena: &Arena<'_>) -> Payload {
        self.began = true;
        let errors = self.errors.remove(&DeferSet::NONE).unwrap_or_default();
        let mut projection = Projection::new(self.started, arena, errors, self.most).in_parts();
        projection.root();
        self.held.extend(projection.found());
        let pending = self.announce();
        let (data, cost) = (std::mem::take(&mut projection.out), projection.cost());
        let mut errors = projection.errors;
        let response = Response { data, errors: self.told(errors.take()), cost };
        self.errors.insert(DeferSet::NONE, errors);
        if pending.is_empty() {
            Payload::Response(response)
        } else {
            Payload::Initial(InitialResponse { response, pending })
        }
    }

    fn subsequent(&mut self, ready: Vec<Waiting<'s>>, arena: &Arena<'_>) -> SubsequentResponse {
        let mut part = SubsequentResponse { cost: Some(0.0), ..SubsequentResponse::default() };
        for waiting in ready {
            if waiting.announced.iter().any(|&index| self.is_open(index)) {
                self.deliver(&waiting, arena, &mut part);
            }
        }
        part.pending.extend(self.announce());
        for announced in &mut self.announced {
            if announced.waiting == 0 && announced.state == State::Open {
                announced.state = State::Completed;
                let pending = announced.pending.clone();
                part.completed.push(Completed { pending, errors: Vec::new() });
            }
        }
        // What is completed holds nothing back any more.
        part.pending.extend(self.announce());
        part.has_next = self.announced.iter().any(|announced| announced.state == State::Open);
        part
    }

    fn is_open(&self, index: usize) -> bool {
        self.announced[index].state == State::Open
    }

    fn deliver(&mut self, waiting: &Waiting<'s>, arena: &Arena<'_>, part: &mut SubsequentResponse) {
        let Waiting { found, announced } = waiting;
        let set = set_of(found);
        let errors = self.errors.remove(&set).unwrap_or_default();
        let mut projection = Projection::new(self.started, arena, errors, self.most).in_parts();
        let is_written = projection.part(found);
        let json = std::mem::take(&mut projection.out);
        part.cost = part.cost.zip(projection.cost()).map(|(before, here)| before + here);
        let inner = projection.found();
        let mut errors = projection.errors;
        let told = self.told(errors.take_at(&found.path));
        self.errors.insert(set, errors);
        for &index in announced {
            self.announced[index].waiting -= 1;
        }
        if is_written {
            let pending = self.announced[self.closest(announced)].pending.clone();
            let sub_path = self.client_path(&found.path[pending.path.len()..]);
            let delivery = match found.part {
                Part::Fields { .. } => Delivery::Data(json),
                Part::Items { from, .. } => Delivery::Items { json, first: from as usize },
            };
            part.incremental.push(Incremental { pending, sub_path, delivery, errors: told });
            self.held.extend(inner);
        } else {
            self.fail(announced, &told, part);
        }
    }

    /// Of what a part belongs to, the innermost.
    fn closest(&self, announced: &[usize]) -> usize {
        let open = announced.iter().copied().filter(|&index| self.is_open(index));
        open.max_by_key(|&index| self.announced[index].pending.path.len()).unwrap_or_default()
    }

    fn fail(
        &mut self,
        announced: &[usize],
        errors: &[ResponseError],
        part: &mut SubsequentResponse,
    ) {
        for &index in announced {
            if !self.is_open(index) {
                continue;
            }
            let announced = &mut self.announced[index];
            announced.state = State::Failed;
            let pending = announced.pending.clone();
            part.completed.push(Completed { pending, errors: errors.to_vec() });
        }
    }

    /// Announces the parts that nothing holds back, and forgets those of which nothing comes. Returns what is new to the client.
    fn announce(&mut self) -> Vec<Pending> {
        let known = self.announced.len();
        loop {
            let held = std::mem::take(&mut self.held);
            let before = held.len();
            let holding: HashSet<Place, RandomState> =
                held.iter().flat_map(|found| self.places_of(found)).collect();
            for found in held {
                match self.fate(&found, &holding) {
                    Fate::Held => self.held.push(found),
                    Fate::Lost => {}
                    Fate::Free(announced) => {
                        for &index in &announced {
                            self.announced[index].waiting += 1;
                        }
                        self.waiting.push(Waiting { found, announced });
                    }
                }
            }
            if self.held.len() == before || self.held.is_empty() {
                break;
            }
        }
        self.announced[known..].iter().map(|announced| announced.pending.clone()).collect()
    }

    fn fate(&mut self, found: &Found<'s>, holding: &HashSet<Place, RandomState>) -> Fate {
        if let Part::Items { stream, .. } = &found.part {
            return Fate::Free(vec![self.add(found.path.clone(), stream.label.clone())]);
        }
        let (mut free, mut is_held) = (Vec::new(), false);
        for place in self.places_of(found) {
            let fragment = &self.started.variant.defers[place.0];
            let around = fragment.around.usages().map(|usage| {
                let path = self.started.variant.defers.get(usage);
                (usage, path.map_or(&[][..], |outer| place_of(outer, &found.path)).to_vec())
            });
            let (mut holds, mut failed) = (false, false);
            for outer in around {
                let state = self.places.get(&outer).map(|&index| self.announced[index].state);
                holds |=
                    state == Some(State::Open) || (state.is_none() && holding.contains(&outer));
                failed |= state == Some(State::Failed);
            }
            match (failed, holds) {
                (true, _) => {}
                (false, true) => is_held = true,
                (false, false) => free.push((place, fragment.label.clone())),
            }
        }
        if free.is_empty() {
            return if is_held { Fate::Held } else { Fate::Lost };
        }
        let announced = free.into_iter().map(|(place, label)| self.announced_at(place, label));
        Fate::Free(announced.collect())
    }

    /// A path by the client's own keys.
    fn client_path(&self, path: &[PathSegment]) -> Vec<PathSegment> {
        let mut path = path.to_vec();
        to_client_keys(&self.started.variant.shape, &mut path);
        path
    }

    fn told(&self, mut errors: Vec<ResponseError>) -> Vec<ResponseError> {
        for error in &mut errors {
            to_client_keys(&self.started.variant.shape, &mut error.path);
        }
        errors
    }

    /// The fragments that a part belongs to, where it stands.
    fn places_of(&self, found: &Found<'_>) -> Vec<Place> {
        let Part::Fields { of, .. } = found.part else { return Vec::new() };
        let defers = &self.started.variant.defers;
        of.usages()
            .filter_map(|usage| Some((usage, place_of(defers.get(usage)?, &found.path).to_vec())))
            .collect()
    }

    fn announced_at(&mut self, place: Place, label: Option<Arc<str>>) -> usize {
        if let Some(&known) = self.places.get(&place) {
            return known;
        }
        let index = self.add(place.1.clone(), label);
        // What others were announced with, and still wait for, may be of this fragment, too: it is not complete without that.
        for waiting in 0..self.waiting.len() {
            if self.places_of(&self.waiting[waiting].found).contains(&place) {
                self.waiting[waiting].announced.push(index);
                self.announced[index].waiting += 1;
            }
        }
        self.places.insert(place, index);
        index
    }

    fn add(&mut self, path: Vec<PathSegment>, label: Option<Arc<str>>) -> usize {
        let id = self.announced.len();
        let pending = Pending { id, path: self.client_path(&path), label };
        self.announced.push(Announced { pending, waiting: 0, state: State::Open });
        id
    }
}

/// What becomes of a part that was found.
enum Fate {
    /// A fragment around it is not completed.
    Held,
    /// All that it belongs to stands in fragments that failed.
    Lost,
    /// It belongs to these, which are announced.
    Free(Vec<usize>),
}

/// The fragments for which fetches are made that bring a part.
fn set_of(found: &Found<'_>) -> DeferSet {
    match found.part {
        Part::Fields { of, .. } => of,
        Part::Items { .. } => found.within,
    }
}

/// The object that a fragment stands on, on the way to a part of it: as many response keys in as the fragment is.
fn place_of<'p>(fragment: &DeferUsage, path: &'p [PathSegment]) -> &'p [PathSegment] {
    let keys =
        path.iter().enumerate().filter(|(_, segment)| matches!(segment, PathSegment::Key(_)));
    let end = keys.map(|(index, _)| index).nth(fragment.depth).unwrap_or(path.len());
    &path[..end]
}
