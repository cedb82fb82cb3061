//! Takes the answer of an entity fetch: entities to the places that wait for them, errors to the client's paths.

use crate::plan::{Entities, FetchNode, Step};
use crate::value::{Object, Value};

use super::answer::Read;
use super::batch::{Batch, Places};
use super::errors::Errors;
use super::merge::merge_object;
use super::response::{ResponseError, ResponseErrorCode};
use super::run::of_subgraph;
use super::{PathSegment, SubgraphError, walk};

/// The member that answers representations.
const ENTITIES: &str = "_entities";

pub(super) fn take(
    node: &FetchNode,
    batch: Batch,
    response: Read,
    data: &mut Value,
    errors: &mut Errors,
) {
    let Some(entities) = &node.entities else {
        return;
    };
    let had_errors = !response.errors.is_empty();
    let answered = match response.data {
        Value::Object(mut object) => object.get_mut(ENTITIES).map(std::mem::take),
        _ => None,
    };
    let is_missing = |slot: usize| match &answered {
        Some(Value::List(items)) => matches!(items.get(slot), Some(Value::Null)),
        _ => false,
    };
    take_errors(node, entities, &batch, response.errors, &is_missing, errors);
    match answered {
        Some(Value::List(items)) => {
            let items = checked(node, entities, &batch, items, errors);
            scatter(entities, batch, items, data);
        }
        None | Some(Value::Null) if had_errors => errors.mark_part(path_prefix(node)),
        _ => errors.add_for_part(
            ResponseError::new(
                ResponseErrorCode::SubrequestMalformedResponse,
                format!("subgraph {:?} answered no list of entities", node.subgraph),
                path_prefix(node),
            )
            .of_subgraph(&node.subgraph),
        ),
    }
}

/// The items that can be used: as many as were asked for, none that is not an object.
fn checked(
    node: &FetchNode,
    entities: &Entities,
    batch: &Batch,
    items: Vec<Value>,
    errors: &mut Errors,
) -> Vec<Option<Object>> {
    let asked = batch.uses.len();
    if items.len() != asked {
        let message = format!(
            "subgraph {:?} answered {} entities where {asked} were asked for",
            node.subgraph,
            items.len(),
        );
        errors.add_for_part(
            ResponseError::new(
                ResponseErrorCode::SubrequestMalformedResponse,
                message,
                path_prefix(node),
            )
            .of_subgraph(&node.subgraph),
        );
        // Which of them are missing is not known, so none can be trusted to be where it belongs.
        return Vec::new();
    }
    let mut bad = Vec::new();
    let objects = items
        .into_iter()
        .enumerate()
        .map(|(slot, item)| match item {
            Value::Object(object) => Some(object),
            Value::Null => None,
            _ => {
                bad.push(slot);
                None
            }
        })
        .collect();
    if !bad.is_empty() {
        for place in 0..batch.places.len() {
            if bad.binary_search(&batch.places.slot(place)).is_ok() {
                errors.add_for_part(
                    ResponseError::new(
                        ResponseErrorCode::SubrequestMalformedResponse,
                        format!(
                            "subgraph {:?} answered an entity that is no object",
                            node.subgraph
                        ),
                        client_path(entities, batch.places.indexes(place)),
                    )
                    .of_subgraph(&node.subgraph),
                );
            }
        }
    }
    objects
}

/// Merges each entity into the objects that wait for it; the last one gets it without a copy.
fn scatter(entities: &Entities, batch: Batch, mut items: Vec<Option<Object>>, data: &mut Value) {
    let Batch { mut uses, places, .. } = batch;
    let mut next = 0;
    let mut visitor = |indexes: &[u32], object: &mut Object| {
        // Another fetch may have brought objects since, so the walk can pass more than those that wait.
        if next >= places.len() || places.indexes(next) != indexes {
            return;
        }
        let slot = places.slot(next);
        next += 1;
        uses[slot] -= 1;
        let entity = match items.get_mut(slot) {
            Some(item) if uses[slot] == 0 => item.take(),
            Some(item) => item.clone(),
            None => None,
        };
        if let Some(entity) = entity {
            merge_object(object, entity);
        }
    };
    walk::visit_mut(data, &entities.path, &mut Vec::new(), &mut visitor);
}

fn take_errors(
    node: &FetchNode,
    entities: &Entities,
    batch: &Batch,
    subgraph_errors: Vec<SubgraphError>,
    is_missing: &dyn Fn(usize) -> bool,
    errors: &mut Errors,
) {
    if subgraph_errors.is_empty() {
        return;
    }
    let waiting = waiting(&batch.places, batch.uses.len());
    for error in subgraph_errors {
        let places = match error.path.as_slice() {
            [PathSegment::Key(key), PathSegment::Index(slot), ..] if &**key == ENTITIES => {
                waiting.get(*slot).map(Vec::as_slice).unwrap_or_default()
            }
            _ => &[],
        };
        if places.is_empty() {
            errors.add_for_part(of_subgraph(error, node, path_prefix(node)));
            continue;
        }
        for &place in places {
            let mut path = client_path(entities, batch.places.indexes(place));
            if is_missing(batch.places.slot(place)) {
                errors.mark_part(path.clone());
            }
            path.extend_from_slice(&error.path[2..]);
            errors.add(of_subgraph(error.clone(), node, path));
        }
    }
}

/// For each representation, the places that wait for it.
fn waiting(places: &Places, slots: usize) -> Vec<Vec<usize>> {
    let mut waiting = vec![Vec::new(); slots];
    for place in 0..places.len() {
        waiting[places.slot(place)].push(place);
    }
    waiting
}

fn client_path(entities: &Entities, indexes: &[u32]) -> Vec<PathSegment> {
    let mut indexes = indexes.iter();
    entities
        .path
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(PathSegment::Key(key.clone())),
            Step::Each => indexes.next().map(|&index| PathSegment::Index(index as usize)),
            Step::Type(_) => None,
        })
        .collect()
}

/// The part of a fetch's path that has no list: where an error stands that concerns the whole fetch.
pub(super) fn path_prefix(node: &FetchNode) -> Vec<PathSegment> {
    let path = match &node.entities {
        Some(entities) => &entities.path,
        None => &node.at,
    };
    path.iter()
        .take_while(|step| !matches!(step, Step::Each))
        .filter_map(|step| match step {
            Step::Key(key) => Some(PathSegment::Key(key.clone())),
            Step::Each | Step::Type(_) => None,
        })
        .collect()
}
