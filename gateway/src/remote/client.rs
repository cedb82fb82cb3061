//! The gateway's end: a subgraph in another process, behind the same seam as one in this process.
//!
//! Connections are kept and used again. Refused: an answer that takes longer than the timeout, is larger than
//! [`MAX_ANSWER`], is not 200, or is not what the protocol says. Redirects are not followed, and no proxy of the environment is used.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response;
use bytes::{Bytes, BytesMut};
use common::error::BoxError;
use common::token::ServiceTokens;
use common::{Caller, Clock, Endpoint, EndpointError, Event, SubgraphRequest};
use federation::{Events, FetchError, FetchRequest, FetchResponse};
use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, RequestBuilder, Url};
use serde::Serialize;

use super::subscribe::subscribe;
use super::{EVENTS, GRAPHQL, READY, SDL, answer};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// How much of an unexpected answer is told.
const SHOWN: usize = 200;
const JSON: &str = "application/json";

/// An address or a connection setup that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpEndpointError {
    /// The address is not one of a subgraph.
    #[error(
        "the address of {name}, {url}, cannot be used: expected http:// or https:// and a host"
    )]
    Address {
        /// The subgraph.
        name: String,
        /// Its address.
        url: Url,
    },
    /// The HTTP client cannot be set up.
    #[error("no HTTP client can be made for {name}")]
    Client {
        /// The subgraph.
        name: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A subgraph in another process.
#[derive(Debug)]
pub struct HttpEndpoint {
    name: String,
    base: Url,
    client: Client,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
    timeout: Duration,
}

impl HttpEndpoint {
    /// The subgraph `name` below the address `url`, which may take `timeout` for an answer.
    ///
    /// # Errors
    /// [`HttpEndpointError`] when the address cannot be used or TLS cannot be set up.
    pub fn new(
        name: impl Into<String>,
        url: Url,
        tokens: Arc<ServiceTokens>,
        timeout: Duration,
    ) -> Result<Self, HttpEndpointError> {
        let name = name.into();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(HttpEndpointError::Address { name, url });
        }
        // Whoever installed a provider before wins: there can be only one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true);
        if url.scheme() == "http" {
            // The machine's certificates are neither needed nor, on a bare machine, there.
            builder = builder.tls_certs_only([]);
        }
        match builder.build() {
            Ok(client) => {
                Ok(Self { name, base: url, client, tokens, clock: Clock::System, timeout })
            }
            Err(source) => Err(HttpEndpointError::Client { name, source }),
        }
    }

    /// Runs an operation for the engine.
    pub(crate) async fn fetch(
        &self,
        request: FetchRequest<'_>,
        caller: &Caller,
    ) -> Result<(FetchResponse, Vec<HeaderValue>), EndpointError> {
        let operation = Operation {
            query: request.document,
            operation_name: request.operation_name,
            variables: &request.variables,
        };
        let (headers, body) = self.post_graphql(&operation, caller).await?;
        let response = answer::read(&body).map_err(|error| self.malformed(&error, &body))?;
        Ok((response, headers.get_all(SET_COOKIE).iter().cloned().collect()))
    }

    /// Opens a subscription for the engine, over a WebSocket at the same address.
    pub(crate) async fn open(
        &self,
        request: FetchRequest<'_>,
        caller: &Caller,
    ) -> Result<Events, FetchError> {
        let unsendable = |error: BoxError| FetchError::Unreachable(error);
        let operation = Operation {
            query: request.document,
            operation_name: request.operation_name,
            variables: &request.variables,
        };
        let operation = serde_json::value::to_raw_value(&operation)
            .map_err(|error| unsendable(Box::new(error)))?;
        let token = self.tokens.issue(caller, self.clock.now());
        let token = token.map_err(|error| unsendable(Box::new(error)))?;
        // `http` becomes `ws`, `https` becomes `wss`.
        let address = self.url(GRAPHQL).as_str().replacen("http", "ws", 1);
        subscribe(&address, Some(&format!("Bearer {token}")), &operation, self.timeout).await
    }

    async fn post_graphql<V: Serialize>(
        &self,
        operation: &Operation<'_, V>,
        caller: &Caller,
    ) -> Result<(HeaderMap, Bytes), EndpointError> {
        let body = serde_json::to_vec(operation).map_err(|error| self.failed(error))?;
        let request = self.client.post(self.url(GRAPHQL)).header(CONTENT_TYPE, JSON).body(body);
        self.send(self.signed(request, caller)?, StatusCode::OK).await
    }

    /// A path of the protocol below the base address.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    fn signed(
        &self,
        request: RequestBuilder,
        caller: &Caller,
    ) -> Result<RequestBuilder, EndpointError> {
        let token =
            self.tokens.issue(caller, self.clock.now()).map_err(|error| self.failed(error))?;
        Ok(request.bearer_auth(token).header(ACCEPT, JSON))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        expected: StatusCode,
    ) -> Result<(HeaderMap, Bytes), EndpointError> {
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.answered(format!("more than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if status == expected {
            Ok((headers, body.freeze()))
        } else {
            Err(self.answered(format!("status {}: {}", status.as_u16(), shown(&body))))
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> EndpointError {
        let endpoint = self.name.clone();
        if error.is_timeout() {
            EndpointError::Timeout { endpoint }
        } else {
            EndpointError::Unreachable { endpoint, source: Box::new(error.without_url()) }
        }
    }

    fn malformed(&self, error: &serde_json::Error, body: &[u8]) -> EndpointError {
        self.answered(format!("{} ({error})", shown(body)))
    }

    fn answered(&self, answer: String) -> EndpointError {
        EndpointError::Malformed { endpoint: self.name.clone(), answer }
    }

    fn failed(&self, error: impl std::error::Error + Send + Sync + 'static) -> EndpointError {
        EndpointError::Failed { endpoint: self.name.clone(), source: Box::new(error) }
    }
}

impl Endpoint for HttpEndpoint {
    fn name(&self) -> &str {
        &self.name
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async {
            let request = self.signed(self.client.get(self.url(SDL)), &own_caller())?;
            let (_, body) = self.send(request, StatusCode::OK).await?;
            String::from_utf8(body.into())
                .map_err(|_| self.answered("a schema that is not UTF-8".into()))
        })
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async move {
            let operation = Operation {
                query: &request.document,
                operation_name: request.operation_name.as_deref(),
                variables: &request.variables,
            };
            let (headers, body) = self.post_graphql(&operation, &caller).await?;
            let mut response: Response =
                serde_json::from_slice(&body).map_err(|error| self.malformed(&error, &body))?;
            for cookie in headers.get_all(SET_COOKIE) {
                response.http_headers.append(SET_COOKIE, cookie.clone());
            }
            Ok(response)
        })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move {
            let body = serde_json::to_vec(&*events).map_err(|error| self.failed(error))?;
            let request = self.client.post(self.url(EVENTS)).header(CONTENT_TYPE, JSON).body(body);
            self.send(self.signed(request, &own_caller())?, StatusCode::NO_CONTENT).await?;
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async {
            self.send(self.client.get(self.url(READY)), StatusCode::OK).await?;
            Ok(())
        })
    }
}

/// What a service asks for itself, and for nobody.
fn own_caller() -> Caller {
    Caller::anonymous(uuid::Uuid::now_v7().to_string())
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned()
}

/// The body of a GraphQL request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a, V> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a str>,
    variables: V,
}
