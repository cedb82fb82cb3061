//! The gateway's end: a subgraph in another process, behind the same seam as one in this process.
//!
//! Refused: an answer that takes longer than the timeout, is larger than [`ClientSettings::max_response`] bytes, is not 200, or is not
//! what the protocol says.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, Variables};
use bytes::Bytes;
use common::token::ServiceTokens;
use common::{Caller, Clock, Endpoint, EndpointError, Event, SubgraphRequest};
use federation::{Events, FetchError, FetchRequest, FetchResponse, OperationKind};
use futures::future::BoxFuture;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use serde::Serialize;
use url::Url;

use super::subscribe::{Subscription, socket_address, subscribe};
use super::{Attempts, EVENTS, GRAPHQL, READY, SDL, unanswered};
use crate::caching::CachePolicy;
use crate::http_client::{ClientSettings, ClientSetupError};
use crate::subgraph::{SubgraphClient, SubgraphSettings, SubgraphSetupError};

/// How much of an unexpected answer is told.
const SHOWN: usize = 200;
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A subgraph cannot be reached in the way that is set.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be sent to the subgraph {name}")]
pub struct HttpEndpointError {
    /// The subgraph.
    pub name: String,
    /// Why.
    #[source]
    pub source: SubgraphSetupError,
}

/// A subgraph in another process.
#[derive(Debug)]
pub struct HttpEndpoint {
    name: String,
    client: SubgraphClient,
    paths: Paths,
    /// Where subscriptions are opened.
    socket: String,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
}

/// The paths of the protocol below the base address.
#[derive(Debug)]
struct Paths {
    /// What comes before each of them.
    base: String,
    graphql: Uri,
    events: Uri,
    sdl: Uri,
    ready: Uri,
}

impl Paths {
    fn below(base: &Url) -> Result<Self, http::uri::InvalidUri> {
        let base = base.path().trim_end_matches('/').to_owned();
        let path = |path: &str| format!("{base}{path}").parse();
        Ok(Self {
            graphql: path(GRAPHQL)?,
            events: path(EVENTS)?,
            sdl: path(SDL)?,
            ready: path(READY)?,
            base,
        })
    }
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
        let client = ClientSettings { connect_timeout: timeout, ..ClientSettings::default() };
        let settings = SubgraphSettings { timeout, client, ..SubgraphSettings::default() };
        Self::with_settings(name, url, tokens, &settings)
    }

    /// The subgraph `name` below the address `url`, called as `settings` say. Their rules for headers and errors are for strangers.
    ///
    /// # Errors
    /// [`HttpEndpointError`] when the address or a setting cannot be used.
    pub fn with_settings(
        name: impl Into<String>,
        url: Url,
        tokens: Arc<ServiceTokens>,
        settings: &SubgraphSettings,
    ) -> Result<Self, HttpEndpointError> {
        let name = name.into();
        let made = SubgraphClient::new(&url, settings).and_then(|client| {
            Ok((client, Paths::below(&url).map_err(|_| ClientSetupError::Address(url.clone()))?))
        });
        match made {
            Ok((client, paths)) => {
                let base = url.as_str().trim_end_matches('/');
                let socket = socket_address(&format!("{base}{GRAPHQL}"));
                Ok(Self { name, client, paths, socket, tokens, clock: Clock::System })
            }
            Err(source) => Err(HttpEndpointError { name, source }),
        }
    }

    /// Runs an operation for the engine.
    pub(crate) async fn fetch(
        &self,
        request: FetchRequest<'_>,
        caller: &Caller,
        attempts: &mut Attempts,
    ) -> Result<(FetchResponse, Vec<HeaderValue>, CachePolicy), EndpointError> {
        let repeatable = request.kind == OperationKind::Query;
        let request = self.signed(post(&self.paths.graphql, request.body), caller)?;
        let (headers, body) = self.send(request, StatusCode::OK, repeatable, attempts).await?;
        let cookies = headers.get_all(SET_COOKIE).iter().cloned().collect();
        Ok((FetchResponse::Json(body), cookies, CachePolicy::of_headers(&headers)))
    }

    /// Opens a subscription for the engine, over a WebSocket at the same address.
    pub(crate) async fn open(
        &self,
        request: FetchRequest<'_>,
        caller: &Caller,
    ) -> Result<Events, FetchError> {
        let unsendable = |error| FetchError::Unreachable(Box::new(error));
        let mut signed = self.signed(Request::new(Bytes::new()), caller).map_err(unsendable)?;
        let subscription = Subscription {
            name: &self.name,
            address: &self.socket,
            headers: std::mem::take(signed.headers_mut()),
            operation: &request.body,
        };
        subscribe(&self.client, subscription).await
    }

    /// What it answers to a `GET` of `path`, below the base address.
    pub(super) async fn read<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<T, EndpointError> {
        let path = format!("{}{path}", self.paths.base).parse();
        let path = path.map_err(|error: http::uri::InvalidUri| self.failed(error))?;
        let request = self.signed(get(&path), &own_caller())?;
        let uncounted = &mut Attempts::default();
        let (_, body) = self.send(request, StatusCode::OK, true, uncounted).await?;
        serde_json::from_slice(&body).map_err(|error| self.malformed(&error, &body))
    }

    /// What it answers to a `POST` of `text` to `path`, asked for `caller`. Asking twice does no harm.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        text: String,
        caller: &Caller,
    ) -> Result<T, EndpointError> {
        let path = format!("{}{path}", self.paths.base).parse();
        let path = path.map_err(|error: http::uri::InvalidUri| self.failed(error))?;
        let mut request = self.signed(post(&path, text.into()), caller)?;
        request.headers_mut().insert(CONTENT_TYPE, TEXT);
        let uncounted = &mut Attempts::default();
        let (_, body) = self.send(request, StatusCode::OK, true, uncounted).await?;
        serde_json::from_slice(&body).map_err(|error| self.malformed(&error, &body))
    }

    fn signed(
        &self,
        mut request: Request<Bytes>,
        caller: &Caller,
    ) -> Result<Request<Bytes>, EndpointError> {
        let token =
            self.tokens.issue(caller, self.clock.now()).map_err(|error| self.failed(error))?;
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| self.failed(error))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(ACCEPT, JSON);
        Ok(request)
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        expected: StatusCode,
        repeatable: bool,
        attempts: &mut Attempts,
    ) -> Result<(HeaderMap, Bytes), EndpointError> {
        let answer = self.client.call(request, repeatable, attempts).await;
        let (parts, body) = answer.map_err(|error| unanswered(&self.name, error))?.into_parts();
        if parts.status == expected {
            Ok((parts.headers, body))
        } else {
            Err(self.answered(format!("status {}: {}", parts.status.as_u16(), shown(&body))))
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
            let request = self.signed(get(&self.paths.sdl), &own_caller())?;
            let (_, body) =
                self.send(request, StatusCode::OK, true, &mut Attempts::default()).await?;
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
            let body = serde_json::to_vec(&operation).map_err(|error| self.failed(error))?;
            let request = self.signed(post(&self.paths.graphql, body.into()), &caller)?;
            let uncounted = &mut Attempts::default();
            let (headers, body) = self.send(request, StatusCode::OK, false, uncounted).await?;
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
            let request = self.signed(post(&self.paths.events, body.into()), &own_caller())?;
            // Events are applied once however often they come.
            self.send(request, StatusCode::NO_CONTENT, true, &mut Attempts::default()).await?;
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async {
            let uncounted = &mut Attempts::default();
            self.send(get(&self.paths.ready), StatusCode::OK, false, uncounted).await?;
            Ok(())
        })
    }
}

fn get(path: &Uri) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = path.clone();
    request
}

fn post(path: &Uri, json: Bytes) -> Request<Bytes> {
    let mut request = Request::new(json);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.clone();
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    request
}

/// What a service asks for itself, and for nobody.
pub(super) fn own_caller() -> Caller {
    Caller::anonymous(uuid::Uuid::now_v7().to_string())
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned()
}

/// The body of a GraphQL request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a str>,
    variables: &'a Variables,
}
