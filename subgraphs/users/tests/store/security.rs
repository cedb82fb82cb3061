//! What is asked of mail, secrets, API keys, counts of attempts and the log of security events.

use common::page::{PageRequest, encode_cursor};
use common::{ApiKeyId, Client, SecurityEventId, UserId};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use users::model::{
    ApiKey, ApiScope, ApiSecret, Attempt, AttemptKey, Backoff, Email, MailGrant, MailKind,
    MailSecret, MailToken, Purpose, QueuedMail, SecurityEvent, SecurityEventKind,
};
use users::store::{Keys, SignUpMail, Store};

use crate::support::{changed, hash, insert, now, user};

pub(crate) fn api_key(user: UserId) -> (ApiKey, ApiSecret) {
    let secret = ApiSecret::generate();
    let key = ApiKey {
        id: ApiKeyId::new(),
        user,
        name: "backup".into(),
        prefix: secret.prefix().into(),
        hash: secret.hash(),
        scopes: vec![ApiScope::Read, ApiScope::Write],
        created_at: now(),
        expires_at: now() + SignedDuration::from_hours(1),
        last_used_at: None,
        revoked_at: None,
    };
    (key, secret)
}

pub(crate) fn mail_token(user: UserId, purpose: Purpose) -> (MailSecret, MailToken) {
    let secret = MailSecret::generate();
    let expires_at = now() + SignedDuration::from_hours(1);
    let email = Email::new("", "ada@example.org").unwrap();
    let token = MailToken { hash: secret.hash(), user, purpose, email, expires_at };
    (secret, token)
}

pub(crate) fn security_event(user: Option<UserId>) -> SecurityEvent {
    SecurityEvent {
        id: SecurityEventId::new(),
        user,
        actor: None,
        kind: SecurityEventKind::LoggedIn,
        at: now(),
        client: Client::default(),
        detail: None,
    }
}

fn mail(kind: MailKind, to: &str) -> QueuedMail {
    QueuedMail::new(kind, Email::new("", to).unwrap(), now())
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(crate) async fn mail_waits_until_it_is_forgotten(store: &impl Store) {
    let first = mail(MailKind::VerifyEmail, "ada@example.org");
    let second = mail(MailKind::ResetPassword, "eve@example.org");
    let (start, later) = (now(), now() + seconds(60));
    store.queue_mail(first.clone()).await.unwrap();
    store.queue_mail(second.clone()).await.unwrap();
    assert_eq!(store.claim_mail(start - seconds(1), later, 9).await.unwrap(), []);

    let claimed =
        |mail: &QueuedMail, attempts| QueuedMail { attempts, due_at: later, ..mail.clone() };
    let at = start + seconds(1);
    assert_eq!(store.claim_mail(at, later, 1).await.unwrap(), [claimed(&first, 1)]);
    assert_eq!(store.claim_mail(at, later, 9).await.unwrap(), [claimed(&second, 1)]);
    assert_eq!(store.claim_mail(at, later, 9).await.unwrap(), [], "both are being sent");

    store.forget_mail(first.id).await.unwrap();
    store.put_off_mail(second.id, start + seconds(30)).await.unwrap();
    assert_eq!(store.claim_mail(start + seconds(29), later, 9).await.unwrap(), []);
    let again = store.claim_mail(start + seconds(30), later, 9).await.unwrap();
    assert_eq!(again, [claimed(&second, 2)]);
    let after_a_crash = store.claim_mail(later, later + seconds(60), 9).await.unwrap();
    assert_eq!(after_a_crash.len(), 1, "nobody said what became of it");
}

pub(crate) async fn a_mail_is_handed_to_one_at_a_time(store: &impl Store) {
    for n in 0..6 {
        store.queue_mail(mail(MailKind::VerifyEmail, &format!("p{n}@example.org"))).await.unwrap();
    }
    let (at, until) = (now() + seconds(1), now() + seconds(60));
    let claims = join_all((0..8).map(|_| store.claim_mail(at, until, 2))).await;
    let mut ids: Vec<_> = claims.into_iter().flat_map(Result::unwrap).map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 6);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

pub(crate) async fn signing_up_queues_the_mail_that_fits(store: &impl Store) {
    let attempts = (0..4).map(|_| {
        let mail = SignUpMail {
            welcome: mail(MailKind::VerifyEmail, "ada@example.org"),
            taken: mail(MailKind::AddressTaken, "ada@example.org"),
        };
        store.insert_user(user("ada@example.org"), hash("h"), Some(mail))
    });
    let inserted = join_all(attempts).await.into_iter().filter(|it| *it.as_ref().unwrap()).count();
    assert_eq!(inserted, 1);
    let at = now() + seconds(1);
    let queued = store.claim_mail(at, at + seconds(60), 9).await.unwrap();
    let welcome = queued.iter().filter(|mail| mail.kind == MailKind::VerifyEmail).count();
    assert_eq!((queued.len(), welcome), (4, 1));
}

pub(crate) async fn a_secret_of_a_mail_is_good_once_for_its_purpose(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let eve = insert(store, "eve@example.org").await;
    let (reset, verify) = (Purpose::ResetPassword, Purpose::VerifyEmail);
    let grant = |user| MailGrant { user, email: Email::new("", "ada@example.org").unwrap() };
    let mut hashes = Vec::new();
    for (user, purpose) in [(&ada, reset), (&ada, reset), (&ada, verify), (&eve, reset)] {
        let (secret, token) = mail_token(user.id, purpose);
        store.insert_mail_token(token, now()).await.unwrap();
        hashes.push(secret.hash());
    }
    let expires_at = now() + SignedDuration::from_hours(1);
    assert_eq!(store.mail_token(hashes[0], verify, now()).await.unwrap(), None);
    assert_eq!(store.mail_token(hashes[0], reset, expires_at).await.unwrap(), None);
    assert_eq!(store.mail_token(hashes[0], reset, now()).await.unwrap(), Some(grant(ada.id)));
    assert_eq!(store.take_mail_token(hashes[0], verify, now()).await.unwrap(), None);
    assert_eq!(store.take_mail_token(hashes[0], reset, expires_at).await.unwrap(), None);

    let (one, other) = tokio::join!(
        store.take_mail_token(hashes[0], reset, now()),
        store.take_mail_token(hashes[0], reset, now())
    );
    let taken: Vec<_> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
    assert_eq!(taken, [grant(ada.id)], "exactly one of two at the same time");
    assert_eq!(store.mail_token(hashes[1], reset, now()).await.unwrap(), None, "nor any older one");
    assert_eq!(store.mail_token(hashes[2], verify, now()).await.unwrap(), Some(grant(ada.id)));
    assert_eq!(store.mail_token(hashes[3], reset, now()).await.unwrap(), Some(grant(eve.id)));
    assert_eq!(store.mail_token(MailSecret::generate().hash(), reset, now()).await.unwrap(), None);

    let later = expires_at + seconds(1);
    let (_, fresh) = mail_token(ada.id, reset);
    store.insert_mail_token(fresh, later).await.unwrap();
    assert_eq!(store.mail_token(hashes[3], reset, now()).await.unwrap(), None, "it was forgotten");
}

pub(crate) async fn undoing_a_change_spares_the_links_of_earlier_ones(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let undo = Purpose::UndoEmailChange;
    let mut hashes = Vec::new();
    for hours in [1, 2, 3] {
        let (secret, mut token) = mail_token(ada.id, undo);
        token.expires_at = now() + SignedDuration::from_hours(hours);
        store.insert_mail_token(token, now()).await.unwrap();
        hashes.push(secret.hash());
    }
    assert!(store.take_mail_token(hashes[1], undo, now()).await.unwrap().is_some());
    let mut good = Vec::new();
    for hash in hashes {
        good.push(store.mail_token(hash, undo, now()).await.unwrap().is_some());
    }
    assert_eq!(good, [true, false, false]);
}

pub(crate) async fn a_mail_about_an_account_goes_with_it(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let about = mail(MailKind::ConfirmEmailChange, "new@example.org").about(ada.id);
    store.queue_mail(about.clone()).await.unwrap();
    let (at, until) = (now() + seconds(1), now() + seconds(60));
    let claimed = store.claim_mail(at, until, 9).await.unwrap();
    assert_eq!(claimed, [QueuedMail { attempts: 1, due_at: until, ..about }]);
    assert!(store.remove_user(changed(&ada, |_| {})).await.unwrap());
    assert_eq!(store.claim_mail(until, until, 9).await.unwrap(), []);
}

pub(crate) async fn a_key_is_kept_as_it_was_given_and_revoked_once(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let (first, _) = api_key(ada.id);
    let (mut second, _) = api_key(ada.id);
    second.scopes = vec![ApiScope::Read];
    for key in [&first, &second] {
        assert!(store.insert_key(key.clone(), 9).await.unwrap());
    }
    assert_eq!(store.key_by_hash(first.hash).await.unwrap(), Some(first.clone()));
    assert_eq!(store.key_by_hash(ApiSecret::generate().hash()).await.unwrap(), None);
    assert_eq!(store.keys_of(ada.id).await.unwrap(), [second.clone(), first.clone()]);
    let used = now() + seconds(5);
    assert!(store.touch_key(second.id, used, now()).await.unwrap());
    assert!(!store.touch_key(second.id, used + seconds(1), used - seconds(1)).await.unwrap());
    let touches = (0..5).map(|_| store.touch_key(first.id, used, now()));
    let touched = join_all(touches).await.into_iter().filter(|it| *it.as_ref().unwrap());
    assert_eq!(touched.count(), 1, "of many at the same time one is noted");
    let first = ApiKey { last_used_at: Some(used), ..first };
    let second = ApiKey { last_used_at: Some(used), ..second };
    assert_eq!(store.key_by_hash(second.hash).await.unwrap(), Some(second.clone()));

    let (before, at) = (now(), now() + seconds(1));
    let foreign = Keys::OneOf(UserId::new(), first.id);
    assert_eq!(store.revoke_keys(foreign, at).await.unwrap(), []);
    let revoked = |key: &ApiKey| ApiKey { revoked_at: Some(at), ..key.clone() };
    let one = Keys::OneOf(ada.id, first.id);
    assert_eq!(store.revoke_keys(one, at).await.unwrap(), [revoked(&first)]);
    assert_eq!(store.revoke_keys(one, at).await.unwrap(), []);
    assert_eq!(store.keys_of(ada.id).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(store.key_by_hash(first.hash).await.unwrap(), Some(revoked(&first)));
    let all = Keys::Of(ada.id);
    assert_eq!(store.revoke_keys(all, at).await.unwrap(), [revoked(&second)]);
    let mut since = store.revoked_since(before).await.unwrap();
    since.sort_unstable();
    assert_eq!(since, [(first.id, at), (second.id, at)]);
    assert_eq!(store.revoked_since(at).await.unwrap(), []);
}

pub(crate) async fn a_person_has_so_many_keys(store: &impl Store) {
    let ada = insert(store, "ada@example.org").await;
    let (mut expired, _) = api_key(ada.id);
    expired.expires_at = now();
    assert!(store.insert_key(expired, 3).await.unwrap());
    let inserted = join_all((0..6).map(|_| store.insert_key(api_key(ada.id).0, 3))).await;
    let inserted = inserted.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    assert_eq!(
        inserted, 3,
        "also when they are made at the same time; one that has expired is none"
    );
    store.revoke_keys(Keys::Of(ada.id), now()).await.unwrap();
    assert!(store.insert_key(api_key(ada.id).0, 3).await.unwrap());
}

const BACKOFF: Backoff = Backoff {
    free: 2,
    pause: SignedDuration::from_secs(10),
    longest: SignedDuration::from_secs(30),
    forget_after: SignedDuration::from_secs(1000),
};

fn key(what: &str) -> AttemptKey {
    AttemptKey::of_network(what, &Client::default())
}

pub(crate) async fn attempts_are_free_then_paused_then_forgotten(store: &impl Store) {
    let start = now();
    let attempt = async |what, after: i64| {
        let at = start + seconds(after);
        match store.attempt(key(what), BACKOFF, at).await.unwrap() {
            Attempt::Free => None,
            Attempt::Paused(until) => Some(until.duration_since(start).as_secs()),
        }
    };
    assert_eq!([attempt("a", 0).await, attempt("a", 0).await], [None, None]);
    assert_eq!(attempt("a", 0).await, None, "a pause comes after the first that is not free");
    assert_eq!(attempt("a", 0).await, Some(10));
    assert_eq!(attempt("a", 9).await, Some(10), "one that was refused makes it no longer");
    assert_eq!(attempt("b", 9).await, None, "others are not concerned");
    assert_eq!([attempt("a", 10).await, attempt("a", 10).await], [None, Some(30)]);
    assert_eq!([attempt("a", 30).await, attempt("a", 30).await], [None, Some(60)]);
    assert_eq!([attempt("a", 60).await, attempt("a", 60).await], [None, Some(90)], "the longest");
    assert_eq!(attempt("a", 1060).await, None, "everything is forgotten");
    assert_eq!([attempt("a", 1060).await, attempt("a", 1060).await], [None, None]);
    assert_eq!(attempt("a", 1060).await, Some(1070));

    store.forget_attempts(key("a")).await.unwrap();
    assert_eq!([attempt("a", 1061).await, attempt("a", 1061).await], [None, None]);
    store.purge_attempts(start + seconds(2060)).await.unwrap();
    assert_eq!(
        [attempt("a", 1062).await, attempt("a", 1062).await],
        [None, Some(1072)],
        "too early"
    );
    store.purge_attempts(start + seconds(3000)).await.unwrap();
    assert_eq!([attempt("a", 1062).await, attempt("a", 1062).await], [None, None]);
}

pub(crate) async fn of_many_attempts_at_the_same_time_the_free_ones_pass(store: &impl Store) {
    let at = now();
    let attempts = join_all((0..12).map(|_| store.attempt(key("a"), BACKOFF, at))).await;
    let passed = attempts.into_iter().filter(|it| *it.as_ref().unwrap() == Attempt::Free).count();
    assert_eq!(passed, 3);
    // They need not arrive in the order in which they looked at the clock.
    for earlier in 0..3 {
        let at = at - seconds(earlier);
        assert_eq!(store.attempt(key("b"), BACKOFF, at).await.unwrap(), Attempt::Free);
    }
}

pub(crate) async fn an_attempt_that_is_counted_late_meets_no_pause(store: &impl Store) {
    let at = now();
    for late in [2, 1, 0] {
        let made_at = at + SignedDuration::from_millis(late);
        let attempt = store.attempt(key("a"), BACKOFF, made_at).await.unwrap();
        assert_eq!(attempt, Attempt::Free, "{late}");
    }
}

pub(crate) async fn attempts_are_taken_back(store: &impl Store) {
    let at = now();
    for _ in 0..20 {
        assert_eq!(store.attempt(key("a"), BACKOFF, at).await.unwrap(), Attempt::Free);
        store.take_back_attempt(key("a")).await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(store.attempt(key("a"), BACKOFF, at).await.unwrap(), Attempt::Free);
    }
    assert!(matches!(store.attempt(key("a"), BACKOFF, at).await.unwrap(), Attempt::Paused(_)));
    store.take_back_attempt(key("a")).await.unwrap();
    assert_eq!(store.attempt(key("a"), BACKOFF, at).await.unwrap(), Attempt::Free);
    assert!(matches!(store.attempt(key("a"), BACKOFF, at).await.unwrap(), Attempt::Paused(_)));
    store.take_back_attempt(key("never")).await.unwrap();
}

pub(crate) async fn what_is_remembered_is_so_until_its_time(store: &impl Store) {
    let (at, until) = (now(), now() + seconds(10));
    assert!(!store.is_remembered(key("a"), at).await.unwrap());
    store.remember(key("a"), until).await.unwrap();
    store.remember(key("a"), until - seconds(5)).await.unwrap();
    assert!(store.is_remembered(key("a"), until - seconds(1)).await.unwrap());
    assert!(!store.is_remembered(key("a"), until).await.unwrap());
    assert!(!store.is_remembered(key("b"), at).await.unwrap());
    store.purge_attempts(until).await.unwrap();
    assert!(!store.is_remembered(key("a"), at).await.unwrap());
}

pub(crate) async fn security_events_are_paged_newest_first_and_purged(store: &impl Store) {
    let (ada, eve) = (UserId::new(), UserId::new());
    let mut events = Vec::new();
    for (n, user) in [Some(ada), Some(eve), None, Some(ada), Some(ada)].into_iter().enumerate() {
        let mut event = security_event(user);
        event.at = now() + seconds(i64::try_from(n).unwrap());
        event.actor = (n == 3).then_some(eve);
        event.detail = (n == 3).then(|| "BETA".into());
        event.client = Client::new(Some([192, 0, 2, 7].into()), Some("curl"));
        store.insert_security_event(event.clone()).await.unwrap();
        events.push(event);
    }
    let page = async |user, first, after: Option<&SecurityEvent>| {
        let cursor = after.map(|event| encode_cursor(&event.id));
        let request = PageRequest::new(Some(first), cursor.as_deref(), None, None, 9).unwrap();
        store.security_event_page(user, request).await.unwrap()
    };
    let pick = |indexes: &[usize]| indexes.iter().map(|n| events[*n].clone()).collect::<Vec<_>>();
    assert_eq!(page(None, 9, None).await.rows, pick(&[4, 3, 2, 1, 0]));
    let first = page(Some(ada), 2, None).await;
    assert_eq!((first.rows, first.has_next), (pick(&[4, 3]), true));
    let second = page(Some(ada), 2, Some(&events[3])).await;
    assert_eq!((second.rows, second.has_next), (pick(&[0]), false));
    let last = PageRequest::new(None, None, Some(2), None, 9).unwrap();
    let last = store.security_event_page(Some(ada), last).await.unwrap();
    assert_eq!((last.rows, last.has_previous), (pick(&[3, 0]), true));
    assert_eq!(page(Some(UserId::new()), 9, None).await.rows, []);

    store.purge_security_events(events[3].at).await.unwrap();
    assert_eq!(page(None, 9, None).await.rows, pick(&[4, 3]));
    store.purge_security_events(Timestamp::MIN).await.unwrap();
    assert_eq!(page(None, 9, None).await.rows.len(), 2);
}
