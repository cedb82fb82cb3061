//! The scalar `Date`: a local date, ISO 8601.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::civil;

use crate::scheduler::Day;

/// A local date, such as `2026-11-24`. A day of learning starts at the person's rollover hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub(super) civil::Date);

/// A local date, such as `2026-11-24`. A day of learning starts at the person's rollover hour.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(Self).map_err(|_| {
                InputValueError::custom(format!(
                    "{text:?} is not a date: expected ISO 8601 such as 2026-11-24"
                ))
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self::from_date(date.0)
    }
}
