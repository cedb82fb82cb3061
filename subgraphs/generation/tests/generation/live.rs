//! Every route of the contract, against the Python service itself. It is started from `card-generation/.venv`, which `make` makes: without it these
//! tests fail.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Name, Variables};
use axum::routing::post;
use axum::{Json, Router};
use common::SubgraphRequest;
use common::graphql::Upload;
use futures::TryStreamExt;
use generation::queue::Bounds;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Gateway, SECRET, caller, deleted_account};

const TEXT: &str = "👩‍🔬 Osmosis is the movement of water through a membrane. Cafe\u{301} culture is the habit of meeting over coffee.";

/// The service as a process of the test's own.
pub(crate) struct Live {
    url: String,
    http: reqwest::Client,
    process: Child,
    _data: TempDir,
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Live {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these settings besides.
    fn start_with(settings: &[(&str, &str)]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../card-generation");
        let python = folder.join(".venv/bin/python");
        assert!(python.exists(), "{} is missing: make test makes it", python.display());
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(python)
            .args(["-m", "card_generation"])
            .current_dir(folder)
            .env_clear()
            .env("SPACEY_GENERATION_SECRET", SECRET)
            .env("SPACEY_GENERATION_PORT", "0")
            .env("SPACEY_GENERATION_DATA_DIR", data.path())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = log.find_map(|line| {
            line.unwrap().split_once("listening on ").map(|(_, address)| address.to_owned())
        });
        let url = address.expect("it listens");
        // What it logs later must not fill the pipe.
        std::thread::spawn(move || log.for_each(drop));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url, http, process, _data: data }
    }

    async fn gateway(&self) -> Gateway {
        // The machine may be busy with other tests.
        Gateway::waiting(&self.url, Bounds::default(), Duration::from_secs(60)).await
    }

    /// Status, type and body of the answer to a request for a user.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        user: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let and = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{and}userID={user}", self.url);
        let mut request = self.http.request(method, url).header("x-spacey-secret", SECRET);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }
}

/// A PDF with one line of text.
fn pdf(text: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 20 100 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    places.iter().for_each(|place| file.extend(format!("{place:010} 00000 n \n").bytes()));
    let size = objects.len() + 1;
    file.extend(
        format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes(),
    );
    file
}

#[tokio::test]
async fn cards_of_a_text_have_their_place_in_it_in_utf16() {
    let live = Live::start();
    let gateway = live.gateway().await;
    let job = gateway.data(gateway.input(json!({ "text": TEXT, "maxCards": 5 }))).await;
    assert_eq!(job["generator"]["name"], "offline-extractive");
    assert_eq!(job["notices"][0]["code"], "extractive");
    let units: Vec<u16> = TEXT.encode_utf16().collect();
    let source = |draft: &Value| {
        let at = |name: &str| draft[name].as_u64().unwrap() as usize;
        String::from_utf16(&units[at("sourceStartIndex")..at("sourceEndIndex")]).unwrap()
    };
    let sources: Vec<_> = job["drafts"].as_array().unwrap().iter().map(source).collect();
    assert!(sources.len() >= 2, "{job}");
    for source in sources {
        let begins = source.starts_with("👩‍🔬 Osmosis")
            || source.starts_with("Osmosis")
            || source.starts_with("Cafe\u{301}");
        assert!(begins && source.ends_with('.'), "{source}");
    }
}

#[tokio::test]
async fn the_routes_of_notes_do_as_agreed() {
    let live = Live::start();
    let note = json!({ "text": TEXT, "deck_id": "d1" });
    let (status, made) = live.ask(Method::POST, "/notes", "ann", Some(note)).await;
    assert_eq!(
        (status, &made["message"], &made["data"]["text"]),
        (200, &json!("success"), &json!(TEXT))
    );
    let (id, cards) = (made["data"]["id"].as_str().unwrap(), made["data"]["cards"].clone());
    let points: Vec<char> = TEXT.chars().collect();
    for card in cards.as_array().unwrap() {
        let at = |name: &str| card[name].as_u64().unwrap() as usize;
        let source: String =
            points[at("source_start_index")..at("source_end_index")].iter().collect();
        assert!(
            source.ends_with('.') && card["question"].is_string() && card["answer"].is_string()
        );
    }
    let (_, listed) = live.ask(Method::GET, "/notes", "ann", None).await;
    assert_eq!(listed["data"]["d1"], json!({ "id": id, "text": TEXT, "cards": cards }));

    let card =
        json!({ "question": "q", "answer": "a", "source_start_index": 0, "source_end_index": 3 });
    let cards = json!({ "cards": [card] });
    let (status, put) =
        live.ask(Method::PUT, &format!("/notes/{id}"), "ann", Some(cards.clone())).await;
    assert_eq!((status, &put["data"]["cards"]), (200, &cards["cards"]));
    let (status, _) = live.ask(Method::PUT, "/notes/absent", "ann", Some(cards)).await;
    assert_eq!(status, 200, "also for an absent one");
    let one =
        json!({ "text": TEXT, "deck_id": "d1", "source_start_index": 4, "source_end_index": 59 });
    let (status, more) =
        live.ask(Method::POST, &format!("/notes/{id}/card"), "ann", Some(one)).await;
    assert_eq!((status, &more["data"]["id"]), (200, &json!(id)));
    assert!(more["data"]["card"]["question"].is_string(), "{more}");

    let add = format!("/notes/{id}/cards?deck_id=d1");
    let (status, added) = live.ask(Method::POST, &add, "ann", None).await;
    let cards = added["data"]["cards"].as_array().unwrap();
    assert_eq!(
        (status, cards.len(), &cards[0]["question"], &cards[0]["deckID"]),
        (200, 2, &json!("q"), &json!("d1"))
    );
    assert!(cards[0]["id"].is_string() && cards[0]["answer"] == "a");
    for (path, user, status) in
        [(&*add, "ann", 409), (&add, "bob", 404), ("/notes/absent/cards?deck_id=d1", "ann", 404)]
    {
        let (found, body) = live.ask(Method::POST, path, user, None).await;
        assert_eq!(
            (found, body["message"].is_string(), body["error"].is_string()),
            (status, true, true)
        );
    }
    let (status, invalid) =
        live.ask(Method::POST, "/notes", "ann", Some(json!({ "text": 7 }))).await;
    assert_eq!((status, invalid["detail"].is_array()), (422, true), "{invalid}");

    let ping = live.http.get(format!("{}/ping", live.url)).send().await.unwrap();
    assert_eq!(
        ping.json::<Value>().await.unwrap(),
        json!({ "ping": "pong!" }),
        "without the secret"
    );
    let closed = live.http.get(format!("{}/notes?userID=ann", live.url)).send().await.unwrap();
    assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_routes_of_contents_do_as_agreed_and_as_the_graph_says() {
    let live = Live::start();
    let gateway = live.gateway().await;
    let owner = gateway.owner.to_string();
    let there = async || live.ask(Method::GET, "/content", &owner, None).await.1["data"].take();

    // A PDF, through the graph, from its upload to its cards.
    let bytes = pdf("Osmosis is the movement of water through a membrane.");
    let file =
        Upload { name: "Zellen 😀.pdf".into(), content_type: None, bytes: bytes.clone().into() };
    let mut variables = Variables::default();
    variables.insert(Name::new("file"), file.into());
    let document = "mutation($file: Upload!) { addContent(input: { source: { file: $file } }) { content { id } } }";
    let request = SubgraphRequest { document: document.into(), operation_name: None, variables };
    let by_owner = Arc::new(caller(gateway.owner));
    let added = gateway.endpoint.execute(request, by_owner.clone()).await.unwrap();
    assert!(added.errors.is_empty(), "{:?}", added.errors);
    let id = added.data.into_json().unwrap()["addContent"]["content"]["id"].take();
    let job = gateway.data(gateway.input(json!({ "contentId": id }))).await;
    assert_eq!(job["text"], "Osmosis is the movement of water through a membrane.");
    assert_eq!(job["drafts"][0]["question"], "What is osmosis?");
    let content = gateway
        .ask(
            "query($id: ID!) { content(id: $id) { status title summary text } }",
            json!({ "id": id }),
        )
        .await;
    let text = "Osmosis is the movement of water through a membrane.";
    let expected =
        json!({ "status": "PROCESSED", "title": "Zellen 😀.pdf", "summary": text, "text": text });
    assert_eq!(content["content"], expected);
    let uuid: Uuid = id.as_str().unwrap().parse().unwrap();
    let info = gateway.endpoint.file(uuid, by_owner.clone()).await.unwrap().unwrap();
    let back =
        gateway.endpoint.clone().file_bytes(uuid, 0..info.size, by_owner).await.unwrap().unwrap();
    assert_eq!(back.try_collect::<Vec<_>>().await.unwrap().concat(), bytes);

    // What is marked and read there is what the service has.
    let mark = json!({ "startPath": "/p[1]", "startOffset": 0, "endPath": "/p[1]", "endOffset": 7, "color": "#FFEC87", "text": "Osmosis" });
    gateway.ask("mutation($id: ID!, $marks: [AnnotationInput!]!) { annotateContent(input: { contentId: $id, annotations: $marks }) { content { id } } }", json!({ "id": id, "marks": [mark] })).await;
    gateway.ask("mutation($id: ID!) { setContentRead(input: { contentId: $id, read: true }) { content { id } } }", json!({ "id": id })).await;
    let found = there().await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!((&found[0]["read_status"], &found[0]["source_type"]), (&json!(true), &json!("pdf")));
    let kept = &found[0]["annotations"][0];
    assert_eq!(
        (&kept["start_path"], &kept["end_offset"], &kept["text"]),
        (&json!("/p[1]"), &json!(7), &json!("Osmosis"))
    );

    // What is absent is answered with 200, and 404 in the body.
    for (method, path, body) in [
        (Method::PATCH, "/content/absent", Some(json!({ "read_status": true }))),
        (Method::PUT, "/content/absent/annotation", Some(json!({ "annotations": [] }))),
        (Method::DELETE, "/content/absent", None),
    ] {
        let (status, answer) = live.ask(method.clone(), path, &owner, body).await;
        assert_eq!((status, &answer["status_code"]), (200, &json!(404)), "{method}");
    }
    let (status, _) = live.ask(Method::GET, "/content/file/absent", &owner, None).await;
    assert_eq!(status, 404);
    let (status, _) =
        live.ask(Method::POST, "/content", &owner, Some(json!({ "source": "ftp://x" }))).await;
    assert_eq!(status, 400);

    // One that somebody deletes behind its back: the graph says so.
    let remote = found[0]["id"].as_str().unwrap();
    let (_, deleted) = live.ask(Method::DELETE, &format!("/content/{remote}"), &owner, None).await;
    assert_eq!(deleted["status_code"], 200);
    let lost = gateway.error_as(caller(gateway.owner), "mutation($id: ID!) { setContentRead(input: { contentId: $id, read: false }) { content { id } } }", json!({ "id": id })).await;
    assert_eq!(lost.0, "CONFLICT");

    // An address inside is not fetched, whoever asks.
    let inside = json!({ "source": "http://127.0.0.1:80/" });
    let (status, taken) = live.ask(Method::POST, "/content", &owner, Some(inside)).await;
    assert_eq!((status, &taken["data"]["processing_status"]), (200, &json!("processing")));
    while there().await[0]["processing_status"] == "processing" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = there().await;
    assert_eq!(
        (&found[0]["processing_status"], &found[0]["view_text"]),
        (&json!("failed"), &json!(""))
    );

    // When the account ends the service keeps nothing of the person: neither contents nor notes.
    let gone = deleted_account(gateway.owner);
    gateway.endpoint.apply(vec![gone].into()).await.unwrap();
    let notes = async || live.ask(Method::GET, "/notes", &owner, None).await.1["data"].take();
    while there().await != json!([]) || notes().await != json!({}) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_job_frees_its_place_in_the_service() {
    // A model that says nothing to the first who ask, and ends its answer at once for the others.
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let answer = async move |_: axum::body::Bytes| {
        if counted.fetch_add(1, Ordering::SeqCst) < 1 {
            std::future::pending::<()>().await;
        }
        let message = json!({ "role": "assistant", "content": "{\"cards\": []}" });
        Json(json!({ "choices": [{ "message": message, "finish_reason": "stop" }] }))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    // There is one place.
    let live =
        Live::start_with(&[("OPENAI_BASE_URL", &model), ("SPACEY_GENERATION_CONCURRENCY", "1")]);
    let gateway = live.gateway().await;
    let first = gateway.start(gateway.input(json!({}))).await;
    while asked.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second = gateway.start(gateway.input(json!({}))).await;
    gateway.job_when(&second, |job| job["step"] == "ASKING").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the second waits for the place");
    let cancel = "mutation($id: ID!) { cancelGeneration(input: { jobId: $id }) { job { state } } }";
    gateway.ask(cancel, json!({ "id": first })).await;
    let job = gateway.job_when(&second, |job| job["step"] == "DONE").await;
    assert_eq!((&job["state"], asked.load(Ordering::SeqCst)), (&json!("READY"), 2), "{job}");
}
