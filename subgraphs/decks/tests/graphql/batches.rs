//! How much is asked of the store: the number of statements depends on the operation alone. And both ways of resolving a list say the same.

use crate::support::Domain;
use common::UserId;
use serde_json::{Value, json};

/// What the gateway asks this domain for an app's first screen.
const FIRST_SCREEN: &str = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
    decks(first: 20) { totalCount nodes { id name color cards(first: 50) { totalCount nodes {
        id question answer deck { name }
    } } } }
} } }";

async fn fill(domain: &Domain, decks: usize, cards: usize) -> UserId {
    let user = UserId::new();
    let questions: Vec<String> = (0..cards).map(|nth| format!("question {nth}")).collect();
    let questions: Vec<&str> = questions.iter().map(|text| &**text).collect();
    for nth in 0..decks {
        let deck = domain.deck(user, &format!("deck {nth}")).await;
        domain.cards(user, &deck, &questions).await;
    }
    user
}

fn me(user: UserId) -> Value {
    json!({ "me": { "__typename": "User", "id": user.to_string() } })
}

/// How many cards the first screen shows.
async fn first_screen(domain: &Domain, user: UserId) -> usize {
    let data = domain.data(user, FIRST_SCREEN, me(user)).await;
    let decks = data["_entities"][0]["decks"]["nodes"].as_array().unwrap();
    decks.iter().map(|deck| deck["cards"]["nodes"].as_array().unwrap().len()).sum()
}

/// How many statements `run` takes by itself: the least of some runs, because once a second the outbox looks for undelivered events.
pub(crate) async fn statements(count: impl Fn() -> u64, run: impl AsyncFn()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..5 {
        let before = count();
        run().await;
        least = least.min(count() - before);
    }
    least
}

#[tokio::test]
async fn the_first_screen_takes_three_statements_in_sqlite() {
    let (domain, sqlite) = Domain::sqlite().await;
    let (few, many) = (fill(&domain, 2, 3).await, fill(&domain, 10, 20).await);
    for (user, cards) in [(few, 6), (many, 200)] {
        let run = async || assert_eq!(first_screen(&domain, user).await, cards);
        assert_eq!(statements(|| sqlite.statements(), run).await, 3);
    }
}

#[tokio::test]
async fn the_first_screen_takes_three_commands_in_mongodb() {
    let (domain, mongo) = Domain::mongo().await;
    let (few, many) = (fill(&domain, 2, 3).await, fill(&domain, 10, 20).await);
    for (user, cards) in [(few, 6), (many, 200)] {
        let run = async || assert_eq!(first_screen(&domain, user).await, cards);
        assert_eq!(statements(|| mongo.commands(), run).await, 3);
    }
}

/// Trees, notes and their cards, filtered lists with their numbers.
const COLLECTION: &str = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
    decks(first: 100, filter: { archived: false }) { totalCount nodes { path parent { name } children { totalCount nodes { name } }
        cards(first: 20, filter: { type: BASIC }) { totalCount nodes { question note { tags cards { id deck { name } } } } }
    } }
    tags { nodes { name } } trash { nodes { title } }
} } }";

#[tokio::test]
async fn a_collection_takes_as_many_statements_whatever_it_holds() {
    let (sqlite, file) = Domain::sqlite().await;
    let (mongo, database) = Domain::mongo().await;
    let counts: [(&Domain, &dyn Fn() -> u64); 2] =
        [(&sqlite, &|| file.statements()), (&mongo, &|| database.commands())];
    for (domain, count) in counts {
        let (few, many) = (fill(domain, 2, 3).await, fill(domain, 10, 20).await);
        for user in [few, many] {
            let top = domain.deck(user, "top").await;
            let inner = domain.deck_in(user, &top, "inner").await;
            domain.cards(user, &inner, &["question"]).await;
        }
        let run = async |user| drop(domain.data(user, COLLECTION, me(user)).await);
        let of_few = statements(count, async || run(few).await).await;
        assert_eq!(of_few, statements(count, async || run(many).await).await);
        assert!(of_few <= 14, "{of_few} statements");
    }
}

#[tokio::test]
async fn entities_come_in_order_with_gaps_in_two_statements() {
    let (domain, sqlite) = Domain::sqlite().await;
    let (user, stranger) = (UserId::new(), UserId::new());
    let deck = domain.deck(user, "deck").await;
    let cards = domain.cards(user, &deck, &["a", "b"]).await;
    let foreign = domain.deck(stranger, "foreign").await;
    let of = |typename: &str, id: &str| json!({ "__typename": typename, "id": id });
    let unknown = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
    let wanted = [
        of("Card", &cards[1]),
        of("Deck", &foreign),
        of("Deck", &deck),
        of("Card", unknown),
        of("User", &user.to_string()),
        of("Card", &cards[1]),
        of("User", &stranger.to_string()),
        of("Card", &cards[0]),
    ];
    let query = "query($of: [_Any!]!) { _entities(representations: $of) {
        __typename ... on Card { question } ... on Deck { name } ... on User { id }
    } }";
    let variables = json!({ "of": wanted });
    let data = domain.data(user, query, variables.clone()).await;
    let run = async || drop(domain.data(user, query, variables.clone()).await);
    assert_eq!(statements(|| sqlite.statements(), run).await, 2);
    let card = |question: &str| json!({ "__typename": "Card", "question": question });
    assert_eq!(
        data["_entities"],
        json!([
            card("b"), null, { "__typename": "Deck", "name": "deck" }, null,
            { "__typename": "User", "id": user.to_string() }, card("b"), null, card("a"),
        ])
    );

    for (wanted, message) in [
        (json!({ "id": deck }), "representations[0]: has no __typename"),
        (of("Deck", "12"), "representations[0]: has a id that is not an id"),
        (
            of("Review", &deck),
            "representations[0]: names the type \"Review\", which is no entity here",
        ),
    ] {
        let error = domain.error(user, query, json!({ "of": [wanted] })).await;
        assert_eq!(error, ("BAD_USER_INPUT".into(), message.into()));
    }
}

#[tokio::test]
async fn both_ways_of_resolving_a_list_say_the_same() {
    let (domain, _) = Domain::sqlite().await;
    let user = fill(&domain, 2, 2).await;
    let query = "query($me: _Any!) { _entities(representations: [$me]) { ... on User { decks {
        nodes { ...D } edges { node { ...D } }
        cards: nodes { cards { nodes { ...C } edges { node { ...C } } } }
    } } } }
    fragment D on Deck { __typename id name description color createdAt updatedAt version cardCount }
    fragment C on Card { __typename id question answer position createdAt updatedAt version sourceStartIndex sourceEndIndex }";
    let data = domain.data(user, query, me(user)).await;
    let same = |list: &Value, count: usize| {
        let edges = list["edges"].as_array().unwrap().iter();
        let nodes: Vec<Value> = edges.map(|edge| edge["node"].clone()).collect();
        assert_eq!((list["nodes"].as_array(), nodes.len()), (Some(&nodes), count));
    };
    let decks = &data["_entities"][0]["decks"];
    same(decks, 2);
    for deck in decks["cards"].as_array().unwrap() {
        same(&deck["cards"], 2);
    }
}

#[tokio::test]
async fn a_page_of_cards_of_each_deck_goes_on_after_a_cursor() {
    let (domain, sqlite) = Domain::sqlite().await;
    let user = fill(&domain, 3, 5).await;
    let query = "query($me: _Any!, $after: String) { _entities(representations: [$me]) { ... on User { decks { nodes {
        cards(first: 2, after: $after) { nodes { question } pageInfo { hasNextPage endCursor } }
    } } } } }";
    let data = domain.data(user, query, me(user)).await;
    let cards = &data["_entities"][0]["decks"]["nodes"][1]["cards"];
    assert_eq!(cards["pageInfo"]["hasNextPage"], true);
    let mut variables = me(user);
    variables["after"] = cards["pageInfo"]["endCursor"].clone();
    let run = async || drop(domain.data(user, query, variables.clone()).await);
    assert_eq!(statements(|| sqlite.statements(), run).await, 2);
    let data = domain.data(user, query, variables).await;
    let nodes = &data["_entities"][0]["decks"]["nodes"][1]["cards"]["nodes"];
    assert_eq!(*nodes, json!([{ "question": "question 2" }, { "question": "question 3" }]));
}
