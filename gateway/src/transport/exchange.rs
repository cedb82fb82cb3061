//! What the fetches of one client request share: who asks, which headers came, which go back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::Caller;
use http::HeaderMap;

use super::Transports;
use crate::caching::CachePolicy;
use crate::explain::Explain;
use crate::settings::GatewaySettings;
use crate::uploads::Uploads;

/// One client request as its fetches see it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) caller: Arc<Caller>,
    /// The client's headers; empty where no rule reads them.
    pub(crate) headers: HeaderMap,
    pub(crate) explain: Option<Explain>,
    /// The files that came with the request.
    pub(crate) uploads: Option<Uploads>,
    answer: Mutex<HeaderMap>,
    /// None before the first fetch.
    policy: Mutex<Option<CachePolicy>>,
}

impl Exchange {
    pub(crate) fn new(
        caller: Caller,
        headers: &HeaderMap,
        transports: &Transports,
        settings: &GatewaySettings,
    ) -> Self {
        let read = transports.read_the_client();
        Self {
            caller: Arc::new(caller),
            headers: if read { headers.clone() } else { HeaderMap::new() },
            explain: Explain::wanted(headers, settings.developer.explain),
            uploads: None,
            answer: Mutex::default(),
            policy: Mutex::default(),
        }
    }

    /// The same with the files that came with the request.
    pub(crate) fn with_uploads(mut self, uploads: Option<Uploads>) -> Self {
        self.uploads = uploads;
        self
    }

    /// The headers for the client so far.
    pub(super) fn answer(&self) -> MutexGuard<'_, HeaderMap> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a subgraph says of its answer.
    pub(super) fn note_policy(&self, policy: CachePolicy) {
        let mut known = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(policy, |known| known.and(policy)));
    }

    /// How long the answer may be kept. What came from no subgraph may not.
    pub(crate) fn policy(&self) -> CachePolicy {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_default()
    }

    /// The headers for the client.
    pub(crate) fn take_headers(&self) -> HeaderMap {
        std::mem::take(&mut *self.answer())
    }
}
