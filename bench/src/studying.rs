//! Learning on its own, on a SQLite file, for somebody with many cards and reviews: taking in batches of reviews beside raw SQLite inserting the same rows, the
//! study queue, and statistics.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::outbox::Outbox;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{
    Backend, CardId, Clock, DeckId, Event, ReviewId, SessionId, StoreError, UserId, Viewer,
};
use jiff::{SignedDuration, Timestamp};
use learning::entry::EntryInput;
use learning::scheduler::{Action, Rating};
use learning::service::{QueueRequest, Service, Submission};
use rusqlite::{Connection, params};

use crate::Result;

const DECKS: usize = 20;
const BATCH: usize = 100;
/// After so many batches it is the other's turn.
const ROUND: usize = 50;

/// Measures with so many cards and reviews, and prints what it found.
pub(crate) async fn run(cards: usize, reviews: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sqlite = Sqlite::open(folder.path().join("learning.db"), learning::MIGRATIONS)?;
    let clock = Clock::System;
    let store = learning::store::open(Backend::Sqlite(sqlite)).await?;
    let owner = UserId::new();
    let viewer = Viewer::new(owner, SessionId::new(), Roles::default());
    let ids = tell(&*store, owner, cards).await?;
    // Decks hears of each batch before it is answered.
    let decks = Sqlite::open(folder.path().join("decks.db"), decks::MIGRATIONS)?;
    decks.write(known_to_decks(owner, ids.clone())).await?;
    let decks = decks::open(Backend::Sqlite(decks), vec![], clock.clone()).await?;
    let outbox = Outbox::start(learning::NAME, store.clone(), vec![decks]);
    let service = Service::new(Arc::clone(&store), outbox, clock)?;

    let mut raw = Raw::open(&folder.path().join("raw.db"))?;
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    let start = Timestamp::now() - SignedDuration::from_hours(24 * 3650);
    let step = SignedDuration::from_secs(3650 * 86_400 / i64::try_from(reviews)?);
    let mut done = 0;
    while done < reviews {
        let round: Vec<Vec<EntryInput>> = (0..ROUND)
            .map(|nth| {
                (0..BATCH).map(|at| review(&ids, done + nth * BATCH + at, start, step)).collect()
            })
            .collect();
        let began = Instant::now();
        for batch in &round {
            let batch = batch
                .iter()
                .map(|entry| Submission { id: entry.id.to_string(), entry: Ok(entry.clone()) });
            service.submit(&viewer, "reviews", batch.collect()).await?;
        }
        ours += began.elapsed();
        let began = Instant::now();
        for batch in &round {
            raw.insert(owner, batch)?;
        }
        theirs += began.elapsed();
        done += ROUND * BATCH;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 reviews")]
    let rate = |time: Duration| done as f64 / time.as_secs_f64();
    println!("submitReviews, batches of {BATCH}, one after the other: {:.0} reviews/s", rate(ours));
    println!("raw SQLite, the same rows and commits:        {:.0} rows/s", rate(theirs));
    println!("ratio: {:.2}", rate(ours) / rate(theirs));

    let request = QueueRequest { limit: 20, ..QueueRequest::default() };
    let queue = median(async || {
        service.queue(&viewer, request.clone()).await?;
        Ok(())
    });
    println!("study queue at {cards} cards: {:.2} ms", queue.await?);
    let first = "2000-01-01".parse().ok();
    let statistics = median(async || {
        service.statistics(&viewer, None, first, None).await?;
        Ok(())
    });
    println!("statistics of all days at {done} reviews: {:.2} ms", statistics.await?);
    let stats = median(async || {
        service.stats(&viewer).await?;
        Ok(())
    });
    println!("today's numbers: {:.2} ms", stats.await?);
    Ok(())
}

/// Milliseconds: the median of 21 runs.
async fn median(mut run: impl AsyncFnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..21 {
        let began = Instant::now();
        run().await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[10].as_secs_f64() * 1e3)
}

/// Puts the cards into the store of decks.
fn known_to_decks(
    owner: UserId,
    cards: Vec<CardId>,
) -> impl FnOnce(&Connection) -> std::result::Result<(), StoreError> + Send {
    move |connection| {
        let deck = DeckId::new();
        connection.execute(
            "INSERT INTO deck VALUES (?1, ?2, 'deck', 'deck', '', NULL, 0, 0, 1, 0, 0, 1, NULL, x'', 0, 0, NULL, 0)",
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
) -> Result<Vec<CardId>> {
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
                note: None,
                tags: Vec::new(),
            })
        };
        store.apply(chunk.iter().enumerate().map(card).collect()).await?;
    }
    Ok(ids)
}

/// The nth review: each card comes again after all others have, over ten years. A tenth of the cards is never reviewed.
fn review(ids: &[CardId], nth: usize, start: Timestamp, step: SignedDuration) -> EntryInput {
    let studied = ids.len() * 9 / 10;
    let rating = if nth.is_multiple_of(11) { Rating::Again } else { Rating::Good };
    EntryInput {
        id: ReviewId::new(),
        card: ids[nth.wrapping_mul(7919) % studied],
        action: Action::Answer(rating),
        at: start + step * i32::try_from(nth).unwrap_or(i32::MAX),
        duration_ms: 4000,
        time_zone: Some("Europe/Zurich".to_owned()),
        session: None,
    }
}

/// The rows of the log alone, as plain SQLite inserts them.
struct Raw(Connection);

impl Raw {
    fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        for script in learning::MIGRATIONS {
            connection.execute_batch(script)?;
        }
        Ok(Self(connection))
    }

    fn insert(&mut self, owner: UserId, batch: &[EntryInput]) -> Result<()> {
        let transaction = self.0.transaction()?;
        {
            let mut put = transaction.prepare_cached(include_str!(
                "../../subgraphs/learning/src/store/sqlite/sql/put_review.sql"
            ))?;
            for entry in batch {
                let at = entry.at.as_millisecond();
                let rating = entry.action.rating().map(Rating::number);
                let (none, deck) = (rusqlite::types::Null, entry.card);
                put.execute(params![
                    owner,
                    entry.id,
                    entry.card,
                    0,
                    rating,
                    none,
                    none,
                    at,
                    at,
                    4000,
                    "Europe/Zurich",
                    none,
                    20_000,
                    12,
                    deck,
                    0,
                    3,
                ])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
