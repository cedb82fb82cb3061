//! Services to generate cards that run in the test, a stand-in for the decks subgraph, and the endpoint between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Response, Variables};
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use common::viewer::Roles;
use common::{
    Caller, Clock, DeckId, Endpoint, EndpointError, Error, Event, SessionId, SubgraphRequest,
    UserId, Viewer,
};
use futures::future::BoxFuture;
use generation::GenerationSettings;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) const SECRET: &str = "a-secret-that-both-sides-know";
/// Its first line has 8 code points, which are 9 UTF-16 code units.
pub(crate) const TEXT: &str = "😀: face.\n二 is 2.\n";
pub(crate) const GENERATE: &str =
    "mutation($input: GenerateCardsInput!) { generateCards(input: $input) {
    deck { id } noteId generator { name model } rejected notices { code message }
    drafts { question answer sourceStartIndex sourceEndIndex }
} }";

/// What the service that exists answers for [`TEXT`], with other members put in its `data`.
pub(crate) fn note(more: Value) -> Value {
    let mut note = json!({ "message": "success", "data": {
        "id": "65a1",
        "text": TEXT,
        "cards": [
            { "question": "What is 😀?", "answer": "A face.", "source_start_index": 0, "source_end_index": 8 },
            { "question": "二?", "answer": "two", "source_start_index": 9, "source_end_index": 15 },
        ],
    } });
    for (member, value) in more.as_object().unwrap() {
        note["data"][member] = value.clone();
    }
    note
}

/// A request that the service got.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) user_id: String,
    pub(crate) secret: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Value,
}

/// A generating service.
pub(crate) struct Service {
    pub(crate) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Service {
    /// One that answers every request with this JSON.
    pub(crate) async fn answering(answer: Value) -> Self {
        Self::responding(move || Json(answer.clone()).into_response()).await
    }

    /// One that answers every request with what `respond` makes.
    pub(crate) async fn responding(
        respond: impl Fn() -> axum::response::Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let seen = Arc::clone(&calls);
        let handler = async move |query: Query<Vec<(String, String)>>,
                                  headers: HeaderMap,
                                  Json(body)| {
            let header = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let user_id =
                query.iter().find(|(name, _)| name == "userID").map(|(_, value)| value.clone());
            seen.lock().unwrap().push(Call {
                user_id: user_id.unwrap_or_default(),
                secret: header("x-spacey-secret"),
                idempotency_key: header("idempotency-key"),
                body,
            });
            respond()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/notes", post(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, calls }
    }

    /// The address of one that writes these bytes to every connection, waits, and closes it.
    pub(crate) async fn raw(bytes: &'static [u8], wait: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    drop(connection.read(&mut [0; 1 << 16]).await);
                    drop(connection.write_all(bytes).await);
                    tokio::time::sleep(wait).await;
                });
            }
        });
        url
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

pub(crate) fn caller(user: UserId) -> Caller {
    let beta = Roles { beta: true, admin: false };
    let viewer = Viewer { verified: true, ..Viewer::new(user, SessionId::new(), beta) };
    Caller::new(Some(viewer), "test")
}

/// Card generation with a service, and one person who has one deck.
pub(crate) struct Gateway {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) owner: UserId,
    pub(crate) deck: DeckId,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
}

pub(crate) fn open(url: &str, secret: &str) -> Result<Arc<dyn Endpoint>, Error> {
    let decks = Decks { owner: UserId::new(), deck: DeckId::new(), broken: false };
    open_with(url, secret, decks, Arc::default(), Clock::System)
}

fn open_with(
    url: &str,
    secret: &str,
    decks: Decks,
    config: Arc<Config>,
    clock: Clock,
) -> Result<Arc<dyn Endpoint>, Error> {
    // Another test may have done it before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let settings = GenerationSettings {
        url: url.into(),
        secret: SecretString::from(secret),
        timeout: Duration::from_millis(1_500),
    };
    generation::open(settings, Arc::new(decks), config, clock)
}

impl Gateway {
    pub(crate) fn of(service: &Service) -> Self {
        Self::at(&service.url)
    }

    pub(crate) fn at(url: &str) -> Self {
        Self::new(url, false)
    }

    pub(crate) fn with_broken_decks(service: &Service) -> Self {
        Self::new(&service.url, true)
    }

    fn new(url: &str, broken: bool) -> Self {
        let (owner, deck) = (UserId::new(), DeckId::new());
        let (config, clock) = (Arc::<Config>::default(), Clock::manual(Clock::System.now()));
        let decks = Decks { owner, deck, broken };
        let endpoint = open_with(url, SECRET, decks, config.clone(), clock.clone()).unwrap();
        Self { endpoint, owner, deck, config, clock }
    }

    /// A valid input with other members put in.
    pub(crate) fn input(&self, more: Value) -> Value {
        let mut input = json!({ "deckId": self.deck.to_string(), "text": TEXT });
        for (member, value) in more.as_object().unwrap() {
            input[member] = value.clone();
        }
        json!({ "input": input })
    }

    pub(crate) async fn execute(
        &self,
        caller: Caller,
        document: &str,
        variables: Value,
    ) -> Response {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        self.endpoint.execute(request, Arc::new(caller)).await.unwrap()
    }

    pub(crate) async fn execute_generate(&self, variables: Value) -> Response {
        self.execute(caller(self.owner), GENERATE, variables).await
    }

    /// The answer to the owner, which must be no error.
    pub(crate) async fn data(&self, variables: Value) -> Value {
        let response = self.execute_generate(variables).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Code and message of the one error to the owner.
    pub(crate) async fn error(&self, variables: Value) -> (String, String) {
        self.error_as(caller(self.owner), variables).await
    }

    pub(crate) async fn error_as(&self, caller: Caller, variables: Value) -> (String, String) {
        let response = self.execute(caller, GENERATE, variables).await;
        let errors = serde_json::to_value(&response.errors).unwrap();
        let [error] = &errors.as_array().unwrap()[..] else {
            panic!("one error was expected, not {errors}")
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }
}

/// Stands for the decks subgraph: it knows one deck of one person.
struct Decks {
    owner: UserId,
    deck: DeckId,
    broken: bool,
}

impl Endpoint for Decks {
    fn name(&self) -> &str {
        "decks"
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async move {
            if self.broken {
                return Err(EndpointError::Timeout { endpoint: "decks".into() });
            }
            assert_eq!(&*request.document, "query ($id: ID!) { deck(id: $id) { id } }");
            let id = &request.variables["id"];
            let found = *id == self.deck.into() && caller.viewer().unwrap().user == self.owner;
            let deck = if found { json!({ "id": id }) } else { Value::Null };
            let data = async_graphql::Value::from_json(json!({ "deck": deck })).unwrap();
            Ok(Response::new(data))
        })
    }

    fn apply(&self, _: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Stands for the config subgraph: it has these values, or cannot be reached.
#[derive(Default)]
pub(crate) struct Config {
    values: Mutex<Option<Value>>,
    hangs: AtomicBool,
}

impl Config {
    /// Has these values from now on.
    pub(crate) fn set(&self, values: Value) {
        *self.values.lock().unwrap() = Some(values);
    }

    /// Does not answer from now on.
    pub(crate) fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    /// Cannot be reached from now on.
    pub(crate) fn unplug(&self) {
        *self.values.lock().unwrap() = None;
    }
}

impl Endpoint for Config {
    fn name(&self) -> &str {
        "config"
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        assert_eq!(&*request.document, "{ serviceConfig { key value } }");
        assert_eq!(caller.viewer, None, "it asks for itself");
        let values = self.values.lock().unwrap().clone();
        Box::pin(async move {
            if self.hangs.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            let unreachable = || EndpointError::Timeout { endpoint: "config".into() };
            let values = values.ok_or_else(unreachable)?;
            let row = |(key, value)| json!({ "key": key, "value": value });
            let rows: Vec<_> = values.as_object().unwrap().into_iter().map(row).collect();
            let data = async_graphql::Value::from_json(json!({ "serviceConfig": rows })).unwrap();
            Ok(Response::new(data))
        })
    }

    fn apply(&self, _: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }
}
