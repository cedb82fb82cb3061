//! How an error of a domain reads in a GraphQL answer: message, `extensions.code`, for an argument `extensions.argument`, and
//! for a thing that has changed meanwhile `extensions.current`.
//!
//! A failure of the store shows a fixed text and a trace id. What happened is in the log under that id.

use std::error::Error as _;

use async_graphql::ErrorExtensions;
use uuid::Uuid;

use crate::{Error, StoreError};

/// The result of a resolver.
pub type Result<T> = std::result::Result<T, Failure>;

/// An error on its way to the client.
///
/// It is deliberately no [`std::fmt::Display`]: `async-graphql` turns everything that is into an error without a code.
#[derive(Debug, Clone)]
pub struct Failure(async_graphql::Error);

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<async_graphql::Error> for Failure {
    fn from(error: async_graphql::Error) -> Self {
        Self(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = error.code();
        let trace_id = matches!(error, Error::Store(_)).then(|| log(&error));
        let message = match (&error, &trace_id) {
            (Error::Store(StoreError::Unavailable(_)), Some(trace_id)) => {
                format!("the service is not available now, try again later (trace {trace_id})")
            }
            (_, Some(trace_id)) => format!("internal error (trace {trace_id})"),
            (_, None) => error.to_string(),
        };
        Self(async_graphql::Error::new(message).extend_with(|_, extensions| {
            extensions.set("code", code);
            if let Error::Invalid { argument, .. } = &error {
                extensions.set("argument", argument.as_str());
            }
            if let Error::Throttled { retry_after } = &error {
                extensions.set("retryAfter", *retry_after);
            }
            if let Error::Outdated { current, .. } = &error {
                let current = async_graphql::Value::from_json((**current).clone());
                extensions.set("current", current.unwrap_or_default());
            }
            if let Some(trace_id) = &trace_id {
                extensions.set("traceId", trace_id.to_string());
            }
        }))
    }
}

fn log(error: &Error) -> Uuid {
    let trace_id = Uuid::now_v7();
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push_str(": ");
        causes.push_str(&error.to_string());
        cause = error.source();
    }
    tracing::error!(%trace_id, "{error}{causes}");
    trace_id
}
