//! What fitting weights reads and keeps.

use std::collections::HashMap;
use std::sync::Arc;

use common::{CardId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, doc};

use super::documents::{CardDoc, Owned};
use super::log::ReviewDoc;
use super::submit::{Attempt, logs, rulebook, try_inner, write};
use super::{MongoStore, ONE_BATCH, json, to_json};
use crate::fit::Sample;
use crate::model::{StoredCard, Weights};
use crate::scheduler::{Model, Phase};
use crate::service::FitRecord;
use crate::submission::Settlement;

/// How many cards are rescheduled in one transaction.
const CARDS: i64 = 500;

pub(super) async fn samples(store: &MongoStore, owner: UserId) -> Result<Vec<Sample>, StoreError> {
    let native = doc! { "kind": { "$not": { "$gt": 0 } } };
    let filter = doc! { "owner": owner, "phase": { "$lt": 5 },
    "$or": [native, { "kind": 10, "rating": { "$gt": 0 } }] };
    let mut found = store.collections.reviews.find(filter).await?;
    let mut samples = Vec::new();
    while let Some(review) = found.try_next().await? {
        let review: ReviewDoc = review;
        let logged = review.read()?;
        let Some(rating) = logged.sent.action.any_rating() else { continue };
        samples.push(Sample {
            card: logged.sent.card,
            at: logged.sent.at,
            day: logged.sent.day,
            rating,
            is_first: logged.phase == Phase::New,
        });
    }
    Ok(samples)
}

pub(super) async fn put_weights(
    store: &MongoStore,
    owner: UserId,
    weights: Weights,
) -> Result<(), StoreError> {
    let numbers: Vec<Bson> =
        weights.numbers.iter().map(|number| f64::from(*number).into()).collect();
    let persons = store.mongo.collection::<Document>("persons");
    // Only one process at a time can have fitted this version; a second one leaves the first.
    let which =
        doc! { "_id": owner, "deleted": false, "weights.version": { "$ne": weights.version } };
    let push = doc! { "$push": { "weights": { "version": weights.version, "numbers": numbers } } };
    persons.update_one(which, push).await?;
    Ok(())
}

pub(super) async fn reschedule(
    store: &MongoStore,
    owner: UserId,
    model: Arc<Model>,
    from: Option<CardId>,
) -> Result<Option<CardId>, StoreError> {
    let from = from.unwrap_or_else(|| uuid::Uuid::nil().into());
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, model) = (store.clone(), Arc::clone(&model));
            async move { reschedule_once(&store, session, owner, &model, from).await }.boxed()
        })
        .await?
}

async fn reschedule_once(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    model: &Model,
    from: CardId,
) -> Attempt<Option<CardId>> {
    let filter = doc! { "owner": owner, "_id": { "$gt": from }, "lastEntry": { "$ne": null } };
    let cards = store.collections.cards.find(filter).sort(doc! { "_id": 1 }).limit(CARDS);
    let mut cards = cards.batch_size(ONE_BATCH).session(&mut *session).await?;
    let cards: Vec<CardDoc> = cards.stream(&mut *session).try_collect().await?;
    let cards: Result<Vec<StoredCard>, StoreError> = cards.into_iter().map(CardDoc::read).collect();
    let cards = try_inner!(cards);
    let Some(last) = cards.last().map(|card| card.id) else { return Ok(Ok(None)) };
    let ids: Vec<CardId> = cards.iter().map(|card| card.id).collect();
    let cards: HashMap<CardId, StoredCard> =
        cards.into_iter().map(|card| (card.id, card)).collect();
    let logs = try_inner!(logs(store, session, owner, &ids).await?);
    let rulebook = try_inner!(rulebook(store, session, owner).await?);
    let settled = Settlement::of_replay(model, &rulebook, logs, &cards);
    let settled = try_inner!(settled.map_err(|error| StoreError::Corrupt(error.to_string())));
    write(store, session, owner, &settled).await?;
    Ok(Ok(Some(last)))
}

pub(super) async fn put(
    store: &MongoStore,
    owner: UserId,
    fit: FitRecord,
) -> Result<(), StoreError> {
    // Nothing of a deleted account comes back.
    let gone = doc! { "_id": owner, "deleted": true };
    if store.mongo.collection::<Document>("persons").find_one(gone).await?.is_some() {
        return Ok(());
    }
    let fits = store.mongo.collection::<Document>("fits");
    let which = doc! { "_id": Owned::document(owner, fit.id.to_bson()) };
    let set = doc! {
        "owner": owner, "startedAt": super::date(fit.started_at), "body": to_json(&fit)?,
    };
    fits.update_one(which, doc! { "$set": set }).upsert(true).await?;
    Ok(())
}

pub(super) async fn last(
    store: &MongoStore,
    owner: UserId,
) -> Result<Option<FitRecord>, StoreError> {
    let fits = store.mongo.collection::<Document>("fits");
    let last = fits.find_one(doc! { "owner": owner }).sort(doc! { "startedAt": -1, "_id.id": -1 });
    let Some(fit) = last.await? else { return Ok(None) };
    let body = fit.get_str("body").map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Some(json(body)?))
}
