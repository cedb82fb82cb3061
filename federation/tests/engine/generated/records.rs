//! Generates the data of a graph: three records of each entity, told apart by every key.

use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::graph::{Field, Graph, Named, ObjectKind, ObjectType, WRAPPERS};

const RECORDS: usize = 3;

pub(crate) fn records(choices: &mut Choices, graph: &Graph) -> Value {
    let mut records = Map::new();
    for object in &graph.objects {
        match object.kind {
            ObjectKind::Entity => {
                for number in 1..=RECORDS {
                    let record = fields(choices, graph, object, number);
                    records.insert(format!("{}:{number}", object.name), record.into());
                }
            }
            ObjectKind::Root => {
                records.insert(object.name.clone(), fields(choices, graph, object, 1).into());
            }
            ObjectKind::Value => {}
        }
    }
    Value::Object(records)
}

fn fields(
    choices: &mut Choices,
    graph: &Graph,
    object: &ObjectType,
    number: usize,
) -> Map<String, Value> {
    let is_entity = object.kind == ObjectKind::Entity;
    let mut record = Map::new();
    for interface in &graph.interfaces {
        let is_of = interface.possible.iter().any(|of| graph.objects[*of].name == object.name);
        let added = interface.object.iter().filter(|_| is_of).flat_map(|object| &object.fields);
        for field in added.filter(|field| !field.owners.is_empty()) {
            let value = value(choices, graph, field, WRAPPERS[field.wrapper], number);
            record.insert(field.name.clone(), value);
        }
    }
    for (index, field) in object.fields.iter().enumerate() {
        let is_key = object.keys.iter().any(|key| key.fields.contains(&index));
        let value = if is_entity && (is_key || field.name == "id") {
            key(graph, object, field, number)
        } else {
            value(choices, graph, field, WRAPPERS[field.wrapper], number)
        };
        record.insert(field.name.clone(), value);
    }
    record
}

/// A value that no other record has, alone or with the key's other fields.
fn key(graph: &Graph, object: &ObjectType, field: &Field, number: usize) -> Value {
    match field.name.as_str() {
        "code" => json!(format!("c{}", number / 2)),
        "region" => json!(format!("r{}", number % 2)),
        "owner" => json!(format!("&{}:{number}", graph.type_name(field.named))),
        "tag" => {
            let tag = fields(&mut Choices::replay(&[]), graph, &graph.objects[0], number);
            let mut tag = tag;
            tag.insert("__typename".to_owned(), json!("Tag"));
            tag.insert("code".to_owned(), json!(format!("t{number}")));
            Value::Object(tag)
        }
        name => json!(format!("{}-{name}{number}", object.name)),
    }
}

fn value(
    choices: &mut Choices,
    graph: &Graph,
    field: &Field,
    wrapper: &str,
    number: usize,
) -> Value {
    let inner = wrapper.strip_suffix('!');
    if inner.is_none() && choices.one_in(6) {
        return Value::Null;
    }
    let inner = inner.unwrap_or(wrapper);
    if let Some(item) = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let length = [1, 2, 3, 0][choices.below(4)];
        let items = (0..length).map(|_| value(choices, graph, field, item, number));
        return Value::Array(items.collect());
    }
    match field.named {
        Named::Scalar("Int") => json!(number),
        #[expect(clippy::cast_precision_loss, reason = "the number is small")]
        Named::Scalar("Float") => json!(number as f64 + 0.5),
        Named::Scalar("Boolean") => json!(choices.one_in(2)),
        Named::Scalar("ID") => json!(format!("{}{number}", field.name)),
        Named::Scalar(_) if field.is_computed() => json!(format!("={}{number}", field.name)),
        Named::Scalar(_) => json!(format!("{}{number}", field.name)),
        Named::Enum(index) => json!(choices.pick(&graph.enums[index].values)),
        Named::Object(_) | Named::Interface(_) | Named::Union(_) => {
            composite(choices, graph, field, number)
        }
    }
}

fn composite(choices: &mut Choices, graph: &Graph, field: &Field, number: usize) -> Value {
    let mut owners = field.owners.iter();
    let mut possible = match owners.next() {
        Some(owner) => graph.possible_in(*owner, field.named),
        None => return Value::Null,
    };
    for owner in owners {
        let here = graph.possible_in(*owner, field.named);
        possible.retain(|object| here.contains(object));
    }
    let object = &graph.objects[*choices.pick(&possible)];
    if object.kind == ObjectKind::Entity {
        return json!(format!("&{}:{}", object.name, 1 + choices.below(RECORDS)));
    }
    let mut value = fields(choices, graph, object, number);
    value.insert("__typename".to_owned(), json!(object.name));
    Value::Object(value)
}
