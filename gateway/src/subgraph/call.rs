//! One call to a subgraph, with its policies in the order in which they apply.
//!
//! Wait for a place (`limit`) → ask whether the subgraph is well (`breaker`) → send (`http_client`) → send again where that may help
//! (`retry`). The timeout spans all of it. A policy that is off is a `None` that is looked at, and nothing else.

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tower::retry::backoff::InvalidBackoff;
use url::Url;

use super::breaker::{Breaker, Open};
use super::limit::Limit;
use super::retry::{self, Retry};
use super::settings::SubgraphSettings;
use crate::http_client::{ClientError, ClientSetupError, SubgraphHttpClient};

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
    /// Nothing was sent.
    #[error(transparent)]
    Open(#[from] Open),
    /// The exchange failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its time was up.
    #[error("no answer in time")]
    Timeout,
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
            limit: settings.concurrency.map(Limit::new),
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
        request: Request<Bytes>,
        repeatable: bool,
    ) -> Result<Response<Bytes>, CallError> {
        let deadline = Instant::now() + self.timeout;
        let _place = match &self.limit {
            Some(limit) => {
                timeout_at(deadline, limit.enter()).await.map_err(|_| CallError::Timeout)?
            }
            None => None,
        };
        match &self.retry {
            Some(retry) if repeatable => self.attempts(request, retry, deadline).await,
            _ => self.attempt(request, deadline).await,
        }
    }

    async fn attempts(
        &self,
        request: Request<Bytes>,
        retry: &Retry,
        deadline: Instant,
    ) -> Result<Response<Bytes>, CallError> {
        let mut retries = retry.start();
        loop {
            let outcome = self.attempt(request.clone(), deadline).await;
            if !may_change(&outcome)
                || !timeout_at(deadline, retries.again()).await.unwrap_or(false)
            {
                return outcome;
            }
        }
    }

    async fn attempt(
        &self,
        request: Request<Bytes>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, CallError> {
        let admission = self.breaker.as_ref().map(Breaker::admit).transpose()?;
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
        // The one has no time left, the other would fail the same way.
        Err(CallError::Timeout | CallError::Open(_)) => false,
    }
}

/// Whether the subgraph did its work, whatever it thought of the request.
fn is_well(outcome: &Result<Response<Bytes>, CallError>) -> bool {
    match outcome {
        Ok(answer) => !answer.status().is_server_error(),
        Err(error) => matches!(error, CallError::Client(ClientError::TooLarge { .. })),
    }
}
