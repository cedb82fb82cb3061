//! Data of the first version, in which a card was a question and an answer and nothing else, is carried over with nothing lost, on both stores.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeSet;
use std::sync::Arc;

use common::event::StudyState;
use common::mongo::Mongo;
use common::sqlite::Sqlite;
use common::{CardId, DeckId, Event, UserId, testing};
use decks::model::{Card, ChangeKey, Deck, DeckFilter, Kind, Source};
use decks::search::{Filter, Query, Study, parse};
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use jiff::Timestamp;
use mongodb::bson::{DateTime, doc};
use rusqlite::params;

const MS: i64 = 1_790_000_000_000;

/// Two people's decks and cards, as they were.
struct Old {
    users: [UserId; 2],
    decks: [DeckId; 3],
    cards: Vec<(CardId, usize, String)>,
}

impl Old {
    fn new() -> Self {
        let cards = (0..2_500).map(|n| (CardId::new(), n % 2, format!("q{n} \u{0} \"日本\"\n")));
        Self {
            users: [UserId::new(), UserId::new()],
            decks: [DeckId::new(), DeckId::new(), DeckId::new()],
            cards: cards.collect(),
        }
    }

    fn owner(&self, deck: usize) -> UserId {
        self.users[usize::from(deck == 2)]
    }

    /// What must be there, whatever the store.
    async fn check(&self, store: &dyn Store) {
        let decks = store.decks(self.decks.to_vec()).await.unwrap();
        let deck = |nth: usize| decks.iter().find(|deck| deck.id == self.decks[nth]).unwrap();
        let (first, second, third): (&Deck, _, _) = (deck(0), deck(1), deck(2));
        assert_eq!((first.position, second.position, third.position), (1024, 2048, 1024));
        for deck in [first, second, third] {
            assert!(deck.ancestors.is_empty() && !deck.archived && deck.trash.is_none());
            assert_eq!((deck.version, deck.card_count, &*deck.name), (3, 1_250, "name"));
        }
        let top = DeckFilter { parent: Some(None), archived: Some(false) };
        assert_eq!(store.deck_count(self.users[0], top).await.unwrap(), 2);

        let ids = self.cards.iter().map(|(id, ..)| *id).collect();
        let cards: Vec<Card> = store.cards(ids).await.unwrap();
        assert_eq!(cards.len(), self.cards.len());
        let notes = store.notes(cards.iter().map(|card| card.note).collect()).await.unwrap();
        assert_eq!(notes.len(), cards.len(), "each card has a note of its own");
        for (nth, (id, deck, question)) in self.cards.iter().enumerate() {
            let card = cards.iter().find(|card| card.id == *id).unwrap();
            let position = i64::try_from(nth).unwrap();
            assert_eq!((card.deck, &card.question), (self.decks[*deck], question));
            assert_eq!((card.position, card.version, card.trash), (position, 2, None));
            assert_eq!(card.source, (nth == 1).then_some(Source { start: 3, end: 9 }));
            assert_eq!(card.created_at, Timestamp::from_millisecond(MS + position).unwrap());
        }
        for note in notes.iter().take(200) {
            let card = cards.iter().find(|card| card.note == note.id).unwrap();
            let made = note.content.cards();
            assert_eq!(made.len(), 1);
            assert_eq!((&made[0].question, &made[0].answer), (&card.question, &card.answer));
            assert_eq!((note.owner, note.created_at), (card.owner, card.created_at));
        }
        // They are found, also the last of them.
        let Query::Words(words) = parse("q2499").unwrap() else { panic!() };
        let found = store.search(self.owner(1), Filter::Words(words), None, 9).await.unwrap();
        assert_eq!(
            found.iter().map(|(_, card)| card.id).collect::<Vec<_>>(),
            [self.cards[2_499].0]
        );
        let all = store.search_count(self.owner(1), Filter::All(Vec::new())).await.unwrap();
        assert_eq!(all, 2_500);
        self.check_told(store).await;
        let gone = self.gone();
        assert_eq!(store.taken(vec![gone.uuid()]).await.unwrap(), [gone.uuid()]);
    }

    /// Others are told once more of the decks; nothing was learned of the cards so far; and a device that asks for the first time is told of everything.
    async fn check_told(&self, store: &dyn Store) {
        let pending = store.pending(99).await.unwrap();
        let told = pending.into_iter().map(|(_, event)| match event {
            Event::Deck(deck) => {
                assert_eq!((deck.version, deck.archived, deck.parent), (3, Some(false), None));
                deck.deck
            }
            other => panic!("{other:?}"),
        });
        let told: BTreeSet<DeckId> = told.collect();
        assert_eq!(told, self.decks.iter().copied().collect());
        let new = Filter::Study(Study::State(&[StudyState::New]));
        assert_eq!(store.search_count(self.owner(1), new).await.unwrap(), 2_500);
        let (keys, last) = store.changes(self.owner(1), ChangeKey::START, 9_999).await.unwrap();
        let of = |kind| keys.iter().filter(|key| key.kind == kind).count();
        assert_eq!((of(Kind::Note), of(Kind::Card), last), (2_500, 2_500, 0));
        assert!(of(Kind::Deck) > 0);
    }

    /// A card that was deleted.
    fn gone(&self) -> CardId {
        CardId::from(uuid::Uuid::from_u128(self.cards[0].0.uuid().as_u128() ^ 1))
    }
}

#[tokio::test]
async fn a_sqlite_file_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decks.db");
    let old = Arc::new(Old::new());
    let first = Sqlite::open(&path, &MIGRATIONS[..1]).unwrap();
    let rows = old.clone();
    let written = first.write(move |connection| {
        for (nth, id) in rows.decks.iter().enumerate() {
            connection.execute(
                "INSERT INTO deck VALUES (?1, ?2, 'name', 'name', 'd', NULL, ?3, ?3, 3, 1250, 9, 5)",
                params![id, rows.owner(nth), MS + nth as i64],
            )?;
        }
        for (nth, (id, deck, question)) in rows.cards.iter().enumerate() {
            let source = (nth == 1).then_some((3, 9));
            connection.execute(
                "INSERT INTO card VALUES (?1, ?2, ?3, ?4, ?5, 'a', ?6, ?7, ?8, ?8, 2)",
                params![
                    id,
                    rows.decks[*deck],
                    rows.owner(*deck),
                    nth as i64,
                    question,
                    source.map(|source| source.0),
                    source.map(|source| source.1),
                    MS + nth as i64,
                ],
            )?;
        }
        connection.execute("INSERT INTO deleted VALUES (?1)", [rows.gone()])?;
        Ok(())
    });
    written.await.unwrap();
    drop(first);
    let store = SqliteStore::open(Sqlite::open(&path, MIGRATIONS).unwrap()).await.unwrap();
    old.check(&store).await;
    drop(store);
    old.check(&SqliteStore::open(Sqlite::open(&path, MIGRATIONS).unwrap()).await.unwrap()).await;
}

#[tokio::test]
async fn a_mongodb_database_is_carried_over() {
    let mongo: Mongo = testing::mongo().await;
    let old = Old::new();
    let at = |nth: usize| DateTime::from_millis(MS + nth as i64);
    let decks = old.decks.iter().enumerate().map(|(nth, id)| {
        doc! {
            "_id": *id, "owner": old.owner(nth), "name": "name", "sortName": "name", "description": "d",
            "color": null, "createdAt": at(nth), "updatedAt": at(nth), "version": 3i64,
            "cardCount": 1250i64, "lastPlace": 9i64, "revision": 5i64,
        }
    });
    mongo.collection("decks").insert_many(decks).await.unwrap();
    let cards = old.cards.iter().enumerate().map(|(nth, (id, deck, question))| {
        let source = (nth == 1).then_some((3, 9));
        doc! {
            "_id": *id, "deck": old.decks[*deck], "owner": old.owner(*deck), "position": nth as i64,
            "question": question, "answer": "a", "sourceStart": source.map(|source| source.0),
            "sourceEnd": source.map(|source| source.1), "createdAt": at(nth), "updatedAt": at(nth),
            "version": 2i64,
        }
    });
    mongo.collection("cards").insert_many(cards).await.unwrap();
    mongo.collection("deleted").insert_one(doc! { "_id": old.gone() }).await.unwrap();
    // Two processes start at once.
    let (one, other) =
        tokio::join!(MongoStore::open(mongo.clone()), MongoStore::open(mongo.clone()));
    old.check(&one.unwrap()).await;
    old.check(&other.unwrap()).await;
}

/// Two scripts that come from two sides at once must be in one order, each once: that of their numbers.
#[test]
fn every_script_is_run_in_the_order_of_its_number() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite/migrations");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let number = |file: &std::path::PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        name.split('_').next().unwrap().parse::<u32>().unwrap()
    };
    let numbers: Vec<u32> = files.iter().map(number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "a number twice: {numbers:?}");
    let scripts: Vec<String> =
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert_eq!(scripts, MIGRATIONS);
}
