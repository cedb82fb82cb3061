//! Sums the logs of owners whose reviews are from before there were sums, once. Until then they have documents in `days`.

use std::collections::HashMap;

use common::{CardId, DeckId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Document, Uuid, doc};

use super::documents::{CardDoc, Owned};
use super::submit::{Attempt, logs, rulebook, try_inner, update, write};
use super::{MongoStore, ONE_BATCH};
use crate::entry::Logged;
use crate::scheduler::{Calendar, Model, ModelError};
use crate::store::Store;
use crate::submission::Settlement;

/// How many cards are summed in one transaction.
const CARDS: i64 = 500;

pub(super) async fn upgrade(store: &MongoStore) -> Result<(), StoreError> {
    let days = store.mongo.collection::<Document>("days");
    for owner in days.distinct("owner", doc! {}).await? {
        let owner: Uuid = mongodb::bson::deserialize_from_bson(owner)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let owner = UserId::from(owner);
        let person = store.person(owner).await?;
        let calendar = person.map(|person| person.calendar()).unwrap_or_default();
        let mut from = CardId::from(uuid::Uuid::nil());
        while let Some(last) = sum(store, owner, &calendar, from).await? {
            from = last;
        }
        days.delete_many(doc! { "owner": owner }).await?;
    }
    super::fit::end_old(store).await
}

/// Sums the logs of some of the owner's cards after `from`. Gives the last of them, `None` when all are done.
async fn sum(
    store: &MongoStore,
    owner: UserId,
    calendar: &Calendar,
    from: CardId,
) -> Result<Option<CardId>, StoreError> {
    // Deleted ones as well: their work counts still.
    let filter = doc! { "owner": owner, "_id": { "$gt": from } };
    let cards = store.collections.cards.find(filter).sort(doc! { "_id": 1 }).limit(CARDS);
    let cards: Vec<CardDoc> = cards.batch_size(ONE_BATCH).await?.try_collect().await?;
    let Some(last) = cards.last().map(|card| CardId::from(card.id)) else { return Ok(None) };
    let decks: HashMap<CardId, DeckId> =
        cards.iter().map(|card| (card.id.into(), card.deck.into())).collect();
    let (store, calendar) = (store.clone(), calendar.clone());
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, decks, calendar) = (store.clone(), decks.clone(), calendar.clone());
            async move { sum_once(&store, session, owner, &decks, &calendar).await }.boxed()
        })
        .await??;
    Ok(Some(last))
}

async fn sum_once(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    decks: &HashMap<CardId, DeckId>,
    calendar: &Calendar,
) -> Attempt<()> {
    let ids: Vec<CardId> = decks.keys().copied().collect();
    let mut logs = try_inner!(logs(store, session, owner, &ids).await?);
    let mut notes = Vec::new();
    for logged in logs.values_mut().flatten() {
        if !logged.deck.uuid().is_nil() {
            continue;
        }
        note(logged, decks, calendar);
        notes.push(doc! {
            "q": Owned::one(owner, logged.sent.id.to_bson()),
            "u": { "$set": { "deck": logged.deck, "hour": i32::from(logged.sent.hour), "phase": 6 } },
        });
    }
    let rulebook = try_inner!(rulebook(store, session, owner).await?);
    // The states stay as they are: only what counts where is new.
    let failed = |error: ModelError| StoreError::Corrupt(error.to_string());
    let model = try_inner!(Model::average().map_err(failed));
    let settled = Settlement::of_replay(&model, &rulebook, logs, &HashMap::new());
    let settled = try_inner!(settled.map_err(failed));
    update(store, session, "reviews", notes).await?;
    write(store, session, owner, &settled).await?;
    Ok(Ok(()))
}

fn note(logged: &mut Logged, decks: &HashMap<CardId, DeckId>, calendar: &Calendar) {
    let elsewhere = logged.sent.time_zone.as_deref().map(|zone| calendar.in_time_zone(zone));
    let elsewhere = elsewhere.and_then(Result::ok);
    logged.sent.hour = elsewhere.as_ref().unwrap_or(calendar).hour_of(logged.sent.at);
    logged.deck = decks.get(&logged.sent.card).copied().unwrap_or(logged.deck);
}
