//! What a client sees when a subgraph fails, wholly or in part: nulls where they belong, errors at the client's paths, the
//! rest of the answer as if nothing had happened.

use std::sync::Arc;

use federation::{FetchError, FetchRequest, Object, PathSegment, SubgraphError, Value};
use serde_json::json;

use crate::support::{Answered, Fixture, scenario, show};

/// Runs an operation on the shop while `fault` changes what `subgraph` answers: once as text and once as values, which must
/// come to the same.
fn run(
    operation: &str,
    subgraph: &'static str,
    fault: impl Fn(Answered) -> Result<Answered, FetchError> + Clone + Send + Sync + 'static,
) -> String {
    run_on(&|| Fixture::load("shop"), operation, subgraph, fault)
}

/// The same on another fixture.
fn run_on(
    fixture: &dyn Fn() -> Fixture,
    operation: &str,
    subgraph: &'static str,
    fault: impl Fn(Answered) -> Result<Answered, FetchError> + Clone + Send + Sync + 'static,
) -> String {
    let answer = |in_process: bool| {
        let mut shop = fixture();
        let fault = fault.clone();
        shop.fault = Some(Box::new(move |request: &FetchRequest<'_>, answered: Answered| {
            let answered = if request.subgraph == subgraph { fault(answered)? } else { answered };
            Ok(if in_process { answered.into_value() } else { answered.as_json() })
        }));
        show(&shop.run(operation, json!({})))
    };
    let text = answer(false);
    assert_eq!(text, answer(true));
    text
}

fn error(message: &str, path: Vec<PathSegment>) -> SubgraphError {
    let mut extensions = Object::default();
    extensions.push(Arc::from("code"), Value::String("TEAPOT".to_owned()));
    extensions.push(Arc::from("detail"), Value::Int(7));
    SubgraphError { message: message.to_owned(), path, extensions }
}

fn key(name: &str) -> PathSegment {
    PathSegment::Key(name.into())
}

/// The entities of an answer, to change.
fn entities(response: &mut Answered) -> &mut Vec<Value> {
    let Value::Object(data) = &mut response.data else {
        panic!("data is an object");
    };
    match data.get_mut("_entities") {
        Some(Value::List(items)) => items,
        _ => panic!("there is a list of entities"),
    }
}

#[test]
fn a_subgraph_that_is_down_leaves_the_rest() {
    let operation = "{ topProducts(first: 2) { name inStock score } me { name } }";
    let down = |_| Err(FetchError::Unreachable("secret detail".into()));
    insta::assert_snapshot!(run(operation, "inventory", down));
}

#[test]
fn a_root_fetch_that_times_out_is_null() {
    let operation = "{ me { name } topProducts(first: 2) { name inStock } }";
    insta::assert_snapshot!(run(operation, "products", |_| Err(FetchError::Timeout)));
}

#[test]
fn a_failure_below_a_non_null_root_field_reaches_the_root_once() {
    let operation = "{ users { username } me { name } }";
    let malformed = |_| Err(FetchError::Malformed("<html>".to_owned()));
    insta::assert_snapshot!(run(operation, "accounts", malformed));
}

#[test]
fn errors_of_entities_come_at_the_clients_paths() {
    let operation = "{ latestReviews { id product { name } } }";
    insta::assert_snapshot!(run(operation, "products", |mut response| {
        // The first entity stands at two places.
        entities(&mut response)[0] = Value::Null;
        let path = vec![key("_entities"), PathSegment::Index(0)];
        response.errors.push(error("no such product", path));
        let path = vec![key("_entities"), PathSegment::Index(1), key("name")];
        response.errors.push(error("no name", path));
        response.errors.push(error("nobody knows where", vec![]));
        response.errors.push(error("beyond", vec![key("_entities"), PathSegment::Index(99)]));
        Ok(response)
    }));
}

#[test]
fn errors_of_root_fields_keep_their_paths_and_extensions() {
    let operation = "{ topProducts(first: 2) { n: name price } }";
    insta::assert_snapshot!(run(operation, "products", |mut response| {
        let path = vec![key("topProducts"), PathSegment::Index(1), key("n")];
        response.errors.push(error("no name", path));
        Ok(response)
    }));
}

#[test]
fn an_entity_that_is_not_found_is_null_in_its_fields() {
    let operation = "{ topProducts(first: 2) { upc inStock } }";
    insta::assert_snapshot!(run(operation, "inventory", |mut response| {
        entities(&mut response)[1] = Value::Null;
        Ok(response)
    }));
}

#[test]
fn too_few_entities_are_an_error_and_none_is_misplaced() {
    let operation = "{ topProducts { upc inStock } }";
    insta::assert_snapshot!(run(operation, "inventory", |mut response| {
        entities(&mut response).remove(0);
        Ok(response)
    }));
}

#[test]
fn entities_that_are_no_objects_are_errors_at_their_places() {
    let operation = "{ topProducts { upc inStock } }";
    insta::assert_snapshot!(run(operation, "inventory", |mut response| {
        entities(&mut response)[1] = Value::Int(1);
        Ok(response)
    }));
}

#[test]
fn no_entities_at_all_is_an_error() {
    let operation = "{ topProducts { upc inStock } }";
    insta::assert_snapshot!(run(operation, "inventory", |_| Ok(Answered::default())));
}

#[test]
fn entities_that_are_no_list_are_an_error() {
    let operation = "{ topProducts { upc inStock } }";
    insta::assert_snapshot!(run(operation, "inventory", |mut response| {
        response.data = Value::from(json!({"_entities": {"0": {"inStock": true}}}));
        Ok(response)
    }));
}

#[test]
fn a_null_that_may_not_be_goes_up_to_the_nearest_that_may() {
    let operation = "{ latestReviews { id author { id username } } }";
    insta::assert_snapshot!(run(operation, "reviews", |mut response| {
        response.data = Value::from(json!({"latestReviews": [
            {"id": "1", "author": {"id": "1", "username": null}},
            {"id": "2", "author": {"id": "2", "username": "@x"}}
        ]}));
        Ok(response)
    }));
}

#[test]
fn a_null_in_a_nullable_item_stays_with_its_item() {
    let operation = "{ me { reviews { body stars } } }";
    insta::assert_snapshot!(run(operation, "reviews", |mut response| {
        entities(&mut response)[0] =
            Value::from(json!({"reviews": [{"body": null}, {"body": "b", "stars": "FIVE"}, null]}));
        Ok(response)
    }));
}

#[test]
fn values_of_wrong_types_are_null_with_an_error() {
    let operation = "{ topProducts { name price weight dimensions { height } attributes } }";
    insta::assert_snapshot!(run(operation, "products", |mut response| {
        response.data = Value::from(json!({"topProducts": [
            {"name": 1, "price": "2", "weight": 2147483648_i64, "dimensions": [], "attributes": {"any": [1.5, null]}},
            {"name": "n", "price": 2.0, "weight": -1, "dimensions": {"height": 2.5}, "attributes": "text"},
            "no object",
            null,
        ]}));
        Ok(response)
    }));
}

#[test]
fn enum_values_that_clients_may_not_see_are_null_and_unknown_ones_errors() {
    let operation = "{ latestReviews { id stars } }";
    insta::assert_snapshot!(run(operation, "reviews", |mut response| {
        response.data = Value::from(json!({"latestReviews": [
            {"id": 1, "stars": "FIVE"}, {"id": "2", "stars": "HIDDEN"}, {"id": "3", "stars": "SIX"}
        ]}));
        Ok(response)
    }));
}

#[test]
fn objects_of_unknown_types_are_errors() {
    let operation = r#"{ me { id } search(text: "") { __typename ... on User { id } } }"#;
    insta::assert_snapshot!(run(operation, "reviews", |mut response| {
        response.data = Value::from(json!({"search": [{"__typename": "Ghost", "id": "1"}]}));
        Ok(response)
    }));
}

#[test]
fn a_mutation_goes_on_after_a_failure() {
    let operation = r#"mutation {
        renameProduct(upc: "table", name: "x") { name }
        addReview(input: {upc: "table"}) { id }
    }"#;
    insta::assert_snapshot!(run(operation, "products", |_| Err(FetchError::Timeout)));
}

/// The name of the interface that stood in for the type is never shown as one, nor does it hide what needs no type.
#[test]
fn an_object_whose_type_nobody_tells_is_no_object_of_its_interface() {
    let fixture = || scenario::load("interface_object_by_way_of_an_interface").0;
    let down = |_| Err(FetchError::Timeout);
    let operation = "{ best { score ... on Media { likes } } told: best { score __typename } }";
    let answer = run_on(&fixture, operation, "library", down);
    assert!(!answer.contains("Media"), "{answer}");
    insta::assert_snapshot!(answer);
}
