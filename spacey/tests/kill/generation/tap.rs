//! What stands between generation and decks, and can let them lose sight of each other: it passes everything on, but for events when it is told not to.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

/// What becomes of events, which are how decks is told of drafts that were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    /// They are passed on.
    Pass,
    /// They never arrive.
    AreLost,
    /// They arrive, and the answer does not.
    AreNotAnswered,
}

#[derive(Clone)]
pub(super) struct Tap {
    pub(super) url: String,
    events: watch::Sender<Events>,
    /// How often something was held back.
    held: Arc<watch::Sender<usize>>,
}

#[derive(Clone)]
struct Passes {
    to: String,
    http: reqwest::Client,
    events: watch::Receiver<Events>,
    held: Arc<watch::Sender<usize>>,
}

impl Tap {
    /// Stands before what listens at the address.
    pub(super) async fn before(to: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (events, receiver) = watch::channel(Events::Pass);
        let held = Arc::new(watch::Sender::new(0));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let passes = Passes { to, http, events: receiver, held: held.clone() };
        let router = Router::new().fallback(pass).with_state(passes);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, events, held }
    }

    pub(super) fn let_events(&self, events: Events) {
        self.events.send_replace(events);
    }

    /// How often something was held back.
    pub(super) fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Waits until something was held back more often than so.
    pub(super) async fn holds_more_than(&self, before: usize) {
        self.held.subscribe().wait_for(|held| *held > before).await.unwrap();
    }
}

async fn pass(State(mut passes): State<Passes>, request: Request) -> Response {
    let events = *passes.events.borrow();
    let is_event = request.uri().path() == "/events";
    if is_event && events == Events::AreLost {
        return passes.hold(events).await;
    }
    let answer = match passes.on(request).await {
        Ok(answer) => answer,
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    };
    if is_event && events == Events::AreNotAnswered {
        return passes.hold(events).await;
    }
    answer
}

impl Passes {
    /// Says that something is held back, and holds it until others pass again.
    async fn hold(&mut self, events: Events) -> Response {
        self.held.send_modify(|held| *held += 1);
        drop(self.events.wait_for(|now| *now != events).await);
        StatusCode::BAD_GATEWAY.into_response()
    }

    async fn on(&self, request: Request) -> reqwest::Result<Response> {
        let (head, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let path = head.uri.path_and_query().unwrap();
        let sent = self.http.request(head.method, format!("{}{path}", self.to));
        let answer = sent.headers(head.headers).body(body).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(Body::from(answer.bytes().await?));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}
