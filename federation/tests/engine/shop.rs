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

#[test]
fn representations_are_sent_once() {
    let shop = Fixture::load("shop");
    shop.check("{ latestReviews { author { name } product { name } } }", json!({}));
    let mut representations: Vec<_> = shop
        .take_log()
        .into_iter()
        .map(|(subgraph, _, representations)| (subgraph, representations))
        .collect();
    representations.sort();
    let expected = [("accounts", 2), ("products", 2), ("reviews", 0)];
    assert_eq!(representations, expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn skipped_fields_are_not_fetched() {
    let shop = Fixture::load("shop");
    let operation = "query($deep: Boolean!) { topProducts { upc reviews @include(if: $deep) { body } ... @skip(if: $deep) { inStock } } }";
    let prepared = shop.prepare(operation);
    for (deep, expected) in [(true, "reviews"), (false, "inventory"), (true, "reviews")] {
        shop.run_prepared(&prepared, json!({"deep": deep}));
        let subgraphs: Vec<_> = shop.take_log().into_iter().map(|(name, ..)| name).collect();
        assert_eq!(subgraphs, ["products", expected]);
        shop.check(operation, json!({"deep": deep}));
        shop.take_log();
    }
}

#[test]
fn introspection_is_answered_without_a_fetch() {
    let shop = Fixture::load("shop");
    let operation = "query($name: String!) { __typename s: __schema { queryType { name } } t: __type(name: $name) { kind name fields { type { name kind } name } } none: __type(name: \"Nope\") { name } }";
    shop.check(operation, json!({"name": "User"}));
    assert!(shop.take_log().is_empty());
    shop.check("{ shopName __type(name: \"Stars\") { enumValues { name } } }", json!({}));
    assert_eq!(shop.take_log().len(), 1);
}

#[test]
fn mutations_run_in_order() {
    let shop = Fixture::load("shop");
    let operation = "mutation { a: renameProduct(upc: \"table\", name: \"x\") { inStock } addReview(input: {upc: \"table\"}) { body } b: priceProduct(upc: \"couch\", price: 1) { price } __typename }";
    shop.check(operation, json!({}));
    let order: Vec<_> = shop.take_log().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(order, ["products", "inventory", "reviews", "products"]);
}

#[test]
fn a_variable_of_the_client_may_be_called_representations() {
    let shop = Fixture::load("shop");
    let operation =
        "query($representations: String!) { product(upc: $representations) { name inStock } }";
    shop.check(operation, json!({"representations": "table"}));
}

#[test]
fn nothing_is_asked_for_what_is_not_there() {
    let shop = Fixture::load("shop");
    shop.check("{ product(upc: \"none\") { inStock reviews { id } } }", json!({}));
    assert_eq!(shop.take_log().len(), 1);
}

#[test]
fn an_execution_can_be_spawned_and_a_deep_operation_fits_its_stack() {
    // One review of one product, again and again, so that the answer does not grow with the depth as trees do.
    let operation = format!(
        "{{ product(upc: \"couch\") {} {} }}",
        "{ inStock reviews { product ".repeat(45) + "{ name }",
        "} }".repeat(45)
    );
    let shop = std::sync::Arc::new(Fixture::load("shop"));
    let prepared = shop.prepare(&operation);
    let response = tokio::runtime::Builder::new_multi_thread()
        .build()
        .unwrap()
        .block_on(async {
            tokio::spawn(async move {
                federation::execute(
                    &prepared,
                    federation::Variables::default(),
                    &federation::ExecuteSettings::default(),
                    &*shop,
                )
                .await
            })
            .await
        })
        .unwrap()
        .unwrap();
    assert!(response.errors.is_empty(), "{:#?}", response.errors);
    assert!(response.data.len() > 1000);
}

#[test]
fn the_query_type_further_in_is_answered_by_whoever_has_it() {
    let shop = Fixture::load("shop");
    let operation = "mutation { checkOut { number query { shopName me { name reviews { body } } topProducts { upc } } more { me { id } } } renameProduct(upc: \"table\", name: \"n\") { upc } }";
    shop.check(operation, json!({}));
    let log = shop.take_log();
    let documents: Vec<_> = log.iter().map(|(_, document, _)| document.as_str()).collect();
    assert!(documents[1..4].iter().all(|document| document.starts_with("query")), "{log:#?}");
    assert_eq!(log.len(), 4, "{log:#?}");
}
