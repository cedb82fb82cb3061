//! Another issuer's keys: when they are fetched, what becomes of those that are known, and who its people are here. And our own keys, as
//! others fetch them.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::time::Duration;

use axum::body::Body;
use futures::future::join_all;
use gateway::{GatewaySettings, IssuerSettings, Transport};
use http::Request;
use serde_json::json;
use support::forge::{AUDIENCE, ISSUER, IssuerServer, Pair, Publishes};
use support::{Identity, Library, SUPERGRAPH, endpoints, post, send};

const INTERVAL: Duration = Duration::from_millis(300);

/// A gateway that accepts tokens of an issuer whose server does what it is told.
struct Setup {
    server: IssuerServer,
    router: axum::Router,
}

impl Setup {
    async fn new(publishes: Publishes) -> Self {
        Self::with(publishes, INTERVAL, INTERVAL * 2).await
    }

    async fn with(publishes: Publishes, min_interval: Duration, max_age: Duration) -> Self {
        let server = IssuerServer::start(publishes).await;
        let mut issuer = IssuerSettings::new(ISSUER, AUDIENCE, server.url.clone());
        issuer.fetching.min_interval = min_interval;
        issuer.fetching.max_age = max_age;
        issuer.fetching.timeout = Duration::from_millis(500);
        let settings = GatewaySettings { issuers: vec![issuer], ..GatewaySettings::default() };
        let transports = endpoints().0.into_iter().map(Transport::InProcess).collect();
        let gateway = Identity::new().gateway(SUPERGRAPH, transports, settings).unwrap();
        Self { server, router: gateway.router() }
    }

    async fn viewer(&self, pair: &Pair, subject: &str) -> Option<String> {
        let exp = jiff::Timestamp::now().as_second() + 60;
        let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": exp });
        let body = json!({ "query": "{ viewer }" }).to_string();
        let request = post(&body)
            .header("authorization", format!("Bearer {}", pair.sign(&claims)))
            .body(Body::from(body))
            .unwrap();
        let answer = send(&self.router, request).await;
        assert!(matches!(answer.status.as_u16(), 200 | 401), "{}", answer.text());
        answer.json()["data"]["viewer"].as_str().map(str::to_owned)
    }
}

fn keys(pairs: &[&Pair]) -> Publishes {
    Publishes::Keys(pairs.iter().map(|pair| pair.jwk()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_the_same_person_each_time_and_no_other() {
    let pair = Pair::ed25519("one");
    let it = Setup::with(keys(&[&pair]), INTERVAL, Duration::from_secs(600)).await;
    let ada = it.viewer(&pair, "ada").await.unwrap();
    assert_eq!(it.viewer(&pair, "ada").await.unwrap(), ada);
    assert_ne!(it.viewer(&pair, "eve").await.unwrap(), ada);
    assert_eq!(it.server.fetches(), 1, "keys that are known are not fetched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_leads_to_one_fetch_whatever_arrives() {
    let (one, two) = (Pair::ed25519("one"), Pair::ed25519("two"));
    let interval = Duration::from_secs(5);
    let it = Setup::with(keys(&[&one]), interval, interval * 100).await;
    let answers = join_all((0..50).map(|_| it.viewer(&one, "ada"))).await;
    assert!(answers.iter().all(Option::is_some));
    assert_eq!(it.server.fetches(), 1, "those who arrive together wait for one");

    let answers = join_all((0..50).map(|_| it.viewer(&two, "ada"))).await;
    assert!(answers.iter().all(Option::is_none));
    assert_eq!(it.server.fetches(), 1, "not again so soon");

    tokio::time::sleep(interval).await;
    it.server.publish(keys(&[&one, &two]));
    let answers = join_all((0..50).map(|_| it.viewer(&two, "ada"))).await;
    assert!(answers.iter().all(Option::is_some), "the issuer rotated its keys");
    assert_eq!(it.server.fetches(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_published_no_more_is_soon_refused() {
    let (old, new) = (Pair::p256("old"), Pair::p256("new"));
    let it = Setup::new(keys(&[&old, &new])).await;
    assert!(it.viewer(&old, "ada").await.is_some());
    it.server.publish(keys(&[&new]));
    tokio::time::sleep(INTERVAL * 2).await;
    // This one finds that the keys are old; they are fetched behind it.
    it.viewer(&old, "ada").await;
    tokio::time::sleep(INTERVAL).await;
    assert!(it.viewer(&old, "ada").await.is_none());
    assert!(it.viewer(&new, "ada").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_known_stay_when_a_fetch_fails() {
    let pair = Pair::ed25519("one");
    let huge = format!("{{\"keys\":[],\"padding\":\"{}\"}}", "x".repeat(300_000));
    let elsewhere = IssuerServer::start(keys(&[&Pair::ed25519("elsewhere")])).await;
    for failure in [
        Publishes::Status(500),
        Publishes::Status(404),
        Publishes::Text("<html>".into()),
        Publishes::Text("{\"keys\":[]}".into()),
        Publishes::Text(huge),
        Publishes::Redirect(elsewhere.url.to_string()),
        Publishes::Nothing,
    ] {
        let it = Setup::new(failure).await;
        assert!(it.viewer(&pair, "ada").await.is_none(), "nothing is known yet");
        let broken = it.server.publishes.lock().unwrap().clone();
        it.server.publish(keys(&[&pair]));
        tokio::time::sleep(INTERVAL).await;
        assert!(it.viewer(&pair, "ada").await.is_some(), "it is asked again");

        it.server.publish(broken);
        for _ in 0..3 {
            tokio::time::sleep(INTERVAL * 2).await;
            assert!(it.viewer(&pair, "ada").await.is_some());
        }
        assert!(it.server.fetches() > 2);
    }
    assert_eq!(elsewhere.fetches(), 0, "nobody is led elsewhere");
}

#[tokio::test]
async fn our_own_public_keys_are_published() {
    let library = Library::new();
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    let answer = library.send(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let kid = library.identity.tokens.keys().keys()[0].kid().to_owned();
    let key = &answer.json()["keys"][0];
    assert_eq!(
        (&key["kid"], &key["kty"], &key["alg"]),
        (&json!(kid), &json!("OKP"), &json!("EdDSA"))
    );
    assert!(key.get("d").is_none(), "{key}");
    // With what is published, others verify what is signed here.
    let jwk = serde_json::from_value(key.clone()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["spacey"]);
    jsonwebtoken::decode::<serde_json::Value>(library.token(), &decoding, &validation).unwrap();
}
