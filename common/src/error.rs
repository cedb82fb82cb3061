//! What can go wrong in a domain, and the neutral errors of its store.
//!
//! A client is shown the text of an [`Error`] as it stands, except for [`Error::Store`]: that one becomes a fixed
//! text with a trace id, and its detail goes to the log (see [`crate::graphql::Failure`]).

use crate::Role;

/// Why a domain did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument that does not keep a rule. The message says what is accepted.
    #[error("{argument}: {message}")]
    Invalid {
        /// The argument's path, such as `input.cards[3].question`.
        argument: String,
        /// What was wrong, and what is accepted.
        message: String,
    },
    /// It takes a signed-in person.
    #[error("sign in first: this needs a valid access token")]
    Unauthenticated,
    /// The credentials were wrong. It never says which part.
    #[error("{0}")]
    WrongCredentials(&'static str),
    /// The signed-in person lacks a role.
    #[error("this needs the role {}", needs.label())]
    Forbidden {
        /// The role it takes.
        needs: Role,
    },
    /// The signed-in person has not shown to read mail sent to the account's address.
    #[error("this needs a verified e-mail address: follow the link that was sent to it")]
    Unverified,
    /// There is no such thing, or it is somebody else's: the two are told apart by nobody.
    #[error("{what} {id} was not found")]
    NotFound {
        /// The kind of thing: `deck`, `card`.
        what: &'static str,
        /// The id that was asked for.
        id: String,
    },
    /// The credentials are for other things: those of a script, where a person must be.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// Too many attempts lately: the next one may be made after a while.
    #[error("too many attempts: try again in {retry_after} seconds")]
    Throttled {
        /// Seconds, 1 or more.
        retry_after: u64,
    },
    /// The state of things is in the way.
    #[error("{0}")]
    Conflict(String),
    /// A change was made of a version that is not the present one. Whoever made it can compare, and make it again.
    #[error("{message}")]
    Outdated {
        /// Which thing, and both versions.
        message: String,
        /// The thing as it is, by the names of the schema; the client gets it as `extensions.current`.
        current: Box<serde_json::Value>,
    },
    /// A bound was reached.
    #[error("{message}")]
    LimitExceeded {
        /// What was reached, with the number.
        message: String,
    },
    /// A service it needs did not do its part. The text is for the client; the detail was logged.
    #[error("{message}")]
    Unavailable {
        /// A code of its own, such as `GENERATION_TIMEOUT`.
        code: &'static str,
        /// What the client is told.
        message: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// An argument that does not keep a rule.
    pub fn invalid(argument: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { argument: argument.into(), message: message.into() }
    }

    /// A thing that is not there, or not the viewer's.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// The code a client can decide by, in `extensions.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::WrongCredentials(_) => "WRONG_CREDENTIALS",
            Self::Forbidden { .. } | Self::Unverified | Self::NotAllowed(_) => "FORBIDDEN",
            Self::Throttled { .. } => "THROTTLED",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::Conflict(_) | Self::Outdated { .. } => "CONFLICT",
            Self::LimitExceeded { .. } => "LIMIT_EXCEEDED",
            Self::Unavailable { code, .. } => code,
            Self::Store(StoreError::Unavailable(_)) => "SERVICE_UNAVAILABLE",
            Self::Store(_) => "INTERNAL_SERVER_ERROR",
        }
    }
}

impl Role {
    /// The role as the schema spells it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Beta => "BETA",
            Self::Admin => "ADMIN",
        }
    }
}

/// What a store can fail with, whichever it is.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique value is taken. The rules of a domain turn this into something they can say.
    #[error("{index} is taken already")]
    Duplicate {
        /// The unique index or column, as the store names it.
        index: String,
    },
    /// The store cannot be reached or is too busy; the same call may succeed later.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
    /// What is stored cannot be read as what it should be.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// The store is not one that can be used: too new a schema, no replica set.
    #[error("the store cannot be used: {0}")]
    Unsuitable(String),
    /// Anything else the store said.
    #[error("the store failed")]
    Other(#[source] BoxError),
}

/// The cause of an error whose type depends on the store.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
