//! What is asked of accounts.

use common::Roles;
use common::page::{PageRequest, encode_cursor};
use jiff::SignedDuration;
use users::model::{
    Email, MailKind, PersonName, Purpose, QueuedMail, RefreshToken, RolloverHour, TimeZoneName,
    User,
};
use users::store::{Replaced, Store};

use crate::security::{api_key, mail_token, security_event};
use crate::support::{changed, events, hash, insert, insert_admin, now, session, user};
use common::UserId;

pub(crate) async fn an_account_is_kept_as_it_was_given(store: &impl Store) {
    let mut user = user("ada@example.org");
    user.roles = Roles { beta: true, admin: false };
    user.email_verified = true;
    user.rollover_hour = RolloverHour::new("", 23).unwrap();
    user.delete_at = Some(now() + SignedDuration::from_hours(1));
    user.updated_at = now() + SignedDuration::from_millis(7);
    assert!(store.insert_user(user.clone(), hash("h"), None).await.unwrap());
    assert_eq!(store.users(&[user.id]).await.unwrap(), [user.clone()]);
    assert_eq!(store.user_by_email(&user.email).await.unwrap(), Some((user.clone(), hash("h"))));
    let other = Email::new("", "eve@example.org").unwrap();
    assert_eq!(store.user_by_email(&other).await.unwrap(), None);
    assert_eq!(events(store).await, [user.event()]);
}

pub(crate) async fn a_taken_address_changes_nothing_but_a_count(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let mut eve = user("ada@example.org");
    eve.name = PersonName::new("", "Eve").unwrap();
    assert!(!store.insert_user(eve.clone(), hash("other"), None).await.unwrap());
    assert_eq!(store.user_by_email(&ada.email).await.unwrap(), Some((ada.clone(), hash("h"))));
    assert_eq!(store.users(&[eve.id]).await.unwrap(), []);
    assert_eq!(events(store).await, [ada.event()]);
}

pub(crate) async fn of_many_signing_up_with_one_address_one_does(store: &impl Store) {
    let attempts = (0..8).map(|_| store.insert_user(user("ada@example.org"), hash("h"), None));
    let answers = futures::future::join_all(attempts).await;
    let inserted = answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    assert_eq!((inserted, events(store).await.len()), (1, 1));
}

pub(crate) async fn accounts_are_read_in_batches(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let ids = [eve.id, UserId::new(), ada.id, eve.id];
    let mut found = store.users(&ids).await.unwrap();
    found.sort_by_key(|user| user.id);
    assert_eq!(found, [ada, eve]);
    assert_eq!(store.users(&[]).await.unwrap(), []);
}

pub(crate) async fn a_change_takes_the_version_it_was_made_from(store: &impl Store) {
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

pub(crate) async fn an_address_is_changed_unless_another_account_has_it(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    insert(store, "eve@example.org").await;
    let email = |text: &str| Email::new("", text).unwrap();
    let asked = changed(&ada, |user| user.pending_email = Some(email("eve@example.org")));
    assert_eq!(store.replace_user(asked.clone(), false).await.unwrap(), Replaced::Done);
    let kept = async || store.users(&[ada.id]).await.unwrap().remove(0);
    assert_eq!(kept().await, asked);
    let events_before = events(store).await.len();
    let taken = changed(&asked, |user| user.email = email("eve@example.org"));
    assert_eq!(store.replace_user(taken, false).await.unwrap(), Replaced::AddressTaken);
    assert_eq!(kept().await, asked, "nothing was done");
    assert_eq!(events(store).await.len(), events_before);
    let moved = changed(&asked, |user| user.email = email("new@example.org"));
    assert_eq!(store.replace_user(moved.clone(), false).await.unwrap(), Replaced::Done);
    assert!(store.user_by_email(&email("ada@example.org")).await.unwrap().is_none());
    let found = store.user_by_email(&moved.email).await.unwrap().unwrap().0;
    assert_eq!(found, moved);
}

pub(crate) async fn the_last_admin_stays(store: &impl Store) {
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

pub(crate) async fn of_two_admins_who_depose_each_other_one_stays(store: &impl Store) {
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

pub(crate) async fn a_hash_is_replaced_only_if_it_is_still_the_one(store: &impl Store) {
    let user = insert(store, "ada@example.org").await;
    let kept = async || store.user_by_email(&user.email).await.unwrap().unwrap();
    assert!(!store.replace_hash(user.id, hash("not it"), hash("new")).await.unwrap());
    assert_eq!(kept().await, (user.clone(), hash("h")));
    assert!(store.replace_hash(user.id, hash("h"), hash("new")).await.unwrap());
    assert_eq!(kept().await, (user.clone(), hash("new")));
}

pub(crate) async fn hashes_of_the_program_before_are_known(store: &impl Store) {
    assert_eq!(store.legacy_cost().await.unwrap(), None);
    let kept = ["$2a$10$x", "$2b$12$x", "$2y$04$x", "$argon2id$v=19$m=99,t=99$x"];
    for (name, kept) in ["ada", "eve", "bo", "cy"].into_iter().zip(kept) {
        let user = user(&format!("{name}@example.org"));
        assert!(store.insert_user(user, hash(kept), None).await.unwrap());
    }
    assert_eq!(store.legacy_cost().await.unwrap(), Some(12));
}

pub(crate) async fn events_wait_until_they_are_delivered(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let first = store.pending(1).await.unwrap();
    assert_eq!(first[0].1, ada.event(), "the oldest first");
    store.delivered(vec![first[0].0]).await.unwrap();
    assert_eq!(events(store).await, [eve.event()]);
    store.delivered(vec![first[0].0]).await.unwrap();
    assert_eq!(events(store).await, [eve.event()]);
}

pub(crate) async fn it_answers_a_ping(store: &impl Store) {
    store.ping().await.unwrap();
}

pub(crate) async fn accounts_are_paged_and_searched(store: &impl Store) {
    let mut users = Vec::new();
    for (email, name) in [
        ("ada@example.org", "Ada"),
        ("eve@example.com", "Éva 100%"),
        ("bob@example.org", "Bob_$eve"),
        ("carol@example.org", "$where"),
    ] {
        let mut user = user(email);
        user.name = PersonName::new("", name).unwrap();
        store.insert_user(user.clone(), hash("h"), None).await.unwrap();
        users.push(user);
    }
    let request = |first, after: Option<&User>, last, before: Option<&User>| {
        let cursor = |user: Option<&User>| user.map(|user| encode_cursor(&user.id));
        let (after, before) = (cursor(after), cursor(before));
        PageRequest::new(first, after.as_deref(), last, before.as_deref(), 50).unwrap()
    };
    let page = store.user_page(None, request(Some(2), None, None, None)).await.unwrap();
    assert_eq!((&*page.rows, page.has_previous, page.has_next), (&users[..2], false, true));
    let page = store.user_page(None, request(Some(9), Some(&users[1]), None, None)).await.unwrap();
    assert_eq!((&*page.rows, page.has_previous, page.has_next), (&users[2..], true, false));
    let page = store.user_page(None, request(None, None, Some(1), Some(&users[2]))).await.unwrap();
    assert_eq!((&*page.rows, page.has_previous, page.has_next), (&users[1..2], true, true));

    for (text, found) in [
        ("EXAMPLE.ORG", &[0, 2, 3][..]),
        ("eve", &[1, 2]),
        ("100%", &[1]),
        ("%", &[1]),
        ("_", &[2]),
        ("$where", &[3]),
        ("$eve", &[2]),
        (".*", &[]),
        ("(e+)+$", &[]),
        ("((((a*)*)*)*)*!", &[]),
        ("' OR 1=1 --", &[]),
    ] {
        let page = store.user_page(Some(text.into()), request(None, None, None, None)).await;
        let page: Vec<_> = page.unwrap().rows.iter().map(|user| user.id).collect();
        let expected: Vec<_> = found.iter().map(|index| users[*index].id).collect();
        assert_eq!(page, expected, "{text}");
    }
}

pub(crate) async fn an_account_is_removed_with_everything(store: &impl Store) {
    let (ada, eve) =
        (insert(store, "ada@example.org").await, insert(store, "eve@example.org").await);
    let token = RefreshToken::generate();
    for user in [&ada, &eve] {
        let token = if user.id == ada.id { token.clone() } else { RefreshToken::generate() };
        store.insert_session(session(user.id, &token)).await.unwrap();
        store.insert_key(api_key(user.id).0, 9).await.unwrap();
        store
            .insert_mail_token(mail_token(user.id, Purpose::ResetPassword).1, now())
            .await
            .unwrap();
        store.insert_security_event(security_event(Some(user.id))).await.unwrap();
        store
            .queue_mail(QueuedMail::new(MailKind::ResetPassword, user.email.clone(), now()))
            .await
            .unwrap();
    }
    let due = changed(&ada, |user| user.delete_at = Some(now()));
    assert_eq!(store.replace_user(due.clone(), false).await.unwrap(), Replaced::Done);
    let (before, at) = (now() - SignedDuration::from_secs(1), now() + SignedDuration::from_secs(1));
    assert_eq!(store.users_to_delete(before, 9).await.unwrap(), []);
    assert_eq!(store.users_to_delete(at, 9).await.unwrap(), std::slice::from_ref(&due));
    assert!(!store.remove_user(due.clone()).await.unwrap(), "it was changed since");

    let gone = changed(&due, |_| {});
    assert!(store.remove_user(gone.clone()).await.unwrap());
    assert!(!store.remove_user(gone.clone()).await.unwrap());
    assert_eq!(store.users_to_delete(at, 9).await.unwrap(), []);
    assert_eq!(store.users(&[ada.id, eve.id]).await.unwrap(), std::slice::from_ref(&eve));
    assert_eq!(store.user_by_email(&ada.email).await.unwrap(), None);
    assert_eq!(store.session_by_family(token.family_hash()).await.unwrap(), None);
    assert_eq!(events(store).await, [ada.event(), eve.event(), due.event(), gone.tombstone()]);
    for (user, left) in [(&ada, 0), (&eve, 1)] {
        assert_eq!(store.sessions_of(user.id, now(), 9).await.unwrap().len(), left);
        assert_eq!(store.keys_of(user.id).await.unwrap().len(), left);
        let page = PageRequest::new(None, None, None, None, 9).unwrap();
        let noted = store.security_event_page(Some(user.id), page).await.unwrap();
        assert_eq!(noted.rows.len(), left);
    }
    let mail = store.claim_mail(at, at + SignedDuration::from_secs(60), 9).await.unwrap();
    assert_eq!(mail.iter().map(|mail| &mail.recipient).collect::<Vec<_>>(), [&eve.email]);
    assert!(store.insert_user(user("ada@example.org"), hash("h"), None).await.unwrap());
}
