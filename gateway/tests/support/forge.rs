//! Tokens made by hand, good and bad ones, and another issuer with its keys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::token::{KeyRing, TokenKey};
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::serve;

/// What can be read off a name in the tests: the issuer's, and what it calls this installation.
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "spacey-at-id";

pub(crate) fn part(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// `header.claims.signature` of any texts.
pub(crate) fn token(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A key pair of another issuer.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) kid: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: EncodingKey,
    /// The public half.
    pub(crate) public: Jwk,
}

impl Pair {
    pub(crate) fn rsa() -> Self {
        let pem = include_bytes!("keys/rsa-for-tests.pem");
        Self::new("rsa", Algorithm::RS256, EncodingKey::from_rsa_pem(pem).unwrap())
    }

    pub(crate) fn p256(kid: &'static str) -> Self {
        let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
        Self::new(kid, Algorithm::ES256, EncodingKey::from_ec_pem(pem.as_bytes()).unwrap())
    }

    pub(crate) fn ed25519(kid: &'static str) -> Self {
        Self::from_pem(kid, &TokenKey::generate_pem().unwrap())
    }

    /// The Ed25519 key in `pem`.
    pub(crate) fn from_pem(kid: &'static str, pem: &SecretString) -> Self {
        let ring = KeyRing::new(vec![TokenKey::from_pem(pem, Timestamp::UNIX_EPOCH).unwrap()]);
        let public = ring.unwrap().jwks().keys.remove(0);
        let key = EncodingKey::from_ed_pem(pem.expose_secret().as_bytes()).unwrap();
        Self { kid, algorithm: Algorithm::EdDSA, key, public }
    }

    fn new(kid: &'static str, algorithm: Algorithm, key: EncodingKey) -> Self {
        let public = Jwk::from_encoding_key(&key, algorithm).unwrap();
        Self { kid, algorithm, key, public }
    }

    /// The public key as a JWK set has it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        jwk.common.key_id = Some(self.kid.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        serde_json::to_value(jwk).unwrap()
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.algorithm, "kid": self.kid, "typ": "JWT" })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        token(&self.header().to_string(), &claims.to_string(), &self.key, self.algorithm)
    }
}

/// What the issuer's server does when it is asked for keys.
#[derive(Clone)]
pub(crate) enum Publishes {
    Keys(Vec<Value>),
    Status(u16),
    Text(String),
    Redirect(String),
    Nothing,
}

/// Another issuer's server.
#[derive(Clone)]
pub(crate) struct IssuerServer {
    pub(crate) url: Url,
    pub(crate) publishes: Arc<Mutex<Publishes>>,
    fetches: Arc<AtomicUsize>,
}

impl IssuerServer {
    pub(crate) async fn start(publishes: Publishes) -> Self {
        let publishes = Arc::new(Mutex::new(publishes));
        let fetches = Arc::<AtomicUsize>::default();
        let (told, counted) = (publishes.clone(), fetches.clone());
        let answer = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let publishes = told.lock().unwrap().clone();
            async move {
                let mut headers = http::HeaderMap::new();
                let (status, body) = match publishes {
                    Publishes::Keys(keys) => (200, json!({ "keys": keys }).to_string()),
                    Publishes::Status(status) => (status, String::new()),
                    Publishes::Text(text) => (200, text),
                    Publishes::Redirect(to) => {
                        headers.insert(LOCATION, to.parse().unwrap());
                        (302, String::new())
                    }
                    Publishes::Nothing => {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                        (200, String::new())
                    }
                };
                (StatusCode::from_u16(status).unwrap(), headers, body)
            }
        };
        let url = serve(Router::new().route("/keys", get(answer))).await.join("keys").unwrap();
        Self { url, publishes, fetches }
    }

    pub(crate) fn publish(&self, publishes: Publishes) {
        *self.publishes.lock().unwrap() = publishes;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// The same object with one member more, another, or (null) one less.
pub(crate) fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    match value {
        Value::Null => drop(object.remove(name)),
        value => drop(object.insert(name.to_owned(), value)),
    }
    Value::Object(object)
}

/// HMAC keys that an attacker can make of what is public of the own key.
pub(crate) fn public_forms(jwk: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let x = jwk["x"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
    der.extend(&raw);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    vec![
        ("its bytes", raw),
        ("its DER", der),
        ("its PEM", pem.clone().into_bytes()),
        ("its PEM without a line's end", pem.trim_end().as_bytes().to_vec()),
        ("its JWK", jwk.to_string().into_bytes()),
        ("its name in base64", x.as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ]
}
