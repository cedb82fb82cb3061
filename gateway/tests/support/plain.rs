//! Subgraphs of anybody's: the library's schemas as plain GraphQL over HTTP, each at a path of its own, which remember what they were sent.

use std::sync::{Arc, Mutex};

use async_graphql::{ObjectType, Schema, SubscriptionType};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use common::Caller;
use federation::Supergraph;
use gateway::{Gateway, GatewaySettings, GraphQlSubgraph, Transport};
use http::HeaderMap;

use super::{SUPERGRAPH, library, serve};

/// What a subgraph was sent, in order.
#[derive(Clone, Default)]
pub(crate) struct Received(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

impl Received {
    pub(crate) fn all(&self) -> Vec<(HeaderMap, Bytes)> {
        self.0.lock().unwrap().clone()
    }
}

/// Serves `schema` and gives its address, path included.
pub(crate) async fn graphql<Q, M, S>(schema: Schema<Q, M, S>, received: Received) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        let request: async_graphql::Request = serde_json::from_slice(&body).unwrap();
        received.0.lock().unwrap().push((headers, body));
        let response = schema.execute(request.data(Arc::new(Caller::anonymous("")))).await;
        (response.http_headers.clone(), serde_json::to_vec(&response).unwrap())
    };
    format!("{}some/where", serve(Router::new().route("/some/where", post(answer))).await)
}

/// The library's subgraphs by GraphQL over HTTP, and what each was sent.
pub(crate) async fn library() -> (Vec<Transport>, [Received; 3]) {
    let received = [Received::default(), Received::default(), Received::default()];
    let addresses = [
        ("books", graphql(library::books(Arc::default()), received[0].clone()).await),
        ("authors", graphql(library::authors(), received[1].clone()).await),
        ("reviews", graphql(library::reviews(), received[2].clone()).await),
    ];
    let transports = addresses.map(|(name, address)| {
        Transport::GraphQl(Arc::new(GraphQlSubgraph::new(name, &address).unwrap()))
    });
    (transports.into(), received)
}

/// A general router over `transports`.
pub(crate) fn router(transports: Vec<Transport>) -> Router {
    let supergraph = Supergraph::parse(SUPERGRAPH).unwrap();
    let settings = GatewaySettings::default();
    Gateway::without_authentication(supergraph, transports, settings).unwrap().router()
}
