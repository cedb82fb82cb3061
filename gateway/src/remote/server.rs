//! The subgraph's end: what `spacey subgraph NAME` mounts.
//!
//! Refused: a request without a valid service token (401), a body larger than [`MAX_BODY`] (413), a body that is not what the
//! protocol says (400). GraphQL errors are no refusal: they are in the answer.

use std::sync::Arc;

use async_graphql::Variables;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router, middleware};
use common::token::ServiceTokens;
use common::trace;
use common::{Caller, Clock, Endpoint, EndpointError, Event, SubgraphRequest};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use tracing::Instrument;
use uuid::Uuid;

use super::public::{Process, tell};
use super::{CHANGES, EVENTS, FILES, GRAPHQL, LIVE, READY, SDL, publish};
use crate::authenticate::bearer;
use crate::caching::CachePolicy;
use crate::error::chain;
use crate::uploads::{FormError, FormLimits, find, is_form, read};

/// The largest body that is read, in bytes: a thousand representations are far below it.
const MAX_BODY: usize = 32 << 20;
/// What a gateway passes on of files: it has smaller limits for its clients.
const FORM: FormLimits = FormLimits {
    operations: MAX_BODY,
    files: 1_000,
    file_bytes: MAX_FORM,
    total_bytes: MAX_FORM,
    places: 10_000,
};
/// The most bytes of files with one operation.
const MAX_FORM: usize = 1 << 30;

/// Serves one subgraph to those who share the secret of `tokens`; `clock` says whether a token has expired.
pub fn subgraph_router(
    endpoint: Arc<dyn Endpoint>,
    tokens: Arc<ServiceTokens>,
    clock: Clock,
) -> Router {
    let signed = Router::new()
        .route(GRAPHQL, post(graphql).get(subscribe))
        .route(EVENTS, post(events))
        .route(SDL, get(sdl))
        .route(CHANGES, get(|| async { StatusCode::NO_CONTENT }))
        .route(&format!("{FILES}/{{id}}"), get(file))
        .route(&format!("{FILES}/{{id}}/bytes"), get(file_bytes))
        .layer(middleware::from_fn_with_state(Process::new(endpoint.clone()), tell))
        .layer(middleware::from_fn_with_state((tokens, clock), authenticated))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    Router::new()
        .route(LIVE, get(|| async { "live" }))
        .route(READY, get(ready))
        .merge(signed)
        .with_state(endpoint)
}

type Subgraph = State<Arc<dyn Endpoint>>;

/// Lets a request with a valid service token pass, and hands its caller on.
pub(super) async fn authenticated(
    State((tokens, clock)): State<(Arc<ServiceTokens>, Clock)>,
    mut request: axum::extract::Request,
    next: middleware::Next,
) -> Response {
    let token = bearer(request.headers()).unwrap_or_default();
    match tokens.verify(token, clock.now()) {
        Ok(caller) => {
            let span = tracing::info_span!(
                "subgraph request",
                request_id = %caller.request_id,
                trace_id = tracing::field::Empty,
            );
            let parent = request.headers().get(trace::HEADER);
            trace::follow(&span, parent.and_then(|parent| parent.to_str().ok()));
            if let Some(trace) = trace::id(&span) {
                span.record("trace_id", trace);
            }
            request.extensions_mut().insert(Arc::new(caller));
            next.run(request).instrument(span).await
        }
        Err(error) => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)], error.to_string())
                .into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    query: String,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
}

impl From<Operation> for SubgraphRequest {
    fn from(operation: Operation) -> Self {
        Self {
            document: operation.query.into(),
            operation_name: operation.operation_name,
            variables: operation.variables,
        }
    }
}

/// A WebSocket for a subscription.
async fn subscribe(
    State(endpoint): Subgraph,
    Extension(caller): Extension<Arc<Caller>>,
    socket: WebSocketUpgrade,
) -> Response {
    socket
        .protocols([publish::SUBPROTOCOL])
        .max_message_size(MAX_BODY)
        .max_frame_size(MAX_BODY)
        .on_upgrade(move |socket| publish::serve(socket, endpoint, caller))
}

async fn graphql(
    State(endpoint): Subgraph,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
) -> Result<Response, Refusal> {
    let operation = operation(request).await?;
    let answer = endpoint.execute(operation.into(), caller).await?;
    let body = serde_json::to_vec(&answer)?;
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    let policy = CachePolicy::of_hint(&answer.cache_control);
    if policy.allows_keeping() {
        response.headers_mut().insert(CACHE_CONTROL, policy.header());
    }
    for cookie in answer.http_headers.get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

/// The operation of a request, with the files that came with it.
async fn operation(request: Request) -> Result<Operation, Refusal> {
    if !is_form(request.headers()) {
        let body = Bytes::from_request(request, &()).await.map_err(Refusal::Receiving)?;
        return Ok(serde_json::from_slice(&body)?);
    }
    let (parts, body) = request.into_parts();
    let form = read(&parts.headers, body, &FORM).await?;
    let mut operation: Operation = serde_json::from_slice(&form.operations)?;
    for file in &form.files {
        for place in &file.places {
            let place = find(place, |name| operation.variables.get_mut(name));
            *place.map_err(FormError::Malformed)? = file.upload.clone().into();
        }
    }
    Ok(operation)
}

/// What is known of a file.
async fn file(
    State(endpoint): Subgraph,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<Uuid>,
) -> Result<Response, Refusal> {
    Ok(match endpoint.file(id, caller).await? {
        Some(info) => Json(info).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Which bytes of a file.
#[derive(Deserialize)]
struct Part {
    start: u64,
    end: u64,
}

async fn file_bytes(
    State(endpoint): Subgraph,
    Extension(caller): Extension<Arc<Caller>>,
    Path(id): Path<Uuid>,
    Query(Part { start, end }): Query<Part>,
) -> Result<Response, Refusal> {
    Ok(match endpoint.file_bytes(id, start..end, caller).await? {
        Some(bytes) => Body::from_stream(bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn events(State(endpoint): Subgraph, body: Bytes) -> Result<StatusCode, Refusal> {
    let events: Vec<Event> = serde_json::from_slice(&body)?;
    endpoint.apply(events.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sdl(State(endpoint): Subgraph) -> Result<String, Refusal> {
    Ok(endpoint.sdl().await?)
}

async fn ready(State(endpoint): Subgraph) -> Response {
    let (status, text) = match endpoint.ready().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::warn!("not ready: {}", chain(&error));
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    };
    (status, Json(serde_json::json!({ "status": text }))).into_response()
}

/// Why a request got no proper answer.
enum Refusal {
    Body(serde_json::Error),
    Receiving(BytesRejection),
    Form(FormError),
    Endpoint(EndpointError),
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Body(error)
    }
}

impl From<FormError> for Refusal {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

impl From<EndpointError> for Refusal {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Body(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            Self::Receiving(rejection) => rejection.into_response(),
            Self::Form(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            Self::Endpoint(error) => {
                tracing::warn!("{}", chain(&error));
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}
