//! Whether the gateway lives and whether it can do its work now.
//!
//! `/health/live` answers 200 as long as the process runs. `/health/ready` answers 503 while a subgraph is not ready, naming it,
//! and from the moment the program begins to stop, so that a load balancer sends no more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use futures::future::join_all;
use http::StatusCode;
use serde::Serialize;
use tokio::sync::watch;

use crate::buckets::Sharing;
use crate::error::chain;
use crate::transport::Transports;

/// How long a subgraph may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells the gateway that the program is about to stop. Clones are the same handle.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<watch::Sender<bool>>);

impl Drain {
    /// From now on the gateway says that it is not ready, and ends the streams it answers with. It goes on answering requests.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins.
    pub(crate) async fn begun(&self) {
        let mut begun = self.0.subscribe();
        // The sender is not dropped while `self` is there, so this cannot fail.
        let _ = begun.wait_for(|begun| *begun).await;
    }
}

/// What `/health/ready` answers.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Readiness {
    status: &'static str,
    /// What is wrong, by subgraph.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    subgraphs: BTreeMap<String, &'static str>,
    /// Said while a newer supergraph is there that cannot be used. What runs goes on running.
    #[serde(skip_serializing_if = "Option::is_none")]
    supergraph: Option<&'static str>,
    /// Where gateways share the buckets of points. That they cannot is no reason to send no more: each goes on with its share.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Sharing>,
}

pub(crate) async fn ready(
    transports: &Transports,
    drain: &Drain,
    is_stale: bool,
    points: Option<Sharing>,
) -> (StatusCode, Json<Readiness>) {
    let (code, status, subgraphs) = if drain.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining", BTreeMap::new())
    } else {
        let unready = unready(transports).await;
        if unready.is_empty() {
            (StatusCode::OK, "ready", unready)
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready", unready)
        }
    };
    let supergraph = is_stale.then_some("the newest one cannot be used; an older one runs");
    (code, Json(Readiness { status, subgraphs, supergraph, points }))
}

async fn unready(transports: &Transports) -> BTreeMap<String, &'static str> {
    let checks = transports.iter().map(|transport| async {
        let problem = match tokio::time::timeout(PATIENCE, transport.ready()).await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => {
                tracing::warn!(subgraph = transport.name(), "not ready: {}", chain(&error));
                "not ready"
            }
            Err(_) => "did not answer in time",
        };
        Some((transport.name().to_owned(), problem))
    });
    join_all(checks).await.into_iter().flatten().collect()
}
