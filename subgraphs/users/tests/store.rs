//! What every store of the domain must do: one suite, run on each.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use common::outbox::OutboxStore;
use common::{Event, Roles, SessionId, StoreError, UserId, testing};
use jiff::{SignedDuration, Timestamp};
use users::MIGRATIONS;
use users::model::{
    Email, PasswordHash, PersonName, RefreshToken, RolloverHour, Session, TimeZoneName, User,
};
use users::store::{Replaced, Sessions, Store, mongo::MongoStore, sqlite::SqliteStore};

macro_rules! suite {
    ($($case:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test] async fn $case() {
                let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                super::$case(&SqliteStore::new(sqlite)).await;
            })*
        }
        mod mongo {
            use super::*;
            $(#[tokio::test] async fn $case() {
                super::$case(&MongoStore::open(testing::mongo().await).await.unwrap()).await;
            })*
        }
    };
}

suite! {
    an_account_is_kept_as_it_was_given
    a_taken_address_changes_nothing_but_a_count
    of_many_signing_up_with_one_address_one_does
    accounts_are_read_in_batches
    a_change_takes_the_version_it_was_made_from
    the_last_admin_stays
    of_two_admins_who_depose_each_other_one_stays
    a_hash_is_replaced_only_if_it_is_still_the_one
    a_session_is_kept_as_it_was_given
    a_token_is_rotated_once
    sessions_end_once
    expired_sessions_are_forgotten
    events_wait_until_they_are_delivered
    it_answers_a_ping
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap()
}

fn user(email: &str) -> User {
    let time_zone = TimeZoneName::new("", "Europe/Zurich").unwrap();
    let (email, name) = (Email::new("", email).unwrap(), PersonName::new("", "Ada").unwrap());
    User::new(email, name, time_zone, now())
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

async fn insert(store: &impl Store, email: &str) -> User {
    let user = user(email);
    assert!(store.insert_user(user.clone(), hash("h")).await.unwrap());
    user
}

async fn insert_admin(store: &impl Store, email: &str) -> User {
    let mut user = user(email);
    user.roles.admin = true;
    assert!(store.insert_user(user.clone(), hash("h")).await.unwrap());
    user
}

fn changed(user: &User, edit: impl FnOnce(&mut User)) -> User {
    let mut changed = user.clone();
    edit(&mut changed);
    changed.version += 1;
    changed
}

fn session(user: UserId, token: &RefreshToken) -> Session {
    Session {
        id: SessionId::new(),
        user,
        family: token.family_hash(),
        token: token.hash(),
        created_at: now(),
        refreshed_at: now(),
        expires_at: now() + SignedDuration::from_hours(1),
        revoked_at: None,
    }
}

async fn events(store: &impl OutboxStore) -> Vec<Event> {
    store.pending(100).await.unwrap().into_iter().map(|(_, event)| event).collect()
}

async fn an_account_is_kept_as_it_was_given(store: &impl Store) {
    let mut user = user("ada@example.org");
    user.roles = Roles { beta: true, admin: false };
    user.email_verified = true;
    user.rollover_hour = RolloverHour::new("", 23).unwrap();
    user.updated_at = now() + SignedDuration::from_millis(7);
    assert!(store.insert_user(user.clone(), hash("h")).await.unwrap());
    assert_eq!(store.users(&[user.id]).await.unwrap(), [user.clone()]);
    assert_eq!(store.user_by_email(&user.email).await.unwrap(), Some((user.clone(), hash("h"))));
    let other = Email::new("", "eve@example.org").unwrap();
    assert_eq!(store.user_by_email(&other).await.unwrap(), None);
    assert_eq!(events(store).await, [user.event()]);
}

async fn a_taken_address_changes_nothing_but_a_count(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let mut eve = user("ada@example.org");
    eve.name = PersonName::new("", "Eve").unwrap();
    assert!(!store.insert_user(eve.clone(), hash("other")).await.unwrap());
    assert_eq!(store.user_by_email(&ada.email).await.unwrap(), Some((ada.clone(), hash("h"))));
    assert_eq!(store.users(&[eve.id]).await.unwrap(), []);
    assert_eq!(events(store).await, [ada.event()]);
}

async fn of_many_signing_up_with_one_address_one_does(store: &impl Store) {
    let attempts = (0..8).map(|_| store.insert_user(user("ada@example.org"), hash("h")));
    let answers = futures::future::join_all(attempts).await;
    let inserted = answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    assert_eq!((inserted, events(store).await.len()), (1, 1));
}

async fn accounts_are_read_in_batches(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let ids = [eve.id, UserId::new(), ada.id, eve.id];
    let mut found = store.users(&ids).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [ada, eve]);
    assert_eq!(store.users(&[]).await.unwrap(), []);
}

async fn a_change_takes_the_version_it_was_made_from(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let first = changed(&user, |user| {
        user.name = PersonName::new("", "Countess").unwrap();
        user.time_zone = TimeZoneName::new("", "Asia/Tokyo").unwrap();
        user.rollover_hour = RolloverHour::new("", 0).unwrap();
        user.roles.beta = true;
        user.email_verified = true;
        user.updated_at = now() + SignedDuration::from_secs(1);
    });
    let second = changed(&user, |user| user.roles.beta = true);
    assert_eq!(store.replace_user(first.clone(), false).await.unwrap(), Replaced::Done);
    assert_eq!(store.replace_user(second, false).await.unwrap(), Replaced::Stale);
    assert_eq!(store.users(&[user.id]).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.user_by_email(&user.email).await.unwrap().unwrap().1, hash("h"));
    assert_eq!(events(store).await, [user.event(), first.event()]);

    let absent = changed(&self::user("eve@example.org"), |_| {});
    assert_eq!(store.replace_user(absent, false).await.unwrap(), Replaced::Stale);
}

async fn the_last_admin_stays(store: &impl Store) {
    let ada = insert_admin(store, "ada@example.org").await;
    insert(store, "eve@example.org").await;
    let deposed = changed(&ada, |user| user.roles.admin = false);
    let refused = store.replace_user(deposed.clone(), true).await.unwrap();
    assert_eq!(refused, Replaced::NoAdminLeft);
    assert_eq!(store.users(&[ada.id]).await.unwrap(), std::slice::from_ref(&ada));
    assert_eq!(events(store).await.len(), 2);

    insert_admin(store, "bob@example.org").await;
    assert_eq!(store.replace_user(deposed.clone(), true).await.unwrap(), Replaced::Done);
    assert_eq!(store.users(&[ada.id]).await.unwrap(), [deposed]);
}

async fn of_two_admins_who_depose_each_other_one_stays(store: &impl Store) {
    let ada = insert_admin(store, "ada@example.org").await;
    let eve = insert_admin(store, "eve@example.org").await;
    let depose = |user: &User| changed(user, |user| user.roles.admin = false);
    let (first, second) = tokio::join!(
        store.replace_user(depose(&ada), true),
        store.replace_user(depose(&eve), true)
    );
    let mut outcomes = [first.unwrap(), second.unwrap()];
    outcomes.sort_by_key(|outcome| *outcome != Replaced::Done);
    assert_eq!(outcomes, [Replaced::Done, Replaced::NoAdminLeft]);
    let left = store.users(&[ada.id, eve.id]).await.unwrap();
    assert_eq!(left.iter().filter(|user| user.roles.admin).count(), 1);
}

async fn a_hash_is_replaced_only_if_it_is_still_the_one(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let kept = async || store.user_by_email(&user.email).await.unwrap().unwrap();
    store.replace_hash(user.id, hash("not it"), hash("new")).await.unwrap();
    assert_eq!(kept().await, (user.clone(), hash("h")));
    store.replace_hash(user.id, hash("h"), hash("new")).await.unwrap();
    assert_eq!(kept().await, (user.clone(), hash("new")));
}

async fn a_session_is_kept_as_it_was_given(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let token = RefreshToken::generate();
    let session = session(user.id, &token);
    store.insert_session(session.clone()).await.unwrap();
    let found = store.session_by_family(token.family_hash()).await.unwrap();
    assert_eq!(found, Some(session));
    let other = RefreshToken::generate();
    assert_eq!(store.session_by_family(other.family_hash()).await.unwrap(), None);
    let same_family = self::session(user.id, &token);
    let error = store.insert_session(same_family).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { .. }), "{error}");
}

async fn a_token_is_rotated_once(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let token = RefreshToken::generate();
    let session = session(user.id, &token);
    store.insert_session(session.clone()).await.unwrap();
    let rotated = |next: &RefreshToken| Session {
        token: next.hash(),
        refreshed_at: now() + SignedDuration::from_secs(1),
        expires_at: session.expires_at + SignedDuration::from_secs(1),
        ..session.clone()
    };
    let (one, other) = (rotated(&token.next()), rotated(&token.next()));
    let (first, second) = tokio::join!(
        store.rotate(one.clone(), token.hash()),
        store.rotate(other.clone(), token.hash())
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first != second, "exactly one of two at the same time");
    let kept = store.session_by_family(token.family_hash()).await.unwrap().unwrap();
    assert_eq!(kept, if first { one } else { other });

    store.end_sessions(Sessions::One(kept.id), now()).await.unwrap();
    let next = rotated(&token.next());
    assert!(!store.rotate(next, kept.token).await.unwrap(), "it was ended");
}

async fn sessions_end_once(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let mut ids = Vec::new();
    for user in [&ada, &ada, &ada, &eve] {
        let session = session(user.id, &RefreshToken::generate());
        ids.push(session.id);
        store.insert_session(session).await.unwrap();
    }
    let (before, at) = (now(), now() + SignedDuration::from_secs(1));
    let one = Sessions::One(ids[0]);
    assert_eq!(store.end_sessions(one, at).await.unwrap(), [ids[0]]);
    assert_eq!(store.end_sessions(one, at).await.unwrap(), []);
    let mut rest = store.end_sessions(Sessions::Of(ada.id), at).await.unwrap();
    rest.sort();
    assert_eq!(rest, ids[1..3]);
    let absent = Sessions::One(SessionId::new());
    assert_eq!(store.end_sessions(absent, at).await.unwrap(), []);

    let mut ended = store.ended_since(before).await.unwrap();
    ended.sort();
    assert_eq!(ended, [(ids[0], at), (ids[1], at), (ids[2], at)]);
    assert_eq!(store.ended_since(at).await.unwrap(), []);
}

async fn expired_sessions_are_forgotten(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let old = RefreshToken::generate();
    let expired = session(user.id, &old);
    store.insert_session(expired.clone()).await.unwrap();
    let mut later = session(user.id, &RefreshToken::generate());
    later.created_at = expired.expires_at;
    store.insert_session(later.clone()).await.unwrap();
    assert!(store.session_by_family(old.family_hash()).await.unwrap().is_some());
    let mut latest = session(user.id, &RefreshToken::generate());
    latest.created_at = expired.expires_at + SignedDuration::from_millis(1);
    store.insert_session(latest).await.unwrap();
    assert!(store.session_by_family(old.family_hash()).await.unwrap().is_none());
}

async fn events_wait_until_they_are_delivered(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let first = store.pending(1).await.unwrap();
    assert_eq!(first[0].1, ada.event(), "the oldest first");
    store.delivered(vec![first[0].0]).await.unwrap();
    assert_eq!(events(store).await, [eve.event()]);
    store.delivered(vec![first[0].0]).await.unwrap();
    assert_eq!(events(store).await, [eve.event()]);
}

async fn it_answers_a_ping(store: &impl Store) {
    store.ping().await.unwrap();
}
