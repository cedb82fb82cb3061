//! One suite for every store of the domain: each case runs on a fresh SQLite file and on a fresh MongoDB database.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod actions;
mod events;
mod lists;
mod queue;
mod settings;
mod submit;
mod support;
mod told;

/// What may be asked of all shards, each with the reason.
const ON_ALL_SHARDS: &[(&str, &str)] = &[
    ("find cards batchSize: _, projection: {version: _, deleted: _, archived: _}", TOLD),
    ("find decks batchSize: _, projection: {version: _, deleted: _, archived: _}", TOLD),
    ("findAndModify fits query: {lease: ", "the look for what processes that broke off left"),
];
const TOLD: &str = "what decks tells is applied by id alone, many objects at once";

/// What is held of MongoDB.
const EXPECTED: common::testing::Expected = common::testing::Expected {
    not_indexed: &[],
    shard_keys: learning::store::SHARD_KEYS,
    all_shards: ON_ALL_SHARDS,
    fields: include_str!("../../fields.txt"),
};

macro_rules! suite {
    ($($group:ident { $($case:ident)* })*) => {
        mod sqlite {
            use common::testing;
            use learning::store::{MIGRATIONS, SqliteStore};
            $(mod $group {
                use super::*;
                $(#[tokio::test]
                async fn $case() {
                    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                    crate::$group::$case(&SqliteStore::new(sqlite)).await;
                })*
            })*
        }
        mod mongo {
            use common::testing;
            use learning::store::MongoStore;
            $(mod $group {
                use super::*;
                $(#[tokio::test]
                async fn $case() {
                    let mongo = testing::mongo().await;
                    let store = MongoStore::open(mongo.clone()).await.unwrap();
                    mongo.heard().listen();
                    crate::$group::$case(&store).await;
                    mongo.heard().check(&mongo, &crate::EXPECTED).await;
                })*
            })*
        }
    };
}

suite! {
    events {
        events_say_the_same_in_any_order
        a_deck_that_comes_back_brings_its_cards
        a_person_is_known_once_told_of
        a_deleted_account_leaves_nothing
        a_deletion_that_comes_first_keeps_the_account_empty
        a_card_told_of_while_its_deck_goes_is_gone
        work_done_while_the_account_goes_is_gone
    }
    submit {
        what_is_accepted_is_in_the_log_and_in_the_card
        each_review_gets_its_verdict
        a_review_of_a_card_that_is_gone_by_now_is_still_a_duplicate
        late_reviews_lead_to_the_same_state
        reviews_that_come_at_once_are_all_counted_once
    }
    queue {
        steps_and_learned_cards_that_are_due
        new_cards_come_deck_by_deck_in_their_order
        what_is_done_counts_on_its_day_for_its_deck
        suspended_and_buried_cards_do_not_come
        siblings_and_tags
        the_forecast_counts_cards_by_day
    }
    actions {
        actions_are_kept_whatever_their_order
        an_undone_review_never_was
        late_reviews_correct_the_sums
        the_log_names_the_rules_it_was_made_by
    }
    settings {
        a_deck_sets_what_is_its_own
        presets_are_kept_by_name
        changes_come_once_in_their_order
        weights_are_kept
        a_fitting_is_held_by_one_process
    }
    told {
        a_batch_is_told_in_one_event
        events_wait_until_they_are_delivered
        a_deck_that_is_put_aside
    }
    lists {
        the_numbers_of_decks
        asking_twice_for_the_same_gives_it_once
        logs_are_paged_both_ways
        sessions_start_and_finish_once
        sessions_are_paged_newest_first
        stats_and_streak
    }
}

#[tokio::test]
async fn the_stores_are_described() {
    let mongo = common::testing::mongo().await;
    learning::store::MongoStore::open(mongo.clone()).await.unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/database/learning.md");
    common::testing::check_page(page.as_ref(), "learning", learning::MIGRATIONS, &mongo, &EXPECTED)
        .await;
}
