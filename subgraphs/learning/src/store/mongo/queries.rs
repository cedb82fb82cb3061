//! The reads that take more than a line.

use std::collections::{BTreeMap, HashMap};

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, ReviewId, StoreError, UserId};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::documents::{CandidateDoc, CardDoc, Owned, ProgressDoc, date};
use super::log::{ReviewDoc, TallyDoc};
use super::{MongoStore, ONE_BATCH, all, beyond_cursor};
use crate::entry::Logged;
use crate::model::{Candidate, Stats, StoredDeck};
use crate::scheduler::{AnswerKey, Day};
use crate::store::{CardChange, ChangeKey, Changes, QueueCards, QueueQuery};
use crate::submission::streak;
use crate::tally::{ALL_DECKS, Tally};

pub(super) async fn decks(
    store: &MongoStore,
    owner: UserId,
    ids: Vec<DeckId>,
    today: Day,
) -> Result<Vec<StoredDeck>, StoreError> {
    let filter = doc! { "_id": { "$in": ids }, "owner": owner, "deleted": false };
    let found = store.collections.decks.find(filter).batch_size(ONE_BATCH).await?;
    let found: Vec<_> = found.try_collect().await?;
    let empty =
        |id: &Uuid| StoredDeck { id: (*id).into(), new: 0, new_away: 0, studied: Vec::new() };
    let mut decks: HashMap<Uuid, StoredDeck> =
        found.iter().map(|deck| (deck.id, empty(&deck.id))).collect();

    let ids: Vec<Uuid> = decks.keys().copied().collect();
    let needed = doc! {
        "_id": 0, "deck": 1, "weights": 1, "suspended": 1, "buriedUntil": 1, "memory.dueAt": 1, "memory.dueDay": 1,
        "memory.stability": 1, "memory.halfLife": 1, "memory.lastDay": 1,
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
        let comes = card.comes(today);
        match card.read(today)? {
            None => {
                deck.new += 1;
                deck.new_away += usize::from(!comes);
            }
            Some(studied) => deck.studied.push(studied),
        }
    }
    Ok(decks.into_values().collect())
}

/// Cards that come on a local day, of these decks.
fn coming(owner: UserId, decks: &[DeckId], today: Day, tag: Option<&str>) -> Document {
    let mut filter = doc! {
        "owner": owner, "deck": { "$in": decks }, "live": true, "suspended": { "$ne": true },
        "buriedUntil": { "$not": { "$gt": today.0 } },
    };
    filter.extend(tag.map(|tag| ("tags".to_owned(), tag.into())));
    filter
}

pub(super) async fn queue(
    store: &MongoStore,
    owner: UserId,
    query: QueueQuery,
) -> Result<QueueCards, StoreError> {
    let today = query.today;
    let done = store
        .collections
        .tallies
        .find(doc! { "owner": owner, "day": today.0, "deck": { "$in": query.decks.clone() } });
    let done: Vec<TallyDoc> = done.batch_size(ONE_BATCH).await?.try_collect().await?;
    let done = done.iter().map(|tally| (tally.deck.into(), tally.read().done())).collect();
    let coming = || coming(owner, &query.decks, today, query.tag.as_deref());

    let mut steps = coming();
    steps.insert("memory.dueAt", doc! { "$lte": date(query.ahead) });
    let steps_order = doc! { "memory.dueAt": 1, "_id": 1 };
    let mut steps = first_of_each(store, steps, steps_order, query.steps, today).await?;
    steps.sort_unstable_by_key(|card| (card.due_at(), card.id));

    let mut learned = coming();
    learned.insert("memory.dueDay", doc! { "$lte": query.until.0 });
    let learned_order = doc! { "memory.dueDay": 1, "_id": 1 };
    let learned = first_of_each(store, learned, learned_order, query.learned, today).await?;

    let mut new = coming();
    new.insert("state", 0);
    let new_order = doc! { "position": 1, "_id": 1 };
    let new = first_of_each(store, new, new_order, query.new, today).await?;

    #[derive(Deserialize, Serialize)]
    struct Sibling {
        #[serde(rename = "_id")]
        id: Uuid,
        note: Uuid,
    }
    let studied = store
        .collections
        .cards
        .clone_with_type::<Sibling>()
        .find(doc! { "owner": owner, "memory.lastDay": today.0, "note": { "$type": "binData" } })
        .projection(doc! { "note": 1 })
        .batch_size(ONE_BATCH)
        .await?;
    let studied: Vec<Sibling> = studied.try_collect().await?;
    let studied = studied.into_iter().map(|card| (card.note.into(), card.id.into())).collect();
    Ok(QueueCards { done, steps, learned, new, studied })
}

/// Of each deck the first so many, deck by deck.
async fn first_of_each(
    store: &MongoStore,
    filter: Document,
    order: Document,
    limit: u32,
    today: Day,
) -> Result<Vec<Candidate>, StoreError> {
    #[derive(Deserialize)]
    struct OfDeck {
        #[serde(rename = "_id")]
        deck: Uuid,
        cards: Vec<CandidateDoc>,
    }
    // A limit of 0 means none to MongoDB.
    if limit == 0 {
        return Ok(Vec::new());
    }
    let first = doc! { "$topN": {
        "n": i64::from(limit),
        "sortBy": order,
        "output": {
            "_id": "$_id", "deck": "$deck", "note": "$note", "memory": "$memory",
        },
    } };
    let pipeline =
        [doc! { "$match": filter }, doc! { "$group": { "_id": "$deck", "cards": first } }];
    let decks = store.collections.cards.aggregate(pipeline).batch_size(ONE_BATCH).await?;
    let mut decks: Vec<OfDeck> = all(decks).await?;
    decks.sort_unstable_by_key(|of_deck| of_deck.deck);
    decks.into_iter().flat_map(|deck| deck.cards).map(|card| card.read(today)).collect()
}

pub(super) async fn reviews(
    store: &MongoStore,
    owner: UserId,
    cards: Vec<CardId>,
    page: PageRequest<AnswerKey>,
) -> Result<HashMap<CardId, Vec<Logged>>, StoreError> {
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
    // Answers and practice; entries from before there were others have no kind.
    let native = doc! { "kind": { "$not": { "$gt": 1 } } };
    let mut filter = doc! { "owner": owner, "card": { "$in": cards },
        "$and": [{ "$or": [native, { "kind": 10, "rating": { "$gt": 0 } }] }],
    };
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

pub(super) async fn entries(
    store: &MongoStore,
    owner: UserId,
    ids: Vec<ReviewId>,
) -> Result<Vec<Logged>, StoreError> {
    let keys: Vec<Document> = ids.iter().map(|id| Owned::document(owner, id.to_bson())).collect();
    let found = store.collections.reviews.find(doc! { "_id": { "$in": keys }, "owner": owner });
    let found: Vec<ReviewDoc> = found.batch_size(ONE_BATCH).await?.try_collect().await?;
    found.into_iter().map(ReviewDoc::read).collect()
}

pub(super) async fn answer_before(
    store: &MongoStore,
    owner: UserId,
    later: u32,
) -> Result<Option<AnswerKey>, StoreError> {
    // Entries from before there were actions have no kind, and are answers.
    let answers = doc! { "owner": owner, "kind": { "$not": { "$gt": 0 } } };
    let found = store
        .collections
        .reviews
        .find_one(answers)
        .sort(doc! { "reviewedAt": -1, "_id.id": -1 })
        .skip(later.into())
        .await?;
    found.map(|review| Ok(review.read()?.sent.key())).transpose()
}

pub(super) async fn changes(
    store: &MongoStore,
    owner: UserId,
    after: ChangeKey,
    limit: u32,
) -> Result<Changes, StoreError> {
    let sync = store.collections.sync.find_one(doc! { "_id": owner }).await?;
    let (last_seq, settings_seq) = sync.map_or((0, 0), |sync| (sync.seq, sync.settings_seq));
    let mut beyond = vec![
        doc! { "seq": { "$gt": after.seq } },
        doc! { "seq": after.seq, "_id": { "$gt": after.card } },
    ];
    if after.seq == 0 {
        // From before changes were numbered.
        beyond.push(doc! { "seq": { "$exists": false }, "_id": { "$gt": after.card } });
    }
    let cards = store
        .collections
        .cards
        .find(doc! { "owner": owner, "$or": beyond })
        .sort(doc! { "seq": 1, "_id": 1 })
        .limit(limit.into())
        .batch_size(ONE_BATCH)
        .await?;
    let cards: Vec<CardDoc> = cards.try_collect().await?;
    let change = |card: CardDoc| {
        let (live, seq) = (card.live, card.seq);
        let card = card.read()?;
        let key = ChangeKey { seq, card: card.id };
        Ok(CardChange { key, card: live.then_some(card) })
    };
    let cards = cards.into_iter().map(change).collect::<Result<_, StoreError>>()?;
    Ok(Changes { cards, last_seq, settings_seq })
}

pub(super) async fn tallies(
    store: &MongoStore,
    owner: UserId,
    decks: Option<Vec<DeckId>>,
    (first, last): (Day, Day),
) -> Result<Vec<(Day, Tally)>, StoreError> {
    let decks = decks.unwrap_or_else(|| vec![ALL_DECKS.into()]);
    let filter = doc! {
        "owner": owner, "deck": { "$in": decks }, "day": { "$gte": first.0, "$lte": last.0 },
    };
    let found = store.collections.tallies.find(filter).sort(doc! { "day": 1 });
    let found: Vec<TallyDoc> = found.batch_size(ONE_BATCH).await?.try_collect().await?;
    let mut tallies: Vec<(Day, Tally)> = Vec::new();
    for tally in found {
        match tallies.last_mut() {
            Some((day, sum)) if *day == tally.day => sum.merge(&tally.read()),
            _ => tallies.push((tally.day, tally.read())),
        }
    }
    Ok(tallies)
}

pub(super) async fn forecast(
    store: &MongoStore,
    owner: UserId,
    decks: Vec<DeckId>,
    today: Day,
    last: Day,
) -> Result<BTreeMap<Day, u32>, StoreError> {
    #[derive(Deserialize)]
    struct OfDay {
        #[serde(rename = "_id")]
        day: Day,
        cards: u32,
    }
    let filter = doc! {
        "owner": owner, "deck": { "$in": decks }, "live": true, "suspended": { "$ne": true }, "state": { "$gt": 0 },
        "memory.dueDay": { "$not": { "$gt": last.0 } },
    };
    let day = doc! { "$max": [{ "$ifNull": ["$memory.dueDay", today.0] }, today.0] };
    let pipeline =
        [doc! { "$match": filter }, doc! { "$group": { "_id": day, "cards": { "$sum": 1 } } }];
    let days = store.collections.cards.aggregate(pipeline).batch_size(ONE_BATCH).await?;
    let days: Vec<OfDay> = all(days).await?;
    Ok(days.into_iter().map(|of_day| (of_day.day, of_day.cards)).collect())
}

pub(super) async fn stats(
    store: &MongoStore,
    owner: UserId,
    asleep: Vec<DeckId>,
    today: Day,
    tomorrow: Timestamp,
) -> Result<Stats, StoreError> {
    let awake = doc! { "owner": owner, "deleted": false, "_id": { "$nin": asleep } };
    let decks = store.collections.decks.find(awake).batch_size(ONE_BATCH).await?;
    let decks: Vec<_> = decks.try_collect().await?;
    let decks: Vec<DeckId> = decks.into_iter().map(|deck| deck.id.into()).collect();
    let mut due = coming(owner, &decks, today, None);
    due.insert(
        "$or",
        vec![
            doc! { "memory.dueAt": { "$lt": date(tomorrow) } },
            doc! { "memory.dueDay": { "$lte": today.0 } },
        ],
    );
    let mut new = coming(owner, &decks, today, None);
    new.insert("state", 0);
    let days = store
        .collections
        .tallies
        .find(doc! {
            "owner": owner, "deck": DeckId::from(ALL_DECKS), "day": { "$lte": today.0 }, "reviews": { "$gt": 0 },
        })
        .sort(doc! { "day": -1 })
        .batch_size(ONE_BATCH)
        .await?;
    let days: Vec<TallyDoc> = days.try_collect().await?;
    let of_today = || days.iter().filter(|day| day.day == today);
    Ok(Stats {
        reviews_today: of_today().map(|day| day.reviews).sum(),
        time_today_ms: of_today().map(|day| day.read().duration_ms).sum(),
        streak_days: streak(today, days.iter().map(|day| Ok::<_, StoreError>(day.day)))?,
        due_today: count(store, due).await?,
        new_cards: count(store, new).await?,
    })
}

async fn count(store: &MongoStore, filter: Document) -> Result<u32, StoreError> {
    let count = store.collections.cards.count_documents(filter).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
