//! One HTTP exchange: sends a request and reads the whole answer.
//!
//! Connections are kept and used again. Refused: an answer that takes longer than the timeout or is larger than the limit.
//! Redirects are not followed, and no proxy of the environment is used.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::Client;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection was made, or it broke.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    /// The answer was not there in time.
    #[error("no answer in time")]
    Timeout,
    /// The answer is larger than the limit.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Connection(error.without_url()) }
    }
}

/// Sends requests to one subgraph.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: Client,
    answer_limit: usize,
}

impl HttpClient {
    /// A client whose requests may take `timeout` each and be answered by `answer_limit` bytes. With `tls` it trusts the machine's
    /// certificates.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(
        timeout: Duration,
        answer_limit: usize,
        tls: bool,
    ) -> Result<Self, reqwest::Error> {
        // Whoever installed a provider before wins: there can be only one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true);
        if !tls {
            // The machine's certificates are neither needed nor, on a bare machine, there.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, answer_limit })
    }

    /// Sends `request` and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`] when there is none.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ClientError> {
        let mut received = self.client.execute(request.try_into()?).await?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = received.status();
        *answer.headers_mut() = std::mem::take(received.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = received.chunk().await? {
            if body.len() + chunk.len() > self.answer_limit {
                return Err(ClientError::TooLarge { limit: self.answer_limit });
            }
            body.extend_from_slice(&chunk);
        }
        *answer.body_mut() = body.freeze();
        Ok(answer)
    }
}
