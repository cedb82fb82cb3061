//! Operations on the shop fixture answer as the data does as one schema, in as few fetches as expected.

use serde_json::json;

use crate::support::Fixture;

#[test]
fn one_subgraph_answers_alone() {
    let shop = Fixture::load("shop");
    shop.check("{ topProducts(first: 2) { upc name price } }", json!({}));
    assert_eq!(shop.take_log().len(), 1);
}

#[test]
fn entities_are_completed_by_their_key() {
    let shop = Fixture::load("shop");
    shop.check(
        "{ topProducts { name inStock score reviews { body author { name username } } } }",
        json!({}),
    );
    let log = shop.take_log();
    assert_eq!(log.len(), 4, "{log:#?}");
}
