//! What pricing adds to a request: the same small operation, cached, through two gateways in this process, of which one takes points for
//! it. CPU time, in alternating rounds; the least of each is compared, since whatever else runs only ever adds to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use axum::body::Body;
use common::endpoint::{Domain, SchemaEndpoint};
use common::{Endpoint, Error, Event};
use futures::future::BoxFuture;
use gateway::{Allowance, CostSettings, Gateway, GatewaySettings, Mode, Transport};
use http_body_util::BodyExt;
use hyper::Request;
use tower::ServiceExt;

use crate::Result;
use crate::machine::{cpu, machine};

const ROUNDS: usize = 30;
const REQUESTS: usize = 2_000;
const OPERATION: &str = r#"{"query":"query ($first: Int) { shelves { id books(first: $first) { id title } } }","variables":{"first":3}}"#;

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    println!("cost of an operation: {}", measure().await?);
    Ok(())
}

/// Measures, and puts the result into the folder's `COST.md`.
pub(crate) async fn record(folder: &Path) -> Result<()> {
    let text = format!(
        "A small operation that is cached, {ROUNDS} rounds of {REQUESTS} requests to each of two gateways in turn: {}. Aim: less than 5 µs \
         more.\n\n{}",
        measure().await?,
        machine().await
    );
    println!("{text}");
    super::section(&folder.join("COST.md"), "What pricing takes", &text).await
}

async fn measure() -> Result<String> {
    let plenty = Allowance { capacity: 1_000_000_000, restore_rate: 1_000_000_000 };
    let priced = CostSettings {
        maximum: Mode::Enforce,
        maximum_cost: 1_000_000,
        throttle: Mode::Enforce,
        everybody: plenty,
        ..CostSettings::default()
    };
    let free = gateway(CostSettings::default()).await?;
    let priced = gateway(priced).await?;
    let mut least = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (gateway, least) in [&free, &priced].into_iter().zip(&mut least) {
            let began = cpu();
            for _ in 0..REQUESTS {
                ask(gateway).await?;
            }
            *least = (*least).min(cpu().saturating_sub(began));
        }
    }
    let each = least.map(|time| time.as_secs_f64() * 1e6 / REQUESTS as f64);
    Ok(format!(
        "{:.2} µs of CPU without pricing, {:.2} µs with it: **{:.2} µs more**",
        each[0],
        each[1],
        each[1] - each[0]
    ))
}

async fn ask(gateway: &axum::Router) -> Result<()> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .body(Body::from(OPERATION))?;
    let response = gateway.clone().oneshot(request).await?;
    let answer = response.into_body().collect().await?.to_bytes();
    if answer.starts_with(b"{\"data\":{\"shelves\":[") {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&answer).into_owned().into())
    }
}

async fn gateway(cost: CostSettings) -> Result<axum::Router> {
    let schema = Schema::build(Shelves, EmptyMutation, EmptySubscription).enable_federation();
    let endpoint: Arc<dyn Endpoint> =
        Arc::new(SchemaEndpoint::new("shelves", schema.finish(), Arc::new(Nothing)));
    let sdl = endpoint.sdl().await?;
    let subgraph = federation::SubgraphSdl { name: "shelves".to_owned(), url: None, sdl };
    let composed = federation::compose(&[subgraph]).map_err(|errors| format!("{errors:?}"))?;
    let supergraph = federation::Supergraph::parse(&composed.supergraph_sdl)?;
    let settings = GatewaySettings { cost, ..GatewaySettings::default() };
    Ok(Gateway::general(supergraph, vec![Transport::InProcess(endpoint)], None, settings)?.router())
}

struct Shelves;

#[derive(SimpleObject)]
#[graphql(complex)]
struct Shelf {
    id: i32,
}

#[derive(SimpleObject)]
struct Book {
    id: i32,
    title: &'static str,
}

#[Object(name = "Query")]
impl Shelves {
    async fn shelves(&self) -> Vec<Shelf> {
        (0..3).map(|id| Shelf { id }).collect()
    }
}

#[async_graphql::ComplexObject]
impl Shelf {
    async fn books(&self, first: Option<i32>) -> Vec<Book> {
        (0..first.unwrap_or(3)).map(|id| Book { id, title: "A book" }).collect()
    }
}

/// A domain with nothing to do besides.
struct Nothing;

impl Domain for Nothing {
    fn apply<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, std::result::Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, std::result::Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}
