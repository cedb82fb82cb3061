//! Learning sessions: starting and finishing, each once, and the list of them.

use common::UserId;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Domain, START, caller};

const START_SESSION: &str = "mutation($input: StartSessionInput!) {
    startSession(input: $input) { session { id deckId startedAt finishedAt } }
}";
const FINISH_SESSION: &str = "mutation($input: FinishSessionInput!) {
    finishSession(input: $input) { session { id deckId startedAt finishedAt } }
}";
const ID: &str = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";

async fn start(domain: &Domain, user: UserId, input: Value) -> Value {
    let data = domain.data(user, START_SESSION, json!({ "input": input })).await;
    data["startSession"]["session"].clone()
}

#[tokio::test]
async fn a_session_starts_and_finishes_once() {
    let (domain, _) = Domain::sqlite().await;
    let (user, stranger) = (domain.user().await, domain.user().await);
    let ((deck, _), (other, _)) = (domain.deck(user, 1).await, domain.deck(user, 1).await);
    let session = start(&domain, user, json!({ "deckId": deck, "id": ID })).await;
    let expected = json!({ "id": ID, "deckId": deck, "startedAt": START, "finishedAt": null });
    assert_eq!(session, expected);
    domain.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(start(&domain, user, json!({ "deckId": deck, "id": ID })).await, session);

    let start_error = async |user, input: Value| {
        domain.error(caller(user), START_SESSION, json!({ "input": input })).await
    };
    let error = start_error(user, json!({ "deckId": other, "id": ID })).await;
    let message = format!("session {ID} is one of another deck: make a new id");
    assert_eq!(error, ("CONFLICT".into(), message));
    for (user, deck) in [(user, ID), (stranger, deck.as_str())] {
        let error = start_error(user, json!({ "deckId": deck })).await;
        assert_eq!(error, ("NOT_FOUND".into(), format!("deck {deck} was not found")));
    }

    let finish = json!({ "input": { "id": ID } });
    let error = domain.error(caller(stranger), FINISH_SESSION, finish.clone()).await;
    assert_eq!(error, ("NOT_FOUND".into(), format!("learning session {ID} was not found")));
    for _ in 0..2 {
        let data = domain.data(user, FINISH_SESSION, finish.clone()).await;
        let finished = "2026-11-24T09:31:00.500Z";
        assert_eq!(data["finishSession"]["session"]["finishedAt"], finished);
        domain.clock.advance(SignedDuration::from_mins(1));
    }
}

#[tokio::test]
async fn sessions_are_listed_newest_first() {
    let (domain, _) = Domain::sqlite().await;
    let (user, stranger) = (domain.user().await, domain.user().await);
    let (deck, _) = domain.deck(user, 0).await;
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        newest_first.insert(0, start(&domain, user, json!({ "deckId": deck })).await);
        domain.clock.advance(SignedDuration::from_mins(1));
    }
    let list = async |user, arguments: &str| {
        let field = format!(
            "learningSessions{arguments} {{
                nodes {{ id deckId startedAt finishedAt }}
                edges {{ cursor node {{ id deckId startedAt finishedAt }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }}"
        );
        domain.mine(user, &field).await
    };
    let all = list(user, "").await;
    assert_eq!(all["nodes"], json!(newest_first));
    let nodes = all["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone());
    assert_eq!(all["nodes"], nodes.collect::<Value>());
    let first = list(user, "(first: 2)").await;
    assert_eq!(first["nodes"], json!(newest_first[..2]));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = first["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = list(user, &format!("(first: 2, after: \"{after}\")")).await;
    assert_eq!(rest["nodes"], json!(newest_first[2..]));
    assert_eq!(rest["pageInfo"]["hasPreviousPage"], true);
    let last = list(user, "(last: 1)").await;
    assert_eq!(last["nodes"], json!(newest_first[2..]));
    let before = last["pageInfo"]["startCursor"].as_str().unwrap();
    let rest = list(user, &format!("(last: 1, before: \"{before}\")")).await;
    assert_eq!(rest["nodes"], json!(newest_first[1..2]));
    assert_eq!(list(stranger, "").await["nodes"], json!([]));
}
