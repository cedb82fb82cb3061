//! Search through GraphQL: the grammar, the order, where the words are, pages, and what other people's cards have to do with it: nothing.

use std::sync::Arc;

use crate::support::Domain;
use common::event::{CardStudied, CardsStudied, StudyDue, StudyState, UserChanged};
use common::{Calendar, Day, Event, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

const SEARCH: &str = "query($query: String!, $first: Int, $after: String) {
    searchCards(query: $query, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        edges { node { question deck { name } } questionMatches { start end } answerMatches { start end } } }
}";

/// The questions that are found, in order.
async fn found(domain: &Domain, user: UserId, query: &str) -> Vec<String> {
    let data = domain.data(user, SEARCH, json!({ "query": query })).await;
    let list = &data["searchCards"];
    let edges = list["edges"].as_array().unwrap();
    assert_eq!(list["totalCount"], edges.len(), "{query}");
    edges.iter().map(|edge| edge["node"]["question"].as_str().unwrap().to_owned()).collect()
}

async fn collection(domain: &Domain, user: UserId) -> String {
    let world = domain.deck(user, "World").await;
    let europe = domain.deck_in(user, &world, "Europe").await;
    let note = |front: &str, back: &str, tags: Value| {
        let fields =
            json!([{ "name": "Front", "value": front }, { "name": "Back", "value": back }]);
        json!({ "fields": fields, "tags": tags })
    };
    let notes = json!([
        note("Capital of France?", "Paris", json!(["geo::capital"])),
        note("Où est l'Élysée?", "In Paris, the capital", json!(["geo"])),
        note("日本の首都", "東京", json!([])),
    ]);
    domain.notes(user, &europe, notes).await;
    domain.clock.advance(SignedDuration::from_hours(48));
    domain
        .notes(user, &world, json!([note("Capitals in general", "Many 😀 paris", json!([]))]))
        .await;
    europe
}

#[tokio::test]
async fn queries_find_what_they_say() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let (user, other) = (UserId::new(), UserId::new());
        collection(&domain, other).await;
        let europe = collection(&domain, user).await;
        let [france, elysee, japan, general] =
            ["Capital of France?", "Où est l'Élysée?", "日本の首都", "Capitals in general"];
        for (query, expected) in [
            ("france", vec![france]),
            ("FRANCE paris", vec![france]),
            // In the question first, then the latest first.
            ("capital", vec![france, elysee]),
            ("capital*", vec![general, france, elysee]),
            ("elysee", vec![elysee]),
            ("elys*", vec![elysee]),
            ("lys*", vec![]),
            ("\"the capital\"", vec![elysee]),
            ("\"capital the\"", vec![]),
            // Words do not follow one another from the question to the answer.
            ("\"france paris\"", vec![]),
            ("本", vec![japan]),
            ("首都", vec![japan]),
            ("都首", vec![]),
            ("paris -france", vec![general, elysee]),
            ("france or 東京", vec![japan, france]),
            ("(france or elysee) paris", vec![elysee, france]),
            ("-(paris or 東京)", vec![]),
            ("(france or elysee) -capital", vec![]),
            ("(france or general) -elysee", vec![general, france]),
            ("paris (capital -france) -general", vec![elysee]),
            ("-france -elysee", vec![general, japan]),
            ("(france -deck:europe) or general", vec![general]),
            ("paris -(france or tag:geo)", vec![general]),
            ("deck:europe", vec![japan, elysee, france]),
            ("deck:world", vec![general, japan, elysee, france]),
            ("deck:\"World::Europe\" capital", vec![france, elysee]),
            ("deck:nowhere", vec![]),
            ("-deck:europe", vec![general]),
            ("tag:geo", vec![elysee, france]),
            ("tag:GEO::capital", vec![france]),
            ("-tag:geo paris", vec![general]),
            ("added:1", vec![general]),
            ("added:3 -added:1", vec![japan, elysee, france]),
            ("", vec![general, japan, elysee, france]),
        ] {
            assert_eq!(found(&domain, user, query).await, expected, "{query}");
        }
        let delete = "mutation($id: ID!) { deleteDeck(input: {id: $id}) { trashId } }";
        let gone = domain.data(user, delete, json!({ "id": europe })).await;
        assert_eq!(found(&domain, user, "paris").await, [general]);
        assert!(found(&domain, user, "deck:europe").await.is_empty());
        let restore =
            "mutation($id: ID!) { restoreDeleted(input: {trashId: $id}) { restored { id } } }";
        domain.data(user, restore, json!({ "id": gone["deleteDeck"]["trashId"] })).await;
        assert_eq!(found(&domain, user, "france").await, [france]);
        let cards = domain.data(user, SEARCH, json!({ "query": "france" })).await;
        assert_eq!(cards["searchCards"]["edges"][0]["node"]["deck"]["name"], "Europe");
    }
}

#[tokio::test]
async fn an_edit_is_found_by_its_new_words_only() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let card = domain.cards(user, &deck, &["before"]).await.remove(0);
        let update =
            "mutation($input: UpdateCardInput!) { updateCard(input: $input) { card { id } } }";
        let input = json!({ "input": { "id": card, "question": "after" } });
        domain.data(user, update, input).await;
        assert!(found(&domain, user, "before").await.is_empty());
        assert_eq!(found(&domain, user, "after answer").await, ["after"]);
    }
}

#[tokio::test]
async fn matches_are_ranges_and_pages_go_on_where_they_ended() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        collection(&domain, user).await;
        let data = domain.data(user, SEARCH, json!({ "query": "capital* paris" })).await;
        let edge = &data["searchCards"]["edges"][0];
        assert_eq!(edge["questionMatches"], json!([{ "start": 0, "end": 8 }]));
        assert_eq!(edge["answerMatches"], json!([{ "start": 8, "end": 13 }]), "in UTF-16 units");

        let (mut after, mut all) = (Value::Null, Vec::new());
        loop {
            let variables = json!({ "query": "capital*", "first": 1, "after": after });
            let page = domain.data(user, SEARCH, variables).await["searchCards"].take();
            assert_eq!(page["totalCount"], 3);
            all.push(page["edges"][0]["node"]["question"].clone());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
            // What is made meanwhile comes first, so before the page.
            let deck = domain.deck(user, "more").await;
            domain.cards(user, &deck, &["another"]).await;
        }
        assert_eq!(all, ["Capitals in general", "Capital of France?", "Où est l'Élysée?"]);
    }
}

#[tokio::test]
async fn a_query_that_does_not_parse_is_named_with_the_place() {
    let ((domain, _), user) = (Domain::sqlite().await, UserId::new());
    let (code, message) = domain.error(user, SEARCH, json!({ "query": "paris or" })).await;
    assert_eq!(code, "BAD_USER_INPUT");
    let expected = "query: at character 9: expected something after \"or\", found the end";
    assert_eq!(message, expected);
    // Nothing of a query is taken for the language of the store.
    for query in ["\"a\" NEAR b", "a' OR 1=1", "col*umn*", "$where", "^a", "a+b", "{a}"] {
        domain.data(user, SEARCH, json!({ "query": query })).await;
    }
}

/// Tells what was learned of cards, each with the same version.
async fn learned(domain: &Domain, owner: UserId, version: i64, cards: Vec<CardStudied>) {
    let cards = cards.into_iter().map(|card| CardStudied { version, ..card }).collect();
    let event = Event::Studied(CardsStudied { owner, cards });
    domain.endpoint.apply(Arc::from([event])).await.unwrap();
}

fn told(card: &str, state: StudyState, due: Option<StudyDue>) -> CardStudied {
    CardStudied {
        card: card.parse().unwrap(),
        version: 1,
        state,
        due,
        suspended: false,
        buried_until: None,
        flag: 0,
        lapses: 0,
        leech: false,
        answered: [None; 4],
    }
}

#[tokio::test]
async fn cards_are_found_by_what_was_learned_of_them() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let (user, other) = (UserId::new(), UserId::new());
        let deck = domain.deck(user, "deck").await;
        let questions = ["new", "due today", "due tomorrow", "in its steps", "away", "put aside"];
        let cards = domain.cards(user, &deck, &questions[..5]).await;
        let shelf = domain.deck(user, "shelf").await;
        let inner = domain.deck_in(user, &shelf, "inner").await;
        let aside = domain.cards(user, &inner, &questions[5..]).await;
        // 2026-11-24T09:30Z is 18:30 in Tokyo.
        let tokyo = Calendar::new("Asia/Tokyo", 4).unwrap();
        let today = tokyo.day_of(domain.clock.now());
        let on = |day| Some(StudyDue::On(day));
        let tonight = domain.clock.now() + SignedDuration::from_hours(9);
        learned(
            &domain,
            user,
            1,
            vec![
                told(&cards[1], StudyState::Review, on(today)),
                told(&cards[2], StudyState::Review, on(today.plus(1))),
                CardStudied {
                    lapses: 9,
                    leech: true,
                    ..told(&cards[3], StudyState::Relearning, Some(StudyDue::At(tonight)))
                },
                CardStudied {
                    suspended: true,
                    buried_until: Some(today.plus(1)),
                    ..told(&cards[4], StudyState::Review, on(today))
                },
                told(&aside[0], StudyState::Review, on(today)),
            ],
        )
        .await;
        let time_zone = "Asia/Tokyo".to_owned();
        let (version, deleted, rollover_hour) = (1, false, 4);
        let person = UserChanged { user, version, deleted, time_zone, rollover_hour };
        domain.endpoint.apply(Arc::from([Event::User(person)])).await.unwrap();

        let [new, due, tomorrow, steps, away, aside] = questions;
        for (query, expected) in [
            ("is:new", vec![new]),
            ("is:due", vec![aside, steps, due]),
            ("is:due -deck:shelf", vec![steps, due]),
            ("is:learning", vec![steps]),
            ("is:review", vec![aside, away, steps, tomorrow, due]),
            ("is:suspended", vec![away]),
            ("is:buried", vec![away]),
            ("is:leech", vec![steps]),
            ("-is:new -is:review", vec![]),
            ("is:leech or is:suspended", vec![away, steps]),
            ("today is:due", vec![due]),
            ("(tomorrow or is:new) -is:leech", vec![tomorrow, new]),
            ("tomorrow or is:new", vec![tomorrow, new]),
        ] {
            assert_eq!(found(&domain, user, query).await, expected, "{query}");
            assert!(found(&domain, other, query).await.is_empty(), "{query}");
        }
        // What is put aside does not come, nor what lies in it; but it is there.
        let archive = "mutation($id: ID!, $archived: Boolean!) { updateDeck(input: {id: $id, archived: $archived}) { deck { archived } } }";
        domain.data(user, archive, json!({ "id": shelf, "archived": true })).await;
        assert_eq!(found(&domain, user, "is:due").await, [steps, due]);
        assert_eq!(found(&domain, user, "is:review aside").await, [aside]);
        domain.data(user, archive, json!({ "id": shelf, "archived": false })).await;
        assert_eq!(found(&domain, user, "is:due").await, [aside, steps, due]);
        // The day of Tokyo ends at 19:00Z.
        domain.clock.advance(SignedDuration::from_hours(10));
        assert_eq!(found(&domain, user, "is:due").await, [aside, steps, tomorrow, due]);
        assert_eq!(found(&domain, user, "is:buried").await, [""; 0]);
    }
}

#[tokio::test]
async fn cards_are_found_by_when_they_were_answered() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = UserId::new();
        let deck = domain.deck(user, "deck").await;
        let questions = ["this morning", "last night", "a week ago", "never"];
        let cards = domain.cards(user, &deck, &questions).await;
        // It is 09:30 in London, where the days begin at four.
        let at = |text: &str| Some(text.parse().unwrap());
        let answered = |card: &str, answered| CardStudied {
            answered,
            ..told(card, StudyState::Review, Some(StudyDue::On(Day(99_999))))
        };
        learned(
            &domain,
            user,
            1,
            vec![
                answered(
                    &cards[0],
                    [at("2026-11-24T04:00:00Z"), None, at("2026-11-23T12:00:00Z"), None],
                ),
                answered(&cards[1], [None, at("2026-11-24T03:59:59Z"), None, None]),
                answered(&cards[2], [None, None, None, at("2026-11-18T04:00:00Z")]),
            ],
        )
        .await;
        let [morning, night, week, never] = questions;
        for (query, expected) in [
            ("rated:1", vec![morning]),
            ("rated:1:1", vec![morning]),
            ("rated:1:3", vec![]),
            ("rated:2:3", vec![morning]),
            ("rated:2", vec![night, morning]),
            ("rated:2:2", vec![night]),
            ("rated:6", vec![night, morning]),
            ("rated:7", vec![week, night, morning]),
            ("rated:7:4 or rated:1:1", vec![week, morning]),
            ("-rated:7", vec![never]),
            ("-rated:36500", vec![never]),
        ] {
            assert_eq!(found(&domain, user, query).await, expected, "{query}");
        }
    }
}
