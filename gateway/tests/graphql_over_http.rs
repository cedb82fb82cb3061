//! The rules of GraphQL over HTTP at the router: methods, media types, statuses, bodies, and the codes that go with them.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use axum::body::Body;
use gateway::{GatewaySettings, HttpSettings};
use http::{Method, Request};
use serde_json::json;
use support::{Answer, Library};

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

async fn post_as(library: &Library, accept: Option<&str>, body: &str) -> Answer {
    let mut request = support::post(body);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    library.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn get(library: &Library, query_string: &str) -> Answer {
    library
        .send(Request::get(format!("/graphql?{query_string}")).body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn an_operation_is_answered_by_post_and_by_get() {
    let library = Library::new();
    let posted = post_as(&library, None, r#"{"query":"{ books(first: 1) { id } }"}"#).await;
    let got = get(&library, "query=%7B%20books(first:%201)%20%7B%20id%20%7D%20%7D").await;
    for answer in [posted, got] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), format!("{JSON}; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.text(), r#"{"data":{"books":[{"id":"0"}]}}"#);
    }
}

#[tokio::test]
async fn operation_name_and_variables_are_used() {
    let library = Library::new();
    let document = "query A($id: ID!) { book(id: $id) { id } } query B { viewer }";
    let body = json!({ "query": document, "operationName": "A", "variables": { "id": "3" } });
    let answer = post_as(&library, None, &body.to_string()).await;
    assert_eq!(answer.text(), r#"{"data":{"book":{"id":"3"}}}"#);
    let body = json!({ "query": document, "operationName": "C" });
    let answer = post_as(&library, Some(GRAPHQL), &body.to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "OPERATION_RESOLUTION_FAILURE")
    );
}

#[tokio::test]
async fn the_status_of_a_request_error_depends_on_the_media_type() {
    let library = Library::new();
    for (body, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({ "query": "query A { viewer } query B { viewer }" }),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({ "query": "query($id: ID!) { book(id: $id) { id } }", "variables": { "id": null } }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query($n: Int!) { books(first: $n) { id } }", "variables": { "n": "x" } }),
            "BAD_USER_INPUT",
        ),
    ] {
        for (accept, status) in [(GRAPHQL, 400), (JSON, 200)] {
            let answer = post_as(&library, Some(accept), &body.to_string()).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}");
            assert!(answer.header("content-type").starts_with(accept));
            let answer = answer.json();
            assert!(answer.get("data").is_none(), "{answer}");
            assert!(answer["errors"][0]["message"].is_string());
        }
    }
}

#[tokio::test]
async fn a_validation_error_says_where() {
    let answer = post_as(&Library::new(), None, r#"{"query":"{\n  nothing }"}"#).await;
    assert_eq!(answer.json()["errors"][0]["locations"], json!([{ "line": 2, "column": 3 }]));
}

#[tokio::test]
async fn what_was_executed_is_200_whatever_went_wrong_in_it() {
    let library = Library::new();
    for accept in [GRAPHQL, JSON] {
        let partial = post_as(&library, Some(accept), r#"{"query":"{ fails viewer }"}"#).await;
        assert_eq!(partial.status, 200);
        assert_eq!(partial.json()["data"], json!({ "fails": null, "viewer": null }));
        assert_eq!(partial.code(), "NO_LUCK");
        assert_eq!(partial.json()["errors"][0]["path"], json!(["fails"]));
        let nothing = post_as(&library, Some(accept), r#"{"query":"{ failsHard }"}"#).await;
        assert_eq!((nothing.status.as_u16(), &nothing.json()["data"]), (200, &json!(null)));
    }
}

#[tokio::test]
async fn a_body_that_is_no_request_is_400_in_either_media_type() {
    let library = Library::new();
    for body in [
        "",
        "NONSENSE",
        "{\"query\":",
        "[]",
        "{}",
        "{\"query\":1}",
        "{\"query\":\"{a}\",\"variables\":[]}",
    ] {
        for accept in [GRAPHQL, JSON] {
            let answer = post_as(&library, Some(accept), body).await;
            let code = if body == "[]" { "BATCH_NOT_ACCEPTED" } else { "BAD_REQUEST" };
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, code), "{body}");
            assert!(answer.header("content-type").starts_with(accept));
        }
    }
    let batch = post_as(&library, None, r#"[{"query":"{ viewer }"}]"#).await;
    assert!(batch.message().starts_with("batches are not accepted"), "{}", batch.message());
    assert_eq!((batch.status.as_u16(), batch.code().as_str()), (400, "BATCH_NOT_ACCEPTED"));
    for (depth, message) in [
        (33, "$a nests 33 levels deep; it may 32 at most"),
        (200, "the body nests 202 levels deep; 127 are read at most"),
    ] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let deep = format!(r#"{{"query":"{{ viewer }}","variables":{{"a":{open}{close}}}}}"#);
        let answer = post_as(&library, None, &deep).await;
        assert_eq!(
            (answer.code(), answer.message()),
            ("VARIABLES_TOO_DEEP".into(), message.into())
        );
    }
    let wide = format!("{{ {} }}", "a: viewer ".repeat(101));
    let answer = post_as(&library, None, &json!({ "query": wide }).to_string()).await;
    let codes: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["extensions"]["code"].clone())
        .collect();
    assert_eq!(codes, ["TOO_MANY_ALIASES", "TOO_MANY_ROOT_FIELDS"]);
}

#[tokio::test]
async fn nothing_acceptable_is_406_and_other_bodies_are_415() {
    let library = Library::new();
    let answer = post_as(&library, Some("text/html"), r#"{"query":"{ viewer }"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (406, "NOT_ACCEPTABLE"));
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/json; charset=utf-16"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = Request::post("/graphql");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer =
            library.send(request.body(Body::from(r#"{"query":"{ viewer }"}"#)).unwrap()).await;
        let got = (answer.status.as_u16(), answer.code());
        assert_eq!(got, (415, "UNSUPPORTED_MEDIA_TYPE".into()), "{content_type:?}");
    }
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_are_answered() {
    let library = Library::new();
    for method in [Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        let request = Request::builder().method(method.clone()).uri("/graphql");
        let answer = library.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
        assert_eq!(answer.code(), "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_mutation_by_get_is_405_and_changes_nothing() {
    let library = Library::new();
    let answer = get(&library, "query=mutation%7BsignIn%7D").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    assert!(!answer.headers.contains_key("set-cookie"), "it was run");
    let both = "query=query%20Q%7Bviewer%7D%20mutation%20M%7BsignIn%7D&operationName=";
    assert_eq!(get(&library, &format!("{both}M")).await.status, 405);
    assert_eq!(get(&library, &format!("{both}Q")).await.status, 200);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let http = HttpSettings { body_limit: 100, query_string_limit: 100, ..HttpSettings::default() };
    let library = Library::with(GatewaySettings { http, ..GatewaySettings::default() });
    let body = json!({ "query": "{ viewer }", "extensions": { "padding": "x".repeat(100) } });
    let answer = post_as(&library, None, &body.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    assert!(answer.message().contains("100 bytes"), "{}", answer.message());
    let answer = get(&library, &format!("query=%7Bviewer%7D&x={}", "y".repeat(100))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (414, "URI_TOO_LONG"));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_ended() {
    let library = Library::new();
    let answer = post_as(&library, None, r#"{"query":"{ sleeps(milliseconds: 29000) }"}"#).await;
    assert_eq!(answer.status, 200);
    let answer = post_as(&library, None, r#"{"query":"{ sleeps(milliseconds: 31000) }"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "GATEWAY_TIMEOUT"));

    let slow = Body::from_stream(futures::stream::pending::<std::io::Result<bytes::Bytes>>());
    let request = Request::post("/graphql").header("content-type", JSON).body(slow).unwrap();
    let answer = library.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (408, "REQUEST_TIMEOUT"));
}

#[tokio::test]
async fn a_broken_resolver_costs_its_own_fields_and_tells_nothing() {
    let answer = post_as(&Library::new(), None, r#"{"query":"{ panics viewer }"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!({ "panics": null, "viewer": null }));
    assert_eq!(answer.code(), "SUBREQUEST_UNREACHABLE");
    assert!(!answer.text().contains("broken"), "{}", answer.text());
}

#[tokio::test]
async fn introspection_is_a_setting() {
    let mut settings = GatewaySettings::default();
    let query = r#"{"query":"{ __schema { queryType { name } } }"}"#;
    let answer = post_as(&Library::with(settings.clone()), None, query).await;
    assert_eq!(answer.json()["data"]["__schema"]["queryType"]["name"], "Query");
    settings.developer.introspection = false;
    let answer = post_as(&Library::with(settings), None, query).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "INTROSPECTION_DISABLED"));
}

#[tokio::test]
async fn there_are_no_extensions_when_there_is_nothing_in_them() {
    let answer = post_as(&Library::new(), None, r#"{"query":"{ viewer }"}"#).await;
    assert_eq!(answer.text(), r#"{"data":{"viewer":null}}"#);
}

#[tokio::test]
async fn a_damaged_body_is_answered_like_any_other() {
    let library = Library::new();
    let good = r#"{"query":"query($id: ID!) { book(id: $id) { id } }","variables":{"id":"3"}}"#;
    for place in 0..good.len() {
        for byte in [b'"', b'{', b'}', b'\\', b'7', 0, 0xff] {
            let mut damaged = good.as_bytes().to_vec();
            damaged[place] = byte;
            let request = support::post(good).body(Body::from(damaged)).unwrap();
            let answer = library.send(request).await;
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{}: {}", place, answer.text());
            assert!(answer.json().is_object());
        }
        let request = support::post(good).body(Body::from(&good[..place])).unwrap();
        assert_eq!(library.send(request).await.status, 400, "{place}");
    }
}
