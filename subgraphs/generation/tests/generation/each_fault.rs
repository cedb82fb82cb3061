//! Each way in which the service may fail, against the real subgraph: a typed outcome, points given back, no job that is stuck, and no effect on what else
//! is asked for in the same operation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use generation::queue::Bounds;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Gateway, Service, TEXT, caller, in_parts, lines, lines_and_silence, note};

const ADD: &str = "mutation { addContent(input: { source: { url: \"http://93.184.216.34/\" } }) { content { id } } }";
/// Of all of it only the content's text is the service's.
const ALL: &str = "query($job: ID!, $content: ID!) {
    generationJob(id: $job) { state }
    content(id: $content) { title status text }
    contents { nodes { title } }
    generationJobs { nodes { id } }
    generationLimits { maxCards }
    generationAllowance { points }
}";

/// Passes bytes on to a service, until it is killed: then its connections break, and nobody listens any more.
struct Process {
    url: String,
    relay: tokio::task::JoinHandle<()>,
}

impl Process {
    async fn of(service: &Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = service.url.strip_prefix("http://").unwrap().to_owned();
        let relay = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = TcpStream::connect(&to).await.unwrap();
                connections.spawn(async move {
                    drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
                });
            }
        });
        Self { url, relay }
    }

    fn kill(&self) {
        self.relay.abort();
    }
}

/// What becomes of jobs while the service fails in one way.
struct Outcome {
    state: &'static str,
    code: Option<&'static str>,
    /// Whether the texts of contents cannot be had either.
    no_texts: bool,
}

const fn fails(code: &'static str, no_texts: bool) -> Outcome {
    Outcome { state: "FAILED", code: Some(code), no_texts }
}

const READY: Outcome = Outcome { state: "READY", code: None, no_texts: false };

/// Has a person generate cards while the service does well, lets it fail, and looks at all they see. Answers a job of that time.
async fn while_it_fails(
    what: &str,
    respond: impl Fn() -> Response + Clone + Send + Sync + 'static,
    look: Option<(u16, Value)>,
    outcome: Outcome,
) -> Value {
    let fails = Arc::<AtomicBool>::default();
    let does_fail = Arc::clone(&fails);
    let service = Service::responding(move || {
        if !does_fail.load(Ordering::Relaxed) {
            return Json(note(json!({}))).into_response();
        }
        respond()
    })
    .await;
    let taken = json!({ "id": "c1", "processing_status": "processed", "view_text": TEXT, "title": "T", "summary": "S" });
    service.library.always("add", 200, json!({ "data": taken }));
    service.library.always("look", 200, json!({ "data": [taken] }));
    let process = Process::of(&service).await;
    // One job of a person runs at a time, so that one that is stuck would hold up the next.
    let bounds = Bounds { running_each: 1, ..Bounds::default() };
    let gateway = Gateway::with(&process.url, bounds).await;
    let content = gateway.ask(ADD, json!({})).await["addContent"]["content"]["id"].take();
    let first = gateway.data(gateway.input(json!({ "contentId": content }))).await["id"].take();
    let points = || async {
        let data = gateway.ask("{ generationAllowance { points } }", json!({})).await;
        data["generationAllowance"]["points"].as_f64().unwrap()
    };
    let before = points().await;

    fails.store(true, Ordering::Relaxed);
    if let Some((status, body)) = look {
        service.library.always("look", status, body);
    }
    if what == "absent" {
        process.kill();
    }
    let job = gateway.over(gateway.input(json!({ "maxCards": 7 }))).await;
    assert_eq!(job["state"], outcome.state, "{what}: {job}");
    assert_eq!(job["failure"]["code"].as_str(), outcome.code, "{what}: {job}");
    assert_eq!((&job["step"], &job["progress"]), (&json!("DONE"), &json!(1.0)), "{what}");
    if outcome.state == "FAILED" {
        assert_eq!(points().await, before, "{what}: they are given back");
        // Its message is for people, and says nothing of what the service sent.
        let message = job["failure"]["message"].as_str().unwrap();
        assert!(!message.contains(TEXT) && message.len() > 20, "{what}: {message}");
    }
    let next = gateway.over(gateway.input(json!({}))).await;
    assert_eq!(next["state"], outcome.state, "{what}: the next one is not held up: {next}");

    let variables = json!({ "job": first, "content": content });
    let answer = gateway.execute(caller(gateway.owner), ALL, variables).await;
    let errors = serde_json::to_value(&answer.errors).unwrap();
    let mut data = answer.data.into_json().unwrap();
    let text = data["content"]["text"].take();
    if outcome.no_texts {
        assert_eq!(errors.as_array().unwrap().len(), 1, "{what}: {errors}");
        assert_eq!(errors[0]["path"], json!(["content", "text"]), "{what}");
        assert_eq!(errors[0]["extensions"]["code"], "GENERATION_UNAVAILABLE", "{what}");
        assert_eq!(text, Value::Null, "{what}");
    } else {
        assert_eq!((&errors, &text), (&json!([]), &json!(TEXT)), "{what}");
    }
    assert_eq!(data["generationJob"], json!({ "state": "READY" }), "{what}");
    let expected = json!({ "title": "T", "status": "PROCESSED", "text": null });
    assert_eq!(data["content"], expected, "{what}");
    assert_eq!(data["contents"]["nodes"], json!([{ "title": "T" }]), "{what}");
    assert_eq!(data["generationJobs"]["nodes"].as_array().unwrap().len(), 3, "{what}");
    assert_eq!(data["generationLimits"], json!({ "maxCards": 100 }), "{what}");
    assert!(data["generationAllowance"]["points"].is_number(), "{what}");
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_absent() {
    let never = || unreachable!("nobody can ask it");
    while_it_fails("absent", never, None, fails("GENERATION_UNAVAILABLE", true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_slow() {
    let outcome = fails("GENERATION_TIMEOUT", false);
    while_it_fails("slow", || lines_and_silence(&[]), None, outcome).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_500_as_plain_text() {
    let plain = || (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response();
    let look = Some((500, json!("Internal Server Error")));
    while_it_fails("500", plain, look, fails("GENERATION_FAILED", true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_half_a_json_text() {
    let half =
        "{\"message\": \"success\", \"data\": {\"id\": \"n\", \"cards\": [{\"question\": \"q\", ";
    let answer = move || ([(header::CONTENT_TYPE, "application/json")], half).into_response();
    let look = || Some((200, json!(half)));
    while_it_fails("half", answer, look(), fails("GENERATION_FAILED", true)).await;
    let line = "{\"type\": \"card\", \"card\": {\"question\": \"q\", \"answer\": \"a\"}}\n{\"type\": \"done\", \"da";
    let answer = move || in_parts(line.into());
    while_it_fails("half a line", answer, look(), fails("GENERATION_FAILED", true)).await;
}

/// Cards whose places are none in the text, and one whose place is right.
fn cards_of_wrong_places() -> Vec<Value> {
    let card = |start: Value, end: Value| json!({ "question": format!("{start} {end}?"), "answer": "a", "source_start_index": start, "source_end_index": end });
    vec![
        card(json!(0), json!(8)),
        card(json!(-1), json!(8)),
        card(json!(9), json!(2)),
        card(json!(0), json!(1_000_000)),
        card(json!(u64::MAX), json!(u64::MAX)),
        card(json!(0.5), json!("8")),
        card(Value::Null, json!(8)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn its_indices_are_wrong() {
    let whole = || Json(note(json!({ "cards": cards_of_wrong_places() }))).into_response();
    let parts = || {
        let cards = cards_of_wrong_places();
        let mut all: Vec<Value> =
            cards.iter().map(|card| json!({ "type": "card", "card": card })).collect();
        let data = note(json!({ "cards": cards }))["data"].take();
        all.push(json!({ "type": "done", "data": data }));
        lines(&all)
    };
    for (what, answer) in [("whole", whole as fn() -> Response), ("in parts", parts)] {
        let job = while_it_fails(what, answer, None, READY).await;
        let drafts = job["drafts"].as_array().unwrap();
        assert_eq!((drafts.len(), &job["rejected"]), (7, &json!(0)), "the cards are kept: {job}");
        // In UTF-16, where the face is two code units.
        let place =
            |draft: &Value| (draft["sourceStartIndex"].clone(), draft["sourceEndIndex"].clone());
        assert_eq!(place(&drafts[0]), (json!(0), json!(9)));
        for draft in &drafts[1..] {
            assert_eq!(place(draft), (Value::Null, Value::Null), "{draft}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_ten_thousand_cards() {
    let card = |nth: usize| json!({ "question": format!("{nth}?"), "answer": "a", "source_start_index": 0, "source_end_index": 8 });
    let answer = move || {
        let cards: Vec<Value> = (0..10_000).map(card).collect();
        Json(note(json!({ "cards": cards }))).into_response()
    };
    let job = while_it_fails("ten thousand", answer, None, READY).await;
    let drafts = job["drafts"].as_array().unwrap();
    assert_eq!((drafts.len(), &job["rejected"]), (7, &json!(9_993)));
    assert_eq!(drafts[6]["question"], "6?");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_killed_in_the_middle() {
    // The connection is cut when it has been asked; nobody starts it again.
    let answer = || lines_and_silence(&[]);
    let service = Service::responding(answer).await;
    let process = Process::of(&service).await;
    let bounds = Bounds { running_each: 1, ..Bounds::default() };
    let gateway = Gateway::with(&process.url, bounds).await;
    let id = gateway.start(gateway.input(json!({}))).await;
    while service.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.kill();
    let job = gateway.job_when(&id, |job| job["step"] == "DONE").await;
    assert_eq!((&job["state"], &job["drafts"]), (&json!("FAILED"), &json!([])), "{job}");
    assert_eq!(job["failure"]["code"], "GENERATION_FAILED", "{job}");
    let next = gateway.failure(gateway.input(json!({}))).await;
    assert_eq!(next.0, "GENERATION_UNAVAILABLE", "it is not held up by the first");
    let rest = "{ generationJobs { nodes { state } } contents { nodes { id } } generationLimits { maxCards } }";
    let rest = gateway.ask(rest, json!({})).await;
    assert_eq!(
        rest["generationJobs"]["nodes"],
        json!([{ "state": "FAILED" }, { "state": "FAILED" }])
    );
}

/// With what holds when nothing is set, in real time: an answer that takes nearly a minute is waited for, one that takes longer is not, whether it says
/// meanwhile that it is at work or says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_is_waited_for_and_no_longer() {
    let limit = generation::DEFAULT_TIMEOUT;
    assert_eq!(limit, Duration::from_secs(60), "as the old front end waited");
    let late = |after: Duration| {
        move || {
            let wait = futures::stream::unfold(Instant::now(), move |began| async move {
                if began.elapsed() >= after {
                    return None;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, std::io::Error>("{\"type\":\"wait\"}\n".to_owned()), began))
            });
            let done = futures::stream::once(async {
                let data = note(json!({}))["data"].take();
                Ok(format!("{}\n", json!({ "type": "done", "data": data })))
            });
            let body = futures::StreamExt::chain(wait, done);
            in_parts(axum::body::Body::from_stream(body))
        }
    };
    let run = async |service: Service| {
        let gateway = Gateway::waiting(&service.url, Bounds::default(), limit).await;
        let began = Instant::now();
        let id = gateway.start(gateway.input(json!({}))).await;
        loop {
            let job = gateway.job(&id).await;
            if job["step"] == "DONE" {
                return (job, began.elapsed());
            }
            assert!(began.elapsed() < limit * 3, "{job}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let in_time = Service::responding(late(Duration::from_secs(50))).await;
    let too_late = Service::responding(late(Duration::from_secs(90))).await;
    let silent = Service::responding(|| lines_and_silence(&[])).await;
    let (in_time, too_late, silent) = futures::join!(run(in_time), run(too_late), run(silent));
    assert_eq!(in_time.0["state"], "READY", "{}", in_time.0);
    for (job, took) in [too_late, silent] {
        assert_eq!(job["failure"]["code"], "GENERATION_TIMEOUT", "{job}");
        assert!(took >= limit, "{took:?}");
    }
}
