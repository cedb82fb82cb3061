//! The codes of the gateway's own errors, and the one place that says which HTTP status each has.

use federation::RequestErrorCode;
use http::StatusCode;

/// Why a request was not executed, as `extensions.code` tells a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    /// It is not a GraphQL-over-HTTP request.
    BadRequest,
    /// It holds several operations.
    BatchNotAccepted,
    /// Its variables nest deeper than is accepted.
    VariablesTooDeep,
    /// The operation cannot be run: the engine says why.
    Operation(RequestErrorCode),
    /// The credentials are not, or no longer, good.
    Unauthenticated,
    /// The request could have been made by another site's page with the visitor's cookies.
    CsrfPrevention,
    /// The credentials are good, but not for this.
    Forbidden,
    /// Clients may not ask for the schema.
    IntrospectionDisabled,
    /// No text is known for this hash: the client sends it with the text.
    PersistedQueryNotFound,
    /// Texts are not kept by their hash here.
    PersistedQueryNotSupported,
    /// No document is known by this id.
    DocumentNotFound,
    /// Only documents that were registered before are answered.
    DocumentNotTrusted,
    /// The method is not one that is answered here.
    MethodNotAllowed,
    /// None of the media types of the answer is accepted.
    NotAcceptable,
    /// The request took too long to arrive.
    RequestTimeout,
    /// The body is too large.
    PayloadTooLarge,
    /// The form that files come with is none, or says of them what cannot be.
    UploadMalformed,
    /// A file, or all files together, are too large.
    UploadTooLarge,
    /// There are too many files, or places for them.
    UploadTooMany,
    /// The client sends as many forms with files at once as it may.
    TooManyUploads,
    /// Only mutations may have files.
    UploadNotAllowed,
    /// There is no such file, or it is another's.
    FileNotFound,
    /// The file has no such part.
    RangeNotSatisfiable,
    /// The query string is too long.
    UriTooLong,
    /// The body is not `application/json` in UTF-8.
    UnsupportedMediaType,
    /// There is no event stream under this token, or it is another's.
    StreamNotFound,
    /// The event stream, or the operation's id on it, is in use.
    StreamConflict,
    /// The client has as many streams as it may have.
    TooManyStreams,
    /// A download of the same account is under way.
    ExportUnderWay,
    /// The client takes its messages too slowly.
    StreamTooSlow,
    /// Somebody for whom another issuer vouches has no account, and another has the address.
    AddressTaken,
    /// Such a person has no account, and no address is told for one.
    AddressMissing,
    /// Who is asking cannot be found out at the moment.
    ServiceUnavailable,
    /// More is asked for than can be answered.
    Overloaded,
    /// The gateway stops: another one will answer.
    ShuttingDown,
    /// The operation may cost more than any may.
    CostTooHigh,
    /// The client has too few points left for the operation.
    Throttled,
    /// The answer took too long.
    GatewayTimeout,
    /// Something broke. The detail is in the log.
    InternalServerError,
}

impl Code {
    /// The code as it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::BatchNotAccepted => "BATCH_NOT_ACCEPTED",
            Self::VariablesTooDeep => "VARIABLES_TOO_DEEP",
            Self::Operation(code) => code.as_str(),
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::CsrfPrevention => "CSRF_PREVENTION",
            Self::Forbidden => "FORBIDDEN",
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::DocumentNotFound => "PERSISTED_DOCUMENT_NOT_FOUND",
            Self::DocumentNotTrusted => "DOCUMENT_NOT_TRUSTED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UploadMalformed => "UPLOAD_MALFORMED",
            Self::UploadTooLarge => "UPLOAD_TOO_LARGE",
            Self::UploadTooMany => "UPLOAD_TOO_MANY",
            Self::TooManyUploads => "TOO_MANY_UPLOADS",
            Self::UploadNotAllowed => "UPLOAD_NOT_ALLOWED",
            Self::FileNotFound => "FILE_NOT_FOUND",
            Self::RangeNotSatisfiable => "RANGE_NOT_SATISFIABLE",
            Self::UriTooLong => "URI_TOO_LONG",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::StreamNotFound => "STREAM_NOT_FOUND",
            Self::StreamConflict => "STREAM_CONFLICT",
            Self::TooManyStreams => "TOO_MANY_STREAMS",
            Self::ExportUnderWay => "EXPORT_UNDER_WAY",
            Self::StreamTooSlow => "STREAM_TOO_SLOW",
            Self::AddressTaken => "ADDRESS_TAKEN",
            Self::AddressMissing => "ADDRESS_MISSING",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Overloaded => "OVERLOADED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::CostTooHigh => "COST_ESTIMATED_TOO_EXPENSIVE",
            Self::Throttled => "THROTTLED",
            Self::GatewayTimeout => "GATEWAY_TIMEOUT",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The status of an answer with this code.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            // No client can help it when the supergraph has no way to a field.
            Self::Operation(RequestErrorCode::QueryPlanningFailed) | Self::InternalServerError => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            // A step of the protocol rather than a failure: clients read the code, and caches keep nothing.
            Self::PersistedQueryNotFound | Self::PersistedQueryNotSupported => StatusCode::OK,
            Self::BadRequest
            | Self::BatchNotAccepted
            | Self::VariablesTooDeep
            | Self::IntrospectionDisabled
            | Self::CostTooHigh
            | Self::DocumentNotFound
            | Self::Operation(_)
            | Self::UploadMalformed
            | Self::UploadNotAllowed => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::CsrfPrevention | Self::Forbidden | Self::DocumentNotTrusted => {
                StatusCode::FORBIDDEN
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge | Self::UploadTooLarge | Self::UploadTooMany => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::StreamNotFound | Self::FileNotFound => StatusCode::NOT_FOUND,
            Self::StreamConflict => StatusCode::CONFLICT,
            Self::TooManyStreams
            | Self::TooManyUploads
            | Self::ExportUnderWay
            | Self::StreamTooSlow
            | Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::AddressTaken => StatusCode::CONFLICT,
            Self::AddressMissing => StatusCode::FORBIDDEN,
            Self::ServiceUnavailable | Self::Overloaded | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}
