//! The scalar `DateTime`: RFC 3339, answered in UTC with milliseconds.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

/// A moment, RFC 3339, such as `2026-11-24T09:30:00.000Z`. Any offset is accepted; answers are in UTC, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub Timestamp);

impl From<DateTime> for Value {
    fn from(moment: DateTime) -> Self {
        Self::String(format!("{:.3}", moment.0))
    }
}

/// A moment, RFC 3339, such as `2026-11-24T09:30:00.000Z`. Any offset is accepted; answers are in UTC, to the millisecond.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(Self).map_err(|_| {
                InputValueError::custom(format!(
                    "{text:?} is not a moment: expected RFC 3339 such as 2026-11-24T09:30:00Z"
                ))
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_any_offset_and_writes_utc() {
        let moment = DateTime::parse(Value::String("2026-11-24T10:30:00.5+01:00".into())).unwrap();
        assert_eq!(Value::from(moment), Value::String("2026-11-24T09:30:00.500Z".into()));
        assert!(DateTime::parse(Value::String("yesterday".into())).is_err());
        assert!(DateTime::parse(Value::from(1)).is_err());
    }
}
