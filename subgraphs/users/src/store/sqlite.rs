//! Accounts and sessions in a SQLite file.

use common::outbox::OutboxStore;
use common::sqlite::Sqlite;
use common::{Event, EventId, Roles, SessionId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};
use uuid::Uuid;

use super::{Answer, Replaced, Sessions, Store};
use crate::model::{
    Email, PasswordHash, PersonName, RolloverHour, Session, TimeZoneName, TokenHash, User,
};

/// What the file is opened with.
pub const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_users.sql")];

/// A store in a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses a file that was opened with [`MIGRATIONS`].
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }
}

impl Store for SqliteStore {
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        let ids = hex_array(ids.iter().map(|id| id.uuid()));
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/users.sql"))?;
            let mut rows = statement.query([ids])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user(row)?);
            }
            Ok(users)
        }))
    }

    fn user_by_email<'a>(&'a self, email: &'a Email) -> Answer<'a, Option<(User, PasswordHash)>> {
        let email = email.as_str().to_owned();
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/user_by_email.sql"))?;
            let mut rows = statement.query([email])?;
            match rows.next()? {
                Some(row) => Ok(Some((user(row)?, PasswordHash(row.get("password_hash")?)))),
                None => Ok(None),
            }
        }))
    }

    fn insert_user(&self, user: User, PasswordHash(hash): PasswordHash) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let kept: UserId =
                connection.prepare_cached(include_str!("sql/insert_user.sql"))?.query_row(
                    named_params! {
                        ":id": user.id,
                        ":email": user.email.as_str(),
                        ":name": user.name.as_str(),
                        ":password_hash": hash,
                        ":beta": user.roles.beta,
                        ":admin": user.roles.admin,
                        ":email_verified": user.email_verified,
                        ":time_zone": user.time_zone.as_str(),
                        ":rollover_hour": user.rollover_hour.get(),
                        ":created_at": user.created_at.as_millisecond(),
                        ":updated_at": user.updated_at.as_millisecond(),
                        ":version": user.version,
                    },
                    |row| row.get(0),
                )?;
            let inserted = kept == user.id;
            if inserted {
                insert_event(connection, &user.event())?;
            }
            Ok(inserted)
        }))
    }

    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced> {
        Box::pin(self.0.write(move |connection| {
            let mut another_admin =
                connection.prepare_cached(include_str!("sql/another_admin.sql"))?;
            if keep_an_admin
                && !user.roles.admin
                && !another_admin.query_row([user.id], |row| row.get::<_, bool>(0))?
            {
                return Ok(Replaced::NoAdminLeft);
            }
            let replaced = connection
                .prepare_cached(include_str!("sql/replace_user.sql"))?
                .execute(named_params! {
                    ":id": user.id,
                    ":email": user.email.as_str(),
                    ":name": user.name.as_str(),
                    ":beta": user.roles.beta,
                    ":admin": user.roles.admin,
                    ":email_verified": user.email_verified,
                    ":time_zone": user.time_zone.as_str(),
                    ":rollover_hour": user.rollover_hour.get(),
                    ":updated_at": user.updated_at.as_millisecond(),
                    ":version": user.version,
                })?;
            if replaced == 0 {
                return Ok(Replaced::Stale);
            }
            insert_event(connection, &user.event())?;
            Ok(Replaced::Done)
        }))
    }

    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached(include_str!("sql/replace_hash.sql"))?
                .execute(params![user, old.0, new.0])?;
            Ok(())
        }))
    }

    fn insert_session(&self, session: Session) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached(include_str!("sql/forget_expired.sql"))?
                .execute([session.created_at.as_millisecond()])?;
            connection.prepare_cached(include_str!("sql/insert_session.sql"))?.execute(params![
                session.id,
                session.user,
                session.family.0,
                session.token.0,
                session.created_at.as_millisecond(),
                session.refreshed_at.as_millisecond(),
                session.expires_at.as_millisecond(),
                session.revoked_at.map(Timestamp::as_millisecond),
            ])?;
            Ok(())
        }))
    }

    fn session_by_family(&self, family: TokenHash) -> Answer<'_, Option<Session>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("sql/session_by_family.sql"))?;
            let mut rows = statement.query([family.0])?;
            rows.next()?.map(session).transpose()
        }))
    }

    fn rotate(&self, session: Session, old: TokenHash) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let rotated =
                connection.prepare_cached(include_str!("sql/rotate.sql"))?.execute(params![
                    session.id,
                    old.0,
                    session.token.0,
                    session.refreshed_at.as_millisecond(),
                    session.expires_at.as_millisecond(),
                ])?;
            Ok(rotated > 0)
        }))
    }

    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>> {
        let (sql, of) = match which {
            Sessions::One(session) => (include_str!("sql/end_session.sql"), session.uuid()),
            Sessions::Of(user) => (include_str!("sql/end_sessions_of.sql"), user.uuid()),
        };
        Box::pin(self.0.write(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let ended = statement
                .query_map(params![of.as_bytes().as_slice(), now.as_millisecond()], |row| {
                    row.get(0)
                })?;
            Ok(ended.collect::<Result<_, _>>()?)
        }))
    }

    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/ended_since.sql"))?;
            let mut rows = statement.query([since.as_millisecond()])?;
            let mut ended = Vec::new();
            while let Some(row) = rows.next()? {
                ended.push((row.get("id")?, time(row, "revoked_at")?));
            }
            Ok(ended)
        }))
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.0.ping())
    }
}

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/pending.sql"))?;
            let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let event = serde_json::from_str(row.get_ref("event")?.as_str().map_err(corrupt)?)
                    .map_err(corrupt)?;
                events.push((row.get("id")?, event));
            }
            Ok(events)
        }))
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let events = hex_array(events.iter().map(|event| event.uuid()));
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached(include_str!("sql/delivered.sql"))?.execute([events])?;
            Ok(())
        }))
    }
}

fn insert_event(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let event = serde_json::to_string(event).map_err(|error| StoreError::Other(Box::new(error)))?;
    connection
        .prepare_cached(include_str!("sql/insert_event.sql"))?
        .execute(params![EventId::new(), event])?;
    Ok(())
}

fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let rollover_hour: i32 = row.get("rollover_hour")?;
    Ok(User {
        id: row.get("id")?,
        email: Email::stored(row.get("email")?),
        name: PersonName::stored(row.get("name")?),
        roles: Roles { beta: row.get("beta")?, admin: row.get("admin")? },
        email_verified: row.get("email_verified")?,
        time_zone: TimeZoneName::stored(row.get("time_zone")?),
        rollover_hour: RolloverHour::new("rollover_hour", rollover_hour).map_err(corrupt)?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        version: row.get("version")?,
    })
}

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    let revoked_at: Option<i64> = row.get("revoked_at")?;
    Ok(Session {
        id: row.get("id")?,
        user: row.get("user_id")?,
        family: TokenHash(row.get("family")?),
        token: TokenHash(row.get("token")?),
        created_at: time(row, "created_at")?,
        refreshed_at: time(row, "refreshed_at")?,
        expires_at: time(row, "expires_at")?,
        revoked_at: revoked_at.map(Timestamp::from_millisecond).transpose().map_err(corrupt)?,
    })
}

fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(row.get(column)?).map_err(corrupt)
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// A JSON array that `unhex(value) FROM json_each(?)` turns into ids.
fn hex_array(ids: impl Iterator<Item = Uuid>) -> String {
    let ids: Vec<_> = ids.map(|id| format!("\"{}\"", id.simple())).collect();
    format!("[{}]", ids.join(","))
}
