//! Accounts and sessions to test with.

use common::outbox::OutboxStore;
use common::{Client, Event, SessionId, UserId};
use jiff::{SignedDuration, Timestamp};
use users::model::{
    Email, PasswordHash, PersonName, RefreshToken, Seed, Session, TimeZoneName, User,
};
use users::store::AccountStore;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap()
}

pub(crate) fn user(email: &str) -> User {
    let time_zone = TimeZoneName::new("", "Europe/Zurich").unwrap();
    let (email, name) = (Email::new("", email).unwrap(), PersonName::new("", "Ada").unwrap());
    User::new(email, name, time_zone, now())
}

pub(crate) fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

pub(crate) async fn insert(store: &impl AccountStore, email: &str) -> User {
    let user = user(email);
    assert!(store.insert_user(user.clone(), hash("h"), None).await.unwrap());
    user
}

pub(crate) async fn insert_admin(store: &impl AccountStore, email: &str) -> User {
    let mut user = user(email);
    user.roles.admin = true;
    assert!(store.insert_user(user.clone(), hash("h"), None).await.unwrap());
    user
}

pub(crate) fn changed(user: &User, edit: impl FnOnce(&mut User)) -> User {
    let mut changed = user.clone();
    edit(&mut changed);
    changed.version += 1;
    changed
}

pub(crate) fn session(user: UserId, token: &RefreshToken) -> Session {
    Session {
        id: SessionId::new(),
        user,
        family: token.family_hash(),
        token: token.hash(),
        seed: Seed::generate(),
        created_at: now(),
        refreshed_at: now(),
        expires_at: now() + SignedDuration::from_hours(1),
        revoked_at: None,
        client: Client::default(),
    }
}

pub(crate) async fn events(store: &impl OutboxStore) -> Vec<Event> {
    store.pending(100).await.unwrap().into_iter().map(|(_, event)| event).collect()
}
