//! The gateway as a whole: what it is made of, and its routes.
//!
//! It does not start when the supergraph cannot be used, or names a subgraph that nothing reaches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use axum::extract::{self, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use common::Clock;
use common::token::AccessTokens;
use federation::Supergraph;

use crate::admission::Admission;
use crate::authenticate::{Authenticator, Recognition};
use crate::buckets::Buckets;
use crate::documents::Documents;
use crate::graph::Graph;
use crate::health::{self, Drain};
use crate::live::{Clients, Reservations};
use crate::observe::observe;
use crate::response_cache::ResponseCache;
use crate::settings::{GatewaySettings, Mode};
use crate::state::State;
use crate::transport::Transport;
use crate::under_way::UnderWay;
use crate::upload_memory::UploadMemory;
use crate::{browser, export, files, graphiql, pipeline, streams, well_known};

pub use crate::graph::GatewayError;

/// How many operations are prepared before a new graph takes over.
const WARMED: usize = 500;

/// A graph has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// How many operations were ready for it from the start.
    pub warmed: usize,
}

/// The HTTP front of a supergraph.
#[derive(Debug, Clone)]
pub struct Gateway {
    state: Arc<State>,
}

impl Gateway {
    /// A gateway for the supergraph in `sdl`, which recognises viewers as `recognition` says, and by the issuers among the settings.
    ///
    /// # Errors
    /// [`GatewayError`] when the supergraph cannot be used or names a subgraph that is not among `subgraphs`.
    pub fn new(
        sdl: &str,
        subgraphs: Vec<impl Into<Transport>>,
        recognition: Recognition,
        settings: GatewaySettings,
    ) -> Result<Self, GatewayError> {
        let supergraph = Supergraph::parse(sdl)?;
        Self::assemble(supergraph, subgraphs, Some(recognition), settings)
    }

    /// A gateway for any supergraph: a general router. With `tokens`, or issuers among the settings, it refuses whoever shows an access
    /// token that is none of theirs or has expired; without, everybody is anonymous, and credentials are the subgraphs' affair.
    ///
    /// # Errors
    /// [`GatewayError`] when the supergraph names a subgraph that is not among `subgraphs`, or an issuer cannot be used.
    pub fn general(
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
        tokens: Option<Arc<AccessTokens>>,
        settings: GatewaySettings,
    ) -> Result<Self, GatewayError> {
        let looks = tokens.is_some() || !settings.issuers.is_empty();
        let recognition = looks.then(|| Recognition {
            tokens,
            keys: None,
            admissions: None,
            revocations: Arc::default(),
            clock: Clock::System,
        });
        Self::assemble(supergraph, subgraphs, recognition, settings)
    }

    fn assemble(
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
        recognition: Option<Recognition>,
        settings: GatewaySettings,
    ) -> Result<Self, GatewayError> {
        let secure_cookies = settings.browser.secure_cookies;
        let authenticator = recognition
            .map(|by| Authenticator::new(by, settings.issuers.clone(), secure_cookies))
            .transpose()?;
        let graph = Graph::new(supergraph, subgraphs, &settings)?;
        let shared = settings.cost.shared.as_ref().filter(|_| settings.cost.throttle != Mode::Off);
        let buckets = Buckets::new(shared)?;
        Ok(Self {
            state: Arc::new(State {
                graph: ArcSwap::from_pointee(graph),
                is_stale: AtomicBool::new(false),
                authenticator: authenticator.map(Arc::new),
                under_way: UnderWay::new(settings.http.share_queries),
                responses: ResponseCache::new(settings.kept_answers),
                documents: Documents::new(&settings.documents),
                admission: Admission::new(&settings.admission),
                upload_memory: UploadMemory::new(settings.uploads.memory),
                settings,
                buckets,
                drain: Drain::default(),
                clients: Clients::default(),
                exports: Clients::default(),
                uploads: Clients::default(),
                reservations: Reservations::default(),
            }),
        })
    }

    /// Runs another supergraph from now on. Requests under way finish on the one they began with. Before the swap the operations that
    /// were asked for most are prepared, which may take a while: call this where blocking is no harm.
    ///
    /// # Errors
    /// [`GatewayError::Unreachable`] as at the start; then nothing changes.
    pub fn replace(
        &self,
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
    ) -> Result<Replaced, GatewayError> {
        let graph = Graph::new(supergraph, subgraphs, &self.state.settings)?;
        let former = self.state.graph.load_full();
        let warmed = graph.operations.warm(&former.operations, WARMED);
        self.state.graph.store(Arc::new(graph));
        self.state.is_stale.store(false, Ordering::Relaxed);
        Ok(Replaced { warmed })
    }

    /// Notes that a newer supergraph is there that cannot be used, for `/health/ready` to say so.
    pub fn note_stale(&self) {
        self.state.is_stale.store(true, Ordering::Relaxed);
    }

    /// The handle by which the program says that it is about to stop.
    #[must_use]
    pub fn drain(&self) -> Drain {
        self.state.drain.clone()
    }

    /// All routes.
    pub fn router(&self) -> Router {
        let settings = &self.state.settings;
        let mut router = Router::new()
            .route("/graphql", any(graphql))
            .route("/health/live", get(|| async { Json(serde_json::json!({ "status": "live" })) }))
            .route("/health/ready", get(ready))
            .route("/.well-known/jwks.json", get(well_known::keys));
        if let Some(export) = settings.export {
            let answer = async move |extract::State(state): extract::State<Arc<State>>,
                                     request: Request| {
                Box::pin(export::answer(&state, export, request)).await
            };
            router = router.route(export.path, any(answer));
        }
        for &files in settings.files {
            let answer = async move |extract::State(state): extract::State<Arc<State>>,
                                     extract::Path((id, name)): extract::Path<(String, String)>,
                                     request: Request| {
                Box::pin(files::answer(&state, files, &id, &name, request)).await
            };
            router = router.route(&format!("{}/{{id}}/{{name}}", files.path), any(answer));
        }
        if settings.developer.graphiql {
            router = router
                .route("/", get(|| async { Redirect::temporary("/graphiql") }))
                .merge(graphiql::routes());
        }
        browser::guard(router, &settings.browser)
            .layer(middleware::from_fn(observe))
            .with_state(self.state.clone())
    }
}

async fn graphql(extract::State(state): extract::State<Arc<State>>, request: Request) -> Response {
    if streams::is_upgrade(&request) {
        return streams::upgrade(&state, request).await;
    }
    if streams::is_of_single_connection(&request) {
        return Box::pin(streams::answer_on_single_connection(&state, request)).await;
    }
    Box::pin(pipeline::answer(&state, request)).await
}

async fn ready(extract::State(state): extract::State<Arc<State>>) -> Response {
    let graph = state.graph.load_full();
    let is_stale = state.is_stale.load(Ordering::Relaxed);
    health::ready(&graph.transports, &state.drain, is_stale, state.buckets.sharing())
        .await
        .into_response()
}
