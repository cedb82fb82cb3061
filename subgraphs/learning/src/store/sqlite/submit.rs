//! One batch of log entries in one transaction: read what it names, let [`crate::submission`] decide, write.

use std::collections::HashMap;
use std::sync::Arc;

use common::{CardId, DeckId, ReviewId, StoreError, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Submitted, cards, rows, tell};
use crate::entry::{LogEntry, Logged};
use crate::model::StoredCard;
use crate::scheduler::{CardState, Day, Rulebook, Rules, RulesId};
use crate::submission::{Known, Settlement, Terms, admit, named};
use crate::tell::studied;

pub(super) fn submit(
    connection: &Connection,
    owner: UserId,
    batch: &[LogEntry],
    terms: &Terms,
) -> Result<Submitted, StoreError> {
    let mut known = known(connection, owner, batch)?;
    let admission = admit(batch, &known);
    if admission.accepted.is_empty() {
        return Ok(Submitted { verdicts: admission.verdicts, cards: known.cards });
    }
    let replayed = admission.cards_to_replay(terms, &known);
    let (logs, rulebook) = if replayed.is_empty() {
        (HashMap::new(), Rulebook::default())
    } else {
        (logs(connection, owner, &replayed)?, rulebook(connection, owner)?)
    };
    let settled = admission
        .settle(terms, &known, logs, rulebook, &replayed)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    write(connection, owner, &settled)?;
    known.cards.extend(settled.cards.into_iter().map(|card| (card.id, card)));
    Ok(Submitted { verdicts: admission.verdicts, cards: known.cards })
}

fn known(connection: &Connection, owner: UserId, batch: &[LogEntry]) -> Result<Known, StoreError> {
    let ids: Vec<CardId> = batch.iter().map(|entry| entry.card).collect();
    let cards = cards(connection, owner, &ids)?;
    let entries = entries(connection, owner, named(batch))?;
    Ok(Known {
        entries: entries.into_iter().map(|logged| (logged.sent.id, logged)).collect(),
        cards: cards.into_iter().map(|card| (card.id, card)).collect(),
    })
}

pub(super) fn entries(
    connection: &Connection,
    owner: UserId,
    ids: impl Iterator<Item = ReviewId>,
) -> Result<Vec<Logged>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/entries_by_id.sql"))?;
    let ids = rows::id_list(ids.map(ReviewId::uuid));
    rows::all(select.query_map(params![owner, ids], rows::logged)?)
}

pub(super) fn logs(
    connection: &Connection,
    owner: UserId,
    cards: &[CardId],
) -> Result<HashMap<CardId, Vec<Logged>>, StoreError> {
    let mut logs: HashMap<CardId, Vec<Logged>> = HashMap::new();
    let mut select = connection.prepare_cached(include_str!("sql/logs.sql"))?;
    let cards = rows::id_list(cards.iter().map(|id| id.uuid()));
    for logged in select.query_map(params![owner, cards], rows::logged)? {
        let logged = logged?;
        logs.entry(logged.sent.card).or_default().push(logged);
    }
    Ok(logs)
}

pub(super) fn rulebook(connection: &Connection, owner: UserId) -> Result<Rulebook, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/rules.sql"))?;
    let rules = select.query_map([owner], |row| {
        Ok((RulesId(row.get(0)?), Arc::new(rows::json::<Rules>(row, 1)?)))
    })?;
    Ok(Rulebook(rules.collect::<rusqlite::Result<_>>()?))
}

/// The number of a change of the owner's; 0 when the account is gone.
pub(super) fn next_seq(connection: &Connection, owner: UserId) -> Result<i64, StoreError> {
    let mut next = connection.prepare_cached(include_str!("sql/next_seq.sql"))?;
    Ok(next.query_row([owner], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Writes what was settled.
pub(super) fn write(
    connection: &Connection,
    owner: UserId,
    settled: &Settlement,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(include_str!("sql/put_review.sql"))?;
    for Logged { sent, deck, rules, phase } in &settled.entries {
        let (kind, rating, value, target) = rows::action_columns(sent.action);
        put.execute(params![
            owner,
            sent.id,
            sent.card,
            kind,
            rating,
            value,
            target,
            sent.at.as_millisecond(),
            sent.received_at.as_millisecond(),
            sent.duration_ms,
            sent.time_zone,
            sent.session,
            sent.day.0,
            sent.hour,
            deck,
            rules.0,
            phase.number(),
        ])?;
    }
    let mut set = connection.prepare_cached(include_str!("sql/set_phase.sql"))?;
    for (id, phase) in &settled.recounted {
        set.execute(params![owner, id, phase.number()])?;
    }
    for (id, rules) in &settled.rules {
        if *id != RulesId::ORIGINAL {
            let body = json(&**rules)?;
            let mut put = connection.prepare_cached(include_str!("sql/put_rules.sql"))?;
            put.execute(params![owner, id.0, body])?;
        }
    }
    for key in settled.tallies.keys() {
        put_tally(connection, owner, key, settled)?;
    }
    let seq = next_seq(connection, owner)?;
    for card in &settled.cards {
        put_progress(connection, card, seq)?;
    }
    // The account is gone where there is no number.
    if seq > 0 && !settled.cards.is_empty() {
        tell::keep(connection, &studied(owner, &settled.cards, seq))?;
    }
    Ok(())
}

fn put_tally(
    connection: &Connection,
    owner: UserId,
    (day, deck): (Day, DeckId),
    settled: &Settlement,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/tally.sql"))?;
    let before =
        select.query_row(params![owner, day.0, deck], |row| rows::tally(row, 0)).optional()?;
    let after = settled.tallies.after((day, deck), before.unwrap_or_default());
    let numbers = after.to_bytes();
    connection.prepare_cached(include_str!("sql/put_tally.sql"))?.execute(params![
        owner,
        day.0,
        deck,
        after.reviews(),
        after.duration_ms,
        numbers
    ])?;
    Ok(())
}

/// A value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(error.into()))
}

fn put_progress(connection: &Connection, card: &StoredCard, seq: i64) -> Result<(), StoreError> {
    let progress = &card.progress;
    let memory = progress.memory.as_ref();
    let (due_at, due_day) = memory.map_or((None, None), |memory| rows::due_columns(memory.due));
    let state = memory.map_or(CardState::New, |memory| memory.state);
    let answered = progress.answered.map(|at| at.map(jiff::Timestamp::as_millisecond));
    connection.prepare_cached(include_str!("sql/put_progress.sql"))?.execute(params![
        card.id,
        card.model,
        card.weights,
        state.number(),
        memory.map(|memory| memory.step),
        due_at,
        due_day,
        memory.map(|memory| memory.stability),
        memory.map(|memory| memory.difficulty),
        memory.map(|memory| memory.half_life.0),
        memory.map(|memory| memory.reps),
        memory.map(|memory| memory.lapses),
        memory.map(|memory| memory.leech),
        memory.map(|memory| memory.last.0.as_millisecond()),
        memory.map(|memory| memory.last.1),
        memory.map(|memory| memory.last_day.0),
        progress.suspended,
        progress.buried_until.map(|day| day.0),
        progress.flag,
        progress.last.map(|(at, _)| at.as_millisecond()),
        progress.last.map(|(_, id)| id),
        seq,
        answered[0],
        answered[1],
        answered[2],
        answered[3],
    ])?;
    Ok(())
}
