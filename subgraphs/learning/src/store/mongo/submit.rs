//! One batch of reviews in one transaction: read what it names, let [`crate::submission`] decide, write.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{CardId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Document, doc, serialize_to_document};

use super::documents::{CardDoc, MemoryDoc, Owned, ReviewDoc};
use super::{MongoStore, ONE_BATCH};
use crate::model::{Review, StoredCard};
use crate::scheduler::{Answer, CardState, Scheduler};
use crate::store::Submitted;
use crate::submission::{Admission, Known, admit};

/// What a transaction gives: the outer error makes it begin anew or fail, the inner one leaves without a change.
type Attempt<T> = mongodb::error::Result<Result<T, StoreError>>;

pub(super) async fn submit(
    store: &MongoStore,
    owner: UserId,
    batch: Arc<[Review]>,
    scheduler: Arc<Scheduler>,
) -> Result<Submitted, StoreError> {
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, batch, scheduler) = (store.clone(), batch.clone(), scheduler.clone());
            async move { attempt(&store, session, owner, &batch, &scheduler).await }.boxed()
        })
        .await?
}

async fn attempt(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    batch: &[Review],
    scheduler: &Scheduler,
) -> Attempt<Submitted> {
    let mut known = match known(store, session, owner, batch).await? {
        Ok(known) => known,
        Err(error) => return Ok(Err(error)),
    };
    let admission = admit(batch, &known);
    let logs = match answers(store, session, owner, admission.cards_to_replay(&known)).await? {
        Ok(logs) => logs,
        Err(error) => return Ok(Err(error)),
    };
    let settled = match admission.settle(scheduler, &known, logs) {
        Ok(settled) => settled,
        Err(error) => return Ok(Err(StoreError::Corrupt(error.to_string()))),
    };
    write(store, session, owner, &admission, &settled).await?;
    known.cards.extend(settled.into_iter().map(|card| (card.id, card)));
    Ok(Ok(Submitted { verdicts: admission.verdicts, cards: known.cards }))
}

async fn known(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    batch: &[Review],
) -> Attempt<Known> {
    let ids: HashSet<CardId> = batch.iter().map(|review| review.card).collect();
    let ids: Vec<CardId> = ids.into_iter().collect();
    let mut cards = store
        .collections
        .cards
        .find(doc! { "_id": { "$in": ids }, "owner": owner, "live": true })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let cards: Vec<CardDoc> = cards.stream(&mut *session).try_collect().await?;
    let keys: Vec<Document> =
        batch.iter().map(|review| Owned::document(owner, review.id.to_bson())).collect();
    let mut reviews = store
        .collections
        .reviews
        .find(doc! { "_id": { "$in": keys } })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let reviews: Vec<ReviewDoc> = reviews.stream(&mut *session).try_collect().await?;
    let read = || {
        let mut known = Known::default();
        for card in cards {
            let card = card.read()?;
            known.cards.insert(card.id, card);
        }
        for review in reviews {
            let review = review.read()?;
            known.reviews.insert(review.id, review);
        }
        Ok(known)
    };
    Ok(read())
}

async fn answers(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    cards: Vec<CardId>,
) -> Attempt<HashMap<CardId, Vec<Answer>>> {
    if cards.is_empty() {
        return Ok(Ok(HashMap::new()));
    }
    let mut reviews = store
        .collections
        .reviews
        .find(doc! { "owner": owner, "card": { "$in": cards } })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let reviews: Vec<ReviewDoc> = reviews.stream(&mut *session).try_collect().await?;
    let read = || {
        let mut logs: HashMap<CardId, Vec<Answer>> = HashMap::new();
        for review in reviews {
            logs.entry(review.card.into()).or_default().push(review.answer()?);
        }
        Ok(logs)
    };
    Ok(read())
}

async fn write(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    admission: &Admission<'_>,
    settled: &[StoredCard],
) -> mongodb::error::Result<()> {
    if admission.accepted.is_empty() {
        return Ok(());
    }
    let reviews: Vec<ReviewDoc> =
        admission.accepted.iter().map(|review| ReviewDoc::new(owner, review)).collect();
    store.collections.reviews.insert_many(reviews).session(&mut *session).await?;
    let days = admission.work().into_iter().map(|(day, work)| {
        doc! {
            "q": { "_id": { "owner": owner, "day": day.0 } },
            "u": {
                "$inc": { "reviews": work.reviews, "durationMs": work.duration_ms },
                "$setOnInsert": { "owner": owner, "day": day.0 },
            },
            "upsert": true,
        }
    });
    update(store, session, "days", days.collect()).await?;
    let cards: mongodb::error::Result<Vec<Document>> = settled.iter().map(put_memory).collect();
    update(store, session, "cards", cards?).await
}

fn put_memory(card: &StoredCard) -> mongodb::error::Result<Document> {
    let memory = card.memory.as_ref();
    let state = memory.map_or(CardState::New, |memory| memory.state);
    let memory = memory.map(MemoryDoc::from);
    let memory = memory.map(|memory| serialize_to_document(&memory)).transpose()?;
    let set = doc! { "model": card.model, "state": i32::from(state.number()), "memory": memory };
    Ok(doc! { "q": { "_id": card.id }, "u": { "$set": set } })
}

/// Runs many updates as one command.
pub(super) async fn update(
    store: &MongoStore,
    session: &mut ClientSession,
    collection: &str,
    updates: Vec<Document>,
) -> mongodb::error::Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let command = doc! { "update": collection, "updates": updates };
    let reply = store.mongo.database().run_command(command).session(session).await?;
    match reply.get("writeErrors") {
        None => Ok(()),
        Some(errors) => Err(mongodb::error::Error::custom(format!("{collection}: {errors}"))),
    }
}
