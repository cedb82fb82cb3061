//! Fitting weights as a job: too few reviews, better weights, rescheduling, and what others see of it.

use std::time::Duration;

use common::{Backend, FitId, UserId};
use jiff::SignedDuration;
use learning::service::{FitRecord, FitState};
use learning::store::Lease;
use serde_json::{Value, json};

use crate::support::{Domain, of};

const FIT: &str = "mutation($reschedule: Boolean!) { fitWeights(input: {reschedule: $reschedule}) { fit { id state } } }";
const LAST: &str = "weightsFit { state progress reviews heldOut applied weightsVersion message current { logLoss rmse } fitted { logLoss rmse } }";

async fn fit(domain: &Domain, user: UserId, reschedule: bool) -> Value {
    domain.data(user, FIT, json!({ "reschedule": reschedule })).await;
    ended(domain, user).await
}

async fn ended(domain: &Domain, user: UserId) -> Value {
    for _ in 0..600 {
        let last = domain.mine(user, LAST).await;
        let progress = last["progress"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&progress), "{last}");
        if last["state"] != "RUNNING" {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it takes too long");
}

/// Somebody who forgets nearly everything within a week.
async fn forgetful(domain: &Domain) -> (UserId, Vec<String>) {
    let user = domain.user().await;
    let (_, cards) = domain.deck(user, 150).await;
    for (days, hours) in [(0, 1), (1, 6 * 24), (7, 7 * 24), (14, 24)] {
        let rating = |nth: usize| if days < 7 || nth.is_multiple_of(7) { "GOOD" } else { "AGAIN" };
        let reviews = cards.iter().enumerate().map(|(nth, card)| domain.review(card, rating(nth)));
        domain.submit(user, reviews.collect()).await;
        domain.clock.advance(SignedDuration::from_hours(if days == 0 { 24 } else { hours }));
    }
    (user, cards)
}

async fn cards(domain: &Domain, user: UserId, cards: &[String]) -> Vec<Value> {
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Card { stability weightsVersion reps } } }";
    let wanted: Vec<Value> = cards.iter().map(|card| of("Card", card)).collect();
    let data = domain.data(user, query, json!({ "of": wanted })).await;
    data["_entities"].as_array().unwrap().clone()
}

#[tokio::test]
async fn weights_are_fitted_in_sqlite() {
    weights_are_fitted(&Domain::sqlite().await.0).await;
}

#[tokio::test]
async fn weights_are_fitted_in_mongodb() {
    weights_are_fitted(&Domain::mongo().await.0).await;
}

async fn weights_are_fitted(domain: &Domain) {
    let few = domain.user().await;
    assert_eq!(domain.mine(few, LAST).await, Value::Null);
    let failed = fit(domain, few, false).await;
    assert_eq!((&failed["state"], &failed["applied"]), (&json!("FAILED"), &json!(false)));
    assert!(failed["message"].as_str().unwrap().starts_with("0 reviews can be used"), "{failed}");

    let (user, ids) = forgetful(domain).await;
    let before = cards(domain, user, &ids[..2]).await;
    let done = fit(domain, user, false).await;
    assert_eq!(
        (&done["state"], &done["applied"], &done["weightsVersion"]),
        (&json!("DONE"), &json!(true), &json!(1)),
        "{done}"
    );
    let loss = |of: &str| done[of]["logLoss"].as_f64().unwrap();
    assert!(loss("fitted") < loss("current"), "{done}");
    // Without rescheduling a card gets its state by them at its next review.
    assert_eq!(cards(domain, user, &ids[..2]).await, before);
    domain.submit(user, vec![domain.review(&ids[0], "GOOD")]).await;
    let after = cards(domain, user, &ids[..2]).await;
    assert_eq!((&after[0]["weightsVersion"], &after[1]), (&json!(1), &before[1]));

    let again = fit(domain, user, true).await;
    assert_eq!(again["state"], "DONE", "{again}");
    if again["applied"] == true {
        let rescheduled = cards(domain, user, &ids).await;
        assert!(rescheduled.iter().all(|card| card["weightsVersion"] == 2), "{rescheduled:?}");
        assert!(rescheduled.iter().all(|card| card["reps"].as_i64() >= Some(4)));
    }
    let stranger = domain.user().await;
    assert_eq!(domain.mine(stranger, LAST).await, Value::Null);
}

#[tokio::test]
async fn another_process_goes_on_in_sqlite() {
    let (domain, sqlite) = Domain::sqlite().await;
    another_process_goes_on(&domain, Backend::Sqlite(sqlite)).await;
}

#[tokio::test]
async fn another_process_goes_on_in_mongodb() {
    let (domain, mongo) = Domain::mongo().await;
    another_process_goes_on(&domain, Backend::Mongo(mongo)).await;
}

/// A process begins a fitting and goes away. Others see how far it was, and one of them brings it to its end.
async fn another_process_goes_on(domain: &Domain, backend: Backend) {
    let (user, ids) = forgetful(domain).await;
    let gone = learning::store::open(backend).await.unwrap();
    let now = domain.clock.now();
    let begun = FitRecord {
        id: FitId::new(),
        state: FitState::Running,
        started_at: now,
        finished_at: None,
        reviews: 0,
        held_out: 0,
        current: None,
        fitted: None,
        applied: None,
        message: None,
        progress: 0.25,
        reschedule: true,
        tries: 1,
    };
    let until = now + SignedDuration::from_secs(30);
    let lease = Lease { worker: uuid::Uuid::new_v4(), until };
    gone.begin_fit(user, begun.clone(), lease).await.unwrap();
    let seen = domain.mine(user, LAST).await;
    assert_eq!((&seen["state"], &seen["progress"]), (&json!("RUNNING"), &json!(0.25)));
    let asked = domain.data(user, FIT, json!({ "reschedule": false })).await;
    assert_eq!(asked["fitWeights"]["fit"]["id"], begun.id.to_string(), "it is under way");

    domain.clock.advance(SignedDuration::from_secs(30));
    let done = ended(domain, user).await;
    assert_eq!((&done["state"], &done["applied"]), (&json!("DONE"), &json!(true)), "{done}");
    let rescheduled = cards(domain, user, &ids).await;
    assert!(rescheduled.iter().all(|card| card["weightsVersion"] == 1), "{rescheduled:?}");
    let late = FitRecord { progress: 0.5, ..begun };
    assert!(!gone.keep_fit(user, late, lease).await.unwrap(), "the first one comes too late");
    assert_eq!(domain.mine(user, LAST).await, done);
}

#[tokio::test]
async fn the_workload_at_other_retentions_is_simulated() {
    let (domain, _) = Domain::sqlite().await;
    let user = domain.user().await;
    let found = domain
        .mine(user, "simulation(retentions: [0.8, 0.95], cards: 200, newPerDay: 10, days: 60) { retention reviewsPerDay minutesPerDay remembered }")
        .await;
    let of = |nth: usize, field: &str| found[nth][field].as_f64().unwrap();
    assert_eq!((of(0, "retention"), of(1, "retention")), (0.8, 0.95));
    assert!(of(0, "reviewsPerDay") < of(1, "reviewsPerDay") && of(0, "minutesPerDay") > 0.0);
    for wrong in [
        "retentions: []",
        "retentions: [0.5]",
        "retentions: [0.9], days: 366",
        "retentions: [0.9], cards: 0",
    ] {
        let query = format!(
            "query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on User {{ simulation({wrong}) {{ retention }} }} }} }}"
        );
        let variables = json!({ "of": [of_user(user)] });
        let (code, _) = domain.error(crate::support::caller(user), &query, variables).await;
        assert_eq!(code, "BAD_USER_INPUT", "{wrong}");
    }
}

fn of_user(user: UserId) -> Value {
    of("User", user)
}
