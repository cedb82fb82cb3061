//! Notes through GraphQL: the cards they make, what an edit does to them, and what is refused.

use crate::support::Domain;
use common::event::CardChanged;
use common::{Event, UserId};
use serde_json::{Value, json};

const UPDATE: &str = "mutation($input: UpdateNotesInput!) { updateNotes(input: $input) { notes {
    id type version tags fields { name value } cards { id ordinal question answer version deck { cardCount } }
} } }";

fn fields(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn ids(cards: &Value) -> Vec<(i64, String)> {
    let id =
        |card: &Value| (card["ordinal"].as_i64().unwrap(), card["id"].as_str().unwrap().to_owned());
    cards.as_array().unwrap().iter().map(id).collect()
}

async fn edit(domain: &Domain, user: UserId, note: &Value, change: Value) -> Value {
    let mut input = change;
    input["id"] = note["id"].clone();
    let data = domain.data(user, UPDATE, json!({ "input": { "notes": [input] } })).await;
    data["updateNotes"]["notes"][0].clone()
}

#[tokio::test]
async fn each_type_of_note_makes_its_cards() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let sides = fields(&[("Front", "q"), ("Back", "a"), ("Hint", "")]);
        let notes = json!([
            { "fields": sides, "tags": ["b", "A::c"], "guid": "x1" },
            { "type": "BASIC_REVERSED", "fields": sides },
            { "type": "CLOZE", "fields": fields(&[("Text", "{{c2::x}} {{c1::y::z}}"), ("Extra", "e")]) },
            { "type": "TYPED", "fields": sides },
        ]);
        let notes = domain.notes(user, &deck, notes).await;
        let texts = |note: &Value| {
            let cards = note["cards"].as_array().unwrap().iter();
            cards.map(|c| json!([c["question"], c["answer"], c["typedAnswer"]])).collect::<Value>()
        };
        assert_eq!(texts(&notes[0]), json!([["q", "a", null]]));
        assert_eq!(notes[0]["fields"], sides);
        assert_eq!((&notes[0]["guid"], &notes[0]["tags"]), (&json!("x1"), &json!(["A::c", "b"])));
        assert_eq!(texts(&notes[1]), json!([["q", "a", null], ["a", "q", null]]));
        let cloze = json!([["x [z]", "x y\n\ne", null], ["[...] y", "x y\n\ne", null]]);
        assert_eq!(texts(&notes[2]), cloze);
        assert_eq!(texts(&notes[3]), json!([["q", "a", "a"]]));
        assert_eq!(domain.questions(user, &deck).await, ["q", "q", "a", "x [z]", "[...] y", "q"]);

        let query = "query($id: ID!) { note(id: $id) { type cards { note { id } } } }";
        let found = domain.data(user, query, json!({ "id": notes[1]["id"] })).await;
        let same = json!({ "note": { "id": notes[1]["id"] } });
        assert_eq!(found["note"], json!({ "type": "BASIC_REVERSED", "cards": [same, same] }));
        let found = domain.data(UserId::new(), query, json!({ "id": notes[1]["id"] })).await;
        assert_eq!(found["note"], Value::Null);
    }
}

#[tokio::test]
async fn cards_that_are_still_made_keep_their_ids_and_others_come_back() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let text = |text: &str| json!({ "fields": fields(&[("Text", text)]) });
        let cloze = json!([{ "type": "CLOZE", "fields": text("{{c1::a}} {{c2::b}}")["fields"] }]);
        let note = domain.notes(user, &deck, cloze).await[0].take();
        let before = ids(&note["cards"]);
        domain.heard.take();

        let after = edit(&domain, user, &note, text("{{c1::A}} b {{c3::c}}")).await;
        let cards = ids(&after["cards"]);
        assert_eq!(cards[0], before[0]);
        assert_eq!((cards.len(), cards[1].0), (2, 2));
        assert_eq!(after["cards"][0]["question"], "[...] b c");
        assert_eq!(after["cards"][0]["deck"]["cardCount"], 2);
        let told: Vec<_> = domain
            .heard
            .take()
            .into_iter()
            .filter_map(|event| match event {
                Event::Card(CardChanged { card, deleted, version, .. }) => {
                    Some((card.to_string(), deleted, version))
                }
                _ => None,
            })
            .collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&(before[1].1.clone(), true, 2)), "{told:?}");
        assert!(told.contains(&(cards[1].1.clone(), false, 1)), "{told:?}");

        // The second deletion is written again: its card comes back, and the others know.
        let again = edit(&domain, user, &note, text("{{c1::A}} {{c2::B}} {{c3::c}}")).await;
        let expected = [before[0].clone(), before[1].clone(), cards[1].clone()];
        assert_eq!(ids(&again["cards"]), expected);
        assert_eq!(again["cards"][1]["question"], "A [...] c");
        let back = domain.heard.take();
        assert!(
            matches!(&back[..], [Event::Card(card)] if !card.deleted && card.version == 3),
            "{back:?}"
        );
        assert_eq!(domain.questions(user, &deck).await.len(), 3);

        // The same again changes nothing.
        let same = edit(&domain, user, &note, json!({ "tags": [] })).await;
        assert_eq!(same["version"], again["version"]);
        assert!(domain.heard.take().is_empty());
    }
}

#[tokio::test]
async fn a_deleted_card_stays_deleted_unless_the_note_would_have_none() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let text = |text: &str| json!({ "fields": fields(&[("Text", text)]) });
    let cloze = json!([{ "type": "CLOZE", "fields": text("{{c1::a}} {{c2::b}}")["fields"] }]);
    let note = domain.notes(user, &deck, cloze).await[0].take();
    let cards = ids(&note["cards"]);
    let delete = "mutation($ids: [ID!]!) { deleteCards(input: {ids: $ids}) { deletedIds } }";
    domain.data(user, delete, json!({ "ids": [cards[1].1] })).await;
    let after = edit(&domain, user, &note, text("{{c1::A}} {{c2::b}}")).await;
    assert_eq!(ids(&after["cards"]), cards[..1]);
    let after = edit(&domain, user, &note, text("A {{c2::b}}")).await;
    assert_eq!(ids(&after["cards"]), cards[1..]);
    assert_eq!(domain.questions(user, &deck).await, ["A [...]"]);
}

#[tokio::test]
async fn a_card_is_edited_through_its_note() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let notes = json!([
        { "type": "BASIC_REVERSED", "fields": fields(&[("Front", "q"), ("Back", "a")]) },
        { "type": "CLOZE", "fields": fields(&[("Text", "{{c1::x}}")]) },
    ]);
    let notes = domain.notes(user, &deck, notes).await;
    let update = "mutation($input: UpdateCardInput!) { updateCard(input: $input) { card {
        question version note { version fields { value } cards { question version } }
    } } }";
    let reversed = &notes[0]["cards"][1]["id"];
    let input = json!({ "input": { "id": reversed, "question": "b", "expectedVersion": 1 } });
    let card = domain.data(user, update, input.clone()).await["updateCard"]["card"].take();
    let expected = json!({ "question": "b", "version": 2, "note": {
        "version": 2, "fields": [{ "value": "q" }, { "value": "b" }],
        "cards": [{ "question": "q", "version": 2 }, { "question": "b", "version": 2 }],
    } });
    assert_eq!(card, expected);
    let extensions = domain.extensions(user, update, input).await;
    assert_eq!(extensions["code"], "CONFLICT");
    assert_eq!(
        (&extensions["current"]["version"], &extensions["current"]["question"]),
        (&json!(2), &json!("b"))
    );
    let input = json!({ "input": { "id": notes[1]["cards"][0]["id"], "answer": "y" } });
    let (code, message) = domain.error(user, update, input).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.starts_with("input.id: is a cloze's"), "{message}");
}

#[tokio::test]
async fn bad_notes_are_named_and_change_nothing() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let good = json!({ "fields": fields(&[("Front", "q"), ("Back", "a")]) });
    let create =
        "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { id } } }";
    for (notes, start) in [
        (json!([]), "input.notes: names 0 notes"),
        (json!(vec![good.clone(); 1001]), "input.notes: names 1001 notes"),
        (
            json!([good, { "fields": fields(&[("Front", "q")]) }]),
            "input.notes[1].fields.Back: is empty",
        ),
        (
            json!([{ "type": "CLOZE", "fields": fields(&[("Text", "x")]) }]),
            "input.notes[0].fields.Text: has no",
        ),
        (json!([{ "fields": [], "tags": ["a b"] }]), "input.notes[0].fields.Front: is empty"),
        (
            json!([{ "fields": good["fields"], "tags": ["ok", "a b"] }]),
            "input.notes[0].tags[1]: must not",
        ),
        (json!([{ "fields": good["fields"], "guid": "a b" }]), "input.notes[0].guid: must not"),
    ] {
        let input = json!({ "input": { "deckId": deck, "notes": notes } });
        let (code, message) = domain.error(user, create, input).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
    assert!(domain.questions(user, &deck).await.is_empty());

    let notes = domain.notes(user, &deck, json!([good, good])).await;
    let id = |nth: usize| &notes[nth]["id"];
    let blank = fields(&[("Front", " ")]);
    for (edits, code, start) in [
        (
            json!([{ "id": id(0), "fields": fields(&[("Front", "new")]) }, { "id": id(1), "fields": blank }]),
            "BAD_USER_INPUT",
            "input.notes[1].fields.Front: must not be blank",
        ),
        (json!([{ "id": id(0) }, { "id": id(0) }]), "BAD_USER_INPUT", "input.notes[1].id"),
        (
            json!([{ "id": id(0), "type": "CLOZE" }]),
            "BAD_USER_INPUT",
            "input.notes[0].fields.Text: has no",
        ),
        (
            json!([{ "id": id(0), "tags": ["t"] }, { "id": id(1), "expectedVersion": 3 }]),
            "CONFLICT",
            "the note",
        ),
        (json!([{ "id": id(0), "tags": ["t"] }, { "id": deck }]), "NOT_FOUND", "note"),
    ] {
        let input = json!({ "input": { "notes": edits } });
        let (found, message) = domain.error(user, UPDATE, input).await;
        assert_eq!(found, code, "{message}");
        assert!(message.starts_with(start), "{message}");
    }
    let input = json!({ "input": { "notes": [{ "id": id(1), "expectedVersion": 3 }] } });
    let extensions = domain.extensions(user, UPDATE, input).await;
    let current = json!({
        "__typename": "Note", "id": id(1), "type": "BASIC", "fields": good["fields"], "tags": [],
        "updatedAt": "2026-11-24T09:30:00.500Z", "version": 1,
    });
    assert_eq!(extensions["current"], current);
    let query = "query($id: ID!) { note(id: $id) { version tags } }";
    let data = domain.data(user, query, json!({ "id": id(0) })).await;
    assert_eq!(data["note"], json!({ "version": 1, "tags": [] }));
}

#[tokio::test]
async fn making_a_note_twice_with_the_same_id_makes_it_once() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let id = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
        let note = |front: &str| json!({ "id": id, "type": "BASIC_REVERSED", "fields": fields(&[("Front", front), ("Back", "a")]) });
        let first = domain.notes(user, &deck, json!([note("q")])).await;
        assert_eq!(domain.notes(user, &deck, json!([note("q")])).await, first);
        let create =
            "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { id } } }";
        let input =
            |note: Value, deck: &str| json!({ "input": { "deckId": deck, "notes": [note] } });
        let other = domain.deck(user, "other").await;
        assert_eq!(domain.error(user, create, input(note("r"), &deck)).await.0, "CONFLICT");
        assert_eq!(domain.error(user, create, input(note("q"), &other)).await.0, "CONFLICT");
        // Ids are unique over all types.
        let mut taken = note("q");
        taken["id"] = json!(deck);
        assert_eq!(domain.error(user, create, input(taken, &deck)).await.0, "CONFLICT");
        assert_eq!(domain.questions(user, &deck).await, ["q", "a"]);
    }
}
