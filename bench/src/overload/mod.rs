//! What becomes of `spacey serve` when more is asked for than it can answer: requests arrive at multiples of its capacity, cheap and dear
//! ones, of people who are signed in and of nobody in particular.
//!
//! The server has one core, the load the other: `taskset -c 1 bench overload FOLDER`.

mod load;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::Result;
use crate::client::Client;
use crate::machine::machine;
use crate::process::Server;

use load::{Arrival, Fate, arrive, capacity};

const LOADS: [f64; 5] = [0.5, 0.8, 1.0, 2.0, 3.0];
const EACH: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_secs(2);
/// Who asks one after another while the capacity is measured.
const CLIENTS: usize = 16;
const CAPACITY: Duration = Duration::from_secs(8);
/// An answer that comes later is good for nobody.
const IN_TIME: Duration = Duration::from_secs(1);
/// What is aimed at: the share of the most answers a second that is left at three times the capacity.
const LEFT: f64 = 0.9;
const DECKS: usize = 20;
const CARDS: usize = 50;

/// What is asked, in tenths of all requests.
const MIX: [(&str, usize, bool, &str); 4] = [
    (
        "signed in, cheap",
        4,
        true,
        "{ viewer { id name decks(first: 10) { totalCount nodes { id name } } } }",
    ),
    (
        "signed in, dear",
        2,
        true,
        "{ viewer { id decks(first: 10) { nodes { id name counts { new learning review } \
         cards(first: 20) { nodes { question answer state due } } } } } }",
    ),
    ("anonymous, cheap", 2, false, "{ config { frontend { deckColors } } }"),
    (
        "anonymous, dear",
        2,
        false,
        "{ publicDecks(first: 20) { nodes { slug title notes(first: 20) { nodes { type tags } } } } config { frontend { deckColors } } }",
    ),
];

struct Measured {
    load: f64,
    rate: f64,
    arrivals: Vec<Arrival>,
    /// The memory the server held at most so far, in bytes.
    memory: u64,
}

impl Measured {
    fn of(&self, kind: Option<usize>, fate: Fate) -> Vec<Duration> {
        let wanted = |arrival: &&Arrival| {
            arrival.fate == fate && kind.is_none_or(|kind| kind_of(arrival.kind) == kind)
        };
        let mut after: Vec<Duration> =
            self.arrivals.iter().filter(wanted).map(|arrival| arrival.after).collect();
        after.sort_unstable();
        after
    }

    /// Answers in time, a second.
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    fn goodput(&self) -> f64 {
        let answered = self.of(None, Fate::Answered);
        answered.partition_point(|after| *after <= IN_TIME) as f64 / EACH.as_secs_f64()
    }

    fn count(&self, kind: Option<usize>) -> usize {
        self.arrivals.iter().filter(|one| kind.is_none_or(|kind| kind_of(one.kind) == kind)).count()
    }
}

/// Measures, prints, and writes `OVERLOAD.md` and `overload.svg` into the folder.
pub(crate) async fn run(spacey: &Path, folder: &Path) -> Result<()> {
    let data = tempfile::tempdir()?;
    let settings = [("SPACEY_COST_MAXIMUM_MODE", "off"), ("SPACEY_COST_THROTTLE_MODE", "off")];
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(spacey).arg("serve");
    let server = Server::start_with(&mut command, data.path(), &settings).await?;
    let mix = mix(&server).await?;
    let address = server.address.trim_start_matches("http://").parse()?;
    // Once to warm up.
    capacity(address, &mix, CLIENTS, REST).await?;
    let most = capacity(address, &mix, CLIENTS, CAPACITY).await?;
    println!("capacity: {most:.0} requests a second");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut chance = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let share = (state >> 11) as f64 / (1_u64 << 53) as f64;
        share
    };
    let mut all = Vec::new();
    for load in LOADS {
        tokio::time::sleep(REST).await;
        let rate = most * load;
        let arrivals = arrive(address, &mix, rate, EACH, &mut chance).await;
        let measured = Measured { load, rate, arrivals, memory: server.peak()? };
        println!("{}", row(&measured));
        all.push(measured);
    }
    let text = report(&all, most, &machine().await)?;
    println!("{text}");
    tokio::fs::write(folder.join("OVERLOAD.md"), text).await?;
    tokio::fs::write(folder.join("overload.svg"), plot(&all)?).await?;
    server.stop().await
}

/// The requests, each as often as its share is.
async fn mix(server: &Server) -> Result<Arc<[Bytes]>> {
    let mut client = Client::new(&server.address)?;
    client.sign_in().await?;
    for deck in 0..DECKS {
        let create =
            "mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let data =
            client.data(create, json!({ "input": { "name": format!("Deck {deck}") } })).await?;
        let id = &data["createDeck"]["deck"]["id"];
        let card = |card| json!({ "question": format!("Question {card} of deck {deck}"), "answer": "An answer of the usual length." });
        let cards: Vec<Value> = (0..CARDS).map(card).collect();
        let create =
            "mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }";
        client.data(create, json!({ "input": { "deckId": id, "cards": cards } })).await?;
        let publish =
            "mutation ($input: PublishDeckInput!) { publishDeck(input: $input) { __typename } }";
        let input = json!({ "deckId": id, "title": "Bench", "licence": "CC_BY", "slug": format!("bench-{deck}") });
        client.data(publish, json!({ "input": input })).await?;
    }
    let mut mix = Vec::new();
    for (_, tenths, is_known, query) in MIX {
        let body = json!({ "query": query }).to_string();
        let token = if is_known {
            format!("authorization: Bearer {}\r\n", client.token())
        } else {
            String::new()
        };
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: application/graphql-response+json\r\n{token}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        mix.extend(std::iter::repeat_n(Bytes::from(request), tenths));
    }
    Ok(mix.into())
}

/// Which row of [`MIX`] a request is of, by its place.
fn kind_of(place: usize) -> usize {
    let mut before = 0;
    MIX.iter()
        .position(|(_, tenths, ..)| {
            before += tenths;
            place < before
        })
        .unwrap_or_default()
}

fn quantile(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default().as_secs_f64() * 1000.0
}

fn row(measured: &Measured) -> String {
    let answered = measured.of(None, Fate::Answered);
    let refused = measured.of(None, Fate::Refused);
    format!(
        "| {:.1} | {:.0} | {:.0} | {:.0} ms | {:.0} ms | {} | {:.0} ms | {} | {} MiB |",
        measured.load,
        measured.rate,
        measured.goodput(),
        quantile(&answered, 50),
        quantile(&answered, 99),
        refused.len(),
        quantile(&refused, 99),
        measured.of(None, Fate::Failed).len(),
        measured.memory >> 20,
    )
}

fn report(all: &[Measured], capacity: f64, machine: &str) -> Result<String> {
    let peak = all.iter().map(Measured::goodput).fold(0.0, f64::max);
    let last = all.last().ok_or("nothing was measured")?;
    let mut text = format!(
        "# More than can be answered\n\nWritten by `make bench-overload`: `spacey serve` on one core, the load on another. Closed loop, {CLIENTS} clients: \
         {capacity:.0} requests a second, which counts as the capacity. Then requests arrive at multiples of it for {} s each, independently of \
         what was answered. An answer counts when it came within {} s.\n\nAt {:.0} times the capacity **{:.0} %** of the most is still answered \
         in time (aim: at least {:.0} %).\n\n![Answers a second by requests a second](overload.svg)\n\n\
         | load | requests/s | answered in time/s | median | 99 % within | refused (503) | refused within (99 %) | failed | memory, most so far |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        EACH.as_secs(),
        IN_TIME.as_secs(),
        last.load,
        last.goodput() / peak * 100.0,
        LEFT * 100.0,
    );
    for measured in all {
        writeln!(text, "{}", row(measured))?;
    }
    writeln!(
        text,
        "\nOf those at {:.0} times the capacity:\n\n| who | asked | answered | 99 % within |\n|---|--:|--:|--:|",
        last.load
    )?;
    for (kind, (name, ..)) in MIX.iter().enumerate() {
        let answered = last.of(Some(kind), Fate::Answered);
        writeln!(
            text,
            "| {name} | {} | {:.0} % | {:.0} ms |",
            last.count(Some(kind)),
            answered.len() as f64 / last.count(Some(kind)).max(1) as f64 * 100.0,
            quantile(&answered, 99)
        )?;
    }
    writeln!(text, "\n{machine}")?;
    Ok(text)
}

/// Answers in time, and how long 99 in 100 of them took, by requests a second.
fn plot(all: &[Measured]) -> Result<String> {
    let (width, height, left, below) = (640.0, 360.0, 60.0, 50.0);
    let most = all.iter().map(|one| one.rate).fold(1.0, f64::max);
    let peak = all.iter().map(Measured::goodput).fold(1.0, f64::max) * 1.3;
    let slowest = 1000.0;
    let x = |rate: f64| left + rate / most * (width - left - 70.0);
    let y = |share: f64| height - below - share.min(1.0) * (height - below - 30.0);
    let line = |value: &dyn Fn(&Measured) -> f64| {
        let points = all.iter().map(|one| format!("{:.1},{:.1}", x(one.rate), y(value(one))));
        points.collect::<Vec<_>>().join(" ")
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for one in all {
        let (x, bottom) = (x(one.rate), y(0.0));
        writeln!(svg, "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"#ddd\"/>", y(1.0))?;
        let label = format!("{:.0} ({}×)", one.rate, one.load);
        let row = if one.load == 0.8 { 32.0 } else { 18.0 };
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + row
        )?;
    }
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (right, y) = (x(most), y(share));
        writeln!(svg, "<path d=\"M{left} {y:.1}H{right:.1}\" stroke=\"#ddd\"/>")?;
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}</text>",
            left - 6.0,
            y + 4.0,
            peak * share
        )?;
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{:.0} ms</text>",
            right + 6.0,
            y + 4.0,
            slowest * share
        )?;
    }
    let answered = line(&|one| one.goodput() / peak);
    let slow = line(&|one| quantile(&one.of(None, Fate::Answered), 99) / slowest);
    for (number, (color, name, points)) in [
        ("#15803d", "answered in time, a second", answered),
        ("#c2410c", "99 % of the answers within", slow),
    ]
    .into_iter()
    .enumerate()
    {
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        )?;
        let y = 20 + number * 16;
        writeln!(svg, "<text x=\"{}\" y=\"{y}\" fill=\"{color}\">{name}</text>", left + 10.0)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
