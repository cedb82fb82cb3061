//! The log of security events in a MongoDB database.

use common::page::{Page, PageRequest};
use common::{SecurityEventId, StoreError, UserId};
use jiff::Timestamp;
use mongodb::bson::{self, DateTime, Document, doc};
use serde::{Deserialize, Serialize};

use super::{MongoStore, address, client, corrupt, date, page_by_id, time, user_agent};
use crate::model::SecurityEvent;
use crate::store::{Answer, AuditStore};

impl AuditStore for MongoStore {
    fn insert_security_event(&self, event: SecurityEvent) -> Answer<'_, ()> {
        Box::pin(async move {
            self.security_events.insert_one(SecurityEventDocument::of(&event)).await?;
            Ok(())
        })
    }

    fn security_event_page(
        &self,
        user: Option<UserId>,
        page: PageRequest<SecurityEventId>,
    ) -> Answer<'_, Page<SecurityEvent>> {
        Box::pin(async move {
            let filter = user.map_or_else(Document::new, |user| doc! { "user": user.to_bson() });
            page_by_id(&self.security_events, filter, &page, true, SecurityEventDocument::read)
                .await
        })
    }

    fn purge_security_events(&self, before: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            self.security_events.delete_many(doc! { "at": { "$lt": date(before) } }).await?;
            Ok(())
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SecurityEventDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    user: Option<bson::Uuid>,
    actor: Option<bson::Uuid>,
    kind: String,
    at: DateTime,
    address: Option<String>,
    user_agent: Option<String>,
    detail: Option<String>,
}

impl SecurityEventDocument {
    fn of(event: &SecurityEvent) -> Self {
        Self {
            id: event.id.to_bson(),
            user: event.user.map(UserId::to_bson),
            actor: event.actor.map(UserId::to_bson),
            kind: event.kind.as_str().to_owned(),
            at: date(event.at),
            address: address(&event.client),
            user_agent: user_agent(&event.client),
            detail: event.detail.clone(),
        }
    }

    fn read(self) -> Result<SecurityEvent, StoreError> {
        Ok(SecurityEvent {
            id: self.id.into(),
            user: self.user.map(UserId::from),
            actor: self.actor.map(UserId::from),
            kind: self.kind.parse().map_err(corrupt)?,
            at: time(self.at)?,
            client: client(self.address.as_deref(), self.user_agent.as_deref())?,
            detail: self.detail,
        })
    }
}
