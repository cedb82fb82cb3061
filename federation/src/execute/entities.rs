//! Takes the answer of an entity fetch: entities to the rows that wait for them, errors to the client's paths.

use std::collections::HashMap;

use ahash::RandomState;

use crate::plan::{Entities, FetchNode, LocationStep, ObjectReader, TYPE_SLOT, ValueReader};

use super::answer::Answered;
use super::arena::{Arena, Mark, Slot, count};
use super::errors::Errors;
use super::locate;
use super::represent::Batch;
use super::response::{ResponseError, ResponseErrorCode};
use super::run::of_subgraph;
use super::{PathSegment, SubgraphError};

/// Takes what was answered for `batches`; `before` is how far the arena was filled before it was read.
pub(super) fn take(
    node: &FetchNode,
    batches: &[Batch],
    answered: Answered,
    before: &Mark,
    arena: &mut Arena<'_>,
    errors: &mut Errors,
) {
    let had_errors = !answered.errors.is_empty();
    let places = node.entities.iter().zip(&node.reader.fields).zip(batches);
    let lists: Vec<List<'_>> = places
        .filter_map(|((entities, field), batch)| match &field.value {
            ValueReader::Objects { object, .. } => {
                let slot = answered.data.map_or(Slot::Absent, |row| {
                    arena.get(node.reader.position, row, entities.slot)
                });
                Some(List { node, entities, batch, reader: object, slot })
            }
            _ => None,
        })
        .collect();
    if had_errors {
        take_errors(node, &lists, answered.errors, arena, errors);
    }
    for list in &lists {
        list.report(had_errors, arena, errors);
        if let Some(first) = list.first() {
            list.merge(first, arena);
        }
    }
    if lists.iter().all(|list| list.first().is_none()) {
        arena.reset(before);
    }
    arena.reset_rows(before, node.reader.position);
    for list in &lists {
        // What one list's entities have inside can be at the place of another list, and is in use now.
        let position = list.reader.position;
        if !lists.iter().any(|other| other.reader.has_inside(position)) {
            arena.reset_rows(before, position);
        }
    }
}

/// The entities that were answered for one place.
struct List<'a> {
    node: &'a FetchNode,
    entities: &'a Entities,
    batch: &'a Batch,
    reader: &'a ObjectReader,
    slot: Slot,
}

impl List<'_> {
    /// The first entity, if there are as many as were asked for. Otherwise it is not known which of them are missing, and none
    /// can be trusted to be where it belongs.
    fn first(&self) -> Option<u32> {
        match self.slot {
            Slot::Rows { first, count } if count == self.batch.asked => Some(first),
            _ => None,
        }
    }

    /// What stands in the place of an object in the list, if something does.
    fn type_of(&self, arena: &Arena<'_>, entity: u32) -> Slot {
        self.first().map_or(Slot::Absent, |first| {
            arena.get(self.reader.position, first + entity, TYPE_SLOT)
        })
    }

    /// Reports what of the list is not as it should be.
    fn report(&self, had_errors: bool, arena: &Arena<'_>, errors: &mut Errors) {
        let asked = self.batch.asked;
        let what = match self.slot {
            _ if asked == 0 => return,
            Slot::Rows { count, .. } if count == asked => {
                if (0..asked).any(|entity| self.type_of(arena, entity) == Slot::Invalid) {
                    self.report_bad(arena, errors);
                }
                return;
            }
            Slot::Absent | Slot::Null if had_errors => {
                errors.mark_part(prefix(&self.entities.location.steps));
                return;
            }
            Slot::Rows { count, .. } => {
                format!("{count} entities where {asked} were asked for")
            }
            _ => "no list of entities".to_owned(),
        };
        errors.add_for_part(self.malformed(&what, prefix(&self.entities.location.steps)));
    }

    fn malformed(&self, what: &str, path: Vec<PathSegment>) -> ResponseError {
        let subgraph = &self.node.subgraph;
        ResponseError::new(
            ResponseErrorCode::SubrequestMalformedResponse,
            format!("subgraph {subgraph:?} answered {what}"),
            path,
        )
        .of_subgraph(subgraph)
    }

    /// Reports the places of entities that are no objects.
    fn report_bad(&self, arena: &Arena<'_>, errors: &mut Errors) {
        self.places(arena, &mut |entity, path| {
            if self.type_of(arena, entity) == Slot::Invalid {
                let error = self.malformed("an entity that is no object", path.to_vec());
                errors.add_for_part(error);
            }
        });
    }

    /// Calls `visitor` with each place that waits for an entity: the entity's index and the path.
    fn places(&self, arena: &Arena<'_>, visitor: &mut dyn FnMut(u32, &[PathSegment])) {
        let places = self.batch.places.iter();
        let entity_of: HashMap<u32, u32, RandomState> =
            places.map(|place| (place.row, place.entity)).collect();
        locate::paths(arena, &self.entities.location, &mut |row, path| {
            if let Some(&entity) = entity_of.get(&row) {
                visitor(entity, path);
            }
        });
    }

    /// Merges each entity into the rows that wait for it. Their objects are shared, unless what completes those could differ.
    fn merge(&self, first: u32, arena: &mut Arena<'_>) {
        let Self { entities, batch, reader, .. } = self;
        let mut used = vec![false; if entities.unshared { batch.asked as usize } else { 0 }];
        for place in &batch.places {
            let mut source = first + place.entity;
            if let Some(used) = used.get_mut(place.entity as usize)
                && std::mem::replace(used, true)
            {
                source = arena.copy_row(reader.position, source);
            }
            arena.merge_fields(reader, place.row, source);
        }
    }
}

fn take_errors(
    node: &FetchNode,
    lists: &[List<'_>],
    subgraph_errors: Vec<SubgraphError>,
    arena: &Arena<'_>,
    errors: &mut Errors,
) {
    // For each entity of each list, the paths of the places that wait for it.
    let mut waiting: Vec<Vec<Vec<Vec<PathSegment>>>> = Vec::with_capacity(lists.len());
    for list in lists {
        let mut paths = vec![Vec::new(); list.batch.asked as usize];
        list.places(arena, &mut |entity, path| paths[entity as usize].push(path.to_vec()));
        waiting.push(paths);
    }
    for error in subgraph_errors {
        let of_list = match error.path.first() {
            Some(PathSegment::Key(key)) => {
                lists.iter().position(|list| list.entities.member == *key)
            }
            _ => None,
        };
        let of_entity = match (of_list, error.path.get(1)) {
            (Some(list), Some(PathSegment::Index(entity))) => {
                waiting[list].get(*entity).map(|paths| (list, *entity, paths.as_slice()))
            }
            _ => None,
        };
        match (of_list, of_entity) {
            (_, Some((list, entity, paths))) if !paths.is_empty() => {
                let is_missing = lists[list].type_of(arena, count(entity)) == Slot::Null;
                for path in paths {
                    if is_missing {
                        errors.mark_part(path.clone());
                    }
                    let path = path.iter().chain(&error.path[2..]).cloned().collect();
                    errors.add(of_subgraph(error.clone(), node, path));
                }
            }
            (Some(list), _) => {
                let path = prefix(&lists[list].entities.location.steps);
                errors.add_for_part(of_subgraph(error, node, path));
            }
            (None, _) => {
                for path in prefixes(node) {
                    errors.add_for_part(of_subgraph(error.clone(), node, path));
                }
            }
        }
    }
}

/// Where an error stands that concerns a whole fetch: at each place, or around each list of places, that it completes.
pub(super) fn prefixes(node: &FetchNode) -> Vec<Vec<PathSegment>> {
    if node.entities.is_empty() {
        return vec![prefix(&node.location.steps)];
    }
    let mut prefixes = Vec::with_capacity(node.entities.len());
    for entities in &node.entities {
        let prefix = prefix(&entities.location.steps);
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    prefixes
}

/// The part of a path that has no list.
pub(super) fn prefix(steps: &[LocationStep]) -> Vec<PathSegment> {
    steps
        .iter()
        .take_while(|step| !matches!(step, LocationStep::Each))
        .filter_map(|step| match step {
            LocationStep::Key { key, .. } => Some(PathSegment::Key(key.clone())),
            LocationStep::Each | LocationStep::Types(_) => None,
        })
        .collect()
}
