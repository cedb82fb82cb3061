//! Both ends of the question for whom an API key acts, between a gateway and the users subgraph in another process.
//!
//! `POST /api-keys` with the key as its body answers 200 with the viewer and until when that may be believed, or `null` for a key that is not
//! good; it takes a service token, which tells of the client too. A key that is revoked is refused by the feed of revocations, whatever is
//! remembered here. Nothing of a key is logged.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router, middleware};
use common::api_key::{KEY_LENGTH, KeyVerifier, can_be_key};
use common::token::{Accepted, ServiceTokens};
use common::{Caller, Client, Clock, EndpointError};
use futures::future::BoxFuture;
use http::StatusCode;

use super::asked::Asked;
use super::client::HttpEndpoint;
use super::server::authenticated;
use crate::error::chain;

const API_KEYS: &str = "/api-keys";

/// Answers those who share the secret of `tokens`.
pub fn key_router(
    verifier: Arc<dyn KeyVerifier>,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
) -> Router {
    Router::new()
        .route(API_KEYS, post(identify))
        .layer(middleware::from_fn_with_state((tokens, clock), authenticated))
        .layer(DefaultBodyLimit::max(KEY_LENGTH))
        .with_state(verifier)
}

async fn identify(
    State(verifier): State<Arc<dyn KeyVerifier>>,
    Extension(caller): Extension<Arc<Caller>>,
    key: String,
) -> Response {
    match verifier.identify(&key, &caller.client).await {
        Ok(found) => Json(found).into_response(),
        Err(error) => {
            tracing::warn!("{}", chain(&error));
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Asks the users subgraph in another process.
#[derive(Debug)]
pub struct RemoteKeys(Asked<Option<Accepted>>);

impl RemoteKeys {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(endpoint: Arc<HttpEndpoint>) -> Self {
        Self(Asked::new(endpoint, API_KEYS, Option::is_some))
    }
}

impl KeyVerifier for RemoteKeys {
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<Accepted>, EndpointError>> {
        Box::pin(async move {
            if can_be_key(secret) { self.0.ask(secret.to_owned(), client).await } else { Ok(None) }
        })
    }
}
