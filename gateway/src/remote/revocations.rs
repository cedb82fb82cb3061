//! Both ends of the feed of ended sessions: what the users subgraph tells gateways that run apart from it.
//!
//! `GET /revocations?since=CURSOR` answers 200 with the sessions and the next cursor; it takes a service token, as everything else does.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use common::revocation::{Ended, RevocationFeed};
use common::token::ServiceTokens;
use common::{Clock, EndpointError};
use futures::future::BoxFuture;
use http::StatusCode;
use serde::Deserialize;

use super::client::HttpEndpoint;
use super::server::authenticated;
use crate::error::chain;

const REVOCATIONS: &str = "/revocations";

/// Serves the feed to those who share the secret of `tokens`.
pub fn revocation_router(
    feed: Arc<dyn RevocationFeed>,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
) -> Router {
    Router::new()
        .route(REVOCATIONS, get(ended))
        .layer(middleware::from_fn_with_state((tokens, clock), authenticated))
        .with_state(feed)
}

#[derive(Deserialize)]
struct Since {
    since: Option<i64>,
}

async fn ended(
    State(feed): State<Arc<dyn RevocationFeed>>,
    Query(Since { since }): Query<Since>,
) -> Response {
    match feed.ended_since(since).await {
        Ok(ended) => Json(ended).into_response(),
        Err(error) => {
            tracing::warn!("{}", chain(&error));
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

impl RevocationFeed for HttpEndpoint {
    fn ended_since(&self, cursor: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>> {
        let since = cursor.map(|cursor| format!("?since={cursor}")).unwrap_or_default();
        Box::pin(async move { self.read(&format!("{REVOCATIONS}{since}")).await })
    }
}
