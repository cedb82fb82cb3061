//! The domain through its endpoint: real documents, as different callers, on each store.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod accounts;
mod addresses;
mod limits;
mod model;
mod people;
mod security;
mod world;

macro_rules! on_each_store {
    ($($module:ident { $($case:ident)* })*) => {
        mod on_sqlite {
            $($(#[tokio::test] async fn $case() {
                crate::$module::$case(crate::world::World::on_sqlite().await).await;
            })*)*
        }
        mod on_mongo {
            $($(#[tokio::test] async fn $case() {
                crate::$module::$case(crate::world::World::on_mongo().await).await;
            })*)*
        }
    };
}

on_each_store! {
    accounts {
        a_person_signs_up_logs_in_and_out
        refresh_tokens_rotate_and_reuse_ends_the_session
        a_lost_answer_is_given_again_and_of_two_who_refresh_at_once_both_stay
        a_browser_refreshes_by_its_cookie
        whoever_logs_in_gets_a_session_of_their_own
        a_refresh_token_expires
        cookies_are_set_and_cleared
        a_profile_is_changed_by_its_owner
        bad_input_is_refused_and_changes_nothing
        nobody_sees_anybody_else
        entities_are_answered_in_order_with_gaps
        roles_are_given_and_taken_by_admins
        entities_take_one_statement
    }
    security {
        sessions_are_listed_and_ended
        a_password_is_changed_by_who_knows_it
        an_address_is_confirmed_by_mail
        a_password_is_reset_by_mail
        signing_up_with_a_taken_address_mails_its_owner
        api_keys_are_made_used_and_revoked
        an_api_key_cannot_touch_the_account
        security_events_are_for_their_owner_and_admins
        admins_find_people_and_end_their_sessions
        an_account_is_deleted_after_a_while_unless_its_owner_logs_in
    }
    people {
        a_person_gets_an_account_once
        an_address_that_is_taken_is_never_linked
        an_address_counts_as_confirmed_when_the_issuer_says_so
        who_gets_an_unconfirmed_account_by_mail_has_it_alone
    }
    addresses {
        an_address_is_changed_by_who_reads_mail_sent_there
        a_taken_address_shows_to_nobody_but_its_owner
        a_former_address_undoes_the_change
        a_change_that_was_asked_for_ends_with_the_password
        only_the_last_address_asked_for_counts
        asking_for_addresses_is_bounded
    }
    limits {
        wrong_passwords_are_slowed_down_and_nobody_else_is
        a_guess_from_many_networks_is_no_obstacle_to_the_owner
        mail_to_one_address_is_bounded_and_nothing_shows
        sign_ups_and_resets_of_a_network_are_slowed_down
        limits_outlive_a_restart
    }
}

#[tokio::test]
async fn the_sdl_holds_the_keys() {
    let world = world::World::on_sqlite().await;
    let sdl = world.users.endpoint.sdl().await.unwrap();
    assert!(sdl.contains("type User @key(fields: \"id\")"), "{sdl}");
    assert!(!sdl.contains("_entities") && !sdl.contains("_Entity"), "{sdl}");
    async_graphql::parser::parse_schema(&sdl).unwrap();
}
