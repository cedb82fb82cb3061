//! The scalar `Date`: a local date, ISO 8601.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use common::graphql::Readable;
use jiff::civil;

use crate::scheduler::Day;

/// A local date, such as `2026-11-24`. A day of learning starts at the person's rollover hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub(super) civil::Date);

/// A local date, such as `2026-11-24`. A day of learning starts at the person's rollover hour.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::read(&value).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl Readable for Date {
    fn read(value: &Value) -> Result<Self, String> {
        let read = if let Value::String(text) = value { text.parse().ok() } else { None };
        read.map(Self)
            .ok_or_else(|| format!("{value} is not a date: expected ISO 8601 such as 2026-11-24"))
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self::from_date(date.0)
    }
}
