//! Accounts in a SQLite file.

use common::page::{Page, PageRequest};
use common::{Roles, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use super::mail::queue;
use super::{SqliteStore, corrupt, hex_array, insert_event, optional_time, page_clauses, time};
use crate::model::{Email, PasswordHash, PersonName, RolloverHour, TimeZoneName, User};
use crate::store::{AccountStore, Answer, Replaced, SignUpMail};

impl AccountStore for SqliteStore {
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        let ids = hex_array(ids.iter().map(|id| id.uuid()));
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("../sql/users.sql"))?;
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
            let mut statement =
                connection.prepare_cached(include_str!("../sql/user_by_email.sql"))?;
            let mut rows = statement.query([email])?;
            match rows.next()? {
                Some(row) => Ok(Some((user(row)?, PasswordHash(row.get("password_hash")?)))),
                None => Ok(None),
            }
        }))
    }

    fn user_page(&self, text: Option<String>, page: PageRequest<UserId>) -> Answer<'_, Page<User>> {
        Box::pin(self.0.read(move |connection| {
            let sql =
                format!("{} {}", include_str!("../sql/user_page.sql"), page_clauses(&page, false));
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![text, page.cursor, page.limit + 1])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user(row)?);
            }
            Ok(Page::from_overfull(&page, users))
        }))
    }

    fn legacy_cost(&self) -> Answer<'_, Option<u32>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("../sql/legacy_cost.sql"))?;
            Ok(statement.query_row([], |row| row.get(0))?)
        }))
    }

    fn insert_user(
        &self,
        user: User,
        hash: PasswordHash,
        mail: Option<SignUpMail>,
    ) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let inserted = insert(connection, &user, &hash)?;
            if inserted {
                insert_event(connection, &user.event())?;
            }
            if let Some(mail) = mail {
                queue(connection, &if inserted { mail.welcome } else { mail.taken })?;
            }
            Ok(inserted)
        }))
    }

    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced> {
        Box::pin(self.0.write(move |connection| {
            let mut another_admin =
                connection.prepare_cached(include_str!("../sql/another_admin.sql"))?;
            if keep_an_admin
                && !user.roles.admin
                && !another_admin.query_row([user.id], |row| row.get::<_, bool>(0))?
            {
                return Ok(Replaced::NoAdminLeft);
            }
            let replaced = connection
                .prepare_cached(include_str!("../sql/replace_user.sql"))?
                .execute(named_params! {
                    ":id": user.id,
                    ":email": user.email.as_str(),
                    ":name": user.name.as_str(),
                    ":beta": user.roles.beta,
                    ":admin": user.roles.admin,
                    ":email_verified": user.email_verified,
                    ":pending_email": user.pending_email.as_ref().map(Email::as_str),
                    ":time_zone": user.time_zone.as_str(),
                    ":rollover_hour": user.rollover_hour.get(),
                    ":delete_at": user.delete_at.map(Timestamp::as_millisecond),
                    ":updated_at": user.updated_at.as_millisecond(),
                    ":version": user.version,
                });
            match replaced.map_err(StoreError::from) {
                Ok(0) => return Ok(Replaced::Stale),
                Ok(_) => {}
                Err(StoreError::Duplicate { .. }) => return Ok(Replaced::AddressTaken),
                Err(error) => return Err(error),
            }
            insert_event(connection, &user.event())?;
            Ok(Replaced::Done)
        }))
    }

    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let replaced = connection
                .prepare_cached(include_str!("../sql/replace_hash.sql"))?
                .execute(params![user, old.0, new.0])?;
            Ok(replaced > 0)
        }))
    }

    fn users_to_delete(&self, now: Timestamp, limit: u32) -> Answer<'_, Vec<User>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement =
                connection.prepare_cached(include_str!("../sql/users_to_delete.sql"))?;
            let mut rows = statement.query(params![now.as_millisecond(), limit])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user(row)?);
            }
            Ok(users)
        }))
    }

    fn remove_user(&self, user: User) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let removed = connection
                .prepare_cached("DELETE FROM user WHERE id = ?1 AND version = ?2 - 1")?
                .execute(params![user.id, user.version])?;
            if removed == 0 {
                return Ok(false);
            }
            // What refers to the account goes with it; these two do not.
            connection
                .prepare_cached("DELETE FROM security_event WHERE user_id = ?1")?
                .execute([user.id])?;
            connection
                .prepare_cached("DELETE FROM mail WHERE recipient = ?1")?
                .execute([user.email.as_str()])?;
            insert_event(connection, &user.tombstone())?;
            Ok(true)
        }))
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.0.ping())
    }
}

/// Keeps a new account unless its address is taken, and answers whether it did.
pub(super) fn insert(
    connection: &Connection,
    user: &User,
    hash: &PasswordHash,
) -> Result<bool, StoreError> {
    let kept: UserId =
        connection.prepare_cached(include_str!("../sql/insert_user.sql"))?.query_row(
            named_params! {
                ":id": user.id,
                ":email": user.email.as_str(),
                ":name": user.name.as_str(),
                ":password_hash": hash.0,
                ":beta": user.roles.beta,
                ":admin": user.roles.admin,
                ":email_verified": user.email_verified,
            ":pending_email": user.pending_email.as_ref().map(Email::as_str),
                ":time_zone": user.time_zone.as_str(),
                ":rollover_hour": user.rollover_hour.get(),
                ":delete_at": user.delete_at.map(Timestamp::as_millisecond),
                ":created_at": user.created_at.as_millisecond(),
                ":updated_at": user.updated_at.as_millisecond(),
                ":version": user.version,
            },
            |row| row.get(0),
        )?;
    Ok(kept == user.id)
}

pub(super) fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let rollover_hour: i32 = row.get("rollover_hour")?;
    Ok(User {
        id: row.get("id")?,
        email: Email::stored(row.get("email")?),
        name: PersonName::stored(row.get("name")?),
        roles: Roles { beta: row.get("beta")?, admin: row.get("admin")? },
        email_verified: row.get("email_verified")?,
        pending_email: row.get::<_, Option<String>>("pending_email")?.map(Email::stored),
        time_zone: TimeZoneName::stored(row.get("time_zone")?),
        rollover_hour: RolloverHour::new("rollover_hour", rollover_hour).map_err(corrupt)?,
        delete_at: optional_time(row, "delete_at")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        version: row.get("version")?,
    })
}
