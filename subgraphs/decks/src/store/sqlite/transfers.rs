//! Imports and exports in a SQLite file.

use common::{StoreError, TransferId, UserId};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::rows::{blob, time};
use super::write::exactly_one;
use crate::model::{Direction, Item, Transfer, TransferState};
use crate::store::transfers::{TransferStore, from_json, to_json};
use crate::store::{Commit, Reply, outcome};

const COLUMNS: &str = "id, owner_id, direction, state, created_at, updated_at, expires_at, claimed_until, revision, body";

impl TransferStore for SqliteStore {
    fn put_transfer(&self, transfer: Transfer) -> Reply<'_, Commit> {
        Box::pin(async move {
            outcome(self.0.write(move |connection| put(connection, &transfer)).await)
        })
    }

    fn transfer(&self, id: TransferId) -> Reply<'_, Option<Transfer>> {
        let sql = format!("SELECT {COLUMNS} FROM transfer WHERE id = ?1");
        let rows = self.rows(sql, vec![blob(id.uuid())], read);
        Box::pin(async move { Ok(rows.await?.pop()) })
    }

    fn transfers(&self, owner: UserId, direction: Option<Direction>) -> Reply<'_, Vec<Transfer>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transfer WHERE owner_id = ?1 AND (?2 IS NULL OR direction = ?2) ORDER BY created_at DESC, id DESC"
        );
        let direction = direction.map_or(Value::Null, |direction| Value::from(direction.number()));
        self.rows(sql, vec![blob(owner.uuid()), direction], read)
    }

    fn waiting_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transfer WHERE work = 1 AND (claimed_until IS NULL OR claimed_until <= ?1) ORDER BY created_at, id LIMIT ?2"
        );
        self.rows(sql, vec![Value::from(now.as_millisecond()), Value::from(limit)], read)
    }

    fn expired_transfers(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Transfer>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transfer WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2"
        );
        self.rows(sql, vec![Value::from(now.as_millisecond()), Value::from(limit)], read)
    }

    fn delete_transfer(&self, id: TransferId) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            delete_parts(connection, id)?;
            connection.prepare_cached("DELETE FROM transfer WHERE id = ?1")?.execute([id])?;
            Ok(())
        }))
    }

    fn put_part(&self, transfer: Transfer, number: u32, bytes: Vec<u8>) -> Reply<'_, Commit> {
        Box::pin(async move {
            let write = self.0.write(move |connection| {
                put(connection, &transfer)?;
                let sql =
                    "INSERT INTO transfer_part (transfer_id, number, bytes) VALUES (?1, ?2, ?3)";
                connection.prepare_cached(sql)?.execute(params![transfer.id, number, bytes])?;
                Ok(())
            });
            outcome(write.await)
        })
    }

    fn part(&self, id: TransferId, number: u32) -> Reply<'_, Option<Vec<u8>>> {
        Box::pin(self.0.read(move |connection| {
            let sql = "SELECT bytes FROM transfer_part WHERE transfer_id = ?1 AND number = ?2";
            let mut select = connection.prepare_cached(sql)?;
            Ok(select.query_row(params![id, number], |row| row.get(0)).optional()?)
        }))
    }

    fn delete_parts(&self, id: TransferId) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| delete_parts(connection, id)))
    }

    fn items(&self, id: TransferId, limit: u32) -> Reply<'_, Vec<(i64, Item)>> {
        let sql = "SELECT number, body FROM transfer_item WHERE transfer_id = ?1 ORDER BY number LIMIT ?2";
        let rows = self.rows(sql, vec![blob(id.uuid()), Value::from(limit)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        });
        Box::pin(async move {
            let item = |(number, body): (i64, String)| Ok((number, from_json(&body)?));
            rows.await?.into_iter().map(item).collect()
        })
    }
}

pub(super) fn put(connection: &Connection, transfer: &Transfer) -> Result<(), StoreError> {
    let values = params![
        transfer.id,
        transfer.owner,
        transfer.direction.number(),
        transfer.state.number(),
        transfer.state.is_work(),
        transfer.created_at.as_millisecond(),
        transfer.updated_at.as_millisecond(),
        transfer.expires_at.as_millisecond(),
        transfer.claimed_until.map(Timestamp::as_millisecond),
        transfer.revision,
        to_json(&transfer.body)?,
    ];
    let sql = if transfer.revision == 0 {
        include_str!("sql/insert_transfer.sql")
    } else {
        include_str!("sql/update_transfer.sql")
    };
    exactly_one(connection, sql, values)
}

pub(super) fn put_items(
    connection: &Connection,
    id: TransferId,
    items: &[Item],
) -> Result<(), StoreError> {
    for item in items {
        let sql = "INSERT INTO transfer_item (transfer_id, body) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![id, to_json(item)?])?;
    }
    Ok(())
}

fn delete_parts(connection: &Connection, id: TransferId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM transfer_part WHERE transfer_id = ?1",
        "DELETE FROM transfer_item WHERE transfer_id = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Transfer> {
    let number = |index: usize| row.get::<_, i64>(index);
    let out_of_range = |index: usize| {
        Ok::<_, rusqlite::Error>(rusqlite::Error::IntegralValueOutOfRange(index, number(index)?))
    };
    let Some(direction) = Direction::of_number(number(2)?) else { return Err(out_of_range(2)?) };
    let Some(state) = TransferState::of_number(number(3)?) else { return Err(out_of_range(3)?) };
    let claimed_until = match row.get::<_, Option<i64>>(7)? {
        Some(_) => Some(time(row, 7)?),
        None => None,
    };
    Ok(Transfer {
        id: row.get(0)?,
        owner: row.get(1)?,
        direction,
        state,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
        expires_at: time(row, 6)?,
        claimed_until,
        revision: row.get(8)?,
        body: super::rows::json(row, 9)?,
    })
}
