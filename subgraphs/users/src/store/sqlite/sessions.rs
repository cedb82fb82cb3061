//! Sessions in a SQLite file.

use common::{SessionId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{SqliteStore, address, client, optional_time, time};
use crate::model::{Seed, Session, TokenHash};
use crate::store::{Answer, SessionStore, Sessions};

impl SessionStore for SqliteStore {
    fn insert_session(&self, session: Session) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached(include_str!("../sql/forget_expired.sql"))?
                .execute([session.created_at.as_millisecond()])?;
            connection.prepare_cached(include_str!("../sql/insert_session.sql"))?.execute(
                params![
                    session.id,
                    session.user,
                    session.family.0,
                    session.token.0,
                    session.created_at.as_millisecond(),
                    session.refreshed_at.as_millisecond(),
                    session.expires_at.as_millisecond(),
                    session.revoked_at.map(Timestamp::as_millisecond),
                    address(&session.client),
                    session.client.user_agent.as_deref(),
                    session.seed.0,
                ],
            )?;
            Ok(())
        }))
    }

    fn session_by_family(&self, family: TokenHash) -> Answer<'_, Option<Session>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("../sql/session_by_family.sql"))?;
            let mut rows = statement.query([family.0])?;
            rows.next()?.map(session).transpose()
        }))
    }

    fn rotate(&self, session: Session, old: TokenHash) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let rotated =
                connection.prepare_cached(include_str!("../sql/rotate.sql"))?.execute(params![
                    session.id,
                    old.0,
                    session.token.0,
                    session.refreshed_at.as_millisecond(),
                    session.expires_at.as_millisecond(),
                    address(&session.client),
                    session.client.user_agent.as_deref(),
                    session.seed.0,
                ])?;
            Ok(rotated > 0)
        }))
    }

    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>> {
        let one = include_str!("../sql/end_session.sql");
        let all = include_str!("../sql/end_sessions_of.sql");
        let (sql, of, besides) = match which {
            Sessions::One(session) => (one, session.uuid(), None),
            Sessions::OneOf(user, session) => (one, session.uuid(), Some(user.uuid())),
            Sessions::Of(user) => (all, user.uuid(), None),
            Sessions::OthersOf(user, session) => (all, user.uuid(), Some(session.uuid())),
        };
        Box::pin(self.0.write(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let (of, besides) = (of.as_bytes(), besides.as_ref().map(Uuid::as_bytes));
            let besides = besides.map(<[u8; 16]>::as_slice);
            let ended = statement
                .query_map(params![of.as_slice(), now.as_millisecond(), besides], |row| {
                    row.get(0)
                })?;
            Ok(ended.collect::<Result<_, _>>()?)
        }))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: u32) -> Answer<'_, Vec<Session>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("../sql/sessions_of.sql"))?;
            let mut rows = statement.query(params![user, now.as_millisecond(), limit])?;
            let mut sessions = Vec::new();
            while let Some(row) = rows.next()? {
                sessions.push(session(row)?);
            }
            Ok(sessions)
        }))
    }

    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("../sql/ended_since.sql"))?;
            let mut rows = statement.query([since.as_millisecond()])?;
            let mut ended = Vec::new();
            while let Some(row) = rows.next()? {
                ended.push((row.get("id")?, time(row, "revoked_at")?));
            }
            Ok(ended)
        }))
    }
}

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.get("id")?,
        user: row.get("user_id")?,
        family: TokenHash(row.get("family")?),
        token: TokenHash(row.get("token")?),
        seed: row.get::<_, Option<_>>("seed")?.map_or_else(Seed::generate, Seed),
        created_at: time(row, "created_at")?,
        refreshed_at: time(row, "refreshed_at")?,
        expires_at: time(row, "expires_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
        client: client(row)?,
    })
}
