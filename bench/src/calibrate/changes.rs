//! Mutations, and fields that cost much for themselves: what they are given, anew each time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::generate::{Chance, Ids};
use crate::Result;
use crate::client::Client;

pub(super) const PASSWORD: &str = "correct horse battery staple";
pub(super) const ADDRESS: &str = "bench@spacey.example";

/// What is measured by itself: its name, and whether it takes a number of things.
pub(super) const CHANGES: [(&str, &[usize]); 20] = [
    ("createDeck", &[1]),
    ("updateDeck", &[1]),
    ("updateCard", &[1]),
    ("createCards", &[1, 10, 100, 1_000]),
    ("createNotes", &[1, 10, 100, 1_000]),
    ("updateNotes", &[1, 10, 100]),
    ("tagNotes", &[1, 10, 100, 1_000]),
    ("moveCards", &[1, 10, 100, 1_000]),
    ("copyCards", &[1, 10, 100, 1_000]),
    ("submitReviews", &[1, 10, 100, 1_000]),
    ("changeCards", &[1, 10, 100, 1_000]),
    ("copyDeck", &[10, 100, 1_000]),
    ("deleteDeck", &[10, 100, 1_000]),
    ("publishDeck", &[10, 100, 1_000]),
    ("clonePublicDeck", &[10, 100, 1_000]),
    ("pullPublicDeck", &[10, 100]),
    ("importFile", &[10, 100]),
    ("exportDecks", &[10, 100, 1_000]),
    ("logIn", &[1]),
    ("changePassword", &[1]),
];

/// Queries that are measured by themselves.
pub(super) const ASKED: [(&str, &str); 11] = [
    ("searchCards", r#"{ searchCards(query: "common -word3", first: 50) { totalCount } }"#),
    ("decks", "{ viewer { decks(first: 10) { nodes { id } } } }"),
    (
        "cards",
        "{ viewer { decks(first: 1) { nodes { cards(first: 100) { nodes { question } } } } } }",
    ),
    (
        "reviews",
        "{ viewer { decks(first: 1) { nodes { cards(first: 20) { nodes { reviews(first: 1) { nodes { id } } } } } } } }",
    ),
    ("statistics", "{ viewer { statistics { reviews } } }"),
    ("simulation", "{ viewer { simulation(retentions: [0.8, 0.9]) { retention } } }"),
    ("forecast", "{ viewer { forecast(days: 30) { date } } }"),
    ("studyQueue", "{ viewer { studyQueue(limit: 20) { card { id } } } }"),
    ("stats", "{ viewer { stats { __typename } } }"),
    ("publicDecks", r#"{ publicDecks(query: "bench") { totalCount } }"#),
    ("deckChanges", "{ viewer { deckChanges(first: 1) { hasMore } } }"),
];

/// An operation that is ready to be sent.
pub(super) struct Change {
    pub(super) text: String,
    pub(super) variables: Value,
}

/// A deck of so many cards of its own.
pub(super) async fn deck(client: &Client, cards: usize) -> Result<(Value, Vec<Value>)> {
    let create =
        "mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
    let data = client.data(create, json!({ "input": { "name": "Bench" } })).await?;
    let deck = data["createDeck"]["deck"]["id"].clone();
    let create = "mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id note { id } } } }";
    let mut made = Vec::new();
    for start in (0..cards).step_by(1_000) {
        let cards: Vec<Value> = (start..cards.min(start + 1_000)).map(card).collect();
        let data =
            client.data(create, json!({ "input": { "deckId": deck, "cards": cards } })).await?;
        made.extend(data["createCards"]["cards"].as_array().cloned().unwrap_or_default());
    }
    Ok((deck, made))
}

pub(super) fn card(nth: usize) -> Value {
    json!({
        "question": format!("What is common word{} and word{}?", nth % 1_000, nth % 97),
        "answer": format!("A common answer of about as many words as answers have, word{nth}"),
    })
}

pub(super) fn review(card: &Value) -> Value {
    json!({
        "id": Uuid::new_v4(), "cardId": card, "rating": "GOOD", "reviewedAt": jiff::Timestamp::now().to_string(),
    })
}

/// The mutation `name` of `count` things. What it needs is made before.
pub(super) async fn change(
    client: &Client,
    other: &Client,
    ids: &Ids,
    chance: &mut Chance,
    (name, count): (&str, usize),
) -> Result<Change> {
    let some = |ids: &[String], chance: &mut Chance| -> Vec<String> {
        let first = chance.below(ids.len().saturating_sub(count));
        ids[first..ids.len().min(first + count)].to_vec()
    };
    let any = chance.of(&ids.decks).clone();
    let of_cards = |input: Value| ("{ cards { id question } }", input);
    let (selection, input) = match name {
        "createDeck" => ("{ deck { id name } }", json!({ "name": "Another" })),
        "updateDeck" => {
            ("{ deck { id name } }", json!({ "id": any, "name": Uuid::new_v4().to_string() }))
        }
        "updateCard" => {
            let (id, question) = (chance.of(&ids.cards), Uuid::new_v4().to_string());
            ("{ card { id question } }", json!({ "id": id, "question": question }))
        }
        "createCards" => {
            let cards: Vec<Value> = (0..count).map(card).collect();
            of_cards(json!({ "deckId": any, "cards": cards }))
        }
        "createNotes" => {
            let note = |nth| {
                let Value::Object(card) = card(nth) else { return Value::Null };
                json!({ "fields": [
                    { "name": "Front", "value": card["question"] }, { "name": "Back", "value": card["answer"] },
                ] })
            };
            let notes: Vec<Value> = (0..count).map(note).collect();
            ("{ notes { id } }", json!({ "deckId": any, "notes": notes }))
        }
        "updateNotes" => {
            let tag = Uuid::new_v4().to_string();
            let edit = |id| json!({ "id": id, "tags": [tag] });
            let notes: Vec<Value> = some(&ids.notes, chance).into_iter().map(edit).collect();
            ("{ notes { id } }", json!({ "notes": notes }))
        }
        "tagNotes" => {
            let add = [Uuid::new_v4().to_string()];
            ("{ notes { id } }", json!({ "noteIds": some(&ids.notes, chance), "add": add }))
        }
        "moveCards" => of_cards(json!({ "cardIds": some(&ids.cards, chance), "deckId": any })),
        "copyCards" => {
            ("{ notes { id } }", json!({ "cardIds": some(&ids.cards, chance), "deckId": any }))
        }
        "submitReviews" => {
            let cards = some(&ids.cards, chance);
            let reviews: Vec<Value> = cards.into_iter().map(|card| review(&card.into())).collect();
            ("{ results { status } }", json!({ "reviews": reviews }))
        }
        "changeCards" => {
            let at = jiff::Timestamp::now().to_string();
            let change = |card| json!({ "id": Uuid::new_v4(), "cardId": card, "action": "FLAG", "flag": 2, "at": at });
            let changes: Vec<Value> = some(&ids.cards, chance).into_iter().map(change).collect();
            ("{ results { status } }", json!({ "changes": changes }))
        }
        "copyDeck" | "deleteDeck" => {
            let (deck, _) = deck(client, count).await?;
            ("{ __typename }", json!({ "id": deck }))
        }
        "publishDeck" => {
            let (deck, _) = deck(client, count).await?;
            ("{ __typename }", published(&deck))
        }
        "clonePublicDeck" => {
            let (_, slug) = public_deck(other, count).await?;
            ("{ __typename }", json!({ "slug": slug }))
        }
        "pullPublicDeck" => {
            let (theirs, slug) = public_deck(other, count).await?;
            let clone = "mutation ($input: ClonePublicDeckInput!) { clonePublicDeck(input: $input) { deck { id } } }";
            let data = client.data(clone, json!({ "input": { "slug": slug } })).await?;
            // As many are new as were there.
            let more = "mutation ($input: CreateCardsInput!) { createCards(input: $input) { __typename } }";
            let cards: Vec<Value> = (0..count).map(card).collect();
            other.data(more, json!({ "input": { "deckId": theirs, "cards": cards } })).await?;
            let publish = "mutation ($input: PublishDeckInput!) { publishDeck(input: $input) { __typename } }";
            other.data(publish, json!({ "input": { "deckId": theirs } })).await?;
            ("{ __typename }", json!({ "deckId": data["clonePublicDeck"]["deck"]["id"] }))
        }
        "importFile" => {
            // Few may be under way.
            let jobs = client.data("{ importJobs { id } }", json!({})).await?;
            for job in jobs["importJobs"].as_array().into_iter().flatten() {
                let cancel = "mutation ($input: CancelImportInput!) { cancelImport(input: $input) { __typename } }";
                client.text(cancel, &json!({ "input": job })).await?;
            }
            let lines: Vec<String> =
                (0..count).map(|nth| format!("\"Question {nth}\",\"Answer {nth}\"")).collect();
            let data = STANDARD.encode(lines.join("\n"));
            ("{ __typename }", json!({ "name": "cards.csv", "format": "CSV", "data": data }))
        }
        "exportDecks" => {
            let (deck, _) = deck(client, count).await?;
            ("{ __typename }", json!({ "deckIds": [deck], "format": "CSV" }))
        }
        "logIn" => ("{ accessToken }", json!({ "email": ADDRESS, "password": PASSWORD })),
        _ => ("{ __typename }", json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD })),
    };
    let first = name[..1].to_uppercase();
    let text = format!(
        "mutation ($input: {first}{}Input!) {{ {name}(input: $input) {selection} }}",
        &name[1..]
    );
    Ok(Change { text, variables: json!({ "input": input }) })
}

/// Another person's public deck of so many cards, and its slug.
async fn public_deck(other: &Client, cards: usize) -> Result<(Value, Value)> {
    let (deck, _) = deck(other, cards).await?;
    let publish = "mutation ($input: PublishDeckInput!) { publishDeck(input: $input) { publicDeck { slug } } }";
    let mut data = other.data(publish, json!({ "input": published(&deck) })).await?;
    Ok((deck, data["publishDeck"]["publicDeck"]["slug"].take()))
}

pub(super) fn published(deck: &Value) -> Value {
    json!({
        "deckId": deck, "title": "Bench", "licence": "CC_BY", "authorName": "Bench",
        "slug": Uuid::new_v4().to_string(),
    })
}
