//! What the program tells of itself: traces, metrics and logs of a process as it is run, and that what is drawn and alarmed of metrics is there.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::{Json, Router};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

const EMAIL: &str = "ada.lovelace@spacey.example";
const PASSWORD: &str = "correct horse battery staple";
const HOME: &str = "query Home { \
    viewer { name decks(first: 5) { nodes { name counts { new } cards(first: 2) { nodes { question due } } } } \
        studyQueue(limit: 1) { card { question } } } \
    config { frontend { colors } } \
    contents(first: 5) { nodes { text } } }";

/// The program, as it is run.
struct Program {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Program {
    /// Starts it with an administrator.
    fn start(more: &[(&str, String)]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
            command
                .args(arguments)
                .env_clear()
                .env("PORT", "0")
                .env("SPACEY_DATA_DIR", folder.path())
                .env("SPACEY_LOG_FORMAT", "json")
                .env("SPACEY_ARGON2_MEMORY_KIB", "64")
                .env("SPACEY_ARGON2_ITERATIONS", "1")
                .current_dir(folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            command
        };
        let mut admin = command(&["admin", "create", EMAIL]).spawn().unwrap();
        admin.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(admin.wait().unwrap().success());
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command(&["serve"])
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it listens").unwrap();
            if let Some((_, address)) = line.split_once("listens on ") {
                break address.to_owned();
            }
        };
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, folder }
    }

    fn logged(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/graphql", self.address);
        let mut request = http.post(url).json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn log_in(&self) -> String {
        let query = "mutation LogIn($email: String!, $password: String!) { logIn(input: { email: $email, password: $password }) { accessToken refreshToken } }";
        let variables = json!({ "email": EMAIL, "password": PASSWORD });
        let answer = self.ask(None, query, variables).await;
        answer["data"]["logIn"]["accessToken"].as_str().expect("a token").to_owned()
    }

    async fn make_deck(&self, token: &str) {
        let query = "mutation MakeDeck { createDeck(input: { name: \"Stars\" }) { deck { id } } }";
        let answer = self.ask(Some(token), query, json!({})).await;
        let deck = answer["data"]["createDeck"]["deck"]["id"].as_str().unwrap();
        let query = "mutation MakeCard($deck: ID!) { createCards(input: { deckId: $deck, cards: [{ question: \"Which?\", answer: \"That.\" }] }) { cards { id } } }";
        let answer = self.ask(Some(token), query, json!({ "deck": deck })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn served(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// In place of the card-generation service: it has one content, and keeps the headers by which traces go on.
async fn generation(parents: Arc<Mutex<Vec<String>>>) -> String {
    let content =
        json!({ "id": "c1", "processing_status": "processed", "view_text": "Stars shine." });
    let answer = move |request: Request| {
        if let Some(parent) = request.headers().get("traceparent") {
            parents.lock().unwrap().push(parent.to_str().unwrap().to_owned());
        }
        let is_list = request.method() == "GET";
        let data = if is_list { json!([content]) } else { content.clone() };
        async move { Json(json!({ "data": data })) }
    };
    served(Router::new().fallback(answer)).await
}

/// In place of a collector.
async fn collector(spans: Arc<Mutex<Vec<Span>>>) -> String {
    let take = move |body: Bytes| {
        let sent = ExportTraceServiceRequest::decode(body).unwrap();
        let scopes = sent.resource_spans.into_iter().flat_map(|of| of.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|of| of.spans));
        async { StatusCode::OK }
    };
    served(Router::new().route("/v1/traces", axum::routing::post(take))).await
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Attribute::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names of a span and of all that it is within, from the outermost.
fn path(span: &Span, of: &[Span]) -> Vec<String> {
    let mut path = vec![span.name.clone()];
    let mut at = span;
    while !at.parent_span_id.is_empty() {
        at = of.iter().find(|other| other.span_id == at.parent_span_id).expect("in the tree");
        path.insert(0, at.name.clone());
    }
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_round_trip_is_one_trace_from_the_gateway_to_every_statement() {
    let (spans, parents) = (Arc::<Mutex<Vec<Span>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let program = Program::start(&[
        ("SPACEY_TRACES_TO", collector(spans.clone()).await),
        ("SPACEY_TRACES_SAMPLED", "1".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ("SPACEY_GENERATION_URL", generation(parents.clone()).await),
    ]);
    let token = program.log_in().await;
    program.make_deck(&token).await;
    let add = "mutation Add { addContent(input: { source: { url: \"10.1000/182\" } }) { content { id } } }";
    let added = program.ask(Some(&token), add, json!({})).await;
    assert!(added.get("errors").is_none(), "{added}");
    let read = |answer: &Value| answer["data"]["contents"]["nodes"][0]["text"] == "Stars shine.";
    let mut answer = program.ask(Some(&token), HOME, json!({})).await;
    while !read(&answer) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = program.ask(Some(&token), HOME, json!({})).await;
    }
    assert!(answer.get("errors").is_none(), "{answer}");

    // The last of them is the one that was read.
    let mut tree = Vec::new();
    for _ in 0..600 {
        let all = spans.lock().unwrap().clone();
        let home = all.iter().rfind(|span| attribute(span, "operation").as_deref() == Some("Home"));
        if let Some(home) = home {
            tree = all.iter().filter(|span| span.trace_id == home.trace_id).cloned().collect();
            if tree.iter().any(|span| span.name == "card-generation") {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let paths: Vec<Vec<String>> = tree.iter().map(|span| path(span, &tree)).collect();
    let roots = tree.iter().filter(|span| span.parent_span_id.is_empty()).count();
    assert!(roots == 1 && paths.iter().all(|path| path[0] == "request"), "{paths:#?}");
    for subgraph in ["users", "config", "decks", "learning", "generation"] {
        let fetch = format!("fetch {subgraph}");
        assert!(paths.contains(&vec!["request".into(), fetch.clone()]), "{fetch}: {paths:#?}");
        // What config answers it has in memory.
        let statement = format!("{subgraph} SELECT");
        let has = paths.iter().any(|path| path[1..] == [fetch.clone(), statement.clone()]);
        assert!(has || subgraph == "config", "{statement}: {paths:#?}");
    }
    assert!(paths.iter().any(|path| path[1..] == ["fetch generation", "card-generation"]));
    let trace = hex(&tree[0].trace_id);
    let call = tree.iter().find(|span| span.name == "card-generation").unwrap();
    let header = format!("00-{trace}-{}-01", hex(&call.span_id));
    assert!(parents.lock().unwrap().contains(&header), "{header}: {parents:?}");
    for span in spans.lock().unwrap().iter() {
        let text = format!("{span:?}");
        assert!(!text.contains(EMAIL) && !text.contains(PASSWORD) && !text.contains(&token));
    }
    // Logs have the trace, too.
    assert!(program.logged().contains(&format!("\"trace_id\":\"{trace}\"")));
}

/// The names of metrics in a text, as they are registered.
fn names(text: &str) -> BTreeSet<String> {
    let part = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let words = text.split(part).filter(|word| word.starts_with("spacey_"));
    let registered = |word: &str| {
        let endings = ["_total", "_bucket", "_count", "_sum"];
        let ending = endings.iter().find_map(|ending| word.strip_suffix(ending));
        ending.unwrap_or(word).to_owned()
    };
    words.map(registered).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_there_where_they_are_asked_for_and_are_those_that_are_drawn_and_alarmed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::start(&[("SPACEY_METRICS_LISTEN", free.to_string())]);
    let token = program.log_in().await;
    program.make_deck(&token).await;
    program.ask(Some(&token), HOME, json!({})).await;
    program.ask(Some(&token), "query Wrong { nothing }", json!({})).await;
    program.ask(None, "query OfAStranger { config { frontend { colors } } }", json!({})).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |address: SocketAddr| http.get(format!("http://{address}/metrics")).send();
    let page = get(free).await.unwrap().text().await.unwrap();
    for line in [
        "spacey_operations_total{operation=\"Home\"} 1",
        "spacey_operations_total{operation=\"MakeDeck\"} 1",
        "spacey_operation_seconds_count{operation=\"Home\"} 1",
        "spacey_fetches_total{subgraph=\"decks\"} ",
        "spacey_store_seconds_count{store=\"decks\",operation=\"write\"} ",
        "spacey_refusals_total{code=\"GRAPHQL_VALIDATION_FAILED\"} 1",
        "spacey_cache_lookups_total{cache=\"operations\",result=\"miss\"} ",
        "spacey_outbox_waiting_seconds{domain=\"decks\"} 0",
        "spacey_operations_running 0",
    ] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
    // The public listener has none, and nothing on the page tells who somebody is or what strangers call their operations.
    let public: SocketAddr = program.address.trim_start_matches("http://").parse().unwrap();
    assert_eq!(get(public).await.unwrap().status(), 404);
    assert!(!page.contains("OfAStranger") && !page.contains(EMAIL), "{page}");

    let there = names(&page);
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let drawn = fs::read_to_string(deploy.join("grafana/dashboard.json")).unwrap();
    serde_json::from_str::<Value>(&drawn).unwrap();
    let alarmed = fs::read_to_string(deploy.join("prometheus/alerts.yml")).unwrap();
    let used = &names(&drawn) | &names(&alarmed);
    assert_eq!(&used - &there, BTreeSet::new(), "nothing measures these");
    assert_eq!(&there - &used, BTreeSet::new(), "nobody looks at these");
    // What each alert means stands in the page about them.
    let told = fs::read_to_string(deploy.join("../docs/alerts.md")).unwrap();
    let alerts = alarmed.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: Vec<_> = alerts.collect();
    assert!(alerts.len() > 5);
    for alert in alerts {
        assert!(told.contains(&format!("## {alert}\n")), "{alert} is not explained");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_whole_objects_that_hold_no_secret_and_name_nobody() {
    let program = Program::start(&[
        ("SPACEY_LOG", "debug".to_owned()),
        ("SPACEY_SLOW_MILLISECONDS", "1".to_owned()),
    ]);
    let token = program.log_in().await;
    program.make_deck(&token).await;
    program.ask(Some(&token), HOME, json!({})).await;
    let wrong = "mutation($email: String!, $password: String!) { logIn(input: { email: $email, password: $password }) { accessToken } }";
    let mut secrets = vec![token.clone(), PASSWORD.to_owned(), EMAIL.to_owned()];
    for (email, password) in [
        (EMAIL, "another password"),
        ("grace.hopper@spacey.example", PASSWORD),
        ("no address", "x"),
    ] {
        program.ask(None, wrong, json!({ "email": email, "password": password })).await;
        secrets.extend([email.to_owned(), password.to_owned()].into_iter().filter(|s| s.len() > 1));
    }
    let sign_up = "mutation { signUp(input: { email: \"charles.babbage@spacey.example\", password: \"a password in a text\", name: \"Charles Babbage\" }) { email } }";
    let signed_up = program.ask(None, sign_up, json!({})).await;
    assert!(signed_up.get("errors").is_none(), "{signed_up}");
    let forgotten = "mutation { requestPasswordReset(input: { email: \"charles.babbage@spacey.example\" }) { email } }";
    let asked = program.ask(None, forgotten, json!({})).await;
    assert!(asked.get("errors").is_none(), "{asked}");
    program.ask(Some("not-a-token-at-all"), HOME, json!({})).await;
    let key = "mutation($at: DateTime!) { createApiKey(input: { name: \"of a script\", scopes: [READ], expiresAt: $at }) { secret } }";
    let made = program.ask(Some(&token), key, json!({ "at": "2027-01-15T00:00:00Z" })).await;
    let secret = made["data"]["createApiKey"]["secret"].as_str().expect("a key");
    program.ask(Some(secret), HOME, json!({})).await;
    secrets.push(secret.to_owned());
    secrets.extend(
        ["charles.babbage", "a password in a text", "Charles Babbage", "not-a-token-at-all"]
            .map(str::to_owned),
    );
    // Mail that was asked for is made meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;

    let logged = program.logged();
    for secret in &secrets {
        let line = logged.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
    let mut of_operation = BTreeMap::new();
    for line in logged.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let span = &line["span"];
        if line["fields"]["message"] == "answered" {
            assert!(span["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
            of_operation.insert(span["operation"].as_str().unwrap_or_default().to_owned(), line);
        } else if line["fields"]["message"] == "a slow operation" {
            let plan = line["fields"]["plan"].as_str().unwrap();
            assert!(plan.contains("Fetch"), "{plan}");
            of_operation.insert(format!("slow {}", line["fields"]["operation"]), line);
        }
    }
    assert!(of_operation.contains_key("Home"), "{of_operation:#?}");
    assert!(of_operation.contains_key("slow \"Home\""), "{of_operation:#?}");
}
