//! What every store of the domain must do: one suite, run on each.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use common::{UserId, testing};
use config::MIGRATIONS;
use config::model::Override;
use config::store::{Store, mongo::MongoStore, sqlite::SqliteStore};
use jiff::Timestamp;
use serde_json::{Value, json};

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
                super::$case(&MongoStore::new(testing::mongo().await)).await;
            })*
        }
    };
}

suite! {
    a_value_of_any_kind_is_kept_as_it_was_given
    a_value_takes_the_place_of_the_one_before
    a_value_is_forgotten
    of_many_who_set_one_key_one_stays
    it_answers_a_ping
}

fn change(key: &str, value: Value) -> Override {
    let set_at = Timestamp::from_millisecond(1_764_000_000_123).unwrap();
    Override { key: key.into(), value, set_at, set_by: UserId::new() }
}

async fn a_value_of_any_kind_is_kept_as_it_was_given(store: &impl Store) {
    assert_eq!(store.overrides().await.unwrap(), []);
    let changes = [
        change("a", json!(null)),
        change("b", json!({ "$gt": "", "x.y": [1, 2.5, true, "é"] })),
        change("c", json!(i64::MAX)),
    ];
    for change in changes.iter().rev() {
        store.put(change.clone()).await.unwrap();
    }
    assert_eq!(store.overrides().await.unwrap(), changes, "in the order of the keys");
}

async fn a_value_takes_the_place_of_the_one_before(store: &impl Store) {
    store.put(change("a", json!(1))).await.unwrap();
    store.put(change("b", json!(1))).await.unwrap();
    let second = change("a", json!(2));
    store.put(second.clone()).await.unwrap();
    let kept = store.overrides().await.unwrap();
    assert_eq!((kept.len(), &kept[0]), (2, &second));
}

async fn a_value_is_forgotten(store: &impl Store) {
    let (first, second) = (change("a", json!(1)), change("b", json!(2)));
    store.put(first).await.unwrap();
    store.put(second.clone()).await.unwrap();
    for key in ["a", "a", "never there"] {
        store.remove(key).await.unwrap();
        assert_eq!(store.overrides().await.unwrap(), std::slice::from_ref(&second));
    }
}

async fn of_many_who_set_one_key_one_stays(store: &impl Store) {
    let changes = (0..8).map(|n| store.put(change("a", json!(n))));
    for result in futures::future::join_all(changes).await {
        result.unwrap();
    }
    assert_eq!(store.overrides().await.unwrap().len(), 1);
}

async fn it_answers_a_ping(store: &impl Store) {
    store.ping().await.unwrap();
}
