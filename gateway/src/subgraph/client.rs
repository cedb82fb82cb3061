//! One HTTP exchange: sends a request and reads the whole answer.
//!
//! Connections are kept and used again. Refused: an answer that is larger than the limit. Redirects are not followed, and no proxy of the
//! environment is used.

use bytes::{Bytes, BytesMut};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use reqwest::Client;

use super::settings::SubgraphSettings;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection was made: nothing was sent.
    #[error("no connection could be made")]
    Connect(#[source] reqwest::Error),
    /// The connection broke while the request was under way: it may have been received.
    #[error("the connection broke off")]
    Broken(#[source] reqwest::Error),
    /// The answer is larger than the limit.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_connect() { Self::Connect(error) } else { Self::Broken(error) }
    }
}

/// Sends requests to one subgraph.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    answer_limit: usize,
}

impl HttpClient {
    /// A client for the subgraph at `address`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new(address: &Uri, settings: &SubgraphSettings) -> Result<Self, reqwest::Error> {
        // Whoever installed a provider before wins: there can be only one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .connect_timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true);
        if address.scheme() != Some(&Scheme::HTTPS) {
            // The machine's certificates are neither needed nor, on a bare machine, there.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, answer_limit: settings.answer_limit })
    }

    /// Sends `request` and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`] when there is none.
    pub(super) async fn send(
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
