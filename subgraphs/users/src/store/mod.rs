//! What the domain asks of its store, a trait for each kind of thing. The suite in `tests/store` says what each implementation must do.

pub mod mongo;
pub mod sqlite;

use common::outbox::OutboxStore;
use common::page::{Page, PageRequest};
use common::{ApiKeyId, MailId, SecurityEventId, SessionId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::model::{
    ApiKey, Attempt, AttemptKey, Backoff, Email, MailGrant, MailToken, PasswordHash, PersonKey,
    Purpose, QueuedMail, SecurityEvent, Session, TokenHash, User,
};

/// The answer of a store, when it comes.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// How a change of an account went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It was made, and its event waits for delivery.
    Done,
    /// The account was changed or removed meanwhile: nothing was done.
    Stale,
    /// Nobody would be left who may administer: nothing was done.
    NoAdminLeft,
    /// Another account has the address: nothing was done.
    AddressTaken,
}

/// How it went to make an account for somebody for whom another issuer vouches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// It was made, and its event waits for delivery.
    Made,
    /// The person has one already: nothing was done.
    Known,
    /// Another account has the address: nothing was done to speak of.
    AddressTaken,
}

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// This one.
    One(SessionId),
    /// This one, if it is of this person.
    OneOf(UserId, SessionId),
    /// All of a person.
    Of(UserId),
    /// All of a person but this one.
    OthersOf(UserId, SessionId),
}

/// Which API keys to revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// This one, if it is of this person.
    OneOf(UserId, ApiKeyId),
    /// All of a person.
    Of(UserId),
}

/// The mail that goes with signing up: one or the other, by whether the address was free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUpMail {
    /// For a new account.
    pub welcome: QueuedMail,
    /// For the owner of the account that has the address.
    pub taken: QueuedMail,
}

/// Keeps everything of the domain.
pub trait Store:
    OutboxStore
    + AccountStore
    + PeopleStore
    + SessionStore
    + MailStore
    + KeyStore
    + LimitStore
    + AuditStore
{
}

impl<S> Store for S where
    S: OutboxStore
        + AccountStore
        + PeopleStore
        + SessionStore
        + MailStore
        + KeyStore
        + LimitStore
        + AuditStore
{
}

/// Keeps accounts.
pub trait AccountStore: Send + Sync {
    /// The accounts among `ids` that exist, in any order, each once.
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>>;

    /// The account with this address, and what is kept of its password.
    fn user_by_email<'a>(&'a self, email: &'a Email) -> Answer<'a, Option<(User, PasswordHash)>>;

    /// A page of all accounts, oldest first; with `text`, of those whose address or name has it in it, in whatever case of the letters a–z.
    fn user_page(&self, text: Option<String>, page: PageRequest<UserId>) -> Answer<'_, Page<User>>;

    /// The highest cost of a bcrypt hash that is kept of a password: the two digits behind `$2a$` or the like; none when there is none.
    fn legacy_cost(&self) -> Answer<'_, Option<u32>>;

    /// Keeps a new account and its event, and answers whether it did. When its address is taken, the account that has it stays as it is
    /// but for a count of such attempts. Of `mail` the one that fits is queued, so that both answers take the same work.
    fn insert_user(
        &self,
        user: User,
        hash: PasswordHash,
        mail: Option<SignUpMail>,
    ) -> Answer<'_, bool>;

    /// Puts `user`, whose version is one more than that of the account it was made from, in its place, with its event.
    /// With `keep_an_admin` it does so only if somebody will be left who may administer.
    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced>;

    /// Keeps `new` instead of `old` of a password, and answers whether it did: not when it was changed meanwhile.
    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, bool>;

    /// The accounts whose time to be deleted has come, at most `limit`.
    fn users_to_delete(&self, now: Timestamp, limit: u32) -> Answer<'_, Vec<User>>;

    /// Removes the account that `user`, whose version is one more, was made from, with everything that is kept of it here, and keeps the
    /// event that tells others. Answers whether it did: not when the account was changed meanwhile.
    fn remove_user(&self, user: User) -> Answer<'_, bool>;

    /// Whether the store answers now.
    fn ping(&self) -> Answer<'_, ()>;
}

/// Keeps which accounts belong to people for whom another issuer vouches.
pub trait PeopleStore: Send + Sync {
    /// The account of a person.
    fn account_of(&self, person: PersonKey) -> Answer<'_, Option<User>>;

    /// Keeps a new account, its event, and that it belongs to the person: all of it or nothing.
    fn insert_person(
        &self,
        person: PersonKey,
        user: User,
        hash: PasswordHash,
    ) -> Answer<'_, Joined>;

    /// Has the account belong to nobody for whom another issuer vouches.
    fn forget_people(&self, user: UserId) -> Answer<'_, ()>;
}

/// Keeps sessions.
pub trait SessionStore: Send + Sync {
    /// Keeps a new session, and forgets those that expired before it began.
    fn insert_session(&self, session: Session) -> Answer<'_, ()>;

    /// The session whose refresh tokens are of this family.
    fn session_by_family(&self, family: TokenHash) -> Answer<'_, Option<Session>>;

    /// The sessions of a person that are neither ended nor expired, those used last first, at most `limit`.
    fn sessions_of(&self, user: UserId, now: Timestamp, limit: u32) -> Answer<'_, Vec<Session>>;

    /// Puts the refresh token, the time, the expiry and the client of `session` in the place of those it had with the token `old`, and
    /// answers whether it did: not when it has another token by now, was ended, or is gone.
    fn rotate(&self, session: Session, old: TokenHash) -> Answer<'_, bool>;

    /// Ends sessions, and answers which of them had not ended before.
    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>>;

    /// The sessions that were ended after `since`, each with when.
    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>>;
}

/// Keeps mail that waits to be sent, and what is kept of the secrets in mail that was sent.
pub trait MailStore: Send + Sync {
    /// Queues a mail.
    fn queue_mail(&self, mail: QueuedMail) -> Answer<'_, ()>;

    /// Hands out the mail that may be sent, the one that has waited longest first, at most `limit`, with the attempt counted. Until `until` nobody
    /// else is handed it.
    fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'_, Vec<QueuedMail>>;

    /// Puts off a mail that could not be sent.
    fn put_off_mail(&self, mail: MailId, due_at: Timestamp) -> Answer<'_, ()>;

    /// Forgets a mail: it was sent, or never will be.
    fn forget_mail(&self, mail: MailId) -> Answer<'_, ()>;

    /// Keeps what is kept of a secret, and forgets those that expired before `now`.
    fn insert_mail_token(&self, token: MailToken, now: Timestamp) -> Answer<'_, ()>;

    /// What is known of this secret, if it is good for the purpose now.
    fn mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>>;

    /// The same, for the first who asks: it, and all others of the person for the same purpose, are good no more. Where the purpose spares
    /// earlier ones, those that expire before it stay good.
    fn take_mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>>;
}

/// Keeps API keys.
pub trait KeyStore: Send + Sync {
    /// Keeps a new key unless its owner has `most` already that are good, and answers whether it did.
    fn insert_key(&self, key: ApiKey, most: u32) -> Answer<'_, bool>;

    /// The key with this hash, good or not.
    fn key_by_hash(&self, hash: TokenHash) -> Answer<'_, Option<ApiKey>>;

    /// The keys of a person that were not revoked, newest first; those that have expired are among them.
    fn keys_of(&self, user: UserId) -> Answer<'_, Vec<ApiKey>>;

    /// Notes that a key was used, and answers whether it did: not when a use after `before` is noted already.
    fn touch_key(&self, key: ApiKeyId, now: Timestamp, before: Timestamp) -> Answer<'_, bool>;

    /// Revokes keys, and answers which of them had not been revoked before.
    fn revoke_keys(&self, which: Keys, now: Timestamp) -> Answer<'_, Vec<ApiKey>>;

    /// The keys that were revoked after `since`, each with when.
    fn revoked_since(&self, since: Timestamp) -> Answer<'_, Vec<(ApiKeyId, Timestamp)>>;
}

/// Counts attempts.
pub trait LimitStore: Send + Sync {
    /// Counts an attempt, unless a pause is on. Of many at the same time, no more pass than if they came one after the other.
    fn attempt(&self, key: AttemptKey, backoff: Backoff, now: Timestamp) -> Answer<'_, Attempt>;

    /// Forgets all attempts of one key.
    fn forget_attempts(&self, key: AttemptKey) -> Answer<'_, ()>;

    /// Takes back one attempt: it turned out to be none of those that are counted. A pause that it began ends.
    fn take_back_attempt(&self, key: AttemptKey) -> Answer<'_, ()>;

    /// Remembers a key until a time.
    fn remember(&self, key: AttemptKey, until: Timestamp) -> Answer<'_, ()>;

    /// Whether a key is remembered.
    fn is_remembered(&self, key: AttemptKey, now: Timestamp) -> Answer<'_, bool>;

    /// Forgets what counts no more.
    fn purge_attempts(&self, now: Timestamp) -> Answer<'_, ()>;
}

/// Keeps the log of security events.
pub trait AuditStore: Send + Sync {
    /// Keeps an event.
    fn insert_security_event(&self, event: SecurityEvent) -> Answer<'_, ()>;

    /// A page of the events of one account, or of all, newest first.
    fn security_event_page(
        &self,
        user: Option<UserId>,
        page: PageRequest<SecurityEventId>,
    ) -> Answer<'_, Page<SecurityEvent>>;

    /// Forgets the events before `before`.
    fn purge_security_events(&self, before: Timestamp) -> Answer<'_, ()>;
}
