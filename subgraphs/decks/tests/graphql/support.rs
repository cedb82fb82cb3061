//! The domain behind its endpoint, with a subscriber that keeps what it is told, for tests that speak GraphQL.

use std::sync::{Arc, Mutex};

use async_graphql::{Response, Variables};
use common::mongo::Mongo;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{
    Backend, Caller, Clock, Endpoint, EndpointError, Event, SessionId, SubgraphRequest, UserId,
    Viewer, testing,
};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The domain on a fresh store.
pub(crate) struct Domain {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) clock: Clock,
    _folder: Option<TempDir>,
}

impl Domain {
    pub(crate) async fn sqlite() -> (Self, Sqlite) {
        let (folder, sqlite) = testing::sqlite(::decks::MIGRATIONS);
        (Self::on(Backend::Sqlite(sqlite.clone()), Some(folder)).await, sqlite)
    }

    pub(crate) async fn mongo() -> (Self, Mongo) {
        let mongo = testing::mongo().await;
        (Self::on(Backend::Mongo(mongo.clone()), None).await, mongo)
    }

    async fn on(backend: Backend, folder: Option<TempDir>) -> Self {
        Self::opened(backend, Clock::manual("2026-11-24T09:30:00.5Z".parse().unwrap()), folder)
            .await
    }

    pub(crate) async fn opened(backend: Backend, clock: Clock, folder: Option<TempDir>) -> Self {
        let heard = Arc::new(Heard::default());
        let endpoint = ::decks::open(backend, vec![heard.clone()], clock.clone()).await.unwrap();
        Self { endpoint, heard, clock, _folder: folder }
    }

    /// One whose learning domain answers nothing.
    pub(crate) async fn without_learning() -> Self {
        let (folder, sqlite) = testing::sqlite(::decks::MIGRATIONS);
        let heard = Arc::new(Heard { name: "learning", ..Heard::default() });
        let clock = Clock::manual("2026-11-24T09:30:00.5Z".parse().unwrap());
        let backend = Backend::Sqlite(sqlite);
        let endpoint = ::decks::open(backend, vec![heard.clone()], clock.clone()).await.unwrap();
        Self { endpoint, heard, clock, _folder: Some(folder) }
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

    /// The data of an operation that must succeed.
    pub(crate) async fn data(&self, user: UserId, document: &str, variables: Value) -> Value {
        let response = self.execute(caller(user), document, variables).await;
        assert!(response.errors.is_empty(), "{document}: {:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Code and message of the one error of an operation that must fail.
    pub(crate) async fn error(
        &self,
        user: UserId,
        document: &str,
        variables: Value,
    ) -> (String, String) {
        let response = self.execute(caller(user), document, variables).await;
        let errors = serde_json::to_value(&response.errors).unwrap();
        let [error] = &errors.as_array().unwrap()[..] else {
            panic!("{document}: one error was expected, not {errors}")
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }

    /// The extensions of the one error of an operation that must fail.
    pub(crate) async fn extensions(&self, user: UserId, document: &str, variables: Value) -> Value {
        let response = self.execute(caller(user), document, variables).await;
        serde_json::to_value(&response.errors).unwrap()[0]["extensions"].take()
    }

    /// A new deck's id, in another deck.
    pub(crate) async fn deck_in(&self, user: UserId, parent: &str, name: &str) -> String {
        let create =
            "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let input = json!({ "input": { "name": name, "parentId": parent } });
        let data = self.data(user, create, input).await;
        data["createDeck"]["deck"]["id"].as_str().unwrap().to_owned()
    }

    /// New notes as they are answered.
    pub(crate) async fn notes(&self, user: UserId, deck: &str, notes: Value) -> Value {
        let create = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { deck { cardCount } notes {
            id guid type version tags fields { name value } cards { id ordinal type question answer typedAnswer version }
        } } }";
        let input = json!({ "input": { "deckId": deck, "notes": notes } });
        self.data(user, create, input).await["createNotes"]["notes"].take()
    }

    /// A new deck's id.
    pub(crate) async fn deck(&self, user: UserId, name: &str) -> String {
        let create =
            "mutation($name: String!) { createDeck(input: {name: $name}) { deck { id } } }";
        let data = self.data(user, create, json!({ "name": name })).await;
        data["createDeck"]["deck"]["id"].as_str().unwrap().to_owned()
    }

    /// The ids of new cards.
    pub(crate) async fn cards(&self, user: UserId, deck: &str, questions: &[&str]) -> Vec<String> {
        let cards: Vec<Value> = questions
            .iter()
            .map(|question| json!({ "question": question, "answer": "answer" }))
            .collect();
        let data = self.data(user, CREATE_CARDS, json!({ "deck": deck, "cards": cards })).await;
        let cards = data["createCards"]["cards"].as_array().unwrap().iter();
        cards.map(|card| card["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The questions of a deck, in order.
    pub(crate) async fn questions(&self, user: UserId, deck: &str) -> Vec<String> {
        let query = "query($id: ID!) { deck(id: $id) { cardCount cards(first: 500) { nodes { question } } } }";
        let data = self.data(user, query, json!({ "id": deck })).await;
        let nodes = data["deck"]["cards"]["nodes"].as_array().unwrap();
        assert_eq!(data["deck"]["cardCount"], nodes.len());
        nodes.iter().map(|card| card["question"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) const CREATE_CARDS: &str = "mutation($deck: ID!, $cards: [NewCard!]!) {
    createCards(input: {deckId: $deck, cards: $cards}) { deck { cardCount } cards { id question answer version } }
}";

pub(crate) fn caller(user: UserId) -> Caller {
    let viewer = Viewer::new(user, SessionId::new(), Roles::default());
    Caller::new(Some(viewer), "test")
}

/// A subscriber that keeps what it is told.
pub(crate) struct Heard {
    name: &'static str,
    events: Mutex<Vec<Event>>,
}

impl Default for Heard {
    fn default() -> Self {
        Self { name: "heard", events: Mutex::default() }
    }
}

impl Heard {
    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

impl Endpoint for Heard {
    fn name(&self) -> &str {
        self.name
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn execute(
        &self,
        _: SubgraphRequest,
        _: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async { Err(EndpointError::Timeout { endpoint: "heard".into() }) })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        self.events.lock().unwrap().extend(events.iter().cloned());
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }
}
