//! What every store of the domain must do: one suite, run on each. And that what was kept before there was a history is its beginning.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::{ConfigChangeId, StoreError, UserId, testing};
use config::MIGRATIONS;
use config::model::Change;
use config::store::{Store, mongo::MongoStore, sqlite::SqliteStore};
use jiff::Timestamp;
use mongodb::bson::{self, DateTime, Document, doc};

/// What is held of MongoDB.
const EXPECTED: testing::Expected = testing::Expected {
    not_indexed: &[],
    shard_keys: &[],
    all_shards: &[],
    fields: include_str!("../fields.txt"),
};

macro_rules! suite {
    ($($case:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test] async fn $case() {
                let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                super::$case(&SqliteStore::new(sqlite)).await;
            })*
        }
        mod mongo {
            use super::*;
            $(#[tokio::test] async fn $case() {
                let mongo = testing::mongo().await;
                let store = MongoStore::open(mongo.clone()).await.unwrap();
                mongo.heard().listen();
                super::$case(&store).await;
                mongo.heard().check(&mongo, &EXPECTED).await;
            })*
        }
    };
}

suite! {
    a_value_of_any_kind_is_kept_as_it_was_given
    the_last_change_of_a_key_counts_and_each_is_found
    of_many_who_make_the_same_version_one_does
    the_history_is_read_in_pages_both_ways
    it_answers_a_ping
}

fn moment() -> Timestamp {
    Timestamp::from_millisecond(1_764_000_000_123).unwrap()
}

fn change(key: &str, version: i64, value: Option<&str>) -> Change {
    Change {
        id: ConfigChangeId::new(),
        key: key.into(),
        version,
        value: value.map(str::to_owned),
        made_at: moment(),
        made_by: UserId::new(),
    }
}

async fn a_value_of_any_kind_is_kept_as_it_was_given(store: &impl Store) {
    assert_eq!(store.last().await.unwrap(), []);
    let changes = [
        change("a", 1, Some("null")),
        change("b", 1, Some(r#"{"$gt":"","x.y":[1,2.5,true,"é\u0000"]}"#)),
        change("c", 1, Some("9223372036854775807")),
        change("d", 1, Some("no JSON")),
        change("e", 1, None),
    ];
    for change in changes.iter().rev() {
        store.append(change.clone()).await.unwrap();
    }
    assert_eq!(store.last().await.unwrap(), changes, "in the order of the keys");
}

async fn the_last_change_of_a_key_counts_and_each_is_found(store: &impl Store) {
    let mut changes = Vec::new();
    for version in 1..=12 {
        for key in ["a", "b"] {
            let value = version.to_string();
            let change = change(key, version, (version != 12).then_some(value.as_str()));
            store.append(change.clone()).await.unwrap();
            changes.push(change);
        }
    }
    assert_eq!(store.last().await.unwrap(), changes[22..]);
    for change in changes {
        let found = store.version(&change.key, change.version).await.unwrap();
        assert_eq!(found, Some(change));
    }
    for (key, version) in [("a", 0), ("a", 13), ("c", 1), ("a", -1)] {
        assert_eq!(store.version(key, version).await.unwrap(), None);
    }
}

async fn of_many_who_make_the_same_version_one_does(store: &impl Store) {
    let values: Vec<_> = (0..8).map(|n| n.to_string()).collect();
    let changes = values.iter().map(|value| store.append(change("a", 1, Some(value))));
    let results = futures::future::join_all(changes).await;
    let made = results.iter().filter(|result| result.is_ok()).count();
    let refused = results.iter().filter(|r| matches!(r, Err(StoreError::Duplicate { .. }))).count();
    assert_eq!((made, refused), (1, 7));
    assert_eq!(store.last().await.unwrap().len(), 1);
}

async fn the_history_is_read_in_pages_both_ways(store: &impl Store) {
    let mut changes = Vec::new();
    for version in 1..=3 {
        for key in ["a", "b"] {
            let change = change(key, version, Some("1"));
            store.append(change.clone()).await.unwrap();
            changes.insert(0, change);
        }
    }
    let page = |direction, limit, cursor| PageRequest { direction, limit, cursor };
    let newest = page(Direction::Forward, 3, None);
    assert_eq!(store.history(None, newest).await.unwrap(), changes[..4], "one beyond the limit");
    let older = page(Direction::Forward, 3, Some(changes[3].id));
    assert_eq!(store.history(None, older).await.unwrap(), changes[4..]);
    let newer = page(Direction::Backward, 1, Some(changes[3].id));
    let expected: Vec<_> = changes[1..3].iter().rev().cloned().collect();
    assert_eq!(store.history(None, newer).await.unwrap(), expected, "in the direction of reading");
    let of_a: Vec<_> = changes.iter().filter(|change| change.key == "a").cloned().collect();
    let all = page(Direction::Forward, 500, None);
    assert_eq!(store.history(Some("a"), all.clone()).await.unwrap(), of_a);
    assert_eq!(store.history(Some("c"), all).await.unwrap(), []);
}

async fn it_answers_a_ping(store: &impl Store) {
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_file_from_before_the_history_keeps_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.db");
    let user = UserId::new();
    let before = Sqlite::open(&path, &MIGRATIONS[..1]).unwrap();
    let written = before.write(move |connection| {
        let sql =
            "INSERT INTO override VALUES ('signUpOpen', 'false', ?1, ?2), ('theme', '7', 0, ?2)";
        connection.execute(sql, (moment().as_millisecond(), user))?;
        Ok(())
    });
    written.await.unwrap();
    drop(before);
    let store = SqliteStore::new(Sqlite::open(&path, MIGRATIONS).unwrap());
    taken_over(&store, user).await;
}

#[tokio::test]
async fn a_database_from_before_the_history_keeps_its_values() {
    let mongo = testing::mongo().await;
    let user = UserId::new();
    let before = mongo.collection::<Document>("overrides");
    for (key, value, at) in
        [("signUpOpen", "false", moment()), ("theme", "7", Timestamp::UNIX_EPOCH)]
    {
        let set_at = DateTime::from_millis(at.as_millisecond());
        let set_by: bson::Uuid = user.to_bson();
        let document = doc! { "_id": key, "value": value, "set_at": set_at, "set_by": set_by };
        before.insert_one(document).await.unwrap();
    }
    for _ in 0..2 {
        let store = MongoStore::open(mongo.clone()).await.unwrap();
        taken_over(&store, user).await;
    }
}

async fn taken_over(store: &impl Store, user: UserId) {
    let last = store.last().await.unwrap();
    let [sign_up, theme] = &last[..] else { panic!("{last:?}") };
    assert_eq!((&*sign_up.key, sign_up.version), ("signUpOpen", 1));
    assert_eq!((sign_up.value.as_deref(), sign_up.made_at), (Some("false"), moment()));
    assert_eq!((&*theme.key, theme.value.as_deref()), ("theme", Some("7")));
    assert_eq!((theme.made_by, theme.made_at), (user, Timestamp::UNIX_EPOCH));
}

#[tokio::test]
async fn the_stores_are_described() {
    let mongo = common::testing::mongo().await;
    MongoStore::open(mongo.clone()).await.unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/database/config.md");
    common::testing::check_page(page.as_ref(), "config", config::MIGRATIONS, &mongo, &EXPECTED)
        .await;
}
