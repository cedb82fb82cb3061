//! The gateway beside its fastest peer: four subgraphs, one operation that goes through all of them several times, both gateways in one
//! run on the same core, in alternating rounds.
//!
//! Measured is what a gateway costs: its CPU time (user and kernel) for each answer, how long answers take, and its peak memory.
//! Requests a second are printed but say little here: load and subgraphs share the other core and are what limits them.

mod data;
mod gateways;
mod linear;
mod load;
mod report;
mod schema;
mod serve;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use federation::SubgraphSdl;
use serde_json::{Value, json};

use crate::Result;
use crate::process::Server;
use gateways::{Gateway, Maker, Programs, Sharing};
use report::{Measured, Row};

const OPERATION: &str = include_str!("operation.graphql");
const ROUNDS: usize = 5;
const CONNECTIONS: usize = 50;
const WARM_UP: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_secs(4);

/// Both gateways with one setting of sharing.
struct Pair {
    sharing: Sharing,
    gateways: [Gateway; 2],
}

/// Measures, prints, and writes the results into the folder `results`.
pub(crate) async fn run(spacey: &Path, hive: &Path, results: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    start_subgraphs(folder.path()).await?;
    let programs = Programs { spacey, hive };
    let request = load::request(OPERATION, &json!({}));
    let answer = truth(OPERATION, &json!({})).await?;

    let mut pairs = Vec::new();
    for sharing in [Sharing::Off, Sharing::SubgraphRequests, Sharing::ClientRequests] {
        let start = |maker| Gateway::start(&programs, maker, sharing, folder.path(), &request);
        let gateways = [start(Maker::Spacey).await?, start(Maker::Hive).await?];
        for gateway in &gateways {
            same_answer(gateway, &request, &answer).await?;
        }
        pairs.push(Pair { sharing, gateways });
    }

    let mut rows = Vec::new();
    for pair in &pairs {
        let what = format!("{CONNECTIONS} connections, sharing {}", pair.sharing.name());
        rows.push(Row::new(what, pair, &request, CONNECTIONS).await?);
    }
    let alone = "1 connection, sharing off".to_owned();
    rows.push(Row::new(alone, &pairs[0], &request, 1).await?);
    for _ in 0..ROUNDS {
        for (row, pair) in rows.iter_mut().zip(pairs.iter().chain(pairs.first())) {
            row.round(pair).await?;
        }
        println!("a round is done");
    }

    let floors = floors(&request).await?;
    let growth = linear::measure(&pairs[0].gateways).await?;
    let measured = Measured { bytes: answer.len(), rows, floors, growth, compose: compose_own()? };
    measured.publish(results).await
}

/// Serves the subgraphs until the program is killed; their supergraph is in `folder`.
pub(crate) async fn serve(folder: &Path) -> Result<()> {
    let supergraph = start_subgraphs(folder).await?;
    println!("{}", supergraph.display());
    std::future::pending().await
}

/// Asks the gateway at `address` for a while.
pub(crate) async fn press(address: SocketAddr, seconds: u64) -> Result<()> {
    let request = load::request(OPERATION, &json!({}));
    let expected = load::ask(address, &request).await?;
    let duration = Duration::from_secs(seconds);
    let sample = load::run(address, &request, &expected, CONNECTIONS, duration).await?;
    println!("{} answers", sample.latencies.len());
    Ok(())
}

/// Starts the subgraphs, and writes their supergraph into `folder`.
async fn start_subgraphs(folder: &Path) -> Result<PathBuf> {
    let mut sdls = Vec::new();
    for (name, sdl, handler) in serve::subgraphs() {
        let url = format!("http://{}/graphql", serve::start(handler).await?);
        sdls.push(SubgraphSdl { name: name.to_owned(), url: Some(url), sdl: sdl.to_owned() });
    }
    let composition = federation::compose(&sdls).map_err(|errors| format!("{errors:?}"))?;
    let path = folder.join("supergraph.graphql");
    tokio::fs::write(&path, composition.supergraph_sdl).await?;
    Ok(path)
}

/// The answer of the schema that holds all the data.
async fn truth(query: &str, variables: &Value) -> Result<Bytes> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let answer = serve::whole()(body.into()).await;
    match serde_json::from_slice::<Value>(&answer)?.get("errors") {
        None => Ok(answer),
        Some(errors) => Err(format!("the benchmark's own schema answers {errors}").into()),
    }
}

/// A gateway must answer what the schema that holds all the data answers. Gives its bytes.
async fn same_answer(gateway: &Gateway, request: &Bytes, truth: &Bytes) -> Result<Bytes> {
    let answer = load::ask(gateway.address, request).await?;
    if serde_json::from_slice::<Value>(&answer)? == serde_json::from_slice::<Value>(truth)? {
        return Ok(answer);
    }
    let (name, answer) = (gateway.maker.name(), String::from_utf8_lossy(&answer));
    Err(format!("{name} answers something else: {answer}").into())
}

/// What answering costs where nothing is federated: the same bytes from memory, and one schema that holds all the data. CPU time for
/// each answer, the median of the rounds.
async fn floors(request: &Bytes) -> Result<[Duration; 2]> {
    let own = std::env::current_exe()?;
    let mut medians = [Duration::ZERO; 2];
    for (median, what) in medians.iter_mut().zip(["constant", "whole"]) {
        let mut command = tokio::process::Command::new("taskset");
        command.arg("-c").arg("0").arg(&own).args(["serve", what]);
        let server = Server::announcing(&mut command).await?;
        let address = server.address.trim_start_matches("http://").parse()?;
        let expected = load::ask(address, request).await?;
        load::run(address, request, &expected, CONNECTIONS, WARM_UP).await?;
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            let before = server.cpu()?;
            let sample = load::run(address, request, &expected, CONNECTIONS, WARM_UP).await?;
            costs.push((server.cpu()? - before) / u32::try_from(sample.latencies.len())?);
        }
        costs.sort_unstable();
        *median = costs[ROUNDS / 2];
        server.stop().await?;
    }
    Ok(medians)
}

/// Serves what the floors are measured on.
pub(crate) async fn serve_floor(what: &str) -> Result<()> {
    let handler = match what {
        "whole" => serve::whole(),
        _ => serve::constant(truth(OPERATION, &json!({})).await?),
    };
    println!("http://{}", serve::start(handler).await?);
    std::future::pending().await
}

/// The CPU time of composing Spacey's own graph, the mean of a hundred times.
fn compose_own() -> Result<Duration> {
    let sdl = |name: &str, sdl: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: sdl.to_owned(),
    };
    let subgraphs = [
        sdl("users", include_str!("../../../schema/users.graphql")),
        sdl("config", include_str!("../../../schema/config.graphql")),
        sdl("decks", include_str!("../../../schema/decks.graphql")),
        sdl("learning", include_str!("../../../schema/learning.graphql")),
        sdl("generation", include_str!("../../../schema/generation.graphql")),
    ];
    const TIMES: u32 = 100;
    let before = thread_cpu()?;
    for _ in 0..TIMES {
        federation::compose(&subgraphs).map_err(|errors| format!("{errors:?}"))?;
    }
    Ok((thread_cpu()? - before) / TIMES)
}

/// The CPU time that this thread has used.
fn thread_cpu() -> Result<Duration> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = schedstat.split(' ').next().ok_or("unreadable schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
