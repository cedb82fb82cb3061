//! Anki's packages through decks and learning together, on both stores: what Anki's own library wrote is imported with what was learned, and
//! comes out of an export with the same due dates, intervals, states and reviews, as Anki's library and our own reader find them.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Variables;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{
    Backend, Caller, Clock, Endpoint, Roles, SessionId, SubgraphRequest, UserId, Viewer, testing,
};
use decks::exchange::{self, Found, Incoming};
use decks::model::FileFormat;
use serde_json::{Value, json};

struct Domains {
    decks: Arc<dyn Endpoint>,
    learning: Arc<dyn Endpoint>,
    caller: Arc<Caller>,
}

impl Domains {
    async fn open([decks, learning]: [Backend; 2]) -> Self {
        let learning = learning::open(learning, Vec::new(), Clock::System).await.unwrap();
        let decks = decks::open(decks, vec![learning.clone()], Clock::System).await.unwrap();
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        Self { decks, learning, caller: Arc::new(Caller::new(Some(viewer), "test")) }
    }

    async fn ask(&self, domain: &Arc<dyn Endpoint>, document: &str, variables: Value) -> Value {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let response = domain.execute(request, self.caller.clone()).await.unwrap();
        assert!(response.errors.is_empty(), "{document}: {:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Waits for one of some states.
    async fn reached(&self, field: &str, id: &Value, states: &[&str]) -> Value {
        let document = format!(
            "query($id: ID!) {{ {field}(id: $id) {{ state {} error {{ code message }} }} }}",
            if field == "importJob" {
                "report { added reviews problems { place message } }"
            } else {
                "parts"
            }
        );
        for _ in 0..6_000 {
            let job = self.ask(&self.decks, &document, json!({ "id": id })).await[field].take();
            if states.contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} is never {states:?}")
    }

    async fn import(&self, file: &[u8]) -> Value {
        let import =
            "mutation($input: ImportFileInput!) { importFile(input: $input) { import { id } } }";
        let input = json!({ "name": "a.apkg", "data": STANDARD.encode(file) });
        let data = self.ask(&self.decks, import, json!({ "input": input })).await;
        let id = data["importFile"]["import"]["id"].clone();
        let preview = self.reached("importJob", &id, &["PREVIEW", "FAILED"]).await;
        assert_eq!(preview["state"], "PREVIEW", "{preview}");
        let run =
            "mutation($input: RunImportInput!) { runImport(input: $input) { import { id } } }";
        self.ask(&self.decks, run, json!({ "input": { "id": id } })).await;
        let job = self.reached("importJob", &id, &["DONE", "FAILED"]).await;
        assert_eq!(job["state"], "DONE", "{job}");
        job
    }

    async fn export(&self, format: &str) -> Vec<u8> {
        let export =
            "mutation($input: ExportDecksInput!) { exportDecks(input: $input) { export { id } } }";
        let data = self.ask(&self.decks, export, json!({ "input": { "format": format } })).await;
        let id = data["exportDecks"]["export"]["id"].clone();
        let job = self.reached("exportJob", &id, &["DONE", "FAILED"]).await;
        assert_eq!(job["state"], "DONE", "{job}");
        let part = "query($id: ID!, $n: Int!) { exportJob(id: $id) { part(number: $n) } }";
        let mut file = Vec::new();
        for n in 0..job["parts"].as_u64().unwrap() {
            let data = self.ask(&self.decks, part, json!({ "id": id, "n": n })).await;
            file.extend(STANDARD.decode(data["exportJob"]["part"].as_str().unwrap()).unwrap());
        }
        file
    }
}

/// Runs one of the scripts beside which Anki's files are tested, and returns what it prints.
fn python(script: &str, arguments: &[&Path]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../subgraphs/decks/anki/tests");
    assert!(
        tests.join(".venv/tests").exists(),
        "Anki's own library is not installed beside the tests: run `make test-anki`"
    );
    let output = Command::new(tests.join(".venv/bin/python"))
        .arg("-B")
        .arg(tests.join("python").join(script))
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The notes of a file as an import takes them, by global id, without where they stand in it.
fn notes(path: &Path, format: FileFormat) -> BTreeMap<String, Incoming> {
    let mut notes = BTreeMap::new();
    exchange::read(path, format, &std::env::temp_dir(), None, &mut |found| {
        if let Found::Note(mut note) = found {
            note.place.clear();
            note.created_at = None;
            for card in &mut note.cards {
                // Of new cards it is where they stand in the deck.
                if let Some(schedule) = card.schedule.as_mut().filter(|found| found.state == 0) {
                    schedule.position = None;
                }
            }
            notes.insert(note.guid.text().to_owned(), *note);
        }
        true
    })
    .unwrap();
    notes
}

/// What Anki says of each card by its note's global id and its place among the note's cards, and the reviews of each. Due days are dates.
fn as_anki_says(described: &Value) -> BTreeMap<(String, i64), (Value, Vec<Value>)> {
    let created = described["created"].as_i64().unwrap();
    // A day begins at 4, in UTC.
    let day_zero = (created - 4 * 3_600).div_euclid(86_400);
    let list = |name: &str| described[name].as_array().unwrap().clone();
    let guids: BTreeMap<i64, String> = list("notes")
        .iter()
        .map(|note| (note[0].as_i64().unwrap(), note[1].as_str().unwrap().to_owned()))
        .collect();
    let mut reviews: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for review in list("reviews") {
        let of = review[1].as_i64().unwrap();
        let mut told = review.as_array().unwrap().clone();
        told.remove(1);
        reviews.entry(of).or_default().push(Value::from(told));
    }
    let card = |card: &Value| {
        let number = |index: usize| card[index].as_i64().unwrap();
        let guid = &guids[&number(1)];
        // What no note type here does became a note for each card.
        let made_of = guid
            .rsplit_once('#')
            .and_then(|(note, ordinal)| Some((note.to_owned(), ordinal.parse::<i64>().ok()?)));
        let key = made_of.filter(|_| number(3) == 0).unwrap_or((guid.clone(), number(3)));
        let (kind, home) = (number(5), number(13));
        let due = if home == 0 { number(7) } else { home };
        let due = match kind {
            0 => Value::Null,
            _ if due > 1_000_000_000 => json!(due),
            _ => json!(due + day_zero),
        };
        let data: Value = serde_json::from_str(card[16].as_str().unwrap()).unwrap_or(json!({}));
        let memory = ["s", "d", "dr", "decay", "lrt"].map(|key| data[key].clone());
        // Buried by the person or because of a sibling is one here; a filtered deck is none.
        let queue = match number(6) {
            -3 | -2 => json!("buried"),
            -1 => json!("suspended"),
            _ => json!("out"),
        };
        let rest = [8, 9, 10, 11, 12, 15].map(number);
        let said =
            json!({ "kind": kind, "queue": queue, "due": due, "rest": rest, "memory": memory });
        let reviews = reviews.get(&number(0)).cloned().unwrap_or_default();
        (key, (said, reviews))
    };
    list("cards").iter().map(card).collect()
}

async fn comes_out_as_it_went_in(backends: [[Backend; 2]; 2]) {
    let folder = tempfile::tempdir().unwrap();
    python("anki_writes.py", &[folder.path()]);
    let original: PathBuf = folder.path().join("current.apkg");
    let [first, second] = backends;
    let domains = Domains::open(first).await;
    let report = domains.import(&std::fs::read(&original).unwrap()).await;
    let expected = notes(&original, FileFormat::Apkg);
    assert_eq!(report["report"]["added"], expected.len(), "{report}");

    // Learning has it: the cards are as they were learned, and the reviews count.
    let stats = "query($me: _Any!) { _entities(representations: [$me]) { ... on User { stats { newCards dueToday } } } }";
    let me = json!({ "__typename": "User", "id": domains.caller.viewer.as_ref().unwrap().user });
    let data = domains.ask(&domains.learning, stats, json!({ "me": me })).await;
    let known = expected.values().flat_map(|note| &note.cards);
    let is_new = |card: &&exchange::IncomingCard| card.schedule.is_none_or(|s| s.state == 0);
    let out =
        |card: &&exchange::IncomingCard| card.schedule.is_some_and(|s| s.suspended || s.buried);
    let new = known.filter(|card| is_new(card) && !out(card)).count();
    let found = data["_entities"][0]["stats"]["newCards"].as_u64().unwrap() as usize;
    assert!(
        found >= new && found <= new + 2,
        "{found} new cards where {new} were: those that are put away may count"
    );

    let exported = domains.export("APKG").await;
    let path = folder.path().join("exported.apkg");
    std::fs::write(&path, &exported).unwrap();
    let again = notes(&path, FileFormat::Apkg);
    assert_eq!(again.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (guid, note) in &expected {
        assert_eq!(&again[guid], note, "as our reader finds it");
    }

    // As Anki finds it.
    let opened = tempfile::tempdir().unwrap();
    let found = python("anki_reads.py", &[Path::new("open"), &path, opened.path()]);
    let found = as_anki_says(&serde_json::from_str(&found).unwrap());
    let written = std::fs::read_to_string(folder.path().join("expected.json")).unwrap();
    let written = as_anki_says(&serde_json::from_str(&written).unwrap());
    assert_eq!(found.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    let mut reviewed = 0;
    for (card, said) in &written {
        assert_eq!(&found[card], said, "{card:?}");
        reviewed += said.1.len();
    }
    assert!(reviewed >= 10, "{reviewed} reviews travelled");
    let taken = tempfile::tempdir().unwrap();
    python("anki_reads.py", &[Path::new("import"), &path, taken.path()]);

    // Ours is lossless from one account to another.
    let ours = domains.export("JSON").await;
    let other = Domains::open(second).await;
    other.import(&ours).await;
    let text = |file: Vec<u8>| String::from_utf8(file).unwrap();
    assert_eq!(text(other.export("JSON").await), text(ours));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sqlite() {
    let stores = [decks::MIGRATIONS, learning::MIGRATIONS, decks::MIGRATIONS, learning::MIGRATIONS];
    let stores = stores.map(testing::sqlite);
    let [a, b, c, d] = stores.each_ref().map(|(_, sqlite)| Backend::Sqlite(sqlite.clone()));
    comes_out_as_it_went_in([[a, b], [c, d]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mongodb() {
    let mongo = async || Backend::Mongo(testing::mongo().await);
    let backends = [[mongo().await, mongo().await], [mongo().await, mongo().await]];
    comes_out_as_it_went_in(backends).await;
}
