//! Global ids: whatever has one is found by it, by its owner alone, in a number of statements that does not depend on how many.

use crate::support::Domain;
use common::UserId;
use serde_json::{Value, json};

const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
    ... on Deck { name parent { name } } ... on Card { question deck { name } note { type } } ... on Note { tags cards { id } }
} }";

#[tokio::test]
async fn anything_is_found_by_its_id() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let top = domain.deck(user, "top").await;
        let deck = domain.deck_in(user, &top, "deck").await;
        let card = domain.cards(user, &deck, &["q"]).await.remove(0);
        let query = "query($id: ID!) { node(id: $id) { __typename ... on Card { note { id } } } }";
        let node = domain.data(user, query, json!({ "id": card })).await["node"].take();
        assert_eq!(node["__typename"], "Card");
        let note = &node["note"]["id"];
        let unknown = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
        let ids = json!([card, unknown, deck, note, user.to_string(), card]);
        let found = domain.data(user, NODES, json!({ "ids": ids })).await;
        let card_node = json!({
            "__typename": "Card", "id": card, "question": "q", "deck": { "name": "deck" }, "note": { "type": "BASIC" },
        });
        let expected = json!([
            card_node, null,
            { "__typename": "Deck", "id": deck, "name": "deck", "parent": { "name": "top" } },
            { "__typename": "Note", "id": note, "tags": [], "cards": [{ "id": card }] },
            { "__typename": "User", "id": user.to_string() },
            card_node,
        ]);
        assert_eq!(found["nodes"], expected);
        let found = domain.data(UserId::new(), NODES, json!({ "ids": ids })).await;
        assert_eq!(found["nodes"], json!(vec![Value::Null; 6]));
    }
}

#[tokio::test]
async fn what_is_no_id_is_named() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let (code, message) =
        domain.error(user, NODES, json!({ "ids": [user.to_string(), "x"] })).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.starts_with("ids[1]: \"x\" is not an id"), "{message}");
    let many = vec![user.to_string(); 501];
    let (code, message) = domain.error(user, NODES, json!({ "ids": many })).await;
    assert_eq!(
        (&*code, &*message),
        ("BAD_USER_INPUT", "ids: names 501 ids: at most 500 are accepted")
    );
}

#[tokio::test]
async fn many_nodes_take_as_many_statements_as_few() {
    let (domain, sqlite) = Domain::sqlite().await;
    let user = UserId::new();
    let top = domain.deck(user, "top").await;
    let mut ids = Vec::new();
    for nth in 0..10 {
        let deck = domain.deck_in(user, &top, &format!("deck {nth}")).await;
        let cards = domain.cards(user, &deck, &["a", "b"]).await;
        ids.push(deck);
        ids.extend(cards);
    }
    let few = &ids[..2];
    let mut counts = Vec::new();
    for ids in [few, &ids] {
        let mut least = u64::MAX;
        for _ in 0..5 {
            let before = sqlite.statements();
            domain.data(user, NODES, json!({ "ids": ids })).await;
            least = least.min(sqlite.statements() - before);
        }
        counts.push(least);
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 9, "{counts:?}");
}
