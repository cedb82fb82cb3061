//! The store in one SQLite file. Statements are in `sql/`, one a file.
//!
//! Reads take one statement each however many rows they touch. A write runs its prepared statements once for each row: they are function
//! calls within one transaction, not round trips.

mod events;
mod rows;
mod submit;

use std::collections::HashMap;
use std::sync::Arc;

use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{CardId, DeckId, Event, LearningSessionId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Answering, QueueCards, QueueQuery, Started, Store, Submitted};
use crate::model::{Person, Review, Session, SessionKey, Stats, StoredCard, StoredDeck};
use crate::scheduler::{AnswerKey, Day, Done, Scheduler};
use crate::submission::streak;

/// The scripts that make the tables.
pub const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_learning.sql")];

/// The store in a file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file to which [`MIGRATIONS`] were applied.
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }
}

impl Store for SqliteStore {
    fn apply(&self, events: Vec<Event>) -> Answering<'_, ()> {
        Box::pin(self.0.write(move |connection| events::apply(connection, &events)))
    }

    fn person(&self, user: UserId) -> Answering<'_, Option<Person>> {
        Box::pin(self.0.read(move |connection| {
            let mut select = connection.prepare_cached(include_str!("sql/person.sql"))?;
            let person = select.query_row([user], |row| {
                Ok(Person { time_zone: row.get(0)?, rollover_hour: row.get(1)? })
            });
            Ok(person.optional()?)
        }))
    }

    fn cards(&self, owner: UserId, ids: Vec<CardId>) -> Answering<'_, Vec<StoredCard>> {
        Box::pin(self.0.read(move |connection| cards(connection, owner, &ids)))
    }

    fn decks(&self, owner: UserId, ids: Vec<DeckId>) -> Answering<'_, Vec<StoredDeck>> {
        Box::pin(self.0.read(move |connection| decks(connection, owner, &ids)))
    }

    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards> {
        Box::pin(self.0.read(move |connection| queue(connection, owner, query)))
    }

    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[Review]>,
        scheduler: Arc<Scheduler>,
    ) -> Answering<'_, Submitted> {
        Box::pin(
            self.0.write(move |connection| submit::submit(connection, owner, &batch, &scheduler)),
        )
    }

    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Review>>> {
        Box::pin(self.0.read(move |connection| reviews(connection, owner, &cards, page)))
    }

    fn stats(&self, owner: UserId, today: Day, tomorrow: Timestamp) -> Answering<'_, Stats> {
        Box::pin(self.0.read(move |connection| stats(connection, owner, today, tomorrow)))
    }

    fn start_session(&self, session: Session) -> Answering<'_, Started> {
        Box::pin(self.0.write(move |connection| start_session(connection, session)))
    }

    fn finish_session(
        &self,
        owner: UserId,
        id: LearningSessionId,
        at: Timestamp,
    ) -> Answering<'_, Option<Session>> {
        Box::pin(self.0.write(move |connection| {
            let finish = include_str!("sql/finish_session.sql");
            let mut finish = connection.prepare_cached(finish)?;
            Ok(finish
                .query_row(params![owner, id, at.as_millisecond()], rows::session)
                .optional()?)
        }))
    }

    fn sessions(
        &self,
        owner: UserId,
        page: PageRequest<SessionKey>,
    ) -> Answering<'_, Vec<Session>> {
        Box::pin(self.0.read(move |connection| {
            let mut select = connection.prepare_cached(match page.direction {
                Direction::Forward => include_str!("sql/sessions_forward.sql"),
                Direction::Backward => include_str!("sql/sessions_backward.sql"),
            })?;
            let (at, id) = cursor(page.cursor);
            rows::all(select.query_map(params![owner, at, id, page.limit + 1], rows::session)?)
        }))
    }

    fn ping(&self) -> Answering<'_, ()> {
        Box::pin(self.0.ping())
    }
}

fn cards(
    connection: &Connection,
    owner: UserId,
    ids: &[CardId],
) -> Result<Vec<StoredCard>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/cards.sql"))?;
    let ids = rows::id_list(ids.iter().map(|id| id.uuid()));
    rows::all(select.query_map(params![owner, ids], rows::card)?)
}

fn decks(
    connection: &Connection,
    owner: UserId,
    ids: &[DeckId],
) -> Result<Vec<StoredDeck>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/decks.sql"))?;
    let ids = rows::id_list(ids.iter().map(|id| id.uuid()));
    let mut rows = select.query(params![owner, ids])?;
    let mut decks: Vec<StoredDeck> = Vec::new();
    // The cards of one deck follow one another.
    while let Some(row) = rows.next()? {
        let id: DeckId = row.get(0)?;
        if decks.last().is_none_or(|deck| deck.id != id) {
            decks.push(StoredDeck { id, new: 0, studied: Vec::new() });
        }
        let Some(deck) = decks.last_mut() else { continue };
        match row.get::<_, Option<u8>>(1)? {
            None => {}
            Some(0) => deck.new += 1,
            Some(_) => deck.studied.push(rows::studied(row)?),
        }
    }
    Ok(decks)
}

fn queue(
    connection: &Connection,
    owner: UserId,
    query: QueueQuery,
) -> Result<QueueCards, StoreError> {
    let done = connection
        .prepare_cached(include_str!("sql/done.sql"))?
        .query_row(params![owner, query.today.0], |row| {
            Ok(Done { new: row.get(0)?, reviews: row.get(1)? })
        })?;
    let reviews_left = query.reviews_per_day.saturating_sub(done.reviews);
    let new_left = query.new_per_day.saturating_sub(done.new);
    let mut due = connection.prepare_cached(include_str!("sql/due_cards.sql"))?;
    let due = due.query_map(
        params![
            owner,
            query.deck,
            query.now.as_millisecond(),
            query.ahead.as_millisecond(),
            query.today.0,
            query.limit.saturating_add(reviews_left),
            reviews_left > 0,
        ],
        rows::card,
    )?;
    let due = rows::all(due)?;
    let mut new = connection.prepare_cached(include_str!("sql/new_cards.sql"))?;
    let new = rows::all(new.query_map(params![owner, query.deck, new_left], rows::card)?)?;
    Ok(QueueCards { done, due, new })
}

fn reviews(
    connection: &Connection,
    owner: UserId,
    cards: &[CardId],
    page: PageRequest<AnswerKey>,
) -> Result<HashMap<CardId, Vec<Review>>, StoreError> {
    let mut select = connection.prepare_cached(match page.direction {
        Direction::Forward => include_str!("sql/reviews_forward.sql"),
        Direction::Backward => include_str!("sql/reviews_backward.sql"),
    })?;
    let cards = rows::id_list(cards.iter().map(|id| id.uuid()));
    let (at, id) = cursor(page.cursor);
    let mut reviews: HashMap<CardId, Vec<Review>> = HashMap::new();
    for review in select.query_map(params![owner, cards, at, id, page.limit + 1], rows::review)? {
        let review = review?;
        reviews.entry(review.card).or_default().push(review);
    }
    Ok(reviews)
}

fn stats(
    connection: &Connection,
    owner: UserId,
    today: Day,
    tomorrow: Timestamp,
) -> Result<Stats, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/stats.sql"))?;
    let mut stats = select
        .query_row(params![owner, today.0, tomorrow.as_millisecond()], |row| {
            Ok(Stats { due_today: row.get(0)?, new_cards: row.get(1)?, ..Stats::default() })
        })?;
    let mut days = connection.prepare_cached(include_str!("sql/days_back.sql"))?;
    let days = days.query_map(params![owner, today.0], |row| {
        Ok((Day(row.get(0)?), row.get::<_, u32>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut days = days.peekable();
    if let Some(Ok((day, reviews, duration))) = days.peek()
        && *day == today
    {
        (stats.reviews_today, stats.time_today_ms) = (*reviews, *duration);
    }
    stats.streak_days = streak(today, days.map(|day| day.map(|(day, ..)| day)))?;
    Ok(stats)
}

fn start_session(connection: &Connection, session: Session) -> Result<Started, StoreError> {
    let started = session.started_at.as_millisecond();
    connection.prepare_cached(include_str!("sql/start_session.sql"))?.execute(params![
        session.owner,
        session.id,
        session.deck,
        started
    ])?;
    let stored = connection
        .prepare_cached(include_str!("sql/session.sql"))?
        .query_row(params![session.owner, session.id], rows::session)
        .optional()?;
    Ok(stored.map_or(Started::UnknownDeck, Started::Session))
}

fn cursor<I>(cursor: Option<(Timestamp, I)>) -> (Option<i64>, Option<I>) {
    cursor.map(|(at, id)| (at.as_millisecond(), id)).unzip()
}
