//! Learning on its own, on a SQLite file, for people with 10 to 100,000 cards and 1,000 to 1,000,000 reviews: taking in batches of reviews beside
//! raw SQLite writing the same rows, and what the study queue, cards, decks and statistics cost.
//!
//! In steps, of which only the second must have the machine for itself: fill the files of a person, measure, report.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::outbox::Outbox;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{
    Backend, CardId, Clock, DeckId, Event, NoteId, ReviewId, SessionId, StoreError, UserId, Viewer,
};
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use learning::entry::EntryInput;
use learning::scheduler::{Action, Rating};
use learning::service::{QueueRequest, Service, Submission};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::machine::{cpu, machine, micros};
use crate::plot::{Line, Plot};
use crate::raw::{Raw, Rows};

/// Cards and reviews of a person.
const SIZES: [(usize, usize); 4] =
    [(10, 1_000), (1_000, 10_000), (10_000, 100_000), (100_000, 1_000_000)];
const DECKS: usize = 20;
const BATCH: usize = 100;
/// After so many batches, at most, it is the next one's turn.
const ROUND: usize = 10;
/// How many clients send at once, where several do.
const CLIENTS: usize = 4;
/// How many reviews are measured: the last ones, at most half of all.
const MEASURED: usize = 50_000;
/// A review every five minutes: a million in ten years.
const STEP: SignedDuration = SignedDuration::from_secs(315);
/// How long each query is measured at least.
const SAMPLE: Duration = Duration::from_millis(500);
const FEWEST: usize = 5;

/// What was measured of a person.
#[derive(Serialize, Deserialize)]
struct Person {
    cards: usize,
    reviews: usize,
    /// Reviews a second: from one client, from several at once; and raw SQLite's, writing the same rows, and the log's rows alone.
    rates: [f64; 4],
    queries: Vec<Query>,
}

#[derive(Serialize, Deserialize)]
struct Query {
    what: String,
    /// How many cards were answered, or computed from.
    cards: usize,
    statements: u64,
    cpu: Duration,
    /// The middle one, and the longest.
    times: (Duration, Duration),
}

/// Measures people with up to so many cards, and writes `LEARNING.md` and `learning.svg` into the folder.
pub(crate) async fn run(folder: &Path, most: usize) -> Result<()> {
    let files = tempfile::tempdir()?;
    for (cards, _) in SIZES.into_iter().filter(|(cards, _)| *cards <= most) {
        fill(files.path(), cards).await?;
        measure(files.path(), cards).await?;
    }
    report(files.path(), folder).await
}

/// Writes `LEARNING.md` and `learning.svg` into the folder, of the people in `files` that were measured.
pub(crate) async fn report(files: &Path, folder: &Path) -> Result<()> {
    let mut people: Vec<Person> = Vec::new();
    for (cards, _) in SIZES {
        let measured = files.join(cards.to_string()).join("measured.json");
        if measured.exists() {
            people.push(serde_json::from_slice(&tokio::fs::read(measured).await?)?);
        }
    }
    let text = text(&people).await?;
    println!("{text}");
    tokio::fs::write(folder.join("learning.svg"), plot(&people).svg()?).await?;
    tokio::fs::write(folder.join("LEARNING.md"), text).await?;
    Ok(())
}

/// Makes the files of a person with so many cards, in a folder of its own within `files`: with all reviews but those that are measured.
pub(crate) async fn fill(files: &Path, cards: usize) -> Result<()> {
    let reviews = reviews(cards)?;
    let folder = files.join(cards.to_string());
    tokio::fs::create_dir_all(&folder).await?;
    let store = Backend::Sqlite(Sqlite::open(folder.join("learning.db"), learning::MIGRATIONS)?);
    let store = learning::store::open(store).await?;
    let owner = UserId::new();
    let (decks, cards) = tell(&*store, owner, cards).await?;
    let others = Sqlite::open(folder.join("decks.db"), decks::MIGRATIONS)?;
    others.write(known_to_decks(owner, cards.clone())).await?;
    let start = Timestamp::now() - STEP * i32::try_from(reviews)?;
    let known = Known { owner, decks, cards, start };
    tokio::fs::write(folder.join("known.json"), serde_json::to_vec(&known)?).await?;
    let learner = Learner::open(&folder).await?;
    for first in (0..reviews - measured(reviews)).step_by(BATCH) {
        learner.submit(&learner.batch(first)).await?;
    }
    Ok(())
}

/// Measures the person that was filled, and keeps what was found beside the files. They are of no use for another measurement.
pub(crate) async fn measure(files: &Path, cards: usize) -> Result<()> {
    let reviews = reviews(cards)?;
    let folder = files.join(cards.to_string());
    let learner = Learner::open(&folder).await?;
    let path = folder.join("learning.db");
    // All three have the same cards and reviews.
    let mut same = Raw::copy(&path, &folder.join("same.db"))?;
    let mut log = Raw::copy(&path, &folder.join("log.db"))?;
    let reader = Rows::open(&path)?;
    let owner = learner.known.owner;
    let mut spent = [Duration::ZERO; 4];
    let mut counts = [0; 2];
    let mut done = reviews - measured(reviews);
    for turn in 0.. {
        // As many for one client as for several.
        let left = (reviews - done) / BATCH;
        let round = if turn % 2 == 0 { left.div_ceil(2).min(ROUND) } else { left.min(ROUND) };
        if round == 0 {
            break;
        }
        let batches: Vec<_> = (0..round).map(|nth| learner.batch(done + nth * BATCH)).collect();
        let clients = if turn % 2 == 0 { 1 } else { CLIENTS };
        let began = Instant::now();
        let sending = batches.iter().map(|batch| learner.submit(batch));
        futures::stream::iter(sending).buffer_unordered(clients).try_collect::<()>().await?;
        spent[turn % 2] += began.elapsed();
        counts[turn % 2] += round * BATCH;
        let rows = batches.iter().map(|batch| reader.of(owner, batch));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let began = Instant::now();
        for rows in &rows {
            same.write(rows)?;
        }
        spent[2] += began.elapsed();
        let began = Instant::now();
        for rows in &rows {
            log.write_log(rows)?;
        }
        spent[3] += began.elapsed();
        done += round * BATCH;
    }
    let [one, several] = counts;
    let rate = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    let all = one + several;
    let rates =
        [rate(one, spent[0]), rate(several, spent[1]), rate(all, spent[2]), rate(all, spent[3])];
    let measured = Person { cards, reviews, rates, queries: learner.queries().await? };
    println!("{cards} cards, {reviews} reviews: {rates:.0?} reviews/s");
    tokio::fs::write(folder.join("measured.json"), serde_json::to_vec(&measured)?).await?;
    Ok(())
}

fn reviews(cards: usize) -> Result<usize> {
    let size = SIZES.into_iter().find(|(of, _)| *of == cards);
    Ok(size.ok_or_else(|| format!("people have one of {SIZES:?} cards and reviews"))?.1)
}

/// How many of so many reviews are measured.
fn measured(reviews: usize) -> usize {
    (reviews / 2).min(MEASURED)
}

/// A person's things, and when the first review was.
#[derive(Serialize, Deserialize)]
struct Known {
    owner: UserId,
    decks: Vec<DeckId>,
    cards: Vec<CardId>,
    start: Timestamp,
}

/// A person with the domain.
struct Learner {
    sqlite: Sqlite,
    service: Service,
    viewer: Viewer,
    known: Known,
}

impl Learner {
    async fn open(folder: &Path) -> Result<Self> {
        let known: Known =
            serde_json::from_slice(&tokio::fs::read(folder.join("known.json")).await?)?;
        let sqlite = Sqlite::open(folder.join("learning.db"), learning::MIGRATIONS)?;
        let store = learning::store::open(Backend::Sqlite(sqlite.clone())).await?;
        // Decks hears of each batch before it is answered.
        let others = Backend::Sqlite(Sqlite::open(folder.join("decks.db"), decks::MIGRATIONS)?);
        let others = decks::open(others, vec![], Clock::System).await?;
        let outbox = Outbox::start(learning::NAME, store.clone(), vec![others]);
        let service = Service::new(store, outbox, Clock::System)?;
        let viewer = Viewer::new(known.owner, SessionId::new(), Roles::default());
        Ok(Self { sqlite, service, viewer, known })
    }

    fn batch(&self, first: usize) -> Vec<EntryInput> {
        (first..first + BATCH).map(|nth| self.review(nth)).collect()
    }

    /// The nth review: each card comes again after all others have. A tenth of the cards is never reviewed.
    fn review(&self, nth: usize) -> EntryInput {
        let Known { cards, start, .. } = &self.known;
        let studied = cards.len() * 9 / 10;
        let rating = if nth.is_multiple_of(11) { Rating::Again } else { Rating::Good };
        EntryInput {
            id: ReviewId::new(),
            card: cards[nth.wrapping_mul(7919) % studied],
            action: Action::Answer(rating),
            at: *start + STEP * i32::try_from(nth).unwrap_or(i32::MAX),
            duration_ms: 4000,
            time_zone: Some("Europe/Zurich".to_owned()),
            session: None,
        }
    }

    async fn submit(&self, batch: &[EntryInput]) -> Result<()> {
        let read =
            |entry: &EntryInput| Submission { id: entry.id.to_string(), entry: Ok(entry.clone()) };
        self.service.submit(&self.viewer, "reviews", batch.iter().map(read).collect()).await?;
        Ok(())
    }

    async fn queries(&self) -> Result<Vec<Query>> {
        let Self { service, viewer, known, .. } = self;
        let request = QueueRequest { limit: 20, ..QueueRequest::default() };
        let some: Vec<CardId> =
            known.cards.iter().copied().step_by(1 + known.cards.len() / 500).take(500).collect();
        let first = "2000-01-01".parse().ok();
        Ok(vec![
            self.query("study queue, 20 cards", async || {
                Ok(service.queue(viewer, request.clone()).await?.len())
            })
            .await?,
            self.query("states of up to 500 cards", async || {
                Ok(service.cards(viewer, some.clone()).await?.len())
            })
            .await?,
            self.query("numbers of all decks", async || {
                service.decks(viewer, known.decks.clone()).await?;
                Ok(known.cards.len())
            })
            .await?,
            self.query("statistics of all days", async || {
                service.statistics(viewer, None, first, None).await?;
                Ok(known.cards.len())
            })
            .await?,
            self.query("today's numbers", async || {
                service.stats(viewer).await?;
                Ok(known.cards.len())
            })
            .await?,
        ])
    }

    async fn query(
        &self,
        what: &'static str,
        mut run: impl AsyncFnMut() -> Result<usize>,
    ) -> Result<Query> {
        let cards = run().await?;
        let (mut times, mut spent, started) = (Vec::new(), Duration::ZERO, Instant::now());
        let statements = self.sqlite.statements();
        while times.len() < FEWEST || started.elapsed() < SAMPLE {
            let (before, began) = (cpu(), Instant::now());
            run().await?;
            times.push(began.elapsed());
            spent += cpu() - before;
        }
        let statements = (self.sqlite.statements() - statements) / times.len() as u64;
        times.sort_unstable();
        let cpu = spent / u32::try_from(times.len())?;
        let times = (times[times.len() / 2], times[times.len() - 1]);
        Ok(Query { what: what.to_owned(), cards, statements, cpu, times })
    }
}

/// Puts the cards into the store of decks.
fn known_to_decks(
    owner: UserId,
    cards: Vec<CardId>,
) -> impl FnOnce(&Connection) -> std::result::Result<(), StoreError> + Send {
    move |connection| {
        let deck = DeckId::new();
        connection.execute(
            "INSERT INTO deck (id, owner_id, name, sort_name, description, created_at, updated_at, version, card_count, last_place, revision)
             VALUES (?1, ?2, 'deck', 'deck', '', 0, 0, 1, 0, 0, 1)",
            params![deck, owner],
        )?;
        let mut insert = connection.prepare(
            "INSERT INTO card (id, note_id, ordinal, kind, deck_id, owner_id, position, question, answer, created_at, updated_at, version)
             VALUES (?1, ?1, 0, 0, ?2, ?3, 0, 'A question as cards have them', 'An answer of about as many words', 0, 0, 1)",
        )?;
        for card in cards {
            insert.execute(params![card, deck, owner])?;
        }
        connection
            .execute("INSERT INTO study (owner_id, seq) SELECT owner_id, seq FROM card", [])?;
        Ok(())
    }
}

async fn tell(
    store: &dyn learning::store::Store,
    owner: UserId,
    cards: usize,
) -> Result<(Vec<DeckId>, Vec<CardId>)> {
    let time_zone = "Europe/Zurich".to_owned();
    let user = UserChanged { user: owner, version: 1, deleted: false, time_zone, rollover_hour: 4 };
    let decks: Vec<DeckId> = (0..DECKS).map(|_| DeckId::new()).collect();
    let mut told = vec![Event::User(user)];
    let deck = |deck: &DeckId| DeckChanged {
        deck: *deck,
        owner,
        version: 1,
        deleted: false,
        parent: None,
        archived: Some(false),
    };
    told.extend(decks.iter().map(deck).map(Event::Deck));
    store.apply(told).await?;
    let ids: Vec<CardId> = (0..cards).map(|_| CardId::new()).collect();
    for (part, chunk) in ids.chunks(1000).enumerate() {
        let card = |(nth, card): (usize, &CardId)| {
            Event::Card(CardChanged {
                card: *card,
                deck: decks[(part + nth) % DECKS],
                owner,
                version: 1,
                deleted: false,
                position: i64::try_from(part * 1000 + nth).unwrap_or(0),
                created_at: Timestamp::now(),
                note: Some(NoteId::new()),
                tags: Vec::new(),
            })
        };
        store.apply(chunk.iter().enumerate().map(card).collect()).await?;
    }
    Ok((decks, ids))
}

fn plot(people: &[Person]) -> Plot {
    let mut lines: Vec<Line> = Vec::new();
    for Person { cards, queries, .. } in people {
        // The others are not about single cards.
        for query in queries.iter().take(3) {
            let each = micros(query.cpu) / query.cards.max(1) as f64;
            match lines.iter_mut().find(|line| line.name == query.what) {
                Some(line) => line.points.push((*cards as f64, each)),
                None => lines
                    .push(Line { name: query.what.clone(), points: vec![(*cards as f64, each)] }),
            }
        }
    }
    Plot { right: (1, 5), up: (-2, 4), label: |micros| format!("{micros} µs"), lines }
}

async fn text(people: &[Person]) -> Result<String> {
    let mut text = format!(
        "# What learning costs\n\nWritten by `make bench-learning`. The domain alone, on a SQLite file; {DECKS} decks.\n\nMachine: {}.\n\n\
         ## Taking in reviews\n\n`submitReviews` in batches of {BATCH}, each on disk before it is answered (target: at least 10,000 reviews/s), by one client, which \
         sends a batch when the one before was answered, and by {CLIENTS} at once, of the last {MEASURED} reviews or the last half of them. \
         Beside it, in alternating rounds, raw SQLite with the same settings, one transaction a batch too, which is handed the finished rows: of \
         all that `submitReviews` writes in learning (the log, the cards' new states, the sums of days and decks, the number of the change), and of the log \
         alone. `submitReviews` also lets decks know before it answers, which raw SQLite does not. \
         Target: half of raw SQLite's rate for the same rows; the ratios are those of one client.\n\n\
         | cards | reviews | one client, reviews/s | {CLIENTS} clients | raw, the same rows | ratio | raw, the log alone | ratio |\n\
         |---|---|---|---|---|---|---|---|\n",
        machine().await
    );
    for Person { cards, reviews, rates: [ours, several, same, log], .. } in people {
        writeln!(
            text,
            "| {cards} | {reviews} | {ours:.0} | {several:.0} | {same:.0} | {:.2} | {log:.0} | {:.2} |",
            ours / same,
            ours / log
        )?;
    }
    writeln!(
        text,
        "\n## Reading\n\nTargets: the study queue under 10 ms with 100,000 cards, statistics under 20 ms with a million reviews.\n\n\
         ![CPU for each card, by cards of the person](learning.svg)\n\n\
         | query | cards of the person | reviews | statements | CPU, ms | CPU a card answered or counted, µs | median, ms | longest, ms |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for place in 0..people.first().map_or(0, |person| person.queries.len()) {
        for Person { cards, reviews, queries, .. } in people {
            let Query { what, cards: of, statements, cpu, times } = &queries[place];
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            writeln!(
                text,
                "| {what} | {cards} | {reviews} | {statements} | {:.3} | {:.2} | {:.2} | {:.2} |",
                milliseconds(*cpu),
                micros(*cpu) / (*of).max(1) as f64,
                milliseconds(times.0),
                milliseconds(times.1)
            )?;
        }
    }
    Ok(text)
}
