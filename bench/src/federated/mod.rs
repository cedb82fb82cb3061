//! The gateway beside its fastest peer: four subgraphs, one operation that goes through all of them several times, both gateways in one
//! run on the same core, in alternating rounds.
//!
//! Measured is what a gateway costs: its CPU time (user and kernel) for each answer, how long answers take, and its peak memory.
//! Requests a second are printed but say little here: load and subgraphs share the other core and are what limits them.

mod data;
mod gateways;
mod linear;
mod load;
mod replay;
mod report;
mod schema;
mod serve;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use federation::SubgraphSdl;
use serde_json::{Value, json};

use crate::Result;
use crate::process::Server;
use gateways::{Gateway, Maker, Programs, Sharing};
use replay::{Recorder, Replay};
use report::Row;

const OPERATION: &str = include_str!("operation.graphql");
const ROUNDS: usize = 5;
const CONNECTIONS: usize = 50;
const WARM_UP: Duration = Duration::from_secs(1);
const SAMPLE: Duration = Duration::from_secs(4);
/// The file of what is sent for the operation.
const REPLAY: &str = "replay.json";

/// Both gateways with one setting of sharing.
struct Pair {
    sharing: Sharing,
    gateways: [Gateway; 2],
}

/// The parts of the measurement, as `bench gateway` calls them.
const PARTS: [&str; 3] = ["side-by-side", "growth", "composition"];

/// Measures, prints, and writes the results into the folder `results`: of all parts, or of one.
pub(crate) async fn run(
    spacey: &Path,
    hive: &Path,
    results: &Path,
    part: Option<&str>,
) -> Result<()> {
    if let Some(part) = part.filter(|part| !PARTS.contains(part)) {
        return Err(format!("{part} is none of {}", PARTS.join(", ")).into());
    }
    let is_wanted = |name: &str| part.is_none_or(|part| part == name);
    if is_wanted("composition") {
        report::composition(results, compose_own()?)?;
    }
    if part == Some("composition") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let subgraphs = start_subgraphs(folder.path()).await?;
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
    if is_wanted("side-by-side") {
        let [spacey, _] = &pairs[0].gateways;
        let recorder = &subgraphs.recorder;
        let replay = recorder.record(spacey.address, &request, &subgraphs.addresses).await?;
        let size = replay.size();
        replay.write(&folder.path().join(REPLAY))?;
        let rows = side_by_side(&pairs, &request).await?;
        let floors = floors(&request, folder.path()).await?;
        report::side_by_side(results, answer.len(), &rows, &floors, size).await?;
    }
    if is_wanted("growth") {
        report::growth(results, &linear::measure(&pairs[0].gateways).await?).await?;
    }
    Ok(())
}

/// Each way of asking, in rounds.
async fn side_by_side(pairs: &[Pair], request: &Bytes) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for pair in pairs {
        let what = format!("{CONNECTIONS} connections, sharing {}", pair.sharing.name());
        rows.push(Row::new(what, pair, request, CONNECTIONS).await?);
    }
    let alone = "1 connection, sharing off".to_owned();
    rows.push(Row::new(alone, &pairs[0], request, 1).await?);
    for _ in 0..ROUNDS {
        for (row, pair) in rows.iter_mut().zip(pairs.iter().chain(pairs.first())) {
            row.round(pair).await?;
        }
        println!("a round is done");
    }
    Ok(rows)
}

/// Serves the subgraphs until the program is killed; their supergraph is in `folder`.
pub(crate) async fn serve(folder: &Path) -> Result<()> {
    println!("{}", start_subgraphs(folder).await?.supergraph.display());
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

/// The subgraphs, while they run.
struct Subgraphs {
    supergraph: PathBuf,
    addresses: HashMap<&'static str, SocketAddr>,
    recorder: Arc<Recorder>,
}

/// Starts the subgraphs, and writes their supergraph into `folder`.
async fn start_subgraphs(folder: &Path) -> Result<Subgraphs> {
    let recorder = Arc::<Recorder>::default();
    let (mut sdls, mut addresses) = (Vec::new(), HashMap::new());
    for (name, sdl, handler) in serve::subgraphs() {
        let address = serve::start(recorder.around(name, handler)).await?;
        addresses.insert(name, address);
        let url = format!("http://{address}/graphql");
        sdls.push(SubgraphSdl { name: name.to_owned(), url: Some(url), sdl: sdl.to_owned() });
    }
    let composition = federation::compose(&sdls).map_err(|errors| format!("{errors:?}"))?;
    let supergraph = folder.join("supergraph.graphql");
    tokio::fs::write(&supergraph, composition.supergraph_sdl).await?;
    Ok(Subgraphs { supergraph, addresses, recorder })
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

/// What answering costs where nothing is federated: the same bytes from memory, and one schema that holds all the data. And how long
/// it takes where nothing is done: see [`replay`].
struct Floors {
    /// CPU time for each answer, the median of the rounds.
    cpu: [Duration; 2],
    /// Of one connection, the median.
    latency: Duration,
}

async fn floors(request: &Bytes, folder: &Path) -> Result<Floors> {
    let mut cpu = [Duration::ZERO; 2];
    for (median, what) in cpu.iter_mut().zip(["constant", "whole"]) {
        let (server, address) = floor(&["serve", what]).await?;
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
    let replay = folder.join(REPLAY);
    let (server, address) = floor(&["serve", "replay", &replay.display().to_string()]).await?;
    let latency = replay::latency(address, request, ROUNDS).await?;
    server.stop().await?;
    Ok(Floors { cpu, latency })
}

/// This program as a server on the gateways' core.
async fn floor(arguments: &[&str]) -> Result<(Server, SocketAddr)> {
    let mut command = tokio::process::Command::new("taskset");
    command.arg("-c").arg("0").arg(std::env::current_exe()?).args(arguments);
    let server = Server::announcing(&mut command).await?;
    let address = server.address.trim_start_matches("http://").parse()?;
    Ok((server, address))
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

/// Serves what was recorded.
pub(crate) async fn serve_replay(file: &Path) -> Result<()> {
    let handler = Replay::read(file)?.handler().await?;
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
