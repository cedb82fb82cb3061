//! Cold start to ready on an existing database, and memory when idle.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::Server;

const RUNS: usize = 10;
const MOST_MILLISECONDS: u128 = 300;
const MOST_MEBIBYTES: u64 = 60;

pub(crate) async fn run(spacey: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    Server::start(spacey, &["serve"], folder.path()).await?.stop().await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut times = Vec::with_capacity(RUNS);
    let mut resident = 0;
    for _ in 0..RUNS {
        let started = Instant::now();
        let server = Server::start(spacey, &["serve"], folder.path()).await?;
        let ready = format!("{}/health/ready", server.address);
        while !http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(started.elapsed().as_millis());
        tokio::time::sleep(Duration::from_millis(500)).await;
        resident = resident.max(server.resident()?);
        server.stop().await?;
    }
    times.sort_unstable();
    let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
    println!(
        "startup: cold start to ready: median {median} ms, worst of {RUNS} {worst} ms (target: under {MOST_MILLISECONDS} ms)"
    );
    let mebibytes = resident >> 20;
    println!("startup: idle memory: {mebibytes} MiB resident (target: under {MOST_MEBIBYTES} MB)");
    Ok(())
}
