//! How errors reach the log: with all their causes, and panics among them, so that a mistake in one place does not take down what is
//! around it. And how the errors of an endpoint reach the engine.

use std::any::Any;
use std::error::Error;

use common::EndpointError;
use federation::FetchError;

/// What a panic said.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
pub(crate) struct Panic(String);

impl From<Box<dyn Any + Send>> for Panic {
    fn from(panic: Box<dyn Any + Send>) -> Self {
        let text = match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => {
                panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned())
            }
        };
        Self(text)
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Why no answer came, as the engine has it.
pub(crate) fn fetch_error(error: EndpointError) -> FetchError {
    match error {
        EndpointError::Overloaded { .. } => FetchError::Overloaded,
        EndpointError::Timeout { .. } => FetchError::Timeout,
        EndpointError::Malformed { answer, .. } => FetchError::Malformed(answer),
        EndpointError::TooLarge { limit, .. } => FetchError::TooLarge { limit },
        EndpointError::NoSubscriptions { .. } => FetchError::NoSubscriptions,
        unreachable @ (EndpointError::Unreachable { .. } | EndpointError::Failed { .. }) => {
            FetchError::Unreachable(Box::new(unreachable))
        }
    }
}
