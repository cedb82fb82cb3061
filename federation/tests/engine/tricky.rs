//! Operations on the tricky fixture answer as the data does as one schema.

use serde_json::json;

use crate::support::Fixture;

/// Runs the operation both ways and compares the number of fetches.
fn check(operation: &str, fetches: usize) {
    let fixture = Fixture::load("tricky");
    fixture.check(operation, json!({}));
    let log = fixture.take_log();
    let plan = fixture.prepare(operation).plan().to_string();
    assert_eq!(log.len(), fetches, "{plan}\n{log:#?}");
}

#[test]
fn a_key_that_only_a_third_subgraph_knows_is_fetched_first() {
    check("{ item { name stock } }", 3);
}

#[test]
fn a_key_is_put_together_from_two_subgraphs() {
    check("{ parts { id torque } }", 3);
}

#[test]
fn compound_and_nested_keys_tell_entities_apart() {
    check("{ accounts { balance limit org { city } } }", 2);
}

#[test]
fn a_value_type_is_completed_through_its_parent() {
    check("{ item { box { width height } } }", 2);
}

#[test]
fn shareable_root_fields_are_asked_where_most_is_known() {
    check("{ items { sku box { height } } }", 1);
    check("{ items { name box { width } } }", 1);
}

#[test]
fn required_fields_that_require_others_are_fetched_first() {
    check("{ item { label } }", 4);
}

#[test]
fn required_fields_with_arguments_do_not_meet_the_clients() {
    check(
        r#"{ item { price(currency: "USD") priceText dollarText again: price(currency: "EUR") } }"#,
        2,
    );
}

#[test]
fn client_aliases_do_not_meet_keys() {
    check("{ item { id: name sku: name stock } }", 3);
    check("{ parts { id: make make: id model: id torque } }", 3);
}

#[test]
fn interface_fields_come_from_where_they_are() {
    check("{ media { title rating } }", 2);
    check("{ anyMedia { rating title ... on Film { minutes cast { name age } } } }", 3);
}

#[test]
fn types_of_an_interface_are_completed_each_by_its_own_fetch_at_once() {
    check("{ media { __typename id ... on Book { pages } ... on Film { minutes } } }", 2);
}

#[test]
fn one_response_key_has_other_arguments_on_other_types() {
    check(
        r#"{ media { ... on Book { x: blurb(lang: "en") } ... on Film { x: blurb(lang: "de") } } }"#,
        1,
    );
}

#[test]
fn unions_with_other_members_elsewhere() {
    check(
        "{ owners { __typename ... on Person { name age } ... on Company { title: name boss { age } } } }",
        2,
    );
    check("{ item { owner { ... on Person { name } ... on Company { title: name } } } }", 3);
}

#[test]
fn provided_fields_need_no_fetch() {
    check("{ shelf { label item { name maker { name } } } }", 1);
    check("{ shelf { item { name maker { name country } } } }", 2);
}

#[test]
fn entities_in_lists_of_lists() {
    check("{ grid { name stock } }", 3);
}

#[test]
fn deep_and_repeated() {
    check(
        "{ items { related { related { name owner { __typename ... on Person { friends { name age } } } } } } }",
        4,
    );
}

#[test]
fn required_fields_differ_by_the_type_of_an_object() {
    check("{ orders { id cost } }", 2);
    check("{ orders { cost subject { title: id ... on Book { blurb(lang: \"de\") } } } }", 2);
}
