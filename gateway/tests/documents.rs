//! Operations that are asked for without their text: automatic persisted queries and trusted documents; and a gateway that answers only these.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;

use axum::body::Body;
use gateway::{DocumentSettings, GatewaySettings, TrustedDocuments, Untrusted};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Answer, Library};

const BOOK: &str = "query Book { book(id: 1) { title } }";

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_hash(hash: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } })
}

fn with_text(hash: &str, text: &str) -> Value {
    let mut body = by_hash(hash);
    body["query"] = text.into();
    body
}

async fn post(library: &Library, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let body = body.to_string();
    let mut request = support::post(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    library.send(request.body(Body::from(body)).unwrap()).await
}

async fn get(library: &Library, pairs: &[(&str, &str)]) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = Request::get(format!("/graphql?{query}")).body(Body::empty()).unwrap();
    library.send(request).await
}

fn with(documents: DocumentSettings) -> Library {
    Library::with(GatewaySettings { documents, ..GatewaySettings::default() })
}

/// Two documents: one for every application, one for version 2 of the phone's.
fn trusting(untrusted: Untrusted) -> Library {
    let mut trusted = TrustedDocuments::default();
    let manifest = json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{ "id": sha256(BOOK), "name": "Book", "type": "query", "body": BOOK }],
    });
    trusted.add(&manifest.to_string(), None, None).unwrap();
    let for_phone = json!({ "viewer-1": "{ viewer }" });
    trusted.add(&for_phone.to_string(), Some("phone"), Some("2")).unwrap();
    with(DocumentSettings { trusted: Arc::new(trusted), untrusted, ..DocumentSettings::default() })
}

fn is_book(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["data"]["book"]["title"].is_string()
}

#[tokio::test]
async fn a_persisted_query_is_known_once_it_was_sent() {
    let library = Library::new();
    let hash = sha256(BOOK);
    let unknown = post(&library, &by_hash(&hash), &[]).await;
    assert_eq!(unknown.status, 200);
    assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(unknown.message(), "PersistedQueryNotFound");
    assert_eq!(unknown.header("cache-control"), "no-store");

    assert!(is_book(&post(&library, &with_text(&hash, BOOK), &[]).await));
    assert!(is_book(&post(&library, &by_hash(&hash), &[]).await));
    // By GET, a cache in front may keep it.
    let extensions = by_hash(&hash)["extensions"].to_string();
    let kept = get(&library, &[("extensions", &extensions)]).await;
    assert!(is_book(&kept));
    assert_eq!(kept.header("cache-control"), "public, max-age=60");
}

#[tokio::test]
async fn nobody_puts_another_text_under_a_hash() {
    let library = Library::new();
    let hash = sha256(BOOK);
    let wrong = post(&library, &with_text(&hash, "{ viewer }"), &[]).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (400, "BAD_REQUEST"));
    assert!(wrong.message().starts_with("provided sha does not match query"));
    assert_eq!(post(&library, &by_hash(&hash), &[]).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn what_cannot_be_run_is_not_kept() {
    let library = Library::new();
    let nonsense = "{ nothing }";
    let hash = sha256(nonsense);
    let refused = post(&library, &with_text(&hash, nonsense), &[]).await;
    assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(post(&library, &by_hash(&hash), &[]).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn persisted_queries_are_bounded_and_can_be_off() {
    // Room for one such text in each of two generations.
    let library = with(DocumentSettings { persisted_bytes: 200, ..DocumentSettings::default() });
    for id in 1..=3 {
        let text = BOOK.replace('1', &id.to_string());
        assert_eq!(post(&library, &with_text(&sha256(&text), &text), &[]).await.status, 200);
    }
    assert_eq!(
        post(&library, &by_hash(&sha256(BOOK)), &[]).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    assert!(is_book(&post(&library, &by_hash(&sha256(&BOOK.replace('1', "3"))), &[]).await));

    let off = with(DocumentSettings { persisted_bytes: 0, ..DocumentSettings::default() });
    let hash = sha256(BOOK);
    assert!(is_book(&post(&off, &with_text(&hash, BOOK), &[]).await));
    let refused = post(&off, &by_hash(&hash), &[]).await;
    assert_eq!(refused.code(), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert_eq!(refused.message(), "PersistedQueryNotSupported");
}

#[tokio::test]
async fn a_mutation_by_hash_is_not_answered_by_get() {
    let library = Library::new();
    let text = "mutation { signIn }";
    let hash = sha256(text);
    let extensions = by_hash(&hash)["extensions"].to_string();
    let pairs = [("extensions", extensions.as_str()), ("query", text)];
    assert_eq!(get(&library, &pairs).await.status, 405);
    assert_eq!(get(&library, &pairs[..1]).await.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn trusted_documents_are_asked_for_in_every_form() {
    for untrusted in [Untrusted::Answered, Untrusted::Logged, Untrusted::Refused] {
        let library = trusting(untrusted);
        let hash = sha256(BOOK);
        for body in [
            json!({ "documentId": format!("sha256:{hash}") }),
            json!({ "documentId": hash }),
            json!({ "id": hash }),
            json!({ "doc_id": hash }),
            by_hash(&hash),
            json!({ "query": BOOK }),
        ] {
            assert!(is_book(&post(&library, &body, &[]).await), "{untrusted:?} {body}");
        }
        assert!(is_book(&get(&library, &[("documentId", &hash)]).await));
        let unknown = post(&library, &json!({ "documentId": "other" }), &[]).await;
        assert_eq!(unknown.code(), "PERSISTED_DOCUMENT_NOT_FOUND");
        assert_eq!(unknown.status, 400);
    }
}

#[tokio::test]
async fn a_document_is_for_its_application() {
    let library = trusting(Untrusted::Refused);
    let viewer = json!({ "documentId": "viewer-1" });
    for (name, version, code) in [
        ("phone", "2", ""),
        ("phone", "3", "PERSISTED_DOCUMENT_NOT_FOUND"),
        ("desk", "2", "PERSISTED_DOCUMENT_NOT_FOUND"),
    ] {
        for prefix in ["graphql", "apollographql"] {
            let names = [format!("{prefix}-client-name"), format!("{prefix}-client-version")];
            let headers = [(names[0].as_str(), name), (names[1].as_str(), version)];
            assert_eq!(post(&library, &viewer, &headers).await.code(), code, "{name} {version}");
            let by_text = post(&library, &json!({ "query": "{ viewer }" }), &headers).await;
            let refused = if code.is_empty() { "" } else { "DOCUMENT_NOT_TRUSTED" };
            assert_eq!(by_text.code(), refused);
        }
    }
}

#[tokio::test]
async fn only_trusted_documents_are_answered_where_that_is_set() {
    let library = trusting(Untrusted::Refused);
    let other = "{ book(id: 2) { title } }";
    for body in [
        json!({ "query": other }),
        json!({ "query": format!("{BOOK} ") }),
        with_text(&sha256(other), other),
        json!({ "query": "{ __schema { queryType { name } } }" }),
        json!({ "query": "{ nonsense" }),
    ] {
        let refused = post(&library, &body, &[]).await;
        assert_eq!(refused.code(), "DOCUMENT_NOT_TRUSTED", "{body}");
        assert_eq!(refused.status, 403);
    }
    // Nothing of what was refused is known by its hash.
    assert_eq!(
        post(&library, &by_hash(&sha256(other)), &[]).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let lax = trusting(Untrusted::Logged);
    assert_eq!(post(&lax, &json!({ "query": other }), &[]).await.status, 200);
}
