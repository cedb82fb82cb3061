//! Sums the logs of owners whose reviews are from before there were sums, once. Until then they have rows in `day_work`.

use std::collections::HashMap;

use common::{CardId, DeckId, StoreError, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{rows, submit};
use crate::entry::Logged;
use crate::model::Person;
use crate::scheduler::Model;
use crate::submission::Settlement;

/// How many cards are summed in one transaction.
const CARDS: u32 = 500;

/// The owners whose logs are to be summed.
pub(super) fn owners(connection: &Connection) -> Result<Vec<UserId>, StoreError> {
    let mut select = connection.prepare("SELECT DISTINCT owner FROM day_work")?;
    rows::all(select.query_map([], |row| row.get(0))?)
}

/// Sums the logs of some of the owner's cards after `from`. Gives the last of them, `None` when all are done.
pub(super) fn sum(
    connection: &Connection,
    owner: UserId,
    from: Option<CardId>,
) -> Result<Option<CardId>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/cards_with_logs.sql"))?;
    let cards = rows::all(select.query_map(params![owner, from, CARDS], rows::card)?)?;
    let Some(last) = cards.last() else {
        connection.execute("DELETE FROM day_work WHERE owner = ?1", [owner])?;
        return Ok(None);
    };
    let calendar =
        super::person(connection, owner).optional()?.map(|person: Person| person.calendar());
    let calendar = calendar.unwrap_or_default();
    let ids: Vec<CardId> = cards.iter().map(|card| card.id).collect();
    let decks: HashMap<CardId, DeckId> = cards.iter().map(|card| (card.id, card.deck)).collect();
    let mut logs = submit::logs(connection, owner, &ids)?;
    let unsummed = |logged: &&mut Logged| logged.deck.uuid().is_nil();
    for logged in logs.values_mut().flatten().filter(unsummed) {
        let elsewhere = logged.sent.time_zone.as_deref().map(|zone| calendar.in_time_zone(zone));
        let elsewhere = elsewhere.and_then(Result::ok);
        logged.sent.hour = elsewhere.as_ref().unwrap_or(&calendar).hour_of(logged.sent.at);
        logged.deck = decks.get(&logged.sent.card).copied().unwrap_or(logged.deck);
    }
    let failed = |error: crate::scheduler::ModelError| StoreError::Corrupt(error.to_string());
    let model = Model::average().map_err(failed)?;
    let rulebook = submit::rulebook(connection, owner)?;
    let mut note = connection.prepare_cached(include_str!("sql/recount.sql"))?;
    for logged in logs.values().flatten() {
        note.execute(params![
            owner,
            logged.sent.id,
            logged.deck,
            logged.sent.hour,
            logged.phase.number()
        ])?;
    }
    // The states stay as they are: only what counts where is new.
    let mut settled =
        Settlement::of_replay(&model, &rulebook, logs, &HashMap::new()).map_err(failed)?;
    settled.cards.clear();
    submit::write(connection, owner, &settled)?;
    Ok(Some(last.id))
}
