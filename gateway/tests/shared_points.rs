//! Gateways that share buckets of points in a Redis: what they grant together, how often they ask it, and what becomes of their clients
//! while it is away, or slow. The server is a real one, of each test's own.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::time::{Duration, Instant};

use axum::body::Body;
use common::{Roles, SessionId, UserId, Viewer};
use gateway::{Allowance, CostSettings, GatewaySettings, Mode, SharedBuckets};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::redis::{PASSWORD, RedisServer};
use support::{Answer, Library, post};

fn cost(server: &RedisServer, capacity: u32, restore_rate: u32) -> CostSettings {
    CostSettings {
        throttle: Mode::Enforce,
        everybody: Allowance { capacity, restore_rate },
        shared: Some(SharedBuckets {
            url: server.url(),
            timeout: Duration::from_millis(500),
            gateways: 2,
        }),
        ..CostSettings::default()
    }
}

/// Two gateways that have nothing in common but the server, and answer by it.
async fn two(cost: CostSettings) -> [Library; 2] {
    let library =
        || Library::with(GatewaySettings { cost: cost.clone(), ..GatewaySettings::default() });
    let both = [library(), library()];
    for library in &both {
        until(library, |points| points["shared"] == true).await;
    }
    both
}

async fn points(library: &Library) -> Value {
    let request = Request::get("/health/ready").body(Body::empty()).unwrap();
    let answer = library.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "it can do its work: {}", answer.text());
    answer.json()["points"].clone()
}

async fn until(library: &Library, holds: impl Fn(&Value) -> bool) {
    for _ in 0..200 {
        if holds(&points(library).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("after ten seconds still {}", points(library).await);
}

/// Somebody who has not signed in: the same client for both gateways.
async fn ask(library: &Library, query: &str) -> Answer {
    let body = json!({ "query": query }).to_string();
    let answer = library.send(post(&body).body(Body::from(body)).unwrap()).await;
    let known = answer.status == StatusCode::OK || answer.code() == "THROTTLED";
    assert!(known, "{} {}", answer.status, answer.text());
    answer
}

/// How many of so many are granted, of which each takes one point.
async fn granted(library: &Library, times: usize) -> u32 {
    let mut granted = 0;
    for _ in 0..times {
        granted += u32::from(ask(library, "{ viewer }").await.status == StatusCode::OK);
    }
    granted
}

fn left(answer: &Answer) -> u32 {
    answer.header("x-ratelimit-remaining").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_gateways_never_grant_more_than_there_is_and_was_restored() {
    let server = RedisServer::start().await;
    let both = two(cost(&server, 200, 50)).await;
    let began = Instant::now();
    // One point each; and ten each, of which eight are given back.
    let asking = (0..16).map(|number| {
        let library = &both[number % 2];
        async move {
            let mut paid = 0;
            for _ in 0..60 {
                let (query, price) = match number % 4 {
                    0 | 1 => ("{ viewer }", 1),
                    _ => ("{ books(first: 2) { id } }", 2),
                };
                paid += price * u32::from(ask(library, query).await.status == StatusCode::OK);
            }
            paid
        }
    });
    let paid: u32 = futures::future::join_all(asking).await.into_iter().sum();
    let restored = 50.0 * began.elapsed().as_secs_f64();
    assert!(f64::from(paid) <= 200.0 + restored, "{paid} with {restored} restored");
    assert!(paid >= 200, "what there is, is granted: {paid}");
    for library in &both {
        assert_eq!(
            points(library).await,
            json!({ "shared": true, "losses": 0, "operationsByShare": 0 })
        );
    }
}

#[tokio::test]
async fn what_one_gateway_took_the_other_lacks_and_what_it_gave_back_the_other_has() {
    let server = RedisServer::start().await;
    let [one, other] = two(cost(&server, 100, 1)).await;
    // Ten are taken, and two were used.
    assert_eq!(left(&ask(&one, "{ books(first: 2) { id } }").await), 98);
    // It is given back by nobody's leave, soon.
    let mut seen = 0;
    for asked in 1..=100 {
        seen = left(&ask(&other, "{ viewer }").await);
        if seen >= 98 - asked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!((88..=98).contains(&seen), "{seen}");
    // Each client has a bucket of his own.
    let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
    for (library, expected) in [(&one, 99), (&other, 98)] {
        let token = library.identity.tokens.issue(&viewer, library.identity.clock.now()).unwrap().0;
        let body = json!({ "query": "{ viewer }" }).to_string();
        let request = post(&body).header("authorization", format!("Bearer {token}"));
        assert_eq!(left(&library.send(request.body(Body::from(body)).unwrap()).await), expected);
    }
}

#[tokio::test]
async fn an_operation_is_one_round_trip_and_full_buckets_are_not_kept() {
    let server = RedisServer::start().await;
    let [one, _other] = two(cost(&server, 1000, 1000)).await;
    let calls = async || {
        let mut info = redis::cmd("INFO");
        info.arg("commandstats");
        let told = server.ask(info).await.unwrap();
        let calls = told.split("cmdstat_evalsha:calls=").nth(1).unwrap();
        calls.split(',').next().unwrap().parse::<usize>().unwrap()
    };
    let before = calls().await;
    granted(&one, 20).await;
    assert_eq!(calls().await - before, 20);
    let mut keys = String::new();
    for _ in 0..100 {
        keys = server.ask(redis::cmd("DBSIZE")).await.unwrap();
        if keys == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(keys, "0");
}

#[tokio::test]
async fn while_the_server_is_away_each_gateway_grants_its_share() {
    let mut server = RedisServer::start().await;
    let both = two(cost(&server, 100, 2)).await;
    assert_eq!(granted(&both[0], 10).await, 10);
    // In the midst of it.
    let began = Instant::now();
    let load = async { futures::join!(granted(&both[0], 200), granted(&both[1], 200)) };
    server.kill();
    let (one, other) = load.await;
    // What was restored meanwhile, in whole points for each.
    let restored = began.elapsed().as_secs() as u32 + 1;
    for by_one in [one, other] {
        assert!((50..=50 + restored).contains(&by_one), "{by_one} with {restored} restored");
    }
    for library in &both {
        let points = points(library).await;
        assert_eq!((&points["shared"], &points["losses"]), (&json!(false), &json!(1)));
        assert!(points["operationsByShare"].as_u64().unwrap() >= 199, "{points}");
        // What a client is told is true.
        let refused = ask(library, "{ a: books { id } }").await;
        assert_eq!(refused.header("x-ratelimit-limit"), "50");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 10);
    }
    assert!(server.start_again().await);
    for library in &both {
        until(library, |points| points["shared"] == true).await;
    }
    // One bucket for both again.
    assert_eq!(left(&ask(&both[0], "{ viewer }").await), 99);
    assert_eq!(left(&ask(&both[1], "{ viewer }").await), 98);
}

#[tokio::test]
async fn what_a_full_bucket_is_enough_for_is_run_by_a_share_too() {
    let mut server = RedisServer::start().await;
    let [one, _other] = two(cost(&server, 100, 4)).await;
    server.kill();
    let dear = "{ books(first: 80) { id } }";
    assert_eq!(ask(&one, dear).await.status, StatusCode::OK);
    // It has not to be paid twice, and nobody has more by it.
    let again = ask(&one, dear).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(granted(&one, 5).await, 0, "until the share's debt is paid");
}

#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once() {
    let server = RedisServer::start().await;
    let [one, _other] = two(cost(&server, 1000, 1)).await;
    server.signal("STOP");
    let began = Instant::now();
    assert_eq!(granted(&one, 100).await, 100);
    // Half a second each would be fifty.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(points(&one).await["losses"], 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(points(&one).await["shared"], false, "a connection alone is no answer");
    server.signal("CONT");
    until(&one, |points| points["shared"] == true).await;
}

#[tokio::test]
async fn a_gateway_starts_without_the_server_and_finds_it_later() {
    let mut server = RedisServer::start().await;
    server.kill();
    let settings = GatewaySettings { cost: cost(&server, 100, 1), ..GatewaySettings::default() };
    let library = Library::with(settings);
    assert_eq!(ask(&library, "{ viewer }").await.header("x-ratelimit-limit"), "50");
    assert!(server.start_again().await);
    until(&library, |points| points["shared"] == true).await;
    assert_eq!(ask(&library, "{ viewer }").await.header("x-ratelimit-limit"), "100");
}

#[tokio::test]
async fn a_wrong_address_stops_the_start_and_no_message_has_the_password() {
    let server = RedisServer::start().await;
    let mut settings =
        GatewaySettings { cost: cost(&server, 100, 1), ..GatewaySettings::default() };
    assert!(!format!("{settings:?}").contains(PASSWORD));
    if let Some(shared) = &mut settings.cost.shared {
        shared.url = format!("memcached://:{PASSWORD}@127.0.0.1").into();
    }
    let identity = support::Identity::new();
    let (endpoints, _) = support::endpoints();
    let transports = endpoints.into_iter().map(gateway::Transport::InProcess).collect();
    let error = identity.gateway(support::SUPERGRAPH, transports, settings).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
}
