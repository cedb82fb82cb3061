//! The reads that take more than a line.

use std::collections::HashMap;

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Document, Uuid, doc};
use serde::Deserialize;

use super::documents::{CardDoc, DayDoc, ProgressDoc, ReviewDoc, date};
use super::{MongoStore, ONE_BATCH, all, beyond_cursor};
use crate::model::{Review, Stats, StoredDeck};
use crate::scheduler::{AnswerKey, Day, Done};
use crate::store::{QueueCards, QueueQuery};
use crate::submission::streak;

pub(super) async fn decks(
    store: &MongoStore,
    owner: UserId,
    ids: Vec<DeckId>,
) -> Result<Vec<StoredDeck>, StoreError> {
    let filter = doc! { "_id": { "$in": ids }, "owner": owner, "deleted": false };
    let found = store.collections.decks.find(filter).batch_size(ONE_BATCH).await?;
    let found: Vec<_> = found.try_collect().await?;
    let empty = |id: &Uuid| StoredDeck { id: (*id).into(), new: 0, studied: Vec::new() };
    let mut decks: HashMap<Uuid, StoredDeck> =
        found.iter().map(|deck| (deck.id, empty(&deck.id))).collect();

    let ids: Vec<Uuid> = decks.keys().copied().collect();
    let needed = doc! {
        "_id": 0, "deck": 1, "memory.dueAt": 1, "memory.dueDay": 1, "memory.stability": 1,
        "memory.halfLife": 1, "memory.lastDay": 1,
    };
    let cards = store
        .collections
        .cards
        .clone_with_type::<ProgressDoc>()
        .find(doc! { "deck": { "$in": ids }, "owner": owner, "live": true })
        .projection(needed)
        .batch_size(ONE_BATCH)
        .await?;
    let cards: Vec<ProgressDoc> = cards.try_collect().await?;
    for card in cards {
        let Some(deck) = decks.get_mut(&card.deck) else { continue };
        match card.memory {
            None => deck.new += 1,
            Some(memory) => deck.studied.push(memory.read()?),
        }
    }
    Ok(decks.into_values().collect())
}

pub(super) async fn queue(
    store: &MongoStore,
    owner: UserId,
    query: QueueQuery,
) -> Result<QueueCards, StoreError> {
    let done = done(store, owner, query.today).await?;
    let reviews_left = query.reviews_per_day.saturating_sub(done.reviews);
    let new_left = query.new_per_day.saturating_sub(done.new);
    let due = due(store, owner, query, reviews_left).await?;
    // A limit of 0 means none to MongoDB.
    let new =
        if new_left == 0 { Vec::new() } else { new(store, owner, query.deck, new_left).await? };
    let read = |cards: Vec<CardDoc>| -> Result<Vec<_>, StoreError> {
        cards.into_iter().map(CardDoc::read).collect()
    };
    Ok(QueueCards { done, due: read(due)?, new: read(new)? })
}

async fn done(store: &MongoStore, owner: UserId, today: Day) -> Result<Done, StoreError> {
    #[derive(Deserialize)]
    struct Counts {
        new: u32,
        reviews: u32,
    }
    let count = |field: &str| doc! { "$sum": { "$cond": [{ "$eq": [field, today.0] }, 1, 0] } };
    let pipeline = [
        doc! { "$match": { "owner": owner, "$or": [
            { "memory.introducedDay": today.0 }, { "memory.reviewedDay": today.0 },
        ] } },
        doc! { "$group": {
            "_id": null, "new": count("$memory.introducedDay"), "reviews": count("$memory.reviewedDay"),
        } },
    ];
    let counts: Vec<Counts> = all(store.collections.cards.aggregate(pipeline).await?).await?;
    let counts = counts.first();
    Ok(counts.map_or(Done::default(), |counts| Done { new: counts.new, reviews: counts.reviews }))
}

async fn due(
    store: &MongoStore,
    owner: UserId,
    query: QueueQuery,
    reviews_left: u32,
) -> Result<Vec<CardDoc>, StoreError> {
    let mut due = vec![doc! { "memory.dueAt": { "$lte": date(query.ahead) } }];
    if reviews_left > 0 {
        // Else they would take the place of those to learn ahead.
        due.push(doc! { "memory.dueDay": { "$lte": query.today.0 } });
    }
    let mut filter = doc! { "owner": owner, "live": true, "$or": due };
    filter.extend(query.deck.map(|deck| ("deck".to_owned(), deck.into())));
    let due_now = doc! { "$and": [
        { "$ne": [{ "$type": "$memory.dueAt" }, "missing"] },
        { "$lte": ["$memory.dueAt", date(query.now)] },
    ] };
    let learned = doc! { "$ne": [{ "$type": "$memory.dueDay" }, "missing"] };
    let elapsed = doc! { "$subtract": [query.today.0, "$memory.lastDay"] };
    let pipeline = [
        doc! { "$match": filter },
        doc! { "$addFields": {
            "rank": { "$switch": {
                "branches": [{ "case": due_now, "then": 0 }, { "case": learned, "then": 1 }],
                "default": 2,
            } },
            // The probability of recall falls with elapsed time over stability.
            "urgency": { "$divide": [elapsed, "$memory.stability"] },
        } },
        doc! { "$sort": { "rank": 1, "memory.dueAt": 1, "urgency": -1, "_id": 1 } },
        doc! { "$limit": i64::from(query.limit) + i64::from(reviews_left) },
    ];
    all(store.collections.cards.aggregate(pipeline).batch_size(ONE_BATCH).await?).await
}

async fn new(
    store: &MongoStore,
    owner: UserId,
    deck: Option<DeckId>,
    limit: u32,
) -> Result<Vec<CardDoc>, StoreError> {
    let mut filter = doc! { "owner": owner, "live": true, "state": 0 };
    filter.extend(deck.map(|deck| ("deck".to_owned(), deck.into())));
    let cards = store
        .collections
        .cards
        .find(filter)
        .sort(doc! { "deck": 1, "position": 1, "_id": 1 })
        .limit(limit.into())
        .batch_size(ONE_BATCH)
        .await?;
    Ok(cards.try_collect().await?)
}

pub(super) async fn reviews(
    store: &MongoStore,
    owner: UserId,
    cards: Vec<CardId>,
    page: PageRequest<AnswerKey>,
) -> Result<HashMap<CardId, Vec<Review>>, StoreError> {
    #[derive(Deserialize)]
    struct Log {
        #[serde(rename = "_id")]
        card: Uuid,
        reviews: Vec<ReviewDoc>,
    }
    let (order, beyond) = match page.direction {
        Direction::Forward => (1, "$gt"),
        Direction::Backward => (-1, "$lt"),
    };
    let mut filter = doc! { "owner": owner, "card": { "$in": cards } };
    if let Some((at, id)) = page.cursor {
        filter.extend(beyond_cursor("reviewedAt", beyond, at, id.to_bson()));
    }
    let first = doc! { "$topN": {
        "n": i64::from(page.limit) + 1,
        "sortBy": { "reviewedAt": order, "_id.id": order },
        "output": "$$ROOT",
    } };
    let pipeline =
        [doc! { "$match": filter }, doc! { "$group": { "_id": "$card", "reviews": first } }];
    let logs = store.collections.reviews.aggregate(pipeline).batch_size(ONE_BATCH).await?;
    let logs: Vec<Log> = all(logs).await?;
    let read = |log: Log| {
        let reviews: Result<_, _> = log.reviews.into_iter().map(ReviewDoc::read).collect();
        Ok((log.card.into(), reviews?))
    };
    logs.into_iter().map(read).collect()
}

pub(super) async fn stats(
    store: &MongoStore,
    owner: UserId,
    today: Day,
    tomorrow: Timestamp,
) -> Result<Stats, StoreError> {
    let due = doc! { "owner": owner, "live": true, "$or": [
        { "memory.dueAt": { "$lt": date(tomorrow) } },
        { "memory.dueDay": { "$lte": today.0 } },
    ] };
    let new = doc! { "owner": owner, "live": true, "state": 0 };
    let days = store
        .collections
        .days
        .find(doc! { "owner": owner, "day": { "$lte": today.0 } })
        .sort(doc! { "day": -1 })
        .batch_size(ONE_BATCH)
        .await?;
    let days: Vec<DayDoc> = days.try_collect().await?;
    let work = days.first().filter(|day| day.day == today);
    Ok(Stats {
        reviews_today: work.map_or(0, |day| day.reviews),
        time_today_ms: work.map_or(0, |day| day.duration_ms),
        streak_days: streak(today, days.iter().map(|day| Ok::<_, StoreError>(day.day)))?,
        due_today: count(store, due).await?,
        new_cards: count(store, new).await?,
    })
}

async fn count(store: &MongoStore, filter: Document) -> Result<u32, StoreError> {
    let count = store.collections.cards.count_documents(filter).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
