//! The routes of a service about contents, which answer what they are told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Value, json};

/// An answer: a JSON text is sent as `text/plain`, as an unhandled failure of the service that exists is.
pub(crate) type Answer = (StatusCode, Value);

/// What a service says of contents.
#[derive(Default)]
pub(crate) struct Library {
    /// One answer after the other; the last one stays.
    pub(crate) answers: Mutex<Vec<Answer>>,
    /// Answers to what is asked in this way: `add`, `look`, `read`, `annotate`, `delete`, `file`, `forget`.
    pub(crate) always: Mutex<HashMap<&'static str, Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Library {
    pub(crate) fn always(&self, how: &'static str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).unwrap();
        self.always.lock().unwrap().insert(how, (status, body));
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked so far but for what became of contents.
    pub(crate) fn asked_for_changes(&self) -> Vec<String> {
        self.asked().into_iter().filter(|asked| !asked.starts_with("look at ")).collect()
    }

    fn answer(&self, how: &str, asked: String) -> Response {
        self.asked.lock().unwrap().push(asked);
        let always = self.always.lock().unwrap().get(how).cloned();
        let (status, body) = always.unwrap_or_else(|| {
            let mut answers = self.answers.lock().unwrap();
            match answers.len() {
                0 => (StatusCode::NOT_FOUND, json!({ "detail": "Not Found" })),
                1 => answers[0].clone(),
                _ => answers.remove(0),
            }
        });
        match body {
            Value::String(text) => (status, text).into_response(),
            body => (status, Json(body)).into_response(),
        }
    }
}

pub(super) fn routes(library: Arc<Library>) -> Router {
    Router::new()
        .route("/content", any(contents))
        .route("/content/{id}", any(content))
        .route("/content/{id}/annotation", any(content))
        .route("/content/file/{id}", any(file))
        .route("/user", any(user))
        .with_state(library)
}

async fn contents(
    State(library): State<Arc<Library>>,
    method: Method,
    Query(of): Query<Vec<(String, String)>>,
    body: Bytes,
) -> Response {
    if method == Method::POST {
        let text = String::from_utf8_lossy(&body);
        let what = if body.starts_with(b"{") { text.into_owned() } else { form(&text) };
        return library.answer("add", format!("add {what}"));
    }
    let ids = of.iter().find(|(name, _)| name == "ids").map_or("all", |(_, ids)| ids);
    library.answer("look", format!("look at {ids}"))
}

/// The head of a form's part and what is in it.
fn form(text: &str) -> String {
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    let (_, disposition) = head.split_once("\r\n").unwrap();
    let (content, _) = rest.split_once("\r\n--").unwrap();
    format!("{} {content}", disposition.replace("\r\n", " "))
}

async fn content(
    State(library): State<Arc<Library>>,
    method: Method,
    Path(id): Path<String>,
    uri: Uri,
    body: String,
) -> Response {
    assert!(uri.query().unwrap().starts_with("userID="));
    match method {
        Method::PATCH => library.answer("read", format!("read {id} {body}")),
        Method::PUT => library.answer("annotate", format!("annotate {id} {body}")),
        Method::DELETE => library.answer("delete", format!("delete {id}")),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn file(State(library): State<Arc<Library>>, Path(id): Path<String>) -> Response {
    library.answer("file", format!("file {id}"))
}

async fn user(
    State(library): State<Arc<Library>>,
    Query(of): Query<Vec<(String, String)>>,
) -> Response {
    library.answer("forget", format!("forget {}", of[0].1))
}
