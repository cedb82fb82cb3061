//! Subgraphs of anybody's: the library's schemas as plain GraphQL over HTTP, each at a path of its own, which remember what they were sent.

use std::sync::{Arc, Mutex};

use async_graphql::{ObjectType, Schema, SubscriptionType};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use common::Caller;
use federation::Supergraph;
use gateway::{Gateway, GatewaySettings, GraphQlSubgraph, SubgraphSettings, Transport};
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
        Transport::GraphQl(Arc::new(
            GraphQlSubgraph::new(name, &address, &SubgraphSettings::default()).unwrap(),
        ))
    });
    (transports.into(), received)
}

/// A general router over `transports`.
pub(crate) fn router(transports: Vec<Transport>) -> Router {
    gateway(transports, GatewaySettings::default()).router()
}

/// A gateway for everybody over `transports`.
pub(crate) fn gateway(transports: Vec<Transport>, settings: GatewaySettings) -> Gateway {
    let supergraph = Supergraph::parse(SUPERGRAPH).unwrap();
    Gateway::general(supergraph, transports, None, settings).unwrap()
}

/// The library, with the subgraph `reviews` elsewhere and called as `settings` say.
pub(crate) fn with_reviews_at(address: &str, settings: &SubgraphSettings) -> Vec<Transport> {
    let mut transports: Vec<_> =
        super::endpoints().0.into_iter().map(Transport::InProcess).collect();
    transports.retain(|transport| transport.name() != "reviews");
    let reviews = GraphQlSubgraph::new("reviews", address, settings).unwrap();
    transports.push(Transport::GraphQl(Arc::new(reviews)));
    transports
}

/// Sends an operation with headers.
pub(crate) async fn run(router: &Router, query: &str, headers: &[(&str, &str)]) -> super::Answer {
    let body = serde_json::json!({ "query": query }).to_string();
    let mut request = super::post(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    super::send(router, request.body(axum::body::Body::from(body)).unwrap()).await
}
