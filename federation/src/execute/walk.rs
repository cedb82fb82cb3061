//! Walks the data along a fetch's path, to read or to change the objects at its end.
//!
//! Both walks call their visitor in the same order, with the indexes of the lists on the way.

use std::sync::Arc;

use crate::plan::Step;
use crate::value::{Object, Value};

/// Calls `visitor` with each object at the end of `path`.
pub(super) fn visit<'v>(
    data: &'v Value,
    path: &[Step],
    indexes: &mut Vec<u32>,
    visitor: &mut dyn FnMut(&[u32], &'v Object),
) {
    match (path.split_first(), data) {
        (None, Value::Object(object)) => visitor(indexes, object),
        (Some((Step::Key(key), rest)), Value::Object(object)) => {
            if let Some(value) = object.get(key) {
                visit(value, rest, indexes, visitor);
            }
        }
        (Some((Step::Each, rest)), Value::List(items)) => {
            for (index, item) in (0..).zip(items) {
                indexes.push(index);
                visit(item, rest, indexes, visitor);
                indexes.pop();
            }
        }
        (Some((Step::Type(types), rest)), Value::Object(object)) if is_any_of(object, types) => {
            visit(data, rest, indexes, visitor);
        }
        _ => {}
    }
}

/// Calls `visitor` with each object at the end of `path`, to change.
pub(super) fn visit_mut(
    data: &mut Value,
    path: &[Step],
    indexes: &mut Vec<u32>,
    visitor: &mut dyn FnMut(&[u32], &mut Object),
) {
    match path.split_first() {
        None => {
            if let Value::Object(object) = data {
                visitor(indexes, object);
            }
        }
        Some((Step::Key(key), rest)) => {
            if let Value::Object(object) = data
                && let Some(value) = object.get_mut(key)
            {
                visit_mut(value, rest, indexes, visitor);
            }
        }
        Some((Step::Each, rest)) => {
            if let Value::List(items) = data {
                for (index, item) in (0..).zip(items) {
                    indexes.push(index);
                    visit_mut(item, rest, indexes, visitor);
                    indexes.pop();
                }
            }
        }
        Some((Step::Type(types), rest)) => {
            if matches!(&*data, Value::Object(object) if is_any_of(object, types)) {
                visit_mut(data, rest, indexes, visitor);
            }
        }
    }
}

/// The name of an object's type, as its subgraph answered it.
pub(super) fn type_name(object: &Object) -> Option<&str> {
    match object.get("__typename") {
        Some(Value::String(name)) => Some(name),
        _ => None,
    }
}

fn is_any_of(object: &Object, types: &[Arc<str>]) -> bool {
    type_name(object).is_some_and(|name| types.iter().any(|ty| &**ty == name))
}
