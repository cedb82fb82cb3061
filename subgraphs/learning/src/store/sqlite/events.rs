//! Taking in what other domains tell. Each statement applies only what is newer than the row it meets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::{Event, StoreError, UserId};
use rusqlite::{Connection, params};

use super::submit;

pub(super) fn apply(connection: &Connection, events: &[Event]) -> Result<(), StoreError> {
    // One number for all that is told of a person at once.
    let mut seqs: HashMap<UserId, i64> = HashMap::new();
    for event in events {
        match event {
            Event::User(user) => put_person(connection, user)?,
            Event::Deck(deck) => put_deck(connection, deck)?,
            Event::Card(card) => {
                let seq = match seqs.entry(card.owner) {
                    Entry::Occupied(seq) => *seq.get(),
                    Entry::Vacant(place) => {
                        *place.insert(submit::next_seq(connection, card.owner)?)
                    }
                };
                put_card(connection, card, seq)?;
            }
            // What learning tells itself.
            Event::Studied(_) => {}
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
    for table in [
        "review",
        "day_work",
        "tally",
        "session",
        "card",
        "deck",
        "deck_settings",
        "preset",
        "rules",
        "weights",
        "fit",
        "sync",
        "untold",
    ] {
        connection.execute(&format!("DELETE FROM {table} WHERE owner = ?1"), [owner])?;
    }
    Ok(())
}

fn put_deck(connection: &Connection, deck: &DeckChanged) -> Result<(), StoreError> {
    let DeckChanged { deck: id, owner, version, deleted, parent, archived } = deck;
    let changed = connection
        .prepare_cached(include_str!("sql/put_deck.sql"))?
        .execute(params![id, owner, version, deleted, parent, archived])?;
    if changed > 0 {
        let seq = submit::next_seq(connection, *owner)?;
        connection
            .prepare_cached(include_str!("sql/set_live.sql"))?
            .execute(params![id, deleted, seq])?;
    }
    Ok(())
}

fn put_card(connection: &Connection, card: &CardChanged, seq: i64) -> Result<(), StoreError> {
    let CardChanged { card: id, deck, owner, version, deleted, position, created_at, note, tags } =
        card;
    let created_at = created_at.as_millisecond();
    let tags = serde_json::to_string(tags).map_err(|error| StoreError::Other(error.into()))?;
    connection.prepare_cached(include_str!("sql/put_card.sql"))?.execute(params![
        id, owner, deck, version, deleted, position, created_at, note, tags, seq
    ])?;
    Ok(())
}
