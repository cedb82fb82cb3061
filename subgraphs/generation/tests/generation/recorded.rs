//! The service that exists, as its contract has it: what it answers when all goes well, when it breaks (500 as plain text), and of what is absent (200
//! with another status in the body). It knows no routes but those, so neither `/health` nor `/user`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Gateway, caller};

const ADD: &str = "mutation { addContent(input: { source: { url: \"http://93.184.216.34/\" } }) { content { id } } }";
const READ: &str = "mutation($id: ID!) { setContentRead(input: { contentId: $id, read: true }) { content { read } } }";
const MARK: &str = "mutation($id: ID!) { annotateContent(input: { contentId: $id, annotations: [] }) { content { read } } }";
const DELETE: &str =
    "mutation($id: ID!) { deleteContent(input: { contentId: $id }) { deletedId } }";

#[derive(Deserialize)]
struct Recorded {
    route: String,
    case: String,
    status: u16,
    #[serde(rename = "type")]
    content_type: String,
    body: Value,
}

/// It answers by the recordings of one case at a time.
struct Recordings {
    all: Vec<Recorded>,
    case: Mutex<&'static str>,
    asked: Mutex<Vec<String>>,
}

impl Recordings {
    async fn listen() -> (Arc<Self>, Gateway) {
        let all = serde_json::from_str(include_str!("recorded.json")).unwrap();
        let recordings = Arc::new(Self { all, case: Mutex::new("usual"), asked: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(recordings.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (recordings, Gateway::at(&url).await)
    }

    fn now(&self, case: &'static str) {
        *self.case.lock().unwrap() = case;
    }
}

async fn answer(State(recordings): State<Arc<Recordings>>, method: Method, uri: Uri) -> Response {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let path = match segments[..] {
        ["content", "file", _] => "/content/file/{id}",
        ["content", _] => "/content/{id}",
        ["content", _, "annotation"] => "/content/{id}/annotation",
        _ => uri.path(),
    };
    let route = format!("{method} {path}");
    recordings.asked.lock().unwrap().push(route.clone());
    let case = *recordings.case.lock().unwrap();
    let found = recordings.all.iter().find(|one| one.route == route && one.case == case);
    let Some(Recorded { status, content_type, body, .. }) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let status = StatusCode::from_u16(*status).unwrap();
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    (status, [(header::CONTENT_TYPE, content_type.clone())], text).into_response()
}

#[tokio::test]
async fn when_all_goes_well() {
    let (recordings, gateway) = Recordings::listen().await;
    let job = gateway.data(gateway.input(json!({}))).await;
    assert_eq!((&job["drafts"][0]["sourceEndIndex"], &job["generator"]), (&json!(9), &Value::Null));
    let id = gateway.ask(ADD, json!({})).await["addContent"]["content"]["id"].take();
    let job = gateway.data(gateway.input(json!({ "contentId": id }))).await;
    assert_eq!(job["text"], "Cells divide.");
    let document = "query($id: ID!) { content(id: $id) { title summary text } }";
    let content = gateway.ask(document, json!({ "id": id })).await;
    let expected = json!({ "title": "Cells", "summary": "About cells.", "text": "Cells divide." });
    assert_eq!(content["content"], expected);
    for document in [READ, MARK, DELETE] {
        gateway.ask(document, json!({ "id": id })).await;
    }
    let of_contents = |asked: &&String| asked.contains("/content/{id}");
    let asked =
        || recordings.asked.lock().unwrap().iter().filter(of_contents).cloned().collect::<Vec<_>>();
    while asked().len() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        asked(),
        ["PATCH /content/{id}", "PUT /content/{id}/annotation", "DELETE /content/{id}"]
    );
}

#[tokio::test]
async fn when_it_breaks_and_when_it_has_lost_everything() {
    let (recordings, gateway) = Recordings::listen().await;
    let id = gateway.ask(ADD, json!({})).await["addContent"]["content"]["id"].take();
    gateway.data(gateway.input(json!({ "contentId": id }))).await;
    for (case, generate, add, change) in [
        ("broken", "GENERATION_FAILED", "GENERATION_UNAVAILABLE", "GENERATION_UNAVAILABLE"),
        ("absent", "GENERATION_FAILED", "BAD_USER_INPUT", "CONFLICT"),
    ] {
        recordings.now(case);
        assert_eq!(gateway.failure(gateway.input(json!({}))).await.0, generate, "{case}");
        let me = || caller(gateway.owner);
        assert_eq!(gateway.error_as(me(), ADD, json!({})).await.0, add, "{case}");
        for document in [READ, MARK] {
            let error = gateway.error_as(me(), document, json!({ "id": id })).await;
            assert_eq!(error.0, change, "{case}: {}", error.1);
        }
    }
    // Of what it has lost there is no text, and no more to delete than here.
    let failure = gateway.failure(gateway.input(json!({ "contentId": id }))).await;
    assert_eq!(failure.0, "GENERATION_SOURCE_UNREADABLE");
    let document = "query($id: ID!) { content(id: $id) { title text } }";
    let content = gateway.ask(document, json!({ "id": id })).await;
    assert_eq!(content["content"], json!({ "title": "Cells", "text": null }));
    gateway.ask(DELETE, json!({ "id": id })).await;
    assert_eq!(
        gateway.ask("{ contents { nodes { id } } }", json!({})).await["contents"]["nodes"],
        json!([])
    );
}
