//! Everything of the domain in a MongoDB database, a module for each kind of thing.

mod accounts;
mod audit;
mod keys;
mod limits;
mod mail;
mod people;
mod sessions;

use std::net::IpAddr;

use common::mongo::Mongo;
use common::outbox::OutboxStore;
use common::page::{Direction, Page, PageRequest};
use common::{Client, Event, EventId, StoreError};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Binary, Bson, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::TokenHash;
use accounts::UserDocument;
use audit::SecurityEventDocument;
use keys::KeyDocument;
use mail::{MailDocument, TokenDocument};
use people::PersonDocument;
use sessions::SessionDocument;

/// A store in a MongoDB database.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    users: Collection<UserDocument>,
    people: Collection<PersonDocument>,
    sessions: Collection<SessionDocument>,
    mail: Collection<MailDocument>,
    mail_tokens: Collection<TokenDocument>,
    keys: Collection<KeyDocument>,
    attempts: Collection<Document>,
    remembered: Collection<Document>,
    security_events: Collection<SecurityEventDocument>,
    outbox: Collection<EventDocument>,
    /// One document that whoever takes somebody's role of administrator writes to. Two such changes of different accounts then conflict,
    /// which a transaction's snapshot alone would not make them do. Whoever makes an API key does the same with one for its owner.
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
        let set = |field: &str| some(doc! { field: { "$type": "date" } });
        let plain = IndexOptions::default;
        for (collection, name, keys, options) in [
            ("users", "email", doc! { "email": 1 }, unique()),
            ("users", "legacy", doc! { "password_hash": 1 }, some(accounts::of_legacy_hash())),
            ("users", "admins", doc! { "admin": 1 }, some(doc! { "admin": true })),
            ("users", "delete", doc! { "delete_at": 1 }, set("delete_at")),
            ("people", "user", doc! { "user": 1 }, plain()),
            ("sessions", "family", doc! { "family": 1 }, unique()),
            ("sessions", "newest", doc! { "user": 1, "refreshed_at": -1, "_id": -1 }, plain()),
            ("sessions", "expires", doc! { "expires_at": 1 }, plain()),
            ("sessions", "revoked", doc! { "revoked_at": 1 }, set("revoked_at")),
            ("mail", "next", doc! { "due_at": 1, "_id": 1 }, plain()),
            ("mail", "user", doc! { "user": 1 }, plain()),
            ("mail", "recipient", doc! { "recipient": 1 }, plain()),
            ("mail_tokens", "user", doc! { "user": 1, "purpose": 1 }, plain()),
            ("mail_tokens", "expires", doc! { "expires_at": 1 }, plain()),
            ("api_keys", "hash", doc! { "hash": 1 }, unique()),
            ("api_keys", "user", doc! { "user": 1 }, plain()),
            ("api_keys", "revoked", doc! { "revoked_at": 1 }, set("revoked_at")),
            ("attempts", "forget", doc! { "forget_at": 1 }, plain()),
            ("remembered", "forget", doc! { "forget_at": 1 }, plain()),
            ("security_events", "user", doc! { "user": 1, "_id": 1 }, plain()),
            ("security_events", "at", doc! { "at": 1 }, plain()),
        ] {
            mongo.ensure_index(collection, name, keys, options).await?;
        }
        // Before they were in the order that is asked for.
        mongo.drop_index("sessions", "user").await?;
        mongo.drop_index("mail", "due").await?;
        let guards = mongo.collection::<Document>("guards");
        let admins = doc! { "$setOnInsert": { "changes": 0_i64 } };
        guards.update_one(doc! { "_id": "admins" }, admins).upsert(true).await?;
        Ok(Self {
            users: mongo.collection("users"),
            people: mongo.collection("people"),
            sessions: mongo.collection("sessions"),
            mail: mongo.collection("mail"),
            mail_tokens: mongo.collection("mail_tokens"),
            keys: mongo.collection("api_keys"),
            attempts: mongo.collection("attempts"),
            remembered: mongo.collection("remembered"),
            security_events: mongo.collection("security_events"),
            outbox: mongo.collection("outbox"),
            guards,
            mongo,
        })
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

/// A page of what matches `filter`, sorted by `_id`.
async fn page_by_id<D, T, K>(
    collection: &Collection<D>,
    mut filter: Document,
    page: &PageRequest<K>,
    newest_first: bool,
    read: impl Fn(D) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError>
where
    D: DeserializeOwned + Send + Sync,
    K: Copy + Into<Bson>,
{
    let ascending = (page.direction == Direction::Forward) != newest_first;
    if let Some(cursor) = page.cursor {
        filter.insert("_id", doc! { if ascending { "$gt" } else { "$lt" }: cursor });
    }
    let sort = doc! { "_id": if ascending { 1 } else { -1 } };
    let limit = i64::from(page.limit) + 1;
    let found: Vec<D> =
        collection.find(filter).sort(sort).limit(limit).await?.try_collect().await?;
    let rows = found.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::from_overfull(page, rows))
}

fn address(client: &Client) -> Option<String> {
    client.address.map(|address| address.to_string())
}

fn user_agent(client: &Client) -> Option<String> {
    client.user_agent.clone()
}

fn client(address: Option<&str>, user_agent: Option<&str>) -> Result<Client, StoreError> {
    let address = address.map(str::parse::<IpAddr>).transpose().map_err(corrupt)?;
    Ok(Client::new(address, user_agent))
}
