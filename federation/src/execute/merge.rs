//! Merges what several fetches answered for one place. Values are moved, not copied.

use crate::value::{Object, ObjectBuilder, Value};

/// Adds `source` to `target`: objects field by field, lists item by item. Where both have a value the first stays.
pub(super) fn merge(target: &mut Value, source: Value) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => merge_object(target, source),
        (Value::List(target), Value::List(source)) => {
            for (target, source) in target.iter_mut().zip(source) {
                merge(target, source);
            }
        }
        (target @ Value::Null, source) => *target = source,
        _ => {}
    }
}

/// Adds the fields of `source` to `target`.
pub(super) fn merge_object(target: &mut Object, source: Object) {
    if target.is_empty() {
        *target = source;
        return;
    }
    target.reserve(source.len());
    let mut builder = ObjectBuilder::new(std::mem::take(target));
    for (name, value) in source {
        merge(builder.slot(name), value);
    }
    *target = builder.finish();
}
