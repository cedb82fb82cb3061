//! The log of security events in a SQLite file.

use common::page::{Page, PageRequest};
use common::{SecurityEventId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{SqliteStore, address, client, corrupt, page_clauses, time};
use crate::model::SecurityEvent;
use crate::store::{Answer, AuditStore};

const COLUMNS: &str = "id, user_id, actor_id, kind, at, address, user_agent, detail";

impl AuditStore for SqliteStore {
    fn insert_security_event(&self, event: SecurityEvent) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            let sql = format!(
                "INSERT INTO security_event ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            );
            connection.prepare_cached(&sql)?.execute(params![
                event.id,
                event.user,
                event.actor,
                event.kind.as_str(),
                event.at.as_millisecond(),
                address(&event.client),
                event.client.user_agent.as_deref(),
                event.detail,
            ])?;
            Ok(())
        }))
    }

    fn security_event_page(
        &self,
        user: Option<UserId>,
        page: PageRequest<SecurityEventId>,
    ) -> Answer<'_, Page<SecurityEvent>> {
        Box::pin(self.0.read(move |connection| {
            let of = if user.is_some() { "user_id = ?1" } else { "?1 IS NULL" };
            let clauses = page_clauses(&page, true);
            let sql = format!("SELECT {COLUMNS} FROM security_event WHERE {of} AND {clauses}");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![user, page.cursor, page.limit + 1])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(event(row)?);
            }
            Ok(Page::from_overfull(&page, events))
        }))
    }

    fn purge_security_events(&self, before: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM security_event WHERE at < ?1")?
                .execute([before.as_millisecond()])?;
            Ok(())
        }))
    }
}

fn event(row: &Row<'_>) -> Result<SecurityEvent, StoreError> {
    Ok(SecurityEvent {
        id: row.get("id")?,
        user: row.get("user_id")?,
        actor: row.get("actor_id")?,
        kind: row.get::<_, String>("kind")?.parse().map_err(corrupt)?,
        at: time(row, "at")?,
        client: client(row)?,
        detail: row.get("detail")?,
    })
}
