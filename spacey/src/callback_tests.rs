//! Cards that the card-generation service tells, taken by the real decks domain on both stores.

use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::{Response as Answer, Variables};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use common::viewer::Roles;
use common::{
    Backend, Caller, Clock, Endpoint, EndpointError, Event, SessionId, SubgraphRequest, Viewer,
    testing,
};
use futures::future::BoxFuture;
use tower::ServiceExt;

use super::*;

const KNOWN: &str = "a-secret-that-both-sides-know";

/// Decks, of which one call after another may fail to be answered though it was done.
struct Decks {
    inner: Arc<dyn Endpoint>,
    loses_answers: AtomicBool,
    is_down: AtomicBool,
}

impl Decks {
    fn lost(&self) -> EndpointError {
        EndpointError::Timeout { endpoint: self.name().to_owned() }
    }
}

impl Endpoint for Decks {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        self.inner.sdl()
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Answer, EndpointError>> {
        Box::pin(async move {
            if self.is_down.load(Ordering::Relaxed) {
                return Err(self.lost());
            }
            self.inner.execute(request, caller).await
        })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move {
            self.inner.apply(events).await?;
            if self.loses_answers.load(Ordering::Relaxed) { Err(self.lost()) } else { Ok(()) }
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        self.inner.ready()
    }
}

/// The listener over decks, and a person with a deck.
struct World {
    routes: Router,
    decks: Arc<Decks>,
    user: UserId,
    deck: String,
}

impl World {
    async fn on(backend: Backend) -> Self {
        let inner = decks::open(backend, Vec::new(), Clock::System).await.unwrap();
        let decks = Arc::new(Decks {
            inner,
            loses_answers: AtomicBool::default(),
            is_down: AtomicBool::default(),
        });
        let routes = routes(Callback::new(decks.clone()), &SecretString::from(KNOWN));
        let mut world = Self { routes, decks, user: UserId::new(), deck: String::new() };
        let create = "mutation { createDeck(input: { name: \"Biology\" }) { deck { id } } }";
        world.deck = world.graph(create, json!({})).await["createDeck"]["deck"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        world
    }

    async fn graph(&self, document: &str, variables: Value) -> Value {
        let viewer = Viewer::new(self.user, SessionId::new(), Roles::default());
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let caller = Arc::new(Caller::new(Some(viewer), "test"));
        let answer = self.decks.inner.execute(request, caller).await.unwrap();
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        answer.data.into_json().unwrap()
    }

    /// The deck's cards: id, question and answer.
    async fn cards(&self) -> Vec<(String, String, String)> {
        let document = "query($id: ID!) { deck(id: $id) { cards(first: 100) { nodes { id question answer } } } }";
        let found = self.graph(document, json!({ "id": self.deck })).await;
        let text = |card: &Value, name: &str| card[name].as_str().unwrap().to_owned();
        let nodes = found["deck"]["cards"]["nodes"].as_array().unwrap().clone();
        let of = |card: &Value| (text(card, "id"), text(card, "question"), text(card, "answer"));
        nodes.iter().map(of).collect()
    }

    fn card(&self, question: &str) -> Value {
        json!({ "deckID": self.deck, "question": question, "answer": "a",
                "source_start_index": 0, "source_end_index": 3 })
    }

    fn path(&self) -> String {
        format!("/decks/{}/cards?userID={}", self.deck, self.user)
    }

    async fn send(&self, path: &str, secret: Option<&str>, body: String) -> (u16, Value) {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(secret) = secret {
            request = request.header(SECRET, secret);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{status}: {body:?}")))
    }

    async fn tell(&self, cards: &Value) -> (u16, Value) {
        self.send(&self.path(), Some(KNOWN), cards.to_string()).await
    }
}

async fn in_sqlite() -> (Option<tempfile::TempDir>, World) {
    let (folder, sqlite) = testing::sqlite(decks::MIGRATIONS);
    (Some(folder), World::on(Backend::Sqlite(sqlite)).await)
}

async fn in_mongodb() -> (Option<tempfile::TempDir>, World) {
    (None, World::on(Backend::Mongo(testing::mongo().await)).await)
}

#[tokio::test]
async fn cards_that_are_told_are_made_once_however_often() {
    for (_folder, world) in [in_sqlite().await, in_mongodb().await] {
        // Two are alike, as two cards of a note may be.
        let told = json!([world.card("One?"), world.card("Two?"), world.card("Two?")]);
        let (status, answer) = world.tell(&told).await;
        assert_eq!((status, &answer["message"]), (201, &json!("success")), "{answer}");
        let data = answer["data"].as_array().unwrap().clone();
        let of = |card: &Value| {
            let text = |name: &str| card[name].as_str().unwrap().to_owned();
            assert_eq!(text("deckID"), world.deck);
            (text("id"), text("question"), text("answer"))
        };
        let expected: Vec<_> = data.iter().map(of).collect();
        assert_eq!(world.cards().await, expected);

        // Again, as after an answer that was lost.
        assert_eq!(world.tell(&told).await, (201, answer.clone()));
        assert_eq!(world.cards().await, expected);
        // At the same time, and where decks does its work but its answer is lost.
        let more = json!([world.card("Three?"), world.card("One?")]);
        world.decks.loses_answers.store(true, Ordering::Relaxed);
        let (status, refusal) = world.tell(&more).await;
        assert_eq!((status, &refusal["error"]), (503, &json!("decks_unavailable")));
        world.decks.loses_answers.store(false, Ordering::Relaxed);
        let again = futures::future::join_all((0..5).map(|_| world.tell(&more))).await;
        assert!(again.iter().all(|one| one.0 == 201 && *one == again[0]), "{again:?}");
        assert_eq!(again[0].1["data"][1]["id"], answer["data"][0]["id"], "it is told again");
        assert_eq!(world.cards().await.len(), 4);

        // One that the person has deleted meanwhile stays deleted.
        let delete = "mutation($ids: [ID!]!) { deleteCards(input: { ids: $ids }) { deletedIds } }";
        world.graph(delete, json!({ "ids": [expected[0].0] })).await;
        assert_eq!(world.tell(&told).await.0, 201);
        assert_eq!(world.cards().await.len(), 3);
        // Another person's card of the same words is another one.
        let elsewhere = World { user: UserId::new(), ..world };
        assert_eq!(elsewhere.tell(&told).await.0, 404);
    }
}

#[tokio::test]
async fn nothing_is_taken_without_the_secret() {
    let (_folder, world) = in_sqlite().await;
    let body = json!([world.card("One?")]).to_string();
    for secret in [None, Some(""), Some("another-secret-of-the-same-length"), Some("a-secret")] {
        let (status, answer) = world.send(&world.path(), secret, body.clone()).await;
        assert_eq!((status, &answer["error"]), (401, &json!("unauthorized")), "{secret:?}");
    }
    assert_eq!(world.cards().await, []);
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_nothing_is_made() {
    let (_folder, world) = in_sqlite().await;
    let good = world.card("One?");
    let with = |name: &str, value: Value| {
        let mut card = good.clone();
        card[name] = value;
        json!([good, card])
    };
    for (body, place) in [
        (json!([]), "body"),
        (json!({}), "body"),
        (json!([7]), "body"),
        (json!([{ "question": "q" }]), "body"),
        (with("question", json!(" ")), "body[1].question"),
        (with("answer", json!("")), "body[1].answer"),
        (with("answer", json!("x".repeat(10_001))), "body[1].answer"),
        (with("deckID", json!(DeckId::new())), "body[1].deckID"),
        (with("deckID", json!("65a1f0c2")), "body"),
        (Value::Array(vec![good.clone(); 1_001]), "body"),
    ] {
        let (status, answer) = world.tell(&body).await;
        let detail = &answer["detail"][0];
        assert_eq!((status, &detail["loc"][0]), (422, &json!(place)), "{answer}");
        assert!(detail["msg"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    let one = json!([good]).to_string();
    let absent = DeckId::new();
    let theirs = json!([{ "deckID": absent, "question": "q", "answer": "a" }]).to_string();
    let user = world.user;
    for (path, body, status) in [
        (format!("/decks/{absent}/cards?userID={user}"), theirs, 404),
        (format!("/decks/{}/cards?userID={}", world.deck, UserId::new()), one.clone(), 404),
        (format!("/decks/12/cards?userID={user}"), one.clone(), 422),
        (format!("/decks/{}/cards?userID=12", world.deck), one.clone(), 422),
        (format!("/decks/{}/cards", world.deck), one.clone(), 422),
        (world.path(), "[{".to_owned(), 422),
        (world.path(), " ".repeat(MAX_BODY + 1), 413),
    ] {
        let (found, answer) = world.send(&path, Some(KNOWN), body).await;
        assert_eq!(found, status, "{path}: {answer}");
    }
    world.decks.is_down.store(true, Ordering::Relaxed);
    let (status, answer) = world.tell(&json!([good])).await;
    assert_eq!((status, &answer["error"]), (503, &json!("decks_unavailable")));
    assert_eq!(world.cards().await, []);
}

#[tokio::test]
async fn places_that_are_none_leave_the_card() {
    let (_folder, world) = in_sqlite().await;
    let mut cards = Vec::new();
    for (start, end) in [(json!(-1), json!(4)), (json!(9), json!(2)), (json!(null), json!(1))] {
        let mut card = world.card("Same?");
        (card["source_start_index"], card["source_end_index"]) = (start, end);
        cards.push(card);
    }
    let (status, answer) = world.tell(&json!(cards)).await;
    assert_eq!((status, answer["data"].as_array().unwrap().len()), (201, 3), "{answer}");
    assert_eq!(world.cards().await.len(), 3);
}
