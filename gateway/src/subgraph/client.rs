//! One exchange with a subgraph under its policy: so far, that its answer must be there in time.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::timeout;
use url::Url;

use crate::http_client::{ClientSettings, ClientSetupError, SubgraphHttpClient};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No connection was made, or it broke.
    #[error("the connection failed")]
    Connection(#[source] crate::http_client::ClientError),
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

/// Sends requests to one subgraph.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: SubgraphHttpClient,
    timeout: Duration,
}

impl HttpClient {
    /// A client whose requests to `address` may take `timeout` each and be answered by `answer_limit` bytes.
    ///
    /// # Errors
    /// When the address cannot be used or TLS cannot be set up.
    pub(crate) fn new(
        address: &Url,
        timeout: Duration,
        answer_limit: usize,
    ) -> Result<Self, ClientSetupError> {
        let settings = ClientSettings { max_response: answer_limit, ..ClientSettings::default() };
        Ok(Self { client: SubgraphHttpClient::new(address, &settings)?, timeout })
    }

    /// Sends `request` and reads the answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`] when there is none.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ClientError> {
        use crate::http_client::ClientError as Error;
        match timeout(self.timeout, self.client.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Err(_) | Ok(Err(Error::ConnectTimeout)) => Err(ClientError::Timeout),
            Ok(Err(Error::TooLarge { limit })) => Err(ClientError::TooLarge { limit }),
            Ok(Err(error)) => Err(ClientError::Connection(error)),
        }
    }
}
