//! What a value may be. A value that is accepted is kept as it was given.

use async_graphql::Enum;
use common::feature::Flag;
use common::prompt::Prompts;
use regex::Regex;
use serde_json::Value;

/// The deepest a JSON value may be nested: far below what any reader of JSON takes.
const MAX_DEPTH: usize = 32;
/// How much of a refused value is told.
const SHOWN: usize = 60;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// True or false.
    Boolean,
    /// A whole number within these bounds.
    Integer {
        /// The least.
        least: i32,
        /// The most.
        most: i32,
    },
    /// A number within these bounds.
    Float {
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A text that is not blank.
    Text {
        /// The most characters.
        most: usize,
        /// The form it must have, if any.
        pattern: Option<Pattern>,
    },
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of colours, each once, at most so many.
    Colors(usize),
    /// A JSON object of at most so many bytes, nested at most 32 deep.
    Json(usize),
    /// Who has a feature.
    Flag,
    /// What a language model is told: one prompt, or several to choose from.
    Prompts,
}

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// As a regular expression that the whole text must match.
    pub regex: &'static str,
    /// In words, with an example.
    pub described: &'static str,
}

/// What kind of value a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ConfigType")]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// A text.
    String,
    /// A JSON object.
    Json,
    /// A list of colours of the form `#RRGGBB`.
    ColorList,
    /// Who has a feature: `{"percentage": 0 to 100, "roles": [USER, BETA, ADMIN], "users": [ids]}`, each member optional. Whoever any of
    /// the three admits has it.
    FeatureFlag,
    /// What a language model is told: `{"name", "systemMessage", "parameters": {"model", "temperature", "topP", "frequencyPenalty",
    /// "presencePenalty"}, "maxTokens"}`. Of the parameters each is optional, and so are `parameters` and `maxTokens`. Or 1 to 20 such to choose
    /// from: `{"default": a name, "prompts": [those]}`, each with a name of its own.
    ModelPrompt,
}

/// A value that a key cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not accepted: expected {expected}")]
pub struct InvalidValue {
    /// The value, shortened.
    value: String,
    /// What is accepted.
    expected: String,
}

impl InvalidValue {
    fn new(value: &Value, expected: impl Into<String>) -> Self {
        Self { value: shortened(value.to_string()), expected: expected.into() }
    }
}

impl Rule {
    /// The kind of value that it accepts.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Integer { .. } => Kind::Integer,
            Self::Float { .. } => Kind::Float,
            Self::Text { .. } | Self::Choice(_) => Kind::String,
            Self::Colors(_) => Kind::ColorList,
            Self::Json(_) => Kind::Json,
            Self::Flag => Kind::FeatureFlag,
            Self::Prompts => Kind::ModelPrompt,
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// [`InvalidValue`] that says what is accepted.
    pub fn check(&self, value: &Value) -> Result<(), InvalidValue> {
        let kept = match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer { least, most } => {
                value.as_i64().is_some_and(|n| (i64::from(*least)..=i64::from(*most)).contains(&n))
            }
            Self::Float { least, most } => {
                value.as_f64().is_some_and(|n| (*least..=*most).contains(&n))
            }
            Self::Text { most, pattern } => {
                value.as_str().is_some_and(|text| is_text(text, *most, *pattern))
            }
            Self::Choice(allowed) => value.as_str().is_some_and(|text| allowed.contains(&text)),
            Self::Colors(most) => return colors(value, *most),
            Self::Json(most) => value.is_object() && fits(value, MAX_DEPTH, *most),
            Self::Flag => return with_reason(value, Flag::from_value(value)),
            Self::Prompts => return with_reason(value, Prompts::from_value(value)),
        };
        if kept { Ok(()) } else { Err(InvalidValue::new(value, self.accepted())) }
    }

    /// Reads a value as it is written in the environment: JSON, except that texts stand as they are and colours between commas.
    #[must_use]
    pub fn read(&self, text: &str) -> Value {
        match self {
            Self::Text { .. } | Self::Choice(_) => text.into(),
            Self::Colors(_) if !text.trim_start().starts_with('[') => {
                text.split(',').map(str::trim).collect()
            }
            // What is no JSON is no value of these kinds, and is refused as the text that it is.
            _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        }
    }

    /// What is accepted, in words.
    #[must_use]
    pub fn accepted(&self) -> String {
        match self {
            Self::Boolean => "true or false".into(),
            Self::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Self::Float { least, most } => format!("a number from {least} to {most}"),
            Self::Text { pattern: Some(pattern), .. } => pattern.described.into(),
            Self::Text { most, pattern: None } => format!("a text of 1 to {most} characters"),
            Self::Choice(allowed) => format!("one of {}", allowed.join(", ")),
            Self::Colors(most) => format!("a list of 1 to {most} colours, each once, as #RRGGBB"),
            Self::Json(most) => {
                format!("a JSON object of at most {most} bytes and {MAX_DEPTH} levels")
            }
            Self::Flag => "an object of percentage, roles and users".into(),
            Self::Prompts => {
                "an object of name, systemMessage, parameters and maxTokens, or one of default and prompts, which are such objects".into()
            }
        }
    }
}

pub(super) fn shortened(mut text: String) -> String {
    if text.chars().count() > SHOWN {
        text = text.chars().take(SHOWN - 1).chain(['…']).collect();
    }
    text
}

fn is_text(text: &str, most: usize, pattern: Option<Pattern>) -> bool {
    let fits = !text.trim().is_empty() && text.chars().count() <= most;
    fits && pattern.is_none_or(|pattern| {
        let whole = format!("^(?:{})$", pattern.regex);
        Regex::new(&whole).is_ok_and(|regex| regex.is_match(text))
    })
}

fn colors(value: &Value, most: usize) -> Result<(), InvalidValue> {
    let list = || InvalidValue::new(value, Rule::Colors(most).accepted());
    let given = value.as_array().ok_or_else(list)?;
    if !(1..=most).contains(&given.len()) {
        return Err(list());
    }
    let mut seen = Vec::with_capacity(given.len());
    for color in given {
        let text = color.as_str().filter(|text| is_color(text));
        let text = text.ok_or_else(|| InvalidValue::new(color, "a colour such as #FFEC87"))?;
        let same = text.to_ascii_uppercase();
        if seen.contains(&same) {
            return Err(InvalidValue::new(color, "each colour once"));
        }
        seen.push(same);
    }
    Ok(())
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn fits(value: &Value, depth: usize, bytes: usize) -> bool {
    fn within(value: &Value, depth: usize) -> bool {
        let Some(below) = depth.checked_sub(1) else { return false };
        match value {
            Value::Array(items) => items.iter().all(|item| within(item, below)),
            Value::Object(members) => members.values().all(|member| within(member, below)),
            _ => true,
        }
    }
    // The depth first: writing the value out takes as many calls.
    within(value, depth) && value.to_string().len() <= bytes
}

fn with_reason<T, E: std::fmt::Display>(
    value: &Value,
    read: Result<T, E>,
) -> Result<(), InvalidValue> {
    let expected = |error: E| shortened_reason(&error.to_string());
    read.map(drop).map_err(|error| InvalidValue::new(value, expected(error)))
}

/// The reason of another reader may repeat the value, so it is bounded, too.
fn shortened_reason(reason: &str) -> String {
    format!("another value: {}", reason.chars().take(200).collect::<String>())
}
