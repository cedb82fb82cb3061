//! Mail that waits, and the secrets in mail, in a MongoDB database.

use common::{MailId, StoreError};
use jiff::Timestamp;
use mongodb::bson::{self, Binary, DateTime, doc};
use mongodb::options::ReturnDocument;
use serde::{Deserialize, Serialize};

use super::{MongoStore, binary, corrupt, date, time};
use crate::model::{Email, MailGrant, MailToken, Purpose, QueuedMail, TokenHash};
use crate::store::{Answer, MailStore};

impl MailStore for MongoStore {
    fn queue_mail(&self, mail: QueuedMail) -> Answer<'_, ()> {
        Box::pin(async move {
            self.mail.insert_one(MailDocument::of(&mail)).await?;
            Ok(())
        })
    }

    fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Answer<'_, Vec<QueuedMail>> {
        Box::pin(async move {
            let mut claimed = Vec::new();
            while claimed.len() < limit as usize {
                let due = doc! { "due_at": { "$lte": date(now) } };
                let claim =
                    doc! { "$set": { "due_at": date(until) }, "$inc": { "attempts": 1_i64 } };
                let next = self
                    .mail
                    .find_one_and_update(due, claim)
                    .sort(doc! { "due_at": 1, "_id": 1 })
                    .return_document(ReturnDocument::After);
                match next.await? {
                    Some(document) => claimed.push(document.read()?),
                    None => break,
                }
            }
            claimed.sort_by_key(|mail| mail.id);
            Ok(claimed)
        })
    }

    fn put_off_mail(&self, mail: MailId, due_at: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let update = doc! { "$set": { "due_at": date(due_at) } };
            self.mail.update_one(doc! { "_id": mail.to_bson() }, update).await?;
            Ok(())
        })
    }

    fn forget_mail(&self, mail: MailId) -> Answer<'_, ()> {
        Box::pin(async move {
            self.mail.delete_one(doc! { "_id": mail.to_bson() }).await?;
            Ok(())
        })
    }

    fn insert_mail_token(&self, token: MailToken, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let expired = doc! { "expires_at": { "$lt": date(now) } };
            self.mail_tokens.delete_many(expired).await?;
            self.mail_tokens
                .insert_one(TokenDocument {
                    hash: binary(token.hash),
                    user: token.user.to_bson(),
                    purpose: token.purpose.as_str().to_owned(),
                    email: token.email.as_str().to_owned(),
                    expires_at: date(token.expires_at),
                })
                .await?;
            Ok(())
        })
    }

    fn mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>> {
        Box::pin(async move {
            let found = self.mail_tokens.find_one(good(hash, purpose, now)).await?;
            Ok(found.map(TokenDocument::grant))
        })
    }

    fn take_mail_token(
        &self,
        hash: TokenHash,
        purpose: Purpose,
        now: Timestamp,
    ) -> Answer<'_, Option<MailGrant>> {
        Box::pin(async move {
            let taken = self.mail_tokens.find_one_and_delete(good(hash, purpose, now)).await?;
            let Some(token) = taken else { return Ok(None) };
            let mut others = doc! { "user": token.user, "purpose": purpose.as_str() };
            if purpose.spares_earlier() {
                others.insert("expires_at", doc! { "$gte": token.expires_at });
            }
            self.mail_tokens.delete_many(others).await?;
            Ok(Some(token.grant()))
        })
    }
}

fn good(hash: TokenHash, purpose: Purpose, now: Timestamp) -> bson::Document {
    doc! { "_id": binary(hash), "purpose": purpose.as_str(), "expires_at": { "$gt": date(now) } }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MailDocument {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    kind: String,
    recipient: String,
    /// Whose account it is about, where that is not the recipient's.
    #[serde(default)]
    user: Option<bson::Uuid>,
    attempts: i64,
    due_at: DateTime,
    created_at: DateTime,
}

impl MailDocument {
    pub(super) fn of(mail: &QueuedMail) -> Self {
        Self {
            id: mail.id.to_bson(),
            kind: mail.kind.as_str().to_owned(),
            recipient: mail.recipient.as_str().to_owned(),
            user: mail.about.map(|user| user.to_bson()),
            attempts: mail.attempts.into(),
            due_at: date(mail.due_at),
            created_at: date(mail.created_at),
        }
    }

    fn read(self) -> Result<QueuedMail, StoreError> {
        Ok(QueuedMail {
            id: self.id.into(),
            kind: self.kind.parse().map_err(corrupt)?,
            recipient: Email::stored(self.recipient),
            about: self.user.map(Into::into),
            attempts: self.attempts.try_into().map_err(corrupt)?,
            due_at: time(self.due_at)?,
            created_at: time(self.created_at)?,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TokenDocument {
    #[serde(rename = "_id")]
    hash: Binary,
    user: bson::Uuid,
    purpose: String,
    /// Empty, which is no address, for those from before it was kept.
    #[serde(default)]
    email: String,
    expires_at: DateTime,
}

impl TokenDocument {
    fn grant(self) -> MailGrant {
        MailGrant { user: self.user.into(), email: Email::stored(self.email) }
    }
}
