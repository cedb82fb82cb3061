//! Contents: added, read by the service, marked, deleted; and a service that does not do its part.

mod kept;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Name, Variables};
use bytes::Bytes;
use common::graphql::Upload;
use common::{Caller, SubgraphRequest, UserId};
use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Gateway, Library, Service, TEXT, caller, deleted_account, note};

/// An address of the public internet, which needs no name service. Nothing here connects to it.
const PAGE: &str = "http://93.184.216.34/page";
const ADD: &str = "mutation($url: String!) { addContent(input: { source: { url: $url } }) { content { id status kind source } } }";
const FIELDS: &str = "id status problem title summary text read version annotations { startPath comment } file { size url }";
const READ: &str = "mutation($id: ID!) { setContentRead(input: { contentId: $id, read: true }) { content { read } } }";
const MARK: &str = "mutation($id: ID!, $marks: [AnnotationInput!]!) { annotateContent(input: { contentId: $id, annotations: $marks }) { content { annotations { startPath comment } } } }";
const DELETE: &str =
    "mutation($id: ID!) { deleteContent(input: { contentId: $id }) { deletedId } }";

fn remote(status: &str, more: Value) -> Value {
    let mut content = json!({ "id": "c1", "processing_status": status, "view_text": "", "title": "", "summary": "" });
    for (member, value) in more.as_object().unwrap() {
        content[member] = value.clone();
    }
    content
}

fn success(data: Value) -> Value {
    json!({ "message": "success", "data": data })
}

/// A service that takes what it is given, and has read it.
async fn library() -> (Service, Gateway) {
    let service = Service::answering(note(json!({}))).await;
    let read = json!({ "view_text": TEXT, "title": "T", "summary": "In short." });
    service.library.always("add", 200, success(remote("processing", json!({}))));
    service.library.always("look", 200, success(json!([remote("processed", read)])));
    for how in ["read", "annotate", "delete"] {
        service.library.always(how, 200, json!({ "message": "success", "status_code": 200 }));
    }
    let gateway = Gateway::of(&service).await;
    (service, gateway)
}

impl Gateway {
    async fn add(&self) -> Value {
        self.ask(ADD, json!({ "url": PAGE })).await["addContent"]["content"]["id"].take()
    }

    async fn content(&self, id: &Value) -> Value {
        let document = format!("query($id: ID!) {{ content(id: $id) {{ {FIELDS} }} }}");
        self.ask(&document, json!({ "id": id })).await["content"].take()
    }

    async fn content_when(&self, id: &Value, status: &str) -> Value {
        let document = "query($id: ID!) { content(id: $id) { status } }";
        for _ in 0..1_500 {
            let data = self.ask(document, json!({ "id": id })).await;
            if data["content"]["status"] == status {
                return self.content(id).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is never {status}: {}", self.content(id).await);
    }

    async fn upload(&self, name: &str, bytes: &'static [u8]) -> async_graphql::Response {
        let file =
            Upload { name: name.into(), content_type: None, bytes: Bytes::from_static(bytes) };
        let mut variables = Variables::default();
        variables.insert(Name::new("file"), file.into());
        let document = format!(
            "mutation($file: Upload!) {{ addContent(input: {{ source: {{ file: $file }} }}) {{ content {{ kind source {FIELDS} }} }} }}"
        );
        let request =
            SubgraphRequest { document: document.into(), operation_name: None, variables };
        self.endpoint.execute(request, Arc::new(caller(self.owner))).await.unwrap()
    }
}

async fn eventually(library: &Library, asked: &[String]) {
    for _ in 0..1_500 {
        if library.asked_for_changes() == asked {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(library.asked_for_changes(), asked);
}

#[tokio::test]
async fn a_page_is_added_read_marked_and_deleted() {
    let (service, gateway) = library().await;
    let added = gateway.ask(ADD, json!({ "url": PAGE })).await["addContent"]["content"].take();
    let id = &added["id"];
    assert_eq!(added, json!({ "id": id, "status": "PROCESSING", "kind": "URL", "source": PAGE }));
    let mut content = gateway.content_when(id, "PROCESSED").await;
    content["id"].take();
    let expected = json!({ "id": null, "status": "PROCESSED", "problem": null, "title": "T", "summary": "In short.", "text": TEXT,
        "read": false, "version": 3, "annotations": [], "file": null });
    assert_eq!(content, expected);

    let read = gateway.ask(READ, json!({ "id": id })).await;
    assert_eq!(read["setContentRead"]["content"], json!({ "read": true }));
    let mark = |comment: Value| {
        json!({ "startPath": "/p[1]", "startOffset": 0, "endPath": "/p[1]", "endOffset": 7, "color": "#FFEC87", "text": "😀",
        "comment": comment })
    };
    let marks = json!({ "id": id, "marks": [mark(json!("x")), mark(Value::Null)] });
    gateway.ask(MARK, marks).await;
    let marks = json!({ "id": id, "marks": [mark(json!("\"")) ] });
    gateway.ask(MARK, marks).await;
    let content = gateway.content(id).await;
    assert_eq!(
        content["annotations"],
        json!([{ "startPath": "/p[1]", "comment": "\"" }]),
        "replaced"
    );
    assert_eq!((&content["read"], &content["version"]), (&json!(true), &json!(6)));
    let all = gateway
        .ask(
            "{ contents { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage } } }",
            json!({}),
        )
        .await;
    assert_eq!(all["contents"]["nodes"], json!([{ "id": id }]));
    assert_eq!(all["contents"]["edges"][0]["node"]["id"], *id);

    gateway.ask(DELETE, json!({ "id": id })).await;
    assert_eq!(gateway.content(id).await, Value::Null);
    let told = |comment: &str| {
        format!(
            "{{\"start_path\":\"/p[1]\",\"start_offset\":0,\"end_path\":\"/p[1]\",\"end_offset\":7,\"color\":\"#FFEC87\",\"text\":\"😀\"{comment}}}"
        )
    };
    let marked = |list: &str| format!("annotate c1 {{\"annotations\":[{list}]}}");
    let sorted = |text: String| {
        let (head, json) = text.split_once('{').unwrap();
        let json: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        format!("{head}{json}")
    };
    eventually(
        &service.library,
        &[
            format!("add {{\"source\":\"{PAGE}\"}}"),
            "read c1 {\"read_status\":true}".to_owned(),
            sorted(marked(&format!("{},{}", told(",\"comment\":\"x\""), told("")))),
            sorted(marked(&told(",\"comment\":\"\\\"\""))),
            "delete c1".to_owned(),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_pdf_is_sent_on_and_its_bytes_come_back_to_its_owner() {
    let (service, gateway) = library().await;
    service.library.always("file", 200, json!("%PDF-1.7 all of it"));
    let response = gateway.upload("Zellen \"1\"/😀.pdf", b"%PDF-1.7 all of it").await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let content = response.data.into_json().unwrap()["addContent"]["content"].take();
    let id: Uuid = content["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (&content["kind"], &content["source"]),
        (&json!("PDF"), &json!("Zellen \"1\"😀.pdf"))
    );
    let url = format!("/content/{id}/Zellen%20%221%22%F0%9F%98%80.pdf");
    assert_eq!(content["file"], json!({ "size": 18.0, "url": url }));
    let sent = "add content-disposition: form-data; name=\"file\"; filename=\"Zellen %221%22😀.pdf\" content-type: application/pdf %PDF-1.7 all of it";
    assert_eq!(service.library.asked_for_changes(), [sent]);

    let by = |user| Arc::new(caller(user));
    let info = gateway.endpoint.file(id, by(gateway.owner)).await.unwrap().unwrap();
    assert_eq!((&*info.content_type, info.size, info.tag.len()), ("application/pdf", 18, 64));
    let bytes = async |range, user| {
        let bytes = gateway.endpoint.clone().file_bytes(id, range, by(user)).await.unwrap()?;
        Some(bytes.try_collect::<Vec<_>>().await.unwrap().concat())
    };
    assert_eq!(bytes(0..18, gateway.owner).await.unwrap(), b"%PDF-1.7 all of it");
    assert_eq!(bytes(5..8, gateway.owner).await.unwrap(), b"1.7");
    assert_eq!(bytes(0..18, UserId::new()).await, None);
    assert_eq!(gateway.endpoint.file(id, by(UserId::new())).await.unwrap(), None);
    assert_eq!(gateway.endpoint.file(Uuid::new_v4(), by(gateway.owner)).await.unwrap(), None);
    service.library.always("file", 404, json!({ "message": "no" }));
    assert_eq!(bytes(0..18, gateway.owner).await, None, "the service lost it");
    service.library.always("file", 500, json!("Internal Server Error"));
    assert!(gateway.endpoint.clone().file_bytes(id, 0..18, by(gateway.owner)).await.is_err());

    let refused = gateway.upload("a.pdf", b"<html>").await;
    assert_eq!(refused.errors[0].message, "input.source.file: is no PDF: only those are accepted");
}

#[tokio::test]
async fn cards_are_made_of_a_content_also_of_one_that_is_still_being_read() {
    let (service, gateway) = library().await;
    service.library.always("look", 200, success(json!([remote("processing", json!({}))])));
    let id = gateway.add().await;
    let input = gateway.input(json!({ "contentId": id, "idempotencyKey": "k" }));
    let job = gateway.start(input.clone()).await;
    gateway.job_when(&job, |job| job["step"] == "READING").await;
    assert_eq!(gateway.start(input).await, job);
    let read = json!({ "view_text": format!(" {TEXT}") });
    service.library.always("look", 200, success(json!([remote("processed", read)])));
    let job = gateway.job_when(&job, |job| job["step"] == "DONE").await;
    assert_eq!((&job["state"], &job["text"]), (&json!("READY"), &json!(TEXT.trim())), "{job}");
    assert_eq!(
        gateway.error(gateway.input(json!({ "contentId": Uuid::nil() }))).await.0,
        "NOT_FOUND"
    );

    // What failed, was deleted or got lost fails the job.
    let failed = json!({ "problem": "It is empty." });
    service.library.always("look", 200, success(json!([remote("failed", failed)])));
    let id = gateway.add().await;
    let content = gateway.content_when(&id, "FAILED").await;
    assert_eq!((&content["problem"], &content["text"]), (&json!("It is empty."), &Value::Null));
    let failure = gateway.failure(gateway.input(json!({ "contentId": id }))).await;
    assert_eq!(failure.0, "GENERATION_SOURCE_UNREADABLE");
    service.library.always("look", 200, success(json!([])));
    let id = gateway.add().await;
    let content = gateway.content_when(&id, "FAILED").await;
    assert!(
        content["problem"].as_str().unwrap().contains("does not have it any more"),
        "{content}"
    );
}

#[tokio::test]
async fn whoever_waits_is_told_by_a_subscription() {
    let (service, gateway) = library().await;
    service.library.always("look", 200, success(json!([remote("processing", json!({}))])));
    let id = gateway.add().await;
    let request = |id: &Value| SubgraphRequest {
        document: "subscription($id: ID!) { contentProgress(id: $id) { status title } }".into(),
        operation_name: None,
        variables: Variables::from_json(json!({ "id": id })),
    };
    let watch = |user| {
        let caller: Caller = caller(user);
        let seen = gateway.endpoint.subscribe(request(&id), Arc::new(caller)).unwrap();
        seen.map(|response| serde_json::to_value(response).unwrap()).boxed()
    };
    let mut seen = watch(gateway.owner);
    let first = seen.next().await.unwrap();
    assert_eq!(first["data"]["contentProgress"], json!({ "status": "PROCESSING", "title": null }));
    let read = remote("processed", json!({ "title": "T" }));
    service.library.always("look", 200, success(json!([read])));
    let last = seen.next().await.unwrap();
    assert_eq!(last["data"]["contentProgress"], json!({ "status": "PROCESSED", "title": "T" }));
    assert_eq!(seen.next().await, None);
    let others: Vec<_> = watch(UserId::new()).collect().await;
    assert_eq!(others[0]["errors"][0]["extensions"]["code"], "NOT_FOUND", "{others:?}");
}

#[tokio::test]
async fn what_leads_inside_or_is_not_taken_leaves_nothing() {
    let (service, gateway) = library().await;
    for (url, why) in [
        ("http://169.254.169.254/latest", "is of a private network"),
        ("ftp://example.org", "is no address"),
        ("http://localhost/", "leads into a private network"),
        ("http://no.such.name.invalid/", "leads into a private network"),
    ] {
        let (code, message) =
            gateway.error_as(caller(gateway.owner), ADD, json!({ "url": url })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with("input.source.url: ") && message.contains(why), "{message}");
    }
    assert_eq!(service.library.asked(), [""; 0]);
    for (status, body, code) in [
        (400, json!({ "message": "no", "error": "bad_source" }), "BAD_USER_INPUT"),
        (409, json!({ "message": "no", "error": "too_many_contents" }), "LIMIT_EXCEEDED"),
        (413, json!({ "message": "no" }), "BAD_USER_INPUT"),
        (500, json!("Internal Server Error"), "GENERATION_UNAVAILABLE"),
        (200, json!({ "message": "success" }), "GENERATION_UNAVAILABLE"),
        (200, json!("{\"data\": {\"id\":"), "GENERATION_UNAVAILABLE"),
    ] {
        service.library.always("add", status, body);
        let error = gateway.error_as(caller(gateway.owner), ADD, json!({ "url": PAGE })).await;
        assert_eq!(error.0, code, "{status}: {}", error.1);
    }
    let all = gateway.ask("{ contents { nodes { id } } }", json!({})).await;
    assert_eq!(all["contents"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_service_that_fails_changes_nothing_and_takes_nothing_else_with_it() {
    let (service, gateway) = library().await;
    let id = gateway.add().await;
    let before = gateway.content_when(&id, "PROCESSED").await;
    let marks = || json!({ "id": id, "marks": [] });
    for (status, body, code) in [
        (500, json!("Internal Server Error"), "GENERATION_UNAVAILABLE"),
        // The service that exists says so of what is absent.
        (200, json!({ "status_code": 404, "message": "not found" }), "CONFLICT"),
        (200, json!({ "status_code": 500, "message": "it broke" }), "GENERATION_UNAVAILABLE"),
        (200, json!("{\"status_code\""), "GENERATION_UNAVAILABLE"),
    ] {
        service.library.always("read", status, body.clone());
        service.library.always("annotate", status, body.clone());
        for (document, variables) in [(READ, json!({ "id": id })), (MARK, marks())] {
            let error = gateway.error_as(caller(gateway.owner), document, variables).await;
            assert_eq!(error.0, code, "{body}: {}", error.1);
        }
    }
    assert_eq!(gateway.content(&id).await, before);
    service.library.always("look", 500, json!("Internal Server Error"));
    let document =
        "query($id: ID!) { content(id: $id) { title text } contents { nodes { title } } }";
    let response = gateway.execute(caller(gateway.owner), document, json!({ "id": id })).await;
    assert_eq!(response.errors.len(), 1);
    let data = response.data.into_json().unwrap();
    assert_eq!((&data["content"]["title"], &data["content"]["text"]), (&json!("T"), &Value::Null));
    assert_eq!(data["contents"]["nodes"][0]["title"], "T");
}

#[tokio::test]
async fn what_the_service_cannot_delete_now_it_deletes_later() {
    let (service, gateway) = library().await;
    let id = gateway.add().await;
    gateway.content_when(&id, "PROCESSED").await;
    service.library.always("delete", 500, json!("Internal Server Error"));
    gateway.ask(DELETE, json!({ "id": id })).await;
    while service.library.asked().last().unwrap() != "delete c1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A restart does not forget it, and that it is gone already is as good.
    service.library.always("delete", 200, json!({ "status_code": 404, "message": "not found" }));
    let again = gateway.restarted().await;
    drop(gateway);
    let deletes = || service.library.asked().iter().filter(|asked| *asked == "delete c1").count();
    while deletes() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Whatever is to be deleted is asked for as often as it is noted what was read.
    let mut counts = Vec::new();
    for _ in 0..3 {
        let id = again.add().await;
        again.content_when(&id, "PROCESSED").await;
        counts.push(deletes());
    }
    assert_eq!(counts[2], counts[1], "it is done");
}

#[tokio::test]
async fn an_account_that_ends_is_deleted_with_the_service_too() {
    for ours in [true, false] {
        let (service, gateway) = library().await;
        if ours {
            service.library.always(
                "forget",
                200,
                json!({ "message": "success", "status_code": 200 }),
            );
        }
        gateway.add().await;
        let gone = deleted_account(gateway.owner);
        gateway.endpoint.apply(vec![gone].into()).await.unwrap();
        let forget = format!("forget {}", gateway.owner);
        let add = format!("add {{\"source\":\"{PAGE}\"}}");
        let once = match ours {
            true => vec![forget.clone()],
            // The one that exists has no such route: what is listed is deleted one by one.
            false => vec![forget.clone(), "delete c1".to_owned()],
        };
        let asked: Vec<_> = std::iter::once(add).chain(once.clone()).collect();
        eventually(&service.library, &asked).await;
        // What it was at for the person when it was told is done a while later.
        gateway.clock.advance(SignedDuration::from_mins(16));
        eventually(&service.library, &[asked, once].concat()).await;
    }
}

#[tokio::test]
async fn a_content_that_is_never_read_is_given_up() {
    let (service, gateway) = library().await;
    service.library.always("look", 200, success(json!([remote("processing", json!({}))])));
    let id = gateway.add().await;
    gateway.clock.advance(SignedDuration::from_mins(16));
    let content = gateway.content_when(&id, "FAILED").await;
    assert!(content["problem"].as_str().unwrap().contains("not read in time"), "{content}");
}
