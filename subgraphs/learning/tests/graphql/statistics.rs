//! Statistics, forecasts, and the memory at a moment; local days by the zone sent with each review.

use common::UserId;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Domain, of};

const ALL: &str = "statistics(from: \"2026-11-01\", to: \"2027-02-01\") {
    from to reviews durationMs longestStreakDays days { date reviews new durationMs }
    young { passed failed rate } mature { passed failed rate }
    buttons { phase rating reviews } hours { hour reviews passed }
}";

fn at(mut review: Value, moment: &str, zone: &str) -> Value {
    review["reviewedAt"] = moment.into();
    review["timeZone"] = zone.into();
    review
}

/// Local dates with their numbers of reviews.
async fn days(domain: &Domain, user: UserId) -> Vec<(String, i64)> {
    let days = domain
        .mine(
            user,
            "statistics(from: \"2026-01-01\", to: \"2027-02-01\") { days { date reviews } }",
        )
        .await;
    let day =
        |day: &Value| (day["date"].as_str().unwrap().to_owned(), day["reviews"].as_i64().unwrap());
    days["days"].as_array().unwrap().iter().map(day).collect()
}

#[tokio::test]
async fn statistics_are_the_sums_of_the_log_in_sqlite() {
    statistics_are_the_sums_of_the_log(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn statistics_are_the_sums_of_the_log_in_mongodb() {
    statistics_are_the_sums_of_the_log(&Domain::mongo().await.0).await;
}

async fn statistics_are_the_sums_of_the_log(domain: &Domain) {
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 3).await;
    domain.without_fuzz(user, &deck).await;
    let (other, more) = domain.deck(user, 1).await;
    domain
        .submit(user, vec![domain.review(&cards[0], "EASY"), domain.review(&more[0], "AGAIN")])
        .await;
    domain.clock.advance(SignedDuration::from_hours(24));
    domain.submit(user, vec![domain.review(&cards[1], "EASY")]).await;
    domain.clock.advance(SignedDuration::from_hours(24 * 8));
    // Young: it had waited eight days.
    let young = domain.review(&cards[0], "GOOD");
    domain.submit(user, vec![young.clone()]).await;
    domain.clock.advance(SignedDuration::from_hours(24 * 40));
    // Mature, by an interval of more than 21 days: forgotten.
    domain.submit(user, vec![domain.review(&cards[0], "AGAIN")]).await;

    let all = domain.mine(user, ALL).await;
    assert_eq!((&all["from"], &all["to"]), (&json!("2026-11-01"), &json!("2027-02-01")));
    assert_eq!((&all["reviews"], &all["durationMs"]), (&json!(5), &json!(7500.0)));
    assert_eq!(all["longestStreakDays"], 2);
    assert_eq!(
        all["days"],
        json!([
            { "date": "2026-11-24", "reviews": 2, "new": 2, "durationMs": 3000.0 },
            { "date": "2026-11-25", "reviews": 1, "new": 1, "durationMs": 1500.0 },
            { "date": "2026-12-03", "reviews": 1, "new": 0, "durationMs": 1500.0 },
            { "date": "2027-01-12", "reviews": 1, "new": 0, "durationMs": 1500.0 },
        ])
    );
    assert_eq!(all["young"], json!({ "passed": 1, "failed": 0, "rate": 1.0 }));
    assert_eq!(all["mature"], json!({ "passed": 0, "failed": 1, "rate": 0.0 }));
    let buttons = all["buttons"].as_array().unwrap();
    let button = |phase: &str, rating: &str| {
        let found = buttons.iter().find(|b| b["phase"] == phase && b["rating"] == rating);
        found.unwrap()["reviews"].as_i64().unwrap()
    };
    assert_eq!((buttons.len(), button("NEW", "EASY"), button("NEW", "AGAIN")), (24, 2, 1));
    assert_eq!((button("YOUNG", "GOOD"), button("MATURE", "AGAIN")), (1, 1));
    // Half past ten in Zurich.
    let hours = all["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[10]), (24, &json!({ "hour": 10, "reviews": 5, "passed": 3 })));

    let of_deck = |id: &str| ALL.replace("(from", &format!("(deckId: \"{id}\", from"));
    assert_eq!(domain.mine(user, &of_deck(&deck)).await["reviews"], 4);
    assert_eq!(domain.mine(user, &of_deck(&other)).await["reviews"], 1);
    let stranger = domain.user().await;
    assert_eq!(domain.mine(stranger, &of_deck(&deck)).await["reviews"], 0);

    // An undone review does not count, and what came after it counts as what it is now.
    let undo = json!([{ "id": common::ReviewId::new().to_string(), "reviewId": young["id"], "at": domain.clock.now().to_string() }]);
    let mutation = "mutation($undos: [UndoReviewInput!]!) { undoReviews(input: {undos: $undos}) { results { status } } }";
    domain.data(user, mutation, json!({ "undos": undo })).await;
    let all = domain.mine(user, ALL).await;
    assert_eq!((&all["reviews"], all["days"].as_array().unwrap().len()), (&json!(4), 3));
    assert_eq!(all["young"], json!({ "passed": 0, "failed": 1, "rate": 0.0 }));
    assert_eq!(all["mature"], json!({ "passed": 0, "failed": 0, "rate": null }));
}

/// More than 2^31 milliseconds, which is what a million reviews take.
#[tokio::test]
async fn a_month_of_work_is_counted() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 1).await;
    let review = || {
        let mut review = domain.review(&cards[0], "GOOD");
        review["durationMs"] = 3_600_000.into();
        review
    };
    domain.submit(user, (0..700).map(|_| review()).collect()).await;
    let all = domain.mine(user, "statistics { durationMs days { durationMs } }").await;
    let sum = 700.0 * 3_600_000.0;
    assert_eq!(all, json!({ "durationMs": sum, "days": [{ "durationMs": sum }] }));
    assert_eq!(domain.mine(user, "stats { timeTodayMs }").await["timeTodayMs"], sum);
}

#[tokio::test]
async fn a_range_is_bounded() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let last = domain.mine(user, "statistics { from to }").await;
    assert_eq!(last, json!({ "from": "2026-10-26", "to": "2026-11-24" }));
    for field in [
        "statistics(from: \"2026-02-02\", to: \"2026-02-01\") { reviews }",
        "statistics(from: \"1900-01-01\") { reviews }",
        "forecast(days: 0) { due }",
        "forecast(days: 3651) { due }",
        "learningChanges(first: 501) { hasMore }",
        "learningChanges(since: \"x\") { hasMore }",
    ] {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ {field} }} }} }}"
        );
        let variables = json!({ "of": [of("User", user)] });
        let (code, _) = domain.error(crate::support::caller(user), &query, variables).await;
        assert_eq!(code, "BAD_USER_INPUT", "{field}");
    }
}

#[tokio::test]
async fn the_forecast_and_the_memory_at_a_moment() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 2).await;
    domain.without_fuzz(user, &deck).await;
    domain
        .submit(user, vec![domain.review(&cards[0], "EASY"), domain.review(&cards[1], "AGAIN")])
        .await;
    let forecast = domain.mine(user, "forecast(days: 9) { date due }").await;
    let forecast = forecast.as_array().unwrap();
    assert_eq!((forecast.len(), &forecast[0]), (9, &json!({ "date": "2026-11-24", "due": 1 })));
    assert_eq!(forecast[8], json!({ "date": "2026-12-02", "due": 1 }));

    let query = "query($of: [_Any!]!, $at: DateTime!) { _entities(representations: $of) {
        ... on Card { retrievabilityAt(at: $at) recallScoreAt(at: $at) }
        ... on Deck { retrievabilityAt(at: $at) recallScoreAt(at: $at) }
    } }";
    let ask = async |at: &str| {
        let of = [of("Card", &cards[0]), of("Deck", &deck)];
        domain.data(user, query, json!({ "of": of, "at": at })).await["_entities"].clone()
    };
    let now = ask("2026-11-24T10:00:00Z").await;
    assert_eq!(now[0], json!({ "retrievabilityAt": 1.0, "recallScoreAt": 1.0 }));
    assert_eq!(now[1]["recallScoreAt"], 0.5, "one of two is recalled");
    let later = ask("2026-12-02T10:00:00Z").await;
    let probability = later[0]["retrievabilityAt"].as_f64().unwrap();
    assert!((0.90..0.91).contains(&probability), "{probability}");
    assert_eq!(later[0]["recallScoreAt"], json!(1.0 / 256.0));
    assert_eq!(later[1]["recallScoreAt"], 0.0);
}

/// Moments where clocks change, and journeys: the zone that is sent with a review tells its local day.
#[tokio::test]
async fn a_day_is_that_of_the_zone_that_was_sent() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 1).await;
    let review = |moment: &str, zone: &str| at(domain.review(&cards[0], "GOOD"), moment, zone);
    let zurich = "Europe/Zurich";
    let sent = vec![
        // The night in which summer time starts: the day starts at four on the wall, which is two in UTC.
        review("2026-03-29T01:59:59Z", zurich),
        review("2026-03-29T02:00:00Z", zurich),
        // The night in which it ends: four on the wall is three in UTC.
        review("2026-10-25T02:59:59Z", zurich),
        review("2026-10-25T03:00:00Z", zurich),
        // From Kiritimati, two at night of the 21st, to Pago Pago, three at night of the 20th: a day back.
        review("2026-11-20T12:00:00Z", "Pacific/Kiritimati"),
        review("2026-11-20T14:00:00Z", "Pacific/Pago_Pago"),
        // Half an hour and three quarters beside the hours of others.
        review("2026-11-22T22:14:59Z", "Asia/Kathmandu"),
        review("2026-11-22T22:15:00Z", "Asia/Kathmandu"),
    ];
    let results = domain.submit(user, sent).await;
    assert!(results.iter().all(|result| result["status"] == "ACCEPTED"), "{results:?}");
    let expected = [
        ("2026-03-28", 1),
        ("2026-03-29", 1),
        ("2026-10-24", 1),
        ("2026-10-25", 1),
        ("2026-11-19", 1),
        ("2026-11-20", 1),
        ("2026-11-22", 1),
        ("2026-11-23", 1),
    ];
    assert_eq!(days(&domain, user).await, expected.map(|(day, reviews)| (day.to_owned(), reviews)));
    let hours = domain
        .mine(user, "statistics(from: \"2026-03-28\", to: \"2026-03-29\") { hours { reviews } }")
        .await;
    let hours: Vec<i64> =
        hours["hours"].as_array().unwrap().iter().map(|h| h["reviews"].as_i64().unwrap()).collect();
    assert_eq!((hours[3], hours[4]), (1, 1), "the last second of three, the first of four");
}

/// A journey does not shorten or stretch what was learned: intervals are counted in days of the log, which do not go back.
#[tokio::test]
async fn a_journey_moves_no_schedule() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let (deck, cards) = domain.deck(user, 2).await;
    domain.without_fuzz(user, &deck).await;
    let start: Timestamp = crate::support::START.parse().unwrap();
    let moment = |hours: i64| (start - SignedDuration::from_hours(hours)).to_string();
    let sent = vec![
        at(domain.review(&cards[0], "EASY"), &moment(2), "Pacific/Kiritimati"),
        at(domain.review(&cards[0], "EASY"), &moment(1), "Pacific/Pago_Pago"),
        at(domain.review(&cards[1], "EASY"), &moment(2), "Pacific/Kiritimati"),
        at(domain.review(&cards[1], "EASY"), &moment(1), "Pacific/Kiritimati"),
    ];
    let results = domain.submit(user, sent).await;
    assert_eq!(results[1]["card"]["due"], results[3]["card"]["due"]);
}
