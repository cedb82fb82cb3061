//! How long importing 100,000 notes takes in SQLite, from a table and from a package, how much memory the process has had at most, and how long
//! somebody else's change waits meanwhile. `cargo run --release -p decks --example import [NOTES]`.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]
#![expect(clippy::unwrap_used, reason = "it ends at the first surprise")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{Response, Variables};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::viewer::Roles;
use common::{
    Backend, Caller, Clock, Endpoint, SessionId, SubgraphRequest, UserId, Viewer, testing,
};
use serde_json::{Value, json};

const PART: usize = 512 << 10;

#[tokio::main]
async fn main() {
    let notes: usize = std::env::args().nth(1).map_or(100_000, |text| text.parse().unwrap());
    let (_folder, sqlite) = testing::sqlite(decks::MIGRATIONS);
    let decks = decks::open(Backend::Sqlite(sqlite), Vec::new(), Clock::System).await.unwrap();
    let (one, other) = (UserId::new(), UserId::new());
    let table = (0..notes).fold("#deck:Table\n".to_owned(), |mut text, n| {
        writeln!(
            text,
            "What is the fact number {n}?\tIt is that {n} follows {}.",
            n.wrapping_sub(1)
        )
        .unwrap();
        text
    });
    measure(&decks, one, other, "TSV", table.as_bytes()).await;
    let export = "mutation { exportDecks(input: { format: APKG }) { export { id } } }";
    let started = Instant::now();
    let id = ask(&decks, one, export, Value::Null).await["exportDecks"]["export"]["id"].take();
    let job = ended(&decks, one, "exportJob", "parts", &id).await;
    println!("APKG: {:.1} s to export", started.elapsed().as_secs_f64());
    let part = "query($id: ID!, $n: Int!) { exportJob(id: $id) { part(number: $n) } }";
    let mut package = Vec::new();
    for n in 0..job["parts"].as_u64().unwrap() {
        let data = ask(&decks, one, part, json!({ "id": id, "n": n })).await;
        package.extend(STANDARD.decode(data["exportJob"]["part"].as_str().unwrap()).unwrap());
    }
    measure(&decks, UserId::new(), other, "APKG", &package).await;
}

async fn measure(decks: &Arc<dyn Endpoint>, user: UserId, other: UserId, form: &str, file: &[u8]) {
    let import =
        "mutation($input: ImportFileInput!) { importFile(input: $input) { import { id } } }";
    let append = "mutation($input: AppendToImportInput!) { appendToImport(input: $input) { import { id } } }";
    let started = Instant::now();
    let mut id = Value::Null;
    let mut sent = 0;
    for part in file.chunks(PART) {
        let is_complete = sent + part.len() == file.len();
        let data = STANDARD.encode(part);
        if id.is_null() {
            let input = json!({ "name": form, "data": data, "isComplete": is_complete });
            let mut answer = ask(decks, user, import, json!({ "input": input })).await;
            id = answer["importFile"]["import"]["id"].take();
        } else {
            let input =
                json!({ "id": id, "offset": sent, "data": data, "isComplete": is_complete });
            ask(decks, user, append, json!({ "input": input })).await;
        }
        sent += part.len();
    }
    let uploaded = started.elapsed();
    ended(decks, user, "importJob", "name", &id).await;
    let previewed = started.elapsed();
    let run = "mutation($input: RunImportInput!) { runImport(input: $input) { import { id } } }";
    ask(decks, user, run, json!({ "input": { "id": id } })).await;
    let waiting = tokio::spawn(waits(Arc::clone(decks), other));
    let job = ended(decks, user, "importJob", "report { added cards }", &id).await;
    let done = started.elapsed();
    waiting.abort();
    let longest = LONGEST.load(std::sync::atomic::Ordering::Relaxed);
    println!(
        "{form}: {} notes, {} bytes: sent in {:.1} s, looked through in {:.1} s, imported in {:.1} s; somebody else's change waited {longest} ms at most; {} of memory at most",
        job["report"]["added"],
        file.len(),
        uploaded.as_secs_f64(),
        (previewed - uploaded).as_secs_f64(),
        (done - previewed).as_secs_f64(),
        memory(),
    );
}

static LONGEST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Makes a deck again and again, and keeps the longest time that one took.
async fn waits(decks: Arc<dyn Endpoint>, user: UserId) {
    LONGEST.store(0, std::sync::atomic::Ordering::Relaxed);
    let make = "mutation { createDeck(input: { name: \"x\" }) { deck { id } } }";
    loop {
        let started = Instant::now();
        ask(&decks, user, make, Value::Null).await;
        let took = u64::try_from(started.elapsed().as_millis()).unwrap();
        LONGEST.fetch_max(took, std::sync::atomic::Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ended(
    decks: &Arc<dyn Endpoint>,
    user: UserId,
    field: &str,
    fields: &str,
    id: &Value,
) -> Value {
    let document = format!("query($id: ID!) {{ {field}(id: $id) {{ state {fields} }} }}");
    loop {
        let job = ask(decks, user, &document, json!({ "id": id })).await[field].take();
        match job["state"].as_str().unwrap() {
            "PREVIEW" | "DONE" => return job,
            "FAILED" | "CANCELLED" => panic!("{job}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn ask(decks: &Arc<dyn Endpoint>, user: UserId, document: &str, variables: Value) -> Value {
    let viewer = Viewer::new(user, SessionId::new(), Roles::default());
    let request = SubgraphRequest {
        document: document.into(),
        operation_name: None,
        variables: Variables::from_json(variables),
    };
    let caller = Arc::new(Caller::new(Some(viewer), "measure"));
    let response: Response = decks.execute(request, caller).await.unwrap();
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

/// What the system says of the process.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "an unknown amount".to_owned(), |amount| amount.trim().to_owned())
}
