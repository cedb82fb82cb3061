//! API keys in a SQLite file.

use common::{ApiKeyId, StoreError, UserId};
use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{SqliteStore, corrupt, optional_time, time};
use crate::model::{ApiKey, ApiScope, TokenHash};
use crate::store::{Answer, KeyStore, Keys};

const COLUMNS: &str =
    "id, user_id, name, prefix, hash, scopes, created_at, expires_at, last_used_at, revoked_at";

impl KeyStore for SqliteStore {
    fn insert_key(&self, key: ApiKey, most: u32) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let good: u32 = connection
                .prepare_cached(
                    "SELECT count(*) FROM api_key WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2",
                )?
                .query_row(params![key.user, key.created_at.as_millisecond()], |row| row.get(0))?;
            if good >= most {
                return Ok(false);
            }
            let sql = format!(
                "INSERT INTO api_key ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            );
            connection.prepare_cached(&sql)?.execute(params![
                key.id,
                key.user,
                key.name,
                key.prefix,
                key.hash.0,
                scope_text(&key.scopes),
                key.created_at.as_millisecond(),
                key.expires_at.as_millisecond(),
                key.last_used_at.map(Timestamp::as_millisecond),
                key.revoked_at.map(Timestamp::as_millisecond),
            ])?;
            Ok(true)
        }))
    }

    fn key_by_hash(&self, hash: TokenHash) -> Answer<'_, Option<ApiKey>> {
        Box::pin(self.0.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM api_key WHERE hash = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([hash.0])?;
            rows.next()?.map(key).transpose()
        }))
    }

    fn keys_of(&self, user: UserId) -> Answer<'_, Vec<ApiKey>> {
        Box::pin(self.0.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM api_key WHERE user_id = ?1 AND revoked_at IS NULL ORDER BY id DESC"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([user])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(key(row)?);
            }
            Ok(keys)
        }))
    }

    fn touch_key(&self, key: ApiKeyId, now: Timestamp, before: Timestamp) -> Answer<'_, bool> {
        Box::pin(self.0.write(move |connection| {
            let touched = connection
                .prepare_cached(
                    "UPDATE api_key SET last_used_at = ?2
                     WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
                )?
                .execute(params![key, now.as_millisecond(), before.as_millisecond()])?;
            Ok(touched == 1)
        }))
    }

    fn revoke_keys(&self, which: Keys, now: Timestamp) -> Answer<'_, Vec<ApiKey>> {
        let (user, one) = match which {
            Keys::OneOf(user, key) => (user, Some(key)),
            Keys::Of(user) => (user, None),
        };
        Box::pin(self.0.write(move |connection| {
            let sql = format!(
                "UPDATE api_key SET revoked_at = ?2
                 WHERE user_id = ?1 AND (?3 IS NULL OR id = ?3) AND revoked_at IS NULL
                 RETURNING {COLUMNS}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![user, now.as_millisecond(), one])?;
            let mut revoked = Vec::new();
            while let Some(row) = rows.next()? {
                revoked.push(key(row)?);
            }
            Ok(revoked)
        }))
    }

    fn revoked_since(&self, since: Timestamp) -> Answer<'_, Vec<(ApiKeyId, Timestamp)>> {
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, revoked_at FROM api_key WHERE revoked_at > ?1")?;
            let mut rows = statement.query([since.as_millisecond()])?;
            let mut revoked = Vec::new();
            while let Some(row) = rows.next()? {
                revoked.push((row.get("id")?, time(row, "revoked_at")?));
            }
            Ok(revoked)
        }))
    }
}

fn scope_text(scopes: &[ApiScope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    let scopes: String = row.get("scopes")?;
    let scopes = scopes.split(' ').map(ApiScope::named).collect::<Option<_>>();
    Ok(ApiKey {
        id: row.get("id")?,
        user: row.get("user_id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        hash: TokenHash(row.get("hash")?),
        scopes: scopes.ok_or_else(|| corrupt("an API key has an unknown scope"))?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        last_used_at: optional_time(row, "last_used_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
    })
}
