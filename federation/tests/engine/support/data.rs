//! The data graph of a fixture: records by `Type:id`, references as `"&Type:id"`, values under `field` or, where arguments
//! matter, under `field{"argument":value}`.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Map, Value};

pub(crate) struct Data(Map<String, Value>);

/// A record, or an object within one.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) fields: &'a Map<String, Value>,
}

impl Data {
    pub(crate) fn load(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        Self::parse(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap())
    }

    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// Makes a field of a record fail.
    pub(crate) fn break_field(&mut self, record: &str, field: &str) {
        let fields = self.0[record].as_object_mut().unwrap();
        assert!(fields.contains_key(field), "{record} has no {field}");
        fields.insert(field.to_owned(), Value::from("!broken"));
    }

    pub(crate) fn root(&self, type_name: &'static str) -> Record<'_> {
        Record { type_name, fields: self.0[type_name].as_object().unwrap() }
    }

    pub(crate) fn records<'a>(&'a self, type_name: &str) -> impl Iterator<Item = Record<'a>> {
        self.0
            .iter()
            .filter(move |(key, _)| key.split(':').next() == Some(type_name))
            .map(|(key, _)| self.record(key))
    }

    fn record<'a>(&'a self, key: &'a str) -> Record<'a> {
        Record {
            type_name: key.split(':').next().unwrap(),
            fields: self
                .0
                .get(key)
                .unwrap_or_else(|| panic!("no record {key}"))
                .as_object()
                .unwrap(),
        }
    }

    /// The object that a value refers to or is.
    pub(crate) fn object<'a>(&'a self, value: &'a Value) -> Option<Record<'a>> {
        match value {
            Value::String(text) => text.strip_prefix('&').map(|key| self.record(key)),
            Value::Object(fields) => {
                Some(Record { type_name: fields.get("__typename")?.as_str()?, fields })
            }
            _ => None,
        }
    }

    /// Whether a record has what a representation says.
    pub(crate) fn matches(&self, record: Record<'_>, representation: &Map<String, Value>) -> bool {
        representation.iter().all(|(name, expected)| {
            name == "__typename"
                || record
                    .fields
                    .iter()
                    .filter(|(key, _)| key.split('{').next() == Some(name))
                    .any(|(_, actual)| self.same(actual, expected))
        })
    }

    fn same(&self, actual: &Value, expected: &Value) -> bool {
        match (self.object(actual), expected) {
            (Some(record), Value::Object(expected)) => self.matches(record, expected),
            (None, expected) => match (actual, expected) {
                (Value::Array(actual), Value::Array(expected)) => {
                    actual.len() == expected.len()
                        && actual
                            .iter()
                            .zip(expected)
                            .all(|(actual, expected)| self.same(actual, expected))
                }
                _ => actual == expected,
            },
            _ => false,
        }
    }
}

/// The value of a field, arguments taken into account.
pub(crate) fn value<'a>(
    record: Record<'a>,
    info: &ResolveInfo<'_>,
) -> Result<&'a Value, FieldError> {
    let name = info.field_name();
    let arguments: Map<String, Value> = info
        .arguments()
        .iter()
        .map(|(name, value)| {
            let value = serde_json::to_value(value).unwrap();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let exact = format!("{name}{}", serde_json::to_string(&arguments).unwrap());
    record
        .fields
        .get(&exact)
        .or_else(|| record.fields.get(name))
        .ok_or_else(|| FieldError { message: format!("{} has no {exact}", record.type_name) })
}

/// Resolves a value whose objects are made by `object`.
pub(crate) fn resolve<'a>(
    data: &'a Data,
    value: &'a Value,
    object: std::sync::Arc<dyn Fn(Record<'a>) -> ResolvedValue<'a> + 'a>,
) -> ResolvedValue<'a> {
    match (data.object(value), value) {
        (Some(record), _) => object(record),
        (None, Value::Array(items)) => {
            ResolvedValue::List(Box::new(items.iter().map(move |item| {
                if let Value::String(text) = item
                    && let Some(message) = text.strip_prefix('!')
                {
                    return Err(FieldError { message: message.to_owned() });
                }
                Ok(resolve(data, item, object.clone()))
            })))
        }
        (None, value) => ResolvedValue::Leaf(serde_json::from_value(value.clone()).unwrap()),
    }
}

/// An object of the data as one schema.
pub(crate) struct Whole<'a> {
    data: &'a Data,
    record: Record<'a>,
}

impl<'a> Whole<'a> {
    pub(crate) fn root(data: &'a Data, type_name: &str) -> Self {
        let record = data.record(if type_name == "Query" { "Query" } else { "Mutation" });
        Self { data, record }
    }
}

impl ObjectValue for Whole<'_> {
    fn type_name(&self) -> &str {
        self.record.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let value = value(self.record, info)?;
        let value = explicit_error(value)?;
        let data = self.data;
        Ok(resolve(
            data,
            value,
            std::sync::Arc::new(move |record| ResolvedValue::object(Whole { data, record })),
        ))
    }
}

/// A string that begins with `!` stands for an error of its field.
pub(crate) fn explicit_error(value: &Value) -> Result<&Value, FieldError> {
    match value.as_str().and_then(|text| text.strip_prefix('!')) {
        Some(message) => Err(FieldError { message: message.to_owned() }),
        None => Ok(value),
    }
}
