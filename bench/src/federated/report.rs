//! What was measured, as a table for people: printed, and kept beside the benchmark.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;

use super::gateways::Gateway;
use super::linear::Size;
use super::{Pair, ROUNDS, SAMPLE, WARM_UP, load};
use crate::Result;
use crate::machine::{machine, micros};
use crate::plot::{Line, Plot};

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

/// Everything that was measured.
pub(crate) struct Measured {
    /// Of an answer.
    pub(crate) bytes: usize,
    pub(crate) rows: Vec<Row>,
    /// From memory, and from one schema.
    pub(crate) floors: [Duration; 2],
    pub(crate) growth: Vec<Size>,
    pub(crate) compose: Duration,
}

impl Measured {
    /// Prints it, and writes it to `RESULTS.md` and `growth.svg` in the folder.
    pub(crate) async fn publish(&self, folder: &Path) -> Result<()> {
        let text = self.text().await?;
        println!("{text}");
        tokio::fs::write(folder.join("growth.svg"), self.plot().svg()?).await?;
        tokio::fs::write(folder.join("RESULTS.md"), text).await?;
        Ok(())
    }

    async fn text(&self) -> Result<String> {
        let mut text = String::new();
        writeln!(text, "# What the gateway costs\n")?;
        writeln!(
            text,
            "Written by `make bench-gateway`, which measures Spacey's gateway beside Hive Router 0.3.10 in one run: four subgraphs \
             on loopback, an operation of seven subgraph requests, an answer of {} bytes. {ROUNDS} rounds of {} s each, one gateway \
             after the other; each gateway on one core, load and subgraphs on the other.\n\nMachine: {}.\n",
            self.bytes,
            SAMPLE.as_secs(),
            machine().await
        )?;
        self.gateways(&mut text)?;
        let [memory, whole] = self.floors.map(micros);
        writeln!(
            text,
            "\nFor comparison, CPU for each answer: the same bytes from memory {memory:.0} µs; one async-graphql schema that holds all \
             the data {whole:.0} µs."
        )?;
        writeln!(
            text,
            "\nWhere Spacey's time goes: [flame graph](flame-graph.svg), drawn by `make flame-graph`."
        )?;
        self.growth(&mut text)?;
        writeln!(
            text,
            "\n## Composition\n\nSpacey's own graph, five subgraphs: {:.2} ms of CPU, the mean of a hundred times (target: under 10 ms).",
            micros(self.compose) / 1e3
        )?;
        write!(text, "\n{}", crate::plans::section()?)?;
        Ok(text)
    }

    fn gateways(&self, text: &mut String) -> Result<()> {
        writeln!(
            text,
            "## Side by side\n\nMin / median / max of the rounds; the ratio is taken within each round.\n"
        )?;
        writeln!(text, "| | Spacey | Hive Router | Spacey / Hive Router |\n|---|---|---|---|")?;
        for row in &self.rows {
            let [ours, theirs] = &row.series;
            writeln!(text, "| **{}** | | | |", row.what)?;
            line(text, "CPU for each answer, µs", &ours.cpu, &theirs.cpu, 0)?;
            line(text, "latency p50, ms", &ours.p50, &theirs.p50, 2)?;
            line(text, "latency p99, ms", &ours.p99, &theirs.p99, 2)?;
            line(text, "answers a second", &ours.per_second, &theirs.per_second, 0)?;
            let mebibytes = |series: &Series| series.peak as f64 / f64::from(1 << 20);
            let (ours, theirs) = (mebibytes(ours), mebibytes(theirs));
            writeln!(
                text,
                "| peak memory, MiB | {ours:.0} | {theirs:.0} | {:.2} |",
                ours / theirs
            )?;
        }
        Ok(())
    }

    fn plot(&self) -> Plot {
        let line = |place: usize, gateway: &str| {
            let point =
                |size: &Size| (f64::from(size.entities), micros(size.costs[place]).max(1.0));
            let name = format!("{gateway}: CPU for each answer, by entities in it");
            Line { name, points: self.growth.iter().map(point).collect() }
        };
        let label = |micros: f64| format!("{} ms", micros / 1e3);
        let lines = vec![line(0, "Spacey"), line(1, "Hive Router")];
        Plot { right: (1, 5), up: (2, 6), label, lines }
    }

    fn growth(&self, text: &mut String) -> Result<()> {
        writeln!(
            text,
            "\n## Growth\n\nA list of products, each completed by two other subgraphs; CPU for each answer over one connection.\n\n\
             ![CPU by entities](growth.svg)\n"
        )?;
        writeln!(
            text,
            "| entities | bytes | Spacey, ms | Hive Router, ms | Spacey, µs an entity |\n|---|---|---|---|---|"
        )?;
        for Size { entities, bytes, costs } in &self.growth {
            let [ours, theirs] = costs.map(micros);
            let each = ours / f64::from(*entities);
            let (ours, theirs) = (ours / 1e3, theirs / 1e3);
            writeln!(text, "| {entities} | {bytes} | {ours:.3} | {theirs:.3} | {each:.2} |")?;
        }
        Ok(())
    }
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
