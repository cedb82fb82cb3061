//! Writes leaves as JSON: result coercion as in the specification's section 3.5 for the built-in scalars, enum values only if
//! clients may see them, custom scalars as they are.

use crate::plan::Leaf;
use crate::value::Value;

/// How deep a custom scalar may nest.
const MAX_DEPTH: usize = 256;

/// Why a value was not written.
pub(super) enum Unfit {
    NotInt,
    NotFloat,
    NotString,
    NotBoolean,
    NotId,
    NotOfEnum,
    TooDeep,
}

impl Unfit {
    /// What was found, in words for the client.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::NotInt => "something that is not a whole number of 32 bits",
            Self::NotFloat => "something that is not a finite number",
            Self::NotString => "something that is not a string",
            Self::NotBoolean => "something that is not a Boolean",
            Self::NotId => "something that is not an ID",
            Self::NotOfEnum => "something that is not a value of its enum",
            Self::TooDeep => "a value that nests too deep",
        }
    }
}

/// Whether `value` is a value of an enum that clients must not see.
pub(super) fn is_hidden(kind: &Leaf, value: &Value) -> bool {
    match (kind, value) {
        (Leaf::Enum { hidden, .. }, Value::String(text)) => {
            hidden.iter().any(|value| value == text.as_str())
        }
        _ => false,
    }
}

pub(super) fn write(out: &mut Vec<u8>, kind: &Leaf, value: &Value) -> Result<(), Unfit> {
    match kind {
        Leaf::String => match value {
            Value::String(text) => write_string(out, text),
            _ => return Err(Unfit::NotString),
        },
        Leaf::Id => match value {
            Value::String(text) => write_string(out, text),
            Value::Int(number) => write_string(out, &number.to_string()),
            _ => return Err(Unfit::NotId),
        },
        Leaf::Int => write_int(out, whole(value).ok_or(Unfit::NotInt)?),
        Leaf::Float => match value {
            Value::Int(number) => write_int(out, *number),
            Value::Float(number) if number.is_finite() => write_float(out, *number),
            _ => return Err(Unfit::NotFloat),
        },
        Leaf::Boolean => match value {
            Value::Bool(value) => write_bool(out, *value),
            _ => return Err(Unfit::NotBoolean),
        },
        Leaf::Enum { visible, .. } => match value {
            Value::String(text) if visible.iter().any(|value| value == text.as_str()) => {
                write_string(out, text);
            }
            _ => return Err(Unfit::NotOfEnum),
        },
        Leaf::Any => write_any(out, value, 0)?,
    }
    Ok(())
}

/// An integer of 32 bits, also where it was written as `1.0`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) if i32::try_from(*number).is_ok() => Some(*number),
        Value::Float(number)
            if number.fract() == 0.0
                && *number >= f64::from(i32::MIN)
                && *number <= f64::from(i32::MAX) =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and in range, as just checked"
            )]
            Some(*number as i64)
        }
        _ => None,
    }
}

fn write_any(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), Unfit> {
    if depth > MAX_DEPTH {
        return Err(Unfit::TooDeep);
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => write_bool(out, *value),
        Value::Int(value) => write_int(out, *value),
        Value::Float(value) => write_float(out, *value),
        Value::String(value) => write_string(out, value),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_any(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (index, (name, value)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(out, name);
                out.push(b':');
                write_any(out, value, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Writing to memory does not fail, here and below.
fn write_int(out: &mut Vec<u8>, value: i64) {
    let _ = serde_json::to_writer(out, &value);
}

/// A number that JSON has no form for becomes null.
fn write_float(out: &mut Vec<u8>, value: f64) {
    let _ = serde_json::to_writer(out, &value);
}

/// Writes a string with its quotes.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}
