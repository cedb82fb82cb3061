//! What a general router does about subgraphs that misbehave, under each policy that can be set for them.

mod support;

use std::time::{Duration, Instant};

use axum::Router;
use futures::future::join_all;
use gateway::{BreakerSettings, ClientSettings, RetrySettings, SubgraphSettings};
use serde_json::json;
use support::Answer;
use support::misbehaving::{Act, Misbehaving, json};
use support::plain::{router, run, with_reviews_at};

const GOOD: Act = json(r#"{"data":{"viewer":"Ada"}}"#);
const QUERY: &str = "{ viewer }";

async fn start(script: &[Act], settings: &SubgraphSettings) -> (Misbehaving, Router) {
    let subgraph = Misbehaving::start(script).await;
    let router = router(with_reviews_at(&subgraph.address, settings));
    (subgraph, router)
}

fn is_good(answer: &Answer) -> bool {
    answer.json() == json!({ "data": { "viewer": "Ada" } })
}

fn retries(most: u32) -> SubgraphSettings {
    let retry = RetrySettings { most, wait: Duration::from_millis(1), ..RetrySettings::default() };
    SubgraphSettings { retry: Some(retry), ..SubgraphSettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_null_with_an_error_that_names_the_subgraph() {
    let html = "<html><h1>It works!</h1></html>";
    let settings = SubgraphSettings {
        timeout: Duration::from_millis(200),
        client: ClientSettings { max_response: 10_000, ..ClientSettings::default() },
        ..SubgraphSettings::default()
    };
    let cases: [(Act, &str); 10] = [
        (Act::After(Duration::from_secs(5), "{}"), "SUBREQUEST_TIMEOUT"),
        (Act::Cut, "SUBREQUEST_UNREACHABLE"),
        (Act::CutInside, "SUBREQUEST_UNREACHABLE"),
        (Act::Answer(200, "text/html", html), "SUBREQUEST_MALFORMED_RESPONSE"),
        (Act::Answer(500, "text/html", html), "SUBREQUEST_MALFORMED_RESPONSE"),
        (Act::Answer(503, "text/plain", ""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (json(""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (json("[]"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (json("{\"data\":{\"viewer\":"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (Act::Huge(20_000), "SUBREQUEST_RESPONSE_TOO_LARGE"),
    ];
    for (act, code) in cases {
        let (subgraph, router) = start(&[act], &settings).await;
        let started = Instant::now();
        let answer = run(&router, "{ viewer books(first: 1) { id } }", &[]).await;
        assert!(started.elapsed() < Duration::from_secs(3), "{act:?}");
        let json = answer.json();
        assert_eq!(json["data"], json!({ "viewer": null, "books": [{ "id": "0" }] }), "{act:?}");
        let error = &json["errors"][0];
        assert_eq!(
            (answer.code().as_str(), &error["extensions"]["service"]),
            (code, &json!("reviews"))
        );
        assert!(!answer.text().contains("It works"), "what it answered is for the log");
        assert_eq!(subgraph.requests(), 1, "nothing is retried unless that is set");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_comes_with_graphql_errors_is_an_answer() {
    let answered = r#"{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}],"data":null}"#;
    let script = [Act::Answer(403, "application/graphql-response+json", answered)];
    let (_, router) = start(&script, &SubgraphSettings::default()).await;
    assert_eq!(run(&router, QUERY, &[]).await.code(), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_tried_again() {
    for script in [
        &[Act::Cut, GOOD][..],
        &[Act::CutInside, GOOD],
        &[Act::Answer(503, "text/plain", "busy"), Act::Answer(502, "text/plain", ""), GOOD],
    ] {
        let (subgraph, router) = start(script, &retries(2)).await;
        assert!(is_good(&run(&router, QUERY, &[]).await), "{script:?}");
        assert_eq!(subgraph.requests(), script.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_not_tried_again_and_a_mutation_never_is() {
    let (subgraph, router) =
        start(&[Act::Answer(500, "text/plain", "no"), GOOD], &retries(2)).await;
    assert_eq!(run(&router, QUERY, &[]).await.code(), "SUBREQUEST_MALFORMED_RESPONSE");
    assert_eq!(subgraph.requests(), 1);

    let (subgraph, router) = start(&[Act::Cut], &retries(5)).await;
    let answer = run(&router, "mutation { signIn }", &[]).await;
    assert_eq!((answer.code().as_str(), subgraph.requests()), ("SUBREQUEST_UNREACHABLE", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_in_trouble_is_not_buried_under_retries() {
    let (subgraph, router) = start(&[Act::Cut], &retries(3)).await;
    for _ in 0..100 {
        run(&router, QUERY, &[]).await;
    }
    let sent = subgraph.requests();
    assert!((101..=135).contains(&sent), "{sent}: a fifth, and one a second for ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_and_waiting_stay_within_the_timeout() {
    let slow = RetrySettings {
        most: 10,
        wait: Duration::from_millis(150),
        longest_wait: Duration::from_secs(1),
        budget: 1.0,
    };
    let settings = SubgraphSettings {
        timeout: Duration::from_millis(400),
        retry: Some(slow),
        ..SubgraphSettings::default()
    };
    let (_, router) = start(&[Act::Cut], &settings).await;
    let started = Instant::now();
    run(&router, QUERY, &[]).await;
    assert!(started.elapsed() < Duration::from_millis(800), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_that_keeps_failing_is_left_alone_until_it_is_well_again() {
    let breaker = BreakerSettings {
        minimum: 3,
        ratio: 0.5,
        open_for: Duration::from_millis(300),
        ..BreakerSettings::default()
    };
    let settings = SubgraphSettings { breaker: Some(breaker), ..SubgraphSettings::default() };
    let down = Act::Answer(500, "text/plain", "down");
    let script = [down, down, down, down, GOOD];
    let (subgraph, router) = start(&script, &settings).await;
    for _ in 0..20 {
        run(&router, QUERY, &[]).await;
    }
    assert_eq!(subgraph.requests(), 3, "then it is open");
    assert_eq!(run(&router, QUERY, &[]).await.code(), "SUBREQUEST_UNREACHABLE");

    tokio::time::sleep(Duration::from_millis(350)).await;
    for _ in 0..5 {
        run(&router, QUERY, &[]).await;
    }
    assert_eq!(subgraph.requests(), 4, "one finds out that it is still down");

    tokio::time::sleep(Duration::from_millis(350)).await;
    for _ in 0..5 {
        assert!(is_good(&run(&router, QUERY, &[]).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_than_may_be_are_under_way_at_once() {
    let slowly = Act::After(Duration::from_millis(20), r#"{"data":{"viewer":"Ada"}}"#);
    let settings = SubgraphSettings { concurrency: Some(3), ..SubgraphSettings::default() };
    let (subgraph, router) = start(&[slowly], &settings).await;
    let answers = join_all((0..30).map(|_| run(&router, QUERY, &[]))).await;
    assert!(answers.iter().all(is_good));
    assert_eq!(subgraph.most_under_way(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_place_waits_no_longer_than_the_timeout() {
    let slowly = Act::After(Duration::from_secs(2), "{}");
    let settings = SubgraphSettings {
        concurrency: Some(1),
        timeout: Duration::from_millis(200),
        ..SubgraphSettings::default()
    };
    let (_subgraph, router) = start(&[slowly], &settings).await;
    let started = Instant::now();
    let answers = join_all((0..20).map(|_| run(&router, QUERY, &[]))).await;
    assert!(answers.iter().all(|answer| answer.code() == "SUBREQUEST_TIMEOUT"));
    assert!(started.elapsed() < 10 * settings.timeout, "one after the other it were twenty");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_may_wait_for_a_place_than_is_set() {
    let slowly = Act::After(Duration::from_millis(300), r#"{"data":{"viewer":"Ada"}}"#);
    let settings =
        SubgraphSettings { concurrency: Some(2), waiting: 3, ..SubgraphSettings::default() };
    let (subgraph, router) = start(&[slowly], &settings).await;
    let started = Instant::now();
    let asked = |_| async {
        let answer = run(&router, QUERY, &[]).await;
        (answer, started.elapsed())
    };
    let answers = join_all((0..10).map(asked)).await;
    let (good, turned_away): (Vec<_>, Vec<_>) =
        answers.iter().partition(|(answer, _)| is_good(answer));
    assert_eq!((good.len(), turned_away.len(), subgraph.requests()), (5, 5, 5));
    for (answer, after) in turned_away {
        assert_eq!(answer.code(), "SUBREQUEST_OVERLOADED");
        assert_eq!(answer.json()["errors"][0]["extensions"]["service"], "reviews");
        assert!(*after < Duration::from_millis(300), "they are told at once");
    }
    assert!(is_good(&run(&router, QUERY, &[]).await), "then there is room again");
}
