//! Signing in and out.
//!
//! A wrong password and an unknown address get the same answer after the same work. A refresh token is good once: when one is used a second
//! time, somebody has copied it, and its session ends for both. For half a minute it gets the same next token again instead: the answer may
//! have been lost on the way, or two pages of a browser have asked at once.

use common::token::TokenError;
use common::{Caller, Client, Error, RefreshCookie, SessionId, StoreError, UserId, Viewer};
use jiff::{SignedDuration, Timestamp};

use super::Service;
use super::keys::session_of;
use crate::hashing::Verdict;
use crate::model::{
    Email, PasswordHash, RefreshToken, SecurityEventKind, Seed, Session, TypedPassword, User,
};
use crate::store::Sessions;

/// How many of a person's sessions are listed: those used last.
const MOST_LISTED: u32 = 100;

/// How long after its use a refresh token gets the same next one again.
const ANSWER_LOST: SignedDuration = SignedDuration::from_secs(30);

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
    pub(crate) async fn log_in(
        &self,
        caller: &Caller,
        email: &str,
        password: &str,
    ) -> Result<SignedIn, Error> {
        let password = TypedPassword::new(password);
        // Whether a text is an address at all is no secret.
        let email = Email::new("input.email", email).ok();
        let attempt = self.admit_log_in(email.as_ref(), &caller.client).await?;
        let account = match &email {
            Some(email) => self.store.user_by_email(email).await?,
            None => None,
        };
        let kept = account.as_ref().map(|(_, hash)| hash);
        let verdict = self.hasher.verify(&password, kept).await?;
        let (user, hash) = match account {
            Some(account) if verdict != Verdict::Wrong => account,
            account => {
                let owner = account.map(|(user, _)| user.id);
                self.note(caller, owner, SecurityEventKind::LogInFailed, None).await?;
                return Err(WRONG_LOGIN);
            }
        };
        self.log_in_was_right(attempt).await?;
        if verdict == Verdict::RightButOutdated {
            self.upgrade(&user, hash, &password).await?;
        }
        let user = self.cancel_deletion(caller, user).await?;
        // Signing up did not wait for the others to know of the account.
        self.outbox.flush().await;
        let signed_in = self.begin(user, &caller.client).await?;
        // Whoever it was may have been nobody before: the log names the owner, as themself.
        let by_owner = Caller { viewer: None, ..caller.clone() };
        self.note(&by_owner, Some(signed_in.user.id), SecurityEventKind::LoggedIn, None).await?;
        Ok(signed_in)
    }

    /// New tokens for the present refresh token of a session: for the one that is given, or else the one in the browser's cookie.
    pub(crate) async fn refresh(
        &self,
        caller: &Caller,
        token: Option<&str>,
    ) -> Result<SignedIn, Error> {
        let kept = caller.refresh_cookie.as_ref();
        let token = token.or(kept.map(|RefreshCookie(token)| token.as_str())).ok_or(WRONG_TOKEN)?;
        let old = RefreshToken::parse(token).ok_or(WRONG_TOKEN)?;
        let session = self.session_with(&old).await?;
        let Some(user) = self.find(session.user).await? else { return Err(WRONG_TOKEN) };
        let now = self.now();
        let next = old.next(&session.seed);
        let rotated = Session {
            token: next.hash(),
            refreshed_at: now,
            expires_at: self.refresh_expiry(now),
            client: caller.client.clone(),
            ..session
        };
        if self.store.rotate(rotated.clone(), old.hash()).await? {
            return self.signed_in(user, &rotated, next);
        }
        // Somebody was faster: long ago, or at this moment.
        let session = self.session_with(&old).await?;
        let next = old.next(&session.seed);
        if session.token == next.hash() && now.duration_since(session.refreshed_at) < ANSWER_LOST {
            return self.signed_in(user, &session, next);
        }
        self.reused(caller, &session).await
    }

    /// The session of a refresh token, be it the present one or an old one.
    async fn session_with(&self, token: &RefreshToken) -> Result<Session, Error> {
        let session =
            self.store.session_by_family(token.family_hash()).await?.ok_or(WRONG_TOKEN)?;
        if session.revoked_at.is_some() || session.expires_at <= self.now() {
            return Err(WRONG_TOKEN);
        }
        Ok(session)
    }

    /// Ends the session that the caller's credentials belong to, and answers whether there was one.
    pub(crate) async fn log_out(&self, caller: &Caller) -> Result<bool, Error> {
        if caller.viewer.is_none() {
            return Ok(false);
        }
        let viewer = self.in_person(caller)?;
        self.end(Sessions::One(viewer.session)).await?;
        self.note(caller, Some(viewer.user), SecurityEventKind::LoggedOut, None).await?;
        Ok(true)
    }

    /// The sessions of the signed-in person, those used last first; for those who administer, of anybody.
    pub(crate) async fn sessions(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<Vec<Session>, Error> {
        let viewer = self.in_person(caller)?;
        if viewer.user != user && !viewer.roles.admin {
            return Err(Error::not_found("user", user));
        }
        Ok(self.store.sessions_of(user, self.now(), MOST_LISTED).await?)
    }

    /// Ends one session of the signed-in person.
    pub(crate) async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<(), Error> {
        let user = self.in_person(caller)?.user;
        if self.end(Sessions::OneOf(user, id)).await? == 0 {
            return Err(Error::not_found("session", id));
        }
        self.note(caller, Some(user), SecurityEventKind::SessionsEnded, None).await
    }

    /// Ends all sessions of the signed-in person but the one they are in, and answers how many there were.
    pub(crate) async fn end_other_sessions(&self, caller: &Caller) -> Result<usize, Error> {
        let viewer = self.in_person(caller)?;
        let ended = self.end(Sessions::OthersOf(viewer.user, viewer.session)).await?;
        self.note(caller, Some(viewer.user), SecurityEventKind::SessionsEnded, None).await?;
        Ok(ended)
    }

    /// Notes the sessions that ended before the start, while their access tokens are good.
    pub(crate) async fn load_revocations(&self) -> Result<(), Error> {
        let since = self.now().saturating_sub(self.tokens.lifetime()).unwrap_or(Timestamp::MIN);
        for (session, ended) in self.store.ended_since(since).await? {
            self.revoke(session, ended);
        }
        for (key, revoked) in self.store.revoked_since(since).await? {
            self.revoke(session_of(key), revoked);
        }
        Ok(())
    }

    /// Ends sessions, and answers how many: their refresh tokens are good no more, nor are their access tokens, at once.
    pub(super) async fn end(&self, which: Sessions) -> Result<usize, Error> {
        let now = self.now();
        let ended = self.store.end_sessions(which, now).await?;
        for session in &ended {
            self.revoke(*session, now);
        }
        Ok(ended.len())
    }

    pub(super) fn revoke(&self, session: SessionId, ended: Timestamp) {
        let until = ended.saturating_add(self.tokens.lifetime()).unwrap_or(Timestamp::MAX);
        self.revocations.revoke(session, until);
    }

    async fn reused<T>(&self, caller: &Caller, session: &Session) -> Result<T, Error> {
        tracing::warn!(user = %session.user, session = %session.id, "an old refresh token was used: the session ends");
        self.end(Sessions::One(session.id)).await?;
        let nobody = Caller { viewer: None, ..caller.clone() };
        let kind = SecurityEventKind::RefreshTokenReused;
        self.note(&nobody, Some(session.user), kind, None).await?;
        Err(WRONG_TOKEN)
    }

    async fn upgrade(
        &self,
        user: &User,
        old: PasswordHash,
        password: &TypedPassword,
    ) -> Result<(), Error> {
        let new = self.hasher.rehash(password).await?;
        // Should it have been changed meanwhile, the new one is not of an old kind.
        self.store.replace_hash(user.id, old, new).await?;
        Ok(())
    }

    async fn begin(&self, user: User, client: &Client) -> Result<SignedIn, Error> {
        let now = self.now();
        let token = RefreshToken::generate();
        let session = Session {
            id: SessionId::new(),
            user: user.id,
            family: token.family_hash(),
            token: token.hash(),
            seed: Seed::generate(),
            created_at: now,
            refreshed_at: now,
            expires_at: self.refresh_expiry(now),
            revoked_at: None,
            client: client.clone(),
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
