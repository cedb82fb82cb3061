//! The scalar `Upload`: a file of a multipart request, as a value among the variables.
//!
//! The value holds the bytes themselves, which JSON cannot write: nobody makes one but whoever received a file. (async-graphql's own scalar is the
//! number of a file, read from a text that any client may send, and panics when there is no such file.)

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaType, MetaTypeId, Registry};
use async_graphql::{InputType, InputValueError, InputValueResult, Name, Value};
use bytes::Bytes;

/// A file that came with a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the client calls it: any text.
    pub name: String,
    /// What the client says it is: any text.
    pub content_type: Option<String>,
    /// Its bytes; clones share them.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({:?}, {} bytes)", self.name, self.bytes.len())
    }
}

const NAME: &str = "name";
const CONTENT_TYPE: &str = "contentType";
const BYTES: &str = "bytes";

/// The value among the variables of a request.
impl From<Upload> for Value {
    fn from(upload: Upload) -> Self {
        let content_type = upload.content_type.map_or(Self::Null, Self::String);
        Self::Object(IndexMap::from_iter([
            (Name::new(NAME), Self::String(upload.name)),
            (Name::new(CONTENT_TYPE), content_type),
            (Name::new(BYTES), Self::Binary(upload.bytes)),
        ]))
    }
}

impl Upload {
    fn read(value: &Value) -> Option<Self> {
        let Value::Object(members) = value else { return None };
        let Some(Value::Binary(bytes)) = members.get(BYTES) else { return None };
        let Some(Value::String(name)) = members.get(NAME) else { return None };
        let content_type = match members.get(CONTENT_TYPE) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Self { name: name.clone(), content_type, bytes: bytes.clone() })
    }
}

impl InputType for Upload {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "Upload".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Scalar, |_| MetaType::Scalar {
            name: Self::type_name().into_owned(),
            description: Some(
                "A file. The request comes as multipart/form-data, as the GraphQL multipart request specification says.".to_owned(),
            ),
            is_valid: Some(Arc::new(|value| Self::read(value).is_some())),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: Some(
                "https://github.com/jaydenseric/graphql-multipart-request-spec".to_owned(),
            ),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        value.as_ref().and_then(Self::read).ok_or_else(|| {
            InputValueError::custom(
                "an upload is a file: send the request as multipart/form-data with operations, map and the file",
            )
        })
    }

    fn to_value(&self) -> Value {
        self.clone().into()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_nothing_that_json_writes_is_one() {
        let bytes = Bytes::from_static(b"\0\xff");
        for content_type in [None, Some("image/png".to_owned())] {
            let upload = Upload { name: "a.png".into(), content_type, bytes: bytes.clone() };
            assert_eq!(Upload::parse(Some(upload.clone().into())).unwrap(), upload);
        }
        for json in [
            "null",
            "\"#__graphql_file__:0\"",
            "\"#__graphql_file__:x\"",
            "7",
            "{}",
            "{\"name\":\"a.png\",\"contentType\":null,\"bytes\":[1,2]}",
            "{\"name\":\"a.png\",\"contentType\":null,\"bytes\":\"AAA\"}",
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert!(Upload::parse(Some(value)).is_err(), "{json}");
        }
        assert!(Upload::parse(None).is_err());
    }
}
