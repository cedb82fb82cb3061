//! Introspection, and what else the September 2025 edition of the specification brought: descriptions of executable
//! definitions and `@oneOf`.

use std::sync::Arc;

use apollo_compiler::introspection::partial_execute;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use federation::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Object, RequestErrorCode,
    SubgraphSdl, Supergraph, compose, execute, prepare,
};
use serde_json::{Value, json};

use crate::support::supergraph_sdl;

/// Everything that can be asked, but for what the peer does not know.
const WHOLE: &str = r#"
query Whole($all: Boolean = true) {
  __typename
  __schema {
    description
    queryType { ...Full } mutationType { name } subscriptionType { name }
    types { ...Full }
    directives { name description isRepeatable locations args(includeDeprecated: $all) { ...Input } }
  }
  some: __type(name: $name) { ...Full shown: fields { name } visible: enumValues { name } __typename }
  none: __type(name: "Nothing") { name }
}
fragment Full on __Type {
  kind name description specifiedByURL
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...Input } type { ...Ref } isDeprecated deprecationReason __typename
  }
  inputFields(includeDeprecated: $all) { ...Input }
  interfaces { ...Ref }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...Ref }
}
fragment Input on __InputValue { name description type { ...Ref } defaultValue isDeprecated deprecationReason }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name description ofType { name } } } } }
"#;

/// A graph with a `@oneOf` input, and elements that are deprecated.
const CHOICES: &str = r#"
"What there is to choose from."
schema @link(url: "https://specs.apollo.dev/federation/v2.3") { query: Query }
type Query {
  pick(by: By, all: [By!], old: Int = 1 @deprecated(reason: "it is old")): String
  lists(of: [[Int!]]! = [[1, 2], null]): [[Pair!]!]! @deprecated
}
input By @oneOf { id: ID, name: String, nested: By }
type Pair { left: Side right: Side @deprecated(reason: null) }
enum Side { LEFT @deprecated RIGHT }
"#;

fn choices() -> Arc<Supergraph> {
    let subgraph = SubgraphSdl { name: "a".into(), url: None, sdl: CHOICES.to_owned() };
    let composition = compose(&[subgraph]).unwrap();
    Arc::new(Supergraph::parse(&composition.supergraph_sdl).unwrap())
}

/// Subgraphs that must not be asked.
struct Nobody;

impl Fetch for Nobody {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        panic!("{request:?}");
    }
}

async fn ask(supergraph: &Arc<Supergraph>, operation: &str, variables: Value) -> Value {
    let prepared =
        prepare(supergraph, operation, None).unwrap_or_else(|errors| panic!("{errors:?}"));
    let variables: Object = serde_json::from_value(variables).unwrap();
    let response = execute(
        &prepared,
        prepared.coerce(variables).unwrap(),
        &ExecuteSettings::default(),
        &Nobody,
    )
    .await
    .unwrap();
    assert_eq!(response.errors, []);
    serde_json::from_slice(&response.data).unwrap()
}

#[tokio::test]
async fn introspection_agrees_with_the_parsers_library() {
    let spacey = include_str!("../../../schema/supergraph.graphql").to_owned();
    for (sdl, name) in
        [(supergraph_sdl("shop"), "Stars"), (supergraph_sdl("tricky"), "Media"), (spacey, "Deck")]
    {
        let supergraph = Arc::new(Supergraph::parse(&sdl).unwrap());
        let operation = WHOLE.replace("$name", &format!("{name:?}"));
        let ours = ask(&supergraph, &operation, json!({})).await;

        let api = Schema::parse_and_validate(supergraph.api_sdl(), "api.graphql").unwrap();
        let document =
            ExecutableDocument::parse_and_validate(&api, &operation, "o.graphql").unwrap();
        let variables = json!({ "all": true });
        let theirs = partial_execute(
            &api,
            &api.implementers_map(),
            &document,
            document.operations.get(None).unwrap(),
            &Valid::assume_valid(serde_json::from_value(variables).unwrap()),
        )
        .unwrap();
        let mut theirs = serde_json::to_value(theirs.data).unwrap();
        theirs["__typename"] = json!("Query");
        let of = |value: &Value, name: &str| {
            value["__schema"]["types"]
                .as_array()
                .unwrap()
                .iter()
                .find(|ty| ty["name"] == name)
                .cloned()
        };
        for ty in theirs["__schema"]["types"].as_array().unwrap() {
            let name = ty["name"].as_str().unwrap();
            // The one type that says more here.
            if name != "__Type" {
                assert_eq!(of(&ours, name).as_ref(), Some(ty));
            }
        }
        for part in ["some", "none", "__typename"] {
            assert_eq!(ours[part], theirs[part], "{part}");
        }
        for part in ["description", "queryType", "mutationType", "directives"] {
            assert_eq!(ours["__schema"][part], theirs["__schema"][part], "{part}");
        }
    }
}

#[tokio::test]
async fn what_is_deprecated_is_shown_on_request_and_one_of_is_told() {
    let operation = r#"query ($all: Boolean!) {
      by: __type(name: "By") { isOneOf kind }
      pair: __type(name: "Pair") { isOneOf fields { name } }
      side: __type(name: "Side") { enumValues(includeDeprecated: $all) { name deprecationReason } }
      query: __type(name: "Query") { fields(includeDeprecated: true) { name args { name defaultValue type { kind ofType { kind ofType { kind ofType { name kind } } } } } type { kind ofType { kind ofType { kind } } } } }
    }"#;
    let answer = ask(&choices(), operation, json!({ "all": true })).await;
    assert_eq!(answer["by"], json!({ "isOneOf": true, "kind": "INPUT_OBJECT" }));
    assert_eq!(answer["pair"], json!({ "isOneOf": null, "fields": [{ "name": "left" }] }));
    assert_eq!(answer["side"]["enumValues"].as_array().unwrap().len(), 2);
    assert_eq!(answer["side"]["enumValues"][0]["deprecationReason"], "No longer supported");
    let fields = &answer["query"]["fields"];
    assert_eq!(fields[0]["args"].as_array().unwrap().len(), 2);
    assert_eq!(fields[1]["args"][0]["defaultValue"], "[[1, 2], null]");
    assert_eq!(
        fields[1]["type"],
        json!({ "kind": "NON_NULL", "ofType": { "kind": "LIST", "ofType": { "kind": "NON_NULL" } } })
    );
    let few = ask(&choices(), operation, json!({ "all": false })).await;
    assert_eq!(few["side"]["enumValues"], json!([{ "name": "RIGHT", "deprecationReason": null }]));
}

#[tokio::test]
async fn executable_definitions_may_be_described() {
    let operation = "\"\"\"\nAll of it\n\"\"\"\nquery Whole(\"how much\" $all: Boolean = true) { ...F @include(if: $all) }\n\"a part\" fragment F on Query { __typename }";
    assert_eq!(ask(&choices(), operation, json!({})).await, json!({ "__typename": "Query" }));
    let errors = prepare(&choices(), "\"a\"\nquery A {\n  nothing\n}", None).unwrap_err();
    assert_eq!(
        (errors[0].code, &errors[0].locations[..]),
        (RequestErrorCode::ValidationFailed, &[(3, 3)][..])
    );
}

#[test]
fn a_literal_of_a_one_of_input_has_one_field() {
    let supergraph = choices();
    for (operation, fine) in [
        ("{ pick(by: { id: 1 }) }", true),
        ("{ pick(by: { nested: { name: \"a\" } }, all: [{ id: 1 }, { name: \"b\" }]) }", true),
        ("query ($id: ID!) { pick(by: { id: $id }) }", true),
        ("query ($by: By = { id: 1 }) { pick(by: $by) }", true),
        ("{ pick(by: {}) }", false),
        ("{ pick(by: { id: null }) }", false),
        ("{ pick(by: { id: 1, name: \"a\" }) }", false),
        ("{ pick(by: { nested: { id: 1, name: \"a\" } }) }", false),
        ("{ pick(all: [{ id: 1 }, {}]) }", false),
        ("{ ...F } fragment F on Query { ... { pick(all: { id: 1, name: null }) } }", false),
        ("query ($id: ID) { pick(by: { id: $id }) }", false),
        ("query ($by: By = {}) { pick(by: $by) }", false),
    ] {
        let prepared = prepare(&supergraph, operation, None);
        assert_eq!(prepared.is_ok(), fine, "{operation}: {:?}", prepared.err());
        if let Err(errors) = prepared {
            assert_eq!(errors[0].code, RequestErrorCode::ValidationFailed);
            assert_eq!(errors[0].locations.len(), 1, "{operation}");
        }
    }
}

#[tokio::test]
async fn the_schema_is_described_as_most_subgraphs_describe_it() {
    let subgraph = |name: &str, description: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: format!("{description} schema {{ query: Query }} type Query {{ {name}: Int }}"),
    };
    let subgraphs = [
        subgraph("a", "\"The library.\""),
        subgraph("b", ""),
        subgraph("c", "\"\"\"\nWhat the shop sells.\n\"\"\""),
        subgraph("d", "\"What the shop sells.\""),
    ];
    let composed = compose(&subgraphs).unwrap();
    let supergraph = Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap());
    let answer = ask(&supergraph, "{ __schema { description } }", json!({})).await;
    assert_eq!(answer, json!({ "__schema": { "description": "What the shop sells." } }));
}
