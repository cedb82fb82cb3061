//! Signing in and out.
//!
//! A wrong password and an unknown address get the same answer after the same work. A refresh token is good once: when one is used a second
//! time, somebody has copied it, and its session ends for both.

use common::token::TokenError;
use common::{Caller, Error, SessionId, StoreError, Viewer};
use jiff::Timestamp;

use super::Service;
use crate::hashing::Verdict;
use crate::model::{Email, PasswordHash, RefreshToken, Session, TypedPassword, User};
use crate::store::Sessions;

/// What is the same for every reason not to let somebody in.
const WRONG_LOGIN: Error = Error::WrongCredentials("wrong e-mail address or password");
/// What is the same for every refresh token that is no good.
const WRONG_TOKEN: Error = Error::WrongCredentials("the refresh token is not valid: log in again");

/// What a person gets who has signed in.
pub(crate) struct SignedIn {
    pub(crate) access_token: String,
    pub(crate) access_expires_at: Timestamp,
    pub(crate) refresh_token: RefreshToken,
    pub(crate) refresh_expires_at: Timestamp,
    pub(crate) user: User,
}

impl Service {
    /// Lets somebody in who knows the password of the account with this address.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Result<SignedIn, Error> {
        let password = TypedPassword::new(password);
        // Whether a text is an address at all is no secret.
        let account = match Email::new("input.email", email) {
            Ok(email) => self.store.user_by_email(&email).await?,
            Err(_) => None,
        };
        let kept = account.as_ref().map(|(_, hash)| hash);
        let verdict = self.hasher.verify(&password, kept).await?;
        let Some((user, hash)) = account else { return Err(WRONG_LOGIN) };
        match verdict {
            Verdict::Wrong => return Err(WRONG_LOGIN),
            Verdict::Right => {}
            Verdict::RightButOutdated => self.upgrade(&user, hash, &password).await?,
        }
        // Signing up did not wait for the others to know of the account.
        self.outbox.flush().await;
        self.begin(user).await
    }

    /// New tokens for the present refresh token of a session.
    pub(crate) async fn refresh(&self, token: &str) -> Result<SignedIn, Error> {
        let old = RefreshToken::parse(token).ok_or(WRONG_TOKEN)?;
        let session = self.store.session_by_family(old.family_hash()).await?.ok_or(WRONG_TOKEN)?;
        let now = self.now();
        if session.revoked_at.is_some() || session.expires_at <= now {
            return Err(WRONG_TOKEN);
        }
        let Some(user) = self.find(session.user).await? else { return Err(WRONG_TOKEN) };
        let next = old.next();
        let rotated = Session {
            token: next.hash(),
            refreshed_at: now,
            expires_at: self.refresh_expiry(now),
            ..session
        };
        if !self.store.rotate(rotated.clone(), old.hash()).await? {
            return self.reused(&session).await;
        }
        self.signed_in(user, &rotated, next)
    }

    /// Ends the session that the caller's credentials belong to, and answers whether there was one.
    pub(crate) async fn log_out(&self, caller: &Caller) -> Result<bool, Error> {
        let Some(viewer) = &caller.viewer else { return Ok(false) };
        self.end(Sessions::One(viewer.session)).await?;
        Ok(true)
    }

    /// Notes the sessions that ended before the start, while their access tokens are good.
    pub(crate) async fn load_revocations(&self) -> Result<(), Error> {
        let since = self.now().saturating_sub(self.tokens.lifetime()).unwrap_or(Timestamp::MIN);
        for (session, ended) in self.store.ended_since(since).await? {
            self.revoke(session, ended);
        }
        Ok(())
    }

    /// Ends sessions: their refresh tokens are good no more, nor are their access tokens, at once.
    pub(super) async fn end(&self, which: Sessions) -> Result<(), Error> {
        let now = self.now();
        for session in self.store.end_sessions(which, now).await? {
            self.revoke(session, now);
        }
        Ok(())
    }

    fn revoke(&self, session: SessionId, ended: Timestamp) {
        let until = ended.saturating_add(self.tokens.lifetime()).unwrap_or(Timestamp::MAX);
        self.revocations.revoke(session, until);
    }

    async fn reused<T>(&self, session: &Session) -> Result<T, Error> {
        tracing::warn!(user = %session.user, session = %session.id, "an old refresh token was used: the session ends");
        self.end(Sessions::One(session.id)).await?;
        Err(WRONG_TOKEN)
    }

    async fn upgrade(
        &self,
        user: &User,
        old: PasswordHash,
        password: &TypedPassword,
    ) -> Result<(), Error> {
        let new = self.hasher.rehash(password).await?;
        Ok(self.store.replace_hash(user.id, old, new).await?)
    }

    async fn begin(&self, user: User) -> Result<SignedIn, Error> {
        let now = self.now();
        let token = RefreshToken::generate();
        let session = Session {
            id: SessionId::new(),
            user: user.id,
            family: token.family_hash(),
            token: token.hash(),
            created_at: now,
            refreshed_at: now,
            expires_at: self.refresh_expiry(now),
            revoked_at: None,
        };
        self.store.insert_session(session.clone()).await?;
        self.signed_in(user, &session, token)
    }

    fn signed_in(
        &self,
        user: User,
        session: &Session,
        refresh_token: RefreshToken,
    ) -> Result<SignedIn, Error> {
        let viewer = Viewer {
            verified: user.email_verified,
            ..Viewer::new(user.id, session.id, user.roles)
        };
        let (access_token, access_expires_at) =
            self.tokens.issue(&viewer, session.refreshed_at).map_err(unsigned)?;
        Ok(SignedIn {
            access_token,
            access_expires_at,
            refresh_token,
            refresh_expires_at: session.expires_at,
            user,
        })
    }

    fn refresh_expiry(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.settings.refresh_lifetime).unwrap_or(Timestamp::MAX)
    }
}

/// A token that cannot be signed is a failure of ours, of which the client learns no more than that.
fn unsigned(error: TokenError) -> Error {
    StoreError::Other(Box::new(error)).into()
}
