//! The whole way: cards are told of, studied, and come back.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Domain, of};

/// A deck's numbers: counts, recall score, and the probability of recall in two decimals.
async fn numbers(domain: &Domain, user: common::UserId, deck: &str) -> Value {
    let deck = domain.entities(user, vec![of("Deck", deck)]).await.remove(0);
    let counts = ["new", "learning", "review", "total"].map(|name| deck["counts"][name].clone());
    let retrievability = deck["retrievability"].as_f64().map(|p| (p * 100.0).round() / 100.0);
    json!([counts, deck["recallScore"], retrievability])
}

#[tokio::test]
async fn cards_are_learned_and_come_back_in_sqlite() {
    cards_are_learned_and_come_back(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn cards_are_learned_and_come_back_in_mongodb() {
    cards_are_learned_and_come_back(&Domain::mongo().await.0).await;
}

async fn cards_are_learned_and_come_back(domain: &Domain) {
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 5).await;
    domain.without_fuzz(user, &deck).await;
    let card_at = |nth: usize| cards[nth].clone();
    assert_eq!(numbers(domain, user, &deck).await, json!([[5, 0, 0, 5], 0.0, null]));
    assert_eq!(
        domain.entities(user, vec![of("Card", &cards[0])]).await[0],
        json!({
            "__typename": "Card", "id": cards[0], "state": "NEW", "due": null,
            "retrievability": null, "recallScore": 0.0, "reps": 0, "lapses": 0,
        })
    );
    let queue = domain
        .mine(user, "studyQueue { card { id state } previews { rating interval due } }")
        .await;
    let previews = json!([
        { "rating": "AGAIN", "interval": 60.0, "due": "2026-11-24T09:31:00.500Z" },
        { "rating": "HARD", "interval": 330.0, "due": "2026-11-24T09:35:30.500Z" },
        { "rating": "GOOD", "interval": 600.0, "due": "2026-11-24T09:40:00.500Z" },
        // Eight days later, when the day starts in Zurich.
        { "rating": "EASY", "interval": 691_200.0, "due": "2026-12-02T03:00:00.000Z" },
    ]);
    let item = |id| json!({ "card": { "id": id, "state": "NEW" }, "previews": previews });
    assert_eq!(queue, cards.iter().map(item).collect::<Value>());

    let ratings = [(&cards[0], "GOOD"), (&cards[1], "EASY"), (&cards[2], "AGAIN")];
    let reviews = ratings.map(|(card, rating)| domain.review(card, rating)).to_vec();
    let results = domain.submit(user, reviews.clone()).await;
    let card = |nth: usize, state: &str, due: &str, recall: f64| {
        json!({
            "id": reviews[nth]["id"], "status": "ACCEPTED", "reason": null, "card": {
                "id": cards[nth], "state": state, "due": due, "retrievability": 1.0,
                "recallScore": recall, "reps": 1,
            },
        })
    };
    let expected = [
        card(0, "LEARNING", "2026-11-24T09:40:00.500Z", 1.0),
        card(1, "REVIEW", "2026-12-02T03:00:00.000Z", 1.0),
        card(2, "LEARNING", "2026-11-24T09:31:00.500Z", 0.0),
    ];
    assert_eq!(results, expected);
    assert_eq!(numbers(domain, user, &deck).await, json!([[2, 2, 0, 5], 0.4, 1.0]));
    assert_eq!(domain.queue(user).await, cards[3..]);
    let stats =
        domain.mine(user, "stats { reviewsToday timeTodayMs streakDays dueToday newCards }").await;
    assert_eq!(
        stats,
        json!({
            "reviewsToday": 3, "timeTodayMs": 4500.0, "streakDays": 1, "dueToday": 2, "newCards": 2
        })
    );

    domain.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(domain.queue(user).await, [2, 3, 4].map(card_at));
    domain.clock.advance(SignedDuration::from_mins(9));
    assert_eq!(domain.queue(user).await, [2, 0, 3, 4].map(card_at));
    let one = domain.mine(user, "studyQueue(limit: 1) { card { id } }").await;
    assert_eq!(one, json!([{ "card": { "id": cards[2] } }]));

    // Eight days later the learned card is due as well, among the new ones.
    domain.clock.advance(SignedDuration::from_hours(8 * 24));
    assert_eq!(domain.queue(user).await, [2, 0, 3, 1, 4].map(card_at));
    assert_eq!(numbers(domain, user, &deck).await[0], json!([2, 2, 1, 5]));
    let learned = domain.entities(user, vec![of("Card", &cards[1])]).await.remove(0);
    let retrievability = learned["retrievability"].as_f64().unwrap();
    assert!((0.90..0.91).contains(&retrievability), "{retrievability}");
    assert_eq!(learned["recallScore"], json!(1.0 / 256.0));
    let queue = domain.mine(user, "studyQueue { card { id } previews { rating interval } }").await;
    let item = queue.as_array().unwrap().iter().find(|item| item["card"]["id"] == cards[1]);
    let previews = item.unwrap()["previews"].as_array().unwrap();
    assert_eq!(previews[0], json!({ "rating": "AGAIN", "interval": 600.0 }));
    let intervals: Vec<f64> =
        previews.iter().map(|preview| preview["interval"].as_f64().unwrap()).collect();
    assert!(intervals.is_sorted() && intervals[1] % 86_400.0 == 0.0, "{intervals:?}");

    let forgotten = domain.submit(user, vec![domain.review(&cards[1], "AGAIN")]).await.remove(0);
    assert_eq!(forgotten["card"]["state"], "RELEARNING");
    let card = domain.entities(user, vec![of("Card", &cards[1])]).await.remove(0);
    assert_eq!((&card["reps"], &card["lapses"]), (&json!(2), &json!(1)));
    let stats = domain.mine(user, "stats { reviewsToday streakDays dueToday }").await;
    assert_eq!(stats, json!({ "reviewsToday": 1, "streakDays": 1, "dueToday": 3 }));
}

#[tokio::test]
async fn what_is_nearly_due_comes_when_nothing_else_is_left() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 1).await;
    domain.submit(user, vec![domain.review(&cards[0], "GOOD")]).await;
    assert_eq!(domain.queue(user).await, cards);
    let (other, more) = domain.deck(user, 1).await;
    assert_eq!(domain.queue(user).await, more);
    let field = |deck: &str| format!("studyQueue(deckId: \"{deck}\") {{ card {{ id }} }}");
    let queue = domain.mine(user, &field(&deck)).await;
    assert_eq!(queue, json!([{ "card": { "id": cards[0] } }]));
    assert_eq!(domain.mine(user, &field(&other)).await, json!([{ "card": { "id": more[0] } }]));
    let stranger = domain.user().await;
    assert_eq!(domain.mine(stranger, &field(&deck)).await, json!([]));
}

#[tokio::test]
async fn a_day_brings_twenty_new_cards() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 30).await;
    let all = domain.mine(user, "studyQueue(limit: 200) { card { id } }").await;
    assert_eq!(all.as_array().unwrap().len(), 20);
    let studied = cards[..15].iter().map(|card| domain.review(card, "EASY")).collect();
    domain.submit(user, studied).await;
    assert_eq!(domain.queue(user).await, cards[15..20]);
    domain.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(domain.queue(user).await, cards[15..]);
}

#[tokio::test]
async fn a_queue_is_asked_for_with_1_to_200() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    for limit in [0, 201, -1] {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ studyQueue(limit: {limit}) {{ card {{ id }} }} }} }} }}"
        );
        let variables = json!({ "of": [of("User", user)] });
        let error = domain.error(crate::support::caller(user), &query, variables).await;
        assert_eq!(error, ("BAD_USER_INPUT".into(), "limit: is out of range: 1 to 200".into()));
    }
}
