//! What was measured, as a table for people: printed, and kept beside the benchmark.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;

use super::gateways::Gateway;
use super::linear::Size;
use super::{Floors, Pair, ROUNDS, SAMPLE, WARM_UP, load};
use crate::machine::{machine, micros};
use crate::plot::{Line, Plot};
use crate::{Result, results};

/// One gateway's part of a row: a value for each round.
#[derive(Default)]
struct Series {
    /// CPU time for each answer, in microseconds.
    cpu: Vec<f64>,
    /// In milliseconds.
    p50: Vec<f64>,
    p99: Vec<f64>,
    per_second: Vec<f64>,
    peak: u64,
}

/// One way of asking, and what it gave.
pub(crate) struct Row {
    what: String,
    request: Bytes,
    expected: [Bytes; 2],
    connections: usize,
    series: [Series; 2],
}

impl Row {
    /// Warms both gateways up.
    pub(super) async fn new(
        what: String,
        pair: &Pair,
        request: &Bytes,
        connections: usize,
    ) -> Result<Self> {
        let mut expected = [Bytes::new(), Bytes::new()];
        for (expected, gateway) in expected.iter_mut().zip(&pair.gateways) {
            *expected = load::ask(gateway.address, request).await?;
            load::run(gateway.address, request, expected, connections, WARM_UP).await?;
        }
        let series = <[Series; 2]>::default();
        Ok(Self { what, request: request.clone(), expected, connections, series })
    }

    /// Measures one gateway after the other.
    pub(super) async fn round(&mut self, pair: &Pair) -> Result<()> {
        let Self { request, expected, connections, series, .. } = self;
        for ((series, expected), gateway) in series.iter_mut().zip(expected).zip(&pair.gateways) {
            series.take(gateway, request, expected, *connections).await?;
        }
        Ok(())
    }
}

impl Series {
    async fn take(
        &mut self,
        gateway: &Gateway,
        request: &Bytes,
        expected: &Bytes,
        connections: usize,
    ) -> Result<()> {
        let before = gateway.server.cpu()?;
        let sample = load::run(gateway.address, request, expected, connections, SAMPLE).await?;
        let answers = f64::from(u32::try_from(sample.latencies.len())?);
        self.cpu.push((gateway.server.cpu()? - before).as_secs_f64() * 1e6 / answers);
        self.p50.push(sample.quantile(0.5).as_secs_f64() * 1e3);
        self.p99.push(sample.quantile(0.99).as_secs_f64() * 1e3);
        self.per_second.push(answers / sample.elapsed.as_secs_f64());
        self.peak = gateway.server.peak()?;
        Ok(())
    }
}

/// Writes what the gateways cost side by side. `size`: how many requests Spacey sends for the operation, and in how many rounds.
pub(super) async fn side_by_side(
    folder: &Path,
    bytes: usize,
    rows: &[Row],
    floors: &Floors,
    (requests, rounds): (usize, usize),
) -> Result<()> {
    let head = format!(
        "# What the gateway costs\n\n\
         Written by `make bench-gateway`, which measures Spacey's gateway beside Hive Router 0.3.10: four subgraphs on loopback, an \
         operation for which Spacey sends {requests} requests in {rounds} rounds, an answer of {bytes} bytes. {ROUNDS} rounds of {} s \
         each, one gateway after the other; each gateway on one core, load and subgraphs on the other.\n\nMachine: {}.\n",
        SAMPLE.as_secs(),
        machine().await
    );
    results::replace(folder, "# What the gateway costs", &head)?;

    let mut text = "## Side by side\n\nMin / median / max of the rounds; the ratio is taken within each round.\n\n\
        | | Spacey | Hive Router | Spacey / Hive Router |\n|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        row.write(&mut text)?;
    }
    let [memory, whole] = floors.cpu.map(micros);
    writeln!(
        text,
        "\nFor comparison, CPU for each answer: the same bytes from memory {memory:.0} µs; one async-graphql schema that holds all the \
         data {whole:.0} µs."
    )?;
    if let Some(alone) = rows.last() {
        let least = floors.latency.as_secs_f64() * 1e3;
        let [ours, theirs] = alone.series.each_ref().map(|series| median(&series.p50));
        let (above, theirs_above) = (ours - least, theirs - least);
        writeln!(
            text,
            "\nOne connection, p50: a gateway that does nothing but send the same {requests} requests in {rounds} rounds and answer from \
             memory takes {least:.2} ms, which is {:.2} of Hive Router's time. What Spacey takes above that is {above:.2} ms, what Hive \
             Router does {theirs_above:.2} ms: {:.2}.",
            least / theirs,
            above / theirs_above
        )?;
    }
    writeln!(
        text,
        "\nWhere Spacey's time goes: [flame graph](flame-graph.svg), drawn by `make flame-graph`."
    )?;
    results::replace(folder, "## Side by side", &text)
}

/// Writes how the cost grows.
pub(super) async fn growth(folder: &Path, growth: &[Size]) -> Result<()> {
    let mut text =
        "## Growth\n\nA list of products, each completed by two other subgraphs; CPU for each answer over one connection.\n\n\
         ![CPU by entities](growth.svg)\n\n\
         | entities | bytes | Spacey, ms | Hive Router, ms | Spacey, µs an entity |\n|---|---|---|---|---|\n"
            .to_owned();
    for Size { entities, bytes, costs } in growth {
        let [ours, theirs] = costs.map(micros);
        let each = ours / f64::from(*entities);
        let (ours, theirs) = (ours / 1e3, theirs / 1e3);
        writeln!(text, "| {entities} | {bytes} | {ours:.3} | {theirs:.3} | {each:.2} |")?;
    }
    tokio::fs::write(folder.join("growth.svg"), plot(growth).svg()?).await?;
    results::replace(folder, "## Growth", &text)
}

/// Writes what composing takes.
pub(super) fn composition(folder: &Path, compose: Duration) -> Result<()> {
    let text = format!(
        "## Composition\n\nSpacey's own graph, five subgraphs: {:.2} ms of CPU, the mean of a hundred times (target: under 10 ms).\n",
        micros(compose) / 1e3
    );
    results::replace(folder, "## Composition", &text)
}

impl Row {
    fn write(&self, text: &mut String) -> Result<()> {
        let [ours, theirs] = &self.series;
        writeln!(text, "| **{}** | | | |", self.what)?;
        line(text, "CPU for each answer, µs", &ours.cpu, &theirs.cpu, 0)?;
        line(text, "latency p50, ms", &ours.p50, &theirs.p50, 2)?;
        line(text, "latency p99, ms", &ours.p99, &theirs.p99, 2)?;
        line(text, "answers a second", &ours.per_second, &theirs.per_second, 0)?;
        let mebibytes = |series: &Series| series.peak as f64 / f64::from(1 << 20);
        let (ours, theirs) = (mebibytes(ours), mebibytes(theirs));
        writeln!(text, "| peak memory, MiB | {ours:.0} | {theirs:.0} | {:.2} |", ours / theirs)?;
        Ok(())
    }
}

fn plot(growth: &[Size]) -> Plot {
    let line = |place: usize, gateway: &str| {
        let point = |size: &Size| (f64::from(size.entities), micros(size.costs[place]).max(1.0));
        let name = format!("{gateway}: CPU for each answer, by entities in it");
        Line { name, points: growth.iter().map(point).collect() }
    };
    let label = |micros: f64| format!("{} ms", micros / 1e3);
    let lines = vec![line(0, "Spacey"), line(1, "Hive Router")];
    Plot { right: (1, 5), up: (2, 6), label, lines }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn line(text: &mut String, what: &str, ours: &[f64], theirs: &[f64], digits: usize) -> Result<()> {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    let (ours, theirs, ratios) = (spread(ours, digits), spread(theirs, digits), spread(&ratios, 2));
    writeln!(text, "| {what} | {ours} | {theirs} | {ratios} |")?;
    Ok(())
}

fn spread(values: &[f64], digits: usize) -> String {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let [least, .., most] = values[..] else { return String::new() };
    format!("{least:.digits$} / **{:.digits$}** / {most:.digits$}", values[values.len() / 2])
}
