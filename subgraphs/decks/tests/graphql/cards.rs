//! Cards through GraphQL: making, changing, moving and deleting them, what other people see, and what other domains are told.

use crate::support::{CREATE_CARDS, Domain};
use common::event::CardChanged;
use common::{Event, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

const UPDATE: &str = "mutation($input: UpdateCardInput!) {
    updateCard(input: $input) { card { question answer version createdAt updatedAt deck { name } } }
}";
const MOVE: &str = "mutation($input: MoveCardsInput!) {
    moveCards(input: $input) { cards { id version deck { id cardCount } } }
}";
const DELETE: &str = "mutation($ids: [ID!]!) { deleteCards(input: {ids: $ids}) { deletedIds } }";

fn card(question: &str) -> Value {
    json!({ "question": question, "answer": "answer" })
}

#[tokio::test]
async fn cards_are_made_together_and_kept_as_written() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let cards = json!([
        { "question": " **Ω**\r\n", "answer": "😀", "sourceStartIndex": 3, "sourceEndIndex": 9 },
        card("second"),
    ]);
    let data = domain.data(user, CREATE_CARDS, json!({ "deck": deck, "cards": cards })).await;
    assert_eq!(data["createCards"]["deck"]["cardCount"], 2);
    let id = &data["createCards"]["cards"][0]["id"];
    let query = "query($id: ID!) { card(id: $id) {
        question answer sourceStartIndex sourceEndIndex version createdAt updatedAt deck { id name }
    } }";
    let moment = "2026-11-24T09:30:00.500Z";
    assert_eq!(
        domain.data(user, query, json!({ "id": id })).await["card"],
        json!({
            "question": " **Ω**\r\n", "answer": "😀", "sourceStartIndex": 3, "sourceEndIndex": 9,
            "version": 1, "createdAt": moment, "updatedAt": moment,
            "deck": { "id": deck, "name": "deck" },
        })
    );
    let many: Vec<Value> = (0..1000).map(|nth| card(&format!("{nth}"))).collect();
    domain.data(user, CREATE_CARDS, json!({ "deck": deck, "cards": many })).await;
    let query =
        "query($id: ID!) { deck(id: $id) { cards(last: 2) { totalCount nodes { question } } } }";
    let expected =
        json!({ "totalCount": 1002, "nodes": [{ "question": "998" }, { "question": "999" }] });
    assert_eq!(domain.data(user, query, json!({ "id": deck })).await["deck"]["cards"], expected);
}

#[tokio::test]
async fn one_bad_card_and_none_is_made() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let twice = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
    let named = json!({ "id": twice, "question": "q", "answer": "a" });
    for (cards, start) in [
        (json!([]), "input.cards: names 0 cards"),
        (json!(vec![card("q"); 1001]), "input.cards: names 1001 cards"),
        (json!([card("q"), card("")]), "input.cards[1].question: is empty"),
        (json!([{ "question": "q", "answer": " " }]), "input.cards[0].answer: must not be blank"),
        (
            json!([card("q"), { "question": "q", "answer": "a".repeat(10_001) }]),
            "input.cards[1].answer: has 10001 characters",
        ),
        (
            json!([{ "question": "q", "answer": "a", "sourceStartIndex": 1 }]),
            "input.cards[0].sourceEndIndex: is missing",
        ),
        (json!([named, named]), "input.cards[1].id: f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f is given"),
    ] {
        let variables = json!({ "deck": deck, "cards": cards });
        let (code, message) = domain.error(user, CREATE_CARDS, variables).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
    assert!(domain.questions(user, &deck).await.is_empty());
}

#[tokio::test]
async fn making_cards_twice_with_the_same_ids_makes_them_once() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let with_id = |nth: u8, question: &str| {
        let id = format!("f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e{nth:02x}");
        json!({ "id": id, "question": question, "answer": "a" })
    };
    let create = async |cards: Value| {
        domain.data(user, CREATE_CARDS, json!({ "deck": deck, "cards": cards })).await
    };
    let first = create(json!([with_id(1, "one"), with_id(2, "two")])).await;
    assert_eq!(create(json!([with_id(1, "one"), with_id(2, "two")])).await, first);
    create(json!([with_id(3, "three"), with_id(1, "one")])).await;
    assert_eq!(domain.questions(user, &deck).await, ["one", "two", "three"]);

    let refused = async |user, deck: &str, cards: Value| {
        domain.error(user, CREATE_CARDS, json!({ "deck": deck, "cards": cards })).await
    };
    let (code, message) = refused(user, &deck, json!([card("new"), with_id(2, "other")])).await;
    assert_eq!(code, "CONFLICT");
    assert!(message.starts_with("input.cards[1].id: "), "{message}");
    let stranger = UserId::new();
    let theirs = domain.deck(stranger, "theirs").await;
    assert_eq!(refused(stranger, &theirs, json!([with_id(1, "one")])).await.0, "CONFLICT");
    let ids: Vec<Value> = vec![first["createCards"]["cards"][0]["id"].clone()];
    domain.data(user, DELETE, json!({ "ids": ids })).await;
    assert_eq!(refused(user, &deck, json!([with_id(1, "one")])).await.0, "CONFLICT");
    assert_eq!(domain.questions(user, &deck).await, ["two", "three"]);
}

#[tokio::test]
async fn a_card_is_changed() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let id = domain.cards(user, &deck, &["question"]).await.remove(0);
    domain.clock.advance(SignedDuration::from_secs(1));
    let input = json!({ "input": { "id": id, "answer": "new", "expectedVersion": 1 } });
    assert_eq!(
        domain.data(user, UPDATE, input.clone()).await["updateCard"]["card"],
        json!({
            "question": "question", "answer": "new", "version": 2, "deck": { "name": "deck" },
            "createdAt": "2026-11-24T09:30:00.500Z", "updatedAt": "2026-11-24T09:30:01.500Z",
        })
    );
    assert_eq!(domain.error(user, UPDATE, input).await.0, "CONFLICT");
    let input = json!({ "input": { "id": id, "question": "" } });
    assert_eq!(domain.error(user, UPDATE, input).await.0, "BAD_USER_INPUT");
}

#[tokio::test]
async fn cards_are_moved_within_their_deck() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(user, "deck").await;
    let ids = domain.cards(user, &deck, &["a", "b", "c", "d"]).await;
    let put = async |cards: &[usize], before: Option<usize>| {
        let cards: Vec<_> = cards.iter().map(|index| &ids[*index]).collect();
        let input = json!({ "cardIds": cards, "beforeCardId": before.map(|index| &ids[index]) });
        domain.data(user, MOVE, json!({ "input": input })).await;
        domain.questions(user, &deck).await.concat()
    };
    assert_eq!(put(&[3, 0], Some(2)).await, "bdac");
    assert_eq!(put(&[2], Some(1)).await, "cbda");
    assert_eq!(put(&[1], None).await, "cdab");
    // So often that the gaps are used up.
    for _ in 0..20 {
        assert_eq!(put(&[0], Some(3)).await, "cadb");
        assert_eq!(put(&[3], Some(0)).await, "cdab");
    }
    for (input, start) in [
        (json!({ "cardIds": [] }), "input.cardIds: names 0"),
        (json!({ "cardIds": [ids[0], ids[0]] }), "input.cardIds[1]: "),
        (json!({ "cardIds": [ids[0]], "beforeCardId": ids[0] }), "input.beforeCardId: is one of"),
    ] {
        let (code, message) = domain.error(user, MOVE, json!({ "input": input })).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(start), "{message}");
    }
}

#[tokio::test]
async fn cards_are_moved_to_another_deck() {
    for (domain, name) in [(Domain::sqlite().await.0, "sqlite"), (Domain::mongo().await.0, "mongo")]
    {
        let user = UserId::new();
        let (from, to) = (domain.deck(user, "from").await, domain.deck(user, "to").await);
        let moving = domain.cards(user, &from, &["a", "b", "c"]).await;
        let staying = domain.cards(user, &to, &["d"]).await;
        domain.heard.take();
        let input = json!({ "cardIds": [moving[2], moving[0]], "beforeCardId": staying[0] });
        let data = domain.data(user, MOVE, json!({ "input": input })).await;
        let deck = json!({ "id": to, "cardCount": 3 });
        let expected = json!([
            { "id": moving[2], "version": 2, "deck": deck },
            { "id": moving[0], "version": 2, "deck": deck },
        ]);
        assert_eq!(data["moveCards"]["cards"], expected, "{name}");
        assert_eq!(domain.questions(user, &to).await, ["c", "a", "d"], "{name}");
        assert_eq!(domain.questions(user, &from).await, ["b"], "{name}");
        let events = domain.heard.take();
        let told = |event: &Event| matches!(event, Event::Card(CardChanged { deck, version: 2, deleted: false, .. }) if deck.to_string() == to);
        assert!(events.len() == 2 && events.iter().all(told), "{name}: {events:?}");

        let input = json!({ "input": { "cardIds": [moving[0], moving[1]] } });
        let (code, message) = domain.error(user, MOVE, input).await;
        assert_eq!(code, "BAD_USER_INPUT", "{name}");
        assert!(message.starts_with("input.deckId: is missing"), "{name}: {message}");
        let input = json!({ "cardIds": [moving[0]], "deckId": from, "beforeCardId": staying[0] });
        let (_, message) = domain.error(user, MOVE, json!({ "input": input })).await;
        assert!(message.starts_with("input.beforeCardId: is no card"), "{name}: {message}");
    }
}

#[tokio::test]
async fn cards_are_deleted_all_or_none_and_others_are_told() {
    let ((domain, _), owner) = (Domain::sqlite().await, UserId::new());
    let deck = domain.deck(owner, "deck").await;
    domain.heard.take();
    let ids = domain.cards(owner, &deck, &["a", "b", "c"]).await;
    let made = domain.heard.take();
    let Event::Card(first) = &made[0] else { panic!("{made:?}") };
    let expected = CardChanged {
        card: ids[0].parse().unwrap(),
        deck: deck.parse().unwrap(),
        owner,
        version: 1,
        deleted: false,
        position: 1024,
        created_at: domain.clock.now(),
        note: first.note,
        tags: Vec::new(),
    };
    assert_eq!((made.len(), first, first.note.is_some()), (3, &expected, true));

    let absent = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";
    let refused = domain.error(owner, DELETE, json!({ "ids": [ids[0], absent] })).await;
    assert_eq!(refused, ("NOT_FOUND".into(), format!("card {absent} was not found")));
    assert_eq!(domain.questions(owner, &deck).await, ["a", "b", "c"]);
    let data = domain.data(owner, DELETE, json!({ "ids": [ids[0], ids[2]] })).await;
    assert_eq!(data["deleteCards"]["deletedIds"], json!([ids[0], ids[2]]));
    assert_eq!(domain.questions(owner, &deck).await, ["b"]);
    let gone = domain.heard.take();
    assert_eq!(gone[0], Event::Card(CardChanged { version: 2, deleted: true, ..expected }));
    assert_eq!(gone.len(), 2);
}

#[tokio::test]
async fn another_persons_cards_do_not_exist() {
    let ((domain, _), owner, stranger) = (Domain::sqlite().await, UserId::new(), UserId::new());
    let deck = domain.deck(owner, "deck").await;
    let ids = domain.cards(owner, &deck, &["question"]).await;
    let theirs = domain.deck(stranger, "theirs").await;
    let their_ids = domain.cards(stranger, &theirs, &["their question"]).await;

    let query = "query($id: ID!) { card(id: $id) { question } }";
    assert_eq!(domain.data(stranger, query, json!({ "id": ids[0] })).await["card"], Value::Null);
    for (document, variables) in [
        (CREATE_CARDS, json!({ "deck": deck, "cards": [card("smuggled")] })),
        (UPDATE, json!({ "input": { "id": ids[0], "question": "stolen" } })),
        (DELETE, json!({ "ids": [their_ids[0], ids[0]] })),
        (MOVE, json!({ "input": { "cardIds": [ids[0]], "deckId": theirs } })),
        (MOVE, json!({ "input": { "cardIds": [their_ids[0]], "deckId": deck } })),
        (MOVE, json!({ "input": { "cardIds": [their_ids[0]], "beforeCardId": ids[0] } })),
    ] {
        let (code, _) = domain.error(stranger, document, variables).await;
        assert_eq!(code, "NOT_FOUND", "{document}");
    }
    assert_eq!(domain.questions(owner, &deck).await, ["question"]);
    assert_eq!(domain.questions(stranger, &theirs).await, ["their question"]);
}

#[tokio::test]
async fn many_at_once_lose_no_card() {
    for (domain, name) in [(Domain::sqlite().await.0, "sqlite"), (Domain::mongo().await.0, "mongo")]
    {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let questions: Vec<String> = (0..30).map(|nth| format!("{nth}")).collect();
        let texts: Vec<[&str; 1]> = questions.iter().map(|text| [&**text]).collect();
        let creating = texts.iter().map(|text| domain.cards(user, &deck, text));
        futures::future::join_all(creating).await;
        let mut found = domain.questions(user, &deck).await;
        found.sort_by_key(|text| text.parse::<u32>().unwrap());
        assert_eq!(found, questions, "{name}");
        let query = "query($id: ID!) { deck(id: $id) { cards { nodes { position } } } }";
        let data = domain.data(user, query, json!({ "id": deck })).await;
        let nodes = data["deck"]["cards"]["nodes"].as_array().unwrap();
        let positions: Vec<i64> =
            nodes.iter().map(|card| card["position"].as_i64().unwrap()).collect();
        assert!(positions.is_sorted_by(|a, b| a < b), "{name}: {positions:?}");
    }
}
