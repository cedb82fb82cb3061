//! A database from before there were settings, actions and sums opens, keeps its data, and its sums are those of its log. Others are told of what is in
//! it once.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::sync::Arc;

use common::event::{CardChanged, DeckChanged, StudyState, UserChanged};
use common::outbox::OutboxStore;
use common::sqlite::Sqlite;
use common::{CardId, DeckId, Event, ReviewId, UserId, testing};
use learning::MIGRATIONS;
use learning::entry::{EntryInput, LogEntry};
use learning::scheduler::{Action, Calendar, Day, Model, Phase, Rating, Rules};
use learning::store::{MongoStore, SqliteStore, Store};
use learning::submission::Terms;
use mongodb::bson::{DateTime, Document, doc};
use rusqlite::params;

/// 2026-03-02T21:30:00Z: in Tokyo it is half past six of the next day.
const EVENING: i64 = 1_772_487_000_000;

#[tokio::test]
async fn an_old_sqlite_file_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("learning.db");
    let (owner, deck, card, gone) = (UserId::new(), DeckId::new(), CardId::new(), CardId::new());
    let reviews = [ReviewId::new(), ReviewId::new(), ReviewId::new()];
    drop(Sqlite::open(&path, &MIGRATIONS[..1]).unwrap());
    {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let day = Calendar::default().day_of(jiff::Timestamp::from_millisecond(EVENING).unwrap()).0;
        connection
            .execute("INSERT INTO person VALUES (?1, 1, 0, 'Europe/Zurich', 4)", [owner])
            .unwrap();
        connection.execute("INSERT INTO deck VALUES (?1, ?2, 1, 0)", params![deck, owner]).unwrap();
        for (id, live) in [(card, true), (gone, false)] {
            connection
                .execute(
                    "INSERT INTO card (id, owner, deck, version, deleted, live, position, created_at, model, state, step,
                        due_day, stability, difficulty, half_life, reps, lapses, leech, last_reviewed_at, last_review, last_day,
                        introduced_day, reviewed_day)
                     VALUES (?1, ?2, ?3, 1, ?4, ?5, 0, 0, 1, 2, 0, ?6, 8.2956, 1.0, 1.0, 1, 0, 0, ?7, ?8, ?9, ?9, NULL)",
                    params![id, owner, deck, !live, live, day + 8, EVENING, reviews[0], day],
                )
                .unwrap();
        }
        for (id, card, at, day, zone) in [
            (reviews[0], card, EVENING, day, None),
            (reviews[1], card, EVENING + 8 * 86_400_000, day + 9, Some("Asia/Tokyo")),
            (reviews[2], gone, EVENING, day, None),
        ] {
            connection
                .execute(
                    "INSERT INTO review VALUES (?1, ?2, ?3, 4, ?4, ?4, 1000, ?5, NULL, ?6)",
                    params![owner, id, card, at, zone, day],
                )
                .unwrap();
        }
        connection
            .execute("INSERT INTO day_work VALUES (?1, ?2, 2, 2000)", params![owner, day])
            .unwrap();
    }

    for turn in 0..2 {
        let sqlite = Sqlite::open(&path, MIGRATIONS).unwrap();
        let store = SqliteStore::new(sqlite);
        store.upgrade().await.unwrap();
        if turn == 0 {
            check_told(&store, owner, card, gone).await;
        } else {
            assert!(store.pending(99).await.unwrap().is_empty(), "it was told before");
        }
        let found = store.cards(owner, vec![card, gone]).await.unwrap();
        let easy = Some(jiff::Timestamp::from_millisecond(EVENING + 8 * 86_400_000).unwrap());
        assert_eq!(found[0].progress.answered, [None, None, None, easy]);
        assert_eq!(found.len(), 1);
        let memory = found[0].memory().unwrap();
        assert_eq!((memory.reps, memory.stability), (1, 8.2956));
        assert_eq!(found[0].progress.last, Some(memory.last));
        let tallies = store.tallies(owner, None, (Day(0), Day(99_999))).await.unwrap();
        let [(_, first), (_, second)] = &tallies[..] else { panic!("{tallies:?}") };
        assert_eq!(
            (first.reviews(), first.duration_ms),
            (2, 2000),
            "the work on a deleted card counts"
        );
        assert_eq!((first.of(Phase::New, Rating::Easy), first.hour(22)), (2, (2, 2)));
        assert_eq!((second.of(Phase::Young, Rating::Easy), second.hour(6)), (1, (1, 1)));
        let logged = store.entries(owner, vec![reviews[1]]).await.unwrap();
        assert_eq!((logged[0].deck, logged[0].phase), (deck, Phase::Young));
    }
}

#[tokio::test]
async fn a_mongodb_database_tells_of_what_is_from_before() {
    let mongo = testing::mongo().await;
    let store = MongoStore::open(mongo.clone()).await.unwrap();
    let (owner, deck, ids) = (UserId::new(), DeckId::new(), [CardId::new(), CardId::new()]);
    let at = jiff::Timestamp::from_millisecond(EVENING).unwrap();
    let time_zone = "Europe/Zurich".to_owned();
    let user = UserChanged { user: owner, version: 1, deleted: false, time_zone, rollover_hour: 4 };
    let parent = None;
    let told = DeckChanged { deck, owner, version: 1, deleted: false, parent, archived: None };
    let card = |card: CardId, version, deleted| {
        let (position, note, tags) = (0, None, Vec::new());
        let created_at = at;
        Event::Card(CardChanged {
            card,
            deck,
            owner,
            version,
            deleted,
            position,
            created_at,
            note,
            tags,
        })
    };
    let [first, gone] = ids;
    let new = CardId::new();
    let events = vec![
        Event::User(user),
        Event::Deck(told),
        card(first, 1, false),
        card(gone, 1, false),
        card(new, 1, false),
    ];
    store.apply(events).await.unwrap();
    let review = |card| {
        let (id, action) = (ReviewId::new(), Action::Answer(Rating::Easy));
        let (duration_ms, time_zone, session) = (1, None, None);
        let input = EntryInput { id, card, action, at, duration_ms, time_zone, session };
        LogEntry::new(input, &Calendar::default(), at).unwrap()
    };
    let terms = Terms {
        model: Arc::new(Model::average().unwrap()),
        rules: HashMap::new(),
        default_rules: Arc::new(Rules::original()),
    };
    let batch: Arc<[LogEntry]> = ids.map(review).into();
    store.submit(owner, batch, Arc::new(terms)).await.unwrap();
    store.apply(vec![card(gone, 2, true)]).await.unwrap();
    let kept = store.cards(owner, vec![first]).await.unwrap();

    // As it was before anything was told.
    let all = |name| mongo.collection::<Document>(name);
    all("cards").update_many(doc! {}, doc! { "$unset": { "answered": "" } }).await.unwrap();
    all("persons").update_many(doc! {}, doc! { "$unset": { "passedOn": "" } }).await.unwrap();
    all("outbox").delete_many(doc! {}).await.unwrap();
    store.upgrade().await.unwrap();
    assert_eq!(store.cards(owner, vec![first]).await.unwrap(), kept);
    check_told(&store, owner, first, gone).await;
    store.upgrade().await.unwrap();
    assert!(store.pending(99).await.unwrap().is_empty(), "it was told before");
}

/// As a program wrote them that knew no settings, actions and sums.
#[tokio::test]
async fn an_old_mongodb_database_keeps_its_data() {
    let mongo = testing::mongo().await;
    let (owner, deck, card, gone) = (UserId::new(), DeckId::new(), CardId::new(), CardId::new());
    let reviews = [ReviewId::new(), ReviewId::new(), ReviewId::new()];
    let day = Calendar::default().day_of(jiff::Timestamp::from_millisecond(EVENING).unwrap()).0;
    let put = async |name: &str, document| {
        mongo.collection::<Document>(name).insert_one(document).await.unwrap();
    };
    put("persons", doc! { "_id": owner, "version": 1i64, "deleted": false, "timeZone": "Europe/Zurich", "rolloverHour": 4 }).await;
    put("decks", doc! { "_id": deck, "owner": owner, "version": 1i64, "deleted": false }).await;
    for (id, live) in [(card, true), (gone, false)] {
        let memory = doc! {
            "step": 0, "dueDay": day + 8, "stability": f64::from(8.2956f32), "difficulty": 1.0, "halfLife": 1.0, "reps": 1i64,
            "lapses": 0i64, "leech": false, "lastReviewedAt": DateTime::from_millis(EVENING), "lastReview": reviews[0],
            "lastDay": day, "introducedDay": day,
        };
        let card = doc! {
            "_id": id, "owner": owner, "deck": deck, "version": 1i64, "deleted": !live, "live": live, "position": 0i64,
            "createdAt": DateTime::from_millis(0), "model": 1i64, "state": 2, "memory": memory,
        };
        put("cards", card).await;
    }
    for (id, card, at, day, zone) in [
        (reviews[0], card, EVENING, day, None),
        (reviews[1], card, EVENING + 8 * 86_400_000, day + 9, Some("Asia/Tokyo")),
        (reviews[2], gone, EVENING, day, None),
    ] {
        let at = DateTime::from_millis(at);
        let review = doc! {
            "_id": { "owner": owner, "id": id }, "owner": owner, "card": card, "rating": 4, "reviewedAt": at, "receivedAt": at,
            "durationMs": 1000i64, "timeZone": zone, "session": null, "day": day,
        };
        put("reviews", review).await;
    }
    let key = doc! { "owner": owner, "day": day };
    put(
        "days",
        doc! { "_id": key, "owner": owner, "day": day, "reviews": 2i64, "durationMs": 2000i64 },
    )
    .await;

    for _ in 0..2 {
        let store = MongoStore::open(mongo.clone()).await.unwrap();
        store.upgrade().await.unwrap();
        let found = store.cards(owner, vec![card, gone]).await.unwrap();
        assert_eq!(found.len(), 1);
        let memory = found[0].memory().unwrap();
        assert_eq!((memory.reps, memory.stability), (1, 8.2956));
        assert_eq!(found[0].progress.last, Some(memory.last));
        let tallies = store.tallies(owner, None, (Day(0), Day(99_999))).await.unwrap();
        let [(_, first), (_, second)] = &tallies[..] else { panic!("{tallies:?}") };
        assert_eq!((first.reviews(), first.duration_ms), (2, 2000));
        assert_eq!((first.of(Phase::New, Rating::Easy), first.hour(22)), (2, (2, 2)));
        assert_eq!((second.of(Phase::Young, Rating::Easy), second.hour(6)), (1, (1, 1)));
        let logged = store.entries(owner, vec![reviews[1]]).await.unwrap();
        assert_eq!((logged[0].deck, logged[0].phase), (deck, Phase::Young));
    }
    let left = mongo.collection::<Document>("days").count_documents(doc! {}).await.unwrap();
    assert_eq!(left, 0, "once is enough");
}

/// Others are told of the person and of the cards from before, also of one in the trash; and then it is delivered.
async fn check_told(store: &impl Store, owner: UserId, card: CardId, gone: CardId) {
    let pending = store.pending(99).await.unwrap();
    let (ids, events): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    store.delivered(ids).await.unwrap();
    let (mut persons, mut cards) = (0, Vec::new());
    for event in events {
        match event {
            Event::User(user) => {
                assert_eq!((user.user, &*user.time_zone), (owner, "Europe/Zurich"));
                persons += 1;
            }
            Event::Studied(studied) => {
                assert_eq!(studied.owner, owner);
                cards.extend(studied.cards);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(persons, 1);
    let mut ids: Vec<CardId> = cards.iter().map(|card| card.card).collect();
    ids.sort_unstable();
    let mut expected = [card, gone];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(cards.iter().all(|card| card.state == StudyState::Review));
    assert!(cards.iter().all(|card| card.answered[3].is_some() && card.answered[0].is_none()));
}
