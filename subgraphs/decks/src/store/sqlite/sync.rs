//! The numbers of changes, and what changed since one.

use common::{StoreError, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{ChangeKey, Kind};

/// Beyond every id.
const BEYOND: [u8; 17] = [0xff; 17];

/// The number of a new change of a person's.
pub(super) fn next(connection: &Connection, owner: UserId) -> Result<i64, StoreError> {
    let sql = "INSERT INTO sync (owner_id, change) VALUES (?1, 1)
        ON CONFLICT (owner_id) DO UPDATE SET change = change + 1 RETURNING change";
    Ok(connection.prepare_cached(sql)?.query_row([owner], |row| row.get(0))?)
}

/// The rows in the order of their changes beyond a place, and the number of the last change there is.
pub(super) fn changes(
    connection: &Connection,
    owner: UserId,
    after: ChangeKey,
    limit: u32,
) -> Result<(Vec<ChangeKey>, i64), StoreError> {
    // First, so that it is not beyond what the rows are read of.
    let last = connection
        .prepare_cached("SELECT change FROM sync WHERE owner_id = ?1")?
        .query_row([owner], |row| row.get(0))
        .optional()?;
    let id = after.id.into_bytes();
    let bound = |kind: Kind| match kind.cmp(&after.kind) {
        std::cmp::Ordering::Less => &BEYOND[..],
        std::cmp::Ordering::Equal => &id[..],
        std::cmp::Ordering::Greater => &[],
    };
    let mut select = connection.prepare_cached(include_str!("sql/changes.sql"))?;
    let [decks, notes, cards] = Kind::ALL.map(bound);
    let values = params![owner, after.change, decks, notes, cards, limit];
    let keys = select.query_map(values, |row| {
        let kind = match row.get(1)? {
            0 => Kind::Deck,
            1 => Kind::Note,
            _ => Kind::Card,
        };
        Ok(ChangeKey { change: row.get(0)?, kind, id: uuid::Uuid::from_bytes(row.get(2)?) })
    })?;
    Ok((keys.collect::<rusqlite::Result<_>>()?, last.unwrap_or(0)))
}
