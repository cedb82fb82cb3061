//! What a page of another site can make a visitor's browser send without asking first (a "simple" request, or a WebSocket), with the visitor's
//! cookie. None of it executes anything: no subgraph is asked.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use axum::Router;
use axum::body::Body;
use gateway::GatewaySettings;
use http::Request;
use http::request::Builder;
use support::plain::Received;
use support::{Identity, SUPERGRAPH, plain, send};

const MUTATION: &str = r#"{"query":"mutation { signIn }"}"#;

struct Target {
    router: Router,
    received: [Received; 3],
    cookie: String,
}

impl Target {
    async fn new() -> Self {
        let identity = Identity::new();
        let (transports, received) = plain::library().await;
        let gateway = identity.gateway(SUPERGRAPH, transports, GatewaySettings::default()).unwrap();
        let viewer = common::Viewer::new(
            common::UserId::new(),
            common::SessionId::new(),
            common::Roles::default(),
        );
        let token = identity.tokens.issue(&viewer, identity.clock.now()).unwrap().0;
        Self { router: gateway.router(), received, cookie: format!("spacey-access={token}") }
    }

    /// The status and code of the answer to a request with the cookie.
    async fn answer(&self, request: Builder, body: &str) -> (u16, String) {
        let request = request
            .header("host", "spacey.example")
            .header("origin", "https://attacker.example")
            .header("cookie", &self.cookie)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = send(&self.router, request).await;
        // The answer to HEAD has no body.
        let code = if answer.body.is_empty() { String::new() } else { answer.code() };
        (answer.status.as_u16(), code)
    }

    fn was_asked(&self) -> bool {
        self.received.iter().any(|received| !received.all().is_empty())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_simple_type_executes_nothing() {
    let it = Target::new().await;
    let form = "query=mutation+%7B+signIn+%7D";
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"mutation { signIn }\"}\r\n--x--\r\n";
    for (content_type, body) in [
        (None, MUTATION),
        (Some(""), MUTATION),
        (Some("text/plain"), MUTATION),
        (Some("text/plain;charset=UTF-8"), MUTATION),
        (Some("text/plain; application/json"), MUTATION),
        (Some("text/plain, application/json"), MUTATION),
        (Some("application/x-www-form-urlencoded"), form),
        (Some("application/x-www-form-urlencoded; x=application/json"), MUTATION),
        (Some("multipart/form-data; boundary=x"), multipart),
        (Some("multipart/form-data; boundary=\"application/json\""), multipart),
        (Some("application/graphql"), "mutation { signIn }"),
    ] {
        for accept in ["*/*", "text/event-stream", "multipart/mixed"] {
            let mut request = Request::post("/graphql").header("accept", accept);
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let answer = it.answer(request, body).await;
            // Forms are taken from those who say in a header that they may send them.
            let expected = match content_type {
                Some(form) if form.starts_with("multipart/") => (403, "CSRF_PREVENTION"),
                _ => (415, "UNSUPPORTED_MEDIA_TYPE"),
            };
            assert_eq!((answer.0, &*answer.1), expected, "{content_type:?} {accept}");
        }
    }
    assert!(!it.was_asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_a_cookie_executes_nothing() {
    let it = Target::new().await;
    for operation in ["%7Bviewer%7D", "mutation%7BsignIn%7D", "subscription%7Bticks%7D"] {
        let path = format!("/graphql?query={operation}");
        for accept in
            ["*/*", "image/avif,image/webp,*/*", "text/event-stream", "text/html,*/*;q=0.1"]
        {
            for method in ["GET", "HEAD"] {
                let request = Request::builder().method(method).uri(&path).header("accept", accept);
                let (status, code) = it.answer(request, "").await;
                assert_eq!(status, 403, "{method} {path} {accept}");
                assert!(method == "HEAD" || code == "CSRF_PREVENTION", "{code}");
            }
        }
    }
    assert!(!it.was_asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_of_another_origin_is_not_opened() {
    let it = Target::new().await;
    for origin in [
        "https://attacker.example",
        "https://spacey.example.attacker.example",
        "https://spacey.example@attacker.example",
        "https://attacker.example/spacey.example",
        "https://spacey.example:444",
        "null",
        "",
    ] {
        let request = Request::get("/graphql")
            .header("host", "spacey.example")
            .header("origin", origin)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
            .header("sec-websocket-protocol", "graphql-transport-ws")
            .header("cookie", &it.cookie)
            .body(Body::empty())
            .unwrap();
        let answer = send(&it.router, request).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "CSRF_PREVENTION"), "{origin}");
    }
    assert!(!it.was_asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_visitors_own_page_executes_the_same() {
    let it = Target::new().await;
    let request = Request::post("/graphql").header("content-type", "application/json");
    assert_eq!(it.answer(request, MUTATION).await.0, 200);
    assert!(it.was_asked());
}
