//! Writes leaves: result coercion as in the specification's section 3.5 for the built-in scalars, enum values only if clients
//! may see them, custom scalars as they are. A leaf is JSON text, and is copied where nothing about it has to change.

use crate::plan::Leaf;

use super::json::{compacted, unescaped};

/// What a value should have been and is not.
pub(super) enum Unfit {
    Int,
    Float,
    String,
    Boolean,
    Id,
    Enum,
}

impl Unfit {
    /// What was found, in words for the client.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Int => "something that is not a whole number of 32 bits",
            Self::Float => "something that is not a finite number",
            Self::String => "something that is not a string",
            Self::Boolean => "something that is not a Boolean",
            Self::Id => "something that is not an ID",
            Self::Enum => "something that is not a value of its enum",
        }
    }
}

/// Writes a leaf, which is valid JSON text.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, kind: &Leaf, text: &[u8]) -> Result<(), Unfit> {
    let first = text.first().copied().unwrap_or_default();
    match kind {
        Leaf::String if first == b'"' => out.extend_from_slice(text),
        Leaf::String => return Err(Unfit::String),
        Leaf::Id if first == b'"' => out.extend_from_slice(text),
        Leaf::Id if is_whole(text) => {
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        }
        Leaf::Id => return Err(Unfit::Id),
        Leaf::Int => write_int(out, text)?,
        Leaf::Float if is_finite(text) => out.extend_from_slice(text),
        Leaf::Float => return Err(Unfit::Float),
        Leaf::Boolean if matches!(text, b"true" | b"false") => out.extend_from_slice(text),
        Leaf::Boolean => return Err(Unfit::Boolean),
        Leaf::Enum { visible, .. } => {
            let value = unescaped(text);
            if first != b'"' || !visible.iter().any(|name| name.as_bytes() == &*value) {
                return Err(Unfit::Enum);
            }
            out.extend_from_slice(text);
        }
        Leaf::Any if matches!(first, b'{' | b'[') => out.extend_from_slice(&compacted(text)),
        Leaf::Any => out.extend_from_slice(text),
    }
    Ok(())
}

/// Whether a leaf is a value of its enum that clients must not see.
pub(super) fn is_hidden(kind: &Leaf, text: &[u8]) -> bool {
    match kind {
        Leaf::Enum { hidden, .. } if !hidden.is_empty() => {
            let value = unescaped(text);
            hidden.iter().any(|name| name.as_bytes() == &*value)
        }
        _ => false,
    }
}

fn is_number(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'-' | b'0'..=b'9'))
}

fn is_whole(text: &[u8]) -> bool {
    is_number(text) && text[1..].iter().all(u8::is_ascii_digit)
}

/// Writes an integer of 32 bits, also one that was written as `1.0`.
fn write_int(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Unfit> {
    if is_whole(text) && text.len() < 10 {
        out.extend_from_slice(text);
        return Ok(());
    }
    let number = is_number(text).then(|| parsed(text)).flatten().ok_or(Unfit::Int)?;
    let is_int =
        number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    if !is_int {
        return Err(Unfit::Int);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range, as just checked")]
    let number = number as i64;
    out.extend_from_slice(number.to_string().as_bytes());
    Ok(())
}

fn is_finite(text: &[u8]) -> bool {
    // Without an exponent it takes more than three hundred digits to be infinite.
    let is_small = text.len() < 300 && !text.iter().any(|byte| matches!(byte, b'e' | b'E'));
    is_number(text) && (is_small || parsed(text).is_some_and(f64::is_finite))
}

fn parsed(number: &[u8]) -> Option<f64> {
    std::str::from_utf8(number).ok()?.parse().ok()
}
