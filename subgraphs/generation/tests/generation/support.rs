//! Services to generate cards that run in the test, stand-ins for the decks and config subgraphs, and the domain between them.

mod library;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Response, Variables};
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use common::event::UserChanged;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{
    Backend, Caller, Clock, DeckId, Endpoint, EndpointError, Error, Event, SessionId,
    SubgraphRequest, UserId, Viewer, testing,
};
use futures::future::BoxFuture;
use generation::queue::Bounds;
use generation::{GenerationSettings, MIGRATIONS};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) use library::Library;

pub(crate) const SECRET: &str = "a-secret-that-both-sides-know";
/// How long a service of these tests is waited for.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Its first line has 8 code points, which are 9 UTF-16 code units.
pub(crate) const TEXT: &str = "😀: face.\n二 is 2.\n";
pub(crate) const GENERATE: &str =
    "mutation($input: GenerateCardsInput!) { generateCards(input: $input) { job { id state } } }";
pub(crate) const JOB: &str = "query($id: ID!) { generationJob(id: $id) {
    id state step progress deck { id } sourceUrl text instructions maxCards generator { name model } rejected notices { code message }
    drafts { id question answer sourceStartIndex sourceEndIndex edited state card { id } } failure { code message }
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

/// What the users domain says when an account was deleted.
pub(crate) fn deleted_account(user: UserId) -> Event {
    Event::User(UserChanged {
        user,
        version: 2,
        deleted: true,
        time_zone: "UTC".into(),
        rollover_hour: 4,
    })
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
    /// Whether it says that it keeps its answers by key.
    pub(crate) keeps_answers: Arc<AtomicBool>,
    pub(crate) library: Arc<Library>,
    /// The keys of what was called off.
    pub(crate) called_off: Arc<Mutex<Vec<String>>>,
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
        let keeps_answers = Arc::<AtomicBool>::default();
        let keeps = Arc::clone(&keeps_answers);
        let health = async move || match keeps.load(Ordering::Relaxed) {
            true => Json(json!({ "status": "ok", "keeps_answers": true })).into_response(),
            false => axum::http::StatusCode::NOT_FOUND.into_response(),
        };
        let library = Arc::<Library>::default();
        let called_off: Arc<Mutex<Vec<String>>> = Arc::default();
        let keys = Arc::clone(&called_off);
        let call_off = async move |headers: HeaderMap| {
            let key = headers["idempotency-key"].to_str().unwrap().to_owned();
            keys.lock().unwrap().push(key);
            Json(json!({ "message": "success", "status_code": 200 }))
        };
        let router = Router::new()
            .route("/notes", post(handler).delete(call_off))
            .route("/health", get(health))
            .merge(library::routes(Arc::clone(&library)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, calls, keeps_answers, library, called_off }
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
    pub(crate) decks: Arc<Decks>,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) url: String,
    folder: Arc<tempfile::TempDir>,
}

pub(crate) async fn open(url: &str, secret: &str) -> Result<Arc<dyn Endpoint>, Error> {
    let (_folder, store) = testing::sqlite(MIGRATIONS);
    let decks = Arc::new(Decks::of(UserId::new(), DeckId::new()));
    let others = (Arc::default(), Clock::System);
    open_with(store, (url, secret, PATIENCE), decks, others, Bounds::default()).await
}

async fn open_with(
    store: Sqlite,
    (url, secret, timeout): (&str, &str, Duration),
    decks: Arc<Decks>,
    (config, clock): (Arc<Config>, Clock),
    bounds: Bounds,
) -> Result<Arc<dyn Endpoint>, Error> {
    // Another test may have done it before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let settings =
        GenerationSettings { url: url.into(), secret: SecretString::from(secret), timeout, bounds };
    generation::open(Backend::Sqlite(store), settings, decks, config, clock).await
}

impl Gateway {
    pub(crate) async fn of(service: &Service) -> Self {
        Self::at(&service.url).await
    }

    pub(crate) async fn at(url: &str) -> Self {
        Self::with(url, Bounds::default()).await
    }

    pub(crate) async fn with(url: &str, bounds: Bounds) -> Self {
        Self::waiting(url, bounds, PATIENCE).await
    }

    /// With a service that may take as long as `timeout`.
    pub(crate) async fn waiting(url: &str, bounds: Bounds, timeout: Duration) -> Self {
        let (folder, store) = testing::sqlite(MIGRATIONS);
        let (owner, deck) = (UserId::new(), DeckId::new());
        let (config, clock) = (Arc::<Config>::default(), Clock::manual(Clock::System.now()));
        let decks = Arc::new(Decks::of(owner, deck));
        let others = (config.clone(), clock.clone());
        let endpoint =
            open_with(store, (url, SECRET, timeout), decks.clone(), others, bounds).await;
        let (endpoint, folder) = (endpoint.unwrap(), Arc::new(folder));
        Self { endpoint, owner, deck, decks, config, clock, url: url.to_owned(), folder }
    }

    /// Another process on the same store, after the first one went away.
    pub(crate) async fn restarted(&self) -> Self {
        let store = Sqlite::open(self.folder.path().join("test.db"), MIGRATIONS).unwrap();
        let others = (self.config.clone(), self.clock.clone());
        let (where_to, bounds) = ((&*self.url, SECRET, PATIENCE), Bounds::default());
        let endpoint = open_with(store, where_to, self.decks.clone(), others, bounds).await;
        Self {
            endpoint: endpoint.unwrap(),
            owner: self.owner,
            deck: self.deck,
            decks: self.decks.clone(),
            config: self.config.clone(),
            clock: self.clock.clone(),
            url: self.url.clone(),
            folder: self.folder.clone(),
        }
    }

    /// A valid input with other members put in, `text` within the source.
    pub(crate) fn input(&self, more: Value) -> Value {
        let mut input = json!({ "deckId": self.deck.to_string(), "source": { "text": TEXT } });
        for (member, value) in more.as_object().unwrap() {
            match &**member {
                "text" => input["source"]["text"] = value.clone(),
                "url" | "contentId" => input["source"] = json!({ member.as_str(): value }),
                _ => input[member] = value.clone(),
            }
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

    /// The owner's answer to a document, which must be no error.
    pub(crate) async fn ask(&self, document: &str, variables: Value) -> Value {
        let response = self.execute(caller(self.owner), document, variables).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Asks for a job, and answers its id.
    pub(crate) async fn start(&self, variables: Value) -> Value {
        self.ask(GENERATE, variables).await["generateCards"]["job"]["id"].take()
    }

    pub(crate) async fn job(&self, id: &Value) -> Value {
        self.ask(JOB, json!({ "id": id })).await["generationJob"].take()
    }

    /// The job as soon as `is_so`.
    pub(crate) async fn job_when(&self, id: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3_000 {
            let job = self.job(id).await;
            if is_so(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("after half a minute: {}", self.job(id).await);
    }

    /// Asks for a job, and answers it when it is over.
    pub(crate) async fn over(&self, variables: Value) -> Value {
        let id = self.start(variables).await;
        self.job_when(&id, |job| job["step"] == "DONE").await
    }

    /// Asks for a job, and answers it when it is ready.
    pub(crate) async fn data(&self, variables: Value) -> Value {
        let job = self.over(variables).await;
        assert_eq!(job["state"], "READY", "{job}");
        job
    }

    /// Asks for a job that fails, and answers code and message.
    pub(crate) async fn failure(&self, variables: Value) -> (String, String) {
        let job = self.over(variables).await;
        assert_eq!((&job["state"], &job["drafts"]), (&json!("FAILED"), &json!([])), "{job}");
        let text = |member| job["failure"][member].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    }

    /// Code and message of the one error to the owner who asks for a job.
    pub(crate) async fn error(&self, variables: Value) -> (String, String) {
        self.error_as(caller(self.owner), GENERATE, variables).await
    }

    pub(crate) async fn error_as(
        &self,
        caller: Caller,
        document: &str,
        variables: Value,
    ) -> (String, String) {
        let response = self.execute(caller, document, variables).await;
        let errors = serde_json::to_value(&response.errors).unwrap();
        let [error] = &errors.as_array().unwrap()[..] else {
            panic!("one error was expected, not {errors}")
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }
}

/// Stands for the decks subgraph: it knows one deck of one person, and keeps what it is told.
pub(crate) struct Decks {
    owner: UserId,
    deck: DeckId,
    pub(crate) cards: std::sync::atomic::AtomicI64,
    /// Whether it does not answer.
    pub(crate) is_broken: AtomicBool,
    /// Whether it takes nothing in.
    pub(crate) is_deaf: AtomicBool,
    told: Mutex<Vec<Event>>,
}

impl Decks {
    fn of(owner: UserId, deck: DeckId) -> Self {
        Self {
            owner,
            deck,
            cards: Default::default(),
            is_broken: AtomicBool::default(),
            is_deaf: AtomicBool::default(),
            told: Mutex::default(),
        }
    }

    pub(crate) fn told(&self) -> Vec<Event> {
        self.told.lock().unwrap().clone()
    }
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
            if self.is_broken.load(Ordering::Relaxed) {
                return Err(EndpointError::Timeout { endpoint: "decks".into() });
            }
            assert_eq!(&*request.document, "query ($id: ID!) { deck(id: $id) { id cardCount } }");
            let id = &request.variables["id"];
            let found = *id == self.deck.into() && caller.viewer().unwrap().user == self.owner;
            let count = self.cards.load(Ordering::Relaxed);
            let deck = if found { json!({ "id": id, "cardCount": count }) } else { Value::Null };
            let data = async_graphql::Value::from_json(json!({ "deck": deck })).unwrap();
            Ok(Response::new(data))
        })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move {
            if self.is_deaf.load(Ordering::Relaxed) {
                return Err(EndpointError::Timeout { endpoint: "decks".into() });
            }
            self.told.lock().unwrap().extend(events.iter().cloned());
            Ok(())
        })
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

/// The body of an answer in parts: these lines, and then nothing more but the connection stays.
pub(crate) fn lines_and_silence(lines: &[Value]) -> axum::response::Response {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let first = futures::stream::once(async move { Ok::<_, std::io::Error>(text) });
    let body = futures::StreamExt::chain(first, futures::stream::pending());
    in_parts(axum::body::Body::from_stream(body))
}

/// The body of a complete answer in parts.
pub(crate) fn lines(lines: &[Value]) -> axum::response::Response {
    in_parts(lines.iter().map(|line| format!("{line}\n")).collect::<String>().into())
}

pub(crate) fn in_parts(body: axum::body::Body) -> axum::response::Response {
    ([(axum::http::header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8")], body)
        .into_response()
}

/// The lines of what [`note`] is as a whole.
pub(crate) fn note_in_lines() -> Vec<Value> {
    let data = note(json!({}))["data"].take();
    let card = |index: usize| json!({ "type": "card", "card": data["cards"][index] });
    vec![card(0), json!({ "type": "wait" }), card(1), json!({ "type": "done", "data": data })]
}
