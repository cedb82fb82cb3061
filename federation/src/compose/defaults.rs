//! Whether a default is a value of its type, in a subgraph or in the supergraph.
//!
//! Specification: <https://spec.graphql.org/September2025/#sec-Values-of-Correct-Type>.

use apollo_compiler::ast::{Type, Value};

/// A type that can be taken, as far as its values are concerned.
pub(super) enum InputType<'a> {
    /// What a custom scalar takes is for its subgraph to know.
    Scalar,
    Enum(Vec<&'a str>),
    /// Name, type and whether it must be given.
    Object(Vec<(&'a str, &'a Type, bool)>),
}

/// Looks up a type that is not built in. `None` for one that cannot be taken.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<InputType<'a>> + 'a;

/// Whether `value` is one of the type `ty`.
pub(super) fn is_value_of(lookup: &Lookup<'_>, ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Named(_) | Type::List(_), Value::Null) => true,
        (Type::NonNullNamed(_) | Type::NonNullList(_), Value::Null) => false,
        (Type::List(item) | Type::NonNullList(item), Value::List(values)) => {
            values.iter().all(|value| is_value_of(lookup, item, value))
        }
        // A single value stands for a list of it.
        (Type::List(item) | Type::NonNullList(item), value) => is_value_of(lookup, item, value),
        (Type::Named(name) | Type::NonNullNamed(name), value) => {
            is_value_of_named(lookup, name, value)
        }
    }
}

fn is_value_of_named(lookup: &Lookup<'_>, name: &str, value: &Value) -> bool {
    match (name, value) {
        ("Int", Value::Int(number)) => number.try_to_i32().is_ok(),
        ("Float", Value::Int(_) | Value::Float(_))
        | ("String" | "ID", Value::String(_))
        | ("ID", Value::Int(_))
        | ("Boolean", Value::Boolean(_)) => true,
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => is_value_of_defined(lookup, name, value),
    }
}

fn is_value_of_defined(lookup: &Lookup<'_>, name: &str, value: &Value) -> bool {
    match (lookup(name), value) {
        (Some(InputType::Scalar), _) => true,
        (Some(InputType::Enum(values)), Value::Enum(value)) => values.contains(&value.as_str()),
        (Some(InputType::Object(fields)), Value::Object(given)) => {
            let known = given.iter().all(|(name, value)| {
                let field = fields.iter().find(|(known, ..)| name == known);
                field.is_some_and(|(_, ty, _)| is_value_of(lookup, ty, value))
            });
            let has = |name: &str| given.iter().any(|(given, _)| given == name);
            known && fields.iter().all(|(name, _, required)| !required || has(name))
        }
        _ => false,
    }
}
