//! Why a supergraph cannot be used.

/// Why a supergraph cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupergraphError {
    /// The text is not a valid GraphQL schema.
    #[error("the supergraph is not a valid GraphQL schema:\n{0}")]
    Invalid(String),
    /// A part that every supergraph has is missing.
    #[error("not a supergraph: {0} is missing")]
    Missing(&'static str),
    /// A link to a specification, or to a version of it, that the engine does not know and must not ignore.
    #[error(
        "unsupported specification {url}: accepted are link v1.0, core v0.1 and v0.2, join v0.1 to v0.5, tag, inaccessible, and those without `for:`"
    )]
    UnsupportedLink {
        /// The link's URL.
        url: String,
    },
    /// A directive whose arguments do not make sense.
    #[error("{coordinate}: {problem}")]
    Malformed {
        /// The schema coordinate.
        coordinate: String,
        /// What is wrong there.
        problem: String,
    },
    /// The schema that remains for clients is not valid.
    #[error("the client schema is not valid once inaccessible elements are removed:\n{0}")]
    InvalidApi(String),
}
