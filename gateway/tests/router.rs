//! The gateway as a general router, over subgraphs that speak nothing but GraphQL over HTTP.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use support::plain::run;
use support::{Library, plain};

#[tokio::test(flavor = "multi_thread")]
async fn plain_subgraphs_answer_as_our_own_do() {
    let (transports, received) = plain::library().await;
    let router = plain::router(transports);
    let library = Library::new();
    for query in [
        "query Books { books(first: 5) { id title author { name born } reviews { stars text } } }",
        "{ shelf { __typename ... on Book { title rating } ... on Map { scale } } }",
        "mutation { rename(id: 1, title: \"New\") { title rating author { name } } }",
        "{ __schema { queryType { name } types { name } } }",
    ] {
        let own = library.run(query, json!({})).await;
        assert_eq!(run(&router, query, &[]).await.text(), own.text(), "{query}");
    }
    let books = received[0].all();
    let body: Value = serde_json::from_slice(&books[0].1).unwrap();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["operationName", "query", "variables"]);
    for (headers, _) in books {
        assert_eq!(headers["content-type"], "application/json");
        assert!(headers["accept"].to_str().unwrap().contains("application/json"));
        assert!(!headers.contains_key("authorization"), "nobody signs for strangers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_mean_nothing_to_it() {
    let router = plain::router(plain::library().await.0);
    let answer = run(&router, "{ viewer }", &[("authorization", "Bearer nonsense")]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, "{\"data\":{\"viewer\":null}}".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_without_asking_the_subgraphs() {
    let router = plain::router(plain::library().await.0);
    let request = Request::get("/health/ready").body(Body::empty()).unwrap();
    let answer = support::send(&router, request).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "status": "ready" })));
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_plain_subgraphs_reach_the_client() {
    let router = plain::router(plain::library().await.0);
    let answer = run(&router, "mutation { signIn }", &[]).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["one=1; HttpOnly", "two=2; Path=/"]);
    assert!(!answer.headers.contains_key("x-other"));
}
