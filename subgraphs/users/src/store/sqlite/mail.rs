//! Mail that waits, and the secrets in mail, in a SQLite file.

use common::{MailId, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{SqliteStore, corrupt, time};
use crate::model::{Email, MailGrant, MailToken, Purpose, QueuedMail, TokenHash};
use crate::store::{Answer, MailStore};

impl MailStore for SqliteStore {
    fn queue_mail(&self, mail: QueuedMail) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| queue(connection, &mail)))
    }

    fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'_, Vec<QueuedMail>> {
        Box::pin(self.0.write(move |connection| {
            let mut statement = connection.prepare_cached(include_str!("../sql/claim_mail.sql"))?;
            let mut rows =
                statement.query(params![now.as_millisecond(), until.as_millisecond(), limit])?;
            let mut claimed = Vec::new();
            while let Some(row) = rows.next()? {
                claimed.push(mail(row)?);
            }
            claimed.sort_by_key(|mail| mail.id);
            Ok(claimed)
        }))
    }

    fn put_off_mail(&self, mail: MailId, due_at: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached("UPDATE mail SET due_at = ?2 WHERE id = ?1")?
                .execute(params![mail, due_at.as_millisecond()])?;
            Ok(())
        }))
    }

    fn forget_mail(&self, mail: MailId) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached("DELETE FROM mail WHERE id = ?1")?.execute([mail])?;
            Ok(())
        }))
    }

    fn insert_mail_token(&self, token: MailToken, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM mail_token WHERE expires_at < ?1")?
                .execute([now.as_millisecond()])?;
            connection
                .prepare_cached(
                    "INSERT INTO mail_token (hash, user_id, purpose, email, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    token.hash.0,
                    token.user,
                    token.purpose.as_str(),
                    token.email.as_str(),
                    token.expires_at.as_millisecond(),
                ])?;
            Ok(())
        }))
    }

    fn mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT user_id, email, expires_at FROM mail_token WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3",
            )?;
            let found = statement
                .query_row(params![hash.0, purpose.as_str(), now.as_millisecond()], grant);
            Ok(found.optional()?.map(|(grant, _)| grant))
        }))
    }

    fn take_mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>> {
        Box::pin(self.0.write(move |connection| {
            let taken = connection
                .prepare_cached(
                    "DELETE FROM mail_token WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3 RETURNING user_id, email, expires_at",
                )?
                .query_row(params![hash.0, purpose.as_str(), now.as_millisecond()], grant)
                .optional()?;
            let Some((grant, expires_at)) = taken else { return Ok(None) };
            let from = if purpose.spares_earlier() { expires_at } else { i64::MIN };
            connection
                .prepare_cached(
                    "DELETE FROM mail_token WHERE user_id = ?1 AND purpose = ?2 AND expires_at >= ?3",
                )?
                .execute(params![grant.user, purpose.as_str(), from])?;
            Ok(Some(grant))
        }))
    }
}

pub(super) fn queue(connection: &Connection, mail: &QueuedMail) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO mail (id, kind, recipient, user_id, attempts, due_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            mail.id,
            mail.kind.as_str(),
            mail.recipient.as_str(),
            mail.about,
            mail.attempts,
            mail.due_at.as_millisecond(),
            mail.created_at.as_millisecond(),
        ])?;
    Ok(())
}

/// What a secret says, and until when it is good.
fn grant(row: &Row<'_>) -> rusqlite::Result<(MailGrant, i64)> {
    let email = Email::stored(row.get("email")?);
    Ok((MailGrant { user: row.get("user_id")?, email }, row.get("expires_at")?))
}

fn mail(row: &Row<'_>) -> Result<QueuedMail, StoreError> {
    Ok(QueuedMail {
        id: row.get("id")?,
        kind: row.get::<_, String>("kind")?.parse().map_err(corrupt)?,
        recipient: Email::stored(row.get("recipient")?),
        about: row.get("user_id")?,
        attempts: row.get("attempts")?,
        due_at: time(row, "due_at")?,
        created_at: time(row, "created_at")?,
    })
}
