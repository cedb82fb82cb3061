//! Media through GraphQL: uploading, naming in notes, lists, and what is refused.

use std::sync::Arc;

use async_graphql::{Name, Response, Value, Variables};
use bytes::Bytes;
use common::graphql::Upload;
use common::{SubgraphRequest, UserId};
use futures::TryStreamExt;
use serde_json::json;

use crate::support::{Domain, caller};

const UPLOAD: &str =
    "mutation($file: Upload!, $name: String) { uploadMedia(input: { file: $file, name: $name }) {
    media { id name sha256 contentType size url createdAt }
} }";
const GIF: &[u8] = b"GIF89a\x01\0\x01\0";

async fn upload(domain: &Domain, user: UserId, file: &str, name: Option<&str>) -> Response {
    let upload = Upload {
        name: file.into(),
        content_type: Some("text/html".into()),
        bytes: Bytes::from_static(GIF),
    };
    let mut variables = Variables::default();
    variables.insert(Name::new("file"), upload.into());
    variables.insert(Name::new("name"), name.map_or(Value::Null, Value::from));
    let request = SubgraphRequest { document: UPLOAD.into(), operation_name: None, variables };
    domain.endpoint.execute(request, Arc::new(caller(user))).await.unwrap()
}

pub(crate) async fn uploaded(domain: &Domain, user: UserId, name: &str) -> serde_json::Value {
    let response = upload(domain, user, name, None).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()["uploadMedia"]["media"].take()
}

async fn on_both(run: impl AsyncFn(Domain)) {
    run(Domain::sqlite().await.0).await;
    run(Domain::mongo().await.0).await;
}

#[tokio::test]
async fn a_file_is_stored_named_by_notes_listed_and_deleted() {
    on_both(async |domain| {
        let (user, other) = (UserId::new(), UserId::new());
        let media = uploaded(&domain, user, "Ä b.gif").await;
        let id = media["id"].as_str().unwrap();
        assert_eq!(media["name"], "Ä b.gif");
        assert_eq!((&media["contentType"], &media["size"]), (&json!("image/gif"), &json!(10)));
        assert_eq!(media["url"], json!(format!("/media/{id}/%C3%84%20b.gif")));
        assert_eq!(media["createdAt"], "2026-11-24T09:30:00.500Z");
        assert_eq!(media["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(uploaded(&domain, user, "Ä b.gif").await, media);
        uploaded(&domain, user, "unused.gif").await;

        let deck = domain.deck(user, "deck").await;
        let field = |value: &str| json!([{ "name": "Front", "value": value }, { "name": "Back", "value": "b" }]);
        let notes = json!([
            { "type": "BASIC", "fields": field("![](<media:Ä b.gif>) [sound:absent.mp3] <img src=\"unused2.gif\">") },
            { "type": "BASIC", "fields": field("none") },
        ]);
        domain.notes(user, &deck, notes).await;
        let list = "query($deck: ID!, $id: ID!) {
            deck(id: $deck) { cards { nodes { note { media { id name } } } } }
            media(id: $id) { name }
            node(id: $id) { __typename id ... on Media { name } }
        }";
        let data = domain.data(user, list, json!({ "deck": deck, "id": id })).await;
        let notes = &data["deck"]["cards"]["nodes"];
        assert_eq!(notes[0]["note"]["media"], json!([{ "id": id, "name": "Ä b.gif" }]));
        assert_eq!(notes[1]["note"]["media"], json!([]));
        assert_eq!(data["media"]["name"], "Ä b.gif");
        assert_eq!(data["node"], json!({ "__typename": "Media", "id": id, "name": "Ä b.gif" }));

        let files = "query($unused: Boolean, $after: String, $who: [_Any!]!) { _entities(representations: $who) {
            ... on User { mediaFiles(first: 1, after: $after, filter: { unused: $unused }) {
                totalCount totalBytes nodes { name } pageInfo { hasNextPage endCursor }
            } }
        } }";
        let who = json!([{ "__typename": "User", "id": user.to_string() }]);
        let page = |unused: Option<bool>, after: serde_json::Value| {
            domain.data(user, files, json!({ "unused": unused, "after": after, "who": who }))
        };
        let first = page(None, json!(null)).await["_entities"][0]["mediaFiles"].take();
        assert_eq!((&first["totalCount"], &first["totalBytes"]), (&json!(2), &json!(20.0)));
        assert_eq!(first["nodes"], json!([{ "name": "unused.gif" }]));
        let second = page(None, first["pageInfo"]["endCursor"].clone()).await;
        assert_eq!(second["_entities"][0]["mediaFiles"]["nodes"][0]["name"], "Ä b.gif");
        let unused = page(Some(true), json!(null)).await["_entities"][0]["mediaFiles"].take();
        assert_eq!((&unused["totalCount"], &unused["nodes"][0]["name"]), (&json!(1), &json!("unused.gif")));

        // The bytes, through the seam that the gateway uses.
        let file_id = id.parse::<uuid::Uuid>().unwrap();
        let info = domain.endpoint.file(file_id, Arc::new(caller(user))).await.unwrap().unwrap();
        assert_eq!((&*info.name, &*info.content_type, info.size), ("Ä b.gif", "image/gif", 10));
        let bytes = domain.endpoint.clone().file_bytes(file_id, 2..6, Arc::new(caller(user))).await.unwrap();
        let bytes: Vec<Bytes> = bytes.unwrap().try_collect().await.unwrap();
        assert_eq!(bytes.concat(), &GIF[2..6]);
        for stranger in [caller(other), common::Caller::anonymous("r")] {
            let stranger = Arc::new(stranger);
            assert!(domain.endpoint.file(file_id, stranger.clone()).await.unwrap().is_none());
            let bytes = domain.endpoint.clone().file_bytes(file_id, 2..6, stranger).await.unwrap();
            assert!(bytes.is_none());
        }
        let theirs = domain.data(other, list, json!({ "deck": deck, "id": id })).await;
        assert_eq!(theirs, json!({ "deck": null, "media": null, "node": null }));

        let delete = "mutation($ids: [ID!]!, $now: Boolean! = false) { deleteMedia(input: { ids: $ids, forGood: $now }) { deletedIds trashId } }";
        let (code, _) = domain.error(other, delete, json!({ "ids": [id] })).await;
        assert_eq!(code, "NOT_FOUND");
        let data = domain.data(user, delete, json!({ "ids": [id] })).await;
        assert_eq!(data["deleteMedia"]["deletedIds"], json!([id]));
        let shown = async || {
            let data = domain.data(user, list, json!({ "deck": deck, "id": id })).await;
            data["deck"]["cards"]["nodes"][0]["note"]["media"][0]["name"].clone()
        };
        assert_eq!(shown().await, json!(null));
        let restore = "mutation($id: ID!) { restoreDeleted(input: { trashId: $id }) { restored { kind title mediaCount cardCount } } }";
        let entry = json!({ "id": data["deleteMedia"]["trashId"] });
        assert_eq!(domain.error(other, restore, entry.clone()).await.0, "NOT_FOUND");
        let data = domain.data(user, restore, entry.clone()).await;
        let restored = json!({ "kind": "MEDIA", "title": "Ä b.gif", "mediaCount": 1, "cardCount": 0 });
        assert_eq!(data["restoreDeleted"]["restored"], restored);
        assert_eq!(shown().await, "Ä b.gif");
        let data = domain.data(user, delete, json!({ "ids": [id], "now": true })).await;
        assert_eq!(data["deleteMedia"], json!({ "deletedIds": [id], "trashId": null }));
        assert_eq!(shown().await, json!(null));
        assert_eq!(domain.error(user, restore, entry).await.0, "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_upload_is_refused_and_stores_nothing() {
    let (domain, _) = Domain::sqlite().await;
    let user = UserId::new();
    for file in [json!("#__graphql_file__:0"), json!("#__graphql_file__:x"), json!({}), json!(null)]
    {
        let (code, message) = domain.error(user, UPLOAD, json!({ "file": file })).await;
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
    }
    for (file, name, argument) in [
        ("a.png", None, "input.name: ends with .png, but the file is image/gif"),
        ("../../a.gif", None, "input.name: must not hold '/'"),
        ("a.gif", Some("b.svg"), "input.name: must end with one of .png"),
        ("", None, "input.name: has 0 bytes"),
    ] {
        let response = upload(&domain, user, file, name).await;
        let [error] = &response.errors[..] else { panic!("{file}: {:?}", response.errors) };
        assert!(error.message.starts_with(argument), "{}", error.message);
    }
    let response = upload(&domain, user, "blob", Some("fine.gif")).await;
    assert!(response.errors.is_empty());
    let who = json!([{ "__typename": "User", "id": user.to_string() }]);
    let count = "query($who: [_Any!]!) { _entities(representations: $who) { ... on User { mediaFiles { totalCount } } } }";
    let data = domain.data(user, count, json!({ "who": who })).await;
    assert_eq!(data["_entities"][0]["mediaFiles"]["totalCount"], 1);
}
