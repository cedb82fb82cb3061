//! Events that wait for delivery, and those about cards and persons from before learning told other domains of them.

use common::event::{CardsStudied, UserChanged};
use common::outbox::OutboxStore;
use common::{CardId, Event, EventId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{SqliteStore, rows, submit};
use crate::entry::answered;
use crate::store::EVENTS;
use crate::tell::told;

/// How many cards from before are told of in one transaction.
const CARDS: u32 = 500;

/// Keeps an event for delivery.
pub(super) fn keep(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT INTO outbox (id, event) VALUES (?1, ?2)")?;
    insert.execute(params![EventId::new(), submit::json(event)?])?;
    Ok(())
}

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(self.0.read(move |connection| {
            let sql = "SELECT id, event FROM outbox ORDER BY id LIMIT ?1";
            let mut select = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let events = select.query_map([limit], |row| Ok((row.get(0)?, rows::json(row, 1)?)))?;
            rows::all(events)
        }))
    }

    fn batch(&self) -> usize {
        EVENTS
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.0.write_unflushed(move |connection| {
            let sql = "DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
            let ids = rows::id_list(events.into_iter().map(EventId::uuid));
            connection.prepare_cached(sql)?.execute([ids])?;
            Ok(())
        }))
    }
}

/// Tells of one of the persons, and some of the cards, that are from before they were told of. Answers whether there may be more.
pub(super) fn tell_old(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT owner, after FROM untold ORDER BY owner LIMIT 1";
    let next = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let next = connection.prepare_cached(sql)?.query_row([], next).optional()?;
    let Some((owner, after)): Option<(UserId, Option<CardId>)> = next else { return Ok(false) };
    if after.is_none() {
        person(connection, owner)?.iter().try_for_each(|event| keep(connection, event))?;
    }
    let mut select = connection.prepare_cached(include_str!("sql/cards_with_logs.sql"))?;
    let cards = select.query_map(params![owner, after, CARDS], |row| {
        Ok((rows::card(row)?, row.get::<_, i64>(26)?))
    })?;
    let mut cards = rows::all(cards)?;
    let ids: Vec<CardId> = cards.iter().map(|(card, _)| card.id).collect();
    let Some(last) = ids.last() else {
        connection.execute("DELETE FROM untold WHERE owner = ?1", [owner])?;
        return Ok(true);
    };
    let logs = submit::logs(connection, owner, &ids)?;
    for (card, _) in &mut cards {
        card.progress.answered = answered(logs.get(&card.id).into_iter().flatten());
        let [again, hard, good, easy] =
            card.progress.answered.map(|at| at.map(Timestamp::as_millisecond));
        connection
            .prepare_cached(
                "UPDATE card SET answered_again = ?2, answered_hard = ?3, answered_good = ?4, answered_easy = ?5 WHERE id = ?1",
            )?
            .execute(params![card.id, again, hard, good, easy])?;
    }
    let cards = cards.iter().map(|(card, seq)| told(card, *seq)).collect();
    keep(connection, &Event::Studied(CardsStudied { owner, cards }))?;
    connection.execute("UPDATE untold SET after = ?2 WHERE owner = ?1", params![owner, last])?;
    Ok(true)
}

/// What was heard of a person: it is passed on to those who did not listen then.
fn person(connection: &Connection, owner: UserId) -> Result<Option<Event>, StoreError> {
    let sql = "SELECT version, time_zone, rollover_hour FROM person WHERE id = ?1 AND deleted = 0";
    let person = connection.prepare_cached(sql)?.query_row([owner], |row| {
        Ok(Event::User(UserChanged {
            user: owner,
            version: row.get(0)?,
            deleted: false,
            time_zone: row.get(1)?,
            rollover_hour: row.get(2)?,
        }))
    });
    Ok(person.optional()?)
}
