//! What surrounds GraphQL at the router: who is asking, request ids, health, other origins, headers, compression, GraphiQL.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::atomic::Ordering;

use axum::body::Body;
use common::token::ACCESS_TOKEN_LIFETIME;
use gateway::{GatewayError, GatewaySettings, Transport};
use http::{HeaderValue, Request};
use serde_json::json;
use support::{Answer, Library};

const VIEWER: &str = r#"{"query":"{ viewer }"}"#;

async fn who(library: &Library, headers: &[(&str, &str)]) -> Answer {
    let mut request = support::post(VIEWER);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    library.send(request.body(Body::from(VIEWER)).unwrap()).await
}

async fn get(library: &Library, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    library.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_viewer_reaches_the_subgraphs() {
    let library = Library::new();
    let user = library.viewer.user.to_string();
    assert_eq!(who(&library, &[]).await.json(), json!({ "data": { "viewer": null } }));
    let bearer = format!("Bearer {}", library.token());
    let cookie = format!("spacey-access={}", library.token());
    for headers in [[("authorization", bearer.as_str())], [("cookie", cookie.as_str())]] {
        assert_eq!(who(&library, &headers).await.json()["data"]["viewer"], user);
    }
    // Nobody is who a header says.
    let claimed = who(&library, &[("x-user-id", &user), ("user-id", &user)]).await;
    assert_eq!(claimed.json()["data"]["viewer"], json!(null));
}

#[tokio::test]
async fn credentials_that_are_not_good_are_401_in_either_media_type() {
    let library = Library::new();
    let good = library.token();
    let forged = format!("{}x", &good[..good.len() - 1]);
    for token in ["nonsense", &forged] {
        for accept in ["application/json", "*/*"] {
            let headers = [("authorization", &*format!("Bearer {token}")), ("accept", accept)];
            let answer = who(&library, &headers).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "UNAUTHENTICATED"));
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
            assert!(answer.json().get("data").is_none());
        }
    }
    let bearer = format!("Bearer {good}");
    let until = library.identity.clock.now() + ACCESS_TOKEN_LIFETIME;
    library.identity.revocations.revoke(library.viewer.session, until);
    let revoked = who(&library, &[("authorization", &bearer)]).await;
    assert_eq!(revoked.status, 401);
    assert!(revoked.message().contains("session was ended"), "{}", revoked.message());
    library.identity.clock.advance(ACCESS_TOKEN_LIFETIME);
    let expired = who(&library, &[("authorization", &bearer)]).await;
    assert_eq!(expired.status, 401);
    assert!(expired.message().contains("expired"), "{}", expired.message());
}

#[tokio::test]
async fn a_get_by_cookie_is_answered_only_when_no_other_site_can_send_it() {
    let library = Library::new();
    let cookie = format!("spacey-access={}", library.token());
    let path = "/graphql?query=%7Bviewer%7D";
    let simple = get(&library, path, &[("cookie", &cookie)]).await;
    assert_eq!((simple.status.as_u16(), simple.code().as_str()), (403, "CSRF_PREVENTION"));
    let answer = get(&library, path, &[("cookie", &cookie), ("x-spacey-csrf", "1")]).await;
    assert_eq!(answer.json()["data"]["viewer"], library.viewer.user.to_string());
    assert_eq!(get(&library, path, &[]).await.status, 200);
}

#[tokio::test]
async fn the_cookie_of_an_https_site_has_the_host_prefix() {
    let mut settings = GatewaySettings::default();
    settings.browser.secure_cookies = true;
    let library = Library::with(settings);
    let token = library.token();
    let plain = who(&library, &[("cookie", &format!("spacey-access={token}"))]).await;
    assert_eq!(plain.json()["data"]["viewer"], json!(null));
    let host = who(&library, &[("cookie", &format!("__Host-spacey-access={token}"))]).await;
    assert_eq!(host.json()["data"]["viewer"], library.viewer.user.to_string());
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let library = Library::new();
    assert_eq!(
        who(&library, &[("x-request-id", "abc-1.2_X")]).await.header("x-request-id"),
        "abc-1.2_X"
    );
    for insane in ["", "a b", "<script>", &"x".repeat(65)] {
        let id = who(&library, &[("x-request-id", insane)]).await.header("x-request-id").to_owned();
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{insane:?} became {id:?}");
    }
    assert!(!get(&library, "/nowhere", &[]).await.header("x-request-id").is_empty());
}

#[tokio::test]
async fn health_tells_life_readiness_and_the_end() {
    let library = Library::new();
    assert_eq!(get(&library, "/health/live", &[]).await.json(), json!({ "status": "live" }));
    let ready = get(&library, "/health/ready", &[]).await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({ "status": "ready" })));

    library.memory.broken.store(true, Ordering::SeqCst);
    let unready = get(&library, "/health/ready", &[]).await;
    assert_eq!(unready.status, 503);
    let expected = json!({ "status": "not ready", "subgraphs": { "books": "not ready" } });
    assert_eq!(unready.json(), expected);
    library.memory.broken.store(false, Ordering::SeqCst);

    let drain = library.gateway.drain();
    drain.begin();
    assert!(library.gateway.drain().has_begun());
    let draining = get(&library, "/health/ready", &[]).await;
    assert_eq!((draining.status.as_u16(), draining.json()), (503, json!({ "status": "draining" })));
    assert_eq!(get(&library, "/health/live", &[]).await.status, 200);
    assert_eq!(who(&library, &[]).await.status, 200, "it goes on answering");
}

#[tokio::test]
async fn other_origins_are_allowed_by_name_only() {
    let origin = "https://app.example";
    let preflight = |origin: &str| {
        Request::options("/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization")
            .body(Body::empty())
            .unwrap()
    };
    let closed = Library::new();
    let answer = closed.send(preflight(origin)).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));

    let mut settings = GatewaySettings::default();
    settings.browser.allowed_origins = vec![HeaderValue::from_static("https://app.example")];
    let open = Library::with(settings);
    let answer = open.send(preflight(origin)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    let foreign = open.send(preflight("https://evil.example")).await;
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    let refused = who(&open, &[("origin", origin), ("authorization", "Bearer x")]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("access-control-allow-origin")),
        (401, origin)
    );
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let library = Library::new();
    for path in ["/graphql", "/graphiql", "/health/live", "/nowhere"] {
        let answer = get(&library, path, &[]).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_and_short_ones_are_not() {
    let library = Library::new();
    let long = r#"{"query":"{ books(first: 90) { id title tags reviews { text } } }"}"#;
    let send = async |body: &'static str, encoding: &str| {
        let request =
            support::post(body).header("accept-encoding", encoding).body(Body::from(body));
        library.send(request.unwrap()).await
    };
    let plain = send(long, "identity").await;
    for encoding in ["gzip", "br"] {
        let answer = send(long, encoding).await;
        assert_eq!(answer.header("content-encoding"), encoding);
        assert!(answer.body.len() * 3 < plain.body.len(), "{encoding}: {}", answer.body.len());
        assert_eq!(send(VIEWER, encoding).await.header("content-encoding"), "");
    }
    assert_eq!(plain.header("content-encoding"), "");
}

#[tokio::test]
async fn graphiql_is_where_the_root_leads_unless_it_is_off() {
    let library = Library::new();
    let root = get(&library, "/", &[]).await;
    assert_eq!((root.status.as_u16(), root.header("location")), (307, "/graphiql"));
    let page = get(&library, "/graphiql", &[]).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.text().contains("GraphiQL"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(get(&library, "/graphiql/assets/none.js", &[]).await.status, 404);

    let mut settings = GatewaySettings::default();
    settings.developer.graphiql = false;
    let without = Library::with(settings);
    for path in ["/", "/graphiql", "/graphiql/index.html"] {
        assert_eq!(get(&without, path, &[]).await.status, 404, "{path}");
    }
}

#[test]
fn a_gateway_does_not_start_without_what_it_needs() {
    let start = |sdl: &str, transports| {
        support::Identity::new().gateway(sdl, transports, GatewaySettings::default()).unwrap_err()
    };
    assert!(matches!(start("type Query { a: Int }", Vec::new()), GatewayError::Supergraph(_)));
    let mut transports: Vec<_> =
        support::endpoints().0.into_iter().map(Transport::InProcess).collect();
    transports.remove(1);
    let error = start(support::SUPERGRAPH, transports).to_string();
    assert!(error.contains("authors"), "{error}");
}
