//! Decks in decks through GraphQL: paths, moving, order, copying, and what is refused.

use crate::support::Domain;
use common::{Event, UserId};
use serde_json::{Value, json};

const MOVE: &str = "mutation($input: MoveDeckInput!) {
    moveDeck(input: $input) { deck { path version parent { id } children { nodes { name } } } }
}";
const TREE: &str = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
    decks(filter: { topLevel: true }, orderBy: { field: POSITION }) { totalCount nodes {
        name children { totalCount nodes { name path parent { name } children { nodes { name ancestors { name } } } } }
    } }
} } }";

/// The tree as text: `a(b(c) d)`.
async fn tree(domain: &Domain, user: UserId) -> String {
    let me = json!({ "__typename": "User", "id": user.to_string() });
    let data = domain.data(user, TREE, json!({ "me": me })).await;
    fn text(list: &Value) -> String {
        let nodes = list["nodes"].as_array().unwrap().iter();
        let node = |node: &Value| {
            let name = node["name"].as_str().unwrap();
            match node.get("children").map(text).filter(|inner| !inner.is_empty()) {
                Some(inner) => format!("{name}({inner})"),
                None => name.to_owned(),
            }
        };
        nodes.map(node).collect::<Vec<_>>().join(" ")
    }
    let decks = &data["_entities"][0]["decks"];
    assert_eq!(decks["totalCount"], decks["nodes"].as_array().unwrap().len());
    text(decks)
}

#[tokio::test]
async fn decks_lie_in_decks_and_move_with_what_is_in_them() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let a = domain.deck(user, "a").await;
        let b = domain.deck_in(user, &a, "b").await;
        let c = domain.deck_in(user, &b, "c").await;
        let d = domain.deck_in(user, &a, "d").await;
        let e = domain.deck(user, "e").await;
        assert_eq!(tree(&domain, user).await, "a(b(c) d) e");

        let to = |id: &str, parent: Option<&str>, before: Option<&str>| json!({ "input": { "id": id, "parentId": parent, "beforeDeckId": before } });
        domain.heard.take();
        let data = domain.data(user, MOVE, to(&b, Some(&e), None)).await;
        let heard = domain.heard.take();
        let [Event::Deck(told)] = &heard[..] else { panic!("{heard:?}") };
        let parent = told.parent.map(|parent| parent.to_string());
        assert_eq!((told.deck.to_string(), told.version, parent), (b.clone(), 2, Some(e.clone())));
        let expected = json!({
            "path": ["e", "b"], "version": 2, "parent": { "id": e }, "children": { "nodes": [{ "name": "c" }] },
        });
        assert_eq!(data["moveDeck"]["deck"], expected);
        assert_eq!(tree(&domain, user).await, "a(d) e(b(c))");
        domain.data(user, MOVE, to(&e, None, Some(&a))).await;
        domain.data(user, MOVE, to(&c, Some(&e), Some(&b))).await;
        domain.data(user, MOVE, to(&d, None, None)).await;
        assert_eq!(tree(&domain, user).await, "e(c b) a d");
        // Where it lies already nothing changes.
        let data = domain.data(user, MOVE, to(&b, Some(&e), None)).await;
        assert_eq!(data["moveDeck"]["deck"]["version"], 2);

        for (input, code, text) in [
            (to(&e, Some(&e), None), "BAD_USER_INPUT", "input.parentId: is the deck to be moved"),
            (to(&e, Some(&b), None), "BAD_USER_INPUT", "input.parentId: is the deck to be moved"),
            (to(&b, None, Some(&c)), "BAD_USER_INPUT", "input.beforeDeckId: is no deck of"),
            (to(&b, None, Some(&b)), "BAD_USER_INPUT", "input.beforeDeckId: is the deck"),
            (to(&b, Some(&user.to_string()), None), "NOT_FOUND", "deck"),
        ] {
            let (found, message) = domain.error(user, MOVE, input).await;
            assert_eq!(found, code, "{message}");
            assert!(message.starts_with(text), "{message}");
        }
        let (code, _) = domain.error(UserId::new(), MOVE, to(&a, None, None)).await;
        assert_eq!(code, "NOT_FOUND");
        assert_eq!(tree(&domain, user).await, "e(c b) a d");
    }
}

#[tokio::test]
async fn decks_lie_in_one_another_at_most_so_deep() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let top = domain.deck(user, "1").await;
    let mut deepest = top.clone();
    for level in 2..=16 {
        deepest = domain.deck_in(user, &deepest, &level.to_string()).await;
    }
    let create = "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
    let input = json!({ "input": { "name": "17", "parentId": deepest } });
    let (code, message) = domain.error(user, create, input).await;
    assert_eq!((&*code, &*message), ("LIMIT_EXCEEDED", "decks lie in one another at most 16 deep"));
    let other = domain.deck(user, "other").await;
    let input = json!({ "input": { "id": top, "parentId": other } });
    assert_eq!(domain.error(user, MOVE, input).await.0, "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn putting_a_deck_in_the_same_spot_again_and_again_works() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let ids =
        [domain.deck(user, "a").await, domain.deck(user, "b").await, domain.deck(user, "c").await];
    for nth in 0..40 {
        let input =
            json!({ "input": { "id": ids[nth % 2 + 1], "beforeDeckId": ids[(nth + 1) % 2 + 1] } });
        domain.data(user, MOVE, input).await;
    }
    assert_eq!(tree(&domain, user).await, "a c b");
}

#[tokio::test]
async fn a_deck_is_archived_and_lists_leave_it_out_when_asked_to() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let (a, _) = (domain.deck(user, "a").await, domain.deck(user, "b").await);
    let update = "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { archived version } } }";
    let data = domain.data(user, update, json!({ "input": { "id": a, "archived": true } })).await;
    assert_eq!(data["updateDeck"]["deck"], json!({ "archived": true, "version": 2 }));
    let list =
        "query($me: _Any!, $archived: Boolean) { _entities(representations: [$me]) { ... on User {
        decks(filter: { archived: $archived }) { totalCount nodes { name } }
    } } }";
    let me = json!({ "__typename": "User", "id": user.to_string() });
    for (archived, expected) in [(json!(true), "a"), (json!(false), "b")] {
        let data = domain.data(user, list, json!({ "me": me, "archived": archived })).await;
        let expected = json!({ "totalCount": 1, "nodes": [{ "name": expected }] });
        assert_eq!(data["_entities"][0]["decks"], expected);
    }
}

#[tokio::test]
async fn a_conflict_comes_with_the_deck_as_it_is() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let id = domain.deck(user, "deck").await;
    let update =
        "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { name } } }";
    let input = json!({ "input": { "id": id, "name": "late", "expectedVersion": 7 } });
    let extensions = domain.extensions(user, update, input).await;
    let expected = json!({ "code": "CONFLICT", "current": {
        "__typename": "Deck", "id": id, "name": "deck", "description": "", "color": null, "archived": false,
        "updatedAt": "2026-11-24T09:30:00.500Z", "version": 1,
    } });
    assert_eq!(extensions, expected);
}

#[tokio::test]
async fn a_deck_is_copied_with_all_that_is_in_it() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let a = domain.deck(user, "a").await;
        let b = domain.deck_in(user, &a, "b").await;
        let notes = json!([{
            "type": "BASIC_REVERSED", "tags": ["x::y"],
            "fields": [{ "name": "Front", "value": "q" }, { "name": "Back", "value": "r" }],
        }]);
        let note = domain.notes(user, &b, notes).await[0].take();
        domain.cards(user, &a, &["one", "two"]).await;
        let copy = "mutation($input: CopyDeckInput!) { copyDeck(input: $input) { deck {
            id name path cardCount cards { nodes { question version } }
            children { nodes { name cardCount cards { nodes { question note { id guid tags cards { ordinal } } } } } }
        } } }";
        let input = json!({ "input": { "id": a, "parentId": b, "name": "copy" } });
        let data = domain.data(user, copy, input).await;
        let deck = &data["copyDeck"]["deck"];
        assert_eq!((&deck["path"], &deck["cardCount"]), (&json!(["a", "b", "copy"]), &json!(2)));
        let cards =
            json!([{ "question": "one", "version": 1 }, { "question": "two", "version": 1 }]);
        assert_eq!(deck["cards"]["nodes"], cards);
        let inner = &deck["children"]["nodes"][0];
        assert_eq!((&inner["name"], &inner["cardCount"]), (&json!("b"), &json!(2)));
        let copied = &inner["cards"]["nodes"][1]["note"];
        assert_eq!(
            (&copied["tags"], &copied["cards"][1]["ordinal"]),
            (&json!(["x::y"]), &json!(1))
        );
        assert!(copied["id"] != note["id"] && copied["guid"] != note["guid"]);

        let card = &note["cards"][0]["id"];
        let copy = "mutation($input: CopyCardsInput!) { copyCards(input: $input) { deck { cardCount } notes { id cards { question } } } }";
        let input = json!({ "input": { "cardIds": [card], "deckId": a } });
        let data = domain.data(user, copy, input).await;
        assert_eq!(data["copyCards"]["deck"]["cardCount"], 4);
        let cards = json!([{ "question": "q" }, { "question": "r" }]);
        assert_eq!(data["copyCards"]["notes"][0]["cards"], cards);
    }
}
