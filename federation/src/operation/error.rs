//! Why an operation is not run.

use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::validation::DiagnosticList;

/// Why an operation was not run: a request error in the specification's sense, which means that there is no `data`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// What is wrong, in words for the client.
    pub message: String,
    /// The kind of error.
    pub code: RequestErrorCode,
    /// Lines and columns in the document, from 1.
    pub locations: Vec<(usize, usize)>,
}

/// The kinds of request error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestErrorCode {
    /// The document is not GraphQL.
    ParseFailed,
    /// The document is longer than is accepted.
    TooManyTokens,
    /// The operation nests deeper than is accepted, as it is written or once fragments are expanded.
    TooDeep,
    /// It gives more fields another name than is accepted.
    TooManyAliases,
    /// It has more fields of the root type than are accepted.
    TooManyRootFields,
    /// The document has more directives than are accepted.
    TooManyDirectives,
    /// The document has more fragments than are accepted.
    TooManyFragments,
    /// The document breaks a validation rule of the specification.
    ValidationFailed,
    /// There is no such operation in the document, or more than one and no name.
    OperationResolutionFailure,
    /// A variable is missing or has a value that its type does not accept.
    BadUserInput,
    /// The operation is valid but expands to more than is accepted.
    OperationTooComplex,
    /// Introspection nests deeper than is accepted.
    MaxIntrospectionDepthExceeded,
    /// A list must be told how long to be, by exactly one of its arguments, and is not.
    SlicingArgumentRequired,
    /// The operation uses what the engine does not serve.
    Unsupported,
    /// No way to all the fields was found in the supergraph.
    QueryPlanningFailed,
}

impl RequestErrorCode {
    /// The code as it stands in `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::TooManyTokens => "TOO_MANY_TOKENS",
            Self::TooDeep => "OPERATION_TOO_DEEP",
            Self::TooManyAliases => "TOO_MANY_ALIASES",
            Self::TooManyRootFields => "TOO_MANY_ROOT_FIELDS",
            Self::TooManyDirectives => "TOO_MANY_DIRECTIVES",
            Self::TooManyFragments => "TOO_MANY_FRAGMENTS",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationTooComplex => "OPERATION_TOO_COMPLEX",
            Self::MaxIntrospectionDepthExceeded => "MAX_INTROSPECTION_DEPTH_EXCEEDED",
            Self::SlicingArgumentRequired => "SLICING_ARGUMENT_REQUIRED",
            Self::Unsupported => "UNSUPPORTED",
            Self::QueryPlanningFailed => "QUERY_PLANNING_FAILED",
        }
    }
}

impl RequestError {
    pub(crate) fn new(code: RequestErrorCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), code, locations: Vec::new() }
    }

    pub(crate) fn at(mut self, span: Option<SourceSpan>, sources: &SourceMap) -> Self {
        self.locations.extend(
            span.and_then(|span| span.line_column(sources)).map(|place| (place.line, place.column)),
        );
        self
    }

    /// One error for each diagnostic of `diagnostics`.
    pub(crate) fn from_diagnostics(
        code: RequestErrorCode,
        diagnostics: &DiagnosticList,
    ) -> Vec<Self> {
        diagnostics
            .iter()
            .map(|diagnostic| Self {
                message: diagnostic.error.to_string(),
                code,
                locations: diagnostic
                    .line_column_range()
                    .map(|range| (range.start.line, range.start.column))
                    .into_iter()
                    .collect(),
            })
            .collect()
    }
}
