//! Replaces the supergraph of a running gateway when it is found to have changed. What cannot be used is logged, `/health/ready` says so, and
//! everything stays as it is.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use common::Endpoint;
use federation::Supergraph;
use federation::compose::SubgraphSdl;
use gateway::{Gateway, Replaced, Transport};
use tokio::task::JoinError;

use crate::graph;
use crate::origin::Origin;
use crate::subgraphs::Subgraphs;
use crate::wiring::Site;

type BoxError = Box<dyn Error + Send + Sync>;

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Runs what is at `origin` whenever it has changed. It never ends.
pub(crate) async fn watch(
    gateway: Gateway,
    subgraphs: Arc<Subgraphs>,
    mut origin: Origin,
    every: Duration,
) {
    loop {
        tokio::time::sleep(every).await;
        let sdl = match origin.changed().await {
            Ok(None) => continue,
            Ok(Some(sdl)) => sdl,
            Err(error) => {
                refuse(&gateway, &error);
                continue;
            }
        };
        let (target, subgraphs) = (gateway.clone(), subgraphs.clone());
        let replace = move || {
            let (supergraph, transports) = subgraphs.of_supergraph(&sdl)?;
            Ok(target.replace(supergraph, transports)?)
        };
        report(&gateway, tokio::task::spawn_blocking(replace).await);
    }
}

/// Composes anew whenever the schema of a subgraph is another than before; at first that are `sdls`. It never ends.
pub(crate) async fn watch_subgraphs(
    gateway: Gateway,
    sites: Vec<Site>,
    mut sdls: Vec<SubgraphSdl>,
    every: Duration,
) {
    let endpoints: Vec<Arc<dyn Endpoint>> = sites.iter().map(Site::endpoint).collect();
    loop {
        tokio::time::sleep(every).await;
        let found = match graph::subgraph_sdls(&endpoints).await {
            Ok(found) => found,
            // A subgraph that starts anew: it is asked again.
            Err(error) => {
                tracing::debug!(%error, "a subgraph does not tell its schema");
                continue;
            }
        };
        if found == sdls {
            continue;
        }
        sdls.clone_from(&found);
        let (target, sites) = (gateway.clone(), sites.clone());
        let replace = move || {
            let supergraph = Supergraph::parse(&graph::supergraph(&found)?.supergraph_sdl)?;
            let transports = sites.into_iter().map(Transport::from).collect();
            Ok(target.replace(supergraph, transports)?)
        };
        report(&gateway, tokio::task::spawn_blocking(replace).await);
    }
}

fn report(gateway: &Gateway, outcome: Result<Result<Replaced, BoxError>, JoinError>) {
    match outcome.map_err(BoxError::from).and_then(|replaced| replaced) {
        Ok(Replaced { warmed }) => tracing::info!(warmed, "a new supergraph runs"),
        Err(error) => refuse(gateway, &*error),
    }
}

fn refuse(gateway: &Gateway, error: &dyn Error) {
    gateway.note_stale();
    let error = chain(error);
    tracing::error!("the new supergraph cannot be used; the one before goes on: {error}");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_graphql::Response;
    use common::{Caller, EndpointError, Event, SubgraphRequest};
    use futures::future::BoxFuture;
    use gateway::GatewaySettings;

    use super::*;

    /// A subgraph whose schema changes.
    #[derive(Default)]
    struct Changing(Mutex<String>);

    impl Endpoint for Changing {
        fn name(&self) -> &str {
            "changing"
        }
        fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
            Box::pin(async { Ok(self.0.lock().unwrap().clone()) })
        }
        fn execute(
            &self,
            _: SubgraphRequest,
            _: Arc<Caller>,
        ) -> BoxFuture<'_, Result<Response, EndpointError>> {
            Box::pin(async { Ok(Response::default()) })
        }
        fn apply(&self, _: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
            Box::pin(async { Ok(()) })
        }
        fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
            Box::pin(async { Ok(()) })
        }
    }

    async fn status_of(gateway: &Gateway, query: &str) -> u16 {
        let uri = format!("/graphql?query={query}");
        let request = http::Request::get(uri)
            .header("accept", "application/graphql-response+json")
            .body(axum::body::Body::empty())
            .unwrap();
        tower::ServiceExt::oneshot(gateway.router(), request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn a_changed_schema_of_a_subgraph_is_composed_and_run() {
        let every = Duration::from_millis(10);
        let changing = Arc::new(Changing::default());
        let change = |sdl: &str| sdl.clone_into(&mut changing.0.lock().unwrap());
        change("type Query { before: Int }");
        let sites = vec![Site::Here(changing.clone())];
        let sdls = graph::subgraph_sdls(&[changing.clone()]).await.unwrap();
        let supergraph = graph::supergraph(&sdls).unwrap().supergraph_sdl;
        let supergraph = Supergraph::parse(&supergraph).unwrap();
        let gateway =
            Gateway::general(supergraph, sites.clone(), None, GatewaySettings::default()).unwrap();
        tokio::spawn(watch_subgraphs(gateway.clone(), sites, sdls, every));

        assert_eq!(status_of(&gateway, "%7Bbefore%7D").await, 200);
        change("type Query { after: Int");
        tokio::time::sleep(every * 5).await;
        assert_eq!(status_of(&gateway, "%7Bbefore%7D").await, 200, "it goes on");

        change("type Query { after: Int }");
        for _ in 0..1000 {
            tokio::time::sleep(every).await;
            if status_of(&gateway, "%7Bafter%7D").await == 200 {
                return;
            }
        }
        panic!("the new schema never ran");
    }
}
