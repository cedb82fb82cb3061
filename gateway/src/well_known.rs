//! `/.well-known/jwks.json`: the public keys by which others verify the access tokens that are issued here (RFC 7517).
//!
//! Secrets and private keys are never in it. Where no tokens are issued there is nothing to find.

use std::sync::Arc;

use axum::extract;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::outcome::Outcome;
use crate::state::State;

/// How long an answer may be kept. A verifier that meets the name of a key it does not know asks again.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=60");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

pub(crate) async fn keys(extract::State(state): extract::State<Arc<State>>) -> Response {
    let tokens = state.authenticator.as_ref().and_then(|known| known.own_tokens());
    let Some(tokens) = tokens else { return StatusCode::NOT_FOUND.into_response() };
    match serde_json::to_vec(&tokens.keys().jwks()) {
        Ok(body) => ([(CONTENT_TYPE, JWK_SET), (CACHE_CONTROL, CACHED)], body).into_response(),
        Err(error) => {
            drop(Outcome::internal(&error));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
