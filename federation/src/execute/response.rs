//! What an execution answers.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::value::{Object, Value};

use super::PathSegment;

/// An executed operation's answer. There is always a `data`; it is null when an error reached the root.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The `data` member as JSON text.
    pub data: Vec<u8>,
    /// The `errors` member.
    pub errors: Vec<ResponseError>,
    /// What the operation cost, counted from the answer's shape. None where a null took the place of what was around it: what had been
    /// done for that is not seen any more.
    pub cost: Option<f64>,
}

/// An entry of an answer's `errors`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseError {
    /// What went wrong, in words for the client.
    pub message: String,
    /// Where, in the answer.
    pub path: Vec<PathSegment>,
    /// `code`, the subgraph's name under `service` where one is concerned, and what else a subgraph gave.
    pub extensions: Object,
    /// The subgraph whose words these are; none where the engine says it. It is not written into the answer.
    pub reported_by: Option<Arc<str>>,
}

/// The kinds of error that the engine itself adds to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseErrorCode {
    /// A subgraph answered with an error that has no code of its own.
    DownstreamServiceError,
    /// A subgraph could not be reached.
    SubrequestUnreachable,
    /// A subgraph was not asked, because too many requests wait for it already.
    SubrequestOverloaded,
    /// A subgraph did not answer in time.
    SubrequestTimeout,
    /// A subgraph answered something that is not a GraphQL response, or not one to what was asked.
    SubrequestMalformedResponse,
    /// A subgraph answered a value that the field's type does not allow.
    InvalidResult,
    /// The viewer may not see a field or type that was asked for.
    UnauthorizedFieldOrType,
    /// A field that is never null would have been.
    NullInNonNullable,
    /// A subgraph answered more than is received.
    SubrequestTooLarge,
    /// The operation needs more requests to subgraphs than it may make.
    TooManyFetches,
    /// The answer is larger than is written.
    ResponseTooLarge,
}

impl ResponseErrorCode {
    /// The code as it stands in `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DownstreamServiceError => "DOWNSTREAM_SERVICE_ERROR",
            Self::SubrequestUnreachable => "SUBREQUEST_UNREACHABLE",
            Self::SubrequestOverloaded => "SUBREQUEST_OVERLOADED",
            Self::SubrequestTimeout => "SUBREQUEST_TIMEOUT",
            Self::SubrequestMalformedResponse => "SUBREQUEST_MALFORMED_RESPONSE",
            Self::InvalidResult => "INVALID_RESULT",
            Self::UnauthorizedFieldOrType => "UNAUTHORIZED_FIELD_OR_TYPE",
            Self::NullInNonNullable => "NULL_IN_NON_NULLABLE",
            Self::SubrequestTooLarge => "SUBREQUEST_RESPONSE_TOO_LARGE",
            Self::TooManyFetches => "TOO_MANY_FETCHES",
            Self::ResponseTooLarge => "RESPONSE_TOO_LARGE",
        }
    }
}

impl ResponseError {
    pub(super) fn new(code: ResponseErrorCode, message: String, path: Vec<PathSegment>) -> Self {
        let mut extensions = Object::with_capacity(2);
        extensions.push(Arc::from("code"), Value::String(code.as_str().to_owned()));
        Self { message, path, extensions, reported_by: None }
    }

    /// An error of a subgraph's, which may have a code of its own.
    pub(super) fn from_subgraph(
        message: String,
        mut extensions: Object,
        path: Vec<PathSegment>,
    ) -> Self {
        if extensions.get("code").is_none() {
            let code = ResponseErrorCode::DownstreamServiceError.as_str();
            extensions.push(Arc::from("code"), Value::String(code.to_owned()));
        }
        Self { message, path, extensions, reported_by: None }
    }

    /// For a part of the operation that the viewer may not see, by the response keys down to it.
    pub(super) fn withheld(path: &[Arc<str>]) -> Self {
        Self::new(
            ResponseErrorCode::UnauthorizedFieldOrType,
            "Unauthorized field or type".to_owned(),
            path.iter().cloned().map(PathSegment::Key).collect(),
        )
    }

    pub(super) fn of_subgraph(mut self, subgraph: &str) -> Self {
        self.extensions.insert(Arc::from("service"), Value::String(subgraph.to_owned()));
        self
    }
}

impl Serialize for ResponseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("ResponseError", 3)?;
        error.serialize_field("message", &self.message)?;
        if self.path.is_empty() {
            error.skip_field("path")?;
        } else {
            error.serialize_field("path", &self.path)?;
        }
        error.serialize_field("extensions", &self.extensions)?;
        error.end()
    }
}

impl Serialize for PathSegment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(key) => serializer.serialize_str(key),
            Self::Index(index) => index.serialize(serializer),
        }
    }
}
