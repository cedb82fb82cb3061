//! One suite for every store of the domain: each case runs on a fresh SQLite file and on a fresh MongoDB database.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod changes;
mod decks_and_cards;
mod media;
mod notes_and_trash;
mod search;
mod sharing;
mod support;
mod told;

use common::testing;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};

/// What MongoDB need not answer by an index, each with the reason.
const NOT_INDEXED: &[(&str, &str)] = &[
    (
        "find decks limit: _, sort: {sortName: _, _id: _}, filter: {owner: _, trash: null, parent: ",
        DECKS,
    ),
    (
        "find decks limit: _, sort: {createdAt: _, _id: _}, filter: {owner: _, trash: null, parent: ",
        DECKS,
    ),
    (
        "find decks limit: _, sort: {updatedAt: _, _id: _}, filter: {owner: _, trash: null, parent: ",
        DECKS,
    ),
    (
        "aggregate cards pipeline: [{$match: {owner: _, trash: null",
        "the tags of a person are counted from all cards: a limit that README.md names",
    ),
    (
        "find publications limit: _, sort: {createdAt: _, _id: _}, filter: {$and: [{listed: _}, {words: ",
        "decks that have a word are sorted: they are few of all public ones",
    ),
    (
        "aggregate notes pipeline: [{$match: {media: _}}, {$match: {$expr: ",
        "what is joined to media by owner and name cannot be explained apart from them; the join itself is looked at",
    ),
];
/// What is held of MongoDB.
const EXPECTED: testing::Expected = testing::Expected {
    not_indexed: NOT_INDEXED,
    shard_keys: &[],
    all_shards: &[],
    fields: include_str!("../../fields.txt"),
};
const DECKS: &str = "the decks in a deck are at most all of a person's, which are bounded";

macro_rules! suite {
    ($($file:ident :: $case:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
                crate::$file::$case(&SqliteStore::new(sqlite)).await;
            })*
        }
        mod mongo {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let mongo = testing::mongo().await;
                let store = MongoStore::open(mongo.clone()).await.unwrap();
                mongo.heard().listen();
                crate::$file::$case(&store).await;
                mongo.heard().check(&mongo, &EXPECTED).await;
            })*
        }
    };
}

suite! {
    decks_and_cards::what_is_stored_comes_back
    decks_and_cards::a_change_of_something_that_has_changed_since_changes_nothing
    decks_and_cards::a_taken_id_changes_nothing
    decks_and_cards::decks_are_paged_in_every_order
    decks_and_cards::cards_of_many_decks_are_paged_at_once
    decks_and_cards::a_deleted_deck_takes_its_cards_along
    decks_and_cards::cards_are_edited_and_moved
    decks_and_cards::events_wait_until_they_are_delivered
    notes_and_trash::decks_lie_in_decks
    notes_and_trash::notes_have_cards_and_tags
    notes_and_trash::cards_of_a_deck_are_filtered_and_sorted
    notes_and_trash::what_is_in_the_trash_is_not_there_until_it_is_restored
    notes_and_trash::what_was_in_the_trash_is_deleted_for_good_in_parts
    sharing::a_published_deck_comes_back_as_it_was_written
    sharing::public_decks_are_found_and_paged_in_every_order
    sharing::a_release_stays_as_it_was_when_others_come
    sharing::clones_are_remembered_until_their_deck_is_gone
    sharing::files_of_published_decks_are_found_by_id_deck_and_bytes
    sharing::ratings_are_counted_once_for_each_person
    media::files_come_back_by_id_name_and_bytes
    media::a_taken_name_changes_nothing
    media::files_are_paged_by_name_and_by_whether_a_note_names_them
    media::files_of_an_import_are_its_own_until_they_are_adopted
    media::files_in_the_trash_keep_their_bytes_and_end_with_their_entry
    media::files_end_with_the_last_note_that_names_them
    search::every_query_finds_what_it_is_true_of
    search::cards_are_found_by_what_they_have_become
    told::persons_are_kept_when_newer
    told::cards_are_found_by_what_was_learned
    told::what_was_learned_is_kept_when_newer
    changes::what_changes_comes_once_in_order
}

#[tokio::test]
async fn the_stores_are_described() {
    let mongo = common::testing::mongo().await;
    MongoStore::open(mongo.clone()).await.unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/database/decks.md");
    common::testing::check_page(page.as_ref(), "decks", decks::MIGRATIONS, &mongo, &EXPECTED).await;
}
