//! What every piece of work is held to: a time by which it must be done, and that its panic is an internal error of its own.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::code::Code;
use crate::error::Panic;
use crate::outcome::Outcome;

/// When a request must have been answered.
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    pub(crate) fn after(after: Duration) -> Self {
        Self { at: Instant::now() + after, after }
    }

    /// What `step` gives, when it does so in time; else a refusal with `code`.
    pub(crate) async fn keep<T>(
        &self,
        step: impl Future<Output = Result<T, Outcome>>,
        code: Code,
    ) -> Result<T, Outcome> {
        timeout_at(self.at, step).await.unwrap_or_else(|_| {
            let seconds = self.after.as_secs_f64();
            Err(Outcome::refused(code, format!("a request may take {seconds} seconds at most")))
        })
    }
}

/// What `steps` give, or an internal error when they panic.
pub(crate) async fn unless_it_panics<T>(
    steps: impl Future<Output = Result<T, Outcome>>,
) -> Result<T, Outcome> {
    AssertUnwindSafe(steps)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Outcome::internal(&Panic::from(panic))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing() {
        let outcome = unless_it_panics::<()>(async { panic!("the secret is {}", 42) }).await;
        let Err(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(refusal.code, Code::InternalServerError);
        let trace_id = refusal.trace_id.unwrap();
        assert_eq!(refusal.message, format!("internal error (trace {trace_id})"));
    }
}
