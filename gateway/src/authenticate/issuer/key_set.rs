//! The keys of another issuer, fetched when they are needed and kept.
//!
//! One fetch is under way at a time, and no more than one in [`KeyFetchSettings::min_interval`], whatever tokens arrive: an unknown
//! name of a key leads to one, and keys that have become old are fetched again in the background. What is known stays when a fetch
//! fails. Redirects are not followed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, StatusCode, Uri};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};
use url::Url;

use super::KeyFetchSettings;
use super::key::{IssuerKey, Keys, read};
use crate::error::chain;
use crate::http_client::{ClientError, ClientSettings, ClientSetupError, SubgraphHttpClient};

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct KeySet(Arc<Inner>);

struct Inner {
    client: SubgraphHttpClient,
    url: Url,
    path: Uri,
    settings: KeyFetchSettings,
    known: RwLock<Arc<Known>>,
    turn: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySet({})", self.url)
    }
}

#[derive(Default)]
struct Known {
    keys: Keys,
    /// When they were fetched.
    fetched: Option<Instant>,
    /// When the last fetch began, whatever came of it.
    asked: Option<Instant>,
}

/// Why there are no newer keys.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("there was no answer in time")]
    Timeout,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    #[error("the answer is no JWK set")]
    Malformed(#[from] serde_json::Error),
    #[error("the answer has no key that can be used: RS256, ES256 and EdDSA are, with a kid")]
    Empty,
}

impl KeySet {
    pub(super) fn new(url: &Url, settings: KeyFetchSettings) -> Result<Self, ClientSetupError> {
        let client = ClientSettings {
            connect_timeout: settings.timeout,
            max_response: settings.max_bytes,
            max_idle: 1,
            ..ClientSettings::default()
        };
        let client = SubgraphHttpClient::new(url, &client)?;
        let path = url[url::Position::BeforePath..url::Position::AfterQuery]
            .parse()
            .map_err(|_| ClientSetupError::Address(url.clone()))?;
        let (url, turn) = (url.clone(), Arc::default());
        Ok(Self(Arc::new(Inner { client, url, path, settings, known: RwLock::default(), turn })))
    }

    /// The key of this name, fetched if it has to be.
    pub(super) async fn find(&self, kid: &str) -> Option<Arc<IssuerKey>> {
        let inner = &self.0;
        let known = inner.known();
        if let Some(key) = known.keys.get(kid) {
            if inner.is_due(&known, inner.settings.max_age)
                && let Ok(turn) = inner.turn.clone().try_lock_owned()
            {
                tokio::spawn(inner.clone().fetch(turn));
            }
            return Some(key.clone());
        }
        let turn = inner.turn.clone().lock_owned().await;
        // Another may have fetched while this one waited.
        let known = inner.known();
        if !known.keys.contains_key(kid) && inner.is_due(&known, Duration::ZERO) {
            // In a task of its own: a client that goes away must not break it off.
            tokio::spawn(inner.clone().fetch(turn)).await.ok()?;
        }
        inner.known().keys.get(kid).cloned()
    }
}

impl Inner {
    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    /// Whether keys of that age may be fetched again now.
    fn is_due(&self, known: &Known, max_age: Duration) -> bool {
        let old = known.fetched.is_none_or(|fetched| fetched.elapsed() >= max_age);
        old && known.asked.is_none_or(|asked| asked.elapsed() >= self.settings.min_interval)
    }

    async fn fetch(self: Arc<Self>, _turn: OwnedMutexGuard<()>) {
        let asked = Some(Instant::now());
        let before = self.known();
        let answer = timeout(self.settings.timeout, self.ask()).await;
        match answer.unwrap_or(Err(FetchError::Timeout)) {
            Ok(keys) => self.set(Known { keys, fetched: asked, asked }),
            Err(error) => {
                let known = before.keys.len();
                tracing::warn!(
                    known,
                    "the keys at {} were not fetched: {}",
                    self.url,
                    chain(&error)
                );
                self.set(Known { keys: before.keys.clone(), fetched: before.fetched, asked });
            }
        }
    }

    async fn ask(&self) -> Result<Keys, FetchError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.path.clone();
        let accepted = HeaderValue::from_static("application/jwk-set+json, application/json");
        request.headers_mut().insert(ACCEPT, accepted);
        let answer = self.client.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let keys = read(answer.body())?;
        if keys.is_empty() { Err(FetchError::Empty) } else { Ok(keys) }
    }
}
