//! Decks through GraphQL: making, changing and deleting them, lists, what other people see, and what other domains are told.

use std::sync::Arc;

use crate::support::{Domain, caller};
use common::event::{DeckChanged, UserChanged};
use common::{Caller, Event, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

const CREATE: &str = "mutation($input: CreateDeckInput!) {
    createDeck(input: $input) { deck { id name description color version cardCount createdAt updatedAt } }
}";
const UPDATE: &str = "mutation($input: UpdateDeckInput!) {
    updateDeck(input: $input) { deck { name description color version createdAt updatedAt } }
}";
const DELETE: &str = "mutation($id: ID!) { deleteDeck(input: {id: $id}) { deletedId } }";
const DECKS: &str = "query($me: _Any!, $first: Int, $after: String, $last: Int, $before: String, $orderBy: DeckOrder) {
    _entities(representations: [$me]) { ... on User {
        decks(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
            totalCount nodes { name } edges { cursor node { name } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
    } }
}";

fn me(user: UserId) -> Value {
    json!({ "__typename": "User", "id": user.to_string() })
}

async fn names(domain: &Domain, user: UserId, mut arguments: Value) -> (Vec<String>, Value) {
    arguments["me"] = me(user);
    let mut data = domain.data(user, DECKS, arguments).await;
    let list = data["_entities"][0]["decks"].take();
    let names = list["nodes"].as_array().unwrap().iter();
    (names.map(|deck| deck["name"].as_str().unwrap().to_owned()).collect(), list)
}

#[tokio::test]
async fn a_deck_is_made_changed_and_deleted() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let input = json!({ "input": { "name": " Capitals ", "color": "#ffec87" } });
    let data = domain.data(user, CREATE, input).await;
    let deck = &data["createDeck"]["deck"];
    let id = &deck["id"];
    let moment = "2026-11-24T09:30:00.500Z";
    assert_eq!(
        *deck,
        json!({
            "id": id, "name": "Capitals", "description": "", "color": "#FFEC87", "version": 1,
            "cardCount": 0, "createdAt": moment, "updatedAt": moment,
        })
    );

    domain.clock.advance(SignedDuration::from_secs(1));
    let input = json!({ "input": { "id": id, "description": "of the world" } });
    let data = domain.data(user, UPDATE, input).await;
    let expected = json!({
        "name": "Capitals", "description": "of the world", "color": "#FFEC87", "version": 2,
        "createdAt": moment, "updatedAt": "2026-11-24T09:30:01.500Z",
    });
    assert_eq!(data["updateDeck"]["deck"], expected);
    let input =
        json!({ "input": { "id": id, "expectedVersion": 2, "description": null, "color": null } });
    let data = domain.data(user, UPDATE, input).await;
    let deck = &data["updateDeck"]["deck"];
    assert_eq!((&deck["description"], &deck["color"]), (&json!(""), &Value::Null));

    let input = json!({ "input": { "id": id, "expectedVersion": 2, "name": "late" } });
    let (code, message) = domain.error(user, UPDATE, input).await;
    assert_eq!(code, "CONFLICT");
    assert!(message.contains("it has version 3 by now, not 2"), "{message}");
    assert_eq!(names(&domain, user, json!({})).await.0, ["Capitals"]);

    let data = domain.data(user, DELETE, json!({ "id": id })).await;
    assert_eq!(data["deleteDeck"]["deletedId"], *id);
    assert_eq!(domain.error(user, DELETE, json!({ "id": id })).await.0, "NOT_FOUND");
    assert_eq!(names(&domain, user, json!({})).await.1["totalCount"], 0);
}

#[tokio::test]
async fn making_a_deck_twice_with_the_same_id_makes_it_once() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let id = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
    let input = |name: &str| json!({ "input": { "id": id, "name": name } });
    let first = domain.data(user, CREATE, input("once")).await;
    assert_eq!(domain.data(user, CREATE, input("once ")).await, first);
    assert_eq!(domain.error(user, CREATE, input("twice")).await.0, "CONFLICT");
    assert_eq!(domain.error(UserId::new(), CREATE, input("once")).await.0, "CONFLICT");
    assert_eq!(names(&domain, user, json!({})).await.1["totalCount"], 1);
    domain.data(user, DELETE, json!({ "id": id })).await;
    // Other domains remember the id as deleted, and would not take it in again.
    assert_eq!(domain.error(user, CREATE, input("once")).await.0, "CONFLICT");
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let id = domain.deck(user, "deck").await;
    for (input, start) in [
        (json!({ "name": "" }), "input.name: is empty"),
        (json!({ "name": "n".repeat(101) }), "input.name: has 101 characters"),
        (json!({ "name": "a\nb" }), "input.name: must not hold control"),
        (json!({ "name": "n", "description": "d".repeat(2001) }), "input.description: has 2001"),
        (json!({ "name": "n", "color": "red" }), "input.color: is not a color"),
    ] {
        let (code, message) = domain.error(user, CREATE, json!({ "input": input })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
        let mut input = input;
        input["id"] = json!(id);
        let (code, message) = domain.error(user, UPDATE, json!({ "input": input })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
    for (arguments, start) in [
        (json!({ "first": 501 }), "first: 501 is out of range"),
        (json!({ "last": -1 }), "last: -1 is out of range"),
        (json!({ "first": 1, "last": 1 }), "last: give either"),
        (json!({ "after": "nonsense" }), "after: is not a cursor"),
    ] {
        let mut arguments = arguments;
        arguments["me"] = me(user);
        let (code, message) = domain.error(user, DECKS, arguments).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
    let query = "query($id: ID!) { deck(id: $id) { id } }";
    assert!(domain.error(user, query, json!({ "id": "12" })).await.1.contains("is not an id"));
    assert_eq!(names(&domain, user, json!({})).await.0, ["deck"]);
    assert_eq!(domain.heard.take().len(), 1);
}

#[tokio::test]
async fn lists_are_sorted_and_cut_into_pages() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    for name in ["b", "C", "a"] {
        domain.deck(user, name).await;
        domain.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(names(&domain, user, json!({})).await.0, ["b", "C", "a"]);
    let by_name = json!({ "field": "NAME", "direction": "DESC" });
    assert_eq!(names(&domain, user, json!({ "orderBy": by_name })).await.0, ["C", "b", "a"]);

    let (page, list) = names(&domain, user, json!({ "first": 2 })).await;
    assert_eq!(page, ["b", "C"]);
    let cursor = &list["edges"][1]["cursor"];
    let expected = json!({
        "hasNextPage": true, "hasPreviousPage": false,
        "startCursor": list["edges"][0]["cursor"], "endCursor": cursor,
    });
    assert_eq!((&list["pageInfo"], &list["totalCount"]), (&expected, &json!(3)));
    // A deck that is made meanwhile does not shift the next page.
    domain.deck(user, "d").await;
    let (page, _) = names(&domain, user, json!({ "first": 2, "after": cursor })).await;
    assert_eq!(page, ["a", "d"]);
    let (page, list) = names(&domain, user, json!({ "last": 1, "before": cursor })).await;
    assert_eq!(page, ["b"]);
    assert_eq!(list["pageInfo"]["hasNextPage"], true);

    let mut arguments = json!({ "after": cursor, "orderBy": by_name });
    arguments["me"] = me(user);
    let (code, message) = domain.error(user, DECKS, arguments).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.contains("another order"), "{message}");
}

#[tokio::test]
async fn another_persons_deck_does_not_exist() {
    let ((domain, _), owner, stranger) = (Domain::sqlite().await, UserId::new(), UserId::new());
    let id = domain.deck(owner, "mine").await;
    let query = "query($id: ID!) { deck(id: $id) { name } }";
    assert_eq!(domain.data(stranger, query, json!({ "id": id })).await["deck"], Value::Null);
    let update = json!({ "input": { "id": id, "name": "stolen" } });
    assert_eq!(domain.error(stranger, UPDATE, update).await.0, "NOT_FOUND");
    assert_eq!(domain.error(stranger, DELETE, json!({ "id": id })).await.0, "NOT_FOUND");
    assert_eq!(names(&domain, owner, json!({})).await.0, ["mine"]);
    let theirs = domain.data(stranger, DECKS, json!({ "me": me(owner) })).await;
    assert_eq!(theirs["_entities"], json!([null]));
}

#[tokio::test]
async fn it_takes_a_signed_in_person() {
    let (domain, _) = Domain::sqlite().await;
    let id = domain.deck(UserId::new(), "deck").await;
    let anonymous = || Caller::anonymous("test");
    for document in [
        "query($id: ID!) { deck(id: $id) { name } }",
        "query($id: ID!) { card(id: $id) { question } }",
        "mutation($id: ID!) { deleteDeck(input: {id: $id}) { deletedId } }",
        "mutation($id: ID!) { deleteCards(input: {ids: [$id]}) { deletedIds } }",
    ] {
        let response = domain.execute(anonymous(), document, json!({ "id": id })).await;
        let errors = serde_json::to_value(&response.errors).unwrap();
        assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED", "{document}");
    }
    let entities = "query($of: [_Any!]!) { _entities(representations: $of) { __typename } }";
    let deck = json!({ "__typename": "Deck", "id": id });
    let response = domain.execute(anonymous(), entities, json!({ "of": [deck] })).await;
    assert_eq!(response.data.into_json().unwrap(), json!({ "_entities": [null] }));
}

#[tokio::test]
async fn other_domains_are_told_what_exists() {
    let ((domain, _), owner) = (Domain::sqlite().await, UserId::new());
    let id = domain.deck(owner, "deck").await;
    let deck = id.parse().unwrap();
    let told = |version, deleted| {
        Event::Deck(DeckChanged {
            deck,
            owner,
            version,
            deleted,
            parent: None,
            archived: Some(false),
        })
    };
    assert_eq!(domain.heard.take(), [told(1, false)]);
    domain.data(owner, UPDATE, json!({ "input": { "id": id, "name": "renamed" } })).await;
    domain.data(owner, UPDATE, json!({ "input": { "id": id, "name": "renamed" } })).await;
    assert_eq!(domain.heard.take(), []);
    domain.cards(owner, &id, &["question"]).await;
    domain.heard.take();
    domain.data(owner, DELETE, json!({ "id": id })).await;
    assert_eq!(domain.heard.take(), [told(3, true)]);
}

#[tokio::test]
async fn an_account_that_goes_takes_everything_along() {
    for (domain, name) in [(Domain::sqlite().await.0, "sqlite"), (Domain::mongo().await.0, "mongo")]
    {
        let (gone, kept) = (UserId::new(), UserId::new());
        for nth in 0..60 {
            let deck = domain.deck(gone, &format!("deck {nth}")).await;
            if nth == 0 {
                domain.cards(gone, &deck, &["a", "b"]).await;
            }
        }
        domain.deck(kept, "kept").await;
        domain.heard.take();
        let changed = |deleted, version| UserChanged {
            user: gone,
            version,
            deleted,
            time_zone: "Europe/Zurich".into(),
            rollover_hour: 4,
        };
        let apply = async |event| {
            let events: Arc<[Event]> = Arc::new([Event::User(event)]);
            domain.endpoint.apply(events).await.unwrap();
        };
        apply(changed(false, 2)).await;
        assert_eq!(domain.heard.take(), [], "{name}");
        apply(changed(true, 3)).await;
        let heard = domain.heard.take();
        assert_eq!(heard.len(), 60, "{name}");
        let deleted = |event: &Event| matches!(event, Event::Deck(deck) if deck.deleted && deck.owner == gone);
        assert!(heard.iter().all(deleted), "{name}");
        // Again, and an older event that comes late.
        apply(changed(true, 3)).await;
        apply(changed(false, 2)).await;
        assert_eq!(domain.heard.take(), [], "{name}");

        assert_eq!(names(&domain, gone, json!({})).await.1["totalCount"], 0, "{name}");
        assert_eq!(names(&domain, kept, json!({})).await.0, ["kept"], "{name}");
        // A token that is still good for some minutes makes nothing any more.
        let input = json!({ "input": { "name": "late" } });
        assert_eq!(domain.error(gone, CREATE, input).await.0, "UNAUTHENTICATED", "{name}");
    }
}

#[tokio::test]
async fn the_sdl_states_the_keys() {
    let (domain, _) = Domain::sqlite().await;
    let sdl = domain.endpoint.sdl().await.unwrap();
    async_graphql::parser::parse_schema(&sdl).unwrap_or_else(|error| panic!("{error} in\n{sdl}"));
    for part in [
        "type Deck implements Node @key(fields: \"id\")",
        "type Note implements Node @key(fields: \"id\")",
        "type Card implements Node @key(fields: \"id\")",
        "type User implements Node @key(fields: \"id\")",
    ] {
        assert!(sdl.contains(part), "{part} is missing in\n{sdl}");
    }
    assert!(!sdl.contains("_entities") && !sdl.contains("_Entity"), "{sdl}");
    domain.endpoint.ready().await.unwrap();
    assert_eq!(domain.endpoint.name(), "decks");
    assert!(caller(UserId::new()).viewer.is_some());
}
