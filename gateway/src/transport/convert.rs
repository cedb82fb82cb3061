//! The engine's values to and from those of `async-graphql`, by moving: no text is copied.
//!
//! The items of a list take their names from the item before where they agree, so that a thousand cards share one `"question"`:
//! recognising a name costs one comparison, and sharing it one counter. Both ways give what a trip through JSON would give, so that
//! a subgraph answers the same wherever it runs.

use async_graphql::{Name as SchemaName, Value as SchemaValue, Variables, indexmap::IndexMap};
use federation::{Name, Object, Value};
use serde_json::Number;

/// The variables of an operation, for a schema.
pub(crate) fn variables(object: Object) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in object {
        variables.insert(SchemaName::new(name), to_schema(value, None));
    }
    variables
}

fn to_schema(value: Value, like: Option<&SchemaValue>) -> SchemaValue {
    match value {
        Value::Null => SchemaValue::Null,
        Value::Bool(value) => SchemaValue::Boolean(value),
        Value::Int(value) => SchemaValue::Number(value.into()),
        // JSON has no infinities: they are null there too.
        Value::Float(value) => {
            Number::from_f64(value).map_or(SchemaValue::Null, SchemaValue::Number)
        }
        Value::String(value) => SchemaValue::String(value),
        Value::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(to_schema(item, list.last()));
            }
            SchemaValue::List(list)
        }
        Value::Object(object) => {
            let like = match like {
                Some(SchemaValue::Object(fields)) => Some(fields),
                _ => None,
            };
            let mut fields = IndexMap::with_capacity(object.len());
            for (index, (name, value)) in object.into_iter().enumerate() {
                let (name, like) = match like.and_then(|like| like.get_index(index)) {
                    Some((known, like)) if known.as_str() == &*name => (known.clone(), Some(like)),
                    _ => (SchemaName::new(name), None),
                };
                fields.insert(name, to_schema(value, like));
            }
            SchemaValue::Object(fields)
        }
    }
}

/// What a schema answered, for the engine.
pub(crate) fn data(value: SchemaValue) -> Value {
    from_schema(value, None)
}

fn from_schema(value: SchemaValue, like: Option<&Value>) -> Value {
    match value {
        SchemaValue::Null => Value::Null,
        SchemaValue::Boolean(value) => Value::Bool(value),
        SchemaValue::Number(number) => from_number(&number),
        SchemaValue::String(text) => Value::String(text),
        SchemaValue::Enum(name) => Value::String(name.as_str().to_owned()),
        SchemaValue::Binary(bytes) => {
            Value::List(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect())
        }
        SchemaValue::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(from_schema(item, list.last()));
            }
            Value::List(list)
        }
        SchemaValue::Object(fields) => {
            let mut like = match like {
                Some(Value::Object(object)) => Some(object.iter()),
                _ => None,
            };
            let mut object = Object::with_capacity(fields.len());
            for (name, value) in fields {
                let (name, like) = match like.as_mut().and_then(Iterator::next) {
                    Some((known, like)) if **known == *name.as_str() => (known.clone(), Some(like)),
                    _ => (Name::from(name.as_str()), None),
                };
                object.push(name, from_schema(value, like));
            }
            Value::Object(object)
        }
    }
}

fn from_number(number: &Number) -> Value {
    match number.as_i64() {
        Some(value) => Value::Int(value),
        None => number.as_f64().map_or(Value::Null, Value::Float),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn tricky() -> SchemaValue {
        let mut row = IndexMap::new();
        row.insert(SchemaName::new("id"), SchemaValue::String("1".into()));
        row.insert(SchemaName::new("grade"), SchemaValue::Enum(SchemaName::new("GOOD")));
        row.insert(SchemaName::new("big"), SchemaValue::Number(u64::MAX.into()));
        row.insert(SchemaName::new("score"), SchemaValue::from(0.1 + 0.2));
        row.insert(SchemaName::new("whole"), SchemaValue::from(3.0));
        row.insert(SchemaName::new("bytes"), SchemaValue::Binary(vec![0, 255].into()));
        let mut other = row.clone();
        other.shift_remove("big");
        SchemaValue::List(vec![
            SchemaValue::Object(row.clone()),
            SchemaValue::Object(row),
            SchemaValue::Null,
            SchemaValue::Object(other),
        ])
    }

    #[test]
    fn it_gives_what_json_would_give() {
        let through_json: Value =
            serde_json::from_slice(&serde_json::to_vec(&tricky()).unwrap()).unwrap();
        assert_eq!(data(tricky()), through_json);
    }

    #[test]
    fn rows_share_their_names() {
        let Value::List(rows) = data(tricky()) else { panic!() };
        let names = |row: &Value| -> Vec<Name> {
            let Value::Object(object) = row else { panic!() };
            object.iter().map(|(name, _)| name.clone()).collect()
        };
        for (first, second) in names(&rows[0]).iter().zip(names(&rows[1])) {
            assert!(Arc::ptr_eq(first, &second), "{first}");
        }
    }

    #[test]
    fn variables_arrive_as_json_would_bring_them() {
        let json =
            r#"{"ids":[{"id":"a","n":1},{"id":"b","n":1.5},{"n":2}],"none":null,"yes":true}"#;
        let object: Object = serde_json::from_str(json).unwrap();
        let through_json: Variables = serde_json::from_str(json).unwrap();
        assert_eq!(variables(object), through_json);

        let infinite = Value::Float(f64::INFINITY);
        assert_eq!(serde_json::to_string(&infinite).unwrap(), "null");
        assert_eq!(to_schema(infinite, None), SchemaValue::Null);
    }
}
