//! One call to a subgraph, with its policies in the order in which they apply.
//!
//! Wait for a place (`limit`) → ask whether the subgraph is well (`breaker`) → send (`http_client`) → send again where that may help
//! (`retry`). The timeout spans all of it. A policy that is off is a `None` that is looked at, and nothing else. A connection that is
//! kept for more than one answer is opened under the same policies, but for the last.

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tower::retry::backoff::InvalidBackoff;
use url::Url;

use super::breaker::{Breaker, Open};
use super::limit::{Full, Limit};
use super::retry::{self, Retry};
use super::settings::SubgraphSettings;
use crate::http_client::{ClientError, ClientSetupError, Pieces, Stream, SubgraphHttpClient};

/// Why a subgraph cannot be called as it is set.
#[derive(Debug, thiserror::Error)]
pub enum SubgraphSetupError {
    /// No client can be made for it.
    #[error(transparent)]
    Client(#[from] ClientSetupError),
    /// The waits between attempts make no sense.
    #[error("the waits between attempts make no sense")]
    Retry(#[from] InvalidBackoff),
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nothing was sent: too many others wait.
    #[error(transparent)]
    Full(#[from] Full),
    /// Nothing was sent: the subgraph is left alone.
    #[error(transparent)]
    Open(#[from] Open),
    /// The exchange failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its time was up.
    #[error("no answer in time")]
    Timeout,
}

/// How often a request was sent, told also where no answer came; none where nobody counts, as for a call inside the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attempts(pub(crate) Option<u32>);

impl Attempts {
    fn count(&mut self) {
        self.0 = Some(self.0.unwrap_or_default() + 1);
    }
}

/// Calls one subgraph.
#[derive(Debug)]
pub(crate) struct SubgraphClient {
    client: SubgraphHttpClient,
    timeout: std::time::Duration,
    limit: Option<Limit>,
    breaker: Option<Breaker>,
    retry: Option<Retry>,
}

impl SubgraphClient {
    /// A client for the subgraph at `address`.
    ///
    /// # Errors
    /// When the address cannot be used, TLS cannot be set up, or a setting makes no sense.
    pub(crate) fn new(
        address: &Url,
        settings: &SubgraphSettings,
    ) -> Result<Self, SubgraphSetupError> {
        Ok(Self {
            client: SubgraphHttpClient::new(address, &settings.client)?,
            timeout: settings.timeout,
            limit: settings.concurrency.map(|most| Limit::new(most, settings.waiting)),
            breaker: settings.breaker.clone().map(Breaker::new),
            retry: settings.retry.as_ref().map(Retry::new).transpose()?,
        })
    }

    /// Sends a request and takes in the answer, whatever its status. One that is `repeatable` changes nothing and may be sent twice.
    ///
    /// # Errors
    /// [`CallError`] when there is no answer.
    pub(crate) async fn call(
        &self,
        request: Request<Pieces>,
        repeatable: bool,
        attempts: &mut Attempts,
    ) -> Result<Response<Bytes>, CallError> {
        *attempts = Attempts(Some(0));
        let deadline = Instant::now() + self.timeout;
        let _place = self.enter(deadline).await?;
        match &self.retry {
            Some(retry) if repeatable => self.attempts(request, retry, deadline, attempts).await,
            _ => self.attempt(request, deadline, attempts).await,
        }
    }

    /// Makes a connection of its own, on which `greet` introduces itself in a protocol that begins as HTTP/1.1. It is over with the
    /// policies once that is done; it is never tried again. An answer is an answer, whatever it says; whoever greets knows.
    ///
    /// # Errors
    /// [`CallError`] when there is no answer.
    pub(crate) async fn open<T>(
        &self,
        greet: impl AsyncFnOnce(Stream) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let deadline = Instant::now() + self.timeout;
        let _place = self.enter(deadline).await?;
        let admission = self.breaker.as_ref().map(Breaker::admit).transpose()?;
        let opening = async { greet(self.client.dial().await?).await };
        let outcome = timeout_at(deadline, opening).await.unwrap_or(Err(CallError::Timeout));
        if let Some(admission) = admission {
            admission.report(outcome.is_ok());
        }
        outcome
    }

    /// How large an answer may be, in bytes.
    pub(crate) fn max_response(&self) -> usize {
        self.client.max_response()
    }

    /// Waits for a place, where they are limited.
    async fn enter(&self, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, CallError> {
        let Some(limit) = &self.limit else { return Ok(None) };
        let entered = timeout_at(deadline, limit.enter()).await;
        Ok(Some(entered.map_err(|_| CallError::Timeout)??))
    }

    async fn attempts(
        &self,
        request: Request<Pieces>,
        retry: &Retry,
        deadline: Instant,
        attempts: &mut Attempts,
    ) -> Result<Response<Bytes>, CallError> {
        let mut retries = retry.start();
        loop {
            let outcome = self.attempt(request.clone(), deadline, attempts).await;
            if !may_change(&outcome)
                || !timeout_at(deadline, retries.again()).await.unwrap_or(false)
            {
                return outcome;
            }
        }
    }

    async fn attempt(
        &self,
        request: Request<Pieces>,
        deadline: Instant,
        attempts: &mut Attempts,
    ) -> Result<Response<Bytes>, CallError> {
        let admission = self.breaker.as_ref().map(Breaker::admit).transpose()?;
        attempts.count();
        let outcome = match timeout_at(deadline, self.client.send(request)).await {
            Ok(outcome) => outcome.map_err(CallError::from),
            Err(_) => Err(CallError::Timeout),
        };
        if let Some(admission) = admission {
            admission.report(is_well(&outcome));
        }
        outcome
    }
}

/// Whether the same request may have another outcome in a moment.
fn may_change(outcome: &Result<Response<Bytes>, CallError>) -> bool {
    match outcome {
        Ok(answer) => retry::is_passing(answer.status()),
        Err(CallError::Client(error)) => !matches!(error, ClientError::TooLarge { .. }),
        // The one has no time left, the others would fail the same way.
        Err(CallError::Timeout | CallError::Open(_) | CallError::Full(_)) => false,
    }
}

/// Whether the subgraph did its work, whatever it thought of the request.
fn is_well(outcome: &Result<Response<Bytes>, CallError>) -> bool {
    match outcome {
        Ok(answer) => !answer.status().is_server_error(),
        Err(error) => matches!(error, CallError::Client(ClientError::TooLarge { .. })),
    }
}
