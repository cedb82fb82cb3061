//! A gateway without a network for the targets that speak to one: two subgraphs in this process, and time that passes at once when
//! nothing is left to do. Each input gets a gateway of its own, so that none depends on those before it.

pub(crate) mod library;
pub(crate) mod well_formed;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use common::Endpoint;
use federation::{SubgraphSdl, Supergraph, compose};
use futures::StreamExt;
use gateway::{Gateway, GatewaySettings};
use http::Request;
use tokio::time::{Duration, timeout};
use tower::ServiceExt;

/// How long answers that last are read: longer than any operation here takes, and long enough to see signs of life.
const READ_FOR: Duration = Duration::from_secs(25);

static SUPERGRAPH: LazyLock<String> = LazyLock::new(|| {
    let subgraphs = [
        ("books", common::graphql::sdl::federation_sdl(&library::books())),
        ("reviews", common::graphql::sdl::federation_sdl(&library::reviews())),
    ];
    let subgraphs =
        subgraphs.map(|(name, sdl)| SubgraphSdl { name: name.to_owned(), url: None, sdl });
    match compose(&subgraphs) {
        Ok(composition) => composition.supergraph_sdl,
        Err(errors) => panic!("the graph of the gateway's targets does not compose: {errors:?}"),
    }
});

/// The router of a gateway over these subgraphs, which answer for `books` and `reviews`.
pub(crate) fn router(subgraphs: Vec<Arc<dyn Endpoint>>) -> Router {
    let supergraph = match Supergraph::parse(&SUPERGRAPH) {
        Ok(supergraph) => supergraph,
        Err(error) => panic!("the graph of the gateway's targets cannot be used: {error}"),
    };
    match Gateway::general(supergraph, subgraphs, None, GatewaySettings::default()) {
        Ok(gateway) => gateway.router(),
        Err(error) => panic!("the gateway of the targets cannot be made: {error}"),
    }
}

/// Sends a request without a network.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Response {
    let Ok(response) = router.clone().oneshot(request).await;
    response
}

/// The body of an answer, and whether it came to its end.
pub(crate) async fn read(body: Body) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => panic!("an answer breaks off: {error}"),
            }
        }
    };
    let has_ended = timeout(READ_FOR, reading).await.is_ok();
    (bytes, has_ended)
}
