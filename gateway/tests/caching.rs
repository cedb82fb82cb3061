//! How long answers may be kept: by whom, by which requests, and that whoever has one is not sent it again. In this process and over HTTP.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router};
use gateway::{CostSettings, GatewaySettings, GraphQlSubgraph, Mode, SubgraphSettings, Transport};
use http::{Request, StatusCode};
use serde_json::json;
use std::sync::Arc;
use support::{Answer, Identity, Library, SUPERGRAPH, endpoints, over_http, send, serve};

const PUBLIC: &str = "{ book(id: 1) { title } }";
const MIXED: &str = "{ book(id: 1) { title rating } }";
const PRIVATE: &str = "{ book(id: 1) { title } viewer }";
const SILENT: &str = r#"{ book(id: 1) { title } author(id: "a1") { name } }"#;

async fn both_ways() -> [Library; 2] {
    let (here, memory) = endpoints();
    let transports = over_http(here).await;
    [Library::new(), Library::over(transports, memory, GatewaySettings::default())]
}

fn get(query: &str) -> http::request::Builder {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    Request::get(format!("/graphql?query={query}"))
}

async fn ask(library: &Library, query: &str, if_none_match: &str) -> Answer {
    let request = get(query).header("if-none-match", if_none_match);
    let token = format!("Bearer {}", library.token());
    library.send(request.header("authorization", token).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_strictest_of_the_subgraphs_holds_wherever_they_run() {
    for library in both_ways().await {
        for (query, expected) in [
            (PUBLIC, "public, max-age=60"),
            ("query($id: ID! = 1) { a: book(id: $id) { __typename id } }", "public, max-age=60"),
            (MIXED, "public, max-age=20"),
            (PRIVATE, "private, max-age=30"),
            (SILENT, "no-store"),
            ("{ __typename }", "no-store"),
            ("{ book(id: 2) { title rating } }", "no-store"),
        ] {
            let answer = ask(&library, query, "\"other\"").await;
            assert_eq!(answer.header("cache-control"), expected, "{query}: {}", answer.text());
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("etag").is_empty(), expected == "no-store", "{query}");
            assert!(answer.json().get("data").is_some());
        }
        let private = ask(&library, PRIVATE, "").await;
        assert_eq!(private.header("vary"), "accept, authorization, cookie");
        assert_eq!(ask(&library, PUBLIC, "").await.header("vary"), "accept");
    }
}

#[tokio::test]
async fn whoever_has_the_answer_is_told_so() {
    for library in both_ways().await {
        let first = ask(&library, PUBLIC, "").await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "a strong one: {tag}");
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".into()] {
            let again = ask(&library, PUBLIC, &known).await;
            assert_eq!((again.status, again.text().as_str()), (StatusCode::NOT_MODIFIED, ""));
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("cache-control"), "public, max-age=60");
            assert_eq!(again.header("content-type"), "");
        }
        for (query, known) in
            [("{ book(id: 2) { title } }", &*tag), (PUBLIC, "\"\""), (SILENT, "*")]
        {
            let answer = ask(&library, query, known).await;
            assert_eq!(answer.status, StatusCode::OK, "{query}");
            assert_eq!(answer.header("etag") == tag, query == PUBLIC, "{query}");
        }
        // Another media type is another representation.
        let request = get(PUBLIC).header("accept", "application/graphql-response+json");
        let request = request.header("if-none-match", &tag).body(Body::empty()).unwrap();
        let other = library.send(request).await;
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn who_asks_for_the_head_alone_is_told_the_same() {
    for cost in [
        CostSettings::default(),
        CostSettings { throttle: Mode::Enforce, ..CostSettings::default() },
    ] {
        let library = Library::with(GatewaySettings { cost, ..GatewaySettings::default() });
        let got = ask(&library, PUBLIC, "").await;
        let mut head = get(PUBLIC).header("authorization", format!("Bearer {}", library.token()));
        head = head.method("HEAD").header("x-spacey-csrf", "1");
        let head = library.send(head.body(Body::empty()).unwrap()).await;
        for name in ["etag", "cache-control", "vary", "content-type", "content-length"] {
            assert_eq!(head.header(name), got.header(name), "{name}");
        }
        assert!(!head.header("etag").is_empty() && head.body.is_empty());
    }
}

#[tokio::test]
async fn only_answers_to_get_without_errors_are_kept() {
    let library = Library::new();
    let posted = library.run(PUBLIC, json!({})).await;
    assert_eq!((posted.header("cache-control"), posted.header("etag")), ("no-store", ""));
    for query in ["{ book(id: 1) { title } fails }", "{ nothing }", "mutation { signIn }"] {
        let answer = ask(&library, query, "*").await;
        assert_eq!(answer.header("cache-control"), "no-store", "{query}");
        assert_ne!(answer.status, StatusCode::NOT_MODIFIED, "{query}");
    }
}

#[tokio::test]
async fn an_answer_that_is_shared_is_kept_by_those_who_got() {
    let mut settings = GatewaySettings::default();
    settings.http.share_queries = true;
    let library = Library::with(settings);
    let (got, posted) = tokio::join!(ask(&library, PUBLIC, ""), library.run(PUBLIC, json!({})));
    assert_eq!(got.header("cache-control"), "public, max-age=60");
    assert_eq!(posted.header("cache-control"), "no-store");
    assert_eq!(got.body, posted.body);
}

#[tokio::test]
async fn a_compressed_answer_has_a_tag_of_its_own() {
    let library = Library::new();
    let aliases: String = (0..40).map(|n| format!("b{n}: book(id: {n}) {{ title id }} ")).collect();
    let query = format!("{{ {aliases} }}");
    let plain = ask(&library, &query, "").await.header("etag").to_owned();
    let gzip = |known: String| {
        get(&query).header("accept-encoding", "gzip").header("if-none-match", known)
    };
    let request = gzip(String::new()).body(Body::empty()).unwrap();
    let packed = library.send(request).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let tag = packed.header("etag").to_owned();
    assert_eq!(tag, format!("{}-gzip\"", plain.trim_end_matches('"')));
    let again = library.send(gzip(tag.clone()).body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, &*tag));
}

#[tokio::test]
async fn a_strangers_header_counts_as_what_the_own_subgraphs_say() {
    for (said, expected) in [
        ("public, max-age=90", "public, max-age=90"),
        ("max-age=90", "private, max-age=90"),
        ("no-cache, max-age=90", "no-store"),
    ] {
        let answer = move || async move {
            let body = json!({ "data": { "book": { "title": "told" } } });
            ([("cache-control", said)], Json(body))
        };
        let url = serve(Router::new().route("/", post(answer))).await;
        let stranger = |name| {
            let settings = SubgraphSettings::default();
            Transport::GraphQl(Arc::new(
                GraphQlSubgraph::new(name, url.as_str(), &settings).unwrap(),
            ))
        };
        let transports = ["books", "authors", "reviews"].map(stranger).into();
        let identity = Identity::new();
        let gateway = identity.gateway(SUPERGRAPH, transports, GatewaySettings::default()).unwrap();
        let answer = send(&gateway.router(), get(PUBLIC).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("cache-control"), expected, "{}", answer.text());
    }
}
