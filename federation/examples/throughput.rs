//! How much the engine's own work costs: reading answers, representing entities, writing the client's answer. Two subgraphs that
//! answer from memory, from 10 to 100,000 entities; the cost of each must stay the same.
//!
//! `cargo run --release -p federation --example throughput`

#![expect(clippy::unwrap_used, reason = "a measurement ends at the first surprise")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use federation::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Response, SubgraphSdl,
    Supergraph, Variables, compose, execute, prepare,
};
use futures::FutureExt;

const CATALOGUE: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { items: [Item!]! }
    type Item @key(fields: "id") { id: ID! name: String! text: String price: Int weight: Float tags: [String!]! }
"#;
const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { ready: Boolean }
    type Item @key(fields: "id") { id: ID! inStock: Boolean place: String }
"#;
const ALONE: &str = "{ items { id name text price weight tags } }";
const COMPLETED: &str = "{ items { id name text price weight tags inStock place } }";

/// Answers that were written before.
struct Memory {
    items: Bytes,
    entities: Bytes,
}

impl Memory {
    fn of(count: usize) -> Self {
        let mut items = String::from("{\"data\":{\"items\":[");
        let mut entities = String::from("{\"data\":{\"_entities\":[");
        for number in 0..count {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(
                items,
                "{comma}{{\"id\":\"item-{number}\",\"name\":\"The item number {number}\",\"text\":\"A text about as long as \
                 descriptions are: some words on what it is, and \\\"why\\\" one wants it.\",\"price\":{},\"weight\":{}.25,\
                 \"tags\":[\"new\",\"blue\"]}}",
                number % 1000,
                number % 10
            );
            let _ = write!(
                entities,
                "{comma}{{\"inStock\":true,\"place\":\"shelf {}\"}}",
                number % 100
            );
        }
        items.push_str("]}}");
        entities.push_str("]}}");
        Self { items: items.into(), entities: entities.into() }
    }
}

impl Fetch for Memory {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let text = if request.subgraph == "catalogue" { &self.items } else { &self.entities };
        Ok(FetchResponse::Json(text.clone()))
    }
}

fn main() {
    let sdl = |name: &str, sdl: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: sdl.to_owned(),
    };
    let composed = compose(&[sdl("catalogue", CATALOGUE), sdl("stock", STOCK)]).unwrap();
    let supergraph = Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap());
    let alone = prepare(&supergraph, ALONE, None).unwrap();
    let completed = prepare(&supergraph, COMPLETED, None).unwrap();
    let settings = ExecuteSettings { representations: usize::MAX, ..ExecuteSettings::default() };
    println!("   items      bytes   one fetch          with entities    per entity");
    for count in [10, 100, 1_000, 10_000, 100_000] {
        let memory = Memory::of(count);
        let run = |prepared| -> Response {
            let answer = execute(prepared, Variables::default(), &settings, &memory);
            answer.now_or_never().unwrap().unwrap()
        };
        let rounds = (200_000 / count).clamp(3, 5_000);
        let (one, bytes) = measure(rounds, || run(&alone).data.len());
        let (both, _) = measure(rounds, || run(&completed).data.len());
        let seconds = one.as_secs_f64();
        println!(
            "{count:8} {bytes:10} {one:>11.1?} {:6.0} MB/s {both:>11.1?} {:>10.1} ns",
            memory.items.len() as f64 / seconds / 1e6,
            (both.as_secs_f64() - seconds) * 1e9 / count as f64,
        );
    }
}

/// The processor time of this thread: other work on the machine does not count.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// The median time of a run, and what it gave.
fn measure(rounds: usize, mut run: impl FnMut() -> usize) -> (Duration, usize) {
    let mut given = 0;
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = now();
            given = run();
            now() - start
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], given)
}
