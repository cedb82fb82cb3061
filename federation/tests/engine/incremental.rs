//! `@defer` and `@stream`: what is answered when, and that the parts add up to the answer without the directives.

use federation::{FetchError, Payload, RequestErrorCode, SubsequentResponse, prepare};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use crate::support::Fixture;
use crate::support::gated::{Client, Gated};

fn text(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

fn subsequent(payload: Payload) -> SubsequentResponse {
    match payload {
        Payload::Subsequent(part) => part,
        other => panic!("{other:?}"),
    }
}

/// Answers an operation in parts and at once, and expects the same.
async fn adds_up(operation: &str) -> Client {
    adds_up_in("shop", operation).await
}

async fn adds_up_in(fixture: &'static str, operation: &str) -> Client {
    let gated = Gated::new(Fixture::load(fixture), &[]);
    let client = Client::collect(gated.stream(operation, json!({})).await).await;
    let plain = tokio::task::spawn_blocking({
        let operation = operation.to_owned();
        move || Fixture::load(fixture).check(&operation, json!({}))
    });
    let plain = plain.await.unwrap();
    assert_eq!(client.data, text(&plain.data), "{operation}");
    assert_eq!(client.errors.len(), plain.errors.len(), "{operation}");
    client
}

#[tokio::test]
async fn what_is_deferred_does_not_hold_up_the_rest() {
    let shop = Gated::new(Fixture::load("shop"), &["inventory"]);
    let operation = "{ topProducts(first: 2) { name ... @defer(label: \"stock\") { inStock } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    let Some(Payload::Initial(initial)) = payloads.next().await else { panic!() };
    let names = json!({ "topProducts": [{ "name": "Table" }, { "name": "Couch" }] });
    assert_eq!(text(&initial.response.data), names);
    let announced: Vec<_> =
        initial.pending.iter().map(|one| json!([one.path, one.label.as_deref()])).collect();
    assert_eq!(
        announced,
        [json!([["topProducts", 0], "stock"]), json!([["topProducts", 1], "stock"])]
    );

    assert!(payloads.next().now_or_never().is_none(), "inventory has not answered");
    shop.open("inventory");
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!((part.incremental.len(), part.completed.len(), part.has_next), (2, 2, false));
    assert!(payloads.next().await.is_none());
}

#[tokio::test]
async fn each_fragment_comes_as_soon_as_it_is_there() {
    let shop = Gated::new(Fixture::load("shop"), &["inventory", "reviews"]);
    let operation = "{ product(upc: \"table\") { name
        ... @defer(label: \"stock\") { inStock }
        ... @defer(label: \"score\") { score } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    assert!(matches!(payloads.next().await, Some(Payload::Initial(_))));
    shop.open("reviews");
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!(part.completed[0].pending.label.as_deref(), Some("score"));
    assert!(part.has_next && part.completed.len() == 1);
    shop.open("inventory");
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!(part.completed[0].pending.label.as_deref(), Some("stock"));
    assert!(!part.has_next);
}

#[tokio::test]
async fn a_fragment_inside_another_comes_after_it() {
    let shop = Gated::new(Fixture::load("shop"), &["inventory", "reviews"]);
    let operation = "{ me { name ... @defer(label: \"outer\") { reviews { body
        product { upc ... @defer(label: \"inner\") { inStock } } } } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    let Some(Payload::Initial(initial)) = payloads.next().await else { panic!() };
    assert_eq!(initial.pending.len(), 1, "the inner one has no place yet");
    shop.open("inventory");
    assert!(payloads.next().now_or_never().is_none());
    shop.open("reviews");
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!(part.completed[0].pending.label.as_deref(), Some("outer"));
    assert!(part.pending.iter().all(|one| one.label.as_deref() == Some("inner")));
    assert!(part.has_next && !part.pending.is_empty());
}

/// `boss` is of two fragments, of which one may be told of later than the other, and has a part that is only of that one.
#[tokio::test]
async fn a_fragment_is_complete_only_with_what_it_shares() {
    let operation = "{ owners { ... @defer { ... on Company {
        ... @defer { name ... @defer { again: name boss { age id } } }
        ... @defer { boss { also: id } } } } } }";
    let client = adds_up_in("tricky", operation).await;
    assert!(client.data.to_string().contains("\"age\":"), "{}", client.data);
}

#[tokio::test]
async fn the_inner_fragment_waits_although_it_is_there_first() {
    let shop = Gated::new(Fixture::load("shop"), &["reviews"]);
    let operation = "{ me { id ... @defer(label: \"outer\") { reviews { body }
        ... @defer(label: \"inner\") { name reviews { stars } } } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    let Some(Payload::Initial(initial)) = payloads.next().await else { panic!() };
    let labels: Vec<_> = initial.pending.iter().map(|one| one.label.as_deref()).collect();
    assert_eq!(labels, [Some("outer")]);
    assert!(payloads.next().now_or_never().is_none(), "the outer one is not there");
    shop.open("reviews");
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!(part.completed[0].pending.label.as_deref(), Some("outer"));
    assert_eq!(part.pending[0].label.as_deref(), Some("inner"));
    let part = subsequent(payloads.next().await.unwrap());
    assert_eq!(part.completed[0].pending.label.as_deref(), Some("inner"));
    assert!(part.incremental.len() > 1 && !part.has_next);
}

#[tokio::test]
async fn parts_add_up_to_the_whole() {
    for operation in [
        "{ me { name ... @defer { username reviews { body } } } }",
        // What the first part has is not repeated, at any depth.
        "{ me { name reviews { body } ...F @defer } } fragment F on User { name reviews { body stars author { name } } }",
        // Two fragments share a field, which comes once.
        "{ me { id ... @defer(label: \"a\") { reviews { body stars } } ... @defer(label: \"b\") { reviews { body id } } } }",
        // A fragment around another that selects the same.
        "{ me { id ... @defer(label: \"a\") { name ... @defer(label: \"b\") { name username } } } }",
        // At the root, from a subgraph that is asked twice, and from none.
        "{ me { name } ... @defer { shopName users { id } } ...T @defer } fragment T on Query { __typename }",
        // On an interface's and a union's members.
        "{ search(text: \"table\") { __typename ... on Product @defer { name inStock } ... on User { id ... @defer { name } } } }",
        // Nothing is left to defer.
        "{ me { name ... @defer { name } } }",
        // On a union's member in a fragment inside the one that selects it on all.
        "{ ... @defer { search(text: \"EUR\") @stream(initialCount: 1) { ... on Review { id ... @defer { body __typename } } __typename } } }",
        // With requirements of other subgraphs.
        "{ topProducts(first: 3) { upc ... @defer { shippingEstimate volume } } }",
        // Lists.
        "{ topProducts(first: 3) @stream(initialCount: 1) { name inStock } }",
        "{ topProducts(first: 3) @stream { name ... @defer { score reviews @stream(initialCount: 1) { body } } } }",
        "mutation { priceProduct(upc: \"table\", price: 3) { upc ... @defer { inStock } } addReview(input: { upc: \"table\" }) { id } }",
    ] {
        let client = adds_up(operation).await;
        assert!(!client.is_partial, "{operation}");
    }
}

#[tokio::test]
async fn a_streamed_list_begins_with_as_many_items_as_asked_for() {
    let shop = Gated::new(Fixture::load("shop"), &[]);
    let operation = "query Q($n: Int!) { topProducts(first: 3) @stream(initialCount: $n, label: \"l\") { name } }";
    for (count, expected) in [(0, 0), (2, 2), (9, 3)] {
        let mut payloads = shop.stream(operation, json!({ "n": count })).await;
        let (response, pending) = match payloads.next().await.unwrap() {
            Payload::Initial(initial) => (initial.response, initial.pending),
            Payload::Response(response) => (response, Vec::new()),
            other => panic!("{other:?}"),
        };
        let shown = text(&response.data)["topProducts"].as_array().unwrap().len();
        assert_eq!((shown, pending.is_empty()), (expected, count > 2));
    }
}

#[tokio::test]
async fn directives_that_are_off_change_nothing() {
    let shop = Gated::new(Fixture::load("shop"), &[]);
    let operation = "query Q($on: Boolean!) { me { name ... @defer(if: $on) { reviews { body } } }
        topProducts @stream(if: $on) { upc } users { id ... @defer(if: false) { name } } }";
    let mut payloads = shop.stream(operation, json!({ "on": false })).await;
    assert!(matches!(payloads.next().await, Some(Payload::Response(_))));
    let mut payloads = shop.stream(operation, json!({ "on": true })).await;
    let Some(Payload::Initial(initial)) = payloads.next().await else { panic!() };
    assert_eq!(initial.pending.len(), 2);
}

#[tokio::test]
async fn a_null_that_reaches_a_fragment_fails_it_and_nothing_else() {
    let mut fixture = Fixture::load("shop");
    fixture.fault = Some(Box::new(|request, answered| {
        // What is deferred is asked for by a representation.
        if request.subgraph == "accounts" && request.document.contains("_entities") {
            return Err(FetchError::Timeout);
        }
        Ok(answered.as_json())
    }));
    let shop = Gated::new(fixture, &[]);
    let operation = "{ me { id ... @defer(label: \"strict\") { username }
        ... @defer(label: \"lenient\") { reviews { body } } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    let mut client = Client::default();
    while let Some(payload) = payloads.next().await {
        client.take(payload);
    }
    assert!(client.is_done && client.is_partial);
    assert!(client.data["me"].get("username").is_none(), "{:#}", client.data);
    assert!(client.data["me"]["reviews"].is_array());
    assert_eq!(client.errors, ["subgraph \"accounts\" did not answer in time"]);
}

#[tokio::test]
async fn an_error_is_told_with_the_part_that_it_concerns() {
    let mut fixture = Fixture::load("shop");
    fixture.data.break_field("Product:couch", "score");
    let shop = Gated::new(fixture, &[]);
    let operation = "{ topProducts(first: 2) { name ... @defer { score } } }";
    let mut payloads = shop.stream(operation, json!({})).await;
    let Some(Payload::Initial(initial)) = payloads.next().await else { panic!() };
    assert!(initial.response.errors.is_empty());
    let part = subsequent(payloads.next().await.unwrap());
    let errors: Vec<_> = part.incremental.iter().map(|one| one.errors.len()).collect();
    assert_eq!(errors, [0, 1]);
    let path = serde_json::to_value(&part.incremental[1].errors[0].path).unwrap();
    assert_eq!(path, json!(["topProducts", 1, "score"]));
}

#[test]
fn directives_where_they_may_not_be_are_refused() {
    let shop = Fixture::load("shop");
    for operation in [
        "{ me { ... @defer(label: \"a\") { name } ... @defer(label: \"a\") { id } } }",
        "query Q($l: String) { me { ... @defer(label: $l) { name } } }",
        "mutation { ... @defer { checkOut { number } } }",
        "{ me @stream { name } }",
        "{ me { name @stream } }",
        "query Q($l: String) { users @stream(label: $l) { id } }",
        "{ users @stream(label: \"a\") { id } topProducts @stream(label: \"a\") { upc } }",
        "{ me { ... @defer(label: \"a\") { name } reviews @stream(label: \"a\") { id } } }",
        "{ users @stream(initialCount: -1) { id } }",
        "{ users @defer { id } }",
        // Another field with the same key, whatever the arguments, at any depth, and through fragments.
        "{ users @stream { id } users { name } }",
        "{ users { name } users @stream(initialCount: 1) { id } }",
        "{ users @stream { id } users @stream(initialCount: 1) { name } }",
        "{ users @stream { id } users @stream { name } }",
        "{ a: users @stream(if: false) { id } a: users { name } }",
        "{ me { reviews { id } } me { reviews @stream { body } } }",
        "{ me { ...A ...B } } fragment A on User { reviews { id } } fragment B on User { reviews @stream { id } }",
        "{ search(text: \"\") { ... on Product { reviews @stream { id } } ... on Product { reviews { id } } } }",
        "{ me { name } } query Other { users @stream { id } users { name } }",
        "mutation { ...M } fragment M on Mutation { ... @defer { checkOut { number } } }",
    ] {
        let errors = prepare(&shop.supergraph, operation, None).unwrap_err();
        let invalid = |code| code == RequestErrorCode::ValidationFailed;
        assert!(errors.iter().all(|error| invalid(error.code)), "{operation}: {errors:#?}");
    }
}

#[test]
fn a_streamed_list_may_stand_beside_what_is_no_part_of_it() {
    let shop = Fixture::load("shop");
    for operation in [
        "{ users @stream { id } others: users { name } }",
        "{ me { ...A ...A } } fragment A on User { reviews @stream { id } }",
        // No object is both.
        "{ search(text: \"\") { ... on Product { reviews @stream { id } } ... on User { reviews { id } } } }",
        "query A { users @stream { id } } query B { users { id } }",
    ] {
        let name = operation.starts_with("query A").then_some("A");
        prepare(&shop.supergraph, operation, name).unwrap();
    }
}

#[test]
fn fragments_that_grow_exponentially_around_a_stream_are_refused_soon() {
    let shop = Fixture::load("shop");
    let mut operation = "{ users @stream { id } me { ...F0 } }".to_owned();
    for level in 0..40 {
        let next = level + 1;
        operation += &format!(
            " fragment F{level} on User {{ a{level}: reviews {{ x{level}: id author {{ ...F{next} }} }} b{level}: reviews {{ author {{ ...F{next} }} }} }}"
        );
    }
    operation += " fragment F40 on User { id }";
    let errors = prepare(&shop.supergraph, &operation, None).unwrap_err();
    assert_eq!(errors[0].code, RequestErrorCode::TooDeep);
}
