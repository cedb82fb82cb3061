//! Entities by their keys: what exists, what does not, and what is somebody else's; and what a person without an account is told.

use async_graphql::parser::parse_schema;
use common::{Caller, UserId};
use serde_json::{Value, json};

use crate::support::{Domain, ENTITIES, SUBMIT, caller, of};

const UNKNOWN: &str = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";

#[tokio::test]
async fn entities_come_in_order_with_gaps_in_sqlite() {
    entities_come_in_order_with_gaps(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn entities_come_in_order_with_gaps_in_mongodb() {
    entities_come_in_order_with_gaps(&Domain::mongo().await.0).await;
}

async fn entities_come_in_order_with_gaps(domain: &Domain) {
    let (user, stranger) = (domain.user().await, domain.user().await);
    let (deck, cards) = domain.deck(user, 2).await;
    let (foreign_deck, foreign_cards) = domain.deck(stranger, 1).await;
    domain.submit(user, vec![domain.review(&cards[1], "GOOD")]).await;
    let wanted = vec![
        of("Card", &cards[1]),
        of("Deck", &foreign_deck),
        of("Deck", &deck),
        of("Card", UNKNOWN),
        of("User", user),
        of("Card", &cards[1]),
        of("Deck", UNKNOWN),
        of("User", stranger),
        of("Card", &foreign_cards[0]),
        of("Deck", &deck),
        of("User", UserId::new()),
        of("Card", &cards[0]),
    ];
    let entities = domain.entities(user, wanted.clone()).await;
    let names = ["__typename", "id"]
        .map(|name| entities.iter().map(|entity| entity[name].clone()).collect::<Vec<Value>>());
    let typenames: Value =
        json!(["Card", null, "Deck", null, "User", "Card", null, null, null, "Deck", null, "Card"]);
    assert_eq!(Value::from(names[0].clone()), typenames);
    let me = user.to_string();
    let ids =
        json!([cards[1], null, deck, null, me, cards[1], null, null, null, deck, null, cards[0]]);
    assert_eq!(Value::from(names[1].clone()), ids);
    // One that is asked for twice is not counted twice.
    assert_eq!(entities[2]["counts"], json!({ "new": 1, "learning": 1, "review": 0, "total": 2 }));
    assert_eq!((&entities[2], &entities[0]), (&entities[9], &entities[5]));

    let nothing =
        domain.execute(Caller::anonymous("test"), ENTITIES, json!({ "of": wanted })).await;
    assert!(nothing.errors.is_empty(), "{:?}", nothing.errors);
    let nothing = nothing.data.into_json().unwrap();
    assert_eq!(nothing["_entities"], Value::from(vec![Value::Null; 12]));
}

#[tokio::test]
async fn what_is_no_key_is_named() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    for (wanted, message) in [
        (json!({ "id": UNKNOWN }), "representations[1]: has no __typename"),
        (json!({ "__typename": "Card" }), "representations[1]: has no id"),
        (of("Deck", "12"), "representations[1]: has a id that is not an id"),
        (of("User", "me"), "representations[1]: has a id that is not an id"),
        (
            of("Review", UNKNOWN),
            "representations[1]: names the type \"Review\", which is no entity here",
        ),
    ] {
        let variables = json!({ "of": [of("Card", UNKNOWN), wanted] });
        let error = domain.error(caller(user), ENTITIES, variables).await;
        assert_eq!(error, ("BAD_USER_INPUT".into(), message.into()));
    }
}

#[tokio::test]
async fn both_ways_of_resolving_say_the_same() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 4).await;
    let (empty, _) = domain.deck(user, 0).await;
    let reviews = [(0, "AGAIN"), (1, "GOOD"), (2, "EASY")];
    let reviews = reviews.map(|(nth, rating): (usize, _)| domain.review(&cards[nth], rating));
    domain.submit(user, reviews.to_vec()).await;
    domain.clock.advance(jiff::SignedDuration::from_hours(50));
    // All that `FastOptions` reads in one pass; then one field more, which makes it take the ordinary way.
    let query = "query($of: [_Any!]!) {
        fast: _entities(representations: $of) { ...P }
        slow: _entities(representations: $of) {
            ...P
            ... on User { stats { newCards } } ... on Deck { counts { total } } ... on Card { stability }
        }
    }
    fragment P on _Entity {
        __typename
        ... on User { id }
        ... on Deck { id recallScore retrievability }
        ... on Card { id state due retrievability recallScore }
    }";
    let mut wanted = vec![of("User", user), of("Deck", &deck), of("Deck", &empty)];
    wanted.push(of("Deck", UNKNOWN));
    wanted.extend(cards.iter().map(|card| of("Card", card)));
    let mut data = domain.data(user, query, json!({ "of": wanted })).await;
    let mut extras = 0;
    for entity in data["slow"].as_array_mut().unwrap() {
        let Some(fields) = entity.as_object_mut() else { continue };
        for extra in ["stats", "counts", "stability"] {
            extras += usize::from(fields.remove(extra).is_some());
        }
    }
    assert_eq!((data["fast"].as_array().unwrap().len(), extras), (8, 7));
    assert_eq!(data["fast"], data["slow"]);
    let states: Vec<&Value> = (4..8).map(|nth| &data["fast"][nth]["state"]).collect();
    assert_eq!(states, ["LEARNING", "LEARNING", "REVIEW", "NEW"]);
}

#[tokio::test]
async fn nothing_changes_without_an_account() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 1).await;
    let session = UNKNOWN;
    for (mutation, variables) in [
        (SUBMIT, json!({ "reviews": [domain.review(&cards[0], "GOOD")] })),
        (SUBMIT, json!({ "reviews": [] })),
        (
            "mutation($deck: ID!) { startSession(input: {deckId: $deck}) { session { id } } }",
            json!({ "deck": deck }),
        ),
        (
            "mutation($id: ID!) { finishSession(input: {id: $id}) { session { id } } }",
            json!({ "id": session }),
        ),
    ] {
        let (code, message) = domain.error(Caller::anonymous("test"), mutation, variables).await;
        assert_eq!(code, "UNAUTHENTICATED", "{message}");
    }
    let card = domain.entities(user, vec![of("Card", &cards[0])]).await.remove(0);
    assert_eq!(card["state"], "NEW");
}

#[tokio::test]
async fn the_sdl_states_the_keys() {
    let (domain, _) = Domain::sqlite().await;
    let sdl = domain.endpoint.sdl().await.unwrap();
    parse_schema(&sdl).unwrap_or_else(|error| panic!("{error} in\n{sdl}"));
    for part in [
        "type User @key(fields: \"id\")",
        "type Deck @key(fields: \"id\")",
        "type Card @key(fields: \"id\")",
        "submitReviews(input: SubmitReviewsInput!",
        "counts: DeckCounts\n",
        "studyQueue(",
    ] {
        assert!(sdl.contains(part), "{part} is missing in\n{sdl}");
    }
    assert!(!sdl.contains("_entities") && !sdl.contains("_Entity"), "{sdl}");
}
