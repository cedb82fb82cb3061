//! Both ends of the question which account somebody has for whom another issuer vouches, between a gateway and the users subgraph in another
//! process.
//!
//! `POST /people` with the person as JSON answers 200 with what becomes of them; it takes a service token, which tells of the client too.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router, middleware};
use common::token::ServiceTokens;
use common::vouched::{Admission, Admissions, Vouched};
use common::{Caller, Client, Clock, EndpointError};
use futures::future::BoxFuture;
use http::StatusCode;

use super::asked::Asked;
use super::client::HttpEndpoint;
use super::server::authenticated;
use crate::error::chain;

const PEOPLE: &str = "/people";
/// The largest body, in bytes: a token is no larger.
const MAX_BODY: usize = 16 << 10;

/// Answers those who share the secret of `tokens`.
pub fn people_router(
    admissions: Arc<dyn Admissions>,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
) -> Router {
    Router::new()
        .route(PEOPLE, post(admit))
        .layer(middleware::from_fn_with_state((tokens, clock), authenticated))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(admissions)
}

async fn admit(
    State(admissions): State<Arc<dyn Admissions>>,
    Extension(caller): Extension<Arc<Caller>>,
    person: String,
) -> Response {
    let person: Vouched = match serde_json::from_str(&person) {
        Ok(person) => person,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    match admissions.admit(&person, &caller.client).await {
        Ok(admission) => Json(admission).into_response(),
        Err(error) => {
            tracing::warn!("{}", chain(&error));
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Asks the users subgraph in another process.
#[derive(Debug)]
pub struct RemoteAdmissions(Asked<Admission>);

impl RemoteAdmissions {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(endpoint: Arc<HttpEndpoint>) -> Self {
        let has_account = |admission: &Admission| matches!(admission, Admission::Account { .. });
        Self(Asked::new(endpoint, PEOPLE, has_account))
    }
}

impl Admissions for RemoteAdmissions {
    fn admit<'a>(
        &'a self,
        person: &'a Vouched,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Admission, EndpointError>> {
        Box::pin(async move {
            let question = serde_json::to_string(person).map_err(|error| {
                EndpointError::Failed { endpoint: "users".into(), source: Box::new(error) }
            })?;
            self.0.ask(question, client).await
        })
    }
}
