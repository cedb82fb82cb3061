//! What can be set about one subgraph.

use std::time::Duration;

use super::breaker::BreakerSettings;
use super::headers::HeaderRules;
use super::retry::RetrySettings;
use crate::http_client::ClientSettings;

/// What can be set about one subgraph. Everything but the timeout and the size of an answer is off by default.
#[derive(Debug, Clone)]
pub struct SubgraphSettings {
    /// How long an answer may take, from the wait for a free place to its last byte, all attempts included.
    pub timeout: Duration,
    /// How queries are tried again.
    pub retry: Option<RetrySettings>,
    /// When the subgraph is left alone for a while.
    pub breaker: Option<BreakerSettings>,
    /// How many requests may be under way at once; more of them wait. A subscription counts while it is opened.
    pub concurrency: Option<usize>,
    /// How many requests may wait under `concurrency`; more of them fail at once. 0 lets none wait.
    pub waiting: usize,
    /// How connections are made and kept, and how large an answer may be.
    pub client: ClientSettings,
    /// Whether queries that are the same, headers included, share one answer while it is under way.
    pub share_queries: bool,
    /// Which headers go along, both ways.
    pub headers: HeaderRules,
    /// Whether clients are shown this subgraph's error messages and extensions as they are.
    pub errors_shown: bool,
}

impl Default for SubgraphSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retry: None,
            breaker: None,
            concurrency: None,
            waiting: 1000,
            client: ClientSettings::default(),
            share_queries: false,
            headers: HeaderRules::default(),
            errors_shown: false,
        }
    }
}
