//! Data from before accounts could get another address: it is read as it was, but that links in mails from then are good no more, because it is
//! not known where they were sent.

use common::sqlite::Sqlite;
use common::{MailId, UserId, testing};
use jiff::SignedDuration;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use users::MIGRATIONS;
use users::model::{MailKind, MailSecret, Purpose};
use users::store::{MailStore, Store, mongo::MongoStore, sqlite::SqliteStore};

use crate::support::{insert, now};

#[tokio::test]
async fn a_file_keeps_accounts_and_mail_but_no_links() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.db");
    let (user, mail, secret) = (UserId::new(), MailId::new(), MailSecret::generate());
    let before = Sqlite::open(&path, &MIGRATIONS[..2]).unwrap();
    let (hash, later) = (secret.hash(), (now() + SignedDuration::from_hours(1)).as_millisecond());
    let written = before.write(move |connection| {
        connection.execute(
            "INSERT INTO user (id, email, name, password_hash, beta, admin, email_verified, time_zone, rollover_hour, created_at, updated_at, version)
             VALUES (?1, 'ada@example.org', 'Ada', 'h', 0, 0, 1, 'UTC', 4, 0, 0, 1)",
            [user],
        )?;
        connection.execute(
            "INSERT INTO mail VALUES (?1, 'reset-password', 'ada@example.org', 0, 0, 0)",
            [mail],
        )?;
        connection.execute(
            "INSERT INTO mail_token VALUES (?1, ?2, 'reset-password', ?3)",
            (hash.0, user, later),
        )?;
        Ok(())
    });
    written.await.unwrap();
    drop(before);
    let store = SqliteStore::new(Sqlite::open(&path, MIGRATIONS).unwrap());
    taken_over(&store, user, mail).await;
    let found = store.mail_token(secret.hash(), Purpose::ResetPassword, now()).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_database_keeps_accounts_and_mail_but_no_links() {
    let mongo = testing::mongo().await;
    let store = MongoStore::open(mongo.clone()).await.unwrap();
    let (user, mail, secret) =
        (insert(&store, "ada@example.org").await.id, MailId::new(), MailSecret::generate());
    let documents = |name| mongo.collection::<Document>(name);
    let unset = doc! { "$unset": { "pending_email": "" } };
    documents("users").update_one(doc! {}, unset).await.unwrap();
    let (at, later) =
        (DateTime::from_millis(0), (now() + SignedDuration::from_hours(1)).as_millisecond());
    let queued = doc! { "_id": mail.to_bson(), "kind": "reset-password", "recipient": "ada@example.org", "attempts": 0_i64, "due_at": at, "created_at": at };
    documents("mail").insert_one(queued).await.unwrap();
    let hash = Binary { subtype: BinarySubtype::Generic, bytes: secret.hash().0.to_vec() };
    let token = doc! { "_id": hash, "user": user.to_bson(), "purpose": "reset-password", "expires_at": DateTime::from_millis(later) };
    documents("mail_tokens").insert_one(token).await.unwrap();
    taken_over(&store, user, mail).await;
    let found = store.mail_token(secret.hash(), Purpose::ResetPassword, now()).await.unwrap();
    assert_eq!(found.unwrap().email.as_str(), "", "which is the address of no account");
}

async fn taken_over(store: &impl Store, user: UserId, mail: MailId) {
    let found = store.users(&[user]).await.unwrap();
    assert_eq!((found[0].email.as_str(), &found[0].pending_email), ("ada@example.org", &None));
    let until = now() + SignedDuration::from_mins(1);
    let queued = store.claim_mail(now(), until, 9).await.unwrap();
    assert_eq!(queued.len(), 1);
    assert_eq!(
        (queued[0].id, queued[0].kind, queued[0].about),
        (mail, MailKind::ResetPassword, None)
    );
}
