//! Decks on its own, on each store: what lists, nodes and search cost for each card they answer, in collections of 10 to 100,000 cards; and the
//! one round trip of an app's first screen over such collections, through `spacey serve`. Each part writes its section of `DECKS.md`.

mod searching;
mod stores;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::Variables;
use common::viewer::Roles;
use common::{Caller, Clock, Endpoint, SessionId, SubgraphRequest, UserId, Viewer};
use serde_json::{Value, json};

use crate::Result;
use crate::client::Client;
use crate::home::HOME;
use crate::machine::{cpu, machine, micros};
use crate::plot::{Line, Plot};
use crate::process::Server;
use stores::{Kind, Store};

const SIZES: [usize; 3] = [10, 1_000, 100_000];
const MOST_DECKS: usize = 20;
/// Cards that are made in one mutation.
const BATCH: usize = 1_000;
/// How long each query is measured at least.
const SAMPLE: Duration = Duration::from_millis(500);
const FEWEST: usize = 5;

/// What is counted from all notes, and therefore not drawn.
const TAGS: &str = "the first 50 tags, with their numbers of notes";
const CARD: &str =
    "id question answer position version createdAt updatedAt note { id type tags } deck { id }";
const COLUMNS: &str = "| query | cards in the collection | cards answered | statements | CPU, ms | CPU a card, µs | median, ms | longest, ms |\n\
    |---|---|---|---|---|---|---|---|\n";

/// The parts, in their order in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lists,
    Screen,
    Search,
}

impl Part {
    pub(crate) const ALL: [(&str, Self); 3] =
        [("lists", Self::Lists), ("screen", Self::Screen), ("search", Self::Search)];

    const fn title(self) -> &'static str {
        match self {
            Self::Lists => "## Lists",
            Self::Screen => "## The one round trip",
            Self::Search => "## Search",
        }
    }
}

/// What a query cost in a collection.
struct Cost {
    what: String,
    cards: usize,
    returned: usize,
    /// Statements for an answer: SQL, or commands.
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

/// Measures a part in collections of up to so many cards, and writes its section of `DECKS.md` and its plot into the folder.
pub(crate) async fn run(spacey: &Path, folder: &Path, part: Part, most: usize) -> Result<()> {
    let text = match part {
        Part::Lists => lists(folder, most).await?,
        Part::Screen => screens(spacey, folder, most).await?,
        Part::Search => searching::section(most).await?,
    };
    let text = format!("{}\n\n{text}\nMachine: {}.\n", part.title(), machine().await);
    println!("{text}");
    let file = folder.join("DECKS.md");
    let old = tokio::fs::read_to_string(&file).await.unwrap_or_default();
    let mut new = "# What decks costs\n\nWritten by `make bench-decks`. CPU is the time of the process, which a busy machine does not change much; MongoDB's own is not \
        in it, but in the times.\n"
        .to_owned();
    for (_, other) in Part::ALL {
        let kept = old.split_once(other.title()).map(|(_, rest)| {
            format!("{}{}", other.title(), rest.split("\n## ").next().unwrap_or_default())
        });
        let section = if other == part { Some(text.clone()) } else { kept };
        if let Some(section) = section {
            write!(new, "\n{}\n", section.trim_end())?;
        }
    }
    tokio::fs::write(file, new).await?;
    Ok(())
}

fn sizes(most: usize) -> impl Iterator<Item = usize> {
    SIZES.into_iter().filter(move |cards| *cards <= most)
}

async fn lists(folder: &Path, most: usize) -> Result<String> {
    let mut text = "The subgraph alone, by its own GraphQL; of each card all its own fields, its note's tags and its deck's id. What a card costs does \
         not grow with the collection, and the number of statements does not grow with the number of cards answered (but for pages).\n\n\
         ![CPU for each card answered, by cards in the collection](decks.svg)\n"
        .to_owned();
    let mut lines = Vec::new();
    for kind in Kind::available() {
        let mut costs = Vec::new();
        for cards in sizes(most) {
            let decks = Decks::fill(kind, cards).await?;
            costs.extend(decks.lists().await?);
            decks.store.remove().await?;
        }
        write!(text, "\nOn {}:\n\n{COLUMNS}", kind.name())?;
        for cost in &costs {
            line(&mut text, cost, &cost.statements.to_string())?;
        }
        costs.retain(|cost| cost.what != TAGS);
        add_lines(&mut lines, &costs, &format!(", {}", kind.name()));
    }
    tokio::fs::write(folder.join("decks.svg"), plot(lines).svg()?).await?;
    Ok(text)
}

async fn screens(spacey: &Path, folder: &Path, most: usize) -> Result<String> {
    let mut text = format!(
        "An app's first screen through `spacey serve` over HTTP, on SQLite, all four subgraphs: 20 decks with their numbers and their first 50 \
         cards, and 20 cards to study. A deck's numbers are computed from all its cards, so that they grow with these. How many statements it takes is \
         bounded by `spacey/tests/one_round_trip.rs`.\n\n\
         ![CPU for each card answered, by cards in the collection](first-screen.svg)\n\n{COLUMNS}"
    );
    let mut costs = Vec::new();
    for cards in sizes(most) {
        let cost = first_screen(spacey, cards).await?;
        line(&mut text, &cost, "–")?;
        costs.push(cost);
    }
    let mut lines = Vec::new();
    add_lines(&mut lines, &costs, "");
    tokio::fs::write(folder.join("first-screen.svg"), plot(lines).svg()?).await?;
    Ok(text)
}

/// The domain with a person's collection.
struct Decks {
    endpoint: Arc<dyn Endpoint>,
    store: Store,
    caller: Arc<Caller>,
    user: UserId,
    cards: usize,
    decks: Vec<Value>,
    /// The ids of all cards.
    all: Vec<Value>,
}

/// How many decks such a collection has.
fn decks_of(cards: usize) -> usize {
    (cards / 10).clamp(1, MOST_DECKS)
}

fn new_note(nth: usize) -> Value {
    json!({
        "tags": [format!("part{}", nth % 10), if nth % 1_000 == 3 { "rare".into() } else { format!("part{}::deep", nth % 10) }],
        "fields": [
            { "name": "Front", "value": format!("What is common word{} and word{}?", nth % 1_000, nth % 97) },
            { "name": "Back", "value": format!("A common answer of about as many words as answers have, word{nth} {}", ["even", "odd"][nth % 2]) },
        ],
    })
}

impl Decks {
    async fn fill(kind: Kind, cards: usize) -> Result<Self> {
        let store = Store::open(kind).await?;
        let endpoint = decks::open(store.backend(), Vec::new(), Clock::System).await?;
        let user = UserId::new();
        let viewer = Viewer::new(user, SessionId::new(), Roles::default());
        let caller = Arc::new(Caller::new(Some(viewer), "bench"));
        let (decks, all) = (Vec::new(), Vec::new());
        let mut filled = Self { endpoint, store, caller, user, cards, decks, all };
        let each = cards / decks_of(cards);
        for nth in 0..decks_of(cards) {
            let create =
                "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
            let name = format!("deck{nth}");
            let data = filled.ask(create, json!({ "input": { "name": name } })).await?;
            let deck = data["createDeck"]["deck"]["id"].clone();
            for start in (0..each).step_by(BATCH) {
                let numbers = nth * each + start..nth * each + each.min(start + BATCH);
                let notes: Vec<Value> = numbers.map(new_note).collect();
                let create = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { cards { id } } } }";
                let input = json!({ "input": { "deckId": deck, "notes": notes } });
                let data = filled.ask(create, input).await?;
                let made = data["createNotes"]["notes"].as_array().ok_or("no notes")?;
                filled.all.extend(made.iter().map(|note| note["cards"][0]["id"].clone()));
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
            let (before, count, began) = (cpu(), self.store.statements(), Instant::now());
            run().await?;
            times.push(began.elapsed());
            spent += cpu() - before;
            // Once a second the outbox looks for what is to be delivered.
            statements = statements.min(self.store.statements() - count);
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
        let some: Vec<&Value> = self.all.iter().step_by(1 + self.cards / 501).collect();
        let nodes = self.cost("up to 500 nodes by their ids", async || {
            let data = self.ask(&nodes, json!({ "ids": some })).await?;
            Ok(data["nodes"].as_array().ok_or("no nodes")?.len())
        });
        let nodes = nodes.await?;
        let tags = "query($of: [_Any!]!) { _entities(representations: $of) { ... on User { tags(first: 50) { nodes { name noteCount } } } } }";
        let tags = self.cost(TAGS, async || {
            let data = self.ask(tags, of.clone()).await?;
            Ok(data["_entities"][0]["tags"]["nodes"].as_array().ok_or("no tags")?.len())
        });
        Ok(vec![all, first, nodes, tags.await?])
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

fn add_lines(lines: &mut Vec<Line>, costs: &[Cost], what: &str) {
    for cost in costs {
        let (name, point) = (format!("{}{what}", cost.what), (cost.cards as f64, cost.each()));
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
}

fn plot(lines: Vec<Line>) -> Plot {
    let label = |micros: f64| format!("{micros} µs");
    Plot { right: (1, 5), up: (0, 4), label, lines }
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
