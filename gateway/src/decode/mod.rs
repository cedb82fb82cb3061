//! From an HTTP request to a GraphQL request: method, media types, body or query string, and its parameters.
//!
//! Follows GraphQL over HTTP, sections 3 and 4. Refused, each with a message that names what was wrong and what is accepted: other
//! methods, other media types, bodies and query strings beyond the limits, batches, parameters of the wrong type. Other members of the body
//! are ignored.

mod accept;
mod body;
mod depth;
mod media;
mod upload;

use axum::body::Body;
use axum::extract::Query;
use federation::{Object, Value};
use http::request::Parts;
use http::{Method, Uri};
use serde::Deserialize;

use crate::code::Code;
use crate::outcome::Outcome;
use crate::settings::HttpSettings;
use crate::uploads::Uploads;

pub(crate) use accept::{Accepted, Delivery, Dialect, Multipart, StreamType, negotiate};
pub(crate) use depth::of_value as depth_of;
pub(crate) use media::MediaType;
pub(crate) use upload::{decode_form, form_limits};

/// A well-formed GraphQL-over-HTTP request.
#[derive(Debug, PartialEq)]
pub(crate) struct GraphQlRequest {
    pub(crate) asked: Asked,
    pub(crate) operation_name: Option<String>,
    pub(crate) variables: Object,
    /// Whether it came by a method that must not change anything.
    pub(crate) by_safe_method: bool,
    /// The operation's id among those that share an event stream: `extensions.operationId`.
    pub(crate) operation_id: Option<String>,
    /// The files that came with it; their marks are among the variables.
    pub(crate) uploads: Option<Uploads>,
}

/// How an operation is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    /// By its document: `query`.
    Text(String),
    /// By the document's SHA-256 in hexadecimal, with the document where the server did not know it: `extensions.persistedQuery`.
    Hash { hash: String, text: Option<String> },
    /// By the id of a document that was registered before: `documentId`, or `id` and `doc_id` as Relay's clients are used to.
    Id(String),
}

/// Reads a request.
///
/// # Errors
/// [`Outcome::Refused`] when it is not a GraphQL-over-HTTP request or is too large.
pub(crate) async fn decode(
    parts: &Parts,
    body: Body,
    settings: &HttpSettings,
) -> Result<GraphQlRequest, Outcome> {
    match parts.method {
        Method::POST => {
            media::expect_json(&parts.headers)?;
            let body = body::receive(&parts.headers, body, settings.body_limit).await?;
            from_body(&body)
        }
        Method::GET | Method::HEAD => from_uri(&parts.uri, settings.query_string_limit),
        _ => Err(Outcome::method_not_allowed(
            format!("{} is not answered here: send GET or POST", parts.method),
            "GET, POST",
        )),
    }
}

impl GraphQlRequest {
    /// Reads a request that came as a message, not by an HTTP method.
    ///
    /// # Errors
    /// [`Outcome::Refused`] when it is no request.
    pub(crate) fn from_value(value: Value) -> Result<Self, Outcome> {
        let Value::Object(mut object) = value else {
            return Err(wrong_type("payload", "an object", &value));
        };
        let mut take = |name| object.get_mut(name).map(std::mem::take);
        let parameters = Parameters {
            query: take("query"),
            operation_name: take("operationName"),
            variables: take("variables"),
            extensions: take("extensions"),
            document_id: take("documentId"),
            id: take("id"),
            doc_id: take("doc_id"),
        };
        parameters.check(false)
    }
}

/// The parameters as they arrive: anything JSON has.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<Value>,
    operation_name: Option<Value>,
    variables: Option<Value>,
    extensions: Option<Value>,
    document_id: Option<Value>,
    id: Option<Value>,
    #[serde(rename = "doc_id")]
    doc_id: Option<Value>,
}

fn from_body(body: &[u8]) -> Result<GraphQlRequest, Outcome> {
    match body.trim_ascii_start().first() {
        Some(b'{') => {}
        None => return Err(Outcome::bad_request("the body is empty: send a JSON object")),
        Some(b'[') => {
            return Err(Outcome::refused(
                Code::BatchNotAccepted,
                "batches are not accepted: send one JSON object, and each operation by itself",
            ));
        }
        Some(_) => return Err(Outcome::bad_request("the body is not a JSON object")),
    }
    let parameters: Parameters = serde_json::from_slice(body).map_err(|error| {
        let depth = depth::of(body);
        if depth > depth::READ {
            let message =
                format!("the body nests {depth} levels deep; {} are read at most", depth::READ);
            return Outcome::refused(Code::VariablesTooDeep, message);
        }
        Outcome::bad_request(format!("the body cannot be read as the JSON of a request: {error}"))
    })?;
    parameters.check(false)
}

fn from_uri(uri: &Uri, limit: usize) -> Result<GraphQlRequest, Outcome> {
    if uri.query().is_some_and(|query| query.len() > limit) {
        return Err(Outcome::refused(
            Code::UriTooLong,
            format!(
                "the query string may have {limit} bytes at most: send longer requests by POST"
            ),
        ));
    }
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
        Outcome::bad_request(format!("the query string cannot be read: {error}"))
    })?;
    let mut parameters = Parameters::default();
    for (name, text) in pairs {
        let (slot, value) = match name.as_str() {
            "query" => (&mut parameters.query, Value::String(text)),
            "operationName" if text.is_empty() => continue,
            "operationName" => (&mut parameters.operation_name, Value::String(text)),
            "variables" => (&mut parameters.variables, from_json("variables", &text)?),
            "extensions" => (&mut parameters.extensions, from_json("extensions", &text)?),
            "documentId" => (&mut parameters.document_id, Value::String(text)),
            "id" => (&mut parameters.id, Value::String(text)),
            "doc_id" => (&mut parameters.doc_id, Value::String(text)),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(Outcome::bad_request(format!("the parameter {name} is given twice")));
        }
    }
    parameters.check(true)
}

fn from_json(name: &str, text: &str) -> Result<Value, Outcome> {
    serde_json::from_str(text).map_err(|error| {
        Outcome::bad_request(format!("the parameter {name} cannot be read as JSON: {error}"))
    })
}

impl Parameters {
    fn check(self, by_safe_method: bool) -> Result<GraphQlRequest, Outcome> {
        let query = string("query", self.query)?;
        let extensions = object("extensions", self.extensions)?.unwrap_or_default();
        let operation_id = match extensions.get("operationId") {
            Some(Value::String(id)) => Some(id.clone()),
            _ => None,
        };
        let id = match (string("documentId", self.document_id)?, self.id, self.doc_id) {
            (Some(id), ..) if query.is_none() => Some(id),
            (Some(_), ..) => {
                return Err(Outcome::bad_request(
                    "the parameters query and documentId are both given: send one of them",
                ));
            }
            // Other members by these names mean nothing where there is a document.
            (None, Some(Value::String(id)), _) | (None, _, Some(Value::String(id))) => Some(id),
            _ => None,
        };
        let asked = match (extensions.get("persistedQuery"), query, id) {
            (Some(persisted), text, _) => Asked::Hash { hash: hash(persisted)?, text },
            (None, Some(text), _) => Asked::Text(text),
            (None, None, Some(id)) => Asked::Id(id),
            (None, None, None) => {
                return Err(Outcome::bad_request(
                    "the parameter query is missing: it holds the GraphQL document",
                ));
            }
        };
        Ok(GraphQlRequest {
            operation_id,
            uploads: None,
            asked,
            operation_name: string("operationName", self.operation_name)?,
            variables: object("variables", self.variables)?.unwrap_or_default(),
            by_safe_method,
        })
    }
}

/// The hash of `extensions.persistedQuery`.
fn hash(persisted: &Value) -> Result<String, Outcome> {
    let member = |name| match persisted {
        Value::Object(object) => object.get(name),
        _ => None,
    };
    match (member("version"), member("sha256Hash")) {
        (Some(Value::Int(1)), Some(Value::String(hash))) if is_sha256(hash) => Ok(hash.clone()),
        _ => Err(Outcome::bad_request(
            "extensions.persistedQuery must be {\"version\": 1, \"sha256Hash\": the SHA-256 of the document, 64 digits of lower-case hexadecimal}",
        )),
    }
}

fn is_sha256(hash: &str) -> bool {
    hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A parameter that is a string; `null` is the same as none.
fn string(name: &str, value: Option<Value>) -> Result<Option<String>, Outcome> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(name, "a string", &other)),
    }
}

/// A parameter that is an object; `null` is the same as none.
fn object(name: &str, value: Option<Value>) -> Result<Option<Object>, Outcome> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => Err(wrong_type(name, "an object", &other)),
    }
}

fn wrong_type(name: &str, expected: &str, value: &Value) -> Outcome {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    };
    Outcome::bad_request(format!("the parameter {name} must be {expected}, not {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<GraphQlRequest, Outcome>) -> (Code, String) {
        match result.unwrap_err() {
            Outcome::Refused(refusal) => (refusal.code, refusal.message.into_owned()),
            other => panic!("{other:?}"),
        }
    }

    fn get(query_string: &str) -> Result<GraphQlRequest, Outcome> {
        from_uri(&format!("/graphql?{query_string}").parse().unwrap(), 200)
    }

    #[test]
    fn the_four_parameters_are_read_and_others_ignored() {
        let request = from_body(
            br#" {"query":"{a}","operationName":"A","variables":{"n":1},"extensions":{"x":1},"id":7} "#,
        )
        .unwrap();
        assert_eq!(request.asked, Asked::Text("{a}".to_owned()));
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(request.variables.get("n"), Some(&Value::Int(1)));
        let bare = from_body(br#"{"query":"{a}","operationName":null,"variables":null}"#).unwrap();
        assert_eq!((bare.operation_name, bare.variables.len()), (None, 0));
    }

    #[test]
    fn a_body_that_is_no_request_is_refused_with_the_reason() {
        for (body, message) in [
            ("", "the body is empty"),
            ("  ", "the body is empty"),
            ("NONSENSE", "the body is not a JSON object"),
            ("\"{a}\"", "the body is not a JSON object"),
            ("{\"query\":", "the body cannot be read as the JSON of a request: EOF"),
            (
                "{\"query\":\"{a}\"} {}",
                "the body cannot be read as the JSON of a request: trailing",
            ),
            ("[{\"query\":\"{a}\"}]", "batches are not accepted"),
            ("{\"qeury\":\"{a}\"}", "the parameter query is missing"),
            ("{\"query\":null}", "the parameter query is missing"),
            ("{\"query\":7}", "the parameter query must be a string, not a number"),
            (
                "{\"query\":\"{a}\",\"variables\":[7]}",
                "the parameter variables must be an object, not a list",
            ),
            (
                "{\"query\":\"{a}\",\"variables\":\"{}\"}",
                "the parameter variables must be an object, not a string",
            ),
            (
                "{\"query\":\"{a}\",\"operationName\":{}}",
                "the parameter operationName must be a string, not an object",
            ),
            (
                "{\"query\":\"{a}\",\"extensions\":true}",
                "the parameter extensions must be an object, not a boolean",
            ),
            (
                "{\"query\":\"{a}\",\"query\":\"{b}\"}",
                "the body cannot be read as the JSON of a request: duplicate field `query`",
            ),
        ] {
            let (code, actual) = refusal(from_body(body.as_bytes()));
            let is_batch = body.starts_with('[');
            let expected = if is_batch { Code::BatchNotAccepted } else { Code::BadRequest };
            assert_eq!(code, expected, "{body}");
            assert!(actual.starts_with(message), "{body}: {actual}");
        }
        assert!(from_body(b"{\"query\":\"\xff\"}").is_err());
        let deep = refusal(from_body("{\"a\":".repeat(10_000).as_bytes()));
        assert_eq!(deep.0, Code::VariablesTooDeep);
    }

    #[test]
    fn an_operation_is_asked_for_by_text_hash_or_id() {
        let hash = "a".repeat(64);
        let persisted =
            format!(r#""extensions":{{"persistedQuery":{{"version":1,"sha256Hash":"{hash}"}}}}"#);
        let by_hash =
            |text: Option<&str>| Asked::Hash { hash: hash.clone(), text: text.map(Into::into) };
        for (body, asked) in [
            (format!("{{{persisted}}}"), by_hash(None)),
            (format!("{{\"query\":\"{{a}}\",{persisted}}}"), by_hash(Some("{a}"))),
            (r#"{"documentId":"sha256:1"}"#.to_owned(), Asked::Id("sha256:1".into())),
            (r#"{"id":"1"}"#.to_owned(), Asked::Id("1".into())),
            (r#"{"doc_id":"1"}"#.to_owned(), Asked::Id("1".into())),
            (r#"{"query":"{a}","id":"1"}"#.to_owned(), Asked::Text("{a}".into())),
        ] {
            assert_eq!(from_body(body.as_bytes()).unwrap().asked, asked, "{body}");
        }
        for (body, message) in [
            (r#"{"query":"{a}","documentId":"1"}"#, "the parameters query and documentId are both"),
            (r#"{"documentId":1}"#, "the parameter documentId must be a string, not a number"),
            (r#"{"id":1}"#, "the parameter query is missing"),
            (r#"{"extensions":{"persistedQuery":7}}"#, "extensions.persistedQuery must be"),
            (
                r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#,
                "extensions.persistedQuery must be",
            ),
        ] {
            assert!(refusal(from_body(body.as_bytes())).1.starts_with(message), "{body}");
        }
    }

    #[test]
    fn a_query_string_is_read() {
        let request = get("query=query%28%24id%3AID%21%29+%7Ba%7D&variables=%7B%22id%22%3A%22x%22%7D&operationName=&z=1").unwrap();
        assert_eq!(request.asked, Asked::Text("query($id:ID!) {a}".to_owned()));
        assert_eq!(request.variables.get("id"), Some(&Value::String("x".into())));
        assert_eq!(request.operation_name, None);
        assert!(request.by_safe_method);
        // The text "null" is a name, not nothing.
        assert_eq!(get("query=a&operationName=null").unwrap().operation_name.unwrap(), "null");
    }

    #[test]
    fn a_query_string_that_is_no_request_is_refused_with_the_reason() {
        for (query, message) in [
            ("", "the parameter query is missing"),
            ("query=a&query=b", "the parameter query is given twice"),
            ("query=a&variables=%7B", "the parameter variables cannot be read as JSON"),
            ("query=a&variables=7", "the parameter variables must be an object, not a number"),
            ("query=a&extensions=%5B%5D", "the parameter extensions must be an object, not a list"),
        ] {
            let (code, actual) = refusal(get(query));
            assert_eq!(code, Code::BadRequest, "{query}");
            assert!(actual.starts_with(message), "{query}: {actual}");
        }
        assert_eq!(refusal(get(&format!("query={}", "a".repeat(300)))).0, Code::UriTooLong);
    }
}
