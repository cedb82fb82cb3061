//! API keys in a MongoDB database.

use common::{ApiKeyId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{self, Binary, DateTime, doc};
use serde::{Deserialize, Serialize};

use super::{MongoStore, binary, corrupt, date, time, token_hash};
use crate::model::{ApiKey, ApiScope, TokenHash};
use crate::store::{Answer, KeyStore, Keys};

impl KeyStore for MongoStore {
    fn insert_key(&self, key: ApiKey, most: u32) -> Answer<'_, bool> {
        Box::pin(async move {
            // It is there before the transaction: two that would both make it could not be told apart from a failure.
            let guard = doc! { "_id": key.user.to_bson() };
            let made = doc! { "$setOnInsert": { "changes": 0_i64 } };
            self.guards.update_one(guard.clone(), made).upsert(true).await?;
            let this = self.clone();
            let good = doc! {
                "user": key.user.to_bson(),
                "revoked_at": null,
                "expires_at": { "$gt": date(key.created_at) },
            };
            self.mongo
                .transaction(move |session| {
                    let (this, guard, good) = (this.clone(), guard.clone(), good.clone());
                    let document = KeyDocument::of(&key);
                    Box::pin(async move {
                        let touch = doc! { "$inc": { "changes": 1_i64 } };
                        this.guards.update_one(guard, touch).session(&mut *session).await?;
                        let count = this.keys.count_documents(good).session(&mut *session).await?;
                        if count >= u64::from(most) {
                            return Ok(false);
                        }
                        this.keys.insert_one(document).session(session).await?;
                        Ok(true)
                    })
                })
                .await
        })
    }

    fn key_by_hash(&self, hash: TokenHash) -> Answer<'_, Option<ApiKey>> {
        Box::pin(async move {
            let found = self.keys.find_one(doc! { "hash": binary(hash) }).await?;
            found.map(KeyDocument::read).transpose()
        })
    }

    fn keys_of(&self, user: UserId) -> Answer<'_, Vec<ApiKey>> {
        Box::pin(async move {
            let filter = doc! { "user": user.to_bson(), "revoked_at": null };
            let found: Vec<KeyDocument> =
                self.keys.find(filter).sort(doc! { "_id": -1 }).await?.try_collect().await?;
            found.into_iter().map(KeyDocument::read).collect()
        })
    }

    fn touch_key(&self, key: ApiKeyId, now: Timestamp, before: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let longer_ago = doc! { "last_used_at": { "$lte": date(before) } };
            let never = doc! { "last_used_at": null };
            let filter = doc! { "_id": key.to_bson(), "$or": [never, longer_ago] };
            let update = doc! { "$set": { "last_used_at": date(now) } };
            Ok(self.keys.update_one(filter, update).await?.matched_count == 1)
        })
    }

    fn revoke_keys(&self, which: Keys, now: Timestamp) -> Answer<'_, Vec<ApiKey>> {
        Box::pin(async move {
            let filter = match which {
                Keys::OneOf(user, key) => {
                    doc! { "_id": key.to_bson(), "user": user.to_bson(), "revoked_at": null }
                }
                Keys::Of(user) => doc! { "user": user.to_bson(), "revoked_at": null },
            };
            let keys = self.keys.clone();
            let found: Vec<KeyDocument> = self
                .mongo
                .transaction(move |session| {
                    let (keys, filter) = (keys.clone(), filter.clone());
                    Box::pin(async move {
                        let found: Vec<KeyDocument> = keys
                            .find(filter)
                            .session(&mut *session)
                            .await?
                            .stream(&mut *session)
                            .try_collect()
                            .await?;
                        let ids: Vec<_> = found.iter().map(|document| document.id).collect();
                        let update = doc! { "$set": { "revoked_at": date(now) } };
                        let filter = doc! { "_id": { "$in": ids } };
                        keys.update_many(filter, update).session(session).await?;
                        Ok(found)
                    })
                })
                .await?;
            let revoked =
                |document: KeyDocument| Ok(ApiKey { revoked_at: Some(now), ..document.read()? });
            found.into_iter().map(revoked).collect()
        })
    }

    fn revoked_since(&self, since: Timestamp) -> Answer<'_, Vec<(ApiKeyId, Timestamp)>> {
        Box::pin(async move {
            let filter = doc! { "revoked_at": { "$gt": date(since), "$type": "date" } };
            let found: Vec<KeyDocument> = self.keys.find(filter).await?.try_collect().await?;
            let revoked = found.into_iter().map(|document| {
                let key = document.read()?;
                Ok((key.id, key.revoked_at.unwrap_or(since)))
            });
            revoked.collect()
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    user: bson::Uuid,
    name: String,
    prefix: String,
    hash: Binary,
    scopes: Vec<String>,
    created_at: DateTime,
    expires_at: DateTime,
    last_used_at: Option<DateTime>,
    revoked_at: Option<DateTime>,
}

impl KeyDocument {
    fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_bson(),
            user: key.user.to_bson(),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            hash: binary(key.hash),
            scopes: key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: date(key.created_at),
            expires_at: date(key.expires_at),
            last_used_at: key.last_used_at.map(date),
            revoked_at: key.revoked_at.map(date),
        }
    }

    fn read(self) -> Result<ApiKey, StoreError> {
        let scopes = self.scopes.iter().map(|name| ApiScope::named(name)).collect::<Option<_>>();
        Ok(ApiKey {
            id: self.id.into(),
            user: self.user.into(),
            name: self.name,
            prefix: self.prefix,
            hash: token_hash(self.hash)?,
            scopes: scopes.ok_or_else(|| corrupt("an API key has an unknown scope"))?,
            created_at: time(self.created_at)?,
            expires_at: time(self.expires_at)?,
            last_used_at: self.last_used_at.map(time).transpose()?,
            revoked_at: self.revoked_at.map(time).transpose()?,
        })
    }
}
