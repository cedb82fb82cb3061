//! `spacey compose` as a program: where schemas come from, where the result goes, and what is said on the way.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use serde_json::{Value, json};

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@inaccessible"])
"#;
const BOOKS: &str = r#"type Query { books: [Book] } type Book @key(fields: "id") { id: ID! title: String secret: String @inaccessible }"#;
const RATINGS: &str = r#"type Book @key(fields: "id") { id: ID! rating: Float }"#;

/// A folder with the schemas.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, sdl) in [("books", BOOKS), ("ratings", RATINGS)] {
        std::fs::write(folder.path().join(name).with_extension("graphql"), format!("{LINK}{sdl}"))
            .unwrap();
    }
    folder
}

fn compose(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spacey"))
        .arg("compose")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn composed(folder: &Path, arguments: &[&str]) -> String {
    let output = compose(folder, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_same_subgraphs_in_any_order_give_the_same_bytes() {
    let folder = folder();
    let books = "books=books.graphql@http://books.example/graphql";
    let first = composed(folder.path(), &[books, "ratings=ratings.graphql"]);
    let second = composed(folder.path(), &["ratings=ratings.graphql", books]);
    assert_eq!(first, second);
    assert!(first.contains(r#"@join__graph(name: "books", url: "http://books.example/graphql")"#));
}

#[test]
fn the_clients_schema_has_no_machinery() {
    let folder = folder();
    let arguments = ["books=books.graphql", "ratings=ratings.graphql", "--api"];
    let api = composed(folder.path(), &arguments);
    assert!(api.contains("rating: Float"), "{api}");
    assert!(!api.contains("join__") && !api.contains("secret"), "{api}");
}

#[test]
fn the_result_goes_where_it_is_wanted() {
    let folder = folder();
    let arguments = ["books=books.graphql", "ratings=ratings.graphql"];
    let expected = composed(folder.path(), &arguments);
    let to_file = [&arguments[..], &["--output", "out.graphql"]].concat();
    assert_eq!(composed(folder.path(), &to_file), "");
    assert_eq!(std::fs::read_to_string(folder.path().join("out.graphql")).unwrap(), expected);
}

/// Two subgraphs that do not compose: a field that both resolve and have not agreed to share.
fn disagreeing() -> tempfile::TempDir {
    let folder = folder();
    let sdl = format!("{LINK}type Book @key(fields: \"id\") {{ id: ID! title: String }}");
    std::fs::write(folder.path().join("ratings.graphql"), sdl).unwrap();
    folder
}

#[test]
fn errors_are_told_with_code_coordinate_and_subgraphs() {
    let folder = disagreeing();
    let arguments = ["books=books.graphql", "ratings=ratings.graphql", "--output", "out.graphql"];
    let output = compose(folder.path(), &arguments);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    let stderr = text(&output.stderr);
    let expected = "error INVALID_FIELD_SHARING at Book.title [books, ratings]: ";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert!(!folder.path().join("out.graphql").exists());

    let as_json = compose(folder.path(), &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(as_json.status.code(), Some(1));
    let findings: Value = serde_json::from_slice(&as_json.stderr).unwrap();
    let error = &findings["errors"][0];
    assert_eq!(
        (&error["code"], &error["severity"], &error["coordinate"], &error["subgraphs"]),
        (
            &json!("INVALID_FIELD_SHARING"),
            &json!("error"),
            &json!("Book.title"),
            &json!(["books", "ratings"])
        )
    );
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert_eq!(findings["hints"], json!([]));
}

#[test]
fn hints_are_told_apart_and_hinder_nothing() {
    let folder = folder();
    let book = "type Book @key(fields: \"id\") { id: ID! rating: Float @shareable }";
    let non_null = book.replace("Float", "Float!");
    let books = format!("{LINK}type Query {{ books: [Book] }} {non_null}");
    std::fs::write(folder.path().join("books.graphql"), books).unwrap();
    std::fs::write(folder.path().join("ratings.graphql"), format!("{LINK}{book}")).unwrap();
    let arguments = ["books=books.graphql", "ratings=ratings.graphql", "--format", "json"];
    let output = compose(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let findings: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(findings["errors"], json!([]));
    assert_eq!(findings["hints"][0]["code"], "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE");
    assert_eq!(findings["hints"][0]["severity"], "hint");
}

/// A running subgraph that tells its schema, and its address.
fn running(sdl: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = json!({ "data": { "_service": { "sdl": sdl } } }).to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut received = [0; 4096];
            let count = connection.read(&mut received).unwrap();
            let request = String::from_utf8_lossy(&received[..count]).into_owned();
            assert!(request.contains("_service"), "{request}");
            let length = answer.len();
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}").unwrap();
        }
    });
    format!("http://{address}/graphql")
}

#[test]
fn a_configuration_names_files_and_running_subgraphs() {
    let folder = folder();
    let url = running(&format!("{LINK}{RATINGS}"));
    std::fs::create_dir(folder.path().join("config")).unwrap();
    let config = format!(
        "federation_version: =2.3.0\nsubgraphs:\n  books:\n    routing_url: http://books.example\n    schema:\n      file: ../books.graphql\n  ratings:\n    schema:\n      subgraph_url: {url}\n"
    );
    std::fs::write(folder.path().join("config/supergraph.yaml"), config).unwrap();
    let from_config = composed(folder.path(), &["--config", "config/supergraph.yaml"]);
    let ratings = format!("ratings=ratings.graphql@{url}");
    let from_files =
        composed(folder.path(), &["books=books.graphql@http://books.example", &ratings]);
    assert_eq!(from_config, from_files);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = folder();
    let output = compose(folder.path(), &["books=absent.graphql"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("absent.graphql"));

    let config = "subgraphs: {ratings: {schema: {subgraph_url: 'http://127.0.0.1:1/graphql'}}}";
    std::fs::write(folder.path().join("supergraph.yaml"), config).unwrap();
    let output = compose(folder.path(), &["--config", "supergraph.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("the subgraph ratings does not tell its schema at"), "{stderr}");
    assert_eq!(compose(folder.path(), &[]).status.code(), Some(2), "nothing to compose");
}

#[test]
fn a_list_without_a_size_is_refused_told_of_or_let_pass() {
    let folder = folder();
    let subgraphs = ["books=books.graphql", "ratings=ratings.graphql"];
    let how = |how: &str| {
        let option = format!("--require-list-size={how}");
        compose(folder.path(), &[subgraphs[0], subgraphs[1], &option])
    };
    let refused = how("error");
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains("LIST_SIZE_MISSING") && told.contains("Query.books"), "{told}");
    assert_eq!(text(&refused.stdout), "");
    let warned = how("warn");
    assert!(warned.status.success() && text(&warned.stderr).contains("Query.books"));
    let silent = how("off");
    assert_eq!((silent.status.code(), text(&silent.stderr).as_str()), (Some(0), ""));
    assert_eq!(silent.stdout, composed(folder.path(), &subgraphs).as_bytes());
}
