//! What was learned elsewhere: taken in once however often it is told, counted and gone on from, and told again as it was.

use common::history::{CardHistory, HistoryTold, PastReview, Schedule};
use common::{Caller, Event, UserId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Domain, of};

const DAY_MS: i64 = 86_400_000;
const TOLD: &str =
    "query($owner: ID!, $cards: [ID!]!) { cardHistories(owner: $owner, cardIds: $cards) }";

/// Three reviews, the last of them ten days ago, and a card that is due in twenty days.
fn history(domain: &Domain, card: &str) -> CardHistory {
    let now = domain.clock.now().as_millisecond();
    let review = |days: i64, kind, last_interval, interval, button| PastReview {
        at: now - days * DAY_MS,
        button,
        interval,
        last_interval,
        factor: 2_500,
        taken: 4_000,
        kind,
    };
    let today = i32::try_from(now.div_euclid(DAY_MS)).unwrap();
    CardHistory {
        card: card.parse().unwrap(),
        reviews: vec![review(60, 0, 0, -600, 3), review(50, 1, 3, 25, 3), review(10, 1, 25, 30, 4)],
        schedule: Some(Schedule {
            state: 2,
            due_at: None,
            due_day: Some(today + 20),
            interval: 30,
            ease: 2_350,
            reps: 7,
            lapses: 1,
            steps_left: 0,
            suspended: false,
            buried: false,
            flag: 3,
            stability: None,
            difficulty: None,
            desired_retention: None,
            decay: None,
            last_review: None,
            position: Some(12),
        }),
    }
}

async fn tell(domain: &Domain, owner: UserId, cards: Vec<CardHistory>) {
    let at = domain.clock.now();
    domain.tell(vec![Event::History(HistoryTold { owner, at, cards })]).await;
}

async fn told(domain: &Domain, owner: UserId, card: &str) -> Option<CardHistory> {
    let service = Caller::anonymous("test");
    let variables = json!({ "owner": owner, "cards": [card] });
    let response = domain.execute(service, TOLD, variables).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let data = response.data.into_json().unwrap();
    let texts = data["cardHistories"].as_array().unwrap();
    texts.first().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap())
}

async fn card(domain: &Domain, user: UserId, card: &str) -> Value {
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Card {
        state due reps lapses flag reviews { nodes { rating reviewedAt durationMs } } } } }";
    let data = domain.data(user, query, json!({ "of": [of("Card", card)] })).await;
    data["_entities"][0].clone()
}

#[tokio::test]
async fn it_is_taken_in_once_counted_and_told_again() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = domain.user().await;
        let (_, cards) = domain.deck(user, 2).await;
        let past = history(&domain, &cards[0]);
        tell(&domain, user, vec![past.clone()]).await;
        let first = card(&domain, user, &cards[0]).await;
        assert_eq!((&first["state"], &first["reps"]), (&json!("REVIEW"), &json!(7)), "{first}");
        assert_eq!((&first["lapses"], &first["flag"]), (&json!(1), &json!(3)));
        let ratings: Vec<_> =
            first["reviews"]["nodes"].as_array().unwrap().iter().map(|r| &r["rating"]).collect();
        assert_eq!(ratings.len(), 3);
        assert!(first["due"].as_str().unwrap().starts_with("2026-12-14"), "{first}");
        tell(&domain, user, vec![past.clone(), history(&domain, &cards[0])]).await;
        assert_eq!(card(&domain, user, &cards[0]).await, first, "told twice");
        assert_eq!(told(&domain, user, &cards[0]).await.unwrap(), past);
        assert_eq!(told(&domain, user, &cards[1]).await, None, "of a new card nothing is known");
        let days = "statistics(from: \"2026-09-01\", to: \"2026-11-30\") { reviews }";
        assert_eq!(domain.mine(user, days).await["reviews"], 3);

        // Of a card that is not there nothing is kept, and nobody's is told to another.
        let absent = history(&domain, &common::CardId::new().to_string());
        tell(&domain, user, vec![absent.clone()]).await;
        assert_eq!(told(&domain, user, &absent.card.to_string()).await, None);
        assert_eq!(told(&domain, UserId::new(), &cards[0]).await, None);
        let variables = json!({ "owner": user, "cards": [cards[0]] });
        let (code, _) = domain.error(crate::support::caller(user), TOLD, variables.clone()).await;
        assert_eq!(code, "FORBIDDEN", "no person may ask, not even the owner");
    }
}

#[tokio::test]
async fn learning_goes_on_from_it() {
    for domain in [Domain::sqlite().await.0, Domain::mongo().await.0] {
        let user = domain.user().await;
        let (_, cards) = domain.deck(user, 1).await;
        let past = history(&domain, &cards[0]);
        tell(&domain, user, vec![past.clone()]).await;
        domain.clock.advance(SignedDuration::from_hours(20 * 24));
        assert_eq!(domain.queue(user).await, cards, "it is due");
        let review = domain.review(&cards[0], "GOOD");
        domain.submit(user, vec![review.clone()]).await;
        let after = card(&domain, user, &cards[0]).await;
        assert_eq!(after["reps"], 8);
        let told_after = told(&domain, user, &cards[0]).await.unwrap();
        assert_eq!(told_after.reviews[..3], past.reviews[..]);
        let (last, schedule) = (told_after.reviews[3], told_after.schedule.unwrap());
        assert_eq!((last.button, last.kind, last.last_interval), (3, 1, 30));
        assert!(last.interval > 30 && last.interval == schedule.interval, "{last:?} {schedule:?}");
        assert_eq!((schedule.reps, schedule.ease, schedule.flag), (8, 2_350, 3));

        // One that comes late makes the whole log be replayed, to the same.
        let moment: Timestamp = review["reviewedAt"].as_str().unwrap().parse().unwrap();
        let mut late = domain.review(&cards[0], "AGAIN");
        late["reviewedAt"] = json!((moment - SignedDuration::from_hours(1)).to_string());
        domain.submit(user, vec![late.clone()]).await;
        assert_eq!(card(&domain, user, &cards[0]).await["lapses"], 2);
        let undo = "mutation($undos: [UndoReviewInput!]!) { undoReviews(input: {undos: $undos}) { results { status } } }";
        let undos = json!([{ "id": common::ReviewId::new(), "reviewId": late["id"],
            "at": domain.clock.now().to_string() }]);
        domain.data(user, undo, json!({ "undos": undos })).await;
        let mut again = card(&domain, user, &cards[0]).await;
        again["reviews"] = after["reviews"].clone();
        assert_eq!(again, after);
    }
}
