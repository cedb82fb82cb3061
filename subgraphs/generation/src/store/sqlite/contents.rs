//! Contents in the SQLite file, and what the service is to delete.

use common::page::{Direction, PageRequest};
use common::{ContentId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, Params, params};
use uuid::Uuid;

use super::SqliteStore;
use crate::model::{Content, Status};
use crate::store::contents::{Added, ContentStore, Most, Removal, What, read, written};
use crate::store::{Reply, moment};

const NEWEST: &str = "SELECT body FROM content WHERE owner = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3";
const OLDEST: &str =
    "SELECT body FROM content WHERE owner = ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3";
const UNFINISHED: &str = "SELECT body FROM content WHERE unfinished = 1 ORDER BY id LIMIT ?1";
const INSERT: &str =
    "INSERT INTO content (id, owner, version, unfinished, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const REPLACE: &str = "UPDATE content SET version = ?2, unfinished = ?3, body = ?4 WHERE id = ?1 AND version = ?2 - 1";

impl ContentStore for SqliteStore {
    fn insert_content(&self, content: Content, most: Most) -> Reply<'_, Added> {
        Box::pin(self.0.write(move |connection| {
            let Content { id, owner, version, .. } = content;
            if connection.prepare_cached("SELECT 1 FROM owner WHERE id = ?1")?.exists([owner])? {
                return Ok(Added::Gone);
            }
            let counts =
                "SELECT count(*), coalesce(sum(unfinished), 0) FROM content WHERE owner = ?1";
            let (kept, unfinished): (u32, u32) = connection
                .prepare_cached(counts)?
                .query_row([owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let admitted = most.admits(kept.into(), unfinished.into());
            if admitted != Added::New {
                return Ok(admitted);
            }
            let values = params![id, owner, version, is_unfinished(&content), written(&content)?];
            connection.prepare_cached(INSERT)?.execute(values)?;
            Ok(Added::New)
        }))
    }

    fn contents(&self, ids: Vec<ContentId>) -> Reply<'_, Vec<Content>> {
        Box::pin(self.0.read(move |connection| {
            let mut contents = Vec::with_capacity(ids.len());
            for id in ids {
                contents.extend(bodies(
                    connection,
                    "SELECT body FROM content WHERE id = ?1",
                    [id],
                )?);
            }
            Ok(contents)
        }))
    }

    fn content_page(&self, owner: UserId, page: PageRequest<ContentId>) -> Reply<'_, Vec<Content>> {
        Box::pin(self.0.read(move |connection| {
            let sql = match page.direction {
                Direction::Forward => NEWEST,
                Direction::Backward => OLDEST,
            };
            bodies(connection, sql, params![owner, page.cursor, page.limit + 1])
        }))
    }

    fn replace_content(&self, content: Content) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let Content { id, version, .. } = content;
            let values = params![id, version, is_unfinished(&content), written(&content)?];
            Ok(connection.prepare_cached(REPLACE)?.execute(values)? == 1)
        }))
    }

    fn remove_content(&self, content: Content, now: Timestamp) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let sql = "DELETE FROM content WHERE id = ?1 AND version = ?2";
            let values = params![content.id, content.version];
            if connection.prepare_cached(sql)?.execute(values)? != 1 {
                return Ok(false);
            }
            if let Some(remote) = content.remote {
                put_removal(connection, &Removal::of(content.owner, remote, now))?;
            }
            Ok(true)
        }))
    }

    fn unfinished_contents(&self, limit: u32) -> Reply<'_, Vec<Content>> {
        Box::pin(self.0.read(move |connection| bodies(connection, UNFINISHED, [limit])))
    }

    fn insert_removal(&self, removal: Removal) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| put_removal(connection, &removal)))
    }

    fn removals(&self, now: Timestamp, limit: u32) -> Reply<'_, Vec<Removal>> {
        Box::pin(self.0.read(move |connection| {
            let sql =
                "SELECT id, owner, due, remote, source, since FROM removal WHERE due <= ?1 ORDER BY due LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query(params![now.as_millisecond(), limit])?;
            let mut removals = Vec::new();
            while let Some(row) = rows.next()? {
                let id: [u8; 16] = row.get(0)?;
                removals.push(Removal {
                    id: Uuid::from_bytes(id),
                    owner: row.get(1)?,
                    due: moment(row.get(2)?)?,
                    what: What::of((row.get(3)?, row.get(4)?, row.get(5)?))?,
                });
            }
            Ok(removals)
        }))
    }

    fn removed(&self, removal: Uuid) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.execute("DELETE FROM removal WHERE id = ?1", [removal.as_bytes()])?;
            Ok(())
        }))
    }
}

/// Deletes what is kept of a person's contents; the service is to delete all it has of them.
pub(super) fn forget(
    connection: &Connection,
    owner: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute("DELETE FROM content WHERE owner = ?1", [owner])?;
    connection.execute("DELETE FROM removal WHERE owner = ?1", [owner])?;
    Removal::of_all(owner, now).iter().try_for_each(|removal| put_removal(connection, removal))
}

fn put_removal(connection: &Connection, removal: &Removal) -> Result<(), StoreError> {
    let sql = "INSERT INTO removal (id, owner, due, remote, source, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Removal { id, owner, what, due } = removal;
    let (remote, source, since) = what.clone().columns();
    let values = params![id.as_bytes(), owner, due.as_millisecond(), remote, source, since];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn is_unfinished(content: &Content) -> bool {
    content.status == Status::Processing
}

fn bodies(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Vec<Content>, StoreError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(values)?;
    let mut contents = Vec::new();
    while let Some(row) = rows.next()? {
        contents.push(read(row.get_ref(0)?.as_str().map_err(|e| StoreError::Other(e.into()))?)?);
    }
    Ok(contents)
}
