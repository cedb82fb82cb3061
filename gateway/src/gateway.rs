//! The gateway as a whole: what it is made of, and its routes.
//!
//! It does not start when the supergraph cannot be used, or names a subgraph that nothing reaches.

use std::sync::Arc;

use axum::extract::{self, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use common::Clock;
use common::revocation::Revocations;
use common::token::AccessTokens;
use federation::{Supergraph, SupergraphError};

use crate::authenticate::Authenticator;
use crate::health::{self, Drain};
use crate::live::{Clients, Reservations};
use crate::observe::observe;
use crate::prepare::Operations;
use crate::settings::GatewaySettings;
use crate::state::State;
use crate::transport::{Transport, Transports};
use crate::{browser, graphiql, pipeline, streams};

/// Why a gateway cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The supergraph cannot be used.
    #[error(transparent)]
    Supergraph(#[from] SupergraphError),
    /// The supergraph names a subgraph that no transport was given for.
    #[error("the supergraph names the subgraph {0}, and nothing says how to reach it")]
    Unreachable(String),
}

/// The HTTP front of a supergraph.
#[derive(Debug, Clone)]
pub struct Gateway {
    state: Arc<State>,
}

impl Gateway {
    /// A gateway for the supergraph in `sdl`. Viewers are recognised by `tokens` that have not expired by `clock` and whose sessions are
    /// not among the `revocations`.
    ///
    /// # Errors
    /// [`GatewayError`] when the supergraph cannot be used or names a subgraph that is not among `subgraphs`.
    pub fn new(
        sdl: &str,
        subgraphs: Vec<impl Into<Transport>>,
        tokens: Arc<AccessTokens>,
        revocations: Arc<Revocations>,
        settings: GatewaySettings,
        clock: Clock,
    ) -> Result<Self, GatewayError> {
        let secure_cookies = settings.browser.secure_cookies;
        let authenticator = Authenticator::new(tokens, revocations, clock, secure_cookies);
        Self::assemble(Supergraph::parse(sdl)?, subgraphs, Some(authenticator), settings)
    }

    /// A gateway to which everybody is anonymous: a general router.
    ///
    /// # Errors
    /// [`GatewayError::Unreachable`] when the supergraph names a subgraph that is not among `subgraphs`.
    pub fn without_authentication(
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
        settings: GatewaySettings,
    ) -> Result<Self, GatewayError> {
        Self::assemble(supergraph, subgraphs, None, settings)
    }

    fn assemble(
        supergraph: Supergraph,
        subgraphs: Vec<impl Into<Transport>>,
        authenticator: Option<Authenticator>,
        settings: GatewaySettings,
    ) -> Result<Self, GatewayError> {
        let transports = Transports::new(subgraphs.into_iter().map(Into::into));
        let names = supergraph.subgraphs().map(|subgraph| &*subgraph.name);
        for name in names {
            if !transports.contains(name) {
                return Err(GatewayError::Unreachable(name.to_owned()));
            }
        }
        Ok(Self {
            state: Arc::new(State {
                operations: Operations::new(Arc::new(supergraph), &settings),
                transports: Arc::new(transports),
                authenticator: authenticator.map(Arc::new),
                settings,
                drain: Drain::default(),
                clients: Clients::default(),
                reservations: Reservations::default(),
            }),
        })
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
            .route("/health/ready", get(ready));
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
    health::ready(&state.transports, &state.drain).await.into_response()
}
