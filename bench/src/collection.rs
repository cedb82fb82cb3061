//! Decks on its own, on a SQLite file: what lists, nodes and search cost for each card they answer, in collections of 10 to 100,000 cards; and
//! the one round trip of an app's first screen over such collections, through `spacey serve`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::Variables;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{Backend, Caller, Clock, Endpoint, SessionId, SubgraphRequest, UserId, Viewer};
use serde_json::{Value, json};

use crate::Result;
use crate::client::Client;
use crate::home::HOME;
use crate::machine::{cpu, machine, micros};
use crate::plot::{Line, Plot};
use crate::process::Server;

const SIZES: [usize; 3] = [10, 1_000, 100_000];
const MOST_DECKS: usize = 20;
/// Cards that are made in one mutation.
const BATCH: usize = 1_000;
/// The aim: search over 100,000 cards.
const SEARCH_MILLISECONDS: f64 = 20.0;
/// How long each query is measured at least.
const SAMPLE: Duration = Duration::from_millis(500);
const FEWEST: usize = 5;

const CARD: &str =
    "id question answer position version createdAt updatedAt note { id type tags } deck { id }";
const QUERIES: &[&str] = &[
    "",
    "common",
    "word777",
    "word77*",
    "\"common word777\"",
    "common -word777 tag:part7",
    "(word1 or word2) -common",
    "deck:deck added:7 common",
    "absent",
];

/// What a query cost in a collection.
struct Cost {
    what: String,
    cards: usize,
    returned: usize,
    /// SQL statements for an answer.
    statements: u64,
    /// CPU time for an answer.
    cpu: Duration,
    /// How long the answer took: the middle one, and the longest.
    times: (Duration, Duration),
}

impl Cost {
    fn each(&self) -> f64 {
        micros(self.cpu) / self.returned.max(1) as f64
    }
}

/// Measures collections of up to so many cards, and writes `DECKS.md` and `decks.svg` into the folder.
pub(crate) async fn run(spacey: &Path, folder: &Path, most: usize) -> Result<()> {
    let (mut costs, mut home, mut search) = (Vec::new(), Vec::new(), Vec::new());
    for cards in SIZES.into_iter().filter(|cards| *cards <= most) {
        let decks = Decks::fill(cards).await?;
        costs.extend(decks.lists().await?);
        if cards == SIZES.into_iter().filter(|cards| *cards <= most).max().unwrap_or(0) {
            search = decks.searches().await?;
        }
        home.push(first_screen(spacey, cards).await?);
    }
    let plot = plot(&costs, &home).svg()?;
    let text = text(&costs, &home, &search).await?;
    println!("{text}");
    tokio::fs::write(folder.join("decks.svg"), plot).await?;
    tokio::fs::write(folder.join("DECKS.md"), text).await?;
    Ok(())
}

/// The domain with a person's collection.
struct Decks {
    endpoint: Arc<dyn Endpoint>,
    sqlite: Sqlite,
    caller: Arc<Caller>,
    cards: usize,
    decks: Vec<Value>,
    /// The ids of some cards.
    some: Vec<Value>,
    _folder: tempfile::TempDir,
}

/// How many decks such a collection has.
fn decks_of(cards: usize) -> usize {
    (cards / 10).clamp(1, MOST_DECKS)
}

fn new_note(nth: usize) -> Value {
    json!({
        "tags": [format!("part{}", nth % 10)],
        "fields": [
            { "name": "Front", "value": format!("What is common word{} and word{}?", nth % 1_000, nth % 97) },
            { "name": "Back", "value": format!("A common answer of about as many words as answers have, word{nth}") },
        ],
    })
}

impl Decks {
    async fn fill(cards: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let sqlite = Sqlite::open(folder.path().join("decks.db"), decks::MIGRATIONS)?;
        let endpoint =
            decks::open(Backend::Sqlite(sqlite.clone()), Vec::new(), Clock::System).await?;
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        let caller = Arc::new(Caller::new(Some(viewer), "bench"));
        let (decks, some) = (Vec::new(), Vec::new());
        let mut filled = Self { endpoint, sqlite, caller, cards, decks, some, _folder: folder };
        let each = cards / decks_of(cards);
        for _ in 0..decks_of(cards) {
            let create =
                "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
            let data = filled.ask(create, json!({ "input": { "name": "deck" } })).await?;
            let deck = data["createDeck"]["deck"]["id"].clone();
            for start in (0..each).step_by(BATCH) {
                let notes: Vec<Value> = (start..each.min(start + BATCH)).map(new_note).collect();
                let create = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { cards { id } } } }";
                let input = json!({ "input": { "deckId": deck, "notes": notes } });
                let data = filled.ask(create, input).await?;
                let made = data["createNotes"]["notes"].as_array().ok_or("no notes")?;
                filled.some.extend(
                    made.iter().step_by(1 + cards / 500).map(|note| note["cards"][0]["id"].clone()),
                );
            }
            filled.decks.push(deck);
        }
        Ok(filled)
    }

    async fn ask(&self, document: &str, variables: Value) -> Result<Value> {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let response = self.endpoint.execute(request, self.caller.clone()).await?;
        if let Some(error) = response.errors.first() {
            return Err(format!("{}: {document}", error.message).into());
        }
        Ok(response.data.into_json()?)
    }

    /// Runs something that says how many cards it was answered, again and again.
    async fn cost(&self, what: &str, mut run: impl AsyncFnMut() -> Result<usize>) -> Result<Cost> {
        // Once in vain: statements are prepared, and pages read.
        let returned = run().await?;
        let (mut times, mut spent, mut statements) = (Vec::new(), Duration::ZERO, u64::MAX);
        let started = Instant::now();
        while times.len() < FEWEST || started.elapsed() < SAMPLE {
            let (before, count, began) = (cpu(), self.sqlite.statements(), Instant::now());
            run().await?;
            times.push(began.elapsed());
            spent += cpu() - before;
            // Once a second the outbox looks for what is to be delivered.
            statements = statements.min(self.sqlite.statements() - count);
        }
        times.sort_unstable();
        let cpu = spent / u32::try_from(times.len())?;
        let times = (times[times.len() / 2], times[times.len() - 1]);
        Ok(Cost { what: what.to_owned(), cards: self.cards, returned, statements, cpu, times })
    }

    async fn lists(&self) -> Result<Vec<Cost>> {
        let page = format!(
            "query($deck: ID!, $after: String) {{ deck(id: $deck) {{ cards(first: 500, after: $after) {{
                nodes {{ {CARD} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
        );
        let all = self.cost("all cards, in pages of 500", async || {
            let mut returned = 0;
            for deck in &self.decks {
                let mut after = Value::Null;
                loop {
                    let variables = json!({ "deck": deck, "after": after });
                    let mut list = self.ask(&page, variables).await?["deck"]["cards"].take();
                    returned += list["nodes"].as_array().ok_or("no cards")?.len();
                    if list["pageInfo"]["hasNextPage"] == false {
                        break;
                    }
                    after = list["pageInfo"]["endCursor"].take();
                }
            }
            Ok(returned)
        });
        let all = all.await?;
        let decks = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ decks(first: 20) {{ totalCount nodes {{
                id name cardCount path cards(first: 50) {{ totalCount nodes {{ {CARD} }} }} }} }} }} }} }}"
        );
        let viewer = self.caller.viewer.as_ref().ok_or("nobody")?.user.to_string();
        let of = json!({ "of": [{ "__typename": "User", "id": viewer }] });
        let first = self.cost("20 decks with their first 50 cards", async || {
            let data = self.ask(&decks, of.clone()).await?;
            let decks = data["_entities"][0]["decks"]["nodes"].as_array().ok_or("no decks")?;
            Ok(decks
                .iter()
                .filter_map(|deck| deck["cards"]["nodes"].as_array())
                .map(Vec::len)
                .sum())
        });
        let first = first.await?;
        let nodes =
            format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Card {{ {CARD} }} }} }}");
        let some: Vec<&Value> = self.some.iter().take(500).collect();
        let nodes = self.cost("up to 500 nodes by their ids", async || {
            let data = self.ask(&nodes, json!({ "ids": some })).await?;
            Ok(data["nodes"].as_array().ok_or("no nodes")?.len())
        });
        Ok(vec![all, first, nodes.await?])
    }

    async fn searches(&self) -> Result<Vec<Cost>> {
        let search = format!(
            "query($query: String!) {{ searchCards(query: $query, first: 50) {{ edges {{ questionMatches {{ start end }}
                node {{ {CARD} }} }} pageInfo {{ hasNextPage }} }} }}"
        );
        let mut costs = Vec::new();
        for query in QUERIES {
            let cost = self.cost(query, async || {
                let data = self.ask(&search, json!({ "query": query })).await?;
                Ok(data["searchCards"]["edges"].as_array().ok_or("no cards")?.len())
            });
            costs.push(cost.await?);
        }
        Ok(costs)
    }
}

/// The first screen, of 20 decks and 20 cards to study, over a collection of so many cards.
async fn first_screen(spacey: &Path, cards: usize) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(spacey, &["serve"], folder.path()).await?;
    let mut client = Client::new(&server.address)?;
    client.sign_in().await?;
    let each = cards / decks_of(cards);
    for _ in 0..decks_of(cards) {
        let create =
            "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let data = client.data(create, json!({ "input": { "name": "deck" } })).await?;
        for start in (0..each).step_by(BATCH) {
            let notes: Vec<Value> = (start..each.min(start + BATCH)).map(new_note).collect();
            let create = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { deck { id } } }";
            let input = json!({ "deckId": data["createDeck"]["deck"]["id"], "notes": notes });
            client.data(create, json!({ "input": input })).await?;
        }
    }
    let data = client.data(HOME, json!({})).await?;
    let decks = data["viewer"]["decks"]["nodes"].as_array().ok_or("no decks")?;
    let of_deck = |deck: &Value| deck["cards"]["nodes"].as_array().map_or(0, Vec::len);
    let queue = data["viewer"]["studyQueue"].as_array().ok_or("no queue")?.len();
    let returned = decks.iter().map(of_deck).sum::<usize>() + queue;
    let (mut times, before, started) = (Vec::new(), server.cpu()?, Instant::now());
    // The kernel counts a process's time in hundredths of a second.
    while times.len() < FEWEST || started.elapsed() < 4 * SAMPLE {
        let began = Instant::now();
        client.text(HOME, &json!({})).await?;
        times.push(began.elapsed());
    }
    let cpu = (server.cpu()? - before) / u32::try_from(times.len())?;
    times.sort_unstable();
    let times = (times[times.len() / 2], times[times.len() - 1]);
    server.stop().await?;
    Ok(Cost { what: "first screen".into(), cards, returned, statements: 0, cpu, times })
}

fn plot(costs: &[Cost], home: &[Cost]) -> Plot {
    let mut lines: Vec<Line> = Vec::new();
    for cost in costs.iter().chain(home) {
        let point = (cost.cards as f64, cost.each());
        match lines.iter_mut().find(|line| line.name == cost.what) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name: cost.what.clone(), points: vec![point] }),
        }
    }
    let label = |micros: f64| format!("{micros} µs");
    Plot { right: (1, 5), up: (0, 4), label, lines }
}

async fn text(costs: &[Cost], home: &[Cost], search: &[Cost]) -> Result<String> {
    let mut text = format!(
        "# What decks costs\n\nWritten by `make bench-decks`. CPU time by the clock of the process, on a SQLite file.\n\nMachine: {}.\n\n\
         ## Lists\n\nThe subgraph alone, by its own GraphQL; of each card all its own fields, its note's tags and its deck's id. What a card costs does \
         not grow with the collection, and the number of statements does not grow with the number of cards answered (but for pages).\n\n\
         ![CPU for each card answered, by cards in the collection](decks.svg)\n\n\
         | query | cards in the collection | cards answered | statements | CPU, ms | CPU a card, µs | median, ms | longest, ms |\n\
         |---|---|---|---|---|---|---|---|\n",
        machine().await
    );
    for cost in costs {
        line(&mut text, cost, &cost.statements.to_string())?;
    }
    writeln!(
        text,
        "\n## The one round trip\n\nAn app's first screen through `spacey serve` over HTTP, all four subgraphs: 20 decks with their numbers and their first 50 \
         cards, and 20 cards to study. A deck's numbers are computed from all its cards, so that they grow with these. How many statements it takes is \
         bounded by `spacey/tests/one_round_trip.rs`.\n\n\
         | query | cards in the collection | cards answered | statements | CPU, ms | CPU a card, µs | median, ms | longest, ms |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for cost in home {
        line(&mut text, cost, "–")?;
    }
    let cards = search.first().map_or(0, |cost| cost.cards);
    writeln!(
        text,
        "\n## Search\n\nThe first 50 cards with their matches, of {cards} cards (target: under {SEARCH_MILLISECONDS} ms).\n\n\
         | query | cards in the collection | cards answered | statements | CPU, ms | CPU a card, µs | median, ms | longest, ms |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for cost in search {
        let what = format!("`{}`", cost.what);
        line(&mut text, &Cost { what, times: cost.times, ..*cost }, &cost.statements.to_string())?;
    }
    Ok(text)
}

fn line(text: &mut String, cost: &Cost, statements: &str) -> Result<()> {
    let Cost { what, cards, returned, cpu, times, .. } = cost;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    writeln!(
        text,
        "| {what} | {cards} | {returned} | {statements} | {:.3} | {:.2} | {:.2} | {:.2} |",
        milliseconds(*cpu),
        cost.each(),
        milliseconds(times.0),
        milliseconds(times.1)
    )?;
    Ok(())
}
