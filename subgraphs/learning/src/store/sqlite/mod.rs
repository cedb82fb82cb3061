//! The store in one SQLite file. Statements are in `sql/`, one a file.
//!
//! Reads take one statement each however many rows they touch. A write runs its prepared statements once for each row: they are function
//! calls within one transaction, not round trips.

mod events;
mod fit;
mod queries;
mod rows;
mod settings;
mod submit;
mod tell;
mod upgrade;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{CardId, DeckId, Event, LearningSessionId, PresetId, ReviewId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Answering, CardLogs, ChangeKey, Changed, Changes, Lease, QueueCards, QueueQuery,
    SettingsChange, Started, Store, Submitted,
};
use crate::entry::{LogEntry, Logged};
use crate::fit::Sample;
use crate::model::{
    OwnSettings, Person, Preset, Session, SessionKey, Shelf, Stats, StoredCard, StoredDeck, Weights,
};
use crate::scheduler::{AnswerKey, Day, Model};
use crate::service::FitRecord;
use crate::submission::Terms;
use crate::tally::Tally;

/// The scripts that make the tables.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_learning.sql"),
    include_str!("migrations/0002_settings_and_sums.sql"),
    include_str!("migrations/0003_told.sql"),
    include_str!("migrations/0004_past.sql"),
    include_str!("migrations/0005_leases.sql"),
];

/// The store in a file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file to which [`MIGRATIONS`] were applied.
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }

    /// Releases the fittings of a process that went away, sums the logs that are from before there were sums, and tells of the cards that are from before they were told of. Work that was done stays done when it is stopped midway.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn upgrade(&self) -> Result<(), StoreError> {
        for owner in self.0.read(upgrade::owners).await? {
            let mut from = None;
            loop {
                let sum = move |connection: &Connection| upgrade::sum(connection, owner, from);
                from = self.0.write(sum).await?;
                if from.is_none() {
                    break;
                }
            }
        }
        while self.0.write(tell::tell_old).await? {}
        // The file is this process's alone: whoever was at a fitting is gone.
        let release = "UPDATE fit SET lease = 0 WHERE lease IS NOT NULL";
        self.0.write(|connection| Ok(connection.execute(release, [])?)).await?;
        Ok(())
    }
}

impl Store for SqliteStore {
    fn era(&self) -> i32 {
        self.0.era()
    }

    fn apply(&self, events: Vec<Event>) -> Answering<'_, ()> {
        Box::pin(self.0.write(move |connection| events::apply(connection, &events)))
    }

    fn person(&self, user: UserId) -> Answering<'_, Option<Person>> {
        Box::pin(self.0.read(move |connection| Ok(person(connection, user).optional()?)))
    }

    fn cards(&self, owner: UserId, ids: Vec<CardId>) -> Answering<'_, Vec<StoredCard>> {
        Box::pin(self.0.read(move |connection| cards(connection, owner, &ids)))
    }

    fn decks(&self, owner: UserId, ids: Vec<DeckId>, today: Day) -> Answering<'_, Vec<StoredDeck>> {
        Box::pin(self.0.read(move |connection| queries::decks(connection, owner, &ids, today)))
    }

    fn shelf(&self, owner: UserId) -> Answering<'_, Shelf> {
        Box::pin(self.0.read(move |connection| settings::shelf(connection, owner)))
    }

    fn put_settings(
        &self,
        owner: UserId,
        change: SettingsChange,
    ) -> Answering<'_, Changed<OwnSettings>> {
        Box::pin(self.0.write(move |connection| settings::put(connection, owner, &change)))
    }

    fn put_preset(
        &self,
        owner: UserId,
        preset: Preset,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<Preset>> {
        Box::pin(
            self.0.write(move |connection| {
                settings::put_preset(connection, owner, &preset, expected)
            }),
        )
    }

    fn delete_preset(
        &self,
        owner: UserId,
        id: PresetId,
        expected: Option<i64>,
    ) -> Answering<'_, Changed<()>> {
        Box::pin(
            self.0
                .write(move |connection| settings::delete_preset(connection, owner, id, expected)),
        )
    }

    fn queue(&self, owner: UserId, query: QueueQuery) -> Answering<'_, QueueCards> {
        Box::pin(self.0.read(move |connection| queries::queue(connection, owner, &query)))
    }

    fn submit(
        &self,
        owner: UserId,
        batch: Arc<[LogEntry]>,
        terms: Arc<Terms>,
    ) -> Answering<'_, Submitted> {
        Box::pin(self.0.write(move |connection| submit::submit(connection, owner, &batch, &terms)))
    }

    fn entries(&self, owner: UserId, ids: Vec<ReviewId>) -> Answering<'_, Vec<Logged>> {
        Box::pin(
            self.0.read(move |connection| submit::entries(connection, owner, ids.iter().copied())),
        )
    }

    fn answer_before(&self, owner: UserId, later: u32) -> Answering<'_, Option<AnswerKey>> {
        Box::pin(self.0.read(move |connection| queries::answer_before(connection, owner, later)))
    }

    fn changes(&self, owner: UserId, after: ChangeKey, limit: u32) -> Answering<'_, Changes> {
        Box::pin(self.0.read(move |connection| queries::changes(connection, owner, after, limit)))
    }

    fn tallies(
        &self,
        owner: UserId,
        decks: Option<Vec<DeckId>>,
        days: (Day, Day),
    ) -> Answering<'_, Vec<(Day, Tally)>> {
        Box::pin(
            self.0.read(move |connection| {
                queries::tallies(connection, owner, decks.as_deref(), days)
            }),
        )
    }

    fn forecast(
        &self,
        owner: UserId,
        decks: Vec<DeckId>,
        today: Day,
        last: Day,
    ) -> Answering<'_, BTreeMap<Day, u32>> {
        Box::pin(
            self.0
                .read(move |connection| queries::forecast(connection, owner, &decks, today, last)),
        )
    }

    fn samples(&self, owner: UserId) -> Answering<'_, Vec<Sample>> {
        Box::pin(self.0.read(move |connection| fit::samples(connection, owner)))
    }

    fn put_weights(&self, owner: UserId, weights: Weights) -> Answering<'_, ()> {
        Box::pin(self.0.write(move |connection| fit::put_weights(connection, owner, &weights)))
    }

    fn reschedule(
        &self,
        owner: UserId,
        model: Arc<Model>,
        from: Option<CardId>,
    ) -> Answering<'_, Option<CardId>> {
        Box::pin(self.0.write(move |connection| fit::reschedule(connection, owner, &model, from)))
    }

    fn logs(&self, owner: UserId, cards: Vec<CardId>) -> Answering<'_, CardLogs> {
        Box::pin(self.0.read(move |connection| {
            let logs = submit::logs(connection, owner, &cards)?;
            Ok((logs, submit::rulebook(connection, owner)?))
        }))
    }

    fn begin_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, FitRecord> {
        Box::pin(self.0.write(move |connection| fit::begin(connection, owner, fit, lease)))
    }

    fn keep_fit(&self, owner: UserId, fit: FitRecord, lease: Lease) -> Answering<'_, bool> {
        Box::pin(self.0.write(move |connection| fit::keep(connection, owner, &fit, lease)))
    }

    fn take_fit(&self, now: Timestamp, lease: Lease) -> Answering<'_, Option<(UserId, FitRecord)>> {
        let is_left = move |connection: &Connection| fit::is_left(connection, now);
        let take = move |connection: &Connection| fit::take(connection, now, lease);
        // It is asked for all the time, and there is hardly ever one.
        Box::pin(async move {
            if self.0.read(is_left).await? { self.0.write(take).await } else { Ok(None) }
        })
    }

    fn last_fit(&self, owner: UserId) -> Answering<'_, Option<FitRecord>> {
        Box::pin(self.0.read(move |connection| fit::last(connection, owner)))
    }

    fn reviews(
        &self,
        owner: UserId,
        cards: Vec<CardId>,
        page: PageRequest<AnswerKey>,
    ) -> Answering<'_, HashMap<CardId, Vec<Logged>>> {
        Box::pin(self.0.read(move |connection| queries::reviews(connection, owner, &cards, page)))
    }

    fn stats(
        &self,
        owner: UserId,
        asleep: Vec<DeckId>,
        today: Day,
        tomorrow: Timestamp,
    ) -> Answering<'_, Stats> {
        Box::pin(
            self.0.read(move |connection| {
                queries::stats(connection, owner, &asleep, today, tomorrow)
            }),
        )
    }

    fn has_archived(&self, owner: UserId) -> Answering<'_, bool> {
        Box::pin(self.0.read(move |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM deck WHERE owner = ?1 AND archived = 1 AND deleted = 0)";
            Ok(connection.prepare_cached(sql)?.query_row([owner], |row| row.get(0))?)
        }))
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

fn person(connection: &Connection, user: UserId) -> rusqlite::Result<Person> {
    let mut select = connection.prepare_cached(include_str!("sql/person.sql"))?;
    select.query_row([user], |row| {
        let weights: Vec<(i64, Vec<f32>)> = rows::json(row, 2)?;
        let weights = weights.into_iter().map(|(version, numbers)| Weights { version, numbers });
        Ok(Person {
            time_zone: row.get(0)?,
            rollover_hour: row.get(1)?,
            weights: weights.collect(),
        })
    })
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
