//! Imports and exports through GraphQL: what a file becomes, that an import is there whole or not at all, and that what is exported gives the
//! same again.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Backend, Clock, Event, UserId};
use serde_json::{Value, json};

use crate::support::Domain;

const IMPORT: &str =
    "mutation($input: ImportFileInput!) { importFile(input: $input) { import { id state size } } }";
const APPEND: &str = "mutation($input: AppendToImportInput!) { appendToImport(input: $input) { import { id state size } } }";
const RUN: &str =
    "mutation($input: RunImportInput!) { runImport(input: $input) { import { id state } } }";
const CANCEL: &str =
    "mutation($input: CancelImportInput!) { cancelImport(input: $input) { import { state } } }";
const EXPORT: &str =
    "mutation($input: ExportDecksInput!) { exportDecks(input: $input) { export { id state } } }";
const JOB: &str = "query($id: ID!) { importJob(id: $id) {
    state format size progress error { code message }
    preview { notes cards reviews media hasScheduling decks { path cards } problems { place message } problemCount
        sample { type deck fields { name value } tags } }
    report { added updated skipped cards reviews problems { place message } problemCount }
} }";
const EXPORTED: &str = "query($id: ID!) { exportJob(id: $id) { state size parts notes cards problemCount error { code message } } }";

async fn both() -> [Domain; 2] {
    [Domain::sqlite().await.0, Domain::mongo().await.0]
}

/// Sends a file, in parts where it is long. Answers the import's id.
pub(crate) async fn send(domain: &Domain, user: UserId, name: &str, file: &[u8]) -> String {
    let mut parts = file.chunks(500_000);
    let first = parts.next().unwrap_or_default();
    let mut sent = first.len();
    let input =
        json!({ "name": name, "data": STANDARD.encode(first), "isComplete": sent == file.len() });
    let data = domain.data(user, IMPORT, json!({ "input": input })).await;
    let id = data["importFile"]["import"]["id"].as_str().unwrap().to_owned();
    for part in parts {
        let (offset, data) = (sent, STANDARD.encode(part));
        sent += part.len();
        let input =
            json!({ "id": id, "offset": offset, "data": data, "isComplete": sent == file.len() });
        domain.data(user, APPEND, json!({ "input": input })).await;
    }
    id
}

/// Waits until an import is in one of these states.
pub(crate) async fn reached(domain: &Domain, user: UserId, id: &str, states: &[&str]) -> Value {
    for _ in 0..3_000 {
        let job = domain.data(user, JOB, json!({ "id": id })).await["importJob"].take();
        if states.contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{id} did not become {states:?}")
}

const OVER: &[&str] = &["DONE", "FAILED", "CANCELLED"];

/// Imports a file. Answers the preview and how it ended.
async fn import(domain: &Domain, user: UserId, file: &[u8], options: Value) -> (Value, Value) {
    let id = send(domain, user, "file", file).await;
    let preview = reached(domain, user, &id, &["PREVIEW", "FAILED"]).await;
    if preview["state"] == "FAILED" {
        return (Value::Null, preview);
    }
    let mut input = options;
    input["id"] = json!(id);
    domain.data(user, RUN, json!({ "input": input })).await;
    (preview, reached(domain, user, &id, OVER).await)
}

/// Exports decks. Answers the file and the job.
async fn export(domain: &Domain, user: UserId, input: Value) -> (Vec<u8>, Value) {
    let data = domain.data(user, EXPORT, json!({ "input": input })).await;
    let id = data["exportDecks"]["export"]["id"].clone();
    let mut job = Value::Null;
    for _ in 0..3_000 {
        job = domain.data(user, EXPORTED, json!({ "id": id })).await["exportJob"].take();
        if OVER.contains(&job["state"].as_str().unwrap()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(job["state"], "DONE", "{job}");
    let part = "query($id: ID!, $n: Int!) { exportJob(id: $id) { part(number: $n) } }";
    let mut file = Vec::new();
    for n in 0..job["parts"].as_u64().unwrap() {
        let data = domain.data(user, part, json!({ "id": id, "n": n })).await;
        file.extend(STANDARD.decode(data["exportJob"]["part"].as_str().unwrap()).unwrap());
    }
    assert_eq!(file.len() as u64, job["size"].as_u64().unwrap());
    (file, job)
}

/// Paths of a person's decks with how many cards are in each, and all questions by deck.
async fn shelf(domain: &Domain, user: UserId) -> Value {
    let query = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
        decks(first: 500, orderBy: { field: NAME, direction: ASC }) { nodes { path cardCount cards(first: 500) { nodes {
            question answer note { guid type tags fields { name value } }
        } } } }
    } } }";
    let me = json!({ "__typename": "User", "id": user.to_string() });
    domain.data(user, query, json!({ "me": me })).await["_entities"][0]["decks"]["nodes"].take()
}

const TABLE: &str = "#separator:tab\n#html:true\n#guid column:1\n#notetype column:2\n#deck column:3\n#tags column:4\n\
    g1\tBasic\tA::B\tx y::z\tq1\ta1\n\
    g2\tBasic (and reversed card)\tA\t\tq2\ta2\textra\n\
    g3\tCloze\tA::B\t\t{{c1::one}} {{c3::three}}\tmore\n\
    g4\tBasic\tA\t\tonly a front\n\
    g1\tBasic\tA\t\ttwice\tthe same id\n";

#[tokio::test]
async fn a_table_is_looked_through_and_then_imported() {
    for domain in both().await {
        let user = UserId::new();
        let id = send(&domain, user, "words.tsv", TABLE.as_bytes()).await;
        let job = reached(&domain, user, &id, &["PREVIEW"]).await;
        let preview = &job["preview"];
        assert_eq!(job["format"], "TSV");
        assert_eq!([&preview["notes"], &preview["cards"]], [4, 6]);
        let decks = json!([{ "path": ["A", "B"], "cards": 3 }, { "path": ["A"], "cards": 3 }]);
        assert_eq!(preview["decks"], decks);
        assert_eq!(preview["sample"][0]["tags"], json!(["x", "y::z"]));
        let problem = &preview["problems"][0];
        assert_eq!(problem["place"], "line 10, column 1");
        assert!(problem["message"].as_str().unwrap().contains("Back"), "{problem}");
        assert_eq!(shelf(&domain, user).await, json!([]), "nothing is changed by looking");
        assert_eq!(domain.heard.take(), []);

        let run = json!({ "input": { "id": id } });
        domain.data(user, RUN, run.clone()).await;
        let job = reached(&domain, user, &id, OVER).await;
        assert_eq!(job["state"], "DONE", "{job}");
        let report = &job["report"];
        assert_eq!([&report["added"], &report["skipped"], &report["cards"]], [3, 1, 5]);
        assert_eq!(report["problemCount"], 2, "no back, and the same id twice");
        domain.data(user, RUN, run).await;
        let found = shelf(&domain, user).await;
        let counts: Vec<_> =
            found.as_array().unwrap().iter().map(|deck| &deck["cardCount"]).collect();
        assert_eq!(counts, [2, 3], "{found}");
        assert_eq!(found[1]["path"], json!(["A", "B"]));
        let note = &found[0]["cards"]["nodes"][0]["note"];
        assert_eq!((&note["guid"], &note["type"]), (&json!("g2"), &json!("BASIC_REVERSED")));
        assert_eq!(note["fields"][2], json!({ "name": "Field 3", "value": "extra" }));
        let cards = domain.heard.take().into_iter().filter(|event| matches!(event, Event::Card(_)));
        assert_eq!(cards.count(), 5, "others are told of each card");
    }
}

#[tokio::test]
async fn notes_that_are_there_are_skipped_updated_or_kept_beside() {
    for domain in both().await {
        let user = UserId::new();
        let root = domain.deck(user, "root").await;
        let table = |back: &str| format!("#guid column:1\n#deck:D\ng1\tq\t{back}\ng2\tx\ty\n");
        let report = |job: &Value| {
            let report = &job["report"];
            ["added", "updated", "skipped"].map(|part| report[part].as_u64().unwrap())
        };
        let run = async |back: &str, duplicates: &str| {
            let options = json!({ "deckId": root, "duplicates": duplicates });
            let (_, job) = import(&domain, user, table(back).as_bytes(), options).await;
            assert_eq!(job["state"], "DONE", "{job}");
            report(&job)
        };
        assert_eq!(run("one", "SKIP").await, [2, 0, 0]);
        assert_eq!(run("two", "SKIP").await, [0, 0, 2]);
        assert_eq!(run("two", "UPDATE").await, [0, 1, 1], "what says the same is no update");
        let found = shelf(&domain, user).await;
        assert_eq!(found[0]["path"], json!(["root", "D"]), "{found}");
        assert_eq!(found[0]["cards"]["nodes"][0]["answer"], "two");
        assert_eq!(run("three", "KEEP_BOTH").await, [2, 0, 0]);
        assert_eq!(shelf(&domain, user).await[0]["cardCount"], 4);
    }
}

#[tokio::test]
async fn what_is_exported_as_json_gives_the_same_again() {
    for domain in both().await {
        let (one, other) = (UserId::new(), UserId::new());
        let (_, job) = import(&domain, one, TABLE.as_bytes(), json!({})).await;
        assert_eq!(job["state"], "DONE");
        let all = json!({ "format": "JSON" });
        let (file, exported) = export(&domain, one, all.clone()).await;
        assert_eq!((&exported["notes"], &exported["cards"]), (&json!(3), &json!(5)));
        let (preview, job) = import(&domain, other, &file, json!({})).await;
        assert_eq!((&preview["format"], &job["state"]), (&json!("JSON"), &json!("DONE")));
        assert_eq!(job["report"]["problemCount"], 0, "{job}");
        assert_eq!(shelf(&domain, one).await, shelf(&domain, other).await);
        let text = |file: &[u8]| String::from_utf8(file.to_vec()).unwrap();
        let (again, _) = export(&domain, other, all).await;
        assert_eq!(text(&again), text(&file));

        let (csv, _) = export(&domain, one, json!({ "format": "CSV" })).await;
        let (_, job) = import(&domain, one, &csv, json!({})).await;
        assert_eq!(job["report"]["skipped"], 3, "its global ids are in it: {job}");
        let (markdown, _) = export(&domain, one, json!({ "format": "MARKDOWN" })).await;
        let (preview, job) = import(&domain, one, &markdown, json!({})).await;
        assert_eq!(
            (&preview["format"], &job["report"]["skipped"]),
            (&json!("MARKDOWN"), &json!(3))
        );
        let third = UserId::new();
        let (_, job) = import(&domain, third, &markdown, json!({})).await;
        assert_eq!(
            (&job["report"]["added"], &job["report"]["problemCount"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(shelf(&domain, one).await, shelf(&domain, third).await);
        let markdown = text(&markdown);
        assert!(markdown.starts_with("---\n") && markdown.contains("# A::B\n"), "{markdown}");
        assert!(markdown.contains("Q: {{c1::one}}") && markdown.contains("`y::z`"), "{markdown}");
        let (apkg, job) = export(&domain, one, json!({ "format": "APKG" })).await;
        assert_eq!(job["problemCount"], 1, "the extra field has no place in it");
        let (preview, job) = import(&domain, UserId::new(), &apkg, json!({})).await;
        assert_eq!(preview["preview"]["cards"], 5);
        assert_eq!(job["report"]["added"], 3, "{job}");
    }
}

#[tokio::test]
async fn a_package_of_another_program_is_imported() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("anki/tests/fixtures/anki-apkg-export.apkg");
    let file = std::fs::read(path).unwrap();
    for domain in both().await {
        let user = UserId::new();
        let (preview, job) = import(&domain, user, &file, json!({})).await;
        assert_eq!(job["state"], "DONE", "{job}");
        assert_eq!(job["report"]["added"], preview["preview"]["notes"]);
        assert!(job["report"]["cards"].as_u64().unwrap() > 0);
    }
}

#[tokio::test]
async fn what_is_no_such_file_is_refused_and_changes_nothing() {
    for domain in both().await {
        let user = UserId::new();
        for (file, part) in [
            (&b"PK\x03\x04 and no archive"[..], "ZIP"),
            (b"{\"spacey\": 1, \"notes\": [", "JSON"),
            (b"{}", "spacey"),
            (b"\xff\xfea\0", "UTF-16"),
            (b"a,\"open\nb,c\n", "quotation mark"),
        ] {
            let (_, job) = import(&domain, user, file, json!({})).await;
            let message = job["error"]["message"].as_str().unwrap();
            assert_eq!(job["error"]["code"], "BAD_FILE");
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(shelf(&domain, user).await, json!([]));
        assert_eq!(domain.heard.take(), []);
        let refused =
            async |input: Value| domain.error(user, IMPORT, json!({ "input": input })).await;
        let (code, _) = refused(json!({ "name": "x", "data": "###" })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        let (code, _) = refused(json!({ "name": "x", "data": "", "isComplete": true })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        let long = STANDARD.encode(vec![0; (512 << 10) + 1]);
        let (code, message) = refused(json!({ "name": "x", "data": long })).await;
        assert!(code == "BAD_USER_INPUT" && message.contains("524288"), "{message}");
        let (preview, _) = import(&domain, user, b"---\n---\nA: to nothing\n", json!({})).await;
        let problem = json!({ "place": "line 3", "message": "left out: A: without Q:" });
        assert_eq!(preview["preview"]["problems"], json!([problem]));
    }
}

#[tokio::test]
async fn a_file_is_sent_in_parts_each_of_them_once() {
    for domain in both().await {
        let (user, other) = (UserId::new(), UserId::new());
        let input =
            json!({ "name": "a.csv", "data": STANDARD.encode("q1,a1\n"), "isComplete": false });
        let data = domain.data(user, IMPORT, json!({ "input": input })).await;
        let id = data["importFile"]["import"]["id"].clone();
        let part = |offset: u64, text: &str, is_complete: bool| json!({ "input": { "id": id, "offset": offset, "data": STANDARD.encode(text), "isComplete": is_complete } });
        let (code, message) = domain.error(user, APPEND, part(3, "q2,a2\n", false)).await;
        assert!(code == "CONFLICT" && message.contains("6 bytes"), "{message}");
        assert_eq!(domain.error(other, APPEND, part(6, "q2,a2\n", false)).await.0, "NOT_FOUND");
        for _ in 0..2 {
            let data = domain.data(user, APPEND, part(6, "q2,a2\n", true)).await;
            assert_eq!(data["appendToImport"]["import"]["size"], 12);
        }
        let id = id.as_str().unwrap();
        let job = reached(&domain, user, id, &["PREVIEW"]).await;
        assert_eq!(job["preview"]["notes"], 2);
        let run = json!({ "input": { "id": id } });
        assert_eq!(domain.error(other, RUN, run).await.0, "NOT_FOUND");
        let query = "query($id: ID!) { importJob(id: $id) { id } importJobs { id } }";
        let seen = domain.data(other, query, json!({ "id": id })).await;
        assert_eq!(seen, json!({ "importJob": null, "importJobs": [] }));
    }
}

#[tokio::test]
async fn a_person_has_a_bounded_number_under_way() {
    let (domain, _) = Domain::sqlite().await;
    let user = UserId::new();
    let input = json!({ "input": { "name": "x", "data": "YQ==", "isComplete": false } });
    let mut last = String::new();
    for _ in 0..3 {
        let data = domain.data(user, IMPORT, input.clone()).await;
        last = data["importFile"]["import"]["id"].as_str().unwrap().to_owned();
    }
    assert_eq!(domain.error(user, IMPORT, input.clone()).await.0, "LIMIT_EXCEEDED");
    domain.data(user, CANCEL, json!({ "input": { "id": last } })).await;
    reached(&domain, user, &last, OVER).await;
    domain.data(user, IMPORT, input).await;
}

fn many(count: usize) -> String {
    (0..count).fold("#deck:Many\n".to_owned(), |mut text, n| {
        text.push_str(&format!("question {n}\tanswer {n}\n"));
        text
    })
}

#[tokio::test]
async fn an_import_that_is_called_off_leaves_nothing() {
    for domain in both().await {
        let user = UserId::new();
        let id = send(&domain, user, "many.tsv", many(4_000).as_bytes()).await;
        reached(&domain, user, &id, &["PREVIEW"]).await;
        domain.data(user, RUN, json!({ "input": { "id": id } })).await;
        let job = reached(&domain, user, &id, &["RUNNING", "COMMITTING", "DONE"]).await;
        assert_eq!(job["state"], "RUNNING", "it takes longer than that");
        assert_eq!(shelf(&domain, user).await, json!([]), "nothing is seen of it");
        domain.data(user, CANCEL, json!({ "input": { "id": id } })).await;
        let job = reached(&domain, user, &id, OVER).await;
        assert_eq!(job["state"], "CANCELLED", "{job}");
        assert_eq!(shelf(&domain, user).await, json!([]));
        assert_eq!(domain.heard.take(), []);
        // It can be begun anew.
        let (_, job) = import(&domain, user, many(20).as_bytes(), json!({})).await;
        assert_eq!(job["report"]["added"], 20);
    }
}

/// As after a kill: all that runs is dropped at once, wherever it is.
#[test]
fn an_import_that_broke_off_is_there_whole_after_a_restart() {
    let (folder, sqlite) = common::testing::sqlite(decks::MIGRATIONS);
    let user = UserId::new();
    for (round, state) in ["READING", "RUNNING", "COMMITTING"].into_iter().enumerate() {
        let start = || tokio::runtime::Runtime::new().unwrap();
        let open = async || {
            let clock = Clock::manual("2026-11-24T09:30:00.5Z".parse().unwrap());
            Domain::opened(Backend::Sqlite(sqlite.clone()), clock, None).await
        };
        let first = start();
        let id = first.block_on(async {
            let domain = open().await;
            let file = many(3_000).replace("Many", state);
            let id = send(&domain, user, "many.tsv", file.as_bytes()).await;
            if state != "READING" {
                reached(&domain, user, &id, &["PREVIEW"]).await;
                let run = json!({ "input": { "id": id, "duplicates": "KEEP_BOTH" } });
                domain.data(user, RUN, run).await;
                let job = reached(&domain, user, &id, &[state, "DONE"]).await;
                assert_eq!(job["state"], state, "it takes longer than that");
            }
            id
        });
        first.shutdown_background();
        let second = start();
        second.block_on(async {
            let domain = open().await;
            if state == "READING" {
                reached(&domain, user, &id, &["PREVIEW"]).await;
                let run = json!({ "input": { "id": id, "duplicates": "KEEP_BOTH" } });
                domain.data(user, RUN, run).await;
            }
            let job = reached(&domain, user, &id, OVER).await;
            assert_eq!((&job["state"], &job["report"]["added"]), (&json!("DONE"), &json!(3_000)));
            let found = shelf(&domain, user).await;
            let found = found.as_array().unwrap();
            assert_eq!(found.len(), round + 1);
            assert!(found.iter().all(|deck| deck["cardCount"] == 3_000), "after {state}");
        });
        let rows = |connection: &rusqlite::Connection| {
            let sql = "SELECT (SELECT count(*) FROM card), (SELECT count(*) FROM card WHERE trash_id IS NOT NULL),
                (SELECT count(*) FROM trash), (SELECT count(*) FROM transfer_part), (SELECT count(*) FROM transfer_item)";
            let row = |row: &rusqlite::Row<'_>| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
            };
            Ok(connection.query_row(sql, [], row)?)
        };
        let counts: [i64; 5] = second.block_on(sqlite.read(rows)).unwrap();
        assert_eq!(counts, [3_000 * (round as i64 + 1), 0, 0, 0, 0], "after {state}");
        second.shutdown_background();
    }
    drop(folder);
}

#[tokio::test]
async fn an_export_says_that_learning_does_not_answer() {
    let domain = Domain::without_learning().await;
    let user = UserId::new();
    let deck = domain.deck(user, "deck").await;
    domain.cards(user, &deck, &["q"]).await;
    let begin = async |with_scheduling: bool| {
        let input = json!({ "format": "JSON", "withScheduling": with_scheduling });
        let data = domain.data(user, EXPORT, json!({ "input": input })).await;
        let id = data["exportDecks"]["export"]["id"].clone();
        for _ in 0..3_000 {
            let job = domain.data(user, EXPORTED, json!({ "id": id })).await["exportJob"].take();
            if OVER.contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is not over")
    };
    let job = begin(true).await;
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("FAILED"), &json!("SERVICE_UNAVAILABLE"))
    );
    assert_eq!(begin(false).await["state"], "DONE");
}

#[tokio::test]
async fn an_import_is_followed_by_subscription() {
    use common::SubgraphRequest;
    use futures::StreamExt;

    let (domain, _) = Domain::sqlite().await;
    let user = UserId::new();
    let id = send(&domain, user, "many.tsv", many(10).as_bytes()).await;
    let follow = async |id: &str, user: UserId| {
        let request = SubgraphRequest {
            document: "subscription($id: ID!) { importProgress(id: $id) { state progress } }"
                .into(),
            operation_name: None,
            variables: async_graphql::Variables::from_json(json!({ "id": id })),
        };
        let caller = std::sync::Arc::new(crate::support::caller(user));
        let answers: Vec<_> = domain.endpoint.subscribe(request, caller).unwrap().collect().await;
        answers
    };
    let answers = follow(&id, user).await;
    let last = answers.last().unwrap();
    assert!(last.errors.is_empty(), "{:?}", last.errors);
    assert_eq!(last.data.clone().into_json().unwrap()["importProgress"]["state"], "PREVIEW");
    domain.data(user, RUN, json!({ "input": { "id": id } })).await;
    let answers = follow(&id, user).await;
    let last = answers.last().unwrap().data.clone().into_json().unwrap();
    assert_eq!(last["importProgress"], json!({ "state": "DONE", "progress": 1.0 }));
    let refused = follow(&id, UserId::new()).await;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].errors[0].message.contains("was not found"), "{:?}", refused[0].errors);
}
