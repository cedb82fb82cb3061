//! Both ends of the question for whom an API key acts, between a gateway and the users subgraph in another process.
//!
//! `POST /api-keys` with the key as its body answers 200 with the viewer and until when that may be believed, or `null` for a key that is not
//! good; it takes a service token, which tells of the client too. The gateway's end remembers a good answer for a few seconds, and asks
//! once for those who come together. A key that is revoked meanwhile is refused by the feed of revocations, whatever is remembered
//! here. Of a key only its hash is kept, and nothing of one is logged.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router, middleware};
use common::api_key::{KEY_LENGTH, KeyVerifier, can_be_key};
use common::token::{Accepted, ServiceTokens};
use common::{Caller, Client, Clock, EndpointError};
use futures::future::BoxFuture;
use http::StatusCode;
use sha2::{Digest, Sha256};

use super::client::{HttpEndpoint, own_caller};
use super::server::authenticated;
use crate::error::chain;
use crate::inflight::Inflight;

const API_KEYS: &str = "/api-keys";
/// How long a good answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many are remembered: about 3 MB.
const CAPACITY: usize = 10_000;

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

type Hash = [u8; 32];
type Answer = Result<Option<Accepted>, Arc<EndpointError>>;

/// Asks the users subgraph in another process.
pub struct RemoteKeys {
    endpoint: Arc<HttpEndpoint>,
    known: Mutex<HashMap<Hash, (Accepted, Instant)>>,
    asking: Inflight<Hash, Answer>,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl RemoteKeys {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(endpoint: Arc<HttpEndpoint>) -> Self {
        Self { endpoint, known: Mutex::default(), asking: Inflight::default() }
    }

    fn remembered(&self, hash: &Hash, now: Instant) -> Option<Accepted> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, until)| now < *until).map(|(accepted, _)| accepted.clone())
    }

    fn remember(&self, hash: Hash, accepted: Accepted, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (_, until)| now < *until);
        }
        // Should there be so many all the same, the others are asked for each time.
        if known.len() < CAPACITY {
            known.insert(hash, (accepted, now + REMEMBERED));
        }
    }

    async fn ask(&self, hash: Hash, key: &str, client: &Client) -> Answer {
        let (endpoint, key) = (self.endpoint.clone(), key.to_owned());
        let caller = Caller { client: client.clone(), ..own_caller() };
        let asking = || async move { endpoint.ask(API_KEYS, key, &caller).await.map_err(Arc::new) };
        self.asking.run(hash, asking).await.0
    }
}

impl KeyVerifier for RemoteKeys {
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<Accepted>, EndpointError>> {
        Box::pin(async move {
            if !can_be_key(secret) {
                return Ok(None);
            }
            let hash: Hash = Sha256::digest(secret.as_bytes()).into();
            let asked_at = Instant::now();
            if let Some(accepted) = self.remembered(&hash, asked_at) {
                return Ok(Some(accepted));
            }
            let found = self.ask(hash, secret, client).await.map_err(|error| {
                EndpointError::Failed { endpoint: "users".into(), source: Box::new(error) }
            })?;
            if let Some(accepted) = &found {
                self.remember(hash, accepted.clone(), asked_at);
            }
            Ok(found)
        })
    }
}
