//! Counts of attempts in a MongoDB database.

use common::StoreError;
use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use mongodb::options::ReturnDocument;

use super::{MongoStore, corrupt, date, time};
use crate::model::{Attempt, AttemptKey, Backoff};
use crate::store::{Answer, LimitStore};

impl LimitStore for MongoStore {
    fn attempt(&self, key: AttemptKey, backoff: Backoff, now: Timestamp) -> Answer<'_, Attempt> {
        Box::pin(async move {
            let filter = doc! { "_id": binary(key) };
            let counted = loop {
                let counting = self
                    .attempts
                    .find_one_and_update(filter.clone(), count(&backoff, now))
                    .upsert(true)
                    .return_document(ReturnDocument::After);
                match counting.await.map_err(StoreError::from) {
                    // Two were the first at the same time: one of them now finds the other's.
                    Err(StoreError::Duplicate { .. }) => {}
                    counted => break counted?,
                }
            };
            let counted = counted.ok_or_else(|| corrupt("a count of attempts is missing"))?;
            let paused: DateTime = *counted.get_datetime("paused_to").map_err(corrupt)?;
            match counted.get_bool("refused").map_err(corrupt)? {
                true => Ok(Attempt::Paused(time(paused)?)),
                false => Ok(Attempt::Free),
            }
        })
    }

    fn forget_attempts(&self, key: AttemptKey) -> Answer<'_, ()> {
        Box::pin(async move {
            self.attempts.delete_one(doc! { "_id": binary(key) }).await?;
            Ok(())
        })
    }

    fn take_back_attempt(&self, key: AttemptKey) -> Answer<'_, ()> {
        Box::pin(async move {
            let filter = doc! { "_id": binary(key), "count": { "$gt": 0 } };
            let past = DateTime::from_millis(0);
            let update = doc! { "$inc": { "count": -1_i64 }, "$set": { "paused_to": past } };
            self.attempts.update_one(filter, update).await?;
            Ok(())
        })
    }

    fn remember(&self, key: AttemptKey, until: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let filter = doc! { "_id": binary(key) };
            loop {
                let update = doc! { "$max": { "forget_at": date(until) } };
                let update = self.remembered.update_one(filter.clone(), update).upsert(true);
                match update.await.map_err(StoreError::from) {
                    Err(StoreError::Duplicate { .. }) => {}
                    updated => {
                        updated?;
                        return Ok(());
                    }
                }
            }
        })
    }

    fn is_remembered(&self, key: AttemptKey, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let filter = doc! { "_id": binary(key), "forget_at": { "$gt": date(now) } };
            Ok(self.remembered.find_one(filter).await?.is_some())
        })
    }

    fn purge_attempts(&self, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let past = || doc! { "forget_at": { "$lte": date(now) } };
            self.attempts.delete_many(past()).await?;
            self.remembered.delete_many(past()).await?;
            Ok(())
        })
    }
}

/// The update that counts an attempt unless a pause is on. It is one operation, so attempts at the same time are counted one after the other.
fn count(backoff: &Backoff, now: Timestamp) -> Vec<Document> {
    let now = date(now);
    let forget_after = backoff.forget_after.as_millis() as i64;
    let is_new = doc! { "$lte": [{ "$ifNull": ["$forget_at", now] }, now] };
    let refused = doc! { "$and": [{ "$not": [is_new.clone()] }, { "$gt": ["$paused_to", now] }] };
    let before = doc! { "$cond": [is_new, 0_i64, "$count"] };
    let unless_refused = |field: &str, value: Document| {
        doc! { "$cond": ["$refused", format!("${field}"), value] }
    };
    let beyond = doc! { "$subtract": ["$count", i64::from(backoff.free)] };
    // Beyond 40 doublings the longest pause is reached whatever it is.
    let doublings = doc! { "$min": [{ "$subtract": [beyond.clone(), 1_i64] }, 40_i64] };
    let pause =
        doc! { "$multiply": [backoff.pause.as_millis() as i64, { "$pow": [2_i64, doublings] }] };
    let pause = doc! { "$min": [pause, backoff.longest.as_millis() as i64] };
    // Without a pause no time is kept: an attempt that was made earlier may be counted later.
    let is_free = doc! { "$lte": [beyond, 0_i64] };
    let paused_to = doc! { "$cond": [is_free, DateTime::from_millis(0), { "$add": [now, pause] }] };
    vec![
        doc! { "$set": { "refused": refused } },
        doc! { "$set": { "count": unless_refused("count", doc! { "$add": [before, 1_i64] }) } },
        doc! { "$set": {
            "paused_to": unless_refused("paused_to", paused_to),
            "forget_at": unless_refused("forget_at", doc! { "$add": [now, forget_after] }),
        } },
    ]
}

fn binary(AttemptKey(bytes): AttemptKey) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}
