//! Events that wait for delivery, and those about cards and persons from before learning told other domains of them.

use std::collections::{BTreeSet, HashMap};

use common::event::{CardsStudied, UserChanged};
use common::outbox::OutboxStore;
use common::{CardId, Event, EventId, StoreError, UserId};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::documents::{CardDoc, PersonDoc};
use super::events::UNTOLD;
use super::submit::{Attempt, logs, try_inner, update};
use super::{MongoStore, ONE_BATCH, json, to_json};
use crate::entry::answered;
use crate::model::StoredCard;
use crate::store::EVENTS;
use crate::tell::told;

/// How many cards from before are told of at once.
const CARDS: i64 = 500;

/// An event that waits; JSON, as in SQLite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EventDoc {
    #[serde(rename = "_id")]
    id: Uuid,
    event: String,
}

impl EventDoc {
    fn new(event: &Event) -> Result<Self, StoreError> {
        Ok(Self { id: EventId::new().to_bson(), event: to_json(event)? })
    }
}

/// Keeps an event for delivery.
pub(super) async fn keep(
    store: &MongoStore,
    session: &mut ClientSession,
    event: &Event,
) -> mongodb::error::Result<()> {
    let event = EventDoc::new(event).map_err(mongodb::error::Error::custom)?;
    store.collections.outbox.insert_one(event).session(session).await?;
    Ok(())
}

impl OutboxStore for MongoStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found = self.collections.outbox.find(doc! {}).sort(doc! { "_id": 1 }).limit(limit);
            let found: Vec<EventDoc> = found.await?.try_collect().await?;
            found.into_iter().map(|doc| Ok((doc.id.into(), json(&doc.event)?))).collect()
        })
    }

    fn batch(&self) -> usize {
        EVENTS
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.collections.outbox.delete_many(doc! { "_id": { "$in": events } }).await?;
            Ok(())
        })
    }
}

/// Tells of the persons and cards that are from before they were told of. What is told already is not told again, so it may be broken off at any
/// instant, and begun anew by several processes at once.
pub(super) async fn tell_old(store: &MongoStore) -> Result<(), StoreError> {
    pass_on_persons(store).await?;
    while tell_some(store).await? {}
    Ok(())
}

/// What was heard of persons is passed on to those who did not listen then.
async fn pass_on_persons(store: &MongoStore) -> Result<(), StoreError> {
    let untold =
        doc! { "deleted": false, "version": { "$gt": UNTOLD }, "passedOn": { "$exists": false } };
    let mut persons = store.collections.persons.find(untold).await?;
    while let Some(person) = persons.try_next().await? {
        let PersonDoc { id, version, deleted, time_zone, rollover_hour, .. } = person;
        let user = UserChanged { user: id.into(), version, deleted, time_zone, rollover_hour };
        store.collections.outbox.insert_one(EventDoc::new(&Event::User(user))?).await?;
        let passed_on = doc! { "$set": { "passedOn": true } };
        store.collections.persons.update_one(doc! { "_id": id }, passed_on).await?;
    }
    Ok(())
}

/// Those that have a log, and no note of when they were last answered.
fn untold(mut filter: Document) -> Document {
    filter.insert("answered", doc! { "$exists": false });
    let logged = ["lastEntry", "memory"].map(|field| doc! { field: { "$ne": null } });
    filter.insert("$or", logged.to_vec());
    filter
}

/// Answers whether there may be more.
async fn tell_some(store: &MongoStore) -> Result<bool, StoreError> {
    #[derive(Serialize, Deserialize)]
    struct OfOwner {
        owner: Uuid,
    }
    let cards = store.collections.cards.clone_with_type::<OfOwner>();
    let found = cards.find(untold(doc! {})).projection(doc! { "owner": 1 }).limit(CARDS);
    let found: Vec<OfOwner> = found.await?.try_collect().await?;
    let owners: BTreeSet<UserId> = found.iter().map(|card| card.owner.into()).collect();
    for owner in owners {
        let store = store.clone();
        let mongo = store.mongo.clone();
        mongo
            .transaction(move |session| {
                let store = store.clone();
                async move { tell_of(&store, session, owner).await }.boxed()
            })
            .await??;
    }
    Ok(!found.is_empty())
}

async fn tell_of(store: &MongoStore, session: &mut ClientSession, owner: UserId) -> Attempt<()> {
    let found = store.collections.cards.find(untold(doc! { "owner": owner })).limit(CARDS);
    let mut found = found.batch_size(ONE_BATCH).session(&mut *session).await?;
    let found: Vec<CardDoc> = found.stream(&mut *session).try_collect().await?;
    let read = |card: CardDoc| Ok((card.seq, card.read()?));
    let cards: Result<Vec<(i64, StoredCard)>, StoreError> = found.into_iter().map(read).collect();
    let mut cards = try_inner!(cards);
    let ids: Vec<CardId> = cards.iter().map(|(_, card)| card.id).collect();
    let logs: HashMap<_, _> = try_inner!(logs(store, session, owner, &ids).await?);
    for (_, card) in &mut cards {
        card.progress.answered = answered(logs.get(&card.id).into_iter().flatten());
    }
    let set = |(_, card): &(i64, StoredCard)| {
        let set = doc! { "answered": super::submit::answered(&card.progress) };
        doc! { "q": { "_id": card.id, "owner": owner }, "u": { "$set": set } }
    };
    update(store, session, "cards", cards.iter().map(set).collect()).await?;
    let cards: Vec<_> = cards.iter().map(|(seq, card)| told(card, *seq)).collect();
    if !cards.is_empty() {
        keep(store, session, &Event::Studied(CardsStudied { owner, cards })).await?;
    }
    Ok(Ok(()))
}
