//! What operations cost their clients: buckets of points, what is told of them, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use axum::body::Body;
use common::{Roles, SessionId, UserId, Viewer};
use gateway::{Allowance, CostSettings, GatewaySettings, Mode};
use http::{HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use support::socket::{Socket, listen};
use support::{Answer, Library, post};
use tower::ServiceExt;

/// Points are restored so slowly that no test sees it.
const SLOW: Allowance = Allowance { capacity: 100, restore_rate: 1 };

fn enforced() -> CostSettings {
    CostSettings {
        maximum: Mode::Enforce,
        maximum_cost: 80,
        throttle: Mode::Enforce,
        everybody: SLOW,
        beta: Allowance { capacity: 200, restore_rate: 1 },
        ..CostSettings::default()
    }
}

fn library(cost: CostSettings) -> Library {
    Library::with(GatewaySettings { cost, ..GatewaySettings::default() })
}

async fn ask(library: &Library, query: &str, headers: &[(&'static str, &str)]) -> Answer {
    let body = json!({ "query": query }).to_string();
    let mut request = post(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    library.send(request.body(Body::from(body)).unwrap()).await
}

fn cost(answer: &Answer) -> Value {
    answer.json()["extensions"]["cost"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_paid_by_its_estimate_and_what_it_did_not_cost_is_given_back() {
    let library = library(enforced());
    // Nothing is said of how long the list is: ten are assumed, and two come.
    let answer = ask(&library, "{ books(first: 2) { id } }", &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let status = json!({ "maximumAvailable": 100, "currentlyAvailable": 98, "restoreRate": 1 });
    assert_eq!(
        cost(&answer),
        json!({ "requestedQueryCost": 10, "actualQueryCost": 2, "throttleStatus": status })
    );
    assert_eq!(answer.header("ratelimit-policy"), "\"points\";q=100;w=100");
    assert_eq!(answer.header("ratelimit"), "\"points\";r=98;t=2");
    assert_eq!(answer.header("x-ratelimit-limit"), "100");
    assert_eq!(answer.header("x-ratelimit-remaining"), "98");
    assert_eq!(answer.header("x-ratelimit-used"), "2");
    assert!(answer.header("x-ratelimit-reset").parse::<u64>().is_ok());
    // What costs nothing takes a point all the same.
    let answer = ask(&library, "{ viewer }", &[]).await;
    assert_eq!(cost(&answer)["actualQueryCost"], 0);
    assert_eq!(cost(&answer)["throttleStatus"]["currentlyAvailable"], 97);
}

#[tokio::test(start_paused = true)]
async fn who_has_too_few_points_is_told_when_to_come_back() {
    let library = library(enforced());
    for left in [60, 20] {
        let answer = ask(
            &library,
            "mutation { a: signIn b: signIn rename(id: \"1\", title: \"t\") { author { name } } }",
            &[],
        )
        .await;
        assert!(answer.json()["data"].is_object(), "{left} {}", answer.text());
    }
    let dear = "{ a: books(first: 10) { id } b: books(first: 10) { id } c: books(first: 10) { id } d: books(first: 10) { id } e: books(first: 10) { id } f: books(first: 10) { id } g: books(first: 10) { id } h: books(first: 10) { id } }";
    let refused = ask(&library, dear, &[]).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "THROTTLED")
    );
    let error = &refused.json()["errors"][0];
    assert_eq!(
        error["message"],
        "the operation may cost 80 points, and 76 are left: try again in 4 s"
    );
    assert_eq!(error["extensions"]["cost"]["requestedQueryCost"], 80);
    assert_eq!(error["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"], 76);
    assert_eq!(refused.header("retry-after"), "4");
    assert_eq!(refused.header("x-ratelimit-remaining"), "76");
    assert!(refused.json()["data"].is_null());
    // What there are points for is answered.
    assert_eq!(ask(&library, "{ book(id: 1) { id } }", &[]).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_may_cost_too_much_is_refused_with_what_is_dear_in_it() {
    let library = library(enforced());
    let query =
        "{ books { id reviews { stars } author { name } } shelf { ... on Book { id } } viewer }";
    let refused = ask(&library, query, &[]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.code(), "COST_ESTIMATED_TOO_EXPENSIVE");
    assert_eq!(
        refused.message(),
        "the operation may cost 130 points, and 80 are the most that one may: dearest are books.reviews (100), books.author (10), books (10)"
    );
    let cost = &refused.json()["errors"][0]["extensions"]["cost"];
    assert_eq!(cost["requestedQueryCost"], 130);
    assert_eq!(cost["maximumQueryCost"], 80);
    assert_eq!(cost["dearest"][0], json!({ "path": "books.reviews", "cost": 100 }));
    let after = ask(&library, "{ viewer }", &[]).await;
    assert_eq!(after.header("x-ratelimit-remaining"), "99", "nothing was taken");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_what_it_would_be_and_runs_nothing() {
    let library = library(enforced());
    let dry = [("x-cost", "dry-run")];
    let query = "mutation { rename(id: \"no number\", title: \"t\") { reviews { stars } } }";
    let told = ask(&library, query, &dry).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.json()["data"], Value::Null);
    assert!(told.json()["errors"].is_null(), "{}", told.text());
    let status = json!({ "maximumAvailable": 100, "currentlyAvailable": 99, "restoreRate": 1 });
    let dearest =
        json!([{ "path": "rename.reviews", "cost": 10 }, { "path": "rename", "cost": 1 }]);
    assert_eq!(
        cost(&told),
        json!({ "requestedQueryCost": 21, "maximumQueryCost": 80, "dearest": dearest, "throttleStatus": status })
    );
    let dear = ask(&library, "{ books { reviews { stars } } }", &dry).await;
    assert_eq!(cost(&dear)["requestedQueryCost"], 110);
}

#[tokio::test(start_paused = true)]
async fn everybody_has_a_bucket_of_their_own() {
    let library = library(enforced());
    let token = |user: UserId, roles: Roles| {
        let viewer = Viewer::new(user, SessionId::new(), roles);
        let now = library.identity.clock.now();
        format!("Bearer {}", library.identity.tokens.issue(&viewer, now).unwrap().0)
    };
    let (one, other) = (UserId::new(), UserId::new());
    let remaining = async |headers: &[(&'static str, &str)]| {
        let answer = ask(&library, "{ viewer }", headers).await;
        answer.header("x-ratelimit-remaining").to_owned()
    };
    assert_eq!(remaining(&[]).await, "99");
    assert_eq!(remaining(&[("authorization", &token(one, Roles::default()))]).await, "99");
    // Another session of the same person's is the same person's.
    assert_eq!(remaining(&[("authorization", &token(one, Roles::default()))]).await, "98");
    assert_eq!(remaining(&[("authorization", &token(other, Roles::default()))]).await, "99");
    let beta = Roles { beta: true, admin: false };
    assert_eq!(remaining(&[("authorization", &token(UserId::new(), beta))]).await, "199");
    // Nobody gets another bucket by a header of his own.
    assert_eq!(remaining(&[("x-forwarded-for", "203.0.113.9")]).await, "98");
}

#[tokio::test(start_paused = true)]
async fn rules_can_be_off_or_only_measured() {
    let dear = "{ books { reviews { stars } } }";
    let off = ask(&library(CostSettings::default()), dear, &[]).await;
    assert!(off.json().get("extensions").is_none(), "{}", off.text());
    assert!(off.headers.get("ratelimit").is_none());

    let measured = CostSettings {
        maximum: Mode::Measure,
        throttle: Mode::Measure,
        everybody: Allowance { capacity: 5, restore_rate: 1 },
        ..enforced()
    };
    let answer = ask(&library(measured), dear, &[]).await;
    assert!(answer.json()["data"].is_object());
    assert_eq!(cost(&answer)["requestedQueryCost"], 110);
    assert_eq!(cost(&answer)["throttleStatus"]["currentlyAvailable"], 0);

    let maximum = CostSettings { throttle: Mode::Off, ..enforced() };
    let answer = ask(&library(maximum), "{ books { id } }", &[]).await;
    assert_eq!(cost(&answer), json!({ "requestedQueryCost": 10, "actualQueryCost": 3 }));
    assert!(answer.headers.get("ratelimit").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_may_be_kept_tells_nothing_of_its_client() {
    let library = library(enforced());
    let get = |query: &str| {
        let uri = format!("/graphql?query={query}");
        Request::get(uri).header("x-spacey-csrf", "1").body(Body::empty()).unwrap()
    };
    let kept = library.send(get("%7B%20book(id:1)%20%7B%20title%20%7D%20%7D")).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
    assert!(kept.headers.contains_key("etag"));
    assert!(kept.json().get("extensions").is_none(), "{}", kept.text());
    assert!(kept.headers.get("ratelimit").is_none());
    let not_kept = library.send(get("%7B%20books%20%7B%20title%20%7D%20%7D")).await;
    assert_eq!(not_kept.header("x-ratelimit-remaining"), "96", "both were paid");
}

#[tokio::test(start_paused = true)]
async fn those_who_share_an_answer_pay_for_themselves() {
    let mut settings = GatewaySettings { cost: enforced(), ..GatewaySettings::default() };
    settings.http.share_queries = true;
    let library = Library::with(settings);
    let query = "{ sleeps(milliseconds: 200) books(first: 2) { id } }";
    let (one, other) = tokio::join!(ask(&library, query, &[]), ask(&library, query, &[]));
    assert_eq!(one.body, other.body);
    assert!(one.json().get("extensions").is_none());
    let after = ask(&library, "{ viewer }", &[]).await;
    assert_eq!(after.header("x-ratelimit-remaining"), "95");
}

#[tokio::test(start_paused = true)]
async fn parts_tell_the_cost_with_the_last_of_them() {
    let library = library(enforced());
    let query = "{ books(first: 2) { id ... @defer { author { name } } } }";
    let accept = "multipart/mixed;incrementalSpec=v0.2,application/json";
    let answer = ask(&library, query, &[("accept", accept)]).await;
    assert_eq!(answer.header("x-ratelimit-remaining"), "80", "what it may cost is taken");
    let parts: Vec<Value> = answer
        .text()
        .split("\r\n\r\n")
        .filter_map(|part| {
            serde_json::from_str(part.split("\r\n--").next().unwrap_or_default()).ok()
        })
        .collect();
    let told: Vec<_> = parts.iter().map(|part| &part["extensions"]["cost"]).collect();
    assert!(told[..told.len() - 1].iter().all(|cost| cost.is_null()), "{told:?}");
    let last = told.last().unwrap();
    assert_eq!((&last["requestedQueryCost"], &last["actualQueryCost"]), (&json!(20), &json!(4)));
    assert_eq!(last["throttleStatus"]["currentlyAvailable"], 96);
}

#[tokio::test]
async fn each_event_of_a_subscription_is_paid() {
    let library = library(enforced());
    let address = listen(library.router.clone()).await;
    let mut socket = Socket::introduced(address, json!({})).await;
    socket
        .subscribe("a", "subscription { added(count: 3) { id reviews(first: 1) { stars } } }")
        .await;
    for available in [98, 96, 94] {
        let message = socket.hear().await;
        let cost = &message["payload"]["extensions"]["cost"];
        assert_eq!(cost["requestedQueryCost"], 11, "{message}");
        assert_eq!(cost["actualQueryCost"], 2);
        let left = cost["throttleStatus"]["currentlyAvailable"].as_u64().unwrap();
        // A point a second is restored meanwhile.
        assert!((available..=available + 4).contains(&left), "{message}");
    }
    assert_eq!(socket.hear().await["type"], "complete");
    socket.subscribe("b", "subscription { added(count: 1) { reviews { stars } author { name } a: reviews { stars } b: reviews { stars } c: reviews { stars } d: reviews { stars } e: reviews { stars } f: reviews { stars } g: reviews { stars } } }").await;
    let refused = socket.hear().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "COST_ESTIMATED_TOO_EXPENSIVE");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_a_stream_is_not_paid() {
    let mut settings = GatewaySettings { cost: enforced(), ..GatewaySettings::default() };
    settings.streams.connections_per_client = 1;
    let library = Library::with(settings);
    let query = "subscription { added(every: 600000) { id } }";
    let accept = [("accept", "text/event-stream")];
    let request = {
        let body = json!({ "query": query }).to_string();
        post(&body).header("accept", "text/event-stream").body(Body::from(body)).unwrap()
    };
    let open = library.router.clone().oneshot(request).await.unwrap();
    assert_eq!(open.status(), StatusCode::OK);
    let left = |answer: &Answer| answer.header("x-ratelimit-remaining").parse::<u64>().unwrap();
    let before = left(&ask(&library, "{ viewer }", &[]).await);
    for _ in 0..5 {
        assert_eq!(ask(&library, query, &accept).await.code(), "TOO_MANY_STREAMS");
    }
    assert_eq!(left(&ask(&library, "{ viewer }", &[]).await), before - 1);
}

#[tokio::test]
async fn a_connection_for_several_operations_has_no_dry_run() {
    let library = library(enforced());
    let dry = ("x-cost", "dry-run");
    let reserved = library.send(Request::put("/graphql").body(Body::empty()).unwrap()).await.text();
    let events = Request::get("/graphql")
        .header("accept", "text/event-stream")
        .header("x-graphql-event-stream-token", &reserved);
    let _events =
        library.router.clone().oneshot(events.body(Body::empty()).unwrap()).await.unwrap();
    let body = json!({ "query": "{ viewer }", "extensions": { "operationId": "a" } }).to_string();
    let request =
        post(&body).header("x-graphql-event-stream-token", &reserved).header(dry.0, dry.1);
    let refused = library.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(refused.code(), "BAD_REQUEST", "{}", refused.text());
    assert!(refused.message().contains("x-cost: dry-run"), "{}", refused.message());
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_origins_may_read_what_is_left() {
    let mut settings = GatewaySettings { cost: enforced(), ..GatewaySettings::default() };
    settings.browser.allowed_origins = vec![HeaderValue::from_static("https://app.example")];
    let library = Library::with(settings);
    let answer = ask(&library, "{ viewer }", &[("origin", "https://app.example")]).await;
    let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["ratelimit", "x-ratelimit-remaining", "retry-after"] {
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{exposed}");
    }
}
