//! Accounts in a MongoDB database.

use common::page::{Page, PageRequest};
use common::{Roles, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::ClientSession;
use mongodb::bson::{self, DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use super::mail::MailDocument;
use super::{EventDocument, MongoStore, corrupt, date, page_by_id, time};
use crate::model::{Email, PasswordHash, PersonName, RolloverHour, TimeZoneName, User};
use crate::store::{AccountStore, Answer, Replaced, SignUpMail};

impl AccountStore for MongoStore {
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        Box::pin(async move {
            let ids: Vec<_> = ids.iter().map(|id| id.to_bson()).collect();
            let found = self.find_users(doc! { "_id": { "$in": ids } }).await?;
            found.into_iter().map(|document| Ok(document.read()?.0)).collect()
        })
    }

    fn user_by_email<'a>(&'a self, email: &'a Email) -> Answer<'a, Option<(User, PasswordHash)>> {
        Box::pin(async move {
            let found = self.users.find_one(doc! { "email": email.as_str() }).await?;
            found.map(UserDocument::read).transpose()
        })
    }

    fn user_page(&self, text: Option<String>, page: PageRequest<UserId>) -> Answer<'_, Page<User>> {
        Box::pin(async move {
            // The text is compared as it is: it is no pattern, nor can it be an operator.
            let holds = |field: &str, text: &str| {
                let index = doc! { "$indexOfCP": [{ "$toLower": field }, { "$toLower": { "$literal": text } }] };
                doc! { "$gte": [index, 0] }
            };
            let filter = text.map_or_else(Document::new, |text| {
                doc! { "$expr": { "$or": [holds("$email", &text), holds("$name", &text)] } }
            });
            page_by_id(&self.users, filter, &page, false, |document| Ok(document.read()?.0)).await
        })
    }

    fn legacy_cost(&self) -> Answer<'_, Option<u32>> {
        Box::pin(async move {
            let legacy = doc! { "$match": of_legacy_hash() };
            let cost = doc! { "$substrBytes": ["$password_hash", 4, 2] };
            let most = doc! { "$group": { "_id": null, "cost": { "$max": cost } } };
            let mut found = self.users.aggregate([legacy, most]).await?;
            let most = found.try_next().await?;
            // Two digits each: the greatest text is the greatest number.
            Ok(most.and_then(|most| most.get_str("cost").ok()?.parse().ok()))
        })
    }

    fn insert_user(
        &self,
        user: User,
        hash: PasswordHash,
        mail: Option<SignUpMail>,
    ) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut document = bson::serialize_to_document(&UserDocument::of(&user, &hash))
                .map_err(|error| StoreError::Other(Box::new(error)))?;
            document.remove("email");
            let filter = doc! { "email": user.email.as_str() };
            let update = doc! { "$setOnInsert": document, "$inc": { "sign_up_attempts": 1_i64 } };
            let event = EventDocument::of(&user.event())?;
            let (welcome, taken) = match &mail {
                Some(mail) => {
                    (Some(MailDocument::of(&mail.welcome)), Some(MailDocument::of(&mail.taken)))
                }
                None => (None, None),
            };
            let again = taken.clone();
            let inserted = self.mongo.transaction(move |session| {
                let (users, outbox, queue) =
                    (self.users.clone(), self.outbox.clone(), self.mail.clone());
                let (filter, update, event) = (filter.clone(), update.clone(), event.clone());
                let (welcome, taken) = (welcome.clone(), taken.clone());
                Box::pin(async move {
                    let update = users.update_one(filter, update).upsert(true);
                    let inserted = update.session(&mut *session).await?.upserted_id.is_some();
                    if inserted {
                        outbox.insert_one(event).session(&mut *session).await?;
                    }
                    if let Some(mail) = if inserted { welcome } else { taken } {
                        queue.insert_one(mail).session(session).await?;
                    }
                    Ok(inserted)
                })
            });
            match inserted.await {
                // Somebody signed up with the same address at the same time, and was faster.
                Err(StoreError::Duplicate { index }) if index == "email" => {
                    if let Some(mail) = again {
                        self.mail.insert_one(mail).await?;
                    }
                    Ok(false)
                }
                inserted => inserted,
            }
        })
    }

    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced> {
        Box::pin(async move {
            let event = EventDocument::of(&user.event())?;
            let this = self.clone();
            let replaced = self
                .mongo
                .transaction(move |session| {
                    let (this, user, event) = (this.clone(), user.clone(), event.clone());
                    Box::pin(async move {
                        if keep_an_admin
                            && !user.roles.admin
                            && !this.another_admin(&user, session).await?
                        {
                            return Ok(Replaced::NoAdminLeft);
                        }
                        let filter = doc! { "_id": user.id.to_bson(), "version": user.version - 1 };
                        let update = doc! { "$set": changeable(&user) };
                        let update = this.users.update_one(filter, update).session(&mut *session);
                        if update.await?.matched_count == 0 {
                            return Ok(Replaced::Stale);
                        }
                        this.outbox.insert_one(event).session(session).await?;
                        Ok(Replaced::Done)
                    })
                })
                .await;
            match replaced {
                Err(StoreError::Duplicate { index }) if index == "email" => {
                    Ok(Replaced::AddressTaken)
                }
                replaced => replaced,
            }
        })
    }

    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, bool> {
        Box::pin(async move {
            let filter = doc! { "_id": user.to_bson(), "password_hash": old.0 };
            let update = doc! { "$set": { "password_hash": new.0 } };
            Ok(self.users.update_one(filter, update).await?.matched_count > 0)
        })
    }

    fn users_to_delete(&self, now: Timestamp, limit: u32) -> Answer<'_, Vec<User>> {
        Box::pin(async move {
            let due = self.users.find(doc! { "delete_at": { "$lte": date(now), "$type": "date" } });
            let due = due.sort(doc! { "delete_at": 1 }).limit(limit.into());
            let found: Vec<UserDocument> = due.await?.try_collect().await?;
            found.into_iter().map(|document| Ok(document.read()?.0)).collect()
        })
    }

    fn remove_user(&self, user: User) -> Answer<'_, bool> {
        Box::pin(async move {
            let event = EventDocument::of(&user.tombstone())?;
            let this = self.clone();
            self.mongo
                .transaction(move |session| {
                    let (this, user, event) = (this.clone(), user.clone(), event.clone());
                    Box::pin(async move {
                        let filter = doc! { "_id": user.id.to_bson(), "version": user.version - 1 };
                        let removed = this.users.delete_one(filter).session(&mut *session).await?;
                        if removed.deleted_count == 0 {
                            return Ok(false);
                        }
                        let theirs = || doc! { "user": user.id.to_bson() };
                        let mail = doc! { "$or": [{ "recipient": user.email.as_str() }, theirs()] };
                        this.people.delete_many(theirs()).session(&mut *session).await?;
                        this.sessions.delete_many(theirs()).session(&mut *session).await?;
                        this.mail_tokens.delete_many(theirs()).session(&mut *session).await?;
                        this.keys.delete_many(theirs()).session(&mut *session).await?;
                        this.security_events.delete_many(theirs()).session(&mut *session).await?;
                        this.mail.delete_many(mail).session(&mut *session).await?;
                        let guard = doc! { "_id": user.id.to_bson() };
                        this.guards.delete_one(guard).session(&mut *session).await?;
                        this.outbox.insert_one(event).session(session).await?;
                        Ok(true)
                    })
                })
                .await
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

impl MongoStore {
    async fn find_users(&self, filter: Document) -> Result<Vec<UserDocument>, StoreError> {
        Ok(self.users.find(filter).await?.try_collect().await?)
    }

    /// Whether somebody besides `user` may administer. The answer holds until the transaction ends.
    async fn another_admin(
        &self,
        user: &User,
        session: &mut ClientSession,
    ) -> mongodb::error::Result<bool> {
        let guard = doc! { "_id": "admins" };
        let touch = doc! { "$inc": { "changes": 1_i64 } };
        self.guards.update_one(guard, touch).session(&mut *session).await?;
        let others = doc! { "admin": true, "_id": { "$ne": user.id.to_bson() } };
        Ok(self.users.find_one(others).session(session).await?.is_some())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UserDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    email: String,
    name: String,
    password_hash: String,
    beta: bool,
    admin: bool,
    email_verified: bool,
    #[serde(default)]
    pending_email: Option<String>,
    time_zone: String,
    rollover_hour: i32,
    #[serde(default)]
    delete_at: Option<DateTime>,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
}

impl UserDocument {
    pub(super) fn of(user: &User, hash: &PasswordHash) -> Self {
        Self {
            id: user.id.to_bson(),
            email: user.email.as_str().to_owned(),
            name: user.name.as_str().to_owned(),
            password_hash: hash.0.clone(),
            beta: user.roles.beta,
            admin: user.roles.admin,
            email_verified: user.email_verified,
            pending_email: user.pending_email.as_ref().map(|email| email.as_str().to_owned()),
            time_zone: user.time_zone.as_str().to_owned(),
            rollover_hour: user.rollover_hour.get().into(),
            delete_at: user.delete_at.map(date),
            created_at: date(user.created_at),
            updated_at: date(user.updated_at),
            version: user.version,
        }
    }

    pub(super) fn read(self) -> Result<(User, PasswordHash), StoreError> {
        let user = User {
            id: self.id.into(),
            email: Email::stored(self.email),
            name: PersonName::stored(self.name),
            roles: Roles { beta: self.beta, admin: self.admin },
            email_verified: self.email_verified,
            pending_email: self.pending_email.map(Email::stored),
            time_zone: TimeZoneName::stored(self.time_zone),
            rollover_hour: RolloverHour::new("rollover_hour", self.rollover_hour)
                .map_err(corrupt)?,
            delete_at: self.delete_at.map(time).transpose()?,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
            version: self.version,
        };
        Ok((user, PasswordHash(self.password_hash)))
    }
}

/// Accounts whose password was hashed by bcrypt.
pub(super) fn of_legacy_hash() -> Document {
    doc! { "password_hash": { "$gte": "$2", "$lt": "$3" } }
}

/// The fields of an account that can change, besides the hash of the password.
fn changeable(user: &User) -> Document {
    doc! {
        "email": user.email.as_str(),
        "name": user.name.as_str(),
        "beta": user.roles.beta,
        "admin": user.roles.admin,
        "email_verified": user.email_verified,
        "pending_email": user.pending_email.as_ref().map(Email::as_str),
        "time_zone": user.time_zone.as_str(),
        "rollover_hour": i32::from(user.rollover_hour.get()),
        "delete_at": user.delete_at.map(date),
        "updated_at": date(user.updated_at),
        "version": user.version,
    }
}
