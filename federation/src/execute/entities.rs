//! Takes the answer of an entity fetch: entities to the rows that wait for them, errors to the client's paths.

use std::collections::HashMap;

use ahash::RandomState;

use crate::plan::{Entities, FetchNode, LocationStep, ValueReader};

use super::answer::Answered;
use super::arena::{Arena, Mark, Slot, count};
use super::errors::Errors;
use super::locate;
use super::represent::Batch;
use super::response::{ResponseError, ResponseErrorCode};
use super::run::of_subgraph;
use super::{PathSegment, SubgraphError};

/// Takes what was answered for `batch`; `before` is how far the arena was filled before it was read.
pub(super) fn take(
    node: &FetchNode,
    entities: &Entities,
    batch: &Batch,
    answered: Answered,
    before: &Mark,
    arena: &mut Arena<'_>,
    errors: &mut Errors,
) {
    let had_errors = !answered.errors.is_empty();
    let list = match answered.data {
        Some(row) => arena.get(node.reader.position, row, entities.slot),
        None => Slot::Absent,
    };
    let position = entities.location.position;
    let first = match list {
        Slot::Rows { first, count } if count == batch.asked => Some(first),
        _ => None,
    };
    take_errors(node, entities, batch, answered.errors, first, arena, errors);
    match (list, first) {
        (_, Some(first)) => {
            let is_bad = |arena: &Arena<'_>, row| arena.get(position, row, 0) == Slot::Invalid;
            if (0..batch.asked).any(|entity| is_bad(arena, first + entity)) {
                let bad = |place| is_bad(arena, first + place);
                report_bad(node, entities, batch, &bad, arena, errors);
            }
            merge(node, entities, batch, first, arena);
            arena.reset_rows(before, &[position, node.reader.position]);
        }
        (Slot::Rows { count, .. }, None) => {
            // Which of them are missing is not known, so none can be trusted to be where it belongs.
            let asked = batch.asked;
            malformed(
                node,
                format!("answered {count} entities where {asked} were asked for"),
                errors,
            );
            arena.reset(before);
        }
        (Slot::Absent | Slot::Null, None) if had_errors => {
            errors.mark_part(prefix(&entities.location.steps));
            arena.reset(before);
        }
        _ => {
            malformed(node, "answered no list of entities".to_owned(), errors);
            arena.reset(before);
        }
    }
}

/// An error of the whole fetch.
fn malformed(node: &FetchNode, what: String, errors: &mut Errors) {
    errors.add_for_part(
        ResponseError::new(
            ResponseErrorCode::SubrequestMalformedResponse,
            format!("subgraph {:?} {what}", node.subgraph),
            path_prefix(node),
        )
        .of_subgraph(&node.subgraph),
    );
}

/// Merges each entity into the rows that wait for it. Their objects are shared, unless what completes those could differ.
fn merge(node: &FetchNode, entities: &Entities, batch: &Batch, first: u32, arena: &mut Arena<'_>) {
    let position = entities.location.position;
    let object = node.reader.fields.iter().find_map(|field| match &field.value {
        ValueReader::Objects { object, .. } if field.slot == entities.slot => Some(object),
        _ => None,
    });
    let mut used = vec![false; if entities.unshared { batch.asked as usize } else { 0 }];
    for place in &batch.places {
        let mut source = first + place.entity;
        if let Some(used) = used.get_mut(place.entity as usize)
            && std::mem::replace(used, true)
        {
            source = arena.copy_row(position, source);
        }
        match object {
            Some(object) => arena.merge_fields(object, place.row, source),
            None => arena.merge(position, place.row, source),
        }
    }
}

/// Reports the places of entities that are no objects.
fn report_bad(
    node: &FetchNode,
    entities: &Entities,
    batch: &Batch,
    is_bad: &dyn Fn(u32) -> bool,
    arena: &Arena<'_>,
    errors: &mut Errors,
) {
    let entity_of: HashMap<u32, u32, RandomState> =
        batch.places.iter().map(|place| (place.row, place.entity)).collect();
    locate::paths(arena, &entities.location, &mut |row, path| {
        if entity_of.get(&row).is_some_and(|&entity| is_bad(entity)) {
            errors.add_for_part(
                ResponseError::new(
                    ResponseErrorCode::SubrequestMalformedResponse,
                    format!("subgraph {:?} answered an entity that is no object", node.subgraph),
                    path.to_vec(),
                )
                .of_subgraph(&node.subgraph),
            );
        }
    });
}

fn take_errors(
    node: &FetchNode,
    entities: &Entities,
    batch: &Batch,
    subgraph_errors: Vec<SubgraphError>,
    first: Option<u32>,
    arena: &Arena<'_>,
    errors: &mut Errors,
) {
    if subgraph_errors.is_empty() {
        return;
    }
    let waiting = waiting(entities, batch, arena);
    let position = entities.location.position;
    for error in subgraph_errors {
        let entity = match error.path.as_slice() {
            [PathSegment::Key(key), PathSegment::Index(entity), ..] if *key == entities.member => {
                *entity
            }
            _ => usize::MAX,
        };
        let paths = waiting.get(entity).map(Vec::as_slice).unwrap_or_default();
        if paths.is_empty() {
            errors.add_for_part(of_subgraph(error, node, path_prefix(node)));
            continue;
        }
        let is_missing =
            first.is_some_and(|first| arena.get(position, first + count(entity), 0) == Slot::Null);
        for path in paths {
            if is_missing {
                errors.mark_part(path.clone());
            }
            let path = path.iter().chain(&error.path[2..]).cloned().collect();
            errors.add(of_subgraph(error.clone(), node, path));
        }
    }
}

/// For each entity of the request, the paths of the places that wait for it.
fn waiting(entities: &Entities, batch: &Batch, arena: &Arena<'_>) -> Vec<Vec<Vec<PathSegment>>> {
    let mut waiting = vec![Vec::new(); batch.asked as usize];
    let entity_of: HashMap<u32, u32, RandomState> =
        batch.places.iter().map(|place| (place.row, place.entity)).collect();
    locate::paths(arena, &entities.location, &mut |row, path| {
        if let Some(&entity) = entity_of.get(&row) {
            waiting[entity as usize].push(path.to_vec());
        }
    });
    waiting
}

/// The part of a fetch's path that has no list: where an error stands that concerns the whole fetch.
pub(super) fn path_prefix(node: &FetchNode) -> Vec<PathSegment> {
    match &node.entities {
        Some(entities) => prefix(&entities.location.steps),
        None => prefix(&node.location.steps),
    }
}

fn prefix(steps: &[LocationStep]) -> Vec<PathSegment> {
    steps
        .iter()
        .take_while(|step| !matches!(step, LocationStep::Each))
        .filter_map(|step| match step {
            LocationStep::Key { key, .. } => Some(PathSegment::Key(key.clone())),
            LocationStep::Each | LocationStep::Types(_) => None,
        })
        .collect()
}
