//! What fitting weights reads and keeps.

use std::collections::HashMap;

use common::{CardId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Lease, rows, submit};
use crate::fit::Sample;
use crate::model::{StoredCard, Weights};
use crate::scheduler::{Day, Model, Phase, Rating};
use crate::service::FitRecord;
use crate::submission::Settlement;

/// How many cards are rescheduled in one transaction.
const CARDS: u32 = 500;

pub(super) fn samples(connection: &Connection, owner: UserId) -> Result<Vec<Sample>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/samples.sql"))?;
    let samples = select.query_map([owner], |row| {
        let (at, rating): (i64, u8) = (row.get(1)?, row.get(3)?);
        let out_of_range = |_| rusqlite::Error::IntegralValueOutOfRange(1, at);
        Ok(Sample {
            card: row.get(0)?,
            at: Timestamp::from_millisecond(at).map_err(out_of_range)?,
            day: Day(row.get(2)?),
            rating: Rating::from_number(rating)
                .ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(3, rating.into()))?,
            is_first: Phase::from_number(row.get(4)?) == Phase::New,
        })
    })?;
    rows::all(samples)
}

pub(super) fn put_weights(
    connection: &Connection,
    owner: UserId,
    weights: &Weights,
) -> Result<(), StoreError> {
    // Nothing of a deleted account comes back.
    connection.execute(
        "INSERT INTO weights (owner, version, numbers)
         SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?1 AND deleted = 1)
         ON CONFLICT (owner, version) DO UPDATE SET numbers = excluded.numbers",
        params![owner, weights.version, submit::json(&weights.numbers)?],
    )?;
    Ok(())
}

pub(super) fn reschedule(
    connection: &Connection,
    owner: UserId,
    model: &Model,
    from: Option<CardId>,
) -> Result<Option<CardId>, StoreError> {
    let mut select = connection.prepare_cached(include_str!("sql/cards_with_logs.sql"))?;
    let cards = rows::all(select.query_map(params![owner, from, CARDS], rows::card)?)?;
    let Some(last) = cards.last().map(|card| card.id) else { return Ok(None) };
    let ids: Vec<CardId> = cards.iter().map(|card| card.id).collect();
    let cards: HashMap<CardId, StoredCard> =
        cards.into_iter().map(|card| (card.id, card)).collect();
    let logs = submit::logs(connection, owner, &ids)?;
    let rulebook = submit::rulebook(connection, owner)?;
    let settled = Settlement::of_replay(model, &rulebook, logs, &cards)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    submit::write(connection, owner, &settled)?;
    Ok(Some(last))
}

pub(super) fn begin(
    connection: &Connection,
    owner: UserId,
    fit: FitRecord,
    lease: Lease,
) -> Result<FitRecord, StoreError> {
    let sql = "SELECT body FROM fit WHERE owner = ?1 AND lease IS NOT NULL LIMIT 1";
    let under_way = connection.prepare_cached(sql)?.query_row([owner], |row| rows::json(row, 0));
    if let Some(under_way) = under_way.optional()? {
        return Ok(under_way);
    }
    // Nothing of a deleted account comes back.
    connection.execute(
        "INSERT INTO fit (owner, id, started_at, body, worker, lease)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?1 AND deleted = 1)",
        params![
            owner,
            fit.id,
            fit.started_at.as_millisecond(),
            submit::json(&fit)?,
            lease.worker.as_bytes(),
            lease.until.as_millisecond()
        ],
    )?;
    Ok(fit)
}

pub(super) fn keep(
    connection: &Connection,
    owner: UserId,
    fit: &FitRecord,
    lease: Lease,
) -> Result<bool, StoreError> {
    let until = fit.is_under_way().then(|| lease.until.as_millisecond());
    let kept = connection.execute(
        "UPDATE fit SET body = ?4, lease = ?5 WHERE owner = ?1 AND id = ?2 AND worker = ?3 AND lease IS NOT NULL",
        params![owner, fit.id, lease.worker.as_bytes(), submit::json(fit)?, until],
    )?;
    Ok(kept == 1)
}

pub(super) fn is_left(connection: &Connection, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM fit WHERE lease <= ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([now.as_millisecond()], |row| row.get(0))?)
}

pub(super) fn take(
    connection: &Connection,
    now: Timestamp,
    lease: Lease,
) -> Result<Option<(UserId, FitRecord)>, StoreError> {
    let sql = "SELECT owner, body FROM fit WHERE lease <= ?1 ORDER BY lease LIMIT 1";
    let left = connection.prepare_cached(sql)?.query_row([now.as_millisecond()], |row| {
        Ok((row.get::<_, UserId>(0)?, rows::json::<FitRecord>(row, 1)?))
    });
    let Some((owner, fit)) = left.optional()? else { return Ok(None) };
    connection.execute(
        "UPDATE fit SET worker = ?3, lease = ?4 WHERE owner = ?1 AND id = ?2",
        params![owner, fit.id, lease.worker.as_bytes(), lease.until.as_millisecond()],
    )?;
    Ok(Some((owner, fit)))
}

pub(super) fn last(
    connection: &Connection,
    owner: UserId,
) -> Result<Option<FitRecord>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM fit WHERE owner = ?1 ORDER BY started_at DESC, id DESC LIMIT 1",
    )?;
    Ok(select.query_row([owner], |row| rows::json(row, 0)).optional()?)
}
