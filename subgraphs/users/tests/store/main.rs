//! What every store of the domain must do: one suite, run on each.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod accounts;
mod former;
mod people;
mod security;
mod sessions;
mod support;

use common::testing;
use users::MIGRATIONS;
use users::store::{mongo::MongoStore, sqlite::SqliteStore};

/// What is held of MongoDB.
const EXPECTED: testing::Expected = testing::Expected {
    not_indexed: &[],
    shard_keys: &[],
    all_shards: &[],
    fields: include_str!("../../fields.txt"),
};

macro_rules! suite {
    ($($module:ident { $($case:ident)* })*) => {
        mod on_sqlite {
            use super::*;
            $($(#[tokio::test] async fn $case() {
                let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                super::$module::$case(&SqliteStore::new(sqlite)).await;
            })*)*
        }
        mod on_mongo {
            use super::*;
            $($(#[tokio::test] async fn $case() {
                let mongo = testing::mongo().await;
                let store = MongoStore::open(mongo.clone()).await.unwrap();
                mongo.heard().listen();
                super::$module::$case(&store).await;
                mongo.heard().check(&mongo, &EXPECTED).await;
            })*)*
        }
    };
}

suite! {
    accounts {
        an_account_is_kept_as_it_was_given
        a_taken_address_changes_nothing_but_a_count
        of_many_signing_up_with_one_address_one_does
        accounts_are_read_in_batches
        a_change_takes_the_version_it_was_made_from
        an_address_is_changed_unless_another_account_has_it
        the_last_admin_stays
        of_two_admins_who_depose_each_other_one_stays
        a_hash_is_replaced_only_if_it_is_still_the_one
        hashes_of_the_program_before_are_known
        events_wait_until_they_are_delivered
        it_answers_a_ping
        accounts_are_paged_and_searched
        an_account_is_removed_with_everything
    }
    people {
        a_person_has_one_account
        of_many_who_come_at_the_same_time_one_makes_it
        an_account_is_nobody_elses_once_that_is_forgotten
    }
    sessions {
        a_session_is_kept_as_it_was_given
        a_token_is_rotated_once
        sessions_end_once
        expired_sessions_are_forgotten
        sessions_that_are_good_are_listed
    }
    security {
        mail_waits_until_it_is_forgotten
        a_mail_is_handed_to_one_at_a_time
        signing_up_queues_the_mail_that_fits
        a_secret_of_a_mail_is_good_once_for_its_purpose
        undoing_a_change_spares_the_links_of_earlier_ones
        a_mail_about_an_account_goes_with_it
        a_key_is_kept_as_it_was_given_and_revoked_once
        a_person_has_so_many_keys
        attempts_are_free_then_paused_then_forgotten
        of_many_attempts_at_the_same_time_the_free_ones_pass
        an_attempt_that_is_counted_late_meets_no_pause
        attempts_are_taken_back
        what_is_remembered_is_so_until_its_time
        security_events_are_paged_newest_first_and_purged
    }
}

#[tokio::test]
async fn the_stores_are_described() {
    let mongo = common::testing::mongo().await;
    MongoStore::open(mongo.clone()).await.unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/database/users.md");
    common::testing::check_page(page.as_ref(), "users", users::MIGRATIONS, &mongo, &EXPECTED).await;
}
