//! A database from before there were settings, actions and sums opens, keeps its data, and its sums are those of its log: on both stores.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;

use common::sqlite::Sqlite;
use common::{Backend, CardId, Clock, DeckId, ReviewId, UserId, testing};
use learning::MIGRATIONS;
use learning::scheduler::{Calendar, Day, Phase, Rating};
use learning::store::{MongoStore, SqliteStore, Store};
use mongodb::bson::{DateTime, Document, doc};
use rusqlite::params;

/// 2026-03-02T21:30:00Z: in Tokyo it is half past six of the next day.
const EVENING: i64 = 1_772_487_000_000;
const LATER: i64 = EVENING + 8 * 86_400_000;

/// Somebody with two cards, of which one is deleted, and three reviews.
struct Old {
    owner: UserId,
    deck: DeckId,
    card: CardId,
    gone: CardId,
    reviews: [ReviewId; 3],
    day: i32,
}

impl Old {
    fn new() -> Self {
        let evening = jiff::Timestamp::from_millisecond(EVENING).unwrap();
        Self {
            owner: UserId::new(),
            deck: DeckId::new(),
            card: CardId::new(),
            gone: CardId::new(),
            reviews: [(); 3].map(|()| ReviewId::new()),
            day: Calendar::default().day_of(evening).0,
        }
    }

    /// Each with its card, moment, local day, and the time zone that was sent with it.
    fn log(&self) -> [(ReviewId, CardId, i64, i32, Option<&'static str>); 3] {
        let [first, second, third] = self.reviews;
        [
            (first, self.card, EVENING, self.day, None),
            (second, self.card, LATER, self.day + 9, Some("Asia/Tokyo")),
            (third, self.gone, EVENING, self.day, None),
        ]
    }

    async fn is_kept(&self, store: &dyn Store) {
        let found = store.cards(self.owner, vec![self.card, self.gone]).await.unwrap();
        assert_eq!(found.len(), 1);
        let memory = found[0].memory().unwrap();
        assert_eq!((memory.reps, memory.stability), (1, 8.2956));
        assert_eq!(found[0].progress.last, Some(memory.last));
        let tallies = store.tallies(self.owner, None, (Day(0), Day(99_999))).await.unwrap();
        let [(_, first), (_, second)] = &tallies[..] else { panic!("{tallies:?}") };
        assert_eq!(
            (first.reviews(), first.duration_ms),
            (2, 2000),
            "the work on a deleted card counts"
        );
        assert_eq!((first.of(Phase::New, Rating::Easy), first.hour(22)), (2, (2, 2)));
        assert_eq!((second.of(Phase::Young, Rating::Easy), second.hour(6)), (1, (1, 1)));
        let logged = store.entries(self.owner, vec![self.reviews[1]]).await.unwrap();
        assert_eq!((logged[0].deck, logged[0].phase), (self.deck, Phase::Young));
    }
}

#[tokio::test]
async fn an_old_sqlite_file_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("learning.db");
    let old = Old::new();
    let Old { owner, deck, card, gone, reviews, day } = old;
    drop(Sqlite::open(&path, &MIGRATIONS[..1]).unwrap());
    {
        let connection = rusqlite::Connection::open(&path).unwrap();
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
        for (id, card, at, day, zone) in old.log() {
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
    for _ in 0..2 {
        let sqlite = Sqlite::open(&path, MIGRATIONS).unwrap();
        learning::open(Backend::Sqlite(sqlite.clone()), Clock::System).await.unwrap();
        old.is_kept(&SqliteStore::new(sqlite)).await;
    }
}

#[tokio::test]
async fn an_old_mongodb_database_keeps_its_data() {
    let mongo = testing::mongo().await;
    let old = Old::new();
    let Old { owner, deck, card, gone, reviews, day } = old;
    let collection = |name| mongo.collection::<Document>(name);
    let person = doc! {
        "_id": owner, "version": 1i64, "deleted": false, "timeZone": "Europe/Zurich", "rolloverHour": 4,
    };
    collection("persons").insert_one(person).await.unwrap();
    let deck_doc = doc! { "_id": deck, "owner": owner, "version": 1i64, "deleted": false };
    collection("decks").insert_one(deck_doc).await.unwrap();
    let evening = DateTime::from_millis(EVENING);
    for (id, live) in [(card, true), (gone, false)] {
        let memory = doc! {
            "step": 0, "dueDay": day + 8, "stability": f64::from(8.2956f32), "difficulty": 1.0, "halfLife": 1.0, "reps": 1i64,
            "lapses": 0i64, "leech": false, "lastReviewedAt": evening, "lastReview": reviews[0], "lastDay": day,
            "introducedDay": day,
        };
        let card = doc! {
            "_id": id, "owner": owner, "deck": deck, "version": 1i64, "deleted": !live, "live": live, "position": 0i64,
            "createdAt": DateTime::from_millis(0), "model": 1i64, "state": 2, "memory": memory,
        };
        collection("cards").insert_one(card).await.unwrap();
    }
    for (id, card, at, day, zone) in old.log() {
        let at = DateTime::from_millis(at);
        let review = doc! {
            "_id": { "owner": owner, "id": id }, "owner": owner, "card": card, "rating": 4, "reviewedAt": at, "receivedAt": at,
            "durationMs": 1000i64, "timeZone": zone, "session": null, "day": day,
        };
        collection("reviews").insert_one(review).await.unwrap();
    }
    let key = doc! { "owner": owner, "day": day };
    let work =
        doc! { "_id": key, "owner": owner, "day": day, "reviews": 2i64, "durationMs": 2000i64 };
    collection("days").insert_one(work).await.unwrap();

    for _ in 0..2 {
        learning::open(Backend::Mongo(mongo.clone()), Clock::System).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(MongoStore::open(mongo.clone()).await.unwrap());
        old.is_kept(&*store).await;
    }
    assert_eq!(collection("days").count_documents(doc! {}).await.unwrap(), 0, "once is enough");
}
