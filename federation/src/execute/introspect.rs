//! Answers `__schema` and `__type` from the client's schema (September 2025 edition, section 4).
//!
//! Own code because the parser's library knows an earlier edition: it has no `isOneOf`. What is selected was validated and
//! its depth limited before; a field that is not known here is null.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{self, Type};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{Component, ComponentName, ExtendedType};

use crate::operation::{Field, SelectionSet};
use crate::plan::{Prepared, Variant};
use crate::value::{Object, Value};

/// The root fields of introspection, by response key.
pub(super) fn introspect(prepared: &Prepared, variant: &Variant, variables: &Object) -> Object {
    let schema: &Schema = prepared.supergraph().api();
    let introspection = Introspection { schema, prepared, variables };
    let mut answer = Object::with_capacity(variant.introspection.len());
    for field in &variant.introspection {
        let element = match field.name.as_str() {
            "__schema" => Some(Element::Schema),
            _ => introspection.name_argument(field).map(Element::Type),
        };
        let value = match (element, &field.selections) {
            (Some(element), Some(set)) => introspection.object(set, element),
            _ => Value::Null,
        };
        answer.push(Arc::from(field.key.as_str()), value);
    }
    answer
}

struct Introspection<'a> {
    schema: &'a Schema,
    prepared: &'a Prepared,
    variables: &'a Object,
}

/// What a selection set of introspection is on.
#[derive(Clone, Copy)]
enum Element<'a> {
    Schema,
    Type(&'a ExtendedType),
    /// A list or what is never null.
    Wrapped(&'a Type),
    Field(&'a ast::FieldDefinition),
    Input(&'a ast::InputValueDefinition),
    EnumValue(&'a ast::EnumValueDefinition),
    Directive(&'a ast::DirectiveDefinition),
}

impl Element<'_> {
    fn type_name(self) -> &'static str {
        match self {
            Self::Schema => "__Schema",
            Self::Type(_) | Self::Wrapped(_) => "__Type",
            Self::Field(_) => "__Field",
            Self::Input(_) => "__InputValue",
            Self::EnumValue(_) => "__EnumValue",
            Self::Directive(_) => "__Directive",
        }
    }
}

impl<'a> Introspection<'a> {
    fn object(&self, set: &SelectionSet, element: Element<'a>) -> Value {
        // Types of introspection are all object types: a fragment that is left has another one's condition.
        let mut object = Object::with_capacity(set.fields.len());
        for field in &set.fields {
            let value = match (field.name.as_str(), element) {
                ("__typename", _) => text(element.type_name()),
                (name, Element::Schema) => self.of_schema(name, field),
                (name, Element::Type(ty)) => self.of_type(name, ty, field),
                (name, Element::Wrapped(ty)) => self.of_wrapped(name, ty, field),
                (name, Element::Field(definition)) => self.of_field(name, definition, field),
                (name, Element::Input(definition)) => self.of_input(name, definition, field),
                (name, Element::EnumValue(value)) => {
                    described(name, &value.value, value.description.as_deref(), &value.directives)
                }
                (name, Element::Directive(definition)) => {
                    self.of_directive(name, definition, field)
                }
            };
            object.push(Arc::from(field.key.as_str()), value);
        }
        Value::Object(object)
    }

    fn of_schema(&self, name: &str, field: &Field) -> Value {
        let definition = &self.schema.schema_definition;
        match name {
            "description" => definition.description.as_deref().map_or(Value::Null, text),
            "types" => self.list(field, self.schema.types.values().map(Element::Type)),
            "queryType" => self.root(definition.query.as_ref(), field),
            "mutationType" => self.root(definition.mutation.as_ref(), field),
            "subscriptionType" => self.root(definition.subscription.as_ref(), field),
            "directives" => {
                let directives = self.schema.directive_definitions.values();
                self.list(field, directives.map(|definition| Element::Directive(definition)))
            }
            _ => Value::Null,
        }
    }

    fn of_type(&self, name: &str, ty: &'a ExtendedType, field: &Field) -> Value {
        match (name, ty) {
            ("kind", _) => text(kind(ty)),
            ("name", _) => text(ty.name()),
            ("description", _) => ty.description().map_or(Value::Null, |it| text(it)),
            ("fields", ExtendedType::Object(object)) => self.fields(&object.fields, field),
            ("fields", ExtendedType::Interface(interface)) => self.fields(&interface.fields, field),
            ("interfaces", ExtendedType::Object(object)) => {
                self.types(&object.implements_interfaces, field)
            }
            ("interfaces", ExtendedType::Interface(interface)) => {
                self.types(&interface.implements_interfaces, field)
            }
            ("possibleTypes", ExtendedType::Union(union)) => self.types(&union.members, field),
            ("possibleTypes", ExtendedType::Interface(interface)) => {
                let implementers = self.prepared.supergraph().implementers().get(&interface.name);
                let names = implementers.into_iter().flat_map(|all| &all.objects);
                self.list(field, names.filter_map(|name| self.named(name)))
            }
            ("enumValues", ExtendedType::Enum(definition)) => {
                let all = self.includes_deprecated(field);
                let values = definition.values.values();
                let shown = values.filter(|value| all || !is_deprecated(&value.directives));
                self.list(field, shown.map(|value| Element::EnumValue(value)))
            }
            ("inputFields", ExtendedType::InputObject(input)) => {
                let values = input.fields.values().map(|value| &***value);
                self.inputs(values, field)
            }
            ("isOneOf", ExtendedType::InputObject(input)) => {
                Value::Bool(input.directives.has("oneOf"))
            }
            ("specifiedByURL", ExtendedType::Scalar(scalar)) => scalar
                .directives
                .get("specifiedBy")
                .and_then(|directive| directive.specified_argument_by_name("url")?.as_str())
                .map_or(Value::Null, text),
            _ => Value::Null,
        }
    }

    fn of_wrapped(&self, name: &str, ty: &'a Type, field: &Field) -> Value {
        match (name, ty) {
            ("kind", Type::List(_)) => text("LIST"),
            ("kind", _) => text("NON_NULL"),
            ("ofType", Type::List(item)) => self.nested(field, self.element(item)),
            ("ofType", Type::NonNullNamed(name)) => self.nested(field, self.named(name)),
            ("ofType", Type::NonNullList(item)) => {
                // The list inside is written down nowhere, so what is asked of it is answered here.
                let Some(set) = &field.selections else {
                    return Value::Null;
                };
                let mut list = Object::with_capacity(set.fields.len());
                for field in &set.fields {
                    let value = match field.name.as_str() {
                        "__typename" => text("__Type"),
                        "kind" => text("LIST"),
                        "ofType" => self.nested(field, self.element(item)),
                        _ => Value::Null,
                    };
                    list.push(Arc::from(field.key.as_str()), value);
                }
                Value::Object(list)
            }
            _ => Value::Null,
        }
    }

    fn of_field(&self, name: &str, definition: &'a ast::FieldDefinition, field: &Field) -> Value {
        match name {
            "args" => self.inputs(definition.arguments.iter().map(|it| &**it), field),
            "type" => self.nested(field, self.element(&definition.ty)),
            _ => {
                let description = definition.description.as_deref();
                described(name, &definition.name, description, &definition.directives)
            }
        }
    }

    fn of_input(
        &self,
        name: &str,
        definition: &'a ast::InputValueDefinition,
        field: &Field,
    ) -> Value {
        match name {
            "type" => self.nested(field, self.element(&definition.ty)),
            "defaultValue" => definition
                .default_value
                .as_ref()
                .map_or(Value::Null, |value| text(&value.serialize().no_indent().to_string())),
            _ => {
                let description = definition.description.as_deref();
                described(name, &definition.name, description, &definition.directives)
            }
        }
    }

    fn of_directive(
        &self,
        name: &str,
        definition: &'a ast::DirectiveDefinition,
        field: &Field,
    ) -> Value {
        match name {
            "name" => text(&definition.name),
            "description" => definition.description.as_deref().map_or(Value::Null, text),
            "isRepeatable" => Value::Bool(definition.repeatable),
            "locations" => {
                Value::List(definition.locations.iter().map(|it| text(it.name())).collect())
            }
            "args" => self.inputs(definition.arguments.iter().map(|it| &**it), field),
            _ => Value::Null,
        }
    }

    fn fields(
        &self,
        fields: &'a IndexMap<Name, Component<ast::FieldDefinition>>,
        field: &Field,
    ) -> Value {
        let all = self.includes_deprecated(field);
        let shown = fields.values().filter(|field| all || !is_deprecated(&field.directives));
        self.list(field, shown.map(|field| Element::Field(field)))
    }

    fn inputs(
        &self,
        values: impl Iterator<Item = &'a ast::InputValueDefinition>,
        field: &Field,
    ) -> Value {
        let all = self.includes_deprecated(field);
        let shown = values.filter(|value| all || !is_deprecated(&value.directives));
        self.list(field, shown.map(Element::Input))
    }

    fn types(&self, names: &'a IndexSet<ComponentName>, field: &Field) -> Value {
        self.list(field, names.iter().filter_map(|name| self.named(name)))
    }

    fn list(&self, field: &Field, elements: impl Iterator<Item = Element<'a>>) -> Value {
        let Some(set) = &field.selections else {
            return Value::Null;
        };
        Value::List(elements.map(|element| self.object(set, element)).collect())
    }

    fn nested(&self, field: &Field, element: Option<Element<'a>>) -> Value {
        match (element, &field.selections) {
            (Some(element), Some(set)) => self.object(set, element),
            _ => Value::Null,
        }
    }

    fn root(&self, name: Option<&ComponentName>, field: &Field) -> Value {
        self.nested(field, name.and_then(|name| self.named(name)))
    }

    fn named(&self, name: &str) -> Option<Element<'a>> {
        self.schema.types.get(name).map(Element::Type)
    }

    fn element(&self, ty: &'a Type) -> Option<Element<'a>> {
        match ty {
            Type::Named(name) => self.named(name),
            wrapped => Some(Element::Wrapped(wrapped)),
        }
    }

    /// The type that `__type(name:)` asks for.
    fn name_argument(&self, field: &Field) -> Option<&'a ExtendedType> {
        match self.argument(field, "name")? {
            Value::String(name) => self.schema.types.get(name.as_str()),
            _ => None,
        }
    }

    fn includes_deprecated(&self, field: &Field) -> bool {
        self.argument(field, "includeDeprecated") == Some(Value::Bool(true))
    }

    /// The value of an argument, which is a string or a Boolean.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let argument = field.arguments.iter().find(|argument| argument.name == name)?;
        match &*argument.value {
            ast::Value::Variable(variable) => self.variables.get(variable).cloned(),
            ast::Value::Boolean(value) => Some(Value::Bool(*value)),
            ast::Value::String(value) => Some(Value::String(value.clone())),
            _ => None,
        }
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "SCALAR",
        ExtendedType::Object(_) => "OBJECT",
        ExtendedType::Interface(_) => "INTERFACE",
        ExtendedType::Union(_) => "UNION",
        ExtendedType::Enum(_) => "ENUM",
        ExtendedType::InputObject(_) => "INPUT_OBJECT",
    }
}

/// What fields, input values and enum values have in common.
fn described(
    field: &str,
    name: &Name,
    description: Option<&str>,
    directives: &ast::DirectiveList,
) -> Value {
    match field {
        "name" => text(name),
        "description" => description.map_or(Value::Null, text),
        "isDeprecated" => Value::Bool(is_deprecated(directives)),
        "deprecationReason" => directives.get("deprecated").map_or(Value::Null, |directive| {
            let reason = directive.specified_argument_by_name("reason");
            text(reason.and_then(|reason| reason.as_str()).unwrap_or("No longer supported"))
        }),
        _ => Value::Null,
    }
}

fn is_deprecated(directives: &ast::DirectiveList) -> bool {
    directives.has("deprecated")
}
