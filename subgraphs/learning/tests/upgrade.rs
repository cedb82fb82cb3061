//! A database from before there were settings, actions and sums opens, keeps its data, and its sums are those of its log.

use common::sqlite::Sqlite;
use common::{Backend, CardId, Clock, DeckId, ReviewId, UserId};
use learning::MIGRATIONS;
use learning::scheduler::{Calendar, Day, Phase, Rating};
use learning::store::{SqliteStore, Store};
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

    for _ in 0..2 {
        let sqlite = Sqlite::open(&path, MIGRATIONS).unwrap();
        learning::open(Backend::Sqlite(sqlite.clone()), Clock::System).await.unwrap();
        let store = SqliteStore::new(sqlite);
        let found = store.cards(owner, vec![card, gone]).await.unwrap();
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
        let logged = store.entries(owner, vec![reviews[1]], 9).await.unwrap();
        assert_eq!((logged[0].0.deck, logged[0].0.phase), (deck, Phase::Young));
    }
}
