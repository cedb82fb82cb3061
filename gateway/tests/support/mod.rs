//! What the tests of the gateway share: a library of three subgraphs, reached either way, and a client without a network.

#![expect(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, reason = "only tests call this")]

pub(crate) mod forge;
pub(crate) mod forms;
pub(crate) mod key_book;
pub(crate) mod library;
pub(crate) mod misbehaving;
pub(crate) mod pki;
pub(crate) mod plain;
pub(crate) mod redis;
pub(crate) mod socket;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use common::endpoint::Domain;
use common::endpoint::SchemaEndpoint;
use common::revocation::Revocations;
use common::token::{AccessTokens, ServiceTokens};
use common::vouched::Admissions;
use common::{
    Clock, Endpoint, Error, Event, KeyVerifier, Roles, SessionId, StoreError, UserId, Viewer,
};
use futures::future::BoxFuture;
use gateway::{
    Gateway, GatewayError, GatewaySettings, HttpEndpoint, Recognition, Transport, subgraph_router,
};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const SUPERGRAPH: &str = include_str!("supergraph.graphql");

/// A domain that remembers what it is told and is ready when it is said to be.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) events: Mutex<Vec<Event>>,
    pub(crate) broken: AtomicBool,
    /// How many subscriptions are open.
    pub(crate) subscribers: Arc<AtomicUsize>,
}

impl Domain for Memory {
    fn apply<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.events.lock().unwrap().extend_from_slice(events);
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            if self.broken.load(Ordering::SeqCst) {
                let cause = std::io::Error::other("the disk is gone");
                return Err(StoreError::Unavailable(Box::new(cause)).into());
            }
            Ok(())
        })
    }
}

/// The three subgraphs in this process, and the memory of the first.
pub(crate) fn endpoints() -> (Vec<Arc<dyn Endpoint>>, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let endpoints: Vec<Arc<dyn Endpoint>> = vec![
        Arc::new(SchemaEndpoint::new(
            "books",
            library::books(memory.subscribers.clone()),
            memory.clone(),
        )),
        Arc::new(SchemaEndpoint::new("authors", library::authors(), Arc::new(Memory::default()))),
        Arc::new(SchemaEndpoint::new("reviews", library::reviews(), Arc::new(Memory::default()))),
    ];
    (endpoints, memory)
}

pub(crate) fn service_tokens() -> Arc<ServiceTokens> {
    Arc::new(ServiceTokens::new(&"a secret that only the tests share".into()))
}

/// Serves one subgraph on a free port of the loopback interface, and gives its address.
pub(crate) async fn serve(router: Router) -> url::Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}").parse().unwrap()
}

pub(crate) fn remote(name: &str, url: url::Url) -> HttpEndpoint {
    HttpEndpoint::new(name, url, service_tokens(), Duration::from_secs(5)).unwrap()
}

/// Transports that call each endpoint over HTTP.
pub(crate) async fn over_http(endpoints: Vec<Arc<dyn Endpoint>>) -> Vec<Transport> {
    let mut transports = Vec::new();
    for endpoint in endpoints {
        let name = endpoint.name().to_owned();
        let url = serve(subgraph_router(endpoint, service_tokens(), Clock::System)).await;
        transports.push(Transport::Http(Arc::new(remote(&name, url))));
    }
    transports
}

/// What the gateway recognises viewers by.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) tokens: Arc<AccessTokens>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) keys: Option<Arc<dyn KeyVerifier>>,
    pub(crate) admissions: Option<Arc<dyn Admissions>>,
    pub(crate) clock: Clock,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let clock = Clock::manual(Clock::System.now());
        let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
        let revocations = Arc::new(Revocations::new(clock.clone()));
        Self { tokens: Arc::new(tokens), revocations, keys: None, admissions: None, clock }
    }

    pub(crate) fn gateway(
        &self,
        sdl: &str,
        transports: Vec<Transport>,
        settings: GatewaySettings,
    ) -> Result<Gateway, GatewayError> {
        let Self { tokens, revocations, keys, admissions, clock } = self.clone();
        let tokens = Some(tokens);
        let recognition = Recognition { tokens, keys, admissions, revocations, clock };
        Gateway::new(sdl, transports, recognition, settings)
    }
}

/// A gateway over the library with somebody signed in.
pub(crate) struct Library {
    pub(crate) gateway: Gateway,
    pub(crate) router: Router,
    pub(crate) identity: Identity,
    pub(crate) viewer: Viewer,
    pub(crate) memory: Arc<Memory>,
}

impl Library {
    pub(crate) fn new() -> Self {
        Self::with(GatewaySettings::default())
    }

    pub(crate) fn with(settings: GatewaySettings) -> Self {
        let (endpoints, memory) = endpoints();
        let transports = endpoints.into_iter().map(Transport::InProcess).collect();
        Self::over(transports, memory, settings)
    }

    /// One that takes API keys.
    pub(crate) fn with_keys(keys: Arc<dyn KeyVerifier>) -> Self {
        let (endpoints, memory) = endpoints();
        let transports = endpoints.into_iter().map(Transport::InProcess).collect();
        let identity = Identity { keys: Some(keys), ..Identity::new() };
        Self::of(identity, transports, memory, GatewaySettings::default())
    }

    pub(crate) fn over(
        transports: Vec<Transport>,
        memory: Arc<Memory>,
        settings: GatewaySettings,
    ) -> Self {
        Self::of(Identity::new(), transports, memory, settings)
    }

    fn of(
        identity: Identity,
        transports: Vec<Transport>,
        memory: Arc<Memory>,
        settings: GatewaySettings,
    ) -> Self {
        let gateway = identity.gateway(SUPERGRAPH, transports, settings).unwrap();
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        Self { router: gateway.router(), gateway, identity, viewer, memory }
    }

    pub(crate) fn token(&self) -> String {
        self.identity.tokens.issue(&self.viewer, self.identity.clock.now()).unwrap().0
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// Sends a document by POST, as the signed-in viewer.
    pub(crate) async fn run(&self, query: &str, variables: Value) -> Answer {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let request = post(&body.to_string())
            .header("authorization", format!("Bearer {}", self.token()))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }
}

/// Sends a request without a network.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: body.to_vec() }
}

/// A POST request with JSON, still without its body.
pub(crate) fn post(body: &str) -> http::request::Builder {
    Request::post("/graphql")
        .header("content-type", "application/json")
        .header("content-length", body.len())
}

/// An answer, all of it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first error's code.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The first error's message.
    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}
