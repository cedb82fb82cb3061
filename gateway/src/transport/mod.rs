//! How the engine's fetches reach the subgraphs: a function call or HTTP. Nothing above this module knows which.

mod convert;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use common::{Caller, Endpoint, EndpointError, SubgraphRequest};
use federation::execute::PathSegment;
use federation::{Events, Fetch, FetchError, FetchRequest, FetchResponse, SubgraphError};
use futures::{FutureExt, StreamExt};
use http::HeaderValue;
use http::header::SET_COOKIE;

use crate::error::Panic;
use crate::remote::{self, HttpEndpoint};

/// How one subgraph is reached.
#[derive(Clone)]
pub enum Transport {
    /// In this process, by a function call.
    InProcess(Arc<dyn Endpoint>),
    /// In another process, over HTTP.
    Http(Arc<HttpEndpoint>),
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

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::InProcess(_) => "InProcess",
            Self::Http(_) => "Http",
        };
        write!(f, "{kind}({})", self.endpoint().name())
    }
}

impl Transport {
    /// The subgraph, for what is not a fetch.
    #[must_use]
    pub fn endpoint(&self) -> &dyn Endpoint {
        match self {
            Self::InProcess(endpoint) => &**endpoint,
            Self::Http(endpoint) => &**endpoint,
        }
    }

    async fn fetch(
        &self,
        request: FetchRequest<'_>,
        caller: &Arc<Caller>,
    ) -> Result<(FetchResponse, Vec<HeaderValue>), EndpointError> {
        match self {
            Self::InProcess(endpoint) => call(&**endpoint, request, caller.clone()).await,
            Self::Http(endpoint) => endpoint.fetch(request, caller).await,
        }
    }

    async fn subscribe(
        &self,
        request: FetchRequest<'_>,
        caller: &Arc<Caller>,
    ) -> Result<Events, FetchError> {
        match self {
            Self::InProcess(endpoint) => {
                subscribe(&**endpoint, request, caller.clone()).map_err(fetch_error)
            }
            Self::Http(endpoint) => endpoint.open(request, caller).await,
        }
    }
}

fn subscribe(
    endpoint: &dyn Endpoint,
    request: FetchRequest<'_>,
    caller: Arc<Caller>,
) -> Result<Events, EndpointError> {
    let responses = endpoint.subscribe(schema_request(request), caller)?;
    Ok(responses.map(|response| Ok(answer(response))).boxed())
}

fn schema_request(request: FetchRequest<'_>) -> SubgraphRequest {
    SubgraphRequest {
        document: request.document.clone(),
        operation_name: request.operation_name.map(str::to_owned),
        variables: convert::variables(request.variables),
    }
}

fn answer(response: async_graphql::Response) -> FetchResponse {
    let errors = response.errors.into_iter().map(subgraph_error).collect();
    FetchResponse { data: convert::data(response.data), errors }
}

async fn call(
    endpoint: &dyn Endpoint,
    request: FetchRequest<'_>,
    caller: Arc<Caller>,
) -> Result<(FetchResponse, Vec<HeaderValue>), EndpointError> {
    let request = schema_request(request);
    // A subgraph that breaks costs only its own fields, as it would if it were a process of its own.
    let response = AssertUnwindSafe(endpoint.execute(request, caller))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            let source = Box::new(Panic::from(panic));
            Err(EndpointError::Failed { endpoint: endpoint.name().to_owned(), source })
        })?;
    let cookies = response.http_headers.get_all(SET_COOKIE).iter().cloned().collect();
    Ok((answer(response), cookies))
}

fn subgraph_error(error: async_graphql::ServerError) -> SubgraphError {
    let path = error.path.into_iter().map(|segment| match segment {
        async_graphql::PathSegment::Field(name) => PathSegment::Key(name.into()),
        async_graphql::PathSegment::Index(index) => PathSegment::Index(index),
    });
    SubgraphError {
        message: error.message,
        path: path.collect(),
        extensions: error.extensions.as_ref().map(remote::extensions).unwrap_or_default(),
    }
}

/// The subgraphs of a supergraph, by name.
#[derive(Debug)]
pub(crate) struct Transports(HashMap<String, Transport>);

impl Transports {
    pub(crate) fn new(transports: impl Iterator<Item = Transport>) -> Self {
        let named = |transport: Transport| (transport.endpoint().name().to_owned(), transport);
        Self(transports.map(named).collect())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Transport> {
        self.0.values()
    }
}

/// The fetches of one request: who asks, and which cookies the subgraphs set.
#[derive(Clone)]
pub(crate) struct RequestFetch {
    transports: Arc<Transports>,
    caller: Arc<Caller>,
    cookies: Arc<Mutex<Vec<HeaderValue>>>,
}

impl RequestFetch {
    pub(crate) fn new(transports: Arc<Transports>, caller: Arc<Caller>) -> Self {
        Self { transports, caller, cookies: Arc::default() }
    }

    /// The cookies the subgraphs have set so far, for the client.
    pub(crate) fn take_cookies(&self) -> Vec<HeaderValue> {
        std::mem::take(&mut *self.cookies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn transport(&self, name: &str) -> Result<&Transport, FetchError> {
        self.transports.0.get(name).ok_or_else(|| {
            // The gateway does not start without one for each subgraph of the supergraph.
            FetchError::Malformed(format!("the supergraph names {name}, which has no transport"))
        })
    }
}

impl Fetch for RequestFetch {
    async fn subscribe(&self, request: FetchRequest<'_>) -> Result<Events, FetchError> {
        let transport = self.transport(request.subgraph)?;
        transport.subscribe(request, &self.caller).await
    }

    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let transport = self.transport(request.subgraph)?;
        let (response, cookies) =
            transport.fetch(request, &self.caller).await.map_err(fetch_error)?;
        if !cookies.is_empty() {
            self.cookies.lock().unwrap_or_else(PoisonError::into_inner).extend(cookies);
        }
        Ok(response)
    }
}

fn fetch_error(error: EndpointError) -> FetchError {
    match error {
        EndpointError::Timeout { .. } => FetchError::Timeout,
        EndpointError::Malformed { answer, .. } => FetchError::Malformed(answer),
        EndpointError::NoSubscriptions { .. } => FetchError::NoSubscriptions,
        unreachable @ (EndpointError::Unreachable { .. } | EndpointError::Failed { .. }) => {
            FetchError::Unreachable(Box::new(unreachable))
        }
    }
}
