//! `spacey gateway --supergraph FILE` as a program: what it needs, what it answers, and what stops its start.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A supergraph of one subgraph, as other tools write it.
fn supergraph(url: &str) -> String {
    format!(
        r#"schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {{ query: Query }}
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
scalar join__FieldSet
scalar link__Import
enum join__Graph {{ WORD_LIST @join__graph(name: "word-list", url: "{url}") }}
enum link__Purpose {{ SECURITY EXECUTION }}
type Query @join__type(graph: WORD_LIST) {{ word: String }}
"#
    )
}

/// A subgraph that answers every request alike, and its address.
fn subgraph(answer: &'static str) -> String {
    subgraph_of(move || answer.to_owned())
}

/// A subgraph that answers what `answer` says, and its address.
fn subgraph_of(answer: impl Fn() -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut received = Vec::new();
            let mut chunk = [0; 4096];
            while !received.ends_with(b"}") {
                let count = connection.read(&mut chunk).unwrap();
                assert!(count > 0, "the request breaks off");
                received.extend_from_slice(&chunk[..count]);
            }
            let head = String::from_utf8_lossy(&received).into_owned();
            assert!(head.starts_with("POST /words HTTP/1.1"), "{head}");
            let answer = answer();
            let length = answer.len();
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}").unwrap();
        }
    });
    format!("http://{address}/words")
}

/// The program, in an empty folder of its own; it ends with the test.
struct Gateway {
    program: Child,
    address: String,
    folder: TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

fn command(folder: &Path, from: [&str; 2], text: &str) -> Command {
    std::fs::write(folder.join(from[1]), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
    command.arg("gateway").args(from).args(["--listen", "127.0.0.1:0"]);
    command.current_dir(folder).env_clear();
    command
}

const SUPERGRAPH: [&str; 2] = ["--supergraph", "graph.graphql"];

fn start(sdl: &str, environment: &[(&str, &str)]) -> Gateway {
    start_from(SUPERGRAPH, sdl, environment)
}

fn start_from(from: [&str; 2], text: &str, environment: &[(&str, &str)]) -> Gateway {
    let folder = tempfile::tempdir().unwrap();
    // Nobody reads its log, and it must not wait for a reader.
    let mut program = command(folder.path(), from, text)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("The gateway listens on http://").unwrap().to_owned();
    Gateway { program, address, folder }
}

/// What the program says when it does not start.
fn refused(sdl: &str, environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output =
        command(folder.path(), SUPERGRAPH, sdl).envs(environment.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn ask(address: &str, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let mut connection = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(connection, "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn it_runs_any_supergraph_with_nothing_else_around() {
    let gateway = start(&supergraph(&subgraph(r#"{"data":{"word":"hello"}}"#)), &[]);
    assert_eq!(ask(&gateway.address, "{ word }"), json!({ "data": { "word": "hello" } }));
    let introspected = ask(&gateway.address, "{ __schema { queryType { name } } }");
    assert_eq!(introspected["data"]["__schema"]["queryType"]["name"], "Query");
    let files: Vec<_> = std::fs::read_dir(gateway.folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "it writes nothing: {files:?}");
}

#[test]
fn a_setting_overrides_an_address() {
    let url = subgraph(r#"{"data":{"word":"moved"}}"#);
    let gateway = start(&supergraph(""), &[("SPACEY_SUBGRAPH_WORD_LIST_URL", &url)]);
    assert_eq!(ask(&gateway.address, "{ word }"), json!({ "data": { "word": "moved" } }));
}

#[test]
fn an_address_that_cannot_be_used_stops_the_start_by_name() {
    let message = refused(&supergraph(""), &[]);
    assert!(message.contains("no address for the subgraph word-list"), "{message}");
    let message = refused(&supergraph("words.example"), &[]);
    assert!(message.contains("word-list") && message.contains("words.example"), "{message}");
}

#[test]
fn a_supergraph_that_cannot_be_used_stops_the_start() {
    let message = refused("type Query { a: Int }", &[]);
    assert!(message.contains("not a supergraph"), "{message}");
}

/// Waits for what the gateway does at intervals.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn readiness(address: &str) -> Value {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn a_changed_file_is_run_without_dropping_a_request() {
    let before = supergraph(&subgraph(r#"{"data":{"word":"before"}}"#));
    let after = supergraph(&subgraph(r#"{"data":{"word":"after"}}"#));
    let gateway = start(&before, &[("SPACEY_RELOAD_SECONDS", "1")]);
    let file = gateway.folder.path().join("graph.graphql");
    let word = |address: &str| ask(address, "{ word }")["data"]["word"].clone();

    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (address, stop, count) = (gateway.address.clone(), stop.clone(), count.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let word = word(&address);
                    assert!(word == "before" || word == "after", "{word}");
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();

    std::fs::write(&file, "type Query { broken").unwrap();
    let stale = json!("the newest one cannot be used; an older one runs");
    eventually("it says that the file is broken", || {
        readiness(&gateway.address)["supergraph"] == stale
    });
    assert_eq!(word(&gateway.address), "before");

    // As tools do it: written beside, then put in its place.
    let beside = gateway.folder.path().join("new.graphql");
    std::fs::write(&beside, after).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    eventually("it runs the new one", || word(&gateway.address) == "after");
    assert_eq!(readiness(&gateway.address), json!({ "status": "ready" }));

    let away = gateway.folder.path().join("away.graphql");
    std::fs::rename(&file, &away).unwrap();
    eventually("it says that the file is gone", || {
        readiness(&gateway.address)["supergraph"] == stale
    });
    assert_eq!(word(&gateway.address), "after");
    std::fs::rename(&away, &file).unwrap();
    eventually("all is well when it is back", || {
        readiness(&gateway.address) == json!({ "status": "ready" })
    });

    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
    assert!(count.load(Ordering::SeqCst) > 10);
}

#[test]
fn the_settings_file_says_how_subgraphs_are_called() {
    let answer = r#"{"data":{"word":null},"errors":[{"message":"at line 7 of db.js"}]}"#;
    let sdl = supergraph(&subgraph(answer));
    let masked = start(&sdl, &[]);
    let error = ask(&masked.address, "{ word }")["errors"][0].clone();
    assert_eq!(error["message"], "the subgraph answered with an error");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trusting.toml");
    std::fs::write(&file, "[subgraph.word-list]\nerrors_shown = true\n").unwrap();
    let trusting = start(&sdl, &[("SPACEY_CONFIG", file.to_str().unwrap())]);
    let error = ask(&trusting.address, "{ word }")["errors"][0].clone();
    assert_eq!(error["message"], "at line 7 of db.js");
}

#[test]
fn access_tokens_are_looked_at_only_when_that_is_set() {
    let sdl = supergraph(&subgraph(r#"{"data":{"word":"hello"}}"#));
    let message = refused(&sdl, &[("SPACEY_AUTHENTICATION", "true")]);
    assert!(
        message.contains("there is no key in") && message.contains("access-tokens"),
        "{message}"
    );

    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let pem = common::token::AccessTokens::generate_pem().unwrap();
    std::fs::write(&key, pem.expose_secret()).unwrap();
    let environment =
        [("SPACEY_AUTHENTICATION", "true"), ("SPACEY_JWT_KEY_FILE", key.to_str().unwrap())];
    let gateway = start(&sdl, &environment);
    assert_eq!(ask(&gateway.address, "{ word }")["data"]["word"], "hello");
    let mut connection = TcpStream::connect(&gateway.address).unwrap();
    write!(connection, "GET /graphql?query=%7Bword%7D HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[test]
fn a_changed_schema_of_a_running_subgraph_is_composed_and_run() {
    let field = Arc::new(std::sync::Mutex::new("before"));
    let told = field.clone();
    // One answer to whatever is asked: its schema and its data.
    let url = subgraph_of(move || {
        let field = *told.lock().unwrap();
        let sdl = format!("type Query {{ {field}: String }}");
        json!({ "data": { "_service": { "sdl": sdl }, field: "here" } }).to_string()
    });
    let config = format!("subgraphs: {{words: {{schema: {{subgraph_url: '{url}'}}}}}}");
    let from = ["--config", "supergraph.yaml"];
    let gateway = start_from(from, &config, &[("SPACEY_RELOAD_SECONDS", "1")]);
    let here = |query: &str, field: &str| ask(&gateway.address, query)["data"][field] == "here";
    assert!(here("{ before }", "before"));

    *field.lock().unwrap() = "after";
    eventually("it runs the new schema", || here("{ after }", "after"));
    assert!(!here("{ before }", "before"));

    // What is no schema changes nothing but what is said about readiness.
    *field.lock().unwrap() = "after after";
    eventually("it says that it cannot compose", || {
        readiness(&gateway.address)["supergraph"].is_string()
    });
    assert_eq!(ask(&gateway.address, "{ __typename }")["data"]["__typename"], "Query");
}
