//! [`Value`] from and to JSON and other self-describing formats.
//!
//! Depth is the format's to limit; `serde_json` stops at 128.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Object, ObjectBuilder, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(&**name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(object) => Ok(object),
            _ => Err(D::Error::custom("expected an object")),
        }
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Value::Int(value),
            #[expect(clippy::cast_precision_loss, reason = "the value does not fit 64 signed bits")]
            Err(_) => Value::Float(value as f64),
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(4096));
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut builder = ObjectBuilder::default();
        while let Some(name) = map.next_key::<String>()? {
            *builder.slot(name.into()) = map.next_value()?;
        }
        Ok(Value::Object(builder.finish()))
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => number.as_f64().map_or(Self::Null, Self::Float),
            },
            serde_json::Value::String(value) => Self::String(value),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(map) => Self::Object(Object::from(map)),
        }
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Object {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        let mut object = Self::with_capacity(map.len());
        for (name, value) in map {
            object.push(name.into(), value.into());
        }
        object
    }
}

impl From<Value> for serde_json::Value {
    /// A number that JSON has no form for becomes null.
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::from(value),
            Value::Float(value) => Self::from(value),
            Value::String(value) => Self::String(value),
            Value::List(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Value::Object(object) => Self::Object(object.into()),
        }
    }
}

impl From<Object> for serde_json::Map<String, serde_json::Value> {
    fn from(object: Object) -> Self {
        object.into_iter().map(|(name, value)| (name.to_string(), value.into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn write(value: &Value) -> String {
        serde_json::to_string(value).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn json_comes_out_as_it_went_in() {
        for text in [
            "null",
            "[true,false,null]",
            "[-9223372036854775808,9223372036854775807,1.5,-0.0]",
            r#""quote \" slash \\ line \n sign \u0001 smile 😀""#,
            r#"{"b":1,"a":{"c":[]},"":{}}"#,
            r#"[{"a":1,"b":2},{"a":3,"b":4},{"b":5,"a":6},{"a":7},{"c":8,"a":9,"b":{}}]"#,
            "[[[{\"a\":[{\"b\":1},{\"b\":2}]},{\"a\":[{\"b\":3}]}]]]",
        ] {
            assert_eq!(write(&read(text)), text);
        }
        assert_eq!(read("18446744073709551615"), Value::Float(18_446_744_073_709_551_615.0));
    }

    #[test]
    fn a_name_that_repeats_has_its_last_value() {
        assert_eq!(write(&read(r#"{"a":1,"b":2,"a":3}"#)), r#"{"a":3,"b":2}"#);
        let list = read(r#"[{"a":1,"b":2},{"b":3,"b":4},{"a":5,"a":6}]"#);
        assert_eq!(write(&list), r#"[{"a":1,"b":2},{"b":4},{"a":6}]"#);
    }

    #[test]
    fn wide_objects_are_read_in_linear_time() {
        let pairs: Vec<_> = (0..100_000).map(|n| format!("\"name{n}\":{n}")).collect();
        let text = format!("{{{}}}", pairs.join(","));
        let value = read(&text);
        assert_eq!(write(&value), text);
        let Value::Object(object) = value else {
            panic!("an object");
        };
        assert_eq!(object.len(), 100_000);
        assert_eq!(object.into_iter().collect::<Object>().len(), 100_000);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(serde_json::from_str::<Value>(&"[".repeat(100_000)).is_err());
        assert!(serde_json::from_str::<Object>("[]").is_err());
    }

    #[test]
    fn json_values_convert_both_ways() {
        let json = serde_json::json!({"a": [1, 1.5, "x", null, true], "b": {"c": {}}});
        let value = Value::from(json.clone());
        assert_eq!(serde_json::Value::from(value), json);
        let infinite = serde_json::Value::from(Value::Float(f64::INFINITY));
        assert_eq!(infinite, serde_json::Value::Null);
    }
}
