//! The trash through GraphQL: what is deleted is as if it did not exist, comes back as it was, and is gone after 30 days.

use crate::support::Domain;
use common::{Event, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

const DELETE_DECK: &str = "mutation($id: ID!) { deleteDeck(input: {id: $id}) { trashId } }";
const DELETE_CARDS: &str = "mutation($ids: [ID!]!) { deleteCards(input: {ids: $ids}) { trashId } }";
const DELETE_NOTES: &str =
    "mutation($ids: [ID!]!) { deleteNotes(input: {ids: $ids}) { trashId deletedIds } }";
const RESTORE: &str = "mutation($id: ID!) { restoreDeleted(input: {trashId: $id}) { restored { kind title deckCount cardCount } } }";

async fn trash(domain: &Domain, user: UserId) -> Value {
    let query = "query($me: _Any!) { _entities(representations: [$me]) { ... on User {
        trash { nodes { id kind title deckCount cardCount mediaCount deletedAt purgedAt } totalCount }
    } } }";
    let me = json!({ "__typename": "User", "id": user.to_string() });
    let mut trash =
        domain.data(user, query, json!({ "me": me })).await["_entities"][0]["trash"].take();
    assert_eq!(trash["totalCount"], trash["nodes"].as_array().unwrap().len());
    trash["nodes"].take()
}

async fn deck(domain: &Domain, user: UserId, id: &str) -> Value {
    let query = "query($id: ID!) { deck(id: $id) { path cardCount cards { nodes { id question } } children { nodes { name } } } }";
    domain.data(user, query, json!({ "id": id })).await["deck"].take()
}

#[tokio::test]
async fn a_deck_goes_and_comes_back_with_all_that_is_in_it() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let top = domain.deck(user, "top").await;
        let a = domain.deck_in(user, &top, "a").await;
        let b = domain.deck_in(user, &a, "b").await;
        domain.cards(user, &a, &["1", "2"]).await;
        let cards = domain.cards(user, &b, &["3", "4"]).await;
        // One card was deleted before: it does not come back with its deck.
        domain.data(user, DELETE_CARDS, json!({ "ids": [cards[1]] })).await;
        let (before, inner) = (deck(&domain, user, &a).await, deck(&domain, user, &b).await);
        domain.heard.take();

        domain.clock.advance(SignedDuration::from_secs(1));
        let id = domain.data(user, DELETE_DECK, json!({ "id": a })).await["deleteDeck"]["trashId"]
            .take();
        for gone in [&a, &b] {
            assert_eq!(deck(&domain, user, gone).await, Value::Null);
        }
        assert_eq!(deck(&domain, user, &top).await["children"]["nodes"], json!([]));
        let heard = domain.heard.take();
        assert!(
            matches!(&heard[..], [Event::Deck(one), Event::Deck(two)] if one.deleted && two.deleted),
            "{heard:?}"
        );
        let list = trash(&domain, user).await;
        let expected = json!({
            "id": id, "kind": "DECK", "title": "a", "deckCount": 2, "cardCount": 3, "mediaCount": 0,
            "deletedAt": "2026-11-24T09:30:01.500Z", "purgedAt": "2026-12-24T09:30:01.500Z",
        });
        assert_eq!(list[0], expected);
        assert_eq!(list[1]["kind"], "CARDS");
        assert_eq!(trash(&domain, UserId::new()).await, json!([]));

        let stranger = domain.error(UserId::new(), RESTORE, json!({ "id": id })).await;
        assert_eq!(stranger.0, "NOT_FOUND");
        // Cards of a deck that is gone wait for it.
        let (code, message) = domain.error(user, RESTORE, json!({ "id": list[1]["id"] })).await;
        assert_eq!(code, "CONFLICT");
        assert!(message.contains("restore that one first"), "{message}");

        let restored = domain.data(user, RESTORE, json!({ "id": id })).await;
        let expected = json!({ "kind": "DECK", "title": "a", "deckCount": 2, "cardCount": 3 });
        assert_eq!(restored["restoreDeleted"]["restored"], expected);
        assert_eq!(deck(&domain, user, &a).await, before);
        assert_eq!(deck(&domain, user, &b).await, inner);
        let heard = domain.heard.take();
        assert!(
            matches!(&heard[..], [Event::Deck(one), Event::Deck(two)] if !one.deleted && !two.deleted && one.version == 3),
            "{heard:?}"
        );
        assert_eq!(domain.error(user, RESTORE, json!({ "id": id })).await.0, "NOT_FOUND");
        domain.data(user, RESTORE, json!({ "id": list[1]["id"] })).await;
        assert_eq!(domain.questions(user, &b).await, ["3", "4"]);
        let heard = domain.heard.take();
        assert!(
            matches!(&heard[..], [Event::Card(card)] if !card.deleted && card.version == 3),
            "{heard:?}"
        );
        assert_eq!(trash(&domain, user).await, json!([]));
    }
}

#[tokio::test]
async fn a_deck_whose_parent_is_gone_comes_back_at_the_top() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let top = domain.deck(user, "top").await;
        let a = domain.deck_in(user, &top, "a").await;
        let b = domain.deck_in(user, &a, "b").await;
        let delete = async |id: &str| {
            domain.data(user, DELETE_DECK, json!({ "id": id })).await["deleteDeck"]["trashId"]
                .take()
        };
        let (inner, outer) = (delete(&a).await, delete(&top).await);
        domain.data(user, RESTORE, json!({ "id": inner })).await;
        assert_eq!(deck(&domain, user, &b).await["path"], json!(["a", "b"]));
        domain.data(user, RESTORE, json!({ "id": outer })).await;
        assert_eq!(deck(&domain, user, &top).await["children"]["nodes"], json!([]));
    }
}

#[tokio::test]
async fn a_note_is_gone_with_its_last_card() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let home = domain.deck(user, "deck").await;
        let fields = json!([{ "name": "Front", "value": "q" }, { "name": "Back", "value": "a" }]);
        let notes = json!([{ "type": "BASIC_REVERSED", "fields": fields, "tags": ["t"] }, { "fields": fields }]);
        let notes = domain.notes(user, &home, notes).await;
        let note = async || {
            let query =
                "query($id: ID!) { note(id: $id) { cards { ordinal } } node(id: $id) { id } }";
            domain.data(user, query, json!({ "id": notes[0]["id"] })).await
        };
        let card = |nth: usize| json!({ "ids": [notes[0]["cards"][nth]["id"]] });
        domain.data(user, DELETE_CARDS, card(0)).await;
        assert_eq!(note().await["note"]["cards"], json!([{ "ordinal": 1 }]));
        let last = domain.data(user, DELETE_CARDS, card(1)).await["deleteCards"]["trashId"].take();
        assert_eq!(note().await, json!({ "note": null, "node": null }));
        let gone = json!({ "ids": [notes[0]["id"]] });
        assert_eq!(domain.error(user, DELETE_NOTES, gone.clone()).await.0, "NOT_FOUND");
        domain.data(user, RESTORE, json!({ "id": last })).await;
        assert_eq!(note().await["note"]["cards"], json!([{ "ordinal": 1 }]));

        let both = json!({ "ids": [notes[1]["id"], notes[0]["id"]] });
        let data = domain.data(user, DELETE_NOTES, both.clone()).await;
        assert_eq!(data["deleteNotes"]["deletedIds"], both["ids"]);
        assert!(domain.questions(user, &home).await.is_empty());
        domain.data(user, RESTORE, json!({ "id": data["deleteNotes"]["trashId"] })).await;
        assert_eq!(domain.questions(user, &home).await, ["a", "q"]);
    }
}

#[tokio::test]
async fn what_was_deleted_cannot_be_restored_after_30_days() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let id = domain.deck(user, "deck").await;
    let entry =
        domain.data(user, DELETE_DECK, json!({ "id": id })).await["deleteDeck"]["trashId"].take();
    domain.clock.advance(SignedDuration::from_hours(24 * 30) + SignedDuration::from_secs(1));
    assert_eq!(domain.error(user, RESTORE, json!({ "id": entry })).await.0, "NOT_FOUND");
}
