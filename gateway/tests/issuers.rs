//! Another issuer's keys: when they are fetched, what becomes of those that are known, and who its people are here. And our own keys, as
//! others fetch them.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use common::token::{ACCESS_TOKEN_LIFETIME, ServiceTokens};
use common::vouched::{Admission, Admissions, Vouched};
use common::{Client, Clock, EndpointError, Roles, UserId};
use futures::future::{BoxFuture, join_all};
use gateway::{
    GatewaySettings, HttpEndpoint, IssuerSettings, RemoteAdmissions, StreamSettings, Transport,
    people_router,
};
use http::Request;
use serde_json::{Value, json};
use support::forge::{AUDIENCE, ISSUER, IssuerServer, Pair, Publishes};
use support::socket::{Socket, listen};
use support::{
    Answer, Identity, Library, SUPERGRAPH, endpoints, post, remote, send, serve, service_tokens,
};

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

/// Has an account for one person, and remembers how often it was asked.
#[derive(Debug)]
struct Register {
    account: UserId,
    asked: AtomicUsize,
    broken: AtomicBool,
}

impl Register {
    fn new() -> Arc<Self> {
        let (asked, broken) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { account: UserId::new(), asked, broken })
    }
}

impl Admissions for Register {
    fn admit<'a>(
        &'a self,
        person: &'a Vouched,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Admission, EndpointError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!((&*person.issuer, client.user_agent.as_deref()), (ISSUER, Some("Browser")));
        Box::pin(async move {
            if self.broken.load(Ordering::SeqCst) {
                return Err(EndpointError::Timeout { endpoint: "users".into() });
            }
            Ok(match person.email.as_deref() {
                None => Admission::NoAddress,
                Some("taken@example.org") => Admission::AddressTaken,
                Some(_) => Admission::Account {
                    user: self.account,
                    roles: Roles::default(),
                    verified: person.email_verified,
                },
            })
        })
    }
}

/// A gateway whose other issuer's people get accounts, or do not.
struct Accounts {
    router: axum::Router,
    identity: Identity,
    pair: Pair,
    _server: IssuerServer,
}

impl Accounts {
    async fn with(admissions: Arc<dyn Admissions>, accounts: bool) -> Self {
        let pair = Pair::ed25519("one");
        let server = IssuerServer::start(keys(&[&pair])).await;
        let issuer = IssuerSettings::new(ISSUER, AUDIENCE, server.url.clone());
        let issuers = vec![IssuerSettings { accounts, ..issuer }];
        let heartbeat = Duration::from_millis(50);
        let streams = StreamSettings { heartbeat, ..StreamSettings::default() };
        let settings = GatewaySettings { issuers, streams, ..GatewaySettings::default() };
        let identity = Identity { admissions: Some(admissions), ..Identity::new() };
        let transports = endpoints().0.into_iter().map(Transport::InProcess).collect();
        let router = identity.gateway(SUPERGRAPH, transports, settings).unwrap().router();
        Self { router, identity, pair, _server: server }
    }

    fn token(&self, email: Value) -> String {
        let exp = self.identity.clock.now().as_second() + 24 * 3600;
        self.pair.sign(&json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": exp,
            "email": email, "email_verified": true }))
    }

    async fn ask(&self, email: Value, as_cookie: bool) -> Answer {
        let body = json!({ "query": "{ viewer }" }).to_string();
        let token = self.token(email);
        let (name, value) = match as_cookie {
            true => ("cookie", format!("spacey-access={token}")),
            false => ("authorization", format!("Bearer {token}")),
        };
        let request = post(&body).header(name, value).header("user-agent", "Browser");
        send(&self.router, request.body(Body::from(body)).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_have_the_account_that_is_theirs_where_that_is_set() {
    let register = Register::new();
    let off = Accounts::with(register.clone(), false).await;
    let derived = off.ask(json!("ada@example.org"), false).await.json()["data"]["viewer"].take();
    assert!(derived.is_string() && register.asked.load(Ordering::SeqCst) == 0);

    let it = Accounts::with(register.clone(), true).await;
    for as_cookie in [true, false] {
        let answer = it.ask(json!("ada@example.org"), as_cookie).await;
        assert_eq!(answer.json()["data"]["viewer"], json!(register.account.to_string()));
        for (email, status, code) in [
            (json!("taken@example.org"), 409, "ADDRESS_TAKEN"),
            (Value::Null, 403, "ADDRESS_MISSING"),
            (json!({ "$gt": "" }), 403, "ADDRESS_MISSING"),
        ] {
            let answer = it.ask(email, as_cookie).await;
            assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code));
            assert!(answer.json().get("data").is_none());
            assert_eq!(answer.header("set-cookie"), "", "the token is a good one");
        }
    }
    register.broken.store(true, Ordering::SeqCst);
    let answer = it.ask(json!("ada@example.org"), false).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "SERVICE_UNAVAILABLE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_account_it_is_is_looked_at_again_now_and_then() {
    let register = Register::new();
    let it = Accounts::with(register.clone(), true).await;
    let address = listen(it.router.clone()).await;
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws"), ("user-agent", "Browser")];
    let mut socket = Socket::open(address, &protocol).await.unwrap();
    let bearer = format!("Bearer {}", it.token(json!("ada@example.org")));
    let payload = json!({ "authorization": bearer });
    socket.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
    it.identity.clock.advance(ACCESS_TOKEN_LIFETIME);
    assert_eq!(socket.closed().await.0, 4403, "though the token is good for a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_in_another_process_are_asked_for_with_the_secret() {
    let register = Register::new();
    let url = serve(people_router(register.clone(), service_tokens(), Clock::System)).await;
    let admissions = RemoteAdmissions::new(Arc::new(remote("users", url.clone())));
    let it = Accounts::with(Arc::new(admissions), true).await;
    let answers = join_all((0..20).map(|_| it.ask(json!("ada@example.org"), false))).await;
    let account = json!(register.account.to_string());
    assert!(answers.iter().all(|answer| answer.json()["data"]["viewer"] == account));
    assert_eq!(register.asked.load(Ordering::SeqCst), 1);
    for _ in 0..2 {
        assert_eq!(it.ask(json!("taken@example.org"), false).await.code(), "ADDRESS_TAKEN");
    }
    assert_eq!(register.asked.load(Ordering::SeqCst), 3, "a refusal is not remembered");

    let others = Arc::new(ServiceTokens::new(&"a secret that nobody here shares".into()));
    let stranger = HttpEndpoint::new("users", url, others, Duration::from_secs(5)).unwrap();
    let stranger = Accounts::with(Arc::new(RemoteAdmissions::new(Arc::new(stranger))), true).await;
    assert_eq!(stranger.ask(json!("ada@example.org"), false).await.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(register.asked.load(Ordering::SeqCst), 3);
}
