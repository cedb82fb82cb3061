//! Actions on cards, undo and practice: entries of the log like reviews.

use common::{ReviewId, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Domain, of};

const CHANGE: &str =
    "mutation($changes: [CardChangeInput!]!) { changeCards(input: {changes: $changes}) { results {
    id status reason card { id state due suspended buried flag reps }
} } }";
const UNDO: &str =
    "mutation($undos: [UndoReviewInput!]!) { undoReviews(input: {undos: $undos}) { results {
    id status reason card { id state due reps }
} } }";

impl Domain {
    fn change(&self, card: &str, action: &str) -> Value {
        let at = self.clock.now().to_string();
        json!({ "id": ReviewId::new().to_string(), "cardId": card, "action": action, "at": at })
    }

    async fn change_all(&self, user: UserId, changes: &[Value]) -> Vec<Value> {
        let data = self.data(user, CHANGE, json!({ "changes": changes })).await;
        data["changeCards"]["results"].as_array().unwrap().clone()
    }

    fn undo(&self, review: &Value) -> Value {
        let at = self.clock.now().to_string();
        json!({ "id": ReviewId::new().to_string(), "reviewId": review["id"], "at": at })
    }

    async fn undo_all(&self, user: UserId, undos: &[Value]) -> Vec<Value> {
        let data = self.data(user, UNDO, json!({ "undos": undos })).await;
        data["undoReviews"]["results"].as_array().unwrap().clone()
    }
}

fn with(mut change: Value, field: &str, value: impl Into<Value>) -> Value {
    change[field] = value.into();
    change
}

#[tokio::test]
async fn cards_are_changed_in_sqlite() {
    cards_are_changed(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn cards_are_changed_in_mongodb() {
    cards_are_changed(&Domain::mongo().await.0).await;
}

async fn cards_are_changed(domain: &Domain) {
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 4).await;
    let sent = [
        domain.change(&cards[0], "SUSPEND"),
        domain.change(&cards[1], "BURY"),
        with(domain.change(&cards[2], "FLAG"), "flag", 4),
        with(domain.change(&cards[3], "SET_DUE"), "dueOn", "2026-12-24"),
    ];
    let results = domain.change_all(user, &sent).await;
    assert!(results.iter().all(|result| result["status"] == "ACCEPTED"), "{results:?}");
    assert_eq!(results[0]["card"]["suspended"], true);
    assert_eq!(results[1]["card"]["buried"], true);
    assert_eq!(
        (&results[2]["card"]["flag"], &results[2]["card"]["state"]),
        (&json!(4), &json!("NEW"))
    );
    let due = json!({ "id": cards[3], "state": "REVIEW", "due": "2026-12-24T03:00:00.000Z", "suspended": false, "buried": false, "flag": 0, "reps": 0 });
    assert_eq!(results[3]["card"], due);
    assert_eq!(domain.queue(user).await, cards[2..3]);
    let again = domain.change_all(user, &sent).await;
    assert!(again.iter().all(|result| result["status"] == "DUPLICATE"));

    domain.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(domain.queue(user).await, cards[1..3], "what is buried comes tomorrow");
    let back = [domain.change(&cards[0], "UNSUSPEND"), domain.change(&cards[3], "RESET")];
    let results = domain.change_all(user, &back).await;
    assert_eq!(results[1]["card"]["state"], "NEW");
    assert_eq!(domain.queue(user).await, cards);

    let wrong = [
        (domain.change(&cards[0], "FLAG"), "INVALID", "flag is needed for FLAG"),
        (with(domain.change(&cards[0], "FLAG"), "flag", 8), "INVALID", "flag 8 is out of range"),
        (domain.change(&cards[0], "SET_DUE"), "INVALID", "dueOn is needed for SET_DUE"),
        (
            with(domain.change(&cards[0], "SET_DUE"), "dueOn", "2020-01-01"),
            "INVALID",
            "dueOn 2020-01-01 is out",
        ),
        (
            with(domain.change(&cards[0], "SET_DUE"), "dueOn", "2026-02-30"),
            "INVALID",
            "dueOn \"2026-02-30\" is not a date",
        ),
        (with(domain.change(&cards[0], "BURY"), "flag", 1), "INVALID", "flag is for FLAG alone"),
        (
            with(domain.change(&cards[0], "BURY"), "at", "soon"),
            "INVALID",
            "at \"soon\" is not a moment",
        ),
        (
            with(domain.change(&cards[0], "BURY"), "at", "1999-01-01T00:00:00Z"),
            "INVALID",
            "at 1999-01-01T00:00:00Z lies before",
        ),
        (
            with(domain.change(&cards[0], "BURY"), "cardId", "x"),
            "UNKNOWN_CARD",
            "there is no such card",
        ),
    ];
    let sent: Vec<Value> = wrong.iter().map(|(change, ..)| change.clone()).collect();
    for (result, (_, status, reason)) in domain.change_all(user, &sent).await.iter().zip(wrong) {
        assert_eq!(result["status"], status);
        assert!(result["reason"].as_str().unwrap().starts_with(reason), "{result}");
    }
    let stranger = domain.user().await;
    let result = domain.change_all(stranger, &[domain.change(&cards[0], "BURY")]).await.remove(0);
    assert_eq!((&result["status"], &result["card"]), (&json!("UNKNOWN_CARD"), &Value::Null));
}

#[tokio::test]
async fn reviews_are_undone_in_sqlite() {
    reviews_are_undone(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn reviews_are_undone_in_mongodb() {
    reviews_are_undone(&Domain::mongo().await.0).await;
}

async fn reviews_are_undone(domain: &Domain) {
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 2).await;
    let review = domain.review(&cards[0], "EASY");
    let undo = domain.undo(&review);
    let early = domain.undo_all(user, std::slice::from_ref(&undo)).await.remove(0);
    assert_eq!(early["status"], "UNKNOWN_REVIEW", "the review did not arrive yet");
    domain.submit(user, vec![review.clone()]).await;
    let undone = domain.undo_all(user, std::slice::from_ref(&undo)).await.remove(0);
    assert_eq!((&undone["status"], &undone["card"]["state"]), (&json!("ACCEPTED"), &json!("NEW")));
    let again = domain.undo_all(user, &[undo.clone(), domain.undo(&review)]).await;
    assert_eq!(
        (&again[0]["status"], &again[1]["status"]),
        (&json!("DUPLICATE"), &json!("ACCEPTED"))
    );
    assert_eq!(domain.queue(user).await, cards);
    let stats = domain.mine(user, "stats { reviewsToday timeTodayMs streakDays newCards }").await;
    let nothing = json!({ "reviewsToday": 0, "timeTodayMs": 0.0, "streakDays": 0, "newCards": 2 });
    assert_eq!(stats, nothing);
    let log = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Card { reviews { nodes { id undone practice rating } edges { node { undone practice } } } } } }";
    let data = domain.data(user, log, json!({ "of": [of("Card", &cards[0])] })).await;
    let node = json!({ "id": review["id"], "undone": true, "practice": false, "rating": "EASY" });
    assert_eq!(data["_entities"][0]["reviews"]["nodes"], json!([node]));

    let stranger = domain.user().await;
    let foreign = domain.undo_all(stranger, &[domain.undo(&review)]).await.remove(0);
    assert_eq!((&foreign["status"], &foreign["card"]), (&json!("UNKNOWN_REVIEW"), &Value::Null));
    let timeless = with(domain.undo(&review), "at", "");
    let refused = domain.undo_all(user, &[timeless]).await.remove(0);
    assert_eq!(refused["status"], "INVALID");
    assert!(refused["reason"].as_str().unwrap().starts_with("at \"\" is not a moment"));
    let change = domain.change(&cards[0], "SUSPEND");
    domain.change_all(user, std::slice::from_ref(&change)).await;
    let refused = domain.undo_all(user, &[domain.undo(&change)]).await.remove(0);
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!("INVALID"), &json!("reviewId names no review"))
    );

    // Only the last hundred.
    let mut reviews = Vec::new();
    for _ in 0..101 {
        reviews.push(domain.review(&cards[1], "GOOD"));
        domain.clock.advance(SignedDuration::from_secs(1));
    }
    domain.submit(user, reviews.clone()).await;
    let results =
        domain.undo_all(user, &[domain.undo(&reviews[0]), domain.undo(&reviews[1])]).await;
    assert_eq!(results[0]["reason"], "only your last 100 reviews can be undone");
    assert_eq!(
        (&results[1]["status"], &results[1]["card"]["reps"]),
        (&json!("ACCEPTED"), &json!(100))
    );
}

#[tokio::test]
async fn practice_leaves_the_schedule_alone() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 1).await;
    let first = domain.submit(user, vec![domain.review(&cards[0], "EASY")]).await.remove(0);
    domain.clock.advance(SignedDuration::from_hours(24));
    let practice = with(domain.review(&cards[0], "AGAIN"), "practice", true);
    let result = domain.submit(user, vec![practice]).await.remove(0);
    assert_eq!(result["status"], "ACCEPTED");
    assert_eq!(
        (&result["card"]["due"], &result["card"]["reps"]),
        (&first["card"]["due"], &json!(1))
    );
    assert_eq!(domain.mine(user, "stats { reviewsToday }").await["reviewsToday"], 1);
}
