//! The specification's section 6.1.2, CoerceVariableValues: a value that comes out fits its type.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value as AstValue};
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::ExtendedType;

use crate::value::{Object, Value};

use super::{RequestError, RequestErrorCode};

/// The values of an operation's variables: they fit what it declares, and its defaults stand where nothing was given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variables(Object);

impl Deref for Variables {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}

/// Coerces what a request gives for the operation's variables. All that are wrong are named.
pub(crate) fn coerce_variables(
    schema: &Schema,
    operation: &Operation,
    sources: &SourceMap,
    mut given: Object,
) -> Result<Variables, Vec<RequestError>> {
    let mut coerced = Object::with_capacity(operation.variables.len());
    let mut errors = Vec::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let place = Place::Variable(name);
        let value = match given.get_mut(name).map(std::mem::take) {
            Some(value) => coerce(schema, &variable.ty, value, &place),
            None => match &variable.default_value {
                Some(default) => constant(default, &place),
                None if variable.ty.is_non_null() => {
                    Err(format!("{place} of type {} is required", variable.ty))
                }
                None => continue,
            },
        };
        match value {
            Ok(value) => coerced.push(Arc::from(name), value),
            Err(message) => errors.push(
                RequestError::new(RequestErrorCode::BadUserInput, message)
                    .at(variable.location(), sources),
            ),
        }
    }
    if errors.is_empty() { Ok(Variables(coerced)) } else { Err(errors) }
}

/// Where in the input a value stands, for messages.
enum Place<'a> {
    Variable(&'a str),
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable ${name}"),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

fn coerce(schema: &Schema, ty: &Type, value: Value, place: &Place<'_>) -> Result<Value, String> {
    if value == Value::Null {
        return if ty.is_non_null() {
            Err(format!("{place} of type {ty} must not be null"))
        } else {
            Ok(Value::Null)
        };
    }
    match ty {
        Type::List(item) | Type::NonNullList(item) => match value {
            Value::List(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, value)| coerce(schema, item, value, &Place::Item(place, index)))
                .collect::<Result<_, _>>()
                .map(Value::List),
            single => Ok(Value::List(vec![coerce(schema, item, single, place)?])),
        },
        Type::Named(name) | Type::NonNullNamed(name) => match schema.types.get(name) {
            Some(ExtendedType::InputObject(input)) => {
                let Value::Object(object) = value else {
                    return Err(unfit(place, name, &value, "an object"));
                };
                input_object(schema, input, object, place)
            }
            Some(ExtendedType::Enum(definition)) => match &value {
                Value::String(text) if definition.values.contains_key(text.as_str()) => Ok(value),
                _ => {
                    let accepted: Vec<_> =
                        definition.values.keys().map(|name| name.as_str()).collect();
                    let accepted = format!("one of {}", accepted.join(", "));
                    Err(unfit(place, name, &value, &accepted))
                }
            },
            _ => scalar(name, value, place),
        },
    }
}

fn scalar(name: &str, value: Value, place: &Place<'_>) -> Result<Value, String> {
    match (name, &value) {
        ("Int", Value::Int(number)) if i32::try_from(*number).is_ok() => Ok(value),
        // JSON does not tell 1.0 from 1.
        ("Int", Value::Float(number))
            if number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX) =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and in range, as just checked"
            )]
            Ok(Value::Int(*number as i64))
        }
        ("Int", _) => Err(unfit(place, name, &value, "a whole number of 32 bits")),
        ("Float", Value::Int(_) | Value::Float(_)) => Ok(value),
        ("Float", _) => Err(unfit(place, name, &value, "a number")),
        ("String", Value::String(_)) => Ok(value),
        ("String", _) => Err(unfit(place, name, &value, "a string")),
        ("Boolean", Value::Bool(_)) => Ok(value),
        ("Boolean", _) => Err(unfit(place, name, &value, "true or false")),
        ("ID", Value::String(_)) => Ok(value),
        ("ID", Value::Int(number)) => Ok(Value::String(number.to_string())),
        ("ID", _) => Err(unfit(place, name, &value, "a string or a whole number")),
        _ => Ok(value),
    }
}

fn input_object(
    schema: &Schema,
    input: &apollo_compiler::schema::InputObjectType,
    mut given: Object,
    place: &Place<'_>,
) -> Result<Value, String> {
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !input.fields.contains_key(&***name))
    {
        return Err(format!("{place}: {} has no field {unknown:?}", input.name));
    }
    if input.directives.has("oneOf") && !is_one_of(&given) {
        return Err(format!("{place}: {} takes exactly one field, and not null", input.name));
    }
    let mut coerced = Object::with_capacity(given.len());
    for (name, field) in &input.fields {
        let place = Place::Field(place, name);
        let value = match given.get_mut(name).map(std::mem::take) {
            Some(value) => coerce(schema, &field.ty, value, &place)?,
            None => match &field.default_value {
                Some(default) => constant(default, &place)?,
                None if field.ty.is_non_null() => {
                    return Err(format!("{place} of type {} is required", field.ty));
                }
                None => continue,
            },
        };
        coerced.push(Arc::from(name.as_str()), value);
    }
    Ok(Value::Object(coerced))
}

fn is_one_of(given: &Object) -> bool {
    given.len() == 1 && given.iter().all(|(_, value)| *value != Value::Null)
}

/// A default value, which validation has checked against its type.
fn constant(value: &AstValue, place: &Place<'_>) -> Result<Value, String> {
    Ok(match value {
        AstValue::Null => Value::Null,
        AstValue::Boolean(value) => Value::Bool(*value),
        AstValue::String(value) => Value::String(value.clone()),
        AstValue::Enum(value) => Value::String(value.to_string()),
        AstValue::Int(value) => match value.as_str().parse() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Float(
                value
                    .try_to_f64()
                    .map_err(|_| format!("the default of {place} is out of range"))?,
            ),
        },
        AstValue::Float(value) => Value::Float(
            value.try_to_f64().map_err(|_| format!("the default of {place} is out of range"))?,
        ),
        AstValue::List(items) => items
            .iter()
            .map(|item| constant(item, place))
            .collect::<Result<_, _>>()
            .map(Value::List)?,
        AstValue::Object(fields) => fields
            .iter()
            .map(|(name, value)| Ok((Arc::from(name.as_str()), constant(value, place)?)))
            .collect::<Result<Object, String>>()
            .map(Value::Object)?,
        AstValue::Variable(name) => {
            return Err(format!("the default of {place} names the variable ${name}"));
        }
    })
}

fn unfit(place: &Place<'_>, ty: &str, value: &Value, accepted: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a Boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{place} of type {ty} got {kind} that does not fit: accepted is {accepted}")
}
