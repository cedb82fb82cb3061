//! A language model behind an OpenAI-compatible API, which answers when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt;
use serde_json::json;
use tokio::sync::watch;

/// What each card is made of; the text of a job has both.
pub(super) const SENTENCES: [&str; 2] = ["Water is wet.", "Fire is hot."];

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Until {
    /// It says nothing.
    Nothing,
    /// It writes the first card.
    FirstCard,
    /// It writes all.
    End,
    /// It refuses, unless it has begun.
    Failure,
}

pub(super) struct Model {
    pub(super) url: String,
    until: watch::Sender<Until>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Answers {
    until: watch::Receiver<Until>,
    asked: Arc<AtomicUsize>,
}

impl Model {
    pub(super) async fn listen() -> Self {
        let (until, receiver) = watch::channel(Until::End);
        let asked = Arc::<AtomicUsize>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let answers = Answers { until: receiver, asked: asked.clone() };
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(answers);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, until, asked }
    }

    /// Goes so far from now on, those that wait too.
    pub(super) fn goes(&self, until: Until) {
        self.until.send_replace(until);
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(Answers { mut until, asked }): State<Answers>) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let begins = *until.wait_for(|until| *until != Until::Nothing).await.unwrap();
    if begins == Until::Failure {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let [first, second] = SENTENCES.map(|sentence| {
        json!({ "question": format!("{sentence}?"), "answer": "Yes.", "quote": sentence })
            .to_string()
    });
    let piece = |text: String| {
        let chunk = json!({ "choices": [{ "delta": { "content": text } }] });
        Ok::<_, std::io::Error>(Bytes::from(format!("data: {chunk}\n\n")))
    };
    let begin = piece(format!("{{\"cards\": [{first}"));
    let rest = async move {
        drop(until.wait_for(|until| *until >= Until::End).await);
        let end = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
        let text = piece(format!(", {second}]}}"))?;
        let end = format!("data: {end}\n\ndata: [DONE]\n\n");
        Ok([&text[..], end.as_bytes()].concat().into())
    };
    let events = futures::stream::once(async { begin }).chain(futures::stream::once(rest));
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
