//! Accounts and sessions in a MongoDB database.

use common::mongo::Mongo;
use common::outbox::OutboxStore;
use common::{Event, EventId, Roles, SessionId, StoreError, UserId};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Binary, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use super::{Answer, Replaced, Sessions, Store};
use crate::model::{
    Email, PasswordHash, PersonName, RolloverHour, Session, TimeZoneName, TokenHash, User,
};

/// A store in a MongoDB database.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    users: Collection<UserDocument>,
    sessions: Collection<SessionDocument>,
    outbox: Collection<EventDocument>,
    /// One document that whoever takes somebody's role of administrator writes to. Two such changes of different accounts then conflict,
    /// which a transaction's snapshot alone would not make them do.
    guards: Collection<Document>,
}

impl MongoStore {
    /// Uses a database, and makes the indexes it needs.
    ///
    /// # Errors
    /// What the server says, also when there is an index of the same name that differs.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        let unique = || IndexOptions::builder().unique(true).build();
        let some = |filter| IndexOptions::builder().partial_filter_expression(filter).build();
        mongo.ensure_index("users", "email", doc! { "email": 1 }, unique()).await?;
        let admins = some(doc! { "admin": true });
        mongo.ensure_index("users", "admins", doc! { "admin": 1 }, admins).await?;
        mongo.ensure_index("sessions", "family", doc! { "family": 1 }, unique()).await?;
        let plain = IndexOptions::default;
        mongo.ensure_index("sessions", "user", doc! { "user": 1 }, plain()).await?;
        mongo.ensure_index("sessions", "expires", doc! { "expires_at": 1 }, plain()).await?;
        let ended = some(doc! { "revoked_at": { "$type": "date" } });
        mongo.ensure_index("sessions", "revoked", doc! { "revoked_at": 1 }, ended).await?;
        let guards = mongo.collection::<Document>("guards");
        let admins = doc! { "$setOnInsert": { "changes": 0_i64 } };
        guards.update_one(doc! { "_id": "admins" }, admins).upsert(true).await?;
        Ok(Self {
            users: mongo.collection("users"),
            sessions: mongo.collection("sessions"),
            outbox: mongo.collection("outbox"),
            guards,
            mongo,
        })
    }

    async fn find_users(&self, filter: Document) -> Result<Vec<UserDocument>, StoreError> {
        Ok(self.users.find(filter).await?.try_collect().await?)
    }
}

impl Store for MongoStore {
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

    fn insert_user(&self, user: User, hash: PasswordHash) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut document = bson::serialize_to_document(&UserDocument::of(&user, &hash))
                .map_err(|error| StoreError::Other(Box::new(error)))?;
            document.remove("email");
            let filter = doc! { "email": user.email.as_str() };
            let update = doc! { "$setOnInsert": document, "$inc": { "sign_up_attempts": 1_i64 } };
            let event = EventDocument::of(&user.event())?;
            let inserted = self.mongo.transaction(move |session| {
                let (users, outbox) = (self.users.clone(), self.outbox.clone());
                let (filter, update, event) = (filter.clone(), update.clone(), event.clone());
                Box::pin(async move {
                    let update = users.update_one(filter, update).upsert(true);
                    let inserted = update.session(&mut *session).await?.upserted_id.is_some();
                    if inserted {
                        outbox.insert_one(event).session(session).await?;
                    }
                    Ok(inserted)
                })
            });
            match inserted.await {
                // Somebody signed up with the same address at the same time, and was faster.
                Err(StoreError::Duplicate { index }) if index == "email" => Ok(false),
                inserted => inserted,
            }
        })
    }

    fn replace_user(&self, user: User, keep_an_admin: bool) -> Answer<'_, Replaced> {
        Box::pin(async move {
            let event = EventDocument::of(&user.event())?;
            let this = self.clone();
            self.mongo
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
                .await
        })
    }

    fn replace_hash(&self, user: UserId, old: PasswordHash, new: PasswordHash) -> Answer<'_, ()> {
        Box::pin(async move {
            let filter = doc! { "_id": user.to_bson(), "password_hash": old.0 };
            let update = doc! { "$set": { "password_hash": new.0 } };
            self.users.update_one(filter, update).await?;
            Ok(())
        })
    }

    fn insert_session(&self, session: Session) -> Answer<'_, ()> {
        Box::pin(async move {
            let expired = doc! { "expires_at": { "$lt": date(session.created_at) } };
            self.sessions.delete_many(expired).await?;
            self.sessions.insert_one(SessionDocument::of(&session)).await?;
            Ok(())
        })
    }

    fn session_by_family(&self, family: TokenHash) -> Answer<'_, Option<Session>> {
        Box::pin(async move {
            let found = self.sessions.find_one(doc! { "family": binary(family) }).await?;
            found.map(SessionDocument::read).transpose()
        })
    }

    fn rotate(&self, session: Session, old: TokenHash) -> Answer<'_, bool> {
        Box::pin(async move {
            let filter =
                doc! { "_id": session.id.to_bson(), "token": binary(old), "revoked_at": null };
            let update = doc! { "$set": {
                "token": binary(session.token),
                "refreshed_at": date(session.refreshed_at),
                "expires_at": date(session.expires_at),
            } };
            Ok(self.sessions.update_one(filter, update).await?.matched_count > 0)
        })
    }

    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>> {
        Box::pin(async move {
            let filter = match which {
                Sessions::One(session) => doc! { "_id": session.to_bson(), "revoked_at": null },
                Sessions::Of(user) => doc! { "user": user.to_bson(), "revoked_at": null },
            };
            let sessions = self.sessions.clone();
            self.mongo
                .transaction(move |session| {
                    let (sessions, filter) = (sessions.clone(), filter.clone());
                    Box::pin(async move {
                        let found: Vec<SessionDocument> = sessions
                            .find(filter)
                            .session(&mut *session)
                            .await?
                            .stream(&mut *session)
                            .try_collect()
                            .await?;
                        let ids: Vec<_> = found.iter().map(|document| document.id).collect();
                        let filter = doc! { "_id": { "$in": &ids } };
                        let update = doc! { "$set": { "revoked_at": date(now) } };
                        sessions.update_many(filter, update).session(session).await?;
                        Ok(ids.into_iter().map(SessionId::from).collect())
                    })
                })
                .await
        })
    }

    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>> {
        Box::pin(async move {
            let filter = doc! { "revoked_at": { "$gt": date(since) } };
            let found: Vec<SessionDocument> =
                self.sessions.find(filter).await?.try_collect().await?;
            let ended = found.into_iter().map(|document| {
                let session = document.read()?;
                Ok((session.id, session.revoked_at.unwrap_or(since)))
            });
            ended.collect()
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}

impl MongoStore {
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

impl OutboxStore for MongoStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let oldest = self.outbox.find(doc! {}).sort(doc! { "_id": 1 }).limit(limit);
            let found: Vec<EventDocument> = oldest.await?.try_collect().await?;
            found.into_iter().map(EventDocument::read).collect()
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let ids: Vec<_> = events.iter().map(|id| id.to_bson()).collect();
            self.outbox.delete_many(doc! { "_id": { "$in": ids } }).await?;
            Ok(())
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    email: String,
    name: String,
    password_hash: String,
    beta: bool,
    admin: bool,
    email_verified: bool,
    time_zone: String,
    rollover_hour: i32,
    created_at: DateTime,
    updated_at: DateTime,
    version: i64,
}

impl UserDocument {
    fn of(user: &User, hash: &PasswordHash) -> Self {
        Self {
            id: user.id.to_bson(),
            email: user.email.as_str().to_owned(),
            name: user.name.as_str().to_owned(),
            password_hash: hash.0.clone(),
            beta: user.roles.beta,
            admin: user.roles.admin,
            email_verified: user.email_verified,
            time_zone: user.time_zone.as_str().to_owned(),
            rollover_hour: user.rollover_hour.get().into(),
            created_at: date(user.created_at),
            updated_at: date(user.updated_at),
            version: user.version,
        }
    }

    fn read(self) -> Result<(User, PasswordHash), StoreError> {
        let user = User {
            id: self.id.into(),
            email: Email::stored(self.email),
            name: PersonName::stored(self.name),
            roles: Roles { beta: self.beta, admin: self.admin },
            email_verified: self.email_verified,
            time_zone: TimeZoneName::stored(self.time_zone),
            rollover_hour: RolloverHour::new("rollover_hour", self.rollover_hour)
                .map_err(corrupt)?,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
            version: self.version,
        };
        Ok((user, PasswordHash(self.password_hash)))
    }
}

/// The fields of an account that can change, besides the hash of the password.
fn changeable(user: &User) -> Document {
    doc! {
        "email": user.email.as_str(),
        "name": user.name.as_str(),
        "beta": user.roles.beta,
        "admin": user.roles.admin,
        "email_verified": user.email_verified,
        "time_zone": user.time_zone.as_str(),
        "rollover_hour": i32::from(user.rollover_hour.get()),
        "updated_at": date(user.updated_at),
        "version": user.version,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SessionDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    user: bson::Uuid,
    family: Binary,
    token: Binary,
    created_at: DateTime,
    refreshed_at: DateTime,
    expires_at: DateTime,
    revoked_at: Option<DateTime>,
}

impl SessionDocument {
    fn of(session: &Session) -> Self {
        Self {
            id: session.id.to_bson(),
            user: session.user.to_bson(),
            family: binary(session.family),
            token: binary(session.token),
            created_at: date(session.created_at),
            refreshed_at: date(session.refreshed_at),
            expires_at: date(session.expires_at),
            revoked_at: session.revoked_at.map(date),
        }
    }

    fn read(self) -> Result<Session, StoreError> {
        Ok(Session {
            id: self.id.into(),
            user: self.user.into(),
            family: token_hash(self.family)?,
            token: token_hash(self.token)?,
            created_at: time(self.created_at)?,
            refreshed_at: time(self.refreshed_at)?,
            expires_at: time(self.expires_at)?,
            revoked_at: self.revoked_at.map(time).transpose()?,
        })
    }
}

/// An event as JSON: the form in which the domains exchange it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EventDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    event: String,
}

impl EventDocument {
    fn of(event: &Event) -> Result<Self, StoreError> {
        let event =
            serde_json::to_string(event).map_err(|error| StoreError::Other(Box::new(error)))?;
        Ok(Self { id: EventId::new().to_bson(), event })
    }

    fn read(self) -> Result<(EventId, Event), StoreError> {
        Ok((self.id.into(), serde_json::from_str(&self.event).map_err(corrupt)?))
    }
}

fn binary(TokenHash(bytes): TokenHash) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}

fn token_hash(binary: Binary) -> Result<TokenHash, StoreError> {
    let bytes = <[u8; 32]>::try_from(binary.bytes);
    bytes.map(TokenHash).map_err(|_| corrupt("a hash is not of 32 bytes"))
}

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

fn time(date: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(date.timestamp_millis()).map_err(corrupt)
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
