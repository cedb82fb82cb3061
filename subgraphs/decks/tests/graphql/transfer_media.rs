//! Files with imports and exports: whole files in a request, media in packages, and exported files over the seam by which files are served.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
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

#[tokio::test]
async fn media_go_along_in_packages() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let (one, other, third) = (UserId::new(), UserId::new(), UserId::new());
        store(&domain, one, GIF).await;
        let deck = domain.deck(one, "deck").await;
        let question = "<img src=\"a b.gif\">";
        let fields =
            json!([{ "name": "Front", "value": question }, { "name": "Back", "value": "b" }]);
        domain.notes(one, &deck, json!([{ "type": "BASIC", "fields": fields }])).await;
        let export = "mutation { exportDecks(input: { format: APKG }) { export { id } } }";
        let data = domain.data(one, export, json!({})).await;
        let id = data["exportDecks"]["export"]["id"].clone();
        let query = "query($id: ID!) { exportJob(id: $id) { state url media } }";
        let job = loop {
            let data = domain.data(one, query, json!({ "id": id })).await;
            if data["exportJob"]["state"] == "DONE" {
                break data["exportJob"].clone();
            }
            assert_ne!(data["exportJob"]["state"], "FAILED");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert_eq!(job["media"], 1);
        let url = job["url"].as_str().unwrap();
        assert_eq!(served(&domain, other, url).await, None, "it is its owner's");
        let file = served(&domain, one, url).await.unwrap();
        assert!(file.starts_with(b"PK"));

        // Where the name is that of another file the new one gets another, in the note too.
        store(&domain, other, OTHER).await;
        let import = "mutation($file: Upload!) { importFile(input: { file: $file }) { import { id name } } }";
        let run = "mutation($id: ID!) { runImport(input: { id: $id }) { import { id } } }";
        for user in [other, third] {
            let data = with_file(&domain, user, import, "x.apkg", file.clone().into()).await;
            assert_eq!(data["importFile"]["import"]["name"], "x.apkg");
            let id = data["importFile"]["import"]["id"].as_str().unwrap().to_owned();
            let job = reached(&domain, user, &id, &["PREVIEW"]).await;
            assert_eq!(job["preview"]["media"], 1);
            domain.data(user, run, json!({ "id": id })).await;
            let job = reached(&domain, user, &id, &["DONE", "FAILED"]).await;
            assert_eq!(job["state"], "DONE", "{job}");
        }
        assert_eq!(
            media_of(&domain, third).await,
            (question.to_owned(), vec![("a b.gif".to_owned(), GIF.to_vec())])
        );
        let (text, media) = media_of(&domain, other).await;
        assert_ne!(text, question);
        assert!(
            media.len() == 1 && media[0].0 != "a b.gif" && media[0].1 == GIF,
            "{text} {media:?}"
        );
    }
}
