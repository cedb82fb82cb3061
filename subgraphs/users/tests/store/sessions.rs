//! What is asked of sessions.

use common::{Client, SessionId, StoreError, UserId};
use jiff::SignedDuration;
use users::model::{RefreshToken, Seed, Session};
use users::store::{Sessions, Store};

use crate::support::{insert, now, session};

pub(crate) async fn a_session_is_kept_as_it_was_given(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let token = RefreshToken::generate();
    let mut session = session(user.id, &token);
    session.client = Client::new(Some([192, 0, 2, 7].into()), Some("Firefox"));
    store.insert_session(session.clone()).await.unwrap();
    let found = store.session_by_family(token.family_hash()).await.unwrap();
    assert_eq!(found, Some(session));
    let other = RefreshToken::generate();
    assert_eq!(store.session_by_family(other.family_hash()).await.unwrap(), None);
    let same_family = self::session(user.id, &token);
    let error = store.insert_session(same_family).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { .. }), "{error}");
}

pub(crate) async fn a_token_is_rotated_once(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let token = RefreshToken::generate();
    let session = session(user.id, &token);
    store.insert_session(session.clone()).await.unwrap();
    let rotated = |next: &RefreshToken| Session {
        token: next.hash(),
        seed: Seed::generate(),
        refreshed_at: now() + SignedDuration::from_secs(1),
        expires_at: session.expires_at + SignedDuration::from_secs(1),
        client: Client::new(Some("2001:db8::1".parse().unwrap()), None),
        ..session.clone()
    };
    let next = || token.next(&Seed::generate());
    let (one, other) = (rotated(&next()), rotated(&next()));
    let (first, second) = tokio::join!(
        store.rotate(one.clone(), token.hash()),
        store.rotate(other.clone(), token.hash())
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first != second, "exactly one of two at the same time");
    let kept = store.session_by_family(token.family_hash()).await.unwrap().unwrap();
    assert_eq!(kept, if first { one } else { other });

    store.end_sessions(Sessions::One(kept.id), now()).await.unwrap();
    let next = rotated(&next());
    assert!(!store.rotate(next, kept.token).await.unwrap(), "it was ended");
}

pub(crate) async fn sessions_end_once(store: &impl Store) {
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
    for foreign in [Sessions::OneOf(eve.id, ids[1]), Sessions::OthersOf(UserId::new(), ids[1])] {
        assert_eq!(store.end_sessions(foreign, at).await.unwrap(), []);
    }
    let others = Sessions::OthersOf(ada.id, ids[2]);
    assert_eq!(store.end_sessions(others, at).await.unwrap(), [ids[1]]);
    assert_eq!(store.end_sessions(Sessions::Of(ada.id), at).await.unwrap(), [ids[2]]);
    assert_eq!(store.end_sessions(Sessions::Of(ada.id), at).await.unwrap(), []);
    let own = Sessions::OneOf(eve.id, ids[3]);
    assert_eq!(store.end_sessions(own, before).await.unwrap(), [ids[3]]);
    let absent = Sessions::One(SessionId::new());
    assert_eq!(store.end_sessions(absent, at).await.unwrap(), []);

    let mut ended = store.ended_since(before).await.unwrap();
    ended.sort();
    assert_eq!(ended, [(ids[0], at), (ids[1], at), (ids[2], at)]);
    assert_eq!(store.ended_since(at).await.unwrap(), []);
}

pub(crate) async fn expired_sessions_are_forgotten(store: &impl Store) {
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

pub(crate) async fn sessions_that_are_good_are_listed(store: &impl Store) {
    let (ada, eve) =
        (insert(store, "ada@example.org").await, insert(store, "eve@example.org").await);
    let mut sessions = Vec::new();
    for (user, age) in [(&ada, 3), (&ada, 1), (&ada, 2), (&ada, 0), (&eve, 0)] {
        let mut session = session(user.id, &RefreshToken::generate());
        session.refreshed_at = now() - SignedDuration::from_secs(age);
        sessions.push(session);
    }
    sessions[0].expires_at = now() + SignedDuration::from_secs(1);
    for session in &sessions {
        store.insert_session(session.clone()).await.unwrap();
    }
    store.end_sessions(Sessions::One(sessions[3].id), now()).await.unwrap();
    let listed = async |at, limit| {
        let listed = store.sessions_of(ada.id, at, limit).await.unwrap();
        listed.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    let ids: Vec<_> = [1, 2, 0].map(|index: usize| sessions[index].id).into();
    assert_eq!(listed(now(), 9).await, ids);
    assert_eq!(listed(now(), 2).await, ids[..2]);
    assert_eq!(listed(sessions[0].expires_at, 9).await, ids[..2]);
    assert_eq!(store.sessions_of(ada.id, now(), 1).await.unwrap(), sessions[1..2]);
}
