//! The gateway's end: a subgraph in another process, behind the same seam as one in this process.
//!
//! Refused: an answer that takes longer than the timeout, is larger than [`ClientSettings::max_response`] bytes, is not 200, or is not
//! what the protocol says.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, Variables};
use bytes::Bytes;
use common::token::ServiceTokens;
use common::trace;
use common::{Caller, Clock, Endpoint, EndpointError, Event, FileBytes, FileInfo, SubgraphRequest};
use federation::{Events, FetchError, FetchRequest, FetchResponse, OperationKind};
use futures::StreamExt;
use futures::future::BoxFuture;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::public::Told;
use super::subscribe::{Subscription, socket_address, subscribe};
use super::{Attempts, CHANGES, EVENTS, FILES, GRAPHQL, READY, SDL, unanswered};
use crate::caching::CachePolicy;
use crate::http_client::{ClientSettings, ClientSetupError, Pieces};
use crate::subgraph::{SubgraphClient, SubgraphSettings, SubgraphSetupError};
use crate::uploads::{Forwarded, Uploads};

/// How many bytes of a file are asked for at once.
const FILE_PIECE: u64 = 1 << 20;
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
    told: Told,
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
    changes: Uri,
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
            changes: path(CHANGES)?,
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
                let (clock, told) = (Clock::System, Told::default());
                Ok(Self { name, client, paths, socket, tokens, clock, told })
            }
            Err(source) => Err(HttpEndpointError { name, source }),
        }
    }

    /// Runs an operation for the engine, with the files in it.
    pub(crate) async fn fetch(
        &self,
        request: FetchRequest<'_>,
        uploads: Option<&Uploads>,
        caller: &Caller,
        attempts: &mut Attempts,
    ) -> Result<(FetchResponse, Vec<HeaderValue>, CachePolicy), EndpointError> {
        let repeatable = request.kind == OperationKind::Query;
        let request = match uploads.and_then(|uploads| uploads.forward(&request.body)) {
            Some(Forwarded { content_type, body }) => {
                let mut request = post(&self.paths.graphql, body);
                request.headers_mut().insert(CONTENT_TYPE, content_type);
                request
            }
            None => post(&self.paths.graphql, request.body.into()),
        };
        let request = self.signed(request, caller)?;
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

    /// Asks whether what it answers to everybody has changed, for [`public_revision`](Endpoint::public_revision) to say so.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look_for_changes(&self) -> Result<(), EndpointError> {
        let request = self.signed(get(&self.paths.changes), &own_caller())?;
        self.send(request, StatusCode::NO_CONTENT, true, &mut Attempts::default()).await?;
        Ok(())
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
        let mut request = self.signed(post(&path, Bytes::from(text).into()), caller)?;
        request.headers_mut().insert(CONTENT_TYPE, TEXT);
        let uncounted = &mut Attempts::default();
        let (_, body) = self.send(request, StatusCode::OK, true, uncounted).await?;
        serde_json::from_slice(&body).map_err(|error| self.malformed(&error, &body))
    }

    fn signed<B>(
        &self,
        mut request: Request<B>,
        caller: &Caller,
    ) -> Result<Request<B>, EndpointError> {
        let token =
            self.tokens.issue(caller, self.clock.now()).map_err(|error| self.failed(error))?;
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| self.failed(error))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(ACCEPT, JSON);
        if let Some(parent) = trace::parent().and_then(|parent| parent.try_into().ok()) {
            request.headers_mut().insert(trace::HEADER, parent);
        }
        Ok(request)
    }

    async fn send(
        &self,
        request: Request<Pieces>,
        expected: StatusCode,
        repeatable: bool,
        attempts: &mut Attempts,
    ) -> Result<(HeaderMap, Bytes), EndpointError> {
        let answer = self.client.call(request, repeatable, attempts).await;
        let (parts, body) = answer.map_err(|error| unanswered(&self.name, error))?.into_parts();
        self.told.note(&parts.headers);
        if parts.status == expected {
            Ok((parts.headers, body))
        } else {
            Err(self.unexpected(parts.status, &body))
        }
    }

    /// What it answers to a `GET` of `path` about a file, asked for `caller`; none when there is no such file.
    async fn of_file(&self, path: String, caller: &Caller) -> Result<Option<Bytes>, EndpointError> {
        let path = format!("{}{path}", self.paths.base).parse();
        let path = path.map_err(|error: http::uri::InvalidUri| self.failed(error))?;
        let request = self.signed(get(&path), caller)?;
        let answer = self.client.call(request, true, &mut Attempts::default()).await;
        let (parts, body) = answer.map_err(|error| unanswered(&self.name, error))?.into_parts();
        match parts.status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(self.unexpected(status, &body)),
        }
    }

    /// A file asked for piece by piece, so that no more than a piece is here at a time.
    async fn pieces(
        self: Arc<Self>,
        id: Uuid,
        range: Range<u64>,
        caller: Arc<Caller>,
    ) -> Result<Option<FileBytes>, EndpointError> {
        let (start, last) = (range.start, range.end);
        let piece = move |endpoint: Arc<Self>, start: u64| {
            let (end, caller) = (last.min(start + FILE_PIECE), caller.clone());
            async move {
                if start >= end {
                    return Ok(Some(Bytes::new()));
                }
                let path = format!("{FILES}/{id}/bytes?start={start}&end={end}");
                let bytes = endpoint.of_file(path, &caller).await?;
                match &bytes {
                    Some(bytes) if bytes.len() as u64 != end - start => Err(endpoint.answered(
                        format!("{} bytes of a file in place of {}", bytes.len(), end - start),
                    )),
                    _ => Ok(bytes),
                }
            }
        };
        let Some(first) = piece(self.clone(), start).await? else { return Ok(None) };
        let next = start + first.len() as u64;
        let rest = futures::stream::try_unfold(next, move |at| {
            let asked = piece(self.clone(), at);
            async move {
                let bytes = asked.await?.ok_or("the file is gone")?;
                Ok((!bytes.is_empty()).then(|| (bytes.clone(), at + bytes.len() as u64)))
            }
        });
        Ok(Some(futures::stream::once(async { Ok(first) }).chain(rest).boxed()))
    }

    fn unexpected(&self, status: StatusCode, body: &[u8]) -> EndpointError {
        self.answered(format!("status {}: {}", status.as_u16(), shown(body)))
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
            let request =
                self.signed(post(&self.paths.graphql, Bytes::from(body).into()), &caller)?;
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
            let request =
                self.signed(post(&self.paths.events, Bytes::from(body).into()), &own_caller())?;
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

    fn public_revision(&self) -> u64 {
        self.told.changes()
    }

    fn file(
        &self,
        id: Uuid,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Option<FileInfo>, EndpointError>> {
        Box::pin(async move {
            let Some(body) = self.of_file(format!("{FILES}/{id}"), &caller).await? else {
                return Ok(None);
            };
            serde_json::from_slice(&body).map(Some).map_err(|error| self.malformed(&error, &body))
        })
    }

    fn file_bytes(
        self: Arc<Self>,
        id: Uuid,
        range: Range<u64>,
        caller: Arc<Caller>,
    ) -> BoxFuture<'static, Result<Option<FileBytes>, EndpointError>> {
        Box::pin(async move { self.pieces(id, range, caller).await })
    }
}

fn get(path: &Uri) -> Request<Pieces> {
    let mut request = Request::new(Pieces::default());
    *request.uri_mut() = path.clone();
    request
}

fn post(path: &Uri, body: Pieces) -> Request<Pieces> {
    let mut request = Request::new(body);
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
