//! Counts of attempts in a SQLite file.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{SqliteStore, corrupt};
use crate::model::{Attempt, AttemptKey, Backoff};
use crate::store::{Answer, LimitStore};

impl LimitStore for SqliteStore {
    fn attempt(&self, key: AttemptKey, backoff: Backoff, now: Timestamp) -> Answer<'_, Attempt> {
        Box::pin(self.0.write(move |connection| {
            let kept: Option<(u32, i64)> = connection
                .prepare_cached(
                    "SELECT count, paused_to FROM attempt WHERE key = ?1 AND forget_at > ?2",
                )?
                .query_row(params![key.0, now.as_millisecond()], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let (before, paused_to) = kept.unwrap_or((0, i64::MIN));
            if paused_to > now.as_millisecond() {
                return Ok(Attempt::Paused(
                    Timestamp::from_millisecond(paused_to).map_err(corrupt)?,
                ));
            }
            let count = before.saturating_add(1);
            let after = |duration| now.saturating_add(duration).unwrap_or(Timestamp::MAX);
            // Without a pause no time is kept: an attempt that was made earlier may be counted later.
            let pause = backoff.pause_after(count);
            let paused_to = if pause.is_zero() { Timestamp::UNIX_EPOCH } else { after(pause) };
            connection.prepare_cached(include_str!("../sql/attempt.sql"))?.execute(params![
                key.0,
                count,
                paused_to.as_millisecond(),
                after(backoff.forget_after).as_millisecond(),
            ])?;
            Ok(Attempt::Free)
        }))
    }

    fn forget_attempts(&self, key: AttemptKey) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection.prepare_cached("DELETE FROM attempt WHERE key = ?1")?.execute([key.0])?;
            Ok(())
        }))
    }

    fn take_back_attempt(&self, key: AttemptKey) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE attempt SET count = count - 1, paused_to = 0 WHERE key = ?1 AND count > 0",
                )?
                .execute([key.0])?;
            Ok(())
        }))
    }

    fn remember(&self, key: AttemptKey, until: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            connection
                .prepare_cached(include_str!("../sql/remember.sql"))?
                .execute(params![key.0, until.as_millisecond()])?;
            Ok(())
        }))
    }

    fn is_remembered(&self, key: AttemptKey, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM remembered WHERE key = ?1 AND forget_at > ?2)",
            )?;
            Ok(statement.query_row(params![key.0, now.as_millisecond()], |row| row.get(0))?)
        }))
    }

    fn purge_attempts(&self, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.0.write(move |connection| {
            let now = now.as_millisecond();
            connection
                .prepare_cached("DELETE FROM attempt WHERE forget_at <= ?1")?
                .execute([now])?;
            connection
                .prepare_cached("DELETE FROM remembered WHERE forget_at <= ?1")?
                .execute([now])?;
            Ok(())
        }))
    }
}
