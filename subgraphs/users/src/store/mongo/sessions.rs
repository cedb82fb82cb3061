//! Sessions in a MongoDB database.

use common::{SessionId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{self, Binary, DateTime, doc};
use serde::{Deserialize, Serialize};

use super::{MongoStore, address, binary, client, date, time, token_hash, user_agent};
use crate::model::{Seed, Session, TokenHash};
use crate::store::{Answer, SessionStore, Sessions};

impl SessionStore for MongoStore {
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
                "seed": seed(session.seed),
                "refreshed_at": date(session.refreshed_at),
                "expires_at": date(session.expires_at),
                "address": address(&session.client),
                "user_agent": user_agent(&session.client),
            } };
            Ok(self.sessions.update_one(filter, update).await?.matched_count > 0)
        })
    }

    fn end_sessions(&self, which: Sessions, now: Timestamp) -> Answer<'_, Vec<SessionId>> {
        Box::pin(async move {
            let filter = match which {
                Sessions::One(session) => doc! { "_id": session.to_bson(), "revoked_at": null },
                Sessions::OneOf(user, session) => {
                    doc! { "_id": session.to_bson(), "user": user.to_bson(), "revoked_at": null }
                }
                Sessions::Of(user) => doc! { "user": user.to_bson(), "revoked_at": null },
                Sessions::OthersOf(user, session) => {
                    doc! { "_id": { "$ne": session.to_bson() }, "user": user.to_bson(), "revoked_at": null }
                }
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

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: u32) -> Answer<'_, Vec<Session>> {
        Box::pin(async move {
            let filter = doc! { "user": user.to_bson(), "revoked_at": null, "expires_at": { "$gt": date(now) } };
            let found = self.sessions.find(filter).sort(doc! { "refreshed_at": -1, "_id": -1 });
            let found: Vec<SessionDocument> =
                found.limit(limit.into()).await?.try_collect().await?;
            found.into_iter().map(SessionDocument::read).collect()
        })
    }

    fn ended_since(&self, since: Timestamp) -> Answer<'_, Vec<(SessionId, Timestamp)>> {
        Box::pin(async move {
            let filter = doc! { "revoked_at": { "$gt": date(since), "$type": "date" } };
            let found: Vec<SessionDocument> =
                self.sessions.find(filter).await?.try_collect().await?;
            let ended = found.into_iter().map(|document| {
                let session = document.read()?;
                Ok((session.id, session.revoked_at.unwrap_or(since)))
            });
            ended.collect()
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    user: bson::Uuid,
    family: Binary,
    token: Binary,
    /// Absent in sessions from before there were seeds, until they are refreshed.
    #[serde(default)]
    seed: Option<Binary>,
    created_at: DateTime,
    refreshed_at: DateTime,
    expires_at: DateTime,
    revoked_at: Option<DateTime>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
}

impl SessionDocument {
    fn of(session: &Session) -> Self {
        Self {
            id: session.id.to_bson(),
            user: session.user.to_bson(),
            family: binary(session.family),
            token: binary(session.token),
            seed: Some(seed(session.seed)),
            created_at: date(session.created_at),
            refreshed_at: date(session.refreshed_at),
            expires_at: date(session.expires_at),
            revoked_at: session.revoked_at.map(date),
            address: address(&session.client),
            user_agent: user_agent(&session.client),
        }
    }

    fn read(self) -> Result<Session, StoreError> {
        Ok(Session {
            id: self.id.into(),
            user: self.user.into(),
            family: token_hash(self.family)?,
            token: token_hash(self.token)?,
            seed: match self.seed {
                Some(seed) => Seed(token_hash(seed)?.0),
                None => Seed::generate(),
            },
            created_at: time(self.created_at)?,
            refreshed_at: time(self.refreshed_at)?,
            expires_at: time(self.expires_at)?,
            revoked_at: self.revoked_at.map(time).transpose()?,
            client: client(self.address.as_deref(), self.user_agent.as_deref())?,
        })
    }
}

fn seed(seed: Seed) -> Binary {
    binary(TokenHash(seed.0))
}
