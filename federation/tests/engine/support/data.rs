//! The data graph of a fixture: records by `Type:id`, references as `"&Type:id"`, values under `field` or, where arguments
//! matter, under `field{"argument":value}`. A text `"=base"` stands for a value that is computed from the arguments and
//! from what the field requires; the argument `first` of a list cuts it off.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Selection};
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Map, Value};

pub(crate) struct Data {
    records: Map<String, Value>,
    /// What fields require, by type and field.
    pub(crate) requires: HashMap<(String, String), Vec<Selection>>,
}

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
        Self::new(serde_json::from_str(text).unwrap())
    }

    pub(crate) fn new(records: Map<String, Value>) -> Self {
        Self { records, requires: HashMap::new() }
    }

    /// How many items the longest list has.
    pub(crate) fn longest_list(&self) -> u32 {
        fn longest(value: &Value) -> usize {
            match value {
                Value::Array(items) => items
                    .iter()
                    .map(longest)
                    .chain([items.iter().map(length).sum()])
                    .max()
                    .unwrap_or(0),
                Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
                _ => 0,
            }
        }
        /// With the items of lists within.
        fn length(value: &Value) -> usize {
            value.as_array().map_or(1, |items| items.iter().map(length).sum())
        }
        self.records.values().map(longest).max().unwrap_or(0).try_into().unwrap()
    }

    /// Makes a field of a record fail.
    pub(crate) fn break_field(&mut self, record: &str, field: &str) {
        let fields = self.records[record].as_object_mut().unwrap();
        assert!(fields.contains_key(field), "{record} has no {field}");
        fields.insert(field.to_owned(), Value::from("!broken"));
    }

    pub(crate) fn root(&self, type_name: &'static str) -> Record<'_> {
        Record { type_name, fields: self.records[type_name].as_object().unwrap() }
    }

    pub(crate) fn records<'a>(&'a self, type_name: &str) -> impl Iterator<Item = Record<'a>> {
        self.records
            .iter()
            .filter(move |(key, _)| key.split(':').next() == Some(type_name))
            .map(|(key, _)| self.record(key))
    }

    fn record<'a>(&'a self, key: &'a str) -> Record<'a> {
        Record {
            type_name: key.split(':').next().unwrap(),
            fields: self
                .records
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

    /// What a field of a record requires; null when nothing.
    pub(crate) fn required(&self, record: Record<'_>, field: &str) -> Value {
        let mark = (record.type_name.to_owned(), field.to_owned());
        self.requires.get(&mark).map(|set| self.evaluate(set, record, false)).unwrap_or_default()
    }

    /// What `set` selects of a record, or of a representation, where values are as they were computed.
    pub(crate) fn evaluate(&self, set: &[Selection], record: Record<'_>, given: bool) -> Value {
        let mut selected = Map::new();
        self.evaluate_into(set, record, given, &mut selected);
        Value::Object(selected)
    }

    fn evaluate_into(
        &self,
        set: &[Selection],
        record: Record<'_>,
        given: bool,
        into: &mut Map<String, Value>,
    ) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    let value = record.fields.get(field.name.as_str()).unwrap_or(&Value::Null);
                    let value = match computed_base(value) {
                        Some(base) if !given => {
                            let inputs = self.required(record, &field.name);
                            Value::from(computed(base, &constants(&field.arguments), &inputs))
                        }
                        _ => {
                            let limit = constants(&field.arguments).get("first").and_then(size);
                            self.evaluate_value(&field.selection_set, value, given, limit)
                        }
                    };
                    into.insert(field.name.to_string(), value);
                }
                Selection::InlineFragment(fragment) => {
                    let ty = fragment.type_condition.as_ref().map_or("", |ty| ty.as_str());
                    let is = record.fields.get("__typename").and_then(Value::as_str);
                    if is.unwrap_or(record.type_name) == ty {
                        self.evaluate_into(&fragment.selection_set, record, given, into);
                    }
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn evaluate_value(
        &self,
        set: &[Selection],
        value: &Value,
        given: bool,
        limit: Option<usize>,
    ) -> Value {
        match value {
            Value::Array(items) => items
                .iter()
                .take(if given { items.len() } else { limit.unwrap_or(items.len()) })
                .map(|item| self.evaluate_value(set, item, given, None))
                .collect(),
            Value::Object(fields) if given => {
                self.evaluate(set, Record { type_name: "", fields }, given)
            }
            value if set.is_empty() || value.is_null() || given => value.clone(),
            value => self.evaluate(set, self.object(value).unwrap(), given),
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
    let arguments = arguments(info);
    let exact = format!("{name}{}", serde_json::to_string(&arguments).unwrap());
    record
        .fields
        .get(&exact)
        .or_else(|| record.fields.get(name))
        .ok_or_else(|| FieldError { message: format!("{} has no {exact}", record.type_name) })
}

pub(crate) fn arguments(info: &ResolveInfo<'_>) -> Map<String, Value> {
    let arguments = info.arguments().iter();
    arguments
        .map(|(name, value)| (name.as_str().to_owned(), serde_json::to_value(value).unwrap()))
        .collect()
}

/// How many items of a list are asked for.
pub(crate) fn limit(info: &ResolveInfo<'_>) -> Option<usize> {
    size(&serde_json::to_value(info.arguments().get("first")?).unwrap())
}

fn size(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|first| usize::try_from(first).ok())
}

pub(crate) fn field_set(text: &str) -> Vec<Selection> {
    let document = ast::Document::parse(format!("{{ {text} }}"), "set.graphql").unwrap();
    match &document.definitions[0] {
        ast::Definition::OperationDefinition(operation) => operation.selection_set.clone(),
        _ => Vec::new(),
    }
}

/// Whether a representation has everything of a key, and none of it null.
pub(crate) fn has(given: &Map<String, Value>, set: &[Selection]) -> bool {
    set.iter().all(|selection| match selection {
        Selection::Field(field) => match given.get(field.name.as_str()) {
            Some(Value::Object(nested)) => has(nested, &field.selection_set),
            Some(value) => !value.is_null(),
            None => false,
        },
        _ => true,
    })
}

fn constants(arguments: &[apollo_compiler::Node<ast::Argument>]) -> Map<String, Value> {
    arguments
        .iter()
        .map(|argument| (argument.name.to_string(), constant(&argument.value)))
        .collect()
}

fn constant(value: &ast::Value) -> Value {
    match value {
        ast::Value::Int(number) => Value::from(number.try_to_i32().unwrap()),
        ast::Value::Float(number) => Value::from(number.try_to_f64().unwrap()),
        ast::Value::Boolean(value) => Value::from(*value),
        ast::Value::String(text) => Value::from(text.as_str()),
        ast::Value::Enum(name) => Value::from(name.as_str()),
        ast::Value::List(items) => items.iter().map(|item| constant(item)).collect(),
        ast::Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.to_string(), constant(value))).collect()
        }
        ast::Value::Null | ast::Value::Variable(_) => Value::Null,
    }
}

/// What a value is computed from, if it is.
pub(crate) fn computed_base(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix('=')
}

/// A text that tells what it was computed from.
pub(crate) fn computed(base: &str, arguments: &Map<String, Value>, inputs: &Value) -> String {
    let mut text = base.to_owned();
    if !arguments.is_empty() {
        text.push_str(&serde_json::to_string(arguments).unwrap());
    }
    if !inputs.is_null() {
        text.push_str(&serde_json::to_string(inputs).unwrap());
    }
    text.replace('"', "'")
}

/// Resolves a value whose objects are made by `object`.
pub(crate) fn resolve<'a>(
    data: &'a Data,
    value: &'a Value,
    limit: Option<usize>,
    object: std::sync::Arc<dyn Fn(Record<'a>) -> ResolvedValue<'a> + 'a>,
) -> ResolvedValue<'a> {
    match (data.object(value), value) {
        (Some(record), _) => object(record),
        (None, Value::Array(items)) => {
            let limit = limit.unwrap_or(items.len());
            ResolvedValue::List(Box::new(items.iter().take(limit).map(move |item| {
                if let Value::String(text) = item
                    && let Some(message) = text.strip_prefix('!')
                {
                    return Err(FieldError { message: message.to_owned() });
                }
                Ok(resolve(data, item, None, object.clone()))
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
        if let Some(base) = computed_base(value) {
            let inputs = data.required(self.record, info.field_name());
            let text = computed(base, &arguments(info), &inputs);
            return Ok(directed(info, ResolvedValue::leaf(text)));
        }
        let object = move |record| ResolvedValue::object(Whole { data, record });
        Ok(directed(info, resolve(data, value, limit(info), std::sync::Arc::new(object))))
    }
}

/// A value as the directives of its field want it: `@upper` makes a text one of capitals.
pub(crate) fn directed<'a>(info: &ResolveInfo<'_>, value: ResolvedValue<'a>) -> ResolvedValue<'a> {
    let is_upper = info.field_selections().iter().any(|field| field.directives.has("upper"));
    match &value {
        ResolvedValue::Leaf(leaf) if is_upper => match leaf.as_str() {
            Some(text) => ResolvedValue::leaf(text.to_uppercase()),
            None => value,
        },
        _ => value,
    }
}

/// A string that begins with `!` stands for an error of its field.
pub(crate) fn explicit_error(value: &Value) -> Result<&Value, FieldError> {
    match value.as_str().and_then(|text| text.strip_prefix('!')) {
        Some(message) => Err(FieldError { message: message.to_owned() }),
        None => Ok(value),
    }
}
