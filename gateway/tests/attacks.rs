//! Attacks by tokens and API keys, each sent through the whole router, as a header and as a cookie. Whatever the attack, the answer is 401 with the
//! code UNAUTHENTICATED and without data, and no subgraph is asked for anything.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::Arc;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use common::revocation::Revocations;
use common::token::{ACCESS_TOKEN_LIFETIME, AccessTokens, KeyRing, TokenKey};
use common::{Clock, KeyVerifier, SessionId, UserId};
use gateway::{GatewaySettings, IssuerSettings};
use http::Request;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use support::forge::{
    AUDIENCE, ISSUER, IssuerServer, Pair, Publishes, part, public_forms, token, with,
};
use support::key_book::KeyBook;
use support::plain::Received;
use support::{Answer, Identity, SUPERGRAPH, plain, send};

/// A gateway that accepts tokens of its own and of another issuer, over subgraphs that remember what they are asked.
struct Target {
    router: axum::Router,
    received: [Received; 3],
    own: Pair,
    /// The name of the own key.
    kid: String,
    /// The public half of the own key, as others see it.
    jwk: Value,
    rsa: Pair,
    p256: Pair,
    ed25519: Pair,
    /// A good API key.
    key: String,
    /// One that was revoked and one that has expired.
    bad_keys: [String; 2],
    now: i64,
}

impl Target {
    async fn new() -> Self {
        let pem = TokenKey::generate_pem().unwrap();
        let clock = Clock::manual(Clock::System.now());
        let ring = KeyRing::new(vec![TokenKey::from_pem(&pem, clock.now()).unwrap()]).unwrap();
        let kid = ring.keys()[0].kid().to_owned();
        let jwk = serde_json::to_value(ring.jwks()).unwrap()["keys"][0].clone();
        let own = Pair::from_pem("own", &pem);

        let (rsa, p256, ed25519) = (Pair::rsa(), Pair::p256("p256"), Pair::ed25519("ed25519"));
        let keys = [&rsa, &p256, &ed25519].map(Pair::jwk);
        let issuer = IssuerServer::start(Publishes::Keys(keys.into())).await;
        let issuers = vec![IssuerSettings::new(ISSUER, AUDIENCE, issuer.url.clone())];
        let settings = GatewaySettings { issuers, ..GatewaySettings::default() };

        let (transports, received) = plain::library().await;
        let now = clock.now().as_second();
        let revocations = Arc::new(Revocations::new(clock.clone()));
        let book = Arc::new(KeyBook::default());
        let expires = clock.now() + ACCESS_TOKEN_LIFETIME;
        let (key, _) = book.make(&["read", "write"], expires);
        let (revoked, session) = book.make(&["read", "write"], expires);
        revocations.revoke(session, expires);
        let (expired, _) = book.make(&["read", "write"], clock.now());
        let keys = Some(book as Arc<dyn KeyVerifier>);
        let tokens = Arc::new(AccessTokens::new(ring));
        let identity = Identity { tokens, revocations, keys, admissions: None, clock };
        let router = identity.gateway(SUPERGRAPH, transports, settings).unwrap().router();
        let bad_keys = [revoked, expired];
        Self { router, received, own, kid, jwk, rsa, p256, ed25519, key, bad_keys, now }
    }

    /// What a good token of this installation says.
    fn claims(&self) -> Value {
        json!({
            "iss": "spacey", "aud": "spacey", "sub": UserId::new(), "sid": SessionId::new(),
            "roles": { "beta": false, "admin": false }, "iat": self.now, "exp": self.now + 900,
        })
    }

    /// What a good token of the other issuer says.
    fn foreign_claims(&self) -> Value {
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": self.now + 900 })
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.kid, "typ": "JWT" })
    }

    /// Claims signed by the own key.
    fn signed(&self, claims: &Value) -> String {
        self.with_header(&self.header(), claims)
    }

    fn with_header(&self, header: &Value, claims: &Value) -> String {
        token(&header.to_string(), &claims.to_string(), &self.own.key, Algorithm::EdDSA)
    }

    /// A good token's text with other claims as they stand.
    fn raw_claims(&self, claims: &str) -> String {
        token(&self.header().to_string(), claims, &self.own.key, Algorithm::EdDSA)
    }

    /// Sends a query and a mutation with the token, as a header and as a cookie.
    async fn answers(&self, token: &str) -> Vec<Answer> {
        let mut answers = Vec::new();
        for query in ["{ viewer books(first: 1) { title } }", "mutation { signIn }"] {
            let body = json!({ "query": query }).to_string();
            let credentials = [
                ("authorization", format!("Bearer {token}")),
                ("cookie", format!("spacey-access={token}")),
            ];
            for (name, value) in credentials {
                let request = Request::post("/graphql")
                    .header("content-type", "application/json")
                    .header(name, value)
                    .body(Body::from(body.clone()))
                    .unwrap();
                answers.push(send(&self.router, request).await);
            }
        }
        answers
    }

    fn was_asked(&self) -> bool {
        self.received.iter().any(|received| !received.all().is_empty())
    }
}

/// Every attack that names or brings a key or an algorithm.
fn attacks_on_keys(it: &Target) -> Vec<(String, String)> {
    let (good, claims) = (it.header(), it.claims());
    let text = claims.to_string();
    let mut attacks = Vec::new();
    let mut add = |name: String, token: String| attacks.push((name, token));

    let kept = it.signed(&claims);
    let kept = kept.rsplit('.').next().unwrap();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = part(with(&good, "alg", json!(alg)).to_string());
        add(format!("alg {alg:?}, no signature"), format!("{header}.{}.", part(&text)));
        add(format!("alg {alg:?}, a signature"), format!("{header}.{}.{kept}", part(&text)));
    }
    add("no signature".into(), format!("{}.{}.", part(good.to_string()), part(&text)));
    for (form, secret) in public_forms(&it.jwk) {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = with(&good, "alg", json!(algorithm)).to_string();
            let key = EncodingKey::from_secret(&secret);
            add(
                format!("{algorithm:?} by the public key: {form}"),
                token(&header, &text, &key, algorithm),
            );
        }
    }
    for alg in ["ES256", "RS256", "HS256", "EdDSA ", "eddsa", "Ed25519"] {
        let header = with(&good, "alg", json!(alg));
        add(format!("the own key under {alg:?}"), it.with_header(&header, &claims));
    }
    for alg in [json!(7), json!(["EdDSA"]), json!({ "EdDSA": 1 }), json!(true), Value::Null] {
        let header = with(&good, "alg", alg.clone());
        add(format!("alg {alg}"), it.with_header(&header, &claims));
    }

    let attacker = Pair::ed25519("attacker");
    let sign = |header: &Value| token(&header.to_string(), &text, &attacker.key, Algorithm::EdDSA);
    add("another key under the own name".into(), sign(&good));
    for (name, value) in [
        ("jku", json!("https://attacker.example/keys")),
        ("jwk", attacker.jwk()),
        ("x5u", json!("https://attacker.example/certificate")),
        ("x5c", json!([STANDARD.encode("certificate")])),
        ("x5t", json!("thumbprint")),
    ] {
        let header = with(&good, name, value);
        add(format!("a key that the token brings: {name}"), sign(&header));
        let header = with(&header, "kid", json!("attacker"));
        add(format!("a key that the token brings and names: {name}"), sign(&header));
    }
    for kid in [
        json!("unknown"),
        json!(""),
        json!("../../../../../../dev/null"),
        json!("..\\..\\windows\\win.ini"),
        json!("/proc/sys/kernel/randomize_va_space"),
        json!("file:///etc/hostname"),
        json!("https://attacker.example/key"),
        json!("x' UNION SELECT 'secret' -- "),
        json!("'; DROP TABLE users; --"),
        json!("| id"),
        json!("own\u{0}"),
        json!(format!("{}\u{0}", it.kid)),
        json!({ "$gt": "" }),
        json!({ "$where": "1" }),
        json!([it.kid]),
        json!(0),
        json!("k".repeat(4000)),
        Value::Null,
    ] {
        let header = with(&good, "kid", kid.clone());
        add(format!("kid {kid:.60}"), it.with_header(&header, &claims));
        for secret in ["", "secret", "0\n"] {
            let header = with(&header, "alg", json!("HS256")).to_string();
            let key = EncodingKey::from_secret(secret.as_bytes());
            let token = token(&header, &text, &key, Algorithm::HS256);
            add(format!("kid {kid:.60}, HS256 by {secret:?}"), token);
        }
    }
    attacks
}

/// Every attack by what a token says, though signed by the own key.
fn attacks_by_claims(it: &Target) -> Vec<(String, String)> {
    let (now, claims) = (it.now, it.claims());
    let changed: Vec<(&str, Vec<Value>)> = vec![
        (
            "exp",
            vec![
                Value::Null,
                json!(now),
                json!(now - 1),
                json!(-1),
                json!(0),
                json!("9999999999"),
                json!((now + 900).to_string()),
                json!([now + 900]),
                json!({}),
                json!(true),
                json!(1e300),
                json!(i64::MAX),
            ],
        ),
        ("nbf", vec![json!(now + 1), json!(now + 900), json!("0"), json!([0])]),
        (
            "iss",
            vec![
                Value::Null,
                json!("Spacey"),
                json!("spacey "),
                json!(["spacey"]),
                json!({}),
                json!(""),
                json!("https://attacker.example"),
                json!(ISSUER),
            ],
        ),
        (
            "aud",
            vec![
                Value::Null,
                json!("spacey-subgraph"),
                json!("Spacey"),
                json!([]),
                json!(["other"]),
                json!([["spacey"]]),
                json!({ "spacey": 1 }),
                json!(AUDIENCE),
            ],
        ),
        (
            "sub",
            vec![
                Value::Null,
                json!(""),
                json!("ada"),
                json!(7),
                json!({ "$gt": "" }),
                json!("' or '1'='1"),
            ],
        ),
        ("sid", vec![Value::Null, json!("none"), json!({ "$ne": 1 })]),
        ("roles", vec![Value::Null, json!("admin"), json!({ "beta": "no", "admin": 1 })]),
    ];
    let mut attacks = Vec::new();
    for (name, values) in changed {
        for value in values {
            attacks.push((format!("{name} {value}"), it.signed(&with(&claims, name, value))));
        }
    }
    let text = claims.to_string();
    let inside = &text[1..text.len() - 1];
    for (name, text) in [
        ("sub twice", format!(r#"{{"sub":"{}",{inside}}}"#, UserId::new())),
        ("roles twice", format!(r#"{{{inside},"roles":{{"beta":true,"admin":true}}}}"#)),
        ("exp twice", format!(r#"{{{inside},"exp":9999999999}}"#)),
        ("exp twice, once escaped", format!(r#"{{{inside},"\u0065xp":9999999999}}"#)),
        ("claims that are a list", format!("[{text}]")),
        ("claims that are a text", "\"spacey\"".into()),
        ("claims that are nothing", String::new()),
        ("claims that are cut off", text[..text.len() - 1].into()),
        ("claims with more behind", format!("{text}{text}")),
    ] {
        attacks.push((name.into(), it.raw_claims(&text)));
    }
    let kid = &it.kid;
    for (name, header) in [
        ("alg twice", format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}"}}"#)),
        ("kid twice", format!(r#"{{"alg":"EdDSA","kid":"other","kid":"{kid}"}}"#)),
        ("crit", format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":["exp"],"exp":1}}"#)),
        ("crit of nothing", format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":[]}}"#)),
        ("crit b64", format!(r#"{{"alg":"EdDSA","kid":"{kid}","b64":false,"crit":["b64"]}}"#)),
        ("a header that is a list", r#"["EdDSA"]"#.into()),
        ("a header that is nothing", String::new()),
    ] {
        attacks.push((name.into(), token(&header, &text, &it.own.key, Algorithm::EdDSA)));
    }
    attacks
}

/// Every attack by the token's form.
fn attacks_by_form(it: &Target) -> Vec<(String, String)> {
    let good = it.signed(&it.claims());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let other = it.signed(&with(&it.claims(), "roles", json!({ "beta": true, "admin": true })));
    let other = other.split('.').nth(1).unwrap();
    let last = if signature.ends_with('A') { "B" } else { "A" };
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{first}{}", &signature[1..]);
    let padded = with(&it.claims(), "padding", json!("x".repeat(100_000)));
    [
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("a part behind", format!("{good}.")),
        ("a part more", format!("{good}.{signature}")),
        ("five parts, as if encrypted", format!("{good}.{claims}.{signature}")),
        ("a part before", format!(".{good}")),
        ("dots", "..".into()),
        ("no token", "x".into()),
        ("the claims of another", format!("{header}.{other}.{signature}")),
        ("a changed signature", format!("{header}.{claims}.{flipped}")),
        ("a short signature", format!("{header}.{claims}.{}", &signature[..signature.len() - 4])),
        ("a long signature", format!("{header}.{claims}.{signature}AAAA")),
        (
            "bits behind the signature",
            format!("{header}.{claims}.{}{last}", &signature[..signature.len() - 1]),
        ),
        ("padding behind the signature", format!("{good}==")),
        ("padding in the header", format!("{header}=.{claims}.{signature}")),
        ("the other alphabet", format!("{header}.{claims}+/.{signature}")),
        ("a space within", format!("{header}. {claims}.{signature}")),
        ("no base64", format!("{header}.{{}}.{signature}")),
        ("100 KB of claims", it.signed(&padded)),
        (
            "100 KB of header",
            it.with_header(
                &with(&it.header(), "padding", json!("x".repeat(100_000))),
                &it.claims(),
            ),
        ),
        ("9 KB of dots", ".".repeat(9 << 10)),
        ("deep claims", it.raw_claims(&format!("{}{}", "[".repeat(3000), "]".repeat(3000)))),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

/// Attacks by tokens that say another issuer made them.
fn attacks_by_issuer(it: &Target) -> Vec<(String, String)> {
    let (now, claims) = (it.now, it.foreign_claims());
    let mut attacks = Vec::new();
    let mut add = |name: &str, token: String| attacks.push((format!("issuer: {name}"), token));
    for pair in [&it.rsa, &it.p256, &it.ed25519] {
        for (name, value) in [
            ("exp", Value::Null),
            ("exp", json!(now - 30)),
            ("nbf", json!(now + 31)),
            ("iss", Value::Null),
            ("iss", json!("https://id.example/")),
            ("iss", json!([ISSUER])),
            ("iss", json!("spacey")),
            ("aud", Value::Null),
            ("aud", json!("spacey")),
            ("aud", json!(["another"])),
            ("sub", Value::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!({ "$gt": "" })),
        ] {
            add(&format!("{} {name} {value}", pair.kid), pair.sign(&with(&claims, name, value)));
        }
    }
    let text = claims.to_string();
    // The attacker knows what is published, and has keys of the right kinds.
    let modulus = it.rsa.jwk()["n"].as_str().unwrap().as_bytes().to_vec();
    for (name, secret) in
        [("modulus", modulus), ("JWK", it.rsa.jwk().to_string().into_bytes()), ("nothing", vec![])]
    {
        let key = EncodingKey::from_secret(&secret);
        let header = json!({ "alg": "HS256", "kid": "rsa" }).to_string();
        add(
            &format!("HS256 by the RSA key's {name}"),
            token(&header, &text, &key, Algorithm::HS256),
        );
    }
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let header = json!({ "alg": algorithm, "kid": "rsa" }).to_string();
        add(&format!("{algorithm:?}"), token(&header, &text, &it.rsa.key, algorithm));
    }
    let (p256, ed25519) = (Pair::p256("p256"), Pair::ed25519("ed25519"));
    add("another P-256 key", p256.sign(&claims));
    add("another Ed25519 key", ed25519.sign(&claims));
    add(
        "an Ed25519 key under the RSA key's name",
        Pair { kid: "rsa", ..ed25519.clone() }.sign(&claims),
    );
    add("a key that is not published", Pair { kid: "new", ..ed25519 }.sign(&claims));
    add("this installation's own key", it.signed(&claims));
    let unnamed = with(&it.rsa.header(), "kid", Value::Null).to_string();
    add("no kid", token(&unnamed, &text, &it.rsa.key, Algorithm::RS256));
    let zeros = format!("{}.{}.{}", part(it.p256.header().to_string()), part(&text), part([0; 64]));
    add("a signature of zeros (CVE-2022-21449)", zeros);
    add("the issuer's key for our own name", it.rsa.sign(&it.claims()));
    add("the issuer's key under our key's name", {
        let header = with(&it.ed25519.header(), "kid", json!(it.kid)).to_string();
        token(&header, &it.claims().to_string(), &it.ed25519.key, Algorithm::EdDSA)
    });
    attacks
}

/// Attacks by what passes for an API key.
fn attacks_by_api_key(it: &Target) -> Vec<(String, String)> {
    let key = &it.key;
    let (jwt, [revoked, expired]) = (it.signed(&it.claims()), &it.bad_keys);
    [
        ("revoked", revoked.clone()),
        ("expired", expired.clone()),
        ("unknown", key.replace("Key123", "Key124")),
        ("another case", key.to_uppercase()),
        ("no beginning", key["sk_spacey_".len()..].into()),
        ("the first letters", key[..14].into()),
        ("two", format!("{key} {key}")),
        ("with a line's end, escaped", format!("{}%0a%0d", &key[..42])),
        ("a pattern", "sk_spacey_".to_owned() + &"%".repeat(38)),
        ("SQL", format!("sk_spacey_{:38}", "' OR '1'='1")),
        ("an operator", format!("sk_spacey_{:38}", "{\"$gt\":\"\"}")),
        ("in a token's place", format!("{key}.{key}.{key}")),
        ("before a token", format!("sk_spacey_{jwt}")),
        (
            "as the name of a key",
            it.with_header(&with(&it.header(), "kid", json!(key)), &it.claims()),
        ),
    ]
    .map(|(name, key)| (format!("API key: {name}"), key))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_by_a_token_executes_anything() {
    let it = Target::new().await;
    let attacks = [
        attacks_on_keys(&it),
        attacks_by_claims(&it),
        attacks_by_form(&it),
        attacks_by_issuer(&it),
        attacks_by_api_key(&it),
    ]
    .concat();
    assert!(attacks.len() > 200, "{}", attacks.len());
    for (name, token) in attacks {
        for answer in it.answers(&token).await {
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (401, "UNAUTHENTICATED".to_owned()), "{name}: {}", answer.text());
            assert!(answer.json().get("data").is_none(), "{name}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        }
        assert!(!it.was_asked(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn good_tokens_made_the_same_way_are_accepted() {
    let it = Target::new().await;
    let (now, own, foreign) = (it.now, it.claims(), it.foreign_claims());
    for (name, token) in [
        ("own", it.signed(&own)),
        ("good from now", it.signed(&with(&own, "nbf", json!(now)))),
        ("good for a second", it.signed(&with(&own, "exp", json!(now + 1)))),
        (
            "with what is ignored",
            it.with_header(&with(&it.header(), "jku", json!("https://a.example")), &own),
        ),
        ("for several", it.rsa.sign(&with(&foreign, "aud", json!(["other", AUDIENCE])))),
        ("RS256", it.rsa.sign(&foreign)),
        ("ES256", it.p256.sign(&foreign)),
        ("EdDSA", it.ed25519.sign(&foreign)),
        ("a clock that is 29 s behind", it.rsa.sign(&with(&foreign, "exp", json!(now - 29)))),
        ("a clock that is 30 s ahead", it.rsa.sign(&with(&foreign, "nbf", json!(now + 30)))),
    ] {
        for answer in it.answers(&token).await {
            assert_eq!(answer.status.as_u16(), 200, "{name}: {}", answer.text());
        }
        assert!(it.was_asked(), "{name}");
    }
    // A key is for scripts, which have no cookies.
    let statuses = it.answers(&it.key).await.into_iter().map(|answer| answer.status.as_u16());
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 401, 200, 401]);
}
