//! What is not run, and why: documents, variables, supergraphs.

use federation::{RequestError, RequestErrorCode, Supergraph, SupergraphError, Value, prepare};
use serde_json::json;

use crate::support::{Fixture, supergraph_sdl};

fn refused(operation: &str, name: Option<&str>) -> Vec<RequestError> {
    let shop = Fixture::load("shop");
    prepare(&shop.supergraph, operation, name).unwrap_err()
}

fn code(operation: &str) -> RequestErrorCode {
    refused(operation, None)[0].code
}

#[test]
fn documents_that_do_not_parse() {
    let errors = refused("{ me { ", None);
    assert_eq!(errors[0].code, RequestErrorCode::ParseFailed);
    assert_eq!(errors[0].code.as_str(), "GRAPHQL_PARSE_FAILED");
    assert_eq!(errors[0].locations.len(), 1);
    assert_eq!(code(""), RequestErrorCode::ParseFailed);
    assert_eq!(code("\u{0}\u{ffff}"), RequestErrorCode::ParseFailed);
}

#[test]
fn documents_that_are_not_valid() {
    let errors = refused("{\n  me { shoeSize }\n}", None);
    assert_eq!(errors[0].code, RequestErrorCode::ValidationFailed);
    assert_eq!(errors[0].locations, [(2, 8)]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let errors = refused("{ me }", None);
    assert_eq!(errors[0].locations, [(1, 3)]);
    assert!(errors[0].message.contains("must have a subselection set"));
    let both = refused("{ me { ... { shoeSize } } other: me }", None);
    let places: Vec<_> = both.iter().map(|error| error.locations[0]).collect();
    assert_eq!(places, [(1, 14), (1, 27)], "{both:?}");
    assert_eq!(code("{ me { passwordHash } }"), RequestErrorCode::ValidationFailed);
    assert_eq!(code("{ product { upc } }"), RequestErrorCode::ValidationFailed);
    assert_eq!(code("{ _entities { __typename } }"), RequestErrorCode::ValidationFailed);
    assert_eq!(
        code(r#"mutation { addReview(input: {upc: "", secret: ""}) { id } }"#),
        RequestErrorCode::ValidationFailed
    );
    assert_eq!(
        code("query A { me { ...F } } fragment F on User { ...F }"),
        RequestErrorCode::ValidationFailed
    );
}

#[test]
fn operations_that_are_not_there() {
    let two = "query A { me { id } } query B { me { id } }";
    for name in [None, Some("C")] {
        let errors = refused(two, name);
        assert_eq!(errors[0].code, RequestErrorCode::OperationResolutionFailure);
    }
    let shop = Fixture::load("shop");
    let prepared = prepare(&shop.supergraph, two, Some("B")).unwrap();
    assert_eq!(prepared.operation_name(), Some("B"));
}

#[test]
fn documents_that_are_too_deep_or_too_long() {
    let nested = |depth| format!("{}id{}", "{ me ".repeat(depth), "}".repeat(depth));
    assert_eq!(code(&nested(100_000)), RequestErrorCode::ParseFailed);
    assert_eq!(code(&"[".repeat(50_000)), RequestErrorCode::ParseFailed);
    let list = format!("{{ product(upc: {}", "[".repeat(50_000));
    assert_eq!(code(&list), RequestErrorCode::ParseFailed);
    let wide = format!("{{ me {{ {} }} }}", "id ".repeat(20_000));
    assert_eq!(code(&wide), RequestErrorCode::ParseFailed);
    assert_eq!(
        code("query($a: [[[[[[[Int]]]]]]]) { me { id } }"),
        RequestErrorCode::ValidationFailed
    );
}

#[test]
fn fragments_that_grow_exponentially() {
    let mut operation = "{ me { ...F0 } }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        operation += &format!(
            " fragment F{level} on User {{ a{level}: reviews {{ author {{ ...F{next} }} }} b{level}: reviews {{ author {{ ...F{next} }} }} }}"
        );
    }
    operation += " fragment F30 on User { id }";
    assert_eq!(code(&operation), RequestErrorCode::OperationTooComplex);
}

#[test]
fn what_the_engine_does_not_serve() {
    assert_eq!(code("{ me { __typename: id } }"), RequestErrorCode::Unsupported);
    let deep = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(code(deep), RequestErrorCode::MaxIntrospectionDepthExceeded);
}

#[test]
fn variables_that_do_not_fit() {
    let shop = Fixture::load("shop");
    let operation = "mutation M($input: ReviewInput!, $n: Int) { addReview(input: $input) { id } priceProduct(upc: \"x\", price: 1) { price } n: renameProduct(upc: \"x\", name: \"x\") { reviews { id } } }";
    let operation = operation.replace("($input: ReviewInput!, $n: Int)", "($input: ReviewInput!)");
    let prepared = shop.prepare(&operation);
    let run = |variables: serde_json::Value| {
        let Value::Object(variables) = Value::from(variables) else {
            panic!("variables are an object");
        };
        prepared.coerce(variables)
    };
    let cases = [
        (json!({}), "variable $input of type ReviewInput! is required"),
        (json!({"input": null}), "variable $input of type ReviewInput! must not be null"),
        (
            json!({"input": 3}),
            "variable $input of type ReviewInput got a number that does not fit: accepted is an object",
        ),
        (json!({"input": {}}), "variable $input.upc of type String! is required"),
        (
            json!({"input": {"upc": 1}}),
            "variable $input.upc of type String got a number that does not fit: accepted is a string",
        ),
        (
            json!({"input": {"upc": "a", "secret": "b"}}),
            "variable $input: ReviewInput has no field \"secret\"",
        ),
        (
            json!({"input": {"upc": "a", "stars": ["ONE", "HIDDEN"]}}),
            "variable $input.stars[1] of type Stars got a string that does not fit: accepted is one of ONE, FIVE",
        ),
        (
            json!({"input": {"upc": "a", "stars": [null]}}),
            "variable $input.stars[0] of type Stars! must not be null",
        ),
    ];
    for (variables, message) in cases {
        let errors = run(variables).unwrap_err();
        assert_eq!(errors[0].code, RequestErrorCode::BadUserInput);
        assert_eq!(errors[0].message, message);
        assert_eq!(errors[0].locations, [(1, 12)]);
    }
    let fit = run(json!({"input": {"upc": "a", "stars": "ONE"}, "unused": 1})).unwrap();
    assert!(fit.get("unused").is_none());
}

#[test]
fn variables_reach_the_subgraphs_that_use_them_coerced() {
    let mut shop = Fixture::load("shop");
    shop.fault = Some(Box::new(|request, response| {
        let expected = match request.subgraph {
            "reviews" => json!({"input": {"upc": "table", "body": "No words", "stars": ["ONE"]}}),
            _ => json!({"upc": "table"}),
        };
        let variables: serde_json::Value =
            serde_json::from_slice(request.variables_json()).unwrap();
        assert_eq!(variables, expected);
        Ok(response.as_json())
    }));
    shop.run(
        "mutation($input: ReviewInput!, $upc: String = \"table\") { addReview(input: $input) { id } renameProduct(upc: $upc, name: \"n\") { upc } }",
        json!({"input": {"upc": "table", "stars": "ONE"}}),
    );
    shop.expect_no_violation("{ me { id } }");
}

#[test]
fn supergraphs_that_cannot_be_used() {
    let sdl = supergraph_sdl("shop");
    let parse = |from: &str, to: &str| {
        assert!(sdl.contains(from), "{from}");
        Supergraph::parse(&sdl.replacen(from, to, 1)).unwrap_err()
    };
    assert!(matches!(Supergraph::parse("type Query {"), Err(SupergraphError::Invalid(_))));
    assert!(matches!(Supergraph::parse("type Query { a: Int }"), Err(SupergraphError::Missing(_))));
    let error = parse("specs.apollo.dev/join/v0.3", "specs.apollo.dev/join/v0.9");
    assert!(matches!(error, SupergraphError::UnsupportedLink { .. }), "{error}");
    let error =
        parse("specs.apollo.dev/tag/v0.3\"", "specs.example.com/auth/v0.1\", for: SECURITY");
    assert!(matches!(error, SupergraphError::UnsupportedLink { .. }), "{error}");
    let error = parse("REVIEWS, key: \"id\")", "REVIEWS, key: \"id\", isInterfaceObject: true)");
    assert!(matches!(error, SupergraphError::Malformed { .. }), "{error}");
    let error = parse("requires: \"price weight\"", "requires: \"price girth\"");
    assert!(error.to_string().contains("price girth"), "{error}");
}

#[test]
fn the_client_schema_has_no_machinery() {
    let supergraph = Supergraph::parse(&supergraph_sdl("shop")).unwrap();
    let sdl = supergraph.api_sdl();
    for hidden in ["join__", "link", "@tag", "inaccessible", "HIDDEN", "passwordHash", "secret"] {
        assert!(!sdl.contains(hidden), "{hidden} in {sdl}");
    }
    insta::assert_snapshot!(sdl);
    let names: Vec<_> = supergraph.subgraphs().map(|subgraph| &*subgraph.name).collect();
    assert_eq!(names, ["accounts", "inventory", "products", "reviews"]);
}
