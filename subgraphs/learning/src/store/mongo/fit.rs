//! What fitting weights reads and keeps.

use std::collections::HashMap;
use std::sync::Arc;

use common::{CardId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, Uuid, doc};

use super::documents::date;
use super::documents::{CardDoc, Owned};
use super::log::ReviewDoc;
use super::submit::{Attempt, logs, rulebook, try_inner, write};
use super::{Lease, MongoStore, ONE_BATCH, json, to_json};
use crate::fit::Sample;
use crate::model::{StoredCard, Weights};
use crate::scheduler::{Model, Phase};
use crate::service::{FitRecord, FitState};
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

pub(super) async fn begin(
    store: &MongoStore,
    owner: UserId,
    fit: FitRecord,
    lease: Lease,
) -> Result<FitRecord, StoreError> {
    // Nothing of a deleted account comes back.
    let gone = doc! { "_id": owner, "deleted": true };
    if store.mongo.collection::<Document>("persons").find_one(gone).await?.is_some() {
        return Ok(fit);
    }
    let fits = store.mongo.collection::<Document>("fits");
    let begun = doc! {
        "_id": Owned::document(owner, fit.id.to_bson()), "owner": owner, "startedAt": date(fit.started_at),
        "body": to_json(&fit)?, "worker": uuid(lease.worker), "lease": date(lease.until),
    };
    // An index lets a person have one that is under way.
    match fits.insert_one(begun).await.map_err(StoreError::from) {
        Ok(_) => Ok(fit),
        Err(StoreError::Duplicate { .. }) => {
            let which = doc! { "owner": owner, "lease": { "$exists": true } };
            fits.find_one(which).await?.map_or(Ok(fit), |fit| record(&fit))
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn keep(
    store: &MongoStore,
    owner: UserId,
    fit: FitRecord,
    lease: Lease,
) -> Result<bool, StoreError> {
    let which = doc! {
        "_id": Owned::document(owner, fit.id.to_bson()), "owner": owner, "worker": uuid(lease.worker), "lease": { "$exists": true },
    };
    let body = to_json(&fit)?;
    let change = if fit.is_under_way() {
        doc! { "$set": { "body": body, "lease": date(lease.until) } }
    } else {
        doc! { "$set": { "body": body }, "$unset": { "lease": "" } }
    };
    let fits = store.mongo.collection::<Document>("fits");
    Ok(fits.update_one(which, change).await?.matched_count == 1)
}

pub(super) async fn take(
    store: &MongoStore,
    now: Timestamp,
    lease: Lease,
) -> Result<Option<(UserId, FitRecord)>, StoreError> {
    let left = doc! { "lease": { "$lte": date(now) } };
    let take = doc! { "$set": { "worker": uuid(lease.worker), "lease": date(lease.until) } };
    let fits = store.mongo.collection::<Document>("fits");
    let taken = fits.find_one_and_update(left, take).sort(doc! { "lease": 1 }).await?;
    let Some(fit) = taken else { return Ok(None) };
    let owner = fit.get("owner").cloned().unwrap_or(Bson::Null);
    let owner: Uuid = mongodb::bson::deserialize_from_bson(owner)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Some((owner.into(), record(&fit)?)))
}

/// Fittings from before there were leases: their processes went away with the program of before.
pub(super) async fn end_old(store: &MongoStore) -> Result<(), StoreError> {
    let fits = store.mongo.collection::<Document>("fits");
    let old = doc! { "lease": { "$exists": false }, "body": { "$regex": r#""state":"running""# } };
    let mut found = fits.find(old).await?;
    while let Some(fit) = found.try_next().await? {
        let message = Some("it was interrupted: start it again".to_owned());
        let ended = FitRecord { state: FitState::Failed, message, ..record(&fit)? };
        let which = doc! { "_id": fit.get("_id") };
        fits.update_one(which, doc! { "$set": { "body": to_json(&ended)? } }).await?;
    }
    Ok(())
}

fn uuid(id: uuid::Uuid) -> Uuid {
    Uuid::from_bytes(id.into_bytes())
}

fn record(fit: &Document) -> Result<FitRecord, StoreError> {
    json(fit.get_str("body").map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

pub(super) async fn last(
    store: &MongoStore,
    owner: UserId,
) -> Result<Option<FitRecord>, StoreError> {
    let fits = store.mongo.collection::<Document>("fits");
    let last = fits.find_one(doc! { "owner": owner }).sort(doc! { "startedAt": -1, "_id.id": -1 });
    last.await?.as_ref().map(record).transpose()
}
