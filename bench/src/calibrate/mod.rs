//! Whether points are worth the same everywhere: the CPU time of `spacey serve`, gateway and all subgraphs in one process, for operations
//! made of the schema by chance and for each expensive field, beside what they cost by the answer's own report.
//!
//! CPU time is that of the whole process until it has come to rest, so that what an operation leaves to be done later counts too. That of an
//! operation that asks for nothing is subtracted. The weights in the `costs.txt` of the subgraphs are set from what this prints.

mod changes;
mod generate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::Result;
use crate::client::Client;
use crate::machine::{machine, micros};
use crate::process::Server;

use changes::{ADDRESS, ASKED, CHANGES, Change, change, deck, published, review};
use generate::{Chance, Generator, Ids};

const SCHEMA: &str = include_str!("../../../schema/api.graphql");
const SEED: u64 = 20_261_130;
/// How many operations are measured together with those of [`CHANGES`].
const OPERATIONS: usize = 300;
const DECKS: usize = 20;
const CARDS: usize = 250;
/// What the gateway answers at most where nothing else is set.
const MAXIMUM: f64 = 5_000.0;
/// How long an operation is repeated, and how often at least and at most.
const SAMPLE: Duration = Duration::from_millis(120);
const REPEATED: (u32, u32) = (3, 60);
/// How long there is nothing to do for a server that has come to rest.
const REST: Duration = Duration::from_millis(4);

/// The settings that a measurement takes: points are counted, and never lack.
const SETTINGS: [(&str, &str); 6] = [
    ("SPACEY_COST_MAXIMUM_MODE", "off"),
    ("SPACEY_COST_THROTTLE_MODE", "enforce"),
    ("SPACEY_COST_CAPACITY", "1000000000"),
    ("SPACEY_COST_RESTORE", "1000000000"),
    ("SPACEY_LIMIT_DEPTH", "100"),
    ("SPACEY_LOG", "error"),
];

/// What an operation took.
struct Sample {
    /// A field that is measured by itself, with the number of things; none for one made by chance.
    what: Option<(&'static str, usize)>,
    text: String,
    cpu: Duration,
    points: f64,
    /// How often each field stands in the answer, where it was made by chance.
    counts: BTreeMap<String, u64>,
}

/// Measures, prints, and puts the table into `COST.md` of the folder.
pub(crate) async fn run(spacey: &Path, folder: &Path) -> Result<()> {
    let bench = Bench::start(spacey).await?;
    let fields = ASKED.len() + CHANGES.iter().map(|(_, counts)| counts.len()).sum::<usize>();
    let mut samples = bench.generated(OPERATIONS - fields).await?;
    // These change what is there.
    samples.extend(bench.fields().await?);
    let details: Vec<Value> = samples
        .iter()
        .map(|sample| {
            let what = sample.what.map(|(name, count)| format!("{name} {count}"));
            json!({ "what": what, "text": sample.text, "micros": micros(sample.cpu), "points": sample.points, "counts": sample.counts })
        })
        .collect();
    let own = std::env::temp_dir().join("spacey-calibration.json");
    tokio::fs::write(&own, serde_json::to_vec(&details)?).await?;
    let text = report(&samples, &machine().await)?;
    println!("{text}\neach operation: {}", own.display());
    super::section(&folder.join("COST.md"), "Points and CPU time", &text).await?;
    bench.server.stop().await
}

struct Bench {
    server: Server,
    client: Client,
    /// Somebody else's.
    other: Client,
    ids: Ids,
    /// What an operation takes that asks for nothing.
    floor: Duration,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn start(spacey: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(spacey);
        let server = Server::start_with(command.arg("serve"), folder.path(), &SETTINGS).await?;
        let mut client = Client::new(&server.address)?;
        client.sign_in_as(ADDRESS).await?;
        let mut other = Client::new(&server.address)?;
        other.sign_in_as("other@spacey.example").await?;
        let mut ids =
            Ids { decks: Vec::new(), cards: Vec::new(), notes: Vec::new(), slug: String::new() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for number in 0..DECKS {
            let (deck, cards) = deck(&client, CARDS).await?;
            let studied = cards.iter().step_by(2);
            let reviews: Vec<Value> = studied.map(|card| review(&card["id"])).collect();
            let submit = "mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
            client.data(submit, json!({ "input": { "reviews": reviews } })).await?;
            if number == 0 {
                let publish = "mutation ($input: PublishDeckInput!) { publishDeck(input: $input) { publicDeck { slug } } }";
                let data = client.data(publish, json!({ "input": published(&deck) })).await?;
                ids.slug = text(&data["publishDeck"]["publicDeck"]["slug"]);
            }
            ids.decks.push(text(&deck));
            ids.cards.extend(cards.iter().map(|card| text(&card["id"])));
            ids.notes.extend(cards.iter().map(|card| text(&card["note"]["id"])));
        }
        let mut bench = Self { server, client, other, ids, floor: Duration::ZERO, _folder: folder };
        let nothing = Change { text: "{ __typename }".to_owned(), variables: json!({}) };
        bench.floor = bench.repeated(&nothing).await?.0;
        Ok(bench)
    }

    /// What the server has used once it has come to rest.
    async fn at_rest(&self) -> Result<Duration> {
        let mut before = self.server.exact_cpu()?;
        loop {
            tokio::time::sleep(REST).await;
            let now = self.server.exact_cpu()?;
            if now - before < REST / 40 {
                return Ok(now);
            }
            before = now;
        }
    }

    /// The CPU time of an operation, once, and what it cost.
    async fn once(&self, operation: &Change) -> Result<(Duration, f64)> {
        let before = self.at_rest().await?;
        let answer = self.client.answer(&operation.text, &operation.variables).await?;
        let cpu = self.at_rest().await?.saturating_sub(before);
        let points = answer["extensions"]["cost"]["actualQueryCost"].as_f64();
        Ok((cpu, points.ok_or("the answer does not say what it cost")?))
    }

    /// The CPU time of a query that is asked again and again: the mean, without coming to rest between.
    async fn repeated(&self, query: &Change) -> Result<(Duration, f64)> {
        let (_, points) = self.once(query).await?;
        let before = self.at_rest().await?;
        let began = Instant::now();
        let mut times = 0;
        while times < REPEATED.0 || (times < REPEATED.1 && began.elapsed() < SAMPLE) {
            self.client.answer(&query.text, &query.variables).await?;
            times += 1;
        }
        let cpu = self.at_rest().await?.saturating_sub(before) / times;
        Ok((cpu.saturating_sub(self.floor), points))
    }

    /// Each expensive field by itself.
    async fn fields(&self) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for (name, text) in ASKED {
            let query = Change { text: text.to_owned(), variables: json!({}) };
            let (cpu, points) = self.repeated(&query).await?;
            let (what, counts) = (Some((name, 1)), BTreeMap::new());
            samples.push(Sample { what, text: query.text, cpu, points, counts });
        }
        let mut chance = Chance(SEED);
        for (name, counts) in CHANGES {
            for count in counts {
                let (mut all, mut points) = (Vec::new(), 0.0);
                let mut text = String::new();
                for _ in 0..REPEATED.0 {
                    let change =
                        change(&self.client, &self.other, &self.ids, &mut chance, (name, *count))
                            .await?;
                    let taken =
                        self.once(&change).await.map_err(|error| format!("{name}: {error}"))?;
                    all.push(taken.0.saturating_sub(self.floor));
                    (points, text) = (taken.1, change.text);
                }
                all.sort_unstable();
                let what = Some((name, *count));
                let (cpu, counts) = (all[all.len() / 2], BTreeMap::new());
                samples.push(Sample { what, text, cpu, points, counts });
            }
        }
        Ok(samples)
    }

    /// Operations made by chance that may be answered, and ask for something.
    async fn generated(&self, count: usize) -> Result<Vec<Sample>> {
        let mut generator = Generator::new(SCHEMA, &self.ids, SEED)?;
        let mut samples: Vec<Sample> = Vec::with_capacity(count);
        let mut refused = 0;
        while samples.len() < count {
            let query = Change { text: generator.query(), variables: json!({}) };
            match self.once(&query).await {
                Ok((_, points)) if !(2.0..=MAXIMUM).contains(&points) => {}
                Ok(_) => {
                    let (cpu, points) = self.repeated(&query).await?;
                    let data = self.client.data(&query.text, json!({})).await?;
                    let counts = Generator::counts(&data);
                    samples.push(Sample { counts, what: None, text: query.text, cpu, points });
                }
                Err(error) => {
                    refused += 1;
                    if refused > count {
                        return Err(format!("{error}: {}", query.text).into());
                    }
                }
            }
        }
        Ok(samples)
    }
}

fn report(samples: &[Sample], machine: &str) -> Result<String> {
    let of = |samples: &[&Sample]| {
        let cpu: Vec<f64> = samples.iter().map(|sample| micros(sample.cpu)).collect();
        let points: Vec<f64> = samples.iter().map(|sample| sample.points).collect();
        spearman(&cpu, &points)
    };
    let generated: Vec<&Sample> = samples.iter().filter(|sample| sample.what.is_none()).collect();
    let mut each: Vec<f64> = generated.iter().map(|s| micros(s.cpu) / s.points).collect();
    each.sort_by(f64::total_cmp);
    let at = |share: usize| each[(each.len() * share / 100).min(each.len() - 1)];
    let point = at(50);
    let mut text = format!(
        "{} operations, of them {} made of the schema by chance and the rest one expensive field each, over {} decks of {CARDS} cards: \
         rank correlation of points and CPU time **{:.3}** (Spearman; aim: at least 0.9), of those made by chance {:.3}. \
         A point is {point:.0} µs, and between {:.0} and {:.0} µs for eight operations in ten.\n\n{machine}\n\n",
        samples.len(),
        generated.len(),
        DECKS,
        of(&samples.iter().collect::<Vec<_>>()),
        of(&generated),
        at(10),
        at(90),
    );
    text.push_str("| field | things | CPU | points | points by its CPU |\n|---|--:|--:|--:|--:|\n");
    for sample in samples {
        let Some((name, count)) = sample.what else { continue };
        let cpu = micros(sample.cpu);
        writeln!(
            text,
            "| `{name}` | {count} | {:.2} ms | {:.0} | {:.0} |",
            cpu / 1000.0,
            sample.points,
            cpu / point
        )?;
    }
    Ok(text)
}

/// The correlation of the ranks of two rows of numbers; those that are equal share the mean of their ranks.
fn spearman(left: &[f64], right: &[f64]) -> f64 {
    let (left, right) = (ranks(left), ranks(right));
    let mean = (left.len() as f64 + 1.0) / 2.0;
    let (mut both, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (left, right) in left.iter().zip(&right) {
        let (left, right) = (left - mean, right - mean);
        both += left * right;
        of_left += left * left;
        of_right += right * right;
    }
    both / (of_left * of_right).sqrt()
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        let below = order.partition_point(|at| values[*at] < values[equal[0]]);
        let rank = below as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|at| ranks[*at] = rank);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_equal_values_are_shared() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn what_rises_together_correlates() {
        assert!((spearman(&[1.0, 2.0, 30.0], &[5.0, 6.0, 7.0]) - 1.0).abs() < 1e-9);
        assert!((spearman(&[1.0, 2.0, 30.0], &[7.0, 6.0, 5.0]) + 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_same_seed_makes_the_same_operations_of_the_real_schema() {
        let some = || vec!["a".to_owned()];
        let ids = Ids { decks: some(), cards: some(), notes: some(), slug: "a".to_owned() };
        let mut first = Generator::new(SCHEMA, &ids, SEED).unwrap();
        let mut second = Generator::new(SCHEMA, &ids, SEED).unwrap();
        for _ in 0..50 {
            let query = first.query();
            assert_eq!(query, second.query());
            async_graphql::parser::parse_query(&query).unwrap();
        }
    }
}
