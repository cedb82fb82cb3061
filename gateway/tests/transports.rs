//! The same operations over both transports: the answers must be the same, byte for byte. And the protocol between a gateway and a
//! subgraph in another process: who is let in, what breaks, what is said then.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use common::event::{Event, UserChanged};
use common::{Caller, Clock, Endpoint, EndpointError, SubgraphRequest, UserId};
use gateway::{GatewaySettings, HttpEndpoint, Transport, subgraph_router};
use serde_json::{Value, json};
use support::{Library, endpoints, over_http, remote, serve, service_tokens};

/// Operations with their variables.
fn operations() -> Vec<(&'static str, Value)> {
    vec![
        ("{ books { id title weight genre tags extra } }", json!({})),
        ("{ books(first: 50) { author { name born } reviews { stars text } rating } }", json!({})),
        (
            "query One($id: ID!) { book(id: $id) { id author { id name } rating } }",
            json!({ "id": "7" }),
        ),
        (
            "query One($id: ID!) { book(id: $id) { id author { id name } rating } }",
            json!({ "id": "none" }),
        ),
        ("{ books { id rating } }", json!({})),
        ("{ shelf { __typename ... on Book { title rating } ... on Map { scale } } }", json!({})),
        ("{ shelf { ... on Book { author { name } } } author(id: \"a1\") { born } }", json!({})),
        ("{ fails books(first: 1) { id } }", json!({})),
        ("{ failsHard books(first: 1) { id } }", json!({})),
        ("{ a: fails b: fails }", json!({})),
        ("{ viewer }", json!({})),
        (
            "{ viewer books(first: 1) { reviews(first: 3) { text } } author(id: \"a2\") { id born } }",
            json!({}),
        ),
        ("query E($o: Order!) { echo(order: $o) }", json!({ "o": {} })),
        (
            "query E($o: Order!) { echo(order: $o) }",
            json!({ "o": { "copies": 3, "price": 0.1, "genre": "NOVEL" } }),
        ),
        (
            "query E($o: Order!) { echo(order: $o) }",
            json!({ "o": { "price": null, "notes": [null, { "b": 1, "a": [1.5, "x", { "c": false }] }, 9_007_199_254_740_993_i64] } }),
        ),
        ("query E($o: Order!) { echo(order: $o) }", json!({ "o": { "price": 3, "notes": [] } })),
        ("{ echo(order: { price: 1e21, genre: ESSAY, notes: [\"ü\\n\\u0001\"] }) }", json!({})),
        (
            "query S($with: Boolean!) { books { id title @include(if: $with) rating @skip(if: $with) } }",
            json!({ "with": true }),
        ),
        (
            "query S($with: Boolean!) { books { id title @include(if: $with) rating @skip(if: $with) } }",
            json!({ "with": false }),
        ),
        (
            "mutation R { rename(id: 4, title: \"New\") { id title rating author { name } } }",
            json!({}),
        ),
        ("mutation R { rename(id: \"x\", title: \"New\") { id } }", json!({})),
        ("mutation Both { signIn rename(id: 1, title: \"T\") { title } again: signIn }", json!({})),
        (
            "fragment B on Book { id ...R } fragment R on Book { rating } { first: book(id: 1) { ...B } second: book(id: 2) { ...B title } }",
            json!({}),
        ),
        ("{ __schema { queryType { name } } __typename books(first: 0) { id } }", json!({})),
        ("{ panics viewer }", json!({})),
        ("{ nothing }", json!({})),
        ("query V($id: ID!) { book(id: $id) { id } }", json!({})),
    ]
}

/// The library with each subgraph behind HTTP, read as the gateway reads it, or as everybody else does: through the seam.
async fn library_over_http(through_the_seam: bool) -> Library {
    let (endpoints, memory) = endpoints();
    let mut transports = over_http(endpoints).await;
    if through_the_seam {
        let plain = |transport| match transport {
            Transport::Http(endpoint) => Transport::InProcess(endpoint),
            other => other,
        };
        transports = transports.into_iter().map(plain).collect();
    }
    Library::over(transports, memory, GatewaySettings::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_transports_give_the_same_bytes() {
    let here = Library::new();
    let mut over_http = [library_over_http(false).await, library_over_http(true).await];
    let mut with_data = 0;
    for (query, variables) in operations() {
        let local = here.run(query, variables.clone()).await;
        for there in &mut over_http {
            there.viewer = here.viewer.clone();
            let remote = there.run(query, variables.clone()).await;
            assert_eq!(local.text(), remote.text(), "{query} {variables}");
            assert_eq!(local.status, remote.status, "{query}");
            let cookies = |answer: &support::Answer| {
                answer.headers.get_all("set-cookie").iter().cloned().collect::<Vec<_>>()
            };
            assert_eq!(cookies(&local), cookies(&remote), "{query}");
        }
        with_data += usize::from(!local.json()["data"].is_null());
    }
    assert!(with_data >= 20, "only {with_data} operations answered data");
}

#[tokio::test]
async fn one_subgraph_may_be_remote_and_the_others_not() {
    let (endpoints, memory) = endpoints();
    let mut transports: Vec<_> = endpoints.iter().cloned().map(Transport::InProcess).collect();
    transports[2] = over_http(vec![endpoints[2].clone()]).await.remove(0);
    let mixed = Library::over(transports, memory, GatewaySettings::default());
    let answer =
        mixed.run("{ viewer books(first: 1) { title reviews { stars } } }", json!({})).await;
    assert_eq!(answer.json()["data"]["viewer"], mixed.viewer.user.to_string());
    assert_eq!(answer.json()["data"]["books"][0]["reviews"][1]["stars"], 2);
}

#[tokio::test]
async fn cookies_of_subgraphs_reach_the_client_and_other_headers_do_not() {
    let (endpoints, memory) = endpoints();
    let there = Library::over(over_http(endpoints).await, memory, GatewaySettings::default());
    for library in [Library::new(), there] {
        let answer = library.run("mutation { signIn }", json!({})).await;
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["one=1; HttpOnly", "two=2; Path=/"]);
        assert!(!answer.headers.contains_key("x-other"));
    }
}

#[tokio::test]
async fn the_seam_is_the_same_through_the_network() {
    let (endpoints, memory) = endpoints();
    let here = endpoints[0].clone();
    let there = remote(
        "books",
        serve(subgraph_router(here.clone(), service_tokens(), Clock::System)).await,
    );

    assert_eq!(there.sdl().await.unwrap(), here.sdl().await.unwrap());
    there.ready().await.unwrap();
    memory.broken.store(true, Ordering::SeqCst);
    assert!(matches!(there.ready().await, Err(EndpointError::Malformed { .. })));

    let event = Event::User(UserChanged {
        user: UserId::new(),
        version: 3,
        deleted: false,
        time_zone: "Europe/Zurich".into(),
        rollover_hour: 4,
    });
    there.apply(vec![event.clone()].into()).await.unwrap();
    assert_eq!(*memory.events.lock().unwrap(), [event]);

    for text in
        ["{ fails books { id weight } }", "mutation { rename(id: 1, title: \"x\") { title } }"]
    {
        let request = SubgraphRequest {
            document: text.into(),
            operation_name: None,
            variables: async_graphql::Variables::default(),
        };
        let caller = Arc::new(Caller::anonymous("r"));
        let local = here.execute(request.clone(), caller.clone()).await.unwrap();
        let remote = there.execute(request, caller).await.unwrap();
        assert_eq!(local.data, remote.data);
        assert_eq!(local.errors, remote.errors);
    }
}

#[tokio::test]
async fn nothing_but_health_is_answered_without_a_service_token() {
    let (endpoints, memory) = endpoints();
    let url = serve(subgraph_router(endpoints[0].clone(), service_tokens(), Clock::System)).await;
    // The client below wants one, though it speaks no TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let old = Clock::System.now() - Duration::from_secs(120);
    let caller = Caller::anonymous("r");
    let foreign = common::token::ServiceTokens::new(&"another secret of sufficient length".into());
    let now = Clock::System.now();
    for token in [
        None,
        Some("x.y.z".to_owned()),
        Some(service_tokens().issue(&caller, old).unwrap()),
        Some(foreign.issue(&caller, now).unwrap()),
    ] {
        for (method, path) in [("POST", "graphql"), ("POST", "events"), ("GET", "sdl")] {
            let mut request = client
                .request(method.parse().unwrap(), url.join(path).unwrap())
                .header("content-type", "application/json")
                .header("x-user-id", UserId::new().to_string())
                .body(if path == "events" { "[]" } else { "{\"query\":\"{__typename}\"}" });
            if let Some(token) = &token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path} with {token:?}");
        }
    }
    assert!(memory.events.lock().unwrap().is_empty());
    for path in ["health/live", "health/ready"] {
        assert_eq!(client.get(url.join(path).unwrap()).send().await.unwrap().status(), 200);
    }
    let good = service_tokens().issue(&caller, now).unwrap();
    for body in ["", "{", "[]", "{\"query\":1}", "{\"query\":\"{a}\",\"variables\":[1]}"] {
        let request = client.post(url.join("graphql").unwrap()).bearer_auth(&good).body(body);
        assert_eq!(request.send().await.unwrap().status(), 400, "{body}");
    }
}

/// A subgraph whose answer to everything is `status` and `body`, after `delay`.
async fn answering(status: u16, body: &'static str, delay: Duration) -> Transport {
    let answer = move || async move {
        tokio::time::sleep(delay).await;
        (http::StatusCode::from_u16(status).unwrap(), body)
    };
    let url = serve(Router::new().route("/graphql", post(answer))).await;
    let timeout = Duration::from_millis(300);
    Transport::Http(Arc::new(HttpEndpoint::new("reviews", url, service_tokens(), timeout).unwrap()))
}

#[tokio::test]
async fn a_subgraph_that_misbehaves_costs_only_its_own_fields() {
    let unreachable = HttpEndpoint::new(
        "reviews",
        "http://127.0.0.1:9".parse().unwrap(),
        service_tokens(),
        Duration::from_secs(1),
    );
    let none = Duration::ZERO;
    let cases = [
        (Transport::Http(Arc::new(unreachable.unwrap())), "SUBREQUEST_UNREACHABLE"),
        (answering(200, "{}", Duration::from_secs(5)).await, "SUBREQUEST_TIMEOUT"),
        (answering(200, "<html>secret</html>", none).await, "SUBREQUEST_MALFORMED_RESPONSE"),
        (answering(200, "[1]", none).await, "SUBREQUEST_MALFORMED_RESPONSE"),
        (answering(200, "{\"data\":7}", none).await, "SUBREQUEST_MALFORMED_RESPONSE"),
        (answering(500, "{\"data\":{}}", none).await, "SUBREQUEST_MALFORMED_RESPONSE"),
        (answering(302, "secret", none).await, "SUBREQUEST_MALFORMED_RESPONSE"),
    ];
    for (broken, code) in cases {
        let (endpoints, memory) = endpoints();
        let mut transports: Vec<_> = endpoints.into_iter().map(Transport::InProcess).collect();
        transports[2] = broken;
        let library = Library::over(transports, memory, GatewaySettings::default());
        let answer = library.run("{ books(first: 1) { title } viewer }", json!({})).await;
        assert_eq!(answer.status, 200, "{code}");
        assert_eq!(answer.code(), code, "{}", answer.text());
        assert!(answer.json()["data"]["books"][0]["title"].is_string());
        assert!(answer.json()["data"]["viewer"].is_null());
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in ["ftp://host/", "mailto:a@b.example", "data:text/plain,x"] {
        let made =
            HttpEndpoint::new("books", url.parse().unwrap(), service_tokens(), Duration::ZERO);
        assert!(
            made.unwrap_err().source.to_string().contains("expected http:// or https://"),
            "{url}"
        );
    }
}
