//! Decks and learning together, with nothing between them but events in both directions, and a person who uses them.

use std::sync::Arc;

use async_graphql::Variables;
use common::{
    Backend, Caller, Clock, Endpoint, Later, Roles, SessionId, SubgraphRequest, UserId, Viewer,
    testing,
};
use serde_json::{Value, json};

/// The two domains.
pub(crate) struct Domains {
    pub(crate) decks: Arc<dyn Endpoint>,
    pub(crate) learning: Arc<dyn Endpoint>,
    caller: Arc<Caller>,
    _folders: Vec<tempfile::TempDir>,
}

impl Domains {
    /// On SQLite files.
    pub(crate) async fn sqlite(clock: &Clock) -> Self {
        let stores = [decks::MIGRATIONS, learning::MIGRATIONS].map(testing::sqlite);
        let [(first, decks), (second, learning)] = stores;
        let folders = vec![first, second];
        Self::open(Backend::Sqlite(decks), Backend::Sqlite(learning), clock, folders).await
    }

    /// On MongoDB databases.
    pub(crate) async fn mongo(clock: &Clock) -> Self {
        let (decks, learning) = (testing::mongo().await, testing::mongo().await);
        Self::open(Backend::Mongo(decks), Backend::Mongo(learning), clock, Vec::new()).await
    }

    async fn open(
        decks: Backend,
        learning: Backend,
        clock: &Clock,
        _folders: Vec<tempfile::TempDir>,
    ) -> Self {
        let later = Later::new("decks");
        let learning = learning::open(learning, vec![later.clone()], clock.clone()).await.unwrap();
        let decks = decks::open(decks, vec![learning.clone()], clock.clone()).await.unwrap();
        later.is(&decks);
        Self { _folders, ..Self::of(decks, learning) }
    }

    /// Somebody at these.
    pub(crate) fn of(decks: Arc<dyn Endpoint>, learning: Arc<dyn Endpoint>) -> Self {
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        let caller = Arc::new(Caller::new(Some(viewer), "test"));
        Self { decks, learning, caller, _folders: Vec::new() }
    }

    /// Whose they are.
    pub(crate) fn user(&self) -> UserId {
        self.caller.viewer.as_ref().unwrap().user
    }

    /// What a domain answers: data, or the code of the one error.
    pub(crate) async fn answer(
        &self,
        domain: &Arc<dyn Endpoint>,
        document: &str,
        variables: Value,
    ) -> Result<Value, String> {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let response = domain.execute(request, self.caller.clone()).await.unwrap();
        match &response.errors[..] {
            [] => Ok(response.data.into_json().unwrap()),
            [error, ..] => {
                let code = error.extensions.as_ref().and_then(|more| more.get("code"));
                let code = code.map(ToString::to_string).unwrap_or_default();
                Err(format!("{}: {}", code.trim_matches('"'), error.message))
            }
        }
    }

    /// The data of an operation that must succeed.
    pub(crate) async fn ask(
        &self,
        domain: &Arc<dyn Endpoint>,
        document: &str,
        variables: Value,
    ) -> Value {
        let answer = self.answer(domain, document, variables).await;
        answer.unwrap_or_else(|error| panic!("{document}: {error}"))
    }

    /// A change in decks.
    pub(crate) async fn change(&self, document: &str, input: Value) -> Value {
        self.ask(&self.decks, document, json!({ "input": input })).await
    }

    /// What a domain adds to the person: `fields` are asked for.
    pub(crate) async fn person(&self, domain: &Arc<dyn Endpoint>, fields: &str) -> Value {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ {fields} }} }} }}"
        );
        let of = json!([{ "__typename": "User", "id": self.user() }]);
        self.ask(domain, &query, json!({ "of": of })).await["_entities"][0].take()
    }

    /// What learning adds to cards.
    pub(crate) async fn cards(&self, fields: &str, cards: &[&Value]) -> Vec<Value> {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on Card {{ {fields} }} }} }}"
        );
        let of: Value = cards.iter().map(|id| json!({ "__typename": "Card", "id": id })).collect();
        let data = self.ask(&self.learning, &query, json!({ "of": of })).await;
        data["_entities"].as_array().unwrap().clone()
    }
}
