//! The service that exists, as its contract has it: what it answers when all goes well, when it breaks (500 as plain text), and of what is absent (200
//! with another status in the body). It knows no routes but those, so neither `/health` nor `/user`.
//!
//! `recorded.json` is written by hand from the contract (`card-generation/README.md` has its routes): there was no such service to record. It says for
//! each route and case the status, the type and the members with their types; the texts in it are examples. Our own service is asked the same, and has
//! to answer in the same form. Which addresses are refused before it is asked at all, since it fetches what it is led to, is tested in `contents.rs` and
//! `src/address.rs`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Name, Variables};
use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use common::SubgraphRequest;
use common::graphql::Upload;
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::live::Live;
use crate::support::{GENERATE, Gateway, caller};

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

async fn answer(
    State(recordings): State<Arc<Recordings>>,
    method: Method,
    uri: Uri,
    body: axum::body::Bytes,
) -> Response {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let path = match segments[..] {
        ["content", "file", _] => "/content/file/{id}",
        ["content", _] => "/content/{id}",
        ["content", _, "annotation"] => "/content/{id}/annotation",
        ["notes", _] => "/notes/{id}",
        ["notes", _, "card"] => "/notes/{id}/card",
        ["notes", _, "cards"] => "/notes/{id}/cards",
        _ => uri.path(),
    };
    let mut route = format!("{method} {path}");
    if route == "POST /content" && *recordings.case.lock().unwrap() == "usual" {
        match &body[..] {
            form if form.starts_with(b"--") => route.push_str(" (file)"),
            doi if doi.starts_with(b"{\"source\":\"10.") => route.push_str(" (DOI)"),
            _ => {}
        }
    }
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

#[tokio::test]
async fn a_file_is_sent_to_it_as_a_form() {
    let (recordings, gateway) = Recordings::listen().await;
    let file = Upload {
        name: "cells.pdf".into(),
        content_type: None,
        bytes: bytes::Bytes::from_static(b"%PDF-1.4 bytes"),
    };
    let mut variables = Variables::default();
    variables.insert(Name::new("file"), file.into());
    let document = "mutation($file: Upload!) { addContent(input: { source: { file: $file } }) { content { id kind source } } }";
    let request = SubgraphRequest { document: document.into(), operation_name: None, variables };
    let by = Arc::new(caller(gateway.owner));
    let added = gateway.endpoint.execute(request, by.clone()).await.unwrap();
    assert!(added.errors.is_empty(), "{:?}", added.errors);
    let content = added.data.into_json().unwrap()["addContent"]["content"].take();
    assert_eq!((&content["kind"], &content["source"]), (&json!("PDF"), &json!("cells.pdf")));
    assert_eq!(recordings.asked.lock().unwrap()[0], "POST /content (file)");
    // Its bytes come back, and are lost when it has lost them.
    let id = content["id"].as_str().unwrap().parse().unwrap();
    let bytes = async || gateway.endpoint.clone().file_bytes(id, 0..14, by.clone()).await.unwrap();
    let found: Vec<_> = bytes().await.unwrap().try_collect().await.unwrap();
    assert_eq!(found.concat(), b"%PDF-1.4 bytes");
    recordings.now("absent");
    assert!(bytes().await.is_none());
}

#[tokio::test]
async fn a_doi_is_passed_on_and_an_address_inside_is_not() {
    let (recordings, gateway) = Recordings::listen().await;
    // It would fetch any of them, and wherever they lead.
    let add = "mutation($url: String!) { addContent(input: { source: { url: $url } }) { content { kind source } } }";
    for url in ["http://169.254.169.254/", "http://[::1]/", "http://10.0.0.1/", "http://localhost/"]
    {
        let error = gateway.error_as(caller(gateway.owner), add, json!({ "url": url })).await;
        assert_eq!(error.0, "BAD_USER_INPUT", "{url}");
        let job = gateway
            .execute(caller(gateway.owner), GENERATE, gateway.input(json!({ "url": url })))
            .await;
        if job.errors.is_empty() {
            let id = job.data.into_json().unwrap()["generateCards"]["job"]["id"].take();
            let job = gateway.job_when(&id, |job| job["step"] == "DONE").await;
            assert_eq!(job["failure"]["code"], "GENERATION_SOURCE_REFUSED", "{url}");
        }
    }
    assert_eq!(recordings.asked.lock().unwrap()[..], [""; 0], "it is not even asked");
    let added = gateway.ask(add, json!({ "url": "10.1000/182" })).await;
    let expected = json!({ "kind": "DOI", "source": "10.1000/182" });
    assert_eq!(added["addContent"]["content"], expected);
    assert_eq!(recordings.asked.lock().unwrap()[0], "POST /content (DOI)");
}

/// The form of a value: its members and the types of what is in them. Of what may be absent (null) nothing is asked.
fn has_form_of(found: &Value, recorded: &Value) -> bool {
    match (found, recorded) {
        (_, Value::Null) => true,
        (Value::Object(found), Value::Object(recorded)) => {
            recorded.iter().all(|(member, value)| {
                found.get(member).is_some_and(|found| has_form_of(found, value))
            })
        }
        (Value::Array(found), Value::Array(recorded)) => match recorded.first() {
            Some(form) => !found.is_empty() && found.iter().all(|one| has_form_of(one, form)),
            None => true,
        },
        (found, recorded) => std::mem::discriminant(found) == std::mem::discriminant(recorded),
    }
}

#[tokio::test]
async fn our_own_service_answers_in_the_form_that_is_recorded() {
    let (recordings, _) = Recordings::listen().await;
    let live = Live::start();
    let form = |route: &str, case: &str, (status, body): (u16, Value)| {
        let same = |one: &&Recorded| one.route == route && one.case == case;
        let recorded = recordings.all.iter().find(same).unwrap_or_else(|| panic!("{route} {case}"));
        assert_eq!(status, recorded.status, "{route} {case}: {body}");
        assert!(has_form_of(&body, &recorded.body), "{route} {case}: {body}");
        body
    };
    let ask = async |method, path: &str, body| live.ask(method, path, "ann", body).await;
    let (get, post, put, patch, delete) =
        (|| Method::GET, || Method::POST, || Method::PUT, || Method::PATCH, || Method::DELETE);
    form("GET /ping", "usual", ask(get(), "/ping", None).await);
    form("GET /notes", "absent", ask(get(), "/notes", None).await);

    let text = "👩‍🔬 Osmosis is the movement of water through a membrane.";
    let note = json!({ "text": text, "deck_id": "d1" });
    let made = form("POST /notes", "usual", ask(post(), "/notes", Some(note)).await);
    let id = made["data"]["id"].as_str().unwrap();
    let listed = ask(get(), "/notes", None).await;
    // The members of its data are decks.
    let of_deck = (
        listed.0,
        json!({ "message": listed.1["message"], "data": { "65a1f0d1": listed.1["data"]["d1"] } }),
    );
    form("GET /notes", "usual", of_deck);
    let card =
        json!({ "question": "q", "answer": "a", "source_start_index": 0, "source_end_index": 8 });
    let cards = json!({ "cards": [card] });
    let of = |more: &str| format!("/notes/{id}{more}");
    form("PUT /notes/{id}", "usual", ask(put(), &of(""), Some(cards.clone())).await);
    form("PUT /notes/{id}", "absent", ask(put(), "/notes/absent", Some(cards)).await);
    let part =
        json!({ "text": text, "deck_id": "d1", "source_start_index": 4, "source_end_index": 56 });
    form("POST /notes/{id}/card", "usual", ask(post(), &of("/card"), Some(part)).await);
    let add = of("/cards?deck_id=d1");
    form("POST /notes/{id}/cards", "usual", ask(post(), &add, None).await);
    form("POST /notes/{id}/cards", "again", ask(post(), &add, None).await);
    let absent = "/notes/absent/cards?deck_id=d1";
    form("POST /notes/{id}/cards", "absent", ask(post(), absent, None).await);

    form("GET /content", "absent", ask(get(), "/content", None).await);
    let page = json!({ "source": "http://127.0.0.1/" });
    let added = form("POST /content", "usual", ask(post(), "/content", Some(page)).await);
    let doi = json!({ "source": "10.1000/182" });
    form("POST /content (DOI)", "usual", ask(post(), "/content", Some(doi)).await);
    form(
        "POST /content",
        "absent",
        ask(post(), "/content", Some(json!({ "source": "ftp://x" }))).await,
    );
    form("GET /content", "usual", ask(get(), "/content", None).await);
    let content = format!("/content/{}", added["data"]["id"].as_str().unwrap());
    for (case, path) in [("usual", &*content), ("absent", "/content/absent")] {
        let read = json!({ "read_status": true });
        form("PATCH /content/{id}", case, ask(patch(), path, Some(read)).await);
        let marks = format!("{path}/annotation");
        let none = json!({ "annotations": [] });
        form("PUT /content/{id}/annotation", case, ask(put(), &marks, Some(none)).await);
        form("DELETE /content/{id}", case, ask(delete(), path, None).await);
    }
    form("GET /content/file/{id}", "absent", ask(get(), "/content/file/absent", None).await);
}
