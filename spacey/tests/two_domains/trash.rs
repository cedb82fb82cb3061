//! What is deleted in decks is gone in learning, and back with what was learned once it is restored: the two domains together, on both
//! stores, with nothing between them but events.

use common::Clock;
use serde_json::{Value, json};

use crate::support::Domains;

/// What learning knows of cards: how often each was reviewed, or null where there is none.
async fn reps(domains: &Domains, cards: &[&Value]) -> Vec<Value> {
    let found = domains.cards("reps", cards).await;
    found.iter().map(|card| card["reps"].clone()).collect()
}

async fn what_is_restored_has_its_state_back(domains: Domains) {
    let create = "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
    let data = domains.change(create, json!({ "name": "deck" })).await;
    let deck = &data["createDeck"]["deck"]["id"];
    let data = domains.change(create, json!({ "name": "inner", "parentId": deck })).await;
    let inner = &data["createDeck"]["deck"]["id"];
    let text = |text: &str| json!([{ "name": "Text", "value": text }]);
    let notes = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { id cards { id } } } }";
    let cloze = json!([{ "type": "CLOZE", "fields": text("{{c1::a}} {{c2::b}}") }]);
    let data = domains.change(notes, json!({ "deckId": inner, "notes": cloze })).await;
    let note = &data["createNotes"]["notes"][0];
    let (one, two) = (&note["cards"][0]["id"], &note["cards"][1]["id"]);
    let review = |card: &Value| {
        json!({
            "id": uuid::Uuid::new_v4(), "cardId": card, "rating": "GOOD",
            "reviewedAt": jiff::Timestamp::now().to_string(),
        })
    };
    let submit = "mutation($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
    let input = json!({ "input": { "reviews": [review(one), review(two), review(two)] } });
    domains.ask(&domains.learning, submit, input).await;
    let (both, gone) = ([json!(1), json!(2)], [Value::Null, Value::Null]);
    assert_eq!(reps(&domains, &[one, two]).await, both);

    let restore = "mutation($input: RestoreDeletedInput!) { restoreDeleted(input: $input) { restored { id } } }";
    let delete = "mutation($input: DeleteDeckInput!) { deleteDeck(input: $input) { trashId } }";
    let data = domains.change(delete, json!({ "id": deck })).await;
    assert_eq!(reps(&domains, &[one, two]).await, gone);
    domains.change(restore, json!({ "trashId": data["deleteDeck"]["trashId"] })).await;
    assert_eq!(reps(&domains, &[one, two]).await, both);

    let delete = "mutation($input: DeleteNotesInput!) { deleteNotes(input: $input) { trashId } }";
    let data = domains.change(delete, json!({ "ids": [note["id"]] })).await;
    assert_eq!(reps(&domains, &[one, two]).await, gone);
    domains.change(restore, json!({ "trashId": data["deleteNotes"]["trashId"] })).await;
    assert_eq!(reps(&domains, &[one, two]).await, both);

    let update = "mutation($input: UpdateNotesInput!) { updateNotes(input: $input) { notes { cards { id } } } }";
    let edit = |fields: Value| json!({ "notes": [{ "id": note["id"], "fields": fields }] });
    domains.change(update, edit(text("{{c1::a}} b"))).await;
    assert_eq!(reps(&domains, &[one, two]).await, [json!(1), Value::Null]);
    domains.change(update, edit(text("{{c1::a}} {{c2::B}}"))).await;
    assert_eq!(reps(&domains, &[one, two]).await, both);
}

#[tokio::test]
async fn in_sqlite() {
    what_is_restored_has_its_state_back(Domains::sqlite(&Clock::System).await).await;
}

#[tokio::test]
async fn in_mongodb() {
    what_is_restored_has_its_state_back(Domains::mongo(&Clock::System).await).await;
}
