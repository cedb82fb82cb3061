//! A mock subgraph: answers from the whole data, but notes what a real one could not have known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Schema;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{ExecutionResponse, JsonMap};
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value};

use super::data::{self, Data, Record};

pub(crate) struct Subgraph {
    pub(crate) name: String,
    pub(crate) schema: Valid<Schema>,
    pub(crate) rules: Vec<FieldRule>,
    /// What its entities are found by; where there are none, by all that a representation says.
    pub(crate) keys: Vec<KeyRule>,
    /// The object types of each interface, in all subgraphs together.
    pub(crate) implementations: BTreeMap<String, BTreeSet<String>>,
}

/// A `@key` of a type.
pub(crate) struct KeyRule {
    pub(crate) ty: String,
    pub(crate) set: String,
    pub(crate) resolvable: bool,
}

/// What federation says of a field in this subgraph.
pub(crate) struct FieldRule {
    pub(crate) ty: String,
    pub(crate) field: String,
    pub(crate) external: bool,
    pub(crate) requires: Option<String>,
    pub(crate) provides: Option<String>,
}

impl Subgraph {
    pub(crate) fn run(
        &self,
        data: &Data,
        document: &str,
        variables: Value,
        violations: &Mutex<Vec<String>>,
    ) -> ExecutionResponse {
        let document =
            match ExecutableDocument::parse_and_validate(&self.schema, document, "fetch.graphql") {
                Ok(document) => document,
                Err(invalid) => {
                    let violation = format!("{}: {document}\n{}", self.name, invalid.errors);
                    violations.lock().unwrap().push(violation);
                    return ExecutionResponse { errors: Vec::new(), data: None };
                }
            };
        let operation = document.operations.get(None).unwrap();
        let variables: JsonMap = serde_json::from_value(variables).unwrap();
        let root = Member {
            context: Context { data, subgraph: self, violations },
            record: data.root(if operation.is_query() { "Query" } else { "Mutation" }),
            given: None,
            provided: None,
        };
        Execution::new(&self.schema, &document)
            .operation(operation)
            .raw_variable_values(&variables)
            .execute_sync(&root)
            .unwrap()
    }

    /// What this subgraph calls an object of the type: where it has one of the type's interfaces as an object, that.
    fn own_name<'a>(&'a self, type_name: &'a str) -> &'a str {
        if self.schema.get_object(type_name).is_some() {
            return type_name;
        }
        let mut interfaces = self.implementations.iter();
        interfaces
            .find(|(interface, objects)| {
                objects.contains(type_name) && self.schema.get_object(interface).is_some()
            })
            .map_or(type_name, |(interface, _)| interface)
    }

    /// The types of the records that a representation of `type_name` can stand for.
    fn records_of<'a>(&'a self, type_name: &'a str) -> Vec<&'a str> {
        let objects = self.implementations.get(type_name).into_iter().flatten();
        std::iter::once(type_name).chain(objects.map(String::as_str)).collect()
    }

    fn rule(&self, ty: &str, field: &str) -> Option<&FieldRule> {
        self.rules.iter().find(|rule| rule.ty == ty && rule.field == field)
    }
}

#[derive(Clone, Copy)]
struct Context<'a> {
    data: &'a Data,
    subgraph: &'a Subgraph,
    violations: &'a Mutex<Vec<String>>,
}

impl<'a> Context<'a> {
    /// The record that a representation stands for.
    fn find(&self, given: &Map<String, Value>) -> Option<Record<'a>> {
        let Self { data, subgraph, violations } = self;
        let ty = given["__typename"].as_str().unwrap();
        if subgraph.keys.is_empty() {
            let mut records = subgraph.records_of(ty).into_iter().flat_map(|ty| data.records(ty));
            return records.find(|record| data.matches(*record, given));
        }
        let keys = subgraph.keys.iter().filter(|key| key.ty == ty && key.resolvable);
        let key = keys.map(|key| data::field_set(&key.set)).find(|key| data::has(given, key));
        let Some(key) = key else {
            let violation = format!("{}: no key of {ty} is in {given:?}", subgraph.name);
            violations.lock().unwrap().push(violation);
            return None;
        };
        let wanted = data.evaluate(&key, Record { type_name: "", fields: given }, true);
        let mut records = subgraph.records_of(ty).into_iter().flat_map(|ty| data.records(ty));
        records.find(|record| data.evaluate(&key, *record, false) == wanted)
    }
}

struct Member<'a> {
    context: Context<'a>,
    record: Record<'a>,
    /// The representation that the object was entered by.
    given: Option<Map<String, Value>>,
    /// What is provided on the object.
    provided: Option<String>,
}

impl Member<'_> {
    fn check(&self, field: &str) {
        let Context { subgraph, violations, .. } = self.context;
        let Some(rule) = subgraph.rule(subgraph.own_name(self.record.type_name), field) else {
            return;
        };
        let note = |problem: &str| {
            let violation =
                format!("{}: {}.{field} {problem}", subgraph.name, self.record.type_name);
            violations.lock().unwrap().push(violation);
        };
        if rule.external && !mentions(self.provided.as_deref(), field) {
            note("is external and not provided here");
        }
        if let Some(requires) = &rule.requires {
            let given = self.given.as_ref();
            let missing = top_level(requires)
                .into_iter()
                .any(|name| given.is_none_or(|given| !given.contains_key(&name)));
            if missing {
                note("was asked for without what it requires");
            }
        }
    }

    fn entities<'a>(&'a self, info: &ResolveInfo<'a>) -> ResolvedValue<'a> {
        let representations = serde_json::to_value(info.arguments()).unwrap();
        let representations: Vec<Map<String, Value>> = representations["representations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.as_object().unwrap().clone())
            .collect();
        let context = self.context;
        ResolvedValue::List(Box::new(representations.into_iter().map(move |given| {
            let record = context.find(&given);
            Ok(match record {
                None => ResolvedValue::null(),
                Some(record) => ResolvedValue::object(Member {
                    context,
                    record,
                    given: Some(given),
                    provided: None,
                }),
            })
        })))
    }
}

impl ObjectValue for Member<'_> {
    fn type_name(&self) -> &str {
        self.context.subgraph.own_name(self.record.type_name)
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        if name == "_entities" {
            return Ok(self.entities(info));
        }
        self.check(name);
        let context = self.context;
        let own_name = context.subgraph.own_name(self.record.type_name);
        let rule = context.subgraph.rule(own_name, name);
        let provided = rule
            .and_then(|rule| rule.provides.clone())
            .or_else(|| nested(self.provided.as_deref(), name));
        let value = data::explicit_error(data::value(self.record, info)?)?;
        if let Some(base) = data::computed_base(value) {
            let set = rule.and_then(|rule| rule.requires.as_deref()).map(data::field_set);
            let inputs = match (&set, &self.given) {
                (Some(set), Some(given)) => {
                    context.data.evaluate(set, Record { type_name: "", fields: given }, true)
                }
                // What is provided here is as it is where it is computed.
                _ => context.data.required(self.record, name),
            };
            let text = data::computed(base, &data::arguments(info), &inputs);
            return Ok(data::directed(info, ResolvedValue::leaf(text)));
        }
        let object = move |record| {
            let provided = provided.clone();
            ResolvedValue::object(Member { context, record, given: None, provided })
        };
        let value = data::resolve(context.data, value, data::limit(info), Arc::new(object));
        Ok(data::directed(info, value))
    }
}

/// The names at the top of a field set.
fn top_level(set: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let spaced = set.replace('{', " { ").replace('}', " } ");
    let spaced = spaced.replace('(', " ( ").replace(')', " ) ");
    for word in spaced.split_whitespace() {
        match word {
            "{" | "(" => depth += 1,
            "}" | ")" => depth -= 1,
            name if depth == 0 => names.push(name.to_owned()),
            _ => {}
        }
    }
    names
}

fn mentions(set: Option<&str>, field: &str) -> bool {
    set.is_some_and(|set| {
        set.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == field)
    })
}

/// What a field set says under `field`.
fn nested(set: Option<&str>, field: &str) -> Option<String> {
    let (_, rest) = set?.split_once(&format!("{field} {{"))?;
    rest.rsplit_once('}').map(|(inner, _)| inner.to_owned())
}
