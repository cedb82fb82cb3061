//! The whole graph in one process: an app's first screen is one operation, and the number of statements it takes in the four databases does
//! not depend on the number of decks and cards.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use common::sqlite::Sqlite;
use common::token::AccessTokens;
use common::{
    Backend, Clock, Endpoint, Later, Revocations, Roles, SessionId, UserId, Viewer, testing,
};
use federation::compose::{SubgraphSdl, compose};
use gateway::{Gateway, GatewaySettings, Recognition, Transport};
use http::{Request, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const HOME: &str =
    "query Home { viewer { id name decks(first: 50) { totalCount nodes { id name color
    counts { new learning review } recallScore retrievability
    cards(first: 50) { totalCount nodes { id question answer state due retrievability } }
} } studyQueue(limit: 20) { card { id question answer state } previews { rating interval due } } }
config { frontend { deckColors } } }";

struct Graph {
    router: Router,
    tokens: Arc<AccessTokens>,
    users: users::Users,
    stores: Vec<(TempDir, Sqlite)>,
}

impl Graph {
    async fn open() -> Self {
        let clock = Clock::System;
        let stores: Vec<_> =
            [users::MIGRATIONS, config::MIGRATIONS, decks::MIGRATIONS, learning::MIGRATIONS]
                .into_iter()
                .map(testing::sqlite)
                .collect();
        let backend = |index: usize| Backend::Sqlite(stores[index].1.clone());
        let key = AccessTokens::generate_pem().unwrap();
        let tokens = Arc::new(AccessTokens::from_pem(&key).unwrap());
        let revocations = Arc::new(Revocations::default());
        let later = Later::new("decks");
        let learning =
            learning::open(backend(3), vec![later.clone()], clock.clone()).await.unwrap();
        let decks = decks::open(backend(2), vec![learning.clone()], clock.clone()).await.unwrap();
        later.is(&decks);
        let config =
            config::open(backend(1), config::Environment::default(), clock.clone()).await.unwrap();
        let users = users::open(
            backend(0),
            users::UsersSettings::default(),
            tokens.clone(),
            revocations.clone(),
            Arc::new(users::mail::Mailbox::new(stores[0].0.path().join("mail"))),
            vec![decks.clone(), learning.clone()],
            clock.clone(),
        )
        .await
        .unwrap();

        let endpoints: Vec<Arc<dyn Endpoint>> =
            vec![users.endpoint.clone(), config, decks, learning];
        let mut sdls = Vec::new();
        for endpoint in &endpoints {
            let sdl = endpoint.sdl().await.unwrap();
            sdls.push(SubgraphSdl { name: endpoint.name().to_owned(), url: None, sdl });
        }
        let supergraph = compose(&sdls).unwrap().supergraph_sdl;
        let transports: Vec<Transport> = endpoints.into_iter().map(Transport::InProcess).collect();
        let settings = GatewaySettings::default();
        let recognition = Recognition {
            tokens: Some(tokens.clone()),
            keys: None,
            admissions: None,
            revocations,
            clock,
        };
        let gateway = Gateway::new(&supergraph, transports, recognition, settings);
        Self { router: gateway.unwrap().router(), tokens, users, stores }
    }

    async fn sign_up(&self, email: &str) -> String {
        let password = "correct horse battery staple";
        let account = self.users.ensure_account(email, "Ada", password, Roles::default());
        let user: UserId = account.await.unwrap();
        let viewer = Viewer::new(user, SessionId::new(), Roles::default());
        self.tokens.issue(&viewer, jiff::Timestamp::now()).unwrap().0
    }

    async fn data(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].take()
    }

    async fn fill(&self, token: &str, decks: usize, cards: usize) {
        for deck in 0..decks {
            let create =
                "mutation($name: String!) { createDeck(input: {name: $name}) { deck { id } } }";
            let name = format!("deck {deck}");
            let data = self.data(token, create, json!({ "name": name })).await;
            let cards: Vec<Value> = (0..cards)
                .map(|card| json!({ "question": format!("q{card}"), "answer": "a" }))
                .collect();
            let create = "mutation($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }";
            let input = json!({ "deckId": data["createDeck"]["deck"]["id"], "cards": cards });
            let data = self.data(token, create, json!({ "input": input })).await;
            let review = json!({
                "id": uuid::Uuid::new_v4(),
                "cardId": data["createCards"]["cards"][0]["id"],
                "rating": "GOOD",
                "reviewedAt": jiff::Timestamp::now().to_string(),
            });
            let submit = "mutation($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
            let input = json!({ "reviews": [review] });
            let data = self.data(token, submit, json!({ "input": input })).await;
            assert_eq!(data["submitReviews"]["results"][0]["status"], "ACCEPTED");
        }
    }

    /// How many statements the first screen takes: the least of some runs, because once a second each outbox looks for undelivered events.
    async fn statements(&self, token: &str, decks: usize, cards: usize) -> u64 {
        let count = || self.stores.iter().map(|(_, store)| store.statements()).sum::<u64>();
        let mut least = u64::MAX;
        for _ in 0..5 {
            let before = count();
            let home = self.data(token, HOME, json!({})).await;
            least = least.min(count() - before);
            let nodes = home["viewer"]["decks"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), decks);
            for deck in nodes {
                assert_eq!(deck["cards"]["nodes"].as_array().unwrap().len(), cards);
                let of = |state: &str| deck["counts"][state].as_u64().unwrap();
                assert_eq!((of("new"), of("learning")), (cards as u64 - 1, 1));
            }
            assert!(!home["viewer"]["studyQueue"].as_array().unwrap().is_empty());
        }
        least
    }
}

#[tokio::test]
async fn the_first_screen_takes_as_many_statements_for_many_cards_as_for_few() {
    let graph = Graph::open().await;
    let few = graph.sign_up("few@example.com").await;
    let many = graph.sign_up("many@example.com").await;
    graph.fill(&few, 2, 3).await;
    graph.fill(&many, 20, 50).await;
    let least = graph.statements(&few, 2, 3).await;
    assert_eq!(least, graph.statements(&many, 20, 50).await);
    assert!(least <= 21, "{least} statements");
}

#[tokio::test]
async fn the_public_config_may_be_kept_and_what_services_read_is_for_no_client() {
    let graph = Graph::open().await;
    let get = async |query: &str, known: &str| {
        let query = query.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D");
        let request = Request::get(format!("/graphql?query={query}"))
            .header(header::ACCEPT, "application/graphql-response+json")
            .header(header::IF_NONE_MATCH, known)
            .body(Body::empty())
            .unwrap();
        let response = graph.router.clone().oneshot(request).await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
        let [kept, tag] = [header::CACHE_CONTROL, header::ETAG]
            .map(|name| header(name).unwrap_or_default().to_owned());
        (response.status().as_u16(), kept, tag)
    };
    let frontend = "{ config { frontend { colors deckColors features } } }";
    let (status, kept, tag) = get(frontend, "").await;
    assert_eq!((status, kept.as_str()), (200, "public, max-age=60"));
    assert_eq!(get(frontend, &tag).await, (304, kept, tag));
    for (query, expected) in [
        ("{ config { features { name } } }", "private, max-age=60"),
        ("{ config { settings { key } } }", "no-store"),
        ("{ config { frontend { colors } } viewer { id } }", "no-store"),
        ("{ config { frontend { colors } } configEntries { key } }", "no-store"),
    ] {
        assert_eq!(get(query, "").await.1, expected, "{query}");
    }
    let (status, kept, _) = get("{ serviceConfig { key } }", "").await;
    assert_eq!((status, kept.as_str()), (400, "no-store"), "no field of the clients' schema");
}
