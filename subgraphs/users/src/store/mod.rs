//! What the domain asks of its store. The suite in `tests/store.rs` says what each implementation must do.

pub mod mongo;
pub mod sqlite;

use common::outbox::OutboxStore;
use common::{SessionId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::model::{Email, PasswordHash, Session, TokenHash, User};

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
}

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// This one.
    One(SessionId),
    /// All of a person.
    Of(UserId),
}

/// Keeps accounts and sessions.
pub trait Store: OutboxStore {
    /// The accounts among `ids` that exist, in any order, each once.
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>>;

    /// The account with this address, and what is kept of its password.
    fn user_by_email<'a>(&'a self, email: &'a Email) -> Answer<'a, Option<(User, PasswordHash)>>;

    /// Keeps a new account and its event, and answers whether it did. When its address is taken, the account that has it stays as it is
    /// but for a count of such attempts, so that both answers take the same work.
    fn insert_user(&self, user: User, hash: PasswordHash) -> Answer<'_, bool>;

    /// Puts `user`, whose version is one more than that of the account it was made from, in its place, with its event.
    /// With `keep_an_admin` it does so only if somebody will be left who may administer.
    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced>;

    /// Keeps `new` instead of `old` of a password, unless it was changed meanwhile.
    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, ()>;

    /// Keeps a new session, and forgets those that expired before it began.
    fn insert_session(&self, session: Session) -> Answer<'_, ()>;

    /// The session whose refresh tokens are of this family.
    fn session_by_family(&self, family: TokenHash) -> Answer<'_, Option<Session>>;

    /// Puts the refresh token, the time and the expiry of `session` in the place of those it had with the token `old`, and answers
    /// whether it did: not when it has another token by now, was ended, or is gone.
    fn rotate(&self, session: Session, old: TokenHash) -> Answer<'_, bool>;

    /// Ends sessions, and answers which of them had not ended before.
    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>>;

    /// The sessions that were ended after `since`, each with when.
    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>>;

    /// Whether the store answers now.
    fn ping(&self) -> Answer<'_, ()>;
}
