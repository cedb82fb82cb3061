//! A subgraph of anybody's, reached by GraphQL over HTTP: `POST` with `{query, operationName?, variables?}` to the very address that the
//! supergraph has for it.
//!
//! Refused: an answer that is not a GraphQL response. One with a status other than 2xx is taken where its body is a GraphQL response with
//! errors, because many servers answer so.

use bytes::Bytes;
use common::EndpointError;
use federation::{Events, FetchError, FetchRequest, FetchResponse};
use http::header::{ACCEPT, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, Uri};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::subscribe::subscribe;
use crate::subgraph::{ClientError, HttpClient};

/// How much of an unexpected answer goes to the log, in bytes.
const SHOWN: usize = 200;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");
/// How long an answer may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;

/// Why a subgraph cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum GraphQlSubgraphError {
    /// The supergraph says nothing about where it is.
    #[error("the supergraph has no address for the subgraph {name}, and no setting gives one")]
    NoAddress {
        /// The subgraph.
        name: String,
    },
    /// The address is none.
    #[error(
        "the address of the subgraph {name}, {address:?}, cannot be used: http:// or https://, a host, and perhaps a port and a path are accepted"
    )]
    Address {
        /// The subgraph.
        name: String,
        /// What was given.
        address: String,
    },
    /// The HTTP client cannot be set up.
    #[error("no HTTP client can be made for the subgraph {name}")]
    Client {
        /// The subgraph.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A subgraph that speaks GraphQL over HTTP and nothing of Spacey's.
#[derive(Debug)]
pub struct GraphQlSubgraph {
    name: String,
    address: Uri,
    client: HttpClient,
}

impl GraphQlSubgraph {
    /// The subgraph `name`, which answers at `address`.
    ///
    /// # Errors
    /// [`GraphQlSubgraphError`] when the address is empty or cannot be used, or TLS cannot be set up.
    pub fn new(name: impl Into<String>, address: &str) -> Result<Self, GraphQlSubgraphError> {
        let name = name.into();
        if address.is_empty() {
            return Err(GraphQlSubgraphError::NoAddress { name });
        }
        let (Some(uri), Ok(origin)) = (usable(address), address.parse()) else {
            return Err(GraphQlSubgraphError::Address { name, address: address.to_owned() });
        };
        let address = uri;
        match HttpClient::new(&origin, TIMEOUT, ANSWER_LIMIT) {
            Ok(client) => Ok(Self { name, address, client }),
            Err(source) => Err(GraphQlSubgraphError::Client { name, source: source.into() }),
        }
    }

    /// The name it was composed under.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs an operation for the engine; beside the answer, the cookies that the subgraph sets.
    pub(crate) async fn fetch(
        &self,
        request: FetchRequest<'_>,
    ) -> Result<(FetchResponse, Vec<HeaderValue>), EndpointError> {
        let answer = self.client.send(self.request(request.body)).await;
        self.read(answer.map_err(|error| self.unanswered(error))?)
    }

    /// Opens a subscription for the engine, over a WebSocket at the same address.
    pub(crate) async fn open(&self, request: FetchRequest<'_>) -> Result<Events, FetchError> {
        let address = self.address.to_string().replacen("http", "ws", 1);
        subscribe(&address, None, &request.body, TIMEOUT).await
    }

    fn request(&self, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.clone();
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().insert(ACCEPT, ACCEPTED);
        request
    }

    fn read(
        &self,
        answer: Response<Bytes>,
    ) -> Result<(FetchResponse, Vec<HeaderValue>), EndpointError> {
        let (parts, body) = answer.into_parts();
        if !parts.status.is_success() && !tells_errors(&body) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
            return Err(self.answered(format!("status {}: {shown}", parts.status.as_u16())));
        }
        let cookies = parts.headers.get_all(SET_COOKIE).iter().cloned().collect();
        Ok((FetchResponse::Json(body), cookies))
    }

    fn unanswered(&self, error: ClientError) -> EndpointError {
        let endpoint = self.name.clone();
        match error {
            ClientError::Timeout => EndpointError::Timeout { endpoint },
            ClientError::TooLarge { .. } => self.answered(error.to_string()),
            ClientError::Connection(_) => {
                EndpointError::Unreachable { endpoint, source: Box::new(error) }
            }
        }
    }

    fn answered(&self, answer: String) -> EndpointError {
        EndpointError::Malformed { endpoint: self.name.clone(), answer }
    }
}

/// Whether an answer is a GraphQL response with errors.
fn tells_errors(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Answer>(body).is_ok_and(|answer| !answer.errors.is_empty())
}

/// The address, where it is one that can be called.
fn usable(address: &str) -> Option<Uri> {
    let address: Uri = address.parse().ok()?;
    let scheme = address.scheme_str()?;
    let called = matches!(scheme, "http" | "https") && !address.host()?.is_empty();
    called.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_used_as_it_is() {
        for address in
            ["http://localhost:4001/products", "https://example.org", "http://[::1]:1/graphql?a=b"]
        {
            assert_eq!(usable(address).unwrap().to_string().trim_end_matches('/'), address);
        }
    }

    #[test]
    fn an_address_that_cannot_be_called_is_refused_by_name() {
        for address in
            ["products", "ftp://x/", "http://", "/graphql", "localhost:4001", "http://a b"]
        {
            let error = GraphQlSubgraph::new("products", address).unwrap_err().to_string();
            assert!(error.contains("products") && error.contains("http://"), "{error}");
        }
        let error = GraphQlSubgraph::new("products", "").unwrap_err().to_string();
        assert!(error.contains("no address for the subgraph products"), "{error}");
    }
}
