//! `spacey gateway --supergraph FILE` as a program: what it needs, what it answers, and what stops its start.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut received = Vec::new();
            let mut chunk = [0; 4096];
            while !received.ends_with(b"}") {
                let count = connection.read(&mut chunk).unwrap();
                received.extend_from_slice(&chunk[..count]);
            }
            let head = String::from_utf8_lossy(&received).into_owned();
            assert!(head.starts_with("POST /words HTTP/1.1"), "{head}");
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

fn command(folder: &Path, sdl: &str) -> Command {
    std::fs::write(folder.join("graph.graphql"), sdl).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
    command
        .args(["gateway", "--supergraph", "graph.graphql", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(sdl: &str, environment: &[(&str, &str)]) -> Gateway {
    let folder = tempfile::tempdir().unwrap();
    let mut program =
        command(folder.path(), sdl).envs(environment.iter().copied()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("The gateway listens on http://").unwrap().to_owned();
    Gateway { program, address, folder }
}

/// What the program says when it does not start.
fn refused(sdl: &str, environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), sdl).envs(environment.iter().copied()).output().unwrap();
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
    assert!(message.contains("graph.graphql") && message.contains("not a supergraph"), "{message}");
}
