//! What is not run, and why: documents, variables, supergraphs.

use federation::{
    Limit, OperationLimits, PlanSettings, RequestError, RequestErrorCode, Supergraph,
    SupergraphError, Value, prepare, prepare_with,
};
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
    assert_eq!(code(&nested(1_000)), RequestErrorCode::TooDeep);
    assert_eq!(code(&nested(100_000)), RequestErrorCode::TooManyTokens);
    let list = |depth| {
        format!("{{ product(upc: {}1{}) {{ upc }} }}", "[".repeat(depth), "]".repeat(depth))
    };
    assert_eq!(code(&list(1_000)), RequestErrorCode::TooDeep);
    assert_eq!(code(&list(50_000)), RequestErrorCode::TooManyTokens);
    let wide = format!("{{ me {{ {} }} }}", "id ".repeat(20_000));
    assert_eq!(code(&wide), RequestErrorCode::TooManyTokens);
    let error = &refused(&wide, None)[0];
    assert_eq!(error.message, "the document has more than 15000 tokens; it may have 15000 at most");
    assert_eq!(error.locations.len(), 1);
    assert_eq!(
        code("query($a: [[[[[[[Int]]]]]]]) { me { id } }"),
        RequestErrorCode::ValidationFailed
    );
}

#[test]
fn fragments_that_nest_deep_once_expanded() {
    let fragment = |level: usize| {
        format!("fragment F{level} on User {{ reviews {{ author {{ ...F{} }} }} }} ", level + 1)
    };
    let fragments: String = (0..50).map(fragment).collect();
    let errors =
        refused(&format!("{{ me {{ ...F0 }} }} {fragments} fragment F50 on User {{ id }}"), None);
    assert_eq!(errors[0].code, RequestErrorCode::TooDeep);
    assert!(errors[0].message.contains("100 levels"), "{}", errors[0]);
    assert_eq!(errors[0].locations.len(), 1);
}

#[test]
fn chains_of_fragments_far_deeper_than_the_stack() {
    let fragment = |level: usize| format!("fragment F{level} on User {{ ...F{} }} ", level + 1);
    let fragments: String = (0..700).map(fragment).collect();
    let errors =
        refused(&format!("{{ me {{ ...F0 }} }} {fragments} fragment F700 on User {{ id }}"), None);
    assert_eq!(errors[0].code, RequestErrorCode::TooDeep);
    assert!(errors[0].message.contains("100 levels"), "{}", errors[0]);
    assert_eq!(errors[0].locations.len(), 1);
}

/// What `operation` is refused for, and what it is told of, by limits of two of everything.
fn limited(operation: &str, is_enforced: bool) -> Result<Vec<RequestError>, Vec<RequestError>> {
    let two = Limit { most: 2, is_enforced };
    let limits = OperationLimits {
        aliases: two,
        root_fields: two,
        directives: two,
        fragments: two,
        ..OperationLimits::default()
    };
    let shop = Fixture::load("shop");
    prepare_with(&shop.supergraph, operation, None, &limits, PlanSettings::default())
        .map(|prepared| prepared.measured().to_vec())
}

#[test]
fn operations_that_hold_more_than_is_accepted() {
    for (operation, code, message, place) in [
        (
            "{ me { a: id b: id c: id } }",
            "TOO_MANY_ALIASES",
            "the operation has 3 aliases; it may have 2 at most",
            (1, 20),
        ),
        (
            "query Q { me { ...F } a: me { ...F } }\nfragment F on User { b: id }",
            "TOO_MANY_ALIASES",
            "the operation Q has 3 aliases; it may have 2 at most",
            (1, 1),
        ),
        (
            "{ ...F ... { me { id } } me { id } } fragment F on Query { me { name } }",
            "TOO_MANY_ROOT_FIELDS",
            "the operation has 3 root fields; it may have 2 at most",
            (1, 1),
        ),
        (
            "query ($a: Boolean = true) { me { id @skip(if: false)\n...F @include(if: $a) } } fragment F on User { ... @skip(if: false) { id } }",
            "TOO_MANY_DIRECTIVES",
            "the document has 3 directives; it may have 2 at most",
            (2, 52),
        ),
        (
            "{ me { ...A ...B ...C } } fragment A on User { id } fragment B on User { id }\nfragment C on User { id }",
            "TOO_MANY_FRAGMENTS",
            "the document has 3 fragments; it may have 2 at most",
            (2, 1),
        ),
    ] {
        let errors = limited(operation, true).unwrap_err();
        assert_eq!(limited(operation, false).unwrap(), errors);
        let [error] = &errors[..] else { panic!("{operation}: {errors:?}") };
        assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{operation}");
        assert_eq!(error.locations, [place], "{operation}");
    }
    for operation in [
        "{ a: me { id } b: me { id } }",
        "{ me { ...A ...B ...A } } fragment A on User { id } fragment B on User { a: id }",
        "query A { me { id } }",
    ] {
        assert_eq!(limited(operation, true).unwrap(), [], "{operation}");
    }
}

#[test]
fn fragments_that_spread_themselves_are_counted_once() {
    let errors = limited("{ me { ...F } } fragment F on User { a: id ...F }", true).unwrap_err();
    assert_eq!(errors[0].code, RequestErrorCode::ValidationFailed);
}

#[test]
fn fragments_that_grow_exponentially_are_counted_soon() {
    let level = |level| {
        format!(
            "fragment F{level} on User {{ a: reviews {{ author {{ ...F{} ...F{} }} }} }} ",
            level + 1,
            level + 1
        )
    };
    let fragments: String = (0..90).map(level).collect();
    let operation = format!("{{ me {{ ...F0 }} }} {fragments} fragment F90 on User {{ id }}");
    let errors = limited(&operation, true).unwrap_err();
    let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["TOO_MANY_ALIASES", "TOO_MANY_FRAGMENTS"]);
    assert!(errors[0].message.contains(&u64::MAX.to_string()), "{}", errors[0]);
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
