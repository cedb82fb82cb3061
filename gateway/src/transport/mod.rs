//! How the engine's fetches reach the subgraphs: a function call or HTTP. Nothing above this module knows which.

mod exchange;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::ErrorExtensionValues;
use common::trace;
use common::{Caller, Endpoint, EndpointError, PublicRevision, SubgraphRequest};
use federation::execute::PathSegment;
use federation::{
    Events, Fetch, FetchError, FetchRequest, FetchResponse, Object, OperationKind, Plan,
    SubgraphError,
};
use futures::{FutureExt, StreamExt};
use http::HeaderValue;
use http::header::SET_COOKIE;
use tracing::{Instrument, Span};

use crate::caching::CachePolicy;
use crate::error::{Panic, fetch_error};
use crate::metrics::Metrics;
use crate::remote::{Attempts, GraphQlSubgraph, HttpEndpoint};
use crate::uploads::Uploads;

pub(crate) use exchange::Exchange;

/// How one subgraph is reached.
#[derive(Clone)]
pub enum Transport {
    /// In this process, by a function call.
    InProcess(Arc<dyn Endpoint>),
    /// In another process, over HTTP, by Spacey's protocol.
    Http(Arc<HttpEndpoint>),
    /// Anybody's, by GraphQL over HTTP.
    GraphQl(Arc<GraphQlSubgraph>),
}

impl From<Arc<dyn Endpoint>> for Transport {
    fn from(endpoint: Arc<dyn Endpoint>) -> Self {
        Self::InProcess(endpoint)
    }
}

impl From<Arc<HttpEndpoint>> for Transport {
    fn from(endpoint: Arc<HttpEndpoint>) -> Self {
        Self::Http(endpoint)
    }
}

impl From<Arc<GraphQlSubgraph>> for Transport {
    fn from(subgraph: Arc<GraphQlSubgraph>) -> Self {
        Self::GraphQl(subgraph)
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::InProcess(_) => "InProcess",
            Self::Http(_) => "Http",
            Self::GraphQl(_) => "GraphQl",
        };
        write!(f, "{kind}({})", self.name())
    }
}

impl Transport {
    /// The subgraph's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::InProcess(endpoint) => endpoint.name(),
            Self::Http(endpoint) => endpoint.name(),
            Self::GraphQl(subgraph) => subgraph.name(),
        }
    }

    /// Whether it can do its work now. Anybody's subgraph has no way to say so, and counts as ready.
    pub(crate) async fn ready(&self) -> Result<(), EndpointError> {
        match self {
            Self::InProcess(endpoint) => endpoint.ready().await,
            Self::Http(endpoint) => endpoint.ready().await,
            Self::GraphQl(_) => Ok(()),
        }
    }

    async fn fetch(
        &self,
        request: FetchRequest<'_>,
        exchange: &Exchange,
        attempts: &mut Attempts,
    ) -> Result<FetchResponse, EndpointError> {
        let (response, cookies, policy) = match self {
            Self::InProcess(endpoint) => call(&**endpoint, request, exchange).await?,
            Self::Http(endpoint) => {
                let files = exchange.uploads.as_ref();
                endpoint.fetch(request, files, &exchange.caller, attempts).await?
            }
            Self::GraphQl(subgraph) => {
                let files = exchange.uploads.as_ref();
                let client = &exchange.headers;
                let (body, headers) = subgraph.fetch(request, files, client, attempts).await?;
                subgraph.header_rules().to_client(&headers, &mut exchange.answer());
                exchange.note_policy(CachePolicy::of_headers(&headers));
                return Ok(FetchResponse::Json(body));
            }
        };
        exchange.note_policy(policy);
        if !cookies.is_empty() {
            exchange.answer().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
        }
        Ok(response)
    }

    async fn subscribe(
        &self,
        request: FetchRequest<'_>,
        exchange: &Exchange,
    ) -> Result<Events, FetchError> {
        match self {
            Self::InProcess(endpoint) => {
                subscribe(&**endpoint, request, exchange.caller.clone()).map_err(fetch_error)
            }
            Self::Http(endpoint) => endpoint.open(request, &exchange.caller).await,
            Self::GraphQl(subgraph) => subgraph.open(request, &exchange.headers).await,
        }
    }
}

fn subscribe(
    endpoint: &dyn Endpoint,
    request: FetchRequest<'_>,
    caller: Arc<Caller>,
) -> Result<Events, EndpointError> {
    let request = schema_request(request, None).map_err(|error| EndpointError::Failed {
        endpoint: endpoint.name().to_owned(),
        source: Box::new(error),
    })?;
    let responses = endpoint.subscribe(request, caller)?;
    Ok(responses.map(|response| Ok(answer(response))).boxed())
}

fn schema_request(
    request: FetchRequest<'_>,
    uploads: Option<&Uploads>,
) -> serde_json::Result<SubgraphRequest> {
    let mut variables = serde_json::from_slice(request.variables_json())?;
    if let Some(uploads) = uploads {
        uploads.put(&mut variables);
    }
    Ok(SubgraphRequest {
        document: request.document.clone(),
        operation_name: request.operation_name.map(str::to_owned),
        variables,
    })
}

fn answer(response: async_graphql::Response) -> FetchResponse {
    let errors = response.errors.into_iter().map(subgraph_error).collect();
    FetchResponse::in_process(response.data, errors)
}

async fn call(
    endpoint: &dyn Endpoint,
    request: FetchRequest<'_>,
    exchange: &Exchange,
) -> Result<(FetchResponse, Vec<HeaderValue>, CachePolicy), EndpointError> {
    let failed = |source| EndpointError::Failed { endpoint: endpoint.name().to_owned(), source };
    let request = schema_request(request, exchange.uploads.as_ref());
    let request = request.map_err(|error| failed(Box::new(error)))?;
    // A subgraph that breaks costs only its own fields, as it would if it were a process of its own.
    let response = AssertUnwindSafe(endpoint.execute(request, exchange.caller.clone()))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(failed(Box::new(Panic::from(panic)))))?;
    let cookies = response.http_headers.get_all(SET_COOKIE).iter().cloned().collect();
    let policy = CachePolicy::of_hint(&response.cache_control);
    Ok((answer(response), cookies, policy))
}

fn subgraph_error(error: async_graphql::ServerError) -> SubgraphError {
    let path = error.path.into_iter().map(|segment| match segment {
        async_graphql::PathSegment::Field(name) => PathSegment::Key(name.into()),
        async_graphql::PathSegment::Index(index) => PathSegment::Index(index),
    });
    SubgraphError {
        message: error.message,
        path: path.collect(),
        extensions: error.extensions.as_ref().map(extensions).unwrap_or_default(),
    }
}

/// The extensions of an error as the engine holds them.
fn extensions(extensions: &ErrorExtensionValues) -> Object {
    serde_json::to_vec(extensions)
        .and_then(|json| serde_json::from_slice(&json))
        .unwrap_or_default()
}

/// The subgraphs of a supergraph, by name.
#[derive(Debug)]
pub(crate) struct Transports {
    by_name: HashMap<String, Transport, ahash::RandomState>,
    read_the_client: bool,
    /// How often something was changed at anybody's subgraph, which says nothing of what that changes.
    changed: PublicRevision,
}

impl Transports {
    pub(crate) fn new(transports: impl Iterator<Item = Transport>) -> Self {
        let named = |transport: Transport| (transport.name().to_owned(), transport);
        let by_name: HashMap<_, _, _> = transports.map(named).collect();
        let reads = |transport: &Transport| match transport {
            Transport::InProcess(_) | Transport::Http(_) => false,
            Transport::GraphQl(subgraph) => subgraph.header_rules().read_the_client(),
        };
        let read_the_client = by_name.values().any(reads);
        Self { by_name, read_the_client, changed: PublicRevision::default() }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Whether a header rule of any looks at what the client sent.
    pub(crate) fn read_the_client(&self) -> bool {
        self.read_the_client
    }

    /// How often what the subgraphs answer to everybody has changed, as far as this gateway knows.
    pub(crate) fn public_revision(&self) -> u64 {
        let of = |transport: &Transport| match transport {
            Transport::InProcess(endpoint) => endpoint.public_revision(),
            Transport::Http(endpoint) => endpoint.public_revision(),
            Transport::GraphQl(_) => 0,
        };
        let told = self.by_name.values().map(of).fold(0, u64::wrapping_add);
        told.wrapping_add(self.changed.get())
    }

    /// Whether clients are shown this subgraph's errors as they are. Spacey's own say nothing that is not for clients.
    pub(crate) fn show_errors_of(&self, name: &str) -> bool {
        match self.by_name.get(name) {
            Some(Transport::InProcess(_) | Transport::Http(_)) => true,
            Some(Transport::GraphQl(subgraph)) => subgraph.errors_are_shown(),
            None => false,
        }
    }

    /// The subgraph of this name, where it is one of Spacey's.
    pub(crate) fn endpoint(&self, name: &str) -> Option<Arc<dyn Endpoint>> {
        match self.by_name.get(name)? {
            Transport::InProcess(endpoint) => Some(endpoint.clone()),
            Transport::Http(endpoint) => Some(endpoint.clone()),
            Transport::GraphQl(_) => None,
        }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Transport> {
        self.by_name.values()
    }
}

/// The fetches of one client request. Clones are of the same request.
#[derive(Debug, Clone)]
pub(crate) struct RequestFetch {
    transports: Arc<Transports>,
    exchange: Arc<Exchange>,
}

impl RequestFetch {
    pub(crate) fn new(transports: Arc<Transports>, exchange: Arc<Exchange>) -> Self {
        Self { transports, exchange }
    }

    /// The request they are for.
    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn transport(&self, name: &str) -> Result<&Transport, FetchError> {
        self.transports.by_name.get(name).ok_or_else(|| {
            // The gateway does not start without one for each subgraph of the supergraph.
            FetchError::Malformed(format!("the supergraph names {name}, which has no transport"))
        })
    }

    async fn send(
        &self,
        request: FetchRequest<'_>,
        attempts: &mut Attempts,
    ) -> Result<FetchResponse, FetchError> {
        let transport = self.transport(request.subgraph)?;
        let changes = request.kind == OperationKind::Mutation;
        let fetched = transport.fetch(request, &self.exchange, attempts).await;
        if changes && matches!(transport, Transport::GraphQl(_)) {
            self.transports.changed.advance();
        }
        fetched.map_err(fetch_error)
    }

    async fn open(&self, request: FetchRequest<'_>) -> Result<Events, FetchError> {
        self.transport(request.subgraph)?.subscribe(request, &self.exchange).await
    }
}

impl Fetch for RequestFetch {
    fn planned(&self, plan: &Plan) {
        if let Some(explain) = &self.exchange.explain {
            explain.plan(plan);
        }
    }

    async fn subscribe(&self, request: FetchRequest<'_>) -> Result<Events, FetchError> {
        let Some(explain) = &self.exchange.explain else { return self.open(request).await };
        let sent = Instant::now();
        let outcome = self.open(request.clone()).await;
        explain.note(&request, sent, None, outcome.as_ref().map(|_| None));
        outcome
    }

    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let (metrics, begun) = (Metrics::get().fetch(request.subgraph), Instant::now());
        let fetched = self.fetch_explained(request.clone()).instrument(span(&request)).await;
        metrics.note(begun.elapsed(), fetched.is_ok());
        fetched
    }
}

/// A fetch's part of the trace, where there is one.
fn span(request: &FetchRequest<'_>) -> Span {
    if !trace::is_on() {
        return Span::none();
    }
    let entities = request.entities.map(|count| count.representations as u64);
    let subgraph = request.subgraph;
    tracing::info_span!(
        "fetch",
        otel.name = format!("fetch {subgraph}"),
        otel.kind = "client",
        subgraph,
        entities
    )
}

impl RequestFetch {
    async fn fetch_explained(
        &self,
        request: FetchRequest<'_>,
    ) -> Result<FetchResponse, FetchError> {
        let mut attempts = Attempts::default();
        let Some(explain) = &self.exchange.explain else {
            return self.send(request, &mut attempts).await;
        };
        let sent = Instant::now();
        let outcome = self.send(request.clone(), &mut attempts).await;
        explain.note(&request, sent, attempts.0, outcome.as_ref().map(Some));
        outcome
    }
}
