//! Reads a subgraph's GraphQL response into the engine's values.
//!
//! Refused: what is not an object, and errors that are not as the GraphQL specification has them
//! (section 7.1.6). Unknown members are skipped.

use serde::Deserialize;
use serde::de::Error;

use crate::value::{Object, Value};

use super::{FetchResponse, PathSegment, SubgraphError};

/// A subgraph's answer, read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) data: Value,
    pub(super) errors: Vec<SubgraphError>,
}

/// Reads a subgraph's answer, however it came.
pub(super) fn read(response: FetchResponse) -> serde_json::Result<Read> {
    match response {
        FetchResponse::Json(body) => read_json(&body),
        FetchResponse::InProcess { data, errors } => Ok(Read { data: data.value()?, errors }),
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    errors: Option<Vec<AnswerError>>,
}

#[derive(Deserialize)]
struct AnswerError {
    message: String,
    path: Option<Vec<Segment>>,
    extensions: Option<Object>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segment {
    Index(usize),
    Key(String),
}

fn read_json(body: &[u8]) -> serde_json::Result<Read> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(serde_json::Error::custom("it is not an object"));
    }
    let Answer { data, errors } = serde_json::from_slice(body)?;
    let errors: Vec<_> = errors.unwrap_or_default().into_iter().map(AnswerError::into).collect();
    match data {
        None => Ok(Read { data: Value::Null, errors }),
        Some(data @ Value::Object(_)) => Ok(Read { data, errors }),
        Some(_) => Err(serde_json::Error::custom("data is not an object")),
    }
}

impl From<AnswerError> for SubgraphError {
    fn from(error: AnswerError) -> Self {
        let segment = |segment| match segment {
            Segment::Index(index) => PathSegment::Index(index),
            Segment::Key(key) => PathSegment::Key(key.into()),
        };
        Self {
            message: error.message,
            path: error.path.unwrap_or_default().into_iter().map(segment).collect(),
            extensions: error.extensions.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_errors_are_read_json() {
        let response = read_json(
            br#" {"extensions":{"x":[1]},"data":{"a":[{"b":1},{"b":2}]},
                 "errors":[{"message":"no","path":["a",1,"b"],"locations":[{"line":1,"column":2}],
                            "extensions":{"code":"NOT_FOUND","more":{"n":1.5}}},{"message":"bare"}]}"#,
        )
        .unwrap();
        let data: Value = serde_json::from_str(r#"{"a":[{"b":1},{"b":2}]}"#).unwrap();
        assert_eq!(response.data, data);
        let [error, bare] = &response.errors[..] else { panic!("{:?}", response.errors) };
        assert_eq!(error.message, "no");
        assert_eq!(
            error.path,
            [PathSegment::Key("a".into()), PathSegment::Index(1), PathSegment::Key("b".into())]
        );
        assert_eq!(error.extensions.get("code"), Some(&Value::String("NOT_FOUND".into())));
        assert!(bare.path.is_empty() && bare.extensions.is_empty());
    }

    #[test]
    fn null_data_with_errors_is_read_json() {
        let response =
            read_json(br#"{"data":null,"errors":[{"message":"no","path":null}]}"#).unwrap();
        assert_eq!((response.data, response.errors.len()), (Value::Null, 1));
        assert_eq!(read_json(br#"{"data":{}, "errors":null}"#).unwrap().errors, []);
    }

    #[test]
    fn what_is_no_graphql_response_is_refused() {
        for body in [
            "",
            "<html>",
            "[]",
            "[{}, []]",
            r#"{"data":1}"#,
            r#"{"data":{}} trailing"#,
            r#"{"data":{"#,
            r#"{"errors":{}}"#,
            r#"{"errors":[{"path":[]}]}"#,
            r#"{"errors":[{"message":"m","path":[-1]}]}"#,
            r#"{"errors":[{"message":"m","extensions":7}]}"#,
        ] {
            assert!(read_json(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn no_answer_makes_it_panic() {
        let good = br#"{"data":{"a":[{"b":1.5e3},{"b":"\u00e9"}]},"errors":[{"message":"m","path":["a",0]}]}"#;
        for length in 0..good.len() {
            assert!(read_json(&good[..length]).is_err(), "{length}");
        }
        for place in 0..good.len() {
            for byte in 0..=255 {
                let mut damaged = good.to_vec();
                damaged[place] = byte;
                drop(read_json(&damaged));
            }
        }
    }
}
