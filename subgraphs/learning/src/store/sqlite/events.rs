//! Taking in what other domains tell. Each statement applies only what is newer than the row it meets.

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::{Event, StoreError, UserId};
use rusqlite::{Connection, params};

pub(super) fn apply(connection: &Connection, events: &[Event]) -> Result<(), StoreError> {
    for event in events {
        match event {
            Event::User(user) => put_person(connection, user)?,
            Event::Deck(deck) => put_deck(connection, deck)?,
            Event::Card(card) => put_card(connection, card)?,
        }
    }
    Ok(())
}

fn put_person(connection: &Connection, user: &UserChanged) -> Result<(), StoreError> {
    let UserChanged { user: id, version, deleted, time_zone, rollover_hour } = user;
    let changed = connection
        .prepare_cached(include_str!("sql/put_person.sql"))?
        .execute(params![id, version, deleted, time_zone, rollover_hour])?;
    if changed > 0 && *deleted {
        forget(connection, *id)?;
    }
    Ok(())
}

/// Removes everything of a person but the tombstone.
fn forget(connection: &Connection, owner: UserId) -> Result<(), StoreError> {
    for table in ["review", "day_work", "session", "card", "deck"] {
        connection.execute(&format!("DELETE FROM {table} WHERE owner = ?1"), [owner])?;
    }
    Ok(())
}

fn put_deck(connection: &Connection, deck: &DeckChanged) -> Result<(), StoreError> {
    let DeckChanged { deck: id, owner, version, deleted, parent: _ } = deck;
    let changed = connection
        .prepare_cached(include_str!("sql/put_deck.sql"))?
        .execute(params![id, owner, version, deleted])?;
    if changed > 0 {
        connection
            .prepare_cached(include_str!("sql/set_live.sql"))?
            .execute(params![id, deleted])?;
    }
    Ok(())
}

fn put_card(connection: &Connection, card: &CardChanged) -> Result<(), StoreError> {
    let CardChanged { card: id, deck, owner, version, deleted, position, created_at, .. } = card;
    let created_at = created_at.as_millisecond();
    connection
        .prepare_cached(include_str!("sql/put_card.sql"))?
        .execute(params![id, owner, deck, version, deleted, position, created_at])?;
    Ok(())
}
