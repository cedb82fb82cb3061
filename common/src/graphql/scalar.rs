//! The scalar `DateTime`: RFC 3339, answered in UTC with milliseconds; and scalars of which each is answered for by itself.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueError, InputValueResult, Scalar, ScalarType, Value};
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
        Self::read(&value).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl Readable for DateTime {
    fn read(value: &Value) -> Result<Self, String> {
        let read = if let Value::String(text) = value { text.parse().ok() } else { None };
        read.map(Self).ok_or_else(|| {
            format!("{value} is not a moment: expected RFC 3339 such as 2026-11-24T09:30:00Z")
        })
    }
}

/// A scalar that says why a value is none.
pub trait Readable: InputType {
    /// Reads a value.
    ///
    /// # Errors
    /// What the value is not, and what is expected.
    fn read(value: &Value) -> Result<Self, String>;
}

/// A scalar within a batch, read or the reason why it cannot be: clients see the scalar itself, and one that is malformed does not refuse the whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<T>(pub Result<T, String>);

impl<T: Readable> InputType for Sent<T> {
    type RawValueType = T::RawValueType;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(Self(T::read(&value.unwrap_or_default())))
    }

    fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, T::to_value)
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().ok()?.as_raw_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_and_malformed_says_why() {
        let read = |value: Value| <Sent<DateTime> as InputType>::parse(Some(value)).unwrap().0;
        assert!(read(Value::String("2026-11-24T10:30:00Z".into())).is_ok());
        let reason = "is not a moment: expected RFC 3339 such as 2026-11-24T09:30:00Z";
        assert_eq!(read(Value::String("soon".into())), Err(format!("\"soon\" {reason}")));
        assert_eq!(read(Value::from(7)), Err(format!("7 {reason}")));
        assert_eq!(<Sent<DateTime> as InputType>::qualified_type_name(), "DateTime!");
    }

    #[test]
    fn it_reads_any_offset_and_writes_utc() {
        let moment =
            <DateTime as ScalarType>::parse(Value::String("2026-11-24T10:30:00.5+01:00".into()))
                .unwrap();
        assert_eq!(Value::from(moment), Value::String("2026-11-24T09:30:00.500Z".into()));
        assert!(<DateTime as ScalarType>::parse(Value::String("yesterday".into())).is_err());
        assert!(<DateTime as ScalarType>::parse(Value::from(1)).is_err());
    }
}
