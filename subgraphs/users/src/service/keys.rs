//! API keys: made, listed and revoked by their owner in person, and recognised when a script shows one.

use common::token::Accepted;
use common::{ApiKeyId, Caller, Client, Error, Roles, SessionId, Viewer};
use jiff::{SignedDuration, Timestamp};

use super::Service;
use crate::model::{ApiKey, ApiScope, ApiSecret, NewApiKey, SecurityEventKind};
use crate::store::Keys;

/// How many keys that are good one person may have.
const MOST_KEYS: u32 = 20;
/// How exactly it is noted when a key was used last.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// In how many seconds the use of a key goes into the log of security events once: an hour by the clock.
const USE_LOGGED_EVERY: i64 = 3600;

impl Service {
    /// Makes a key. The key itself is answered this once.
    pub(crate) async fn create_api_key(
        &self,
        caller: &Caller,
        name: &str,
        scopes: &[ApiScope],
        expires_at: Timestamp,
    ) -> Result<(ApiKey, ApiSecret), Error> {
        let viewer = self.in_person(caller)?;
        let now = self.now();
        let new = NewApiKey::new(name, scopes, expires_at, now)?;
        self.find(viewer.user).await?.ok_or(Error::Unauthenticated)?;
        let secret = ApiSecret::generate();
        let key = ApiKey {
            id: ApiKeyId::new(),
            user: viewer.user,
            name: new.name,
            prefix: secret.prefix().to_owned(),
            hash: secret.hash(),
            scopes: new.scopes,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        if !self.store.insert_key(key.clone(), MOST_KEYS).await? {
            let message = format!("a person has at most {MOST_KEYS} API keys: revoke one first");
            return Err(Error::LimitExceeded { message });
        }
        let (kind, name) = (SecurityEventKind::ApiKeyCreated, Some(key.name.clone()));
        self.note(caller, Some(viewer.user), kind, name).await?;
        Ok((key, secret))
    }

    /// The keys of the signed-in person that were not revoked.
    pub(crate) async fn api_keys(&self, caller: &Caller) -> Result<Vec<ApiKey>, Error> {
        let viewer = self.in_person(caller)?;
        Ok(self.store.keys_of(viewer.user).await?)
    }

    /// Revokes a key of the signed-in person: it is good no more, at once.
    pub(crate) async fn revoke_api_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
    ) -> Result<ApiKey, Error> {
        let viewer = self.in_person(caller)?;
        let revoked = self.revoke_keys(Keys::OneOf(viewer.user, id)).await?.pop();
        let key = revoked.ok_or_else(|| Error::not_found("API key", id))?;
        let (kind, name) = (SecurityEventKind::ApiKeyRevoked, Some(key.name.clone()));
        self.note(caller, Some(viewer.user), kind, name).await?;
        Ok(key)
    }

    /// For whom a key acts that a client shows, with what scopes, and until when that may be believed; nobody when it is not good. The viewer's
    /// session is the key's id, so that a key that is revoked is among the revoked sessions. It is never an administrator: what takes that
    /// role is for a person.
    pub(crate) async fn identify_api_key(
        &self,
        secret: &str,
        client: &Client,
    ) -> Result<Option<Accepted>, Error> {
        // Most of what is no key ends here, without a question to the store.
        let Some(secret) = ApiSecret::parse(secret) else { return Ok(None) };
        let now = self.now();
        let Some(key) = self.store.key_by_hash(secret.hash()).await? else { return Ok(None) };
        if key.revoked_at.is_some() || key.expires_at <= now {
            return Ok(None);
        }
        let Some(user) = self.find(key.user).await? else { return Ok(None) };
        let viewer = Viewer {
            verified: user.email_verified,
            scopes: key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            ..Viewer::new(user.id, session_of(key.id), Roles { admin: false, ..user.roles })
        };
        let before = now.saturating_sub(USE_NOTED_EVERY).unwrap_or(Timestamp::MIN);
        let is_noted = key.last_used_at.is_some_and(|last| last > before);
        let hour = |at: Timestamp| at.as_second().div_euclid(USE_LOGGED_EVERY);
        let is_logged = key.last_used_at.is_some_and(|last| hour(last) == hour(now));
        // Of many uses at the same time one notes it, and that one logs it.
        if !is_noted && self.store.touch_key(key.id, now, before).await? && !is_logged {
            let caller = Caller {
                client: client.clone(),
                ..Caller::new(Some(viewer.clone()), "an API key")
            };
            let (kind, name) = (SecurityEventKind::ApiKeyUsed, Some(key.name));
            self.note(&caller, Some(user.id), kind, name).await?;
        }
        // Whoever remembers a revocation does so for as long as an access token is good.
        let believed = now.saturating_add(self.tokens.lifetime()).unwrap_or(Timestamp::MAX);
        Ok(Some(Accepted { viewer, expires: key.expires_at.min(believed) }))
    }

    /// Revokes keys, at once for whoever looks at the revoked sessions.
    pub(super) async fn revoke_keys(&self, which: Keys) -> Result<Vec<ApiKey>, Error> {
        let now = self.now();
        let revoked = self.store.revoke_keys(which, now).await?;
        for key in &revoked {
            self.revoke(session_of(key.id), now);
        }
        Ok(revoked)
    }
}

/// The session that a key stands for.
pub(super) fn session_of(key: ApiKeyId) -> SessionId {
    SessionId::from(key.uuid())
}
