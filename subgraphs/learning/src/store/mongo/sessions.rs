//! Learning sessions: starting, finishing and listing them.

use common::page::{Direction, PageRequest};
use common::{LearningSessionId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::bson::doc;
use mongodb::options::ReturnDocument;

use super::documents::{Owned, SessionDoc, date};
use super::{MongoStore, ONE_BATCH, beyond_cursor};
use crate::model::{Session, SessionKey};
use crate::store::Started;

pub(super) async fn start(store: &MongoStore, session: Session) -> Result<Started, StoreError> {
    let collections = store.collections.clone();
    let stored = store
        .mongo
        .transaction(move |transaction| {
            let (collections, session) = (collections.clone(), session.clone());
            async move {
                let Session { id, owner, deck, started_at, .. } = session;
                let key = Owned::one(owner, id.to_bson());
                // Touched rather than read: so nobody deletes the deck, or the account and all that is in it, meanwhile.
                let deck_is_there = collections
                    .decks
                    .update_one(
                        doc! { "_id": deck, "owner": owner, "deleted": false },
                        doc! { "$inc": { "sessions": 1 } },
                    )
                    .session(&mut *transaction)
                    .await?
                    .matched_count
                    > 0;
                if !deck_is_there {
                    return collections.sessions.find_one(key).session(transaction).await;
                }
                let started = doc! {
                    "deck": deck, "startedAt": date(started_at), "finishedAt": null,
                };
                collections
                    .sessions
                    .find_one_and_update(key, doc! { "$setOnInsert": started })
                    .upsert(true)
                    .return_document(ReturnDocument::After)
                    .session(transaction)
                    .await
            }
            .boxed()
        })
        .await?;
    stored.map_or(Ok(Started::UnknownDeck), |stored| stored.read().map(Started::Session))
}

pub(super) async fn finish(
    store: &MongoStore,
    owner: UserId,
    id: LearningSessionId,
    at: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let key = Owned::one(owner, id.to_bson());
    let finished = doc! { "$ifNull": ["$finishedAt", date(at)] };
    let session = store
        .collections
        .sessions
        .find_one_and_update(key, vec![doc! { "$set": { "finishedAt": finished } }])
        .return_document(ReturnDocument::After)
        .await?;
    session.map(SessionDoc::read).transpose()
}

pub(super) async fn list(
    store: &MongoStore,
    owner: UserId,
    page: PageRequest<SessionKey>,
) -> Result<Vec<Session>, StoreError> {
    let mut filter = doc! { "owner": owner };
    let (order, beyond) = match page.direction {
        Direction::Forward => (-1, "$lt"),
        Direction::Backward => (1, "$gt"),
    };
    if let Some((at, id)) = page.cursor {
        filter.extend(beyond_cursor("startedAt", beyond, at, id.to_bson()));
    }
    let sessions = store
        .collections
        .sessions
        .find(filter)
        .sort(doc! { "startedAt": order, "_id.id": order })
        .limit(i64::from(page.limit) + 1)
        .batch_size(ONE_BATCH)
        .await?;
    let sessions: Vec<SessionDoc> = sessions.try_collect().await?;
    sessions.into_iter().map(SessionDoc::read).collect()
}
