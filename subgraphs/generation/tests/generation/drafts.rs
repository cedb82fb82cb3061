//! Drafts: edited, made cards of, rejected; and that a card is made once, whatever fails.

use std::sync::atomic::Ordering;

use common::event::DraftsAccepted;
use common::{DeckId, Event, UserId};
use serde_json::{Value, json};

use crate::support::{Gateway, Service, caller, note};

const EDIT: &str = "mutation($input: EditDraftInput!) { editDraft(input: $input) { draft { question answer edited state } } }";
const ACCEPT: &str = "mutation($input: AcceptDraftsInput!) { acceptDrafts(input: $input) { drafts { id state card { id } } job { drafts { state } } } }";
const REJECT: &str =
    "mutation($input: RejectDraftsInput!) { rejectDrafts(input: $input) { drafts { id state } } }";

/// A job that is ready, with two drafts.
async fn ready() -> (Gateway, Value, [Value; 2]) {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let job = gateway.data(gateway.input(json!({}))).await;
    let drafts = [0, 1].map(|index: usize| job["drafts"][index]["id"].clone());
    (gateway, job["id"].clone(), drafts)
}

impl Gateway {
    async fn change(&self, mutation: &str, input: Value) -> Value {
        self.ask(mutation, json!({ "input": input })).await
    }

    async fn refused(&self, mutation: &str, input: Value) -> (String, String) {
        self.error_as(caller(self.owner), mutation, json!({ "input": input })).await
    }

    /// What decks was told to make.
    fn accepted(&self) -> Vec<DraftsAccepted> {
        let accepted = |event| match event {
            Event::Accepted(accepted) => accepted,
            other => panic!("{other:?}"),
        };
        self.decks.told().into_iter().map(accepted).collect()
    }
}

#[tokio::test]
async fn a_draft_that_is_edited_and_accepted_becomes_a_card_once() {
    let (gateway, job, [first, second]) = ready().await;
    let edit = json!({ "jobId": job, "draftId": first, "answer": "A round face." });
    let edited = gateway.change(EDIT, edit.clone()).await;
    let expected = json!({ "question": "What is 😀?", "answer": "A round face.", "edited": true, "state": "PROPOSED" });
    assert_eq!(edited["editDraft"]["draft"], expected);

    let accept = json!({ "jobId": job, "draftIds": [first] });
    let accepted = gateway.change(ACCEPT, accept.clone()).await["acceptDrafts"].take();
    assert_eq!(accepted["drafts"][0]["state"], "ACCEPTED");
    assert_eq!(accepted["job"]["drafts"][1]["state"], "PROPOSED");
    let told = gateway.accepted();
    let [DraftsAccepted { owner, deck, cards }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*owner, *deck, cards.len()), (gateway.owner, gateway.deck, 1));
    assert_eq!((&*cards[0].answer, cards[0].source), ("A round face.", Some((0, 9))));
    assert_eq!(accepted["drafts"][0]["card"]["id"], cards[0].card.to_string());

    for _ in 0..3 {
        assert_eq!(gateway.change(ACCEPT, accept.clone()).await["acceptDrafts"], accepted);
    }
    let rest = gateway.change(ACCEPT, json!({ "jobId": job })).await;
    assert_eq!(rest["acceptDrafts"]["drafts"][0]["id"], second, "all that are proposed");
    let none = gateway.change(ACCEPT, json!({ "jobId": job })).await;
    assert_eq!(none["acceptDrafts"]["drafts"], json!([]));
    assert_eq!(gateway.accepted().len(), 2);
    for (mutation, input) in [(EDIT, edit), (REJECT, accept)] {
        let (code, message) = gateway.refused(mutation, input).await;
        assert_eq!(code, "CONFLICT");
        assert!(message.contains("is the card"), "{message}");
    }
}

#[tokio::test]
async fn a_draft_that_is_rejected_is_left_until_it_is_named_or_edited() {
    let (gateway, job, [first, second]) = ready().await;
    let reject = json!({ "jobId": job, "draftIds": [first, second, first] });
    let rejected = gateway.change(REJECT, reject).await;
    assert_eq!(rejected["rejectDrafts"]["drafts"].as_array().unwrap().len(), 2);
    let all = gateway.change(ACCEPT, json!({ "jobId": job })).await;
    assert_eq!(all["acceptDrafts"]["drafts"], json!([]));
    let edit = json!({ "jobId": job, "draftId": second, "question": "Two?" });
    assert_eq!(gateway.change(EDIT, edit).await["editDraft"]["draft"]["state"], "PROPOSED");
    gateway.change(ACCEPT, json!({ "jobId": job })).await;
    gateway.change(ACCEPT, json!({ "jobId": job, "draftIds": [first] })).await;
    let told = gateway.accepted();
    let questions: Vec<_> = told.iter().map(|told| &*told.cards[0].question).collect();
    assert_eq!(questions, ["Two?", "What is 😀?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_accept_at_once_one_makes_the_card() {
    let (gateway, job, _) = ready().await;
    let accept = || gateway.change(ACCEPT, json!({ "jobId": job }));
    futures::future::join_all((0..20).map(|_| accept())).await;
    let told = gateway.accepted();
    assert_eq!(told.iter().map(|told| told.cards.len()).sum::<usize>(), 2, "{told:?}");
}

#[tokio::test]
async fn what_was_accepted_reaches_decks_when_it_listens_again() {
    let (gateway, job, _) = ready().await;
    gateway.decks.is_deaf.store(true, Ordering::Relaxed);
    let accepted = gateway.change(ACCEPT, json!({ "jobId": job })).await["acceptDrafts"].take();
    assert_eq!(gateway.accepted(), []);
    let gateway = gateway.restarted().await;
    gateway.decks.is_deaf.store(false, Ordering::Relaxed);
    for _ in 0..500 {
        if !gateway.accepted().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let told = gateway.accepted();
    let cards: Vec<_> = told[0].cards.iter().map(|card| json!(card.card.to_string())).collect();
    let answered: Vec<_> = accepted["drafts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|draft| draft["card"]["id"].clone())
        .collect();
    assert_eq!(cards, answered);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let (gateway, job, [first, _]) = ready().await;
    let before = gateway.job(&job).await;
    let other = json!(DeckId::new().to_string());
    for (mutation, input, code, start) in [
        (
            EDIT,
            json!({ "jobId": job, "draftId": first, "question": " " }),
            "BAD_USER_INPUT",
            "input.question: is blank",
        ),
        (
            EDIT,
            json!({ "jobId": job, "draftId": first, "answer": "a".repeat(10_001) }),
            "BAD_USER_INPUT",
            "input.answer: has 10001",
        ),
        (EDIT, json!({ "jobId": job, "draftId": job, "answer": "a" }), "NOT_FOUND", "draft "),
        (
            ACCEPT,
            json!({ "jobId": job, "draftIds": [] }),
            "BAD_USER_INPUT",
            "input.draftIds: names 0 drafts",
        ),
        (
            ACCEPT,
            json!({ "jobId": job, "draftIds": vec![&first; 101] }),
            "BAD_USER_INPUT",
            "input.draftIds: names 101",
        ),
        (ACCEPT, json!({ "jobId": job, "draftIds": [first, job] }), "NOT_FOUND", "draft "),
        (ACCEPT, json!({ "jobId": job, "deckId": other }), "NOT_FOUND", "deck "),
        (REJECT, json!({ "jobId": other }), "NOT_FOUND", "generation job "),
    ] {
        let refused = gateway.refused(mutation, input.clone()).await;
        assert_eq!(refused.0, code, "{input}");
        assert!(refused.1.starts_with(start), "{}", refused.1);
    }
    gateway.decks.cards.store(99_999, Ordering::Relaxed);
    assert_eq!(gateway.refused(ACCEPT, json!({ "jobId": job })).await.0, "LIMIT_EXCEEDED");
    gateway.decks.is_broken.store(true, Ordering::Relaxed);
    assert_eq!(gateway.refused(ACCEPT, json!({ "jobId": job })).await.0, "GENERATION_UNAVAILABLE");
    let input = json!({ "input": { "jobId": job } });
    let eve = gateway.error_as(caller(UserId::new()), ACCEPT, input).await;
    assert_eq!(eve.0, "NOT_FOUND");
    assert_eq!(gateway.job(&job).await, before);
    assert_eq!(gateway.accepted(), []);
}
