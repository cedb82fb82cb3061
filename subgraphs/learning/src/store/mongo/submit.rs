//! One batch of log entries in one transaction: read what it names, let [`crate::submission`] decide, write.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{CardId, DeckId, ReviewId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, doc, serialize_to_bson, serialize_to_document};
use mongodb::options::ReturnDocument;

use super::documents::{CardDoc, MemoryDoc, Owned, date};
use super::log::{ReviewDoc, TallyDoc, tally_fields};
use super::{MongoStore, ONE_BATCH, tell};
use crate::entry::{LogEntry, Logged};
use crate::model::StoredCard;
use crate::scheduler::{CardState, Day, Progress, Rulebook, RulesId};
use crate::store::{CardLogs, Submitted};
use crate::submission::{Known, Settlement, Terms, admit, named};
use crate::tally::Tally;
use crate::tell::studied;

/// What a transaction gives: the outer error makes it begin anew or fail, the inner one leaves without a change.
pub(super) type Attempt<T> = mongodb::error::Result<Result<T, StoreError>>;

/// Leaves with the inner error.
macro_rules! try_inner {
    ($attempt:expr) => {
        match $attempt {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}
pub(super) use try_inner;

pub(super) async fn submit(
    store: &MongoStore,
    owner: UserId,
    batch: Arc<[LogEntry]>,
    terms: Arc<Terms>,
) -> Result<Submitted, StoreError> {
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, batch, terms) = (store.clone(), batch.clone(), terms.clone());
            async move { attempt(&store, session, owner, &batch, &terms).await }.boxed()
        })
        .await?
}

async fn attempt(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    batch: &[LogEntry],
    terms: &Terms,
) -> Attempt<Submitted> {
    let mut known = try_inner!(known(store, session, owner, batch).await?);
    let admission = admit(batch, &known);
    if admission.accepted.is_empty() {
        return Ok(Ok(Submitted { verdicts: admission.verdicts, cards: known.cards }));
    }
    let replayed = admission.cards_to_replay(terms, &known);
    let (logs, rulebook) = if replayed.is_empty() {
        (HashMap::new(), Rulebook::default())
    } else {
        (
            try_inner!(logs(store, session, owner, &replayed).await?),
            try_inner!(rulebook(store, session, owner).await?),
        )
    };
    let settled = admission.settle(terms, &known, logs, rulebook, &replayed);
    let settled = try_inner!(settled.map_err(|error| StoreError::Corrupt(error.to_string())));
    write(store, session, owner, &settled).await?;
    known.cards.extend(settled.cards.into_iter().map(|card| (card.id, card)));
    Ok(Ok(Submitted { verdicts: admission.verdicts, cards: known.cards }))
}

async fn known(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    batch: &[LogEntry],
) -> Attempt<Known> {
    let ids: HashSet<CardId> = batch.iter().map(|entry| entry.card).collect();
    let ids: Vec<CardId> = ids.into_iter().collect();
    let mut cards = store
        .collections
        .cards
        .find(doc! { "_id": { "$in": ids }, "owner": owner, "live": true })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let cards: Vec<CardDoc> = cards.stream(&mut *session).try_collect().await?;
    let keys: Vec<Document> = named(batch).map(|id| Owned::document(owner, id.to_bson())).collect();
    let mut reviews = store
        .collections
        .reviews
        .find(doc! { "_id": { "$in": keys }, "owner": owner })
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
            let logged = review.read()?;
            known.entries.insert(logged.sent.id, logged);
        }
        Ok(known)
    };
    Ok(read())
}

pub(super) async fn logs(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    cards: &[CardId],
) -> Attempt<HashMap<CardId, Vec<Logged>>> {
    let mut reviews = store
        .collections
        .reviews
        .find(doc! { "owner": owner, "card": { "$in": cards } })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let reviews: Vec<ReviewDoc> = reviews.stream(&mut *session).try_collect().await?;
    let read = || {
        let mut logs: HashMap<CardId, Vec<Logged>> = HashMap::new();
        for review in reviews {
            let logged = review.read()?;
            logs.entry(logged.sent.card).or_default().push(logged);
        }
        Ok(logs)
    };
    Ok(read())
}

/// Logs, and the rules that they name, as they are at one moment.
pub(super) async fn read_logs(
    store: &MongoStore,
    owner: UserId,
    cards: Vec<CardId>,
) -> Result<CardLogs, StoreError> {
    let (store, cards) = (store.clone(), Arc::new(cards));
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, cards) = (store.clone(), Arc::clone(&cards));
            async move {
                let logs = try_inner!(logs(&store, session, owner, &cards).await?);
                let rulebook = try_inner!(rulebook(&store, session, owner).await?);
                Ok(Ok((logs, rulebook)))
            }
            .boxed()
        })
        .await?
}

pub(super) async fn rulebook(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
) -> Attempt<Rulebook> {
    let mut rules = store
        .collections
        .rules
        .find(doc! { "owner": owner })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let rules: Vec<super::documents::RulesDoc> = rules.stream(&mut *session).try_collect().await?;
    let read = || {
        let mut rulebook = Rulebook::default();
        for doc in rules {
            let rules = super::json(&doc.body)?;
            rulebook.0.insert(RulesId(doc.id), Arc::new(rules));
        }
        Ok(rulebook)
    };
    Ok(read())
}

/// The number of a change of the owner's. Two changes at once meet here: one of them begins anew.
pub(super) async fn next_seq(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
) -> mongodb::error::Result<i64> {
    let sync = store
        .collections
        .sync
        .find_one_and_update(
            doc! { "_id": owner },
            doc! { "$inc": { "seq": 1i64 }, "$setOnInsert": { "owner": owner } },
        )
        .upsert(true)
        .return_document(ReturnDocument::After)
        .session(session)
        .await?;
    Ok(sync.map_or(0, |sync| sync.seq))
}

/// Writes what was settled.
pub(super) async fn write(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    settled: &Settlement,
) -> mongodb::error::Result<()> {
    let seq = next_seq(store, session, owner).await?;
    let entries: Vec<ReviewDoc> =
        settled.entries.iter().map(|logged| ReviewDoc::new(owner, logged)).collect();
    if !entries.is_empty() {
        store.collections.reviews.insert_many(entries).session(&mut *session).await?;
    }
    let recounted = settled.recounted.iter().map(|(id, phase)| {
        doc! {
            "q": Owned::one(owner, id.to_bson()),
            "u": { "$set": { "phase": i32::from(phase.number()) } },
        }
    });
    update(store, session, "reviews", recounted.collect()).await?;
    let mut rules = Vec::new();
    for (id, body) in &settled.rules {
        if *id == RulesId::ORIGINAL {
            continue;
        }
        let body = serde_json::to_string(&**body).map_err(mongodb::error::Error::custom)?;
        rules.push(doc! {
            "q": { "_id": { "owner": owner, "rules": id.0 }, "owner": owner },
            "u": { "$setOnInsert": { "id": id.0, "body": body } },
            "upsert": true,
        });
    }
    update(store, session, "rules", rules).await?;
    put_tallies(store, session, owner, settled).await?;
    let cards: mongodb::error::Result<Vec<Document>> =
        settled.cards.iter().map(|card| put_progress(owner, card, seq)).collect();
    update(store, session, "cards", cards?).await?;
    if settled.cards.is_empty() {
        return Ok(());
    }
    tell::keep(store, session, &studied(owner, &settled.cards, seq)).await
}

async fn put_tallies(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    settled: &Settlement,
) -> mongodb::error::Result<()> {
    let keys: Vec<(Day, DeckId)> = settled.tallies.keys().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let id = |(day, deck): (Day, DeckId)| doc! { "owner": owner, "day": day.0, "deck": deck };
    let ids: Vec<Document> = keys.iter().copied().map(id).collect();
    let mut before = store
        .collections
        .tallies
        .find(doc! { "_id": { "$in": ids }, "owner": owner })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let before: Vec<TallyDoc> = before.stream(&mut *session).try_collect().await?;
    let mut before: HashMap<(Day, DeckId), Tally> =
        before.into_iter().map(|tally| ((tally.day, tally.deck.into()), tally.read())).collect();
    let put = |key: (Day, DeckId)| {
        let after = settled.tallies.after(key, before.remove(&key).unwrap_or_default());
        let mut fields = tally_fields(&after);
        fields.extend(doc! { "day": key.0.0, "deck": key.1 });
        doc! { "q": { "_id": id(key), "owner": owner }, "u": { "$set": fields }, "upsert": true }
    };
    update(store, session, "tallies", keys.into_iter().map(put).collect()).await
}

/// When a card was last answered with each rating.
pub(super) fn answered(progress: &Progress) -> Vec<Bson> {
    progress.answered.iter().map(|at| at.map_or(Bson::Null, |at| date(at).into())).collect()
}

fn put_progress(owner: UserId, card: &StoredCard, seq: i64) -> mongodb::error::Result<Document> {
    let progress = &card.progress;
    let state = card.memory().map_or(CardState::New, |memory| memory.state);
    let memory = card.memory().map(MemoryDoc::from);
    let memory = memory.map(|memory| serialize_to_document(&memory)).transpose()?;
    let set = doc! {
        "model": card.model,
        "weights": card.weights,
        "state": i32::from(state.number()),
        "memory": memory,
        "suspended": progress.suspended,
        "buriedUntil": serialize_to_bson(&progress.buried_until)?,
        "flag": i32::from(progress.flag),
        "answered": answered(progress),
        "lastEntryAt": progress.last.map(|(at, _)| date(at)),
        "lastEntry": progress.last.map(|(_, id): (_, ReviewId)| id.to_bson()),
        "seq": seq,
    };
    Ok(doc! { "q": { "_id": card.id, "owner": owner }, "u": { "$set": set } })
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
