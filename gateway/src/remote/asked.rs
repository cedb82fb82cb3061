//! A question to the users subgraph in another process, whose good answers are remembered for a few seconds: a gateway asks it for each request.
//!
//! Those who ask the same at the same time share one question. Of what was asked only a hash is kept, since it may be a secret.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::{Caller, Client, EndpointError};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::client::{HttpEndpoint, own_caller};
use crate::inflight::Inflight;

/// How long a good answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many are remembered: about 3 MB.
const CAPACITY: usize = 10_000;

type Hash = [u8; 32];

/// A kind of question, with what is remembered of it.
pub(super) struct Asked<T: Clone> {
    endpoint: Arc<HttpEndpoint>,
    path: &'static str,
    /// Whether an answer may be remembered.
    is_good: fn(&T) -> bool,
    known: Mutex<HashMap<Hash, (T, Instant)>>,
    asking: Inflight<Hash, Result<T, Arc<EndpointError>>>,
}

impl<T: Clone> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T: Clone + DeserializeOwned + Send + Sync + 'static> Asked<T> {
    pub(super) fn new(
        endpoint: Arc<HttpEndpoint>,
        path: &'static str,
        is_good: fn(&T) -> bool,
    ) -> Self {
        Self { endpoint, path, is_good, known: Mutex::default(), asking: Inflight::default() }
    }

    /// The answer to `question`, asked for `client`.
    pub(super) async fn ask(&self, question: String, client: &Client) -> Result<T, EndpointError> {
        let hash: Hash = Sha256::digest(question.as_bytes()).into();
        let asked_at = Instant::now();
        if let Some(answer) = self.remembered(&hash, asked_at) {
            return Ok(answer);
        }
        let (endpoint, path) = (self.endpoint.clone(), self.path);
        let caller = Caller { client: client.clone(), ..own_caller() };
        let asking =
            || async move { endpoint.ask(path, question, &caller).await.map_err(Arc::new) };
        let answer = self.asking.run(hash, asking).await.0.map_err(|error| {
            EndpointError::Failed { endpoint: "users".into(), source: Box::new(error) }
        })?;
        if (self.is_good)(&answer) {
            self.remember(hash, answer.clone(), asked_at);
        }
        Ok(answer)
    }

    fn remembered(&self, hash: &Hash, now: Instant) -> Option<T> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|(_, until)| now < *until).map(|(answer, _)| answer.clone())
    }

    fn remember(&self, hash: Hash, answer: T, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (_, until)| now < *until);
        }
        // Should there be so many all the same, the others are asked for each time.
        if known.len() < CAPACITY {
            known.insert(hash, (answer, now + REMEMBERED));
        }
    }
}
