//! Subscriptions: which subgraph is listened to, what each event is completed by, and how a stream ends.

use std::sync::{Arc, Mutex};

use federation::{
    Events, ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Object, Payload,
    RequestErrorCode, Response, Supergraph, Variables, execute, execute_stream, prepare,
};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

const GRAPH: &str = r#"
enum join__Graph {
  NEWS @join__graph(name: "news", url: "")
  USERS @join__graph(name: "users", url: "")
}
type Query @join__type(graph: NEWS) @join__type(graph: USERS) {
  count: Int @join__field(graph: NEWS)
}
type Subscription @join__type(graph: NEWS) {
  posted(by: ID): Post! @join__field(graph: NEWS)
}
type Post @join__type(graph: NEWS, key: "id") {
  id: ID!
  text: String
  tags: [String!]
  author: User
}
type User @join__type(graph: NEWS, key: "id") @join__type(graph: USERS, key: "id") {
  id: ID!
  name: String! @join__field(graph: USERS)
}
"#;

fn supergraph() -> Arc<Supergraph> {
    let header = include_str!("../fixtures/header.graphql");
    let header = header.replace("mutation: Mutation", "subscription: Subscription");
    Arc::new(Supergraph::parse(&format!("{header}{GRAPH}")).unwrap())
}

/// News that post what a test says, and users who all have a name.
#[derive(Clone, Default)]
struct Script {
    events: Arc<Mutex<Vec<Result<Value, FetchError>>>>,
    refuses: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn posting(events: Vec<Result<Value, FetchError>>) -> Self {
        Self { events: Arc::new(Mutex::new(events)), ..Self::default() }
    }

    fn note(&self, request: &FetchRequest<'_>) {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let asked = format!("{} {} {}", request.subgraph, request.document, body["variables"]);
        self.asked.lock().unwrap().push(asked);
    }

    async fn run(&self, operation: &str, variables: Value) -> BoxStream<'static, Payload> {
        let prepared = Arc::new(prepare(&supergraph(), operation, None).unwrap());
        let variables: Object = serde_json::from_value(variables).unwrap();
        let variables = prepared.coerce(variables).unwrap();
        let settings = ExecuteSettings::default();
        execute_stream(prepared, variables, settings, self.clone()).await.unwrap()
    }

    async fn answers(&self, operation: &str) -> Vec<Response> {
        let payloads = self.run(operation, json!({})).await;
        let response = |payload| match payload {
            Payload::Response(response) => response,
            other => panic!("{other:?}"),
        };
        payloads.map(response).collect().await
    }
}

fn json_answer(answer: &Value) -> FetchResponse {
    FetchResponse::Json(answer.to_string().into())
}

impl Fetch for Script {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        self.note(&request);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let names = body["variables"]["representations"].as_array().unwrap().iter();
        let users: Vec<_> = names
            .map(|user| json!({ "__typename": "User", "name": format!("User {}", user["id"].as_str().unwrap()) }))
            .collect();
        Ok(json_answer(&json!({ "data": { "_entities": users } })))
    }

    async fn subscribe(&self, request: FetchRequest<'_>) -> Result<Events, FetchError> {
        self.note(&request);
        if self.refuses {
            return Err(FetchError::NoSubscriptions);
        }
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let answer = |event: Result<Value, FetchError>| event.map(|event| json_answer(&event));
        Ok(stream::iter(events).map(answer).boxed())
    }
}

fn post(id: &str, author: Option<&str>) -> Result<Value, FetchError> {
    let author = author.map(|id| json!({ "__typename": "User", "id": id }));
    Ok(json!({ "data": { "posted": { "id": id, "text": "t", "author": author } } }))
}

fn data(response: &Response) -> Value {
    serde_json::from_slice(&response.data).unwrap()
}

#[test]
fn the_plan_begins_with_the_root_field_s_subgraph() {
    let operation = "subscription S($by: ID) { posted(by: $by) { text author { name } } }";
    let plan = prepare(&supergraph(), operation, None).unwrap().plan().to_string();
    insta::assert_snapshot!(plan);
}

#[tokio::test]
async fn each_event_is_completed_in_order() {
    let script = Script::posting(vec![post("1", Some("a")), post("2", None), post("3", Some("b"))]);
    let payloads = script
        .run(
            "subscription S($by: ID) { posted(by: $by) { id author { name } } }",
            json!({ "by": "a" }),
        )
        .await;
    let answers: Vec<_> = payloads.collect().await;
    let authors: Vec<_> = answers
        .iter()
        .map(|payload| match payload {
            Payload::Response(response) => data(response)["posted"]["author"].clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(authors, [json!({ "name": "User a" }), Value::Null, json!({ "name": "User b" })]);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "one subscription, and a fetch for each author: {asked:#?}");
    assert!(asked[0].starts_with("news subscription") && asked[0].ends_with(r#"{"by":"a"}"#));
}

#[tokio::test]
async fn errors_of_an_event_end_nothing() {
    let failed = json!({ "data": null, "errors": [{ "message": "lost", "path": ["posted"] }] });
    let script = Script::posting(vec![Ok(failed), post("2", None)]);
    let answers = script.answers("subscription { posted { id } }").await;
    assert_eq!((data(&answers[0]), answers[0].errors[0].message.as_str()), (Value::Null, "lost"));
    assert_eq!(data(&answers[1]), json!({ "posted": { "id": "2" } }));
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_the_reason() {
    let script = Script::posting(vec![post("1", None), Err(FetchError::Timeout), post("2", None)]);
    let answers = script.answers("subscription { posted { id } }").await;
    let [_, last] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(data(last), Value::Null);
    assert_eq!(last.errors[0].message, "subgraph \"news\" did not answer in time");
    assert_eq!(last.errors.len(), 1);
}

#[tokio::test]
async fn one_that_cannot_be_opened_is_answered_once() {
    let script = Script { refuses: true, ..Script::default() };
    let answers = script.answers("subscription { posted { id } }").await;
    let [only] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(only.errors[0].message, "subgraph \"news\" cannot be subscribed to");
}

#[tokio::test]
async fn a_subscription_is_not_answered_at_once() {
    let prepared = prepare(&supergraph(), "subscription { posted { id } }", None).unwrap();
    let script = Script::default();
    let refused =
        execute(&prepared, Variables::default(), &ExecuteSettings::default(), &script).await;
    assert_eq!(refused.unwrap_err()[0].code, RequestErrorCode::Unsupported);
}

#[test]
fn more_than_one_root_field_is_refused() {
    for operation in [
        "subscription { posted { id } other: posted { id } }",
        "subscription { __typename }",
        "subscription { ... @defer { posted { id } } }",
        "subscription { posted { ... @defer { id } } }",
    ] {
        let errors = prepare(&supergraph(), operation, None).unwrap_err();
        assert_eq!(errors[0].code, RequestErrorCode::ValidationFailed, "{operation}");
    }
}

#[test]
fn a_list_of_an_event_may_be_streamed_only_where_a_variable_can_turn_it_off() {
    let prepare = |operation: &str| prepare(&supergraph(), operation, None);
    for operation in [
        "subscription { posted { tags @stream } }",
        "subscription { posted { tags @stream(if: true) } }",
        "subscription { posted { ...P } } fragment P on Post { tags @stream }",
        "subscription { posted @stream { id } }",
        "subscription { ...S } fragment S on Subscription { posted @stream { id } }",
    ] {
        let errors = prepare(operation).unwrap_err();
        assert_eq!(errors[0].code, RequestErrorCode::ValidationFailed, "{operation}");
    }
    for operation in [
        "subscription { posted { tags @stream(if: false) } }",
        "subscription S($on: Boolean!) { posted { ...P } } fragment P on Post { tags @stream(if: $on) }",
    ] {
        prepare(operation).unwrap();
    }
}
