//! Drafts that were accepted in card generation: they become cards once, however often they are told, and go where their deck goes.

use std::sync::Arc;

use common::event::{AcceptedCard, DraftsAccepted};
use common::{CardId, DeckId, Event, NoteId, UserId};
use serde_json::{Value, json};

use crate::support::Domain;

const DELETE_DECK: &str = "mutation($id: ID!) { deleteDeck(input: {id: $id}) { trashId } }";
const RESTORE: &str =
    "mutation($id: ID!) { restoreDeleted(input: {trashId: $id}) { restored { cardCount } } }";

fn accepted(owner: UserId, deck: &str, questions: &[&str]) -> DraftsAccepted {
    let card = |question: &&str| AcceptedCard {
        note: NoteId::new(),
        card: CardId::new(),
        question: (*question).to_owned(),
        answer: "answer".into(),
        source: Some((3, 7)),
    };
    let cards = questions.iter().map(card).collect();
    DraftsAccepted { owner, deck: deck.parse().unwrap(), cards }
}

impl Domain {
    async fn tell(&self, accepted: &DraftsAccepted) {
        let event = Event::Accepted(accepted.clone());
        self.endpoint.apply(Arc::new([event])).await.unwrap();
    }
}

#[tokio::test]
async fn they_become_cards_once() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        domain.cards(user, &deck, &["before"]).await;
        domain.heard.take();
        let event = accepted(user, &deck, &["1", "2"]);
        for _ in 0..3 {
            domain.tell(&event).await;
        }
        assert_eq!(domain.questions(user, &deck).await, ["before", "1", "2"]);
        let heard = domain.heard.take();
        assert!(
            matches!(&heard[..], [Event::Card(one), Event::Card(two)]
                if one.card == event.cards[0].card && two.note == Some(event.cards[1].note)),
            "{heard:?}"
        );
        let query = "query($id: ID!) { card(id: $id) { answer sourceStartIndex sourceEndIndex note { id type } } }";
        let id = event.cards[0].card.to_string();
        let card = domain.data(user, query, json!({ "id": id })).await["card"].take();
        let note = json!({ "id": event.cards[0].note.to_string(), "type": "BASIC" });
        let expected =
            json!({ "answer": "answer", "sourceStartIndex": 3, "sourceEndIndex": 7, "note": note });
        assert_eq!(card, expected);
        // One that was deleted since is not made again, and one that is new among the others is.
        let delete = "mutation($id: ID!) { deleteCards(input: {ids: [$id]}) { trashId } }";
        domain.data(user, delete, json!({ "id": id })).await;
        let mut more = event.clone();
        more.cards.extend(accepted(user, &deck, &["3"]).cards);
        domain.tell(&more).await;
        assert_eq!(domain.questions(user, &deck).await, ["before", "2", "3"]);
    }
}

#[tokio::test]
async fn in_a_deck_that_was_deleted_meanwhile_they_come_back_with_it() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        domain.cards(user, &deck, &["before"]).await;
        let deleted = domain.data(user, DELETE_DECK, json!({ "id": deck })).await;
        domain.heard.take();
        let event = accepted(user, &deck, &["1"]);
        for _ in 0..2 {
            domain.tell(&event).await;
        }
        assert!(domain.heard.take().is_empty(), "nobody learns what lies in the trash");
        let trash = &deleted["deleteDeck"]["trashId"];
        domain.data(user, RESTORE, json!({ "id": trash })).await;
        assert_eq!(domain.questions(user, &deck).await, ["before", "1"]);
    }
}

#[tokio::test]
async fn they_reach_no_deck_of_somebody_else_and_none_that_is_gone() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let (user, other) = (UserId::new(), UserId::new());
        let deck = domain.deck(user, "deck").await;
        domain.tell(&accepted(other, &deck, &["1"])).await;
        domain.tell(&accepted(user, &DeckId::new().to_string(), &["1"])).await;
        // What decks could not take is left out; the rest is taken.
        let mut odd = accepted(user, &deck, &["blank", "long", "good"]);
        odd.cards[0].answer = " ".into();
        odd.cards[1].question = "q".repeat(10_001);
        domain.tell(&odd).await;
        let query = "query($id: ID!) { deck(id: $id) { cardCount cards { nodes { question } } } }";
        let data: Value = domain.data(user, query, json!({ "id": deck })).await;
        let expected = json!({ "cardCount": 1, "cards": { "nodes": [{ "question": "good" }] } });
        assert_eq!(data["deck"], expected);
    }
}
