//! Taking in reviews: a result for each, whatever is wrong with the others; and the log that comes of it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Domain, SUBMIT, caller, of};

const UNKNOWN: &str = "f3a1f6d2-52a9-4b1e-9d0a-0d8a3c1b2e4f";

/// A review with one part changed.
fn with(mut review: Value, field: &str, value: impl Into<Value>) -> Value {
    review[field] = value.into();
    review
}

#[tokio::test]
async fn each_review_gets_its_result() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 2).await;
    let review = || domain.review(&cards[0], "GOOD");
    let kept = with(with(review(), "timeZone", "Asia/Tokyo"), "sessionId", UNKNOWN);
    let cases = [
        (kept.clone(), "ACCEPTED", ""),
        (with(review(), "id", "12"), "INVALID", "\"12\" is not an id"),
        (with(review(), "cardId", "12"), "UNKNOWN_CARD", "there is no such card"),
        (with(review(), "cardId", UNKNOWN), "UNKNOWN_CARD", "there is no such card"),
        (with(review(), "sessionId", "x"), "INVALID", "sessionId \"x\" is not an id"),
        (with(review(), "durationMs", -1), "INVALID", "durationMs -1 is out of range"),
        (with(review(), "durationMs", 3_600_001), "INVALID", "durationMs 3600001 is out"),
        (with(review(), "timeZone", "Mars/Olympus"), "INVALID", "timeZone \"Mars/Olympus\" is not"),
        (
            with(review(), "reviewedAt", "2026-11-25T09:30:01Z"),
            "INVALID",
            "reviewedAt 2026-11-25T09:30:01Z lies more than 24 hours in the future",
        ),
        (
            with(review(), "reviewedAt", "1999-12-31T23:59:59Z"),
            "INVALID",
            "reviewedAt 1999-12-31T23:59:59Z lies before the year 2000",
        ),
        (
            with(review(), "reviewedAt", "yesterday"),
            "INVALID",
            "reviewedAt \"yesterday\" is not a moment: expected RFC 3339 such as",
        ),
        (with(review(), "reviewedAt", 1_795_512_600), "INVALID", "reviewedAt 1795512600 is not"),
        (kept.clone(), "DUPLICATE", ""),
        (with(kept, "rating", "EASY"), "CONFLICT", "another entry is stored under this id"),
        (domain.review(&cards[1], "HARD"), "ACCEPTED", ""),
    ];
    let sent: Vec<Value> = cases.iter().map(|(review, ..)| review.clone()).collect();
    let results = domain.submit(user, sent.clone()).await;
    assert_eq!(results.len(), cases.len());
    for (result, (review, status, reason)) in results.iter().zip(&cases) {
        assert_eq!((&result["id"], &result["status"]), (&review["id"], &json!(status)));
        let told = result["reason"].as_str().unwrap_or_default();
        assert!(told.starts_with(reason) && told.is_empty() == reason.is_empty(), "{told}");
        // Whoever has no new state of the card is not told one.
        let has_card = matches!(*status, "ACCEPTED" | "DUPLICATE" | "CONFLICT");
        assert_eq!(result["card"]["id"].is_string(), has_card, "{result}");
    }
    assert_eq!(results[0]["card"]["reps"], 1);

    // All of it again: what was accepted is there already, the rest is as wrong as it was.
    for (result, (_, before, _)) in domain.submit(user, sent).await.iter().zip(&cases) {
        let now = if *before == "ACCEPTED" { "DUPLICATE" } else { before };
        assert_eq!(result["status"], now);
    }
    let stats = domain.mine(user, "stats { reviewsToday }").await;
    // Where it was sent from it is evening: the same day.
    assert_eq!(stats, json!({ "reviewsToday": 2 }));
}

#[tokio::test]
async fn a_batch_holds_1_to_1000() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 1).await;
    for count in [0, 1001] {
        let reviews = vec![domain.review(&cards[0], "GOOD"); count];
        let error = domain.error(caller(user), SUBMIT, json!({ "reviews": reviews })).await;
        let message = format!("input.reviews: {count} were sent: 1 to 1000 are accepted");
        assert_eq!(error, ("BAD_USER_INPUT".into(), message));
    }
    let reviews: Vec<Value> = (0..1000).map(|_| domain.review(&cards[0], "GOOD")).collect();
    let results = domain.submit(user, reviews).await;
    assert!(results.iter().all(|result| result["status"] == "ACCEPTED"));
    assert_eq!(results[0]["card"]["reps"], 1000);
}

#[tokio::test]
async fn nobody_reviews_the_cards_of_another() {
    let (domain, _) = Domain::sqlite().await;
    let (owner, stranger) = (domain.user().await, domain.user().await);
    let (_, cards) = domain.deck(owner, 1).await;
    let review = domain.review(&cards[0], "GOOD");
    let result = domain.submit(stranger, vec![review.clone()]).await.remove(0);
    assert_eq!((&result["status"], &result["card"]), (&json!("UNKNOWN_CARD"), &Value::Null));
    let card = domain.entities(owner, vec![of("Card", &cards[0])]).await.remove(0);
    assert_eq!(card["state"], "NEW");
    // And nobody can tell by an id whether somebody else used it.
    assert_eq!(domain.submit(owner, vec![review.clone()]).await[0]["status"], "ACCEPTED");
    assert_eq!(domain.submit(stranger, vec![review]).await[0]["status"], "UNKNOWN_CARD");
}

#[tokio::test]
async fn the_state_does_not_depend_on_the_order_of_arrival() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 2).await;
    domain.without_fuzz(user, &deck).await;
    let mut reviews: [Vec<Value>; 2] = Default::default();
    for (rating, hours) in [("GOOD", 1), ("EASY", 60), ("AGAIN", 300), ("GOOD", 1)] {
        for (reviews, card) in reviews.iter_mut().zip(&cards) {
            reviews.push(domain.review(card, rating));
        }
        domain.clock.advance(SignedDuration::from_hours(hours));
    }
    let [in_order, mut backward] = reviews;
    backward.reverse();
    domain.submit(user, in_order).await;
    for review in backward {
        domain.submit(user, vec![review]).await;
    }
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Card {
        state due stability difficulty retrievability recallScore reps lapses leech lastReviewedAt
    } } }";
    let wanted: Vec<Value> = cards.iter().map(|card| of("Card", card)).collect();
    let data = domain.data(user, query, json!({ "of": wanted })).await;
    assert_eq!(data["_entities"][0], data["_entities"][1]);
    assert_eq!(data["_entities"][0]["reps"], 4);
}

const LOGS: &str =
    "query($of: [_Any!]!, $first: Int, $after: String, $last: Int, $before: String) {
        _entities(representations: $of) { ... on Card {
            reviews(first: $first, after: $after, last: $last, before: $before) {
                nodes { ...R } edges { cursor node { ...R } }
                pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            }
        } }
    }
    fragment R on Review { __typename id rating reviewedAt durationMs timeZone receivedAt }";

#[tokio::test]
async fn logs_are_paged_both_ways() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 2).await;
    let mut sent: Vec<Value> = Vec::new();
    for rating in ["AGAIN", "HARD", "GOOD", "EASY"] {
        sent.push(with(domain.review(&cards[0], rating), "timeZone", "Europe/Zurich"));
        domain.clock.advance(SignedDuration::from_mins(1));
    }
    domain.submit(user, sent.clone()).await;
    // One card twice, and one without reviews.
    let wanted = [&cards[0], &cards[1], &cards[0]].map(|card| of("Card", card));
    let ask = async |mut variables: Value| {
        variables["of"] = json!(wanted);
        let data = domain.data(user, LOGS, variables).await;
        assert_eq!(data["_entities"][0], data["_entities"][2]);
        [0, 1].map(|nth| data["_entities"][nth]["reviews"].clone())
    };
    let ids = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect()
    };
    let of_sent = |range: std::ops::Range<usize>| -> Vec<Value> {
        sent[range].iter().map(|review| review["id"].clone()).collect()
    };

    let [page, none] = ask(json!({})).await;
    assert_eq!(ids(&page), of_sent(0..4));
    assert_eq!(
        page["nodes"][0],
        json!({
            "__typename": "Review", "id": sent[0]["id"], "rating": "AGAIN", "durationMs": 1500,
            "reviewedAt": "2026-11-24T09:30:00.500Z", "timeZone": "Europe/Zurich",
            "receivedAt": "2026-11-24T09:34:00.500Z",
        })
    );
    let nodes = page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone());
    assert_eq!(page["nodes"], nodes.collect::<Value>(), "both ways of resolving say the same");
    assert_eq!((ids(&none), &none["pageInfo"]["hasNextPage"]), (vec![], &json!(false)));

    let [page, _] = ask(json!({ "first": 2 })).await;
    let info = &page["pageInfo"];
    assert_eq!(ids(&page), of_sent(0..2));
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(true), &json!(false)));
    let [page, _] = ask(json!({ "first": 2, "after": info["endCursor"] })).await;
    assert_eq!((ids(&page), &page["pageInfo"]["hasNextPage"]), (of_sent(2..4), &json!(false)));
    let [page, _] = ask(json!({ "last": 1 })).await;
    assert_eq!((ids(&page), &page["pageInfo"]["hasPreviousPage"]), (of_sent(3..4), &json!(true)));
    let before = &page["pageInfo"]["startCursor"];
    let [page, _] = ask(json!({ "last": 2, "before": before })).await;
    assert_eq!((ids(&page), &page["pageInfo"]["hasNextPage"]), (of_sent(1..3), &json!(true)));

    for (arguments, message) in [
        (json!({ "first": 501 }), "first: 501 is out of range: 0 to 500"),
        (json!({ "after": "x" }), "after: is not a cursor of this list: pass one that it answered"),
    ] {
        let mut variables = arguments;
        variables["of"] = json!([of("Card", &cards[0])]);
        let error = domain.error(caller(user), LOGS, variables).await;
        assert_eq!(error, ("BAD_USER_INPUT".into(), message.into()));
    }
}

#[tokio::test]
async fn a_result_gives_the_log_of_its_card() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 1).await;
    let reviews = ["AGAIN", "GOOD"].map(|rating| domain.review(&cards[0], rating));
    let submit = "mutation($reviews: [ReviewInput!]!) { submitReviews(input: {reviews: $reviews}) {
        results { card { reviews { nodes { id } } } }
    } }";
    let data = domain.data(user, submit, json!({ "reviews": reviews })).await;
    for result in data["submitReviews"]["results"].as_array().unwrap() {
        assert_eq!(result["card"]["reviews"]["nodes"].as_array().unwrap().len(), 2);
    }
}
