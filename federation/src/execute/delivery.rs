//! Which parts of an answer are to come, which can be delivered, and what the client was told of them: the specification's
//! incremental delivery, over the parts that the projection left out.
//!
//! A part can be delivered once all fetches made for its deferred fragments are done. A fragment at one place of the answer is
//! announced (`pending`) when the first of its parts is found, and completed when all are delivered, or when one of them became
//! null.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::operation::{DeferSet, DeferUsage};
use crate::value::Object;

use super::PathSegment;
use super::Started;
use super::arena::Arena;
use super::errors::Errors;
use super::payload::{
    Completed, Delivery, Incremental, InitialResponse, Payload, Pending, SubsequentResponse,
};
use super::project::{Found, Part, Projection};
use super::response::{Response, ResponseError};

/// The state of an incremental delivery.
pub(super) struct Deliveries<'s> {
    started: &'s Started,
    /// For each set of deferred fragments, how many fetches made for it are not done.
    open: BTreeMap<DeferSet, usize>,
    errors: BTreeMap<DeferSet, Errors>,
    announced: Vec<Announced>,
    waiting: Vec<Waiting<'s>>,
    began: bool,
}

/// What the client was told of.
struct Announced {
    pending: Pending,
    /// The deferred fragment; none for a list.
    usage: Option<usize>,
    /// How many of its parts were found and not delivered.
    waiting: usize,
    is_completed: bool,
}

/// A part to come, and what was announced that it belongs to.
struct Waiting<'s> {
    found: Found<'s>,
    announced: Vec<usize>,
}

impl<'s> Deliveries<'s> {
    pub(super) fn new(started: &'s Started) -> Self {
        let mut open: BTreeMap<DeferSet, usize> = BTreeMap::new();
        for fetch in &started.variant.plan.fetches {
            *open.entry(fetch.defer).or_default() += 1;
        }
        Self {
            started,
            open,
            errors: BTreeMap::new(),
            announced: Vec::new(),
            waiting: Vec::new(),
            began: false,
        }
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
            !part.has_next || !(part.incremental.is_empty() && part.completed.is_empty());
        says_something.then_some(Payload::Subsequent(part))
    }

    fn initial(&mut self, arena: &Arena<'_>) -> Payload {
        self.began = true;
        let errors = self.errors.remove(&DeferSet::NONE).unwrap_or_default();
        let variables: &'s Object = &self.started.variables;
        let mut projection =
            Projection::new(arena, &self.started.introspected, errors).in_parts(variables);
        projection.root(&self.started.variant.shape);
        let pending = self.announce(projection.found());
        let data = std::mem::take(&mut projection.out);
        let mut errors = projection.errors;
        let response = Response { data, errors: errors.take() };
        self.errors.insert(DeferSet::NONE, errors);
        if pending.is_empty() {
            Payload::Response(response)
        } else {
            Payload::Initial(InitialResponse { response, pending })
        }
    }

    fn subsequent(&mut self, ready: Vec<Waiting<'s>>, arena: &Arena<'_>) -> SubsequentResponse {
        let mut part = SubsequentResponse::default();
        for waiting in ready {
            if waiting.announced.iter().all(|&index| self.announced[index].is_completed) {
                // All that it belongs to became null.
                continue;
            }
            self.deliver(&waiting, arena, &mut part);
        }
        for announced in &mut self.announced {
            if announced.waiting == 0 && !announced.is_completed {
                announced.is_completed = true;
                let pending = announced.pending.clone();
                part.completed.push(Completed { pending, errors: Vec::new() });
            }
        }
        part.has_next = self.announced.iter().any(|announced| !announced.is_completed);
        part
    }

    fn deliver(&mut self, waiting: &Waiting<'s>, arena: &Arena<'_>, part: &mut SubsequentResponse) {
        let Waiting { found, announced } = waiting;
        let set = set_of(found);
        let errors = self.errors.remove(&set).unwrap_or_default();
        let variables: &'s Object = &self.started.variables;
        let mut projection =
            Projection::new(arena, &self.started.introspected, errors).in_parts(variables);
        let is_written = projection.part(found);
        let json = std::mem::take(&mut projection.out);
        let inner = projection.found();
        let mut errors = projection.errors;
        let told = errors.take_at(&found.path);
        self.errors.insert(set, errors);
        for &index in announced {
            self.announced[index].waiting -= 1;
        }
        if is_written {
            let pending = self.announced[self.closest(announced)].pending.clone();
            let sub_path = found.path[pending.path.len()..].to_vec();
            let delivery = match found.part {
                Part::Fields { .. } => Delivery::Data(json),
                Part::Items { from, .. } => Delivery::Items { json, first: from as usize },
            };
            part.incremental.push(Incremental { pending, sub_path, delivery, errors: told });
            part.pending.extend(self.announce(inner));
        } else {
            self.fail(announced, &told, part);
        }
    }

    /// Of what a part belongs to, the innermost.
    fn closest(&self, announced: &[usize]) -> usize {
        let open = announced.iter().copied().filter(|&index| !self.announced[index].is_completed);
        open.max_by_key(|&index| self.announced[index].pending.path.len()).unwrap_or_default()
    }

    fn fail(
        &mut self,
        announced: &[usize],
        errors: &[ResponseError],
        part: &mut SubsequentResponse,
    ) {
        for &index in announced {
            let announced = &mut self.announced[index];
            if !std::mem::replace(&mut announced.is_completed, true) {
                let pending = announced.pending.clone();
                part.completed.push(Completed { pending, errors: errors.to_vec() });
            }
        }
    }

    /// Takes in parts that were found, and tells what is new to the client.
    fn announce(&mut self, found: Vec<Found<'s>>) -> Vec<Pending> {
        let known = self.announced.len();
        for found in found {
            let announced = match &found.part {
                Part::Items { stream, .. } => {
                    vec![self.announced_at(None, &found.path, stream.label.as_ref())]
                }
                Part::Fields { of, .. } => of
                    .usages()
                    .filter_map(|usage| Some((usage, self.started.variant.defers.get(usage)?)))
                    .map(|(usage, fragment)| {
                        let path = place_of(fragment, &found.path);
                        self.announced_at(Some(usage), path, fragment.label.as_ref())
                    })
                    .collect(),
            };
            for &index in &announced {
                self.announced[index].waiting += 1;
            }
            self.waiting.push(Waiting { found, announced });
        }
        self.announced[known..].iter().map(|announced| announced.pending.clone()).collect()
    }

    fn announced_at(
        &mut self,
        usage: Option<usize>,
        path: &[PathSegment],
        label: Option<&Arc<str>>,
    ) -> usize {
        let known = self.announced.iter().position(|known| {
            known.usage == usage && known.pending.path == path && usage.is_some()
        });
        known.unwrap_or_else(|| {
            let id = self.announced.len();
            let pending = Pending { id, path: path.to_vec(), label: label.cloned() };
            self.announced.push(Announced { pending, usage, waiting: 0, is_completed: false });
            id
        })
    }
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
