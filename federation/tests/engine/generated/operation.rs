//! Generates an operation on any schema, with the variables it is run with: fragments with and without names, aliases that
//! are in the way, arguments as literals and variables, `@skip` and `@include`.

use std::fmt::Write;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value, json};

use super::choices::Choices;

const DEPTH: usize = 4;
/// Response keys that the planner may want for itself.
const ALIASES: [&str; 6] = ["id", "sku", "_id", "code", "owner", "name"];

pub(crate) struct Operation {
    pub(crate) text: String,
    pub(crate) variables: Value,
}

pub(crate) fn operation(choices: &mut Choices, schema: &Schema) -> Operation {
    let mut writer = Writer {
        choices,
        schema,
        fragments: Vec::new(),
        declarations: Vec::new(),
        variables: Map::new(),
        aliases: 0,
    };
    let mutates = schema.types.contains_key("Mutation") && writer.choices.one_in(6);
    let (keyword, root) = if mutates { ("mutation", "Mutation") } else { ("query", "Query") };
    let selection = writer.selection(root, DEPTH);
    let declarations = match writer.declarations.is_empty() {
        true => String::new(),
        false => format!("({})", writer.declarations.join(", ")),
    };
    let mut text = format!("{keyword} Generated{declarations} {selection}");
    for (name, ty, body) in &writer.fragments {
        let _ = write!(text, "\nfragment {name} on {ty} {body}");
    }
    Operation { text, variables: Value::Object(writer.variables) }
}

struct Writer<'a> {
    choices: &'a mut Choices,
    schema: &'a Schema,
    /// Name, type and body.
    fragments: Vec<(String, String, String)>,
    declarations: Vec<String>,
    variables: Map<String, Value>,
    aliases: usize,
}

impl Writer<'_> {
    fn selection(&mut self, ty: &str, depth: usize) -> String {
        let mut text = "{".to_owned();
        let fields = self.fields(ty);
        let conditions = self.conditions(ty);
        for _ in 0..=self.choices.below(4) {
            let is_fragment = fields.is_empty() || self.choices.one_in(4);
            if is_fragment && depth > 0 {
                let condition = self.choices.pick(&conditions).clone();
                self.fragment(&condition, ty, depth - 1, &mut text);
            } else if !fields.is_empty() {
                let field = self.choices.pick(&fields).clone();
                self.field(&field, depth, &mut text);
            }
        }
        if text.len() == 1 || self.choices.one_in(4) {
            text.push_str(" __typename");
        }
        text.push_str(" }");
        text
    }

    fn fragment(&mut self, condition: &str, ty: &str, depth: usize, text: &mut String) {
        let directive = self.directive();
        if self.choices.one_in(3) {
            let known: Vec<String> = self
                .fragments
                .iter()
                .filter(|(_, on, _)| on == condition)
                .map(|(name, ..)| name.clone())
                .collect();
            let name = match known.first() {
                Some(name) if self.choices.one_in(2) => name.clone(),
                _ => {
                    let body = self.selection(condition, depth);
                    let name = format!("F{}", self.fragments.len());
                    self.fragments.push((name.clone(), condition.to_owned(), body));
                    name
                }
            };
            let _ = write!(text, " ...{name}{directive}");
        } else {
            let body = self.selection(condition, depth);
            let on = match condition == ty && self.choices.one_in(2) {
                true => String::new(),
                false => format!(" on {condition}"),
            };
            let _ = write!(text, " ...{on}{directive} {body}");
        }
    }

    fn field(&mut self, field: &FieldDefinition, depth: usize, text: &mut String) {
        let named = field.ty.inner_named_type();
        let is_composite = matches!(
            self.schema.types.get(named),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        if is_composite && depth == 0 {
            return;
        }
        text.push(' ');
        if !field.arguments.is_empty() || self.choices.one_in(6) {
            self.aliases += 1;
            if self.choices.one_in(3) {
                let _ = write!(text, "{}: ", self.choices.pick(&ALIASES));
            } else {
                let _ = write!(text, "a{}: ", self.aliases);
            }
        }
        text.push_str(&field.name);
        self.arguments(field, text);
        text.push_str(self.directive());
        if is_composite {
            let selection = self.selection(named, depth - 1);
            let _ = write!(text, " {selection}");
        }
    }

    fn arguments(&mut self, field: &FieldDefinition, text: &mut String) {
        let mut written = Vec::new();
        for argument in &field.arguments {
            if !argument.is_required() && self.choices.one_in(3) {
                continue;
            }
            let value = self.value(&argument.ty);
            let literal = if self.choices.one_in(2) {
                let name = format!("v{}", self.declarations.len());
                self.declarations.push(format!("${name}: {}", argument.ty));
                self.variables.insert(name.clone(), value);
                format!("${name}")
            } else {
                literal(&value)
            };
            written.push(format!("{}: {literal}", argument.name));
        }
        if !written.is_empty() {
            let _ = write!(text, "({})", written.join(", "));
        }
    }

    fn value(&mut self, ty: &Type) -> Value {
        if !ty.is_non_null() && self.choices.one_in(6) {
            return Value::Null;
        }
        if ty.is_list() {
            let length = self.choices.below(3);
            return (0..length).map(|_| self.value(ty.item_type())).collect();
        }
        match ty.inner_named_type().as_str() {
            "Int" => json!(self.choices.below(4)),
            "Input" => match self.choices.below(3) {
                0 => json!({"a": 1}),
                1 => json!({"a": 2, "b": null}),
                _ => json!({"a": 3, "more": [{"a": 4, "b": "x"}]}),
            },
            _ => json!(*self.choices.pick(&["en", "de"])),
        }
    }

    fn directive(&mut self) -> &'static str {
        let (text, name) = match self.choices.below(20) {
            15 => (" @skip(if: $yes)", "yes"),
            16 => (" @skip(if: $no)", "no"),
            17 => (" @include(if: $yes)", "yes"),
            18 => (" @include(if: $no)", "no"),
            19 => return " @include(if: true)",
            _ => return "",
        };
        if !self.variables.contains_key(name) {
            self.declarations.push(format!("${name}: Boolean!"));
            self.variables.insert(name.to_owned(), json!(name == "yes"));
        }
        text
    }

    fn fields(&self, ty: &str) -> Vec<FieldDefinition> {
        let fields = match self.schema.types.get(ty) {
            Some(ExtendedType::Object(object)) => &object.fields,
            Some(ExtendedType::Interface(interface)) => &interface.fields,
            _ => return Vec::new(),
        };
        fields.values().map(|field| FieldDefinition::clone(field)).collect()
    }

    /// Types whose objects can stand where `ty` does: itself, object types, and interfaces and unions of these.
    fn conditions(&self, ty: &str) -> Vec<String> {
        let objects = self.objects(ty);
        let mut conditions = vec![ty.to_owned()];
        for (name, other) in &self.schema.types {
            let overlaps = match other {
                ExtendedType::Object(_) => objects.iter().any(|object| object == name.as_str()),
                ExtendedType::Interface(_) | ExtendedType::Union(_) => {
                    self.objects(name).iter().any(|object| objects.contains(object))
                }
                _ => false,
            };
            if overlaps && name != ty && !other.is_built_in() {
                conditions.push(name.to_string());
            }
        }
        conditions
    }

    fn objects(&self, ty: &str) -> Vec<String> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(ToString::to_string).collect()
            }
            Some(ExtendedType::Interface(interface)) => self
                .schema
                .types
                .values()
                .filter_map(ExtendedType::as_object)
                .filter(|object| object.implements_interfaces.contains(&interface.name))
                .map(|object| object.name.to_string())
                .collect(),
            _ => vec![ty.to_owned()],
        }
    }
}

/// A value as GraphQL writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}: {}", literal(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        value => value.to_string(),
    }
}
