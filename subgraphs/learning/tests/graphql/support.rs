//! The domain behind its endpoint, with people, decks and cards that it is told of, for tests that speak GraphQL.

use std::sync::Arc;

use async_graphql::{Response, Variables};
use common::event::{CardChanged, DeckChanged, UserChanged};
use common::mongo::Mongo;
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{
    Backend, Caller, CardId, Clock, DeckId, Endpoint, Event, ReviewId, SessionId, SubgraphRequest,
    UserId, Viewer, testing,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The domain on a fresh store, at half past ten in Zurich.
pub(crate) struct Domain {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) clock: Clock,
    _folder: Option<TempDir>,
}

/// The moment at which a [`Domain`] starts.
pub(crate) const START: &str = "2026-11-24T09:30:00.500Z";

pub(crate) const ENTITIES: &str = "query($of: [_Any!]!) { _entities(representations: $of) {
    __typename
    ... on User { id }
    ... on Deck { id counts { new learning review total } recallScore retrievability }
    ... on Card { id state due retrievability recallScore reps lapses }
} }";

pub(crate) const SUBMIT: &str = "mutation($reviews: [ReviewInput!]!) {
    submitReviews(input: {reviews: $reviews}) { results {
        id status reason card { id state due retrievability recallScore reps }
    } }
}";

impl Domain {
    pub(crate) async fn sqlite() -> (Self, Sqlite) {
        let (folder, sqlite) = testing::sqlite(::learning::MIGRATIONS);
        (Self::on(Backend::Sqlite(sqlite.clone()), Some(folder)).await, sqlite)
    }

    pub(crate) async fn mongo() -> (Self, Mongo) {
        let mongo = testing::mongo().await;
        (Self::on(Backend::Mongo(mongo.clone()), None).await, mongo)
    }

    async fn on(backend: Backend, folder: Option<TempDir>) -> Self {
        let clock = Clock::manual(START.parse().unwrap());
        let endpoint = ::learning::open(backend, vec![], clock.clone()).await.unwrap();
        Self { endpoint, clock, _folder: folder }
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
        caller: Caller,
        document: &str,
        variables: Value,
    ) -> (String, String) {
        let response = self.execute(caller, document, variables).await;
        let errors = serde_json::to_value(&response.errors).unwrap();
        let [error] = &errors.as_array().unwrap()[..] else {
            panic!("{document}: one error was expected, not {errors}")
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }

    /// Somebody in Zurich.
    pub(crate) async fn user(&self) -> UserId {
        let user = UserId::new();
        let time_zone = "Europe/Zurich".to_owned();
        let told = UserChanged { user, version: 1, deleted: false, time_zone, rollover_hour: 4 };
        self.tell(vec![Event::User(told)]).await;
        user
    }

    /// A new deck of somebody's, with new cards in their order.
    pub(crate) async fn deck(&self, owner: UserId, cards: usize) -> (String, Vec<String>) {
        let deck = DeckId::new();
        let mut told = vec![Event::Deck(DeckChanged {
            deck,
            owner,
            version: 1,
            deleted: false,
            parent: None,
            archived: Some(false),
        })];
        let mut ids = Vec::new();
        for position in (0..).take(cards) {
            let (card, created_at) = (CardId::new(), self.clock.now());
            ids.push(card.to_string());
            let version = 1;
            let deleted = false;
            let (note, tags) = (None, Vec::new());
            let card = CardChanged {
                card,
                deck,
                owner,
                version,
                deleted,
                position,
                created_at,
                note,
                tags,
            };
            told.push(Event::Card(card));
        }
        self.tell(told).await;
        (deck.to_string(), ids)
    }

    /// Lets intervals of a deck be as the model has them.
    pub(crate) async fn without_fuzz(&self, user: UserId, deck: &str) {
        let set =
            "mutation($input: SetDeckSettingsInput!) { setDeckSettings(input: $input) { deckId } }";
        let input = json!({ "deckId": deck, "settings": { "fuzz": false } });
        self.data(user, set, json!({ "input": input })).await;
    }

    pub(crate) async fn tell(&self, events: Vec<Event>) {
        self.endpoint.apply(events.into()).await.unwrap();
    }

    /// The entities with these keys.
    pub(crate) async fn entities(&self, user: UserId, of: Vec<Value>) -> Vec<Value> {
        let data = self.data(user, ENTITIES, json!({ "of": of })).await;
        data["_entities"].as_array().unwrap().clone()
    }

    /// One of the viewer's fields as the gateway asks for it.
    pub(crate) async fn mine(&self, user: UserId, field: &str) -> Value {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ it: {field} }} }} }}"
        );
        let data = self.data(user, &query, json!({ "of": [of("User", user)] })).await;
        data["_entities"][0]["it"].clone()
    }

    /// The ids of the cards in the study queue.
    pub(crate) async fn queue(&self, user: UserId) -> Vec<String> {
        let queue = self.mine(user, "studyQueue { card { id } }").await;
        let items = queue.as_array().unwrap().iter();
        items.map(|item| item["card"]["id"].as_str().unwrap().to_owned()).collect()
    }

    /// A review that is given now.
    pub(crate) fn review(&self, card: &str, rating: &str) -> Value {
        json!({
            "id": ReviewId::new().to_string(), "cardId": card, "rating": rating,
            "reviewedAt": self.clock.now().to_string(), "durationMs": 1500,
        })
    }

    /// The results of a batch.
    pub(crate) async fn submit(&self, user: UserId, reviews: Vec<Value>) -> Vec<Value> {
        let data = self.data(user, SUBMIT, json!({ "reviews": reviews })).await;
        data["submitReviews"]["results"].as_array().unwrap().clone()
    }
}

pub(crate) fn of(typename: &str, id: impl ToString) -> Value {
    json!({ "__typename": typename, "id": id.to_string() })
}

pub(crate) fn caller(user: UserId) -> Caller {
    let viewer = Viewer::new(user, SessionId::new(), Roles::default());
    Caller::new(Some(viewer), "test")
}
