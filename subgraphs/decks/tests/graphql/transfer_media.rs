//! Files with imports and exports: whole files in a request, media in packages, and exported files over the seam by which files are served.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::graphql::Upload;
use common::{SubgraphRequest, UserId};
use futures::TryStreamExt;
use serde_json::json;

use crate::support::{Domain, caller};
use crate::transfers::reached;

const GIF: &[u8] = b"GIF89a\x01\0\x01\0";
const OTHER: &[u8] = b"GIF89a\x02\0\x02\0";

async fn with_file(
    domain: &Domain,
    user: UserId,
    document: &str,
    name: &str,
    bytes: Bytes,
) -> serde_json::Value {
    let file = Upload { name: name.into(), content_type: None, bytes };
    let mut variables = Variables::default();
    variables.insert(Name::new("file"), Value::from(file));
    let request = SubgraphRequest { document: document.into(), operation_name: None, variables };
    let response = domain.endpoint.execute(request, Arc::new(caller(user))).await.unwrap();
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

async fn store(domain: &Domain, user: UserId, bytes: &'static [u8]) {
    let upload =
        "mutation($file: Upload!) { uploadMedia(input: { file: $file }) { media { id } } }";
    with_file(domain, user, upload, "a b.gif", Bytes::from_static(bytes)).await;
}

/// The bytes that are served under a path.
async fn served(domain: &Domain, user: UserId, url: &str) -> Option<Vec<u8>> {
    let id = url.split('/').nth(2).unwrap().parse().unwrap();
    let caller = Arc::new(caller(user));
    let info = domain.endpoint.file(id, caller.clone()).await.unwrap()?;
    let endpoint = Arc::clone(&domain.endpoint);
    let bytes = endpoint.file_bytes(id, 0..info.size, caller).await.unwrap().unwrap();
    let bytes: Vec<Bytes> = bytes.try_collect().await.unwrap();
    Some(bytes.concat())
}

/// What the files of the first note are, and what it says.
async fn media_of(domain: &Domain, user: UserId) -> (String, Vec<(String, Vec<u8>)>) {
    let query = "query($me: _Any!) { _entities(representations: [$me]) { ... on User { decks(first: 1) { nodes {
        cards(first: 1) { nodes { question note { media { name url } } } } } } } } }";
    let me = json!({ "__typename": "User", "id": user.to_string() });
    let data = domain.data(user, query, json!({ "me": me })).await;
    let card = &data["_entities"][0]["decks"]["nodes"][0]["cards"]["nodes"][0];
    let mut media = Vec::new();
    for file in card["note"]["media"].as_array().unwrap() {
        let bytes = served(domain, user, file["url"].as_str().unwrap()).await.unwrap();
        media.push((file["name"].as_str().unwrap().to_owned(), bytes));
    }
    (card["question"].as_str().unwrap().to_owned(), media)
}

const RUN: &str = "mutation($id: ID!) { runImport(input: { id: $id }) { import { id } } }";

/// Exports all of a person's decks. Answers the file, which nobody else is given.
async fn exported(domain: &Domain, user: UserId, other: UserId, format: &str) -> Vec<u8> {
    let export = "mutation($format: FileFormat!) { exportDecks(input: { format: $format }) { export { id } } }";
    let data = domain.data(user, export, json!({ "format": format })).await;
    let id = data["exportDecks"]["export"]["id"].clone();
    let query = "query($id: ID!) { exportJob(id: $id) { state url media } }";
    let job = loop {
        let data = domain.data(user, query, json!({ "id": id })).await;
        if data["exportJob"]["state"] == "DONE" {
            break data["exportJob"].clone();
        }
        assert_ne!(data["exportJob"]["state"], "FAILED");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(job["media"], 1);
    let url = job["url"].as_str().unwrap();
    assert_eq!(served(domain, other, url).await, None, "it is its owner's");
    served(domain, user, url).await.unwrap()
}

/// Sends a whole file to import. Answers the import's id.
async fn sent(domain: &Domain, user: UserId, name: &str, file: Vec<u8>) -> String {
    let import =
        "mutation($file: Upload!) { importFile(input: { file: $file }) { import { id name } } }";
    let data = with_file(domain, user, import, name, file.into()).await;
    assert_eq!(data["importFile"]["import"]["name"], name);
    data["importFile"]["import"]["id"].as_str().unwrap().to_owned()
}

/// The names of a person's files, and how many bytes of media are counted.
async fn files(domain: &Domain, user: UserId) -> (Vec<String>, i64) {
    let query = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
        mediaFiles(first: 100) { totalBytes nodes { name } } } } }";
    let me = json!({ "__typename": "User", "id": user.to_string() });
    let data = domain.data(user, query, json!({ "me": me })).await;
    let files = &data["_entities"][0]["mediaFiles"];
    let nodes = files["nodes"].as_array().unwrap().iter();
    let names = nodes.map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    (names, files["totalBytes"].as_f64().unwrap() as i64)
}

#[tokio::test]
async fn an_import_that_is_called_off_takes_its_media_along_and_no_others() {
    let front = |n| json!({ "name": "Front", "value": format!("{n} <img src=own.gif>") });
    let back = json!({ "name": "Back", "value": "a" });
    let note = |n| json!({ "type": "BASIC", "fields": [front(n), back], "cards": [{ "ordinal": 0, "deck": ["D"] }] });
    let media =
        |name: String, bytes: &[u8]| json!({ "name": name, "data": STANDARD.encode(bytes) });
    let many = (0..120_u8).map(|n| media(format!("{n}.gif"), &[b"GIF89a", &[n; 9][..]].concat()));
    let own = media("own.gif".to_owned(), GIF);
    let media: Vec<_> = std::iter::once(own).chain(many).collect();
    let notes: Vec<_> = (0..4_000).map(note).collect();
    let file = json!({ "spacey": 1, "decks": [], "notes": notes, "media": media }).to_string();
    // In the order in which it is read.
    let file = file.replacen("{\"decks\":[],", "{\"spacey\":1,\"decks\":[],", 1);
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        store(&domain, user, OTHER).await;
        let before = files(&domain, user).await;
        let id = sent(&domain, user, "x.json", file.clone().into_bytes()).await;
        let job = reached(&domain, user, &id, &["PREVIEW", "FAILED"]).await;
        assert_eq!(
            (&job["preview"]["media"], &job["preview"]["notes"]),
            (&json!(121), &json!(4_000)),
            "{job}"
        );
        domain.data(user, RUN, json!({ "id": id })).await;
        loop {
            let query = "query($id: ID!) { importJob(id: $id) { state progress } }";
            let job = domain.data(user, query, json!({ "id": id })).await["importJob"].take();
            assert!(["QUEUED", "RUNNING"].contains(&job["state"].as_str().unwrap()), "{job}");
            if job["progress"].as_f64().unwrap() > 0.0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        // All of its files are stored, and nothing is seen of them; one of them its owner stores too.
        assert_eq!(files(&domain, user).await, before);
        let upload = "mutation($file: Upload!) { uploadMedia(input: { file: $file }) { media { id name } } }";
        let mine = with_file(&domain, user, upload, "own.gif", Bytes::from_static(GIF)).await;
        let again = with_file(&domain, user, upload, "own.gif", Bytes::from_static(GIF)).await;
        assert_eq!((&mine, &mine["uploadMedia"]["media"]["name"]), (&again, &json!("own.gif")));
        let cancel = "mutation($id: ID!) { cancelImport(input: { id: $id }) { import { state } } }";
        domain.data(user, cancel, json!({ "id": id })).await;
        let job = reached(&domain, user, &id, &["CANCELLED", "DONE", "FAILED"]).await;
        assert_eq!(job["state"], "CANCELLED", "{job}");
        let (names, bytes) = files(&domain, user).await;
        let expected = ["a b.gif".to_owned(), "own.gif".to_owned()];
        assert_eq!((&names[..], bytes), (&expected[..], before.1 + GIF.len() as i64));
        // The room that the others had is free again, and the import can be made anew.
        let id = sent(&domain, user, "x.json", file.clone().into_bytes()).await;
        reached(&domain, user, &id, &["PREVIEW"]).await;
        domain.data(user, RUN, json!({ "id": id })).await;
        let job = reached(&domain, user, &id, &["DONE", "FAILED"]).await;
        assert_eq!(
            (&job["state"], &job["report"]["added"]),
            (&json!("DONE"), &json!(4_000)),
            "{job}"
        );
        let page = files(&domain, user).await;
        assert_eq!(page.1, before.1 + GIF.len() as i64 + 120 * 15);
    }
}

#[tokio::test]
async fn media_go_along_in_packages_and_json() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let [one, other, third, fourth] = [(); 4].map(|()| UserId::new());
        store(&domain, one, GIF).await;
        let deck = domain.deck(one, "deck").await;
        let question = "<img src=\"a b.gif\">";
        let fields =
            json!([{ "name": "Front", "value": question }, { "name": "Back", "value": "b" }]);
        domain.notes(one, &deck, json!([{ "type": "BASIC", "fields": fields }])).await;
        // Where the name is that of another file the new one gets another, in the note too.
        store(&domain, other, OTHER).await;
        for (user, format) in [(other, "APKG"), (third, "APKG"), (fourth, "JSON")] {
            let file = exported(&domain, one, other, format).await;
            let name = format!("x.{}", format.to_lowercase());
            let id = sent(&domain, user, &name, file).await;
            let job = reached(&domain, user, &id, &["PREVIEW"]).await;
            assert_eq!(job["preview"]["media"], 1);
            domain.data(user, RUN, json!({ "id": id })).await;
            let job = reached(&domain, user, &id, &["DONE", "FAILED"]).await;
            assert_eq!(job["state"], "DONE", "{job}");
        }
        for user in [third, fourth] {
            assert_eq!(
                media_of(&domain, user).await,
                (question.to_owned(), vec![("a b.gif".to_owned(), GIF.to_vec())])
            );
        }
        let (text, media) = media_of(&domain, other).await;
        assert_ne!(text, question);
        assert!(
            media.len() == 1 && media[0].0 != "a b.gif" && media[0].1 == GIF,
            "{text} {media:?}"
        );
    }
}
