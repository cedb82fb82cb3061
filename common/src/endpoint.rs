//! The seam between the gateway and a domain. In one process a call through it is a function call; between processes
//! it is HTTP. Nothing above it knows which.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::{parse_query, types::ExecutableDocument};
use async_graphql::{
    ObjectType, Request, Response, Schema, ServerError, SubscriptionType, Variables,
};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use uuid::Uuid;

use crate::error::BoxError;
use crate::graphql::costs::with_costs;
use crate::graphql::sdl::federation_sdl;
use crate::{Caller, Error, Event, FileBytes, FileInfo, Viewer};

/// One operation for one subgraph.
#[derive(Debug, Clone)]
pub struct SubgraphRequest {
    /// The operation's text. The same `Arc` each time the same plan runs.
    pub document: Arc<str>,
    /// Which operation of the document, where it holds several.
    pub operation_name: Option<String>,
    /// The variables the operation declares.
    pub variables: Variables,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It could not be reached.
    #[error("{endpoint} could not be reached")]
    Unreachable {
        /// Which one.
        endpoint: String,
        /// What the connection said.
        #[source]
        source: BoxError,
    },
    /// It was not asked, because too many requests wait for it already.
    #[error("too many requests wait for {endpoint} already")]
    Overloaded {
        /// Which one.
        endpoint: String,
    },
    /// It did not answer in time.
    #[error("{endpoint} did not answer in time")]
    Timeout {
        /// Which one.
        endpoint: String,
    },
    /// It answered, but not with what was asked for.
    #[error("{endpoint} answered {answer}")]
    Malformed {
        /// Which one.
        endpoint: String,
        /// What it answered, shortened.
        answer: String,
    },
    /// It answered more than is received.
    #[error("{endpoint} answered more than {limit} bytes")]
    TooLarge {
        /// Which one.
        endpoint: String,
        /// How much is received, in bytes.
        limit: usize,
    },
    /// It refused: the cause is its own.
    #[error("{endpoint} failed")]
    Failed {
        /// Which one.
        endpoint: String,
        /// The domain's own error.
        #[source]
        source: BoxError,
    },
    /// It cannot be asked for a subscription.
    #[error("{endpoint} serves no subscriptions")]
    NoSubscriptions {
        /// Which one.
        endpoint: String,
    },
}

/// A domain, wherever it runs.
pub trait Endpoint: Send + Sync {
    /// The subgraph's name.
    fn name(&self) -> &str;

    /// Its schema, with federation directives.
    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>>;

    /// Runs an operation for `caller`.
    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>>;

    /// Opens a subscription for `caller`: a response for each event. Dropping the stream ends it.
    ///
    /// # Errors
    /// [`EndpointError::NoSubscriptions`] unless the domain has some.
    fn subscribe(
        &self,
        _request: SubgraphRequest,
        _caller: Arc<Caller>,
    ) -> Result<BoxStream<'static, Response>, EndpointError> {
        Err(EndpointError::NoSubscriptions { endpoint: self.name().to_owned() })
    }

    /// Takes in what another domain tells. When it answers `Ok`, what it was told is stored.
    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>>;

    /// Whether it can do its work now.
    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>>;

    /// How often what it answers to everybody has changed (see [`PublicRevision`](crate::PublicRevision)), as far as this process knows. It stays
    /// 0 where nothing is said of it.
    fn public_revision(&self) -> u64 {
        0
    }

    /// What is known of a file, where there is one with this id that `caller` may read.
    fn file(
        &self,
        _id: Uuid,
        _caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Option<FileInfo>, EndpointError>> {
        Box::pin(async { Ok(None) })
    }

    /// The bytes of a file in `range`, which lies within it; none when there is no such file that `caller` may read.
    fn file_bytes(
        self: Arc<Self>,
        _id: Uuid,
        _range: Range<u64>,
        _caller: Arc<Caller>,
    ) -> BoxFuture<'static, Result<Option<FileBytes>, EndpointError>> {
        Box::pin(async { Ok(None) })
    }
}

/// What a domain does besides answering GraphQL.
pub trait Domain: Send + Sync {
    /// Takes in what another domain tells; what it does not care for it ignores.
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>>;

    /// Whether its store answers.
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// How often what it answers to everybody has changed. A domain that lets nothing be kept by everybody has no need to count.
    fn public_revision(&self) -> u64 {
        0
    }

    /// What is known of a file of the viewer. A domain without files has none.
    fn file<'a>(
        &'a self,
        _viewer: &'a Viewer,
        _id: Uuid,
    ) -> BoxFuture<'a, Result<Option<FileInfo>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// The bytes of a file of the viewer in `range`, which lies within it.
    fn file_bytes<'a>(
        &'a self,
        _viewer: &'a Viewer,
        _id: Uuid,
        _range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<FileBytes>, Error>> {
        Box::pin(async { Ok(None) })
    }
}

/// A domain in this process: its schema is called directly, and the caller is passed as a value.
pub struct SchemaEndpoint<Q, M, S> {
    name: &'static str,
    schema: Schema<Q, M, S>,
    domain: Arc<dyn Domain>,
    costs: &'static str,
    documents: Documents,
}

impl<Q, M, S> SchemaEndpoint<Q, M, S> {
    /// Puts a schema and the rest of its domain behind the seam.
    pub fn new(name: &'static str, schema: Schema<Q, M, S>, domain: Arc<dyn Domain>) -> Self {
        Self { name, schema, domain, costs: "", documents: Documents::default() }
    }

    /// The same, with what its fields cost, as [`with_costs`] reads it.
    #[must_use]
    pub fn with_costs(self, costs: &'static str) -> Self {
        Self { costs, ..self }
    }
}

impl<Q, M, S> Endpoint for SchemaEndpoint<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn name(&self) -> &str {
        self.name
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async {
            with_costs(&federation_sdl(&self.schema), self.costs).map_err(|source| {
                EndpointError::Failed { endpoint: self.name.to_owned(), source: source.into() }
            })
        })
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async move {
            let mut response = self.schema.execute(self.request(request, caller)).await;
            response.errors.iter_mut().for_each(name_malformed_input);
            Ok(response)
        })
    }

    fn subscribe(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> Result<BoxStream<'static, Response>, EndpointError> {
        let responses = self.schema.execute_stream(self.request(request, caller));
        let named = responses.map(|mut response| {
            response.errors.iter_mut().for_each(name_malformed_input);
            response
        });
        Ok(named.boxed())
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move { self.domain.apply(&events).await.map_err(|e| self.failed(e)) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move { self.domain.ready().await.map_err(|e| self.failed(e)) })
    }

    fn public_revision(&self) -> u64 {
        self.domain.public_revision()
    }

    fn file(
        &self,
        id: Uuid,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Option<FileInfo>, EndpointError>> {
        Box::pin(async move {
            let Some(viewer) = &caller.viewer else { return Ok(None) };
            self.domain.file(viewer, id).await.map_err(|e| self.failed(e))
        })
    }

    fn file_bytes(
        self: Arc<Self>,
        id: Uuid,
        range: Range<u64>,
        caller: Arc<Caller>,
    ) -> BoxFuture<'static, Result<Option<FileBytes>, EndpointError>> {
        Box::pin(async move {
            let Some(viewer) = &caller.viewer else { return Ok(None) };
            self.domain.file_bytes(viewer, id, range).await.map_err(|e| self.failed(e))
        })
    }
}

impl<Q, M, S> SchemaEndpoint<Q, M, S> {
    fn request(&self, request: SubgraphRequest, caller: Arc<Caller>) -> Request {
        let mut inner = Request::new(String::new()).variables(request.variables).data(caller);
        inner.operation_name = request.operation_name;
        match self.documents.parsed(&request.document) {
            Some(document) => inner.set_parsed_query(document),
            // A text that does not parse is handed on as it is: the schema answers with the proper error.
            None => inner.query = request.document.to_string(),
        }
        inner
    }

    fn failed(&self, error: Error) -> EndpointError {
        EndpointError::Failed { endpoint: self.name.to_owned(), source: Box::new(error) }
    }
}

/// The errors of resolvers carry a code. What does not comes from reading arguments: an id or a moment that is none.
fn name_malformed_input(error: &mut ServerError) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", "BAD_USER_INPUT");
    }
}

/// Operations parsed before. The gateway sends few different ones: those of its cached plans.
#[derive(Default)]
struct Documents(Mutex<HashMap<Arc<str>, ExecutableDocument>>);

impl Documents {
    const CAPACITY: usize = 1024;

    fn parsed(&self, text: &Arc<str>) -> Option<ExecutableDocument> {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = documents.get(text) {
            return Some(document.clone());
        }
        let document = parse_query(&**text).ok()?;
        if documents.len() >= Self::CAPACITY {
            documents.clear();
        }
        documents.insert(text.clone(), document.clone());
        Some(document)
    }
}
