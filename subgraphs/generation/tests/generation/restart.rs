//! A process that goes away at each step of a job: the next one ends it right, and nothing is generated twice.
//!
//! Each process is a runtime of its own; shutting it down ends its tasks wherever they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::response::{IntoResponse, Response};
use generation::queue::Bounds;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::jobs::watch;
use crate::support::{Gateway, Service, caller, lines_and_silence, note, note_in_lines};

/// A service whose first answer is `first`, and each later one is complete.
fn service(runtime: &Runtime, keeps: bool, first: fn() -> Response) -> Service {
    let calls = Arc::<AtomicUsize>::default();
    let answer = move || match calls.fetch_add(1, Ordering::Relaxed) {
        0 => first(),
        _ => Json(note(json!({}))).into_response(),
    };
    let service = runtime.block_on(Service::responding(answer));
    service.keeps_answers.store(keeps, Ordering::Relaxed);
    service
}

/// Lets a process go away when the job is at `step`, and answers the job as the next one ends it.
fn killed(service: &Service, bounds: Bounds, step: &str) -> (Gateway, Value) {
    let first = Runtime::new().unwrap();
    let (before, id) = first.block_on(async {
        let gateway = Gateway::with(&service.url, bounds).await;
        let id = gateway.start(gateway.input(json!({ "idempotencyKey": "k" }))).await;
        gateway.job_when(&id, |job| job["step"] == step).await;
        if step != "WAITING" {
            // It is said before the service is asked, which has to have happened here.
            while service.calls().is_empty() {
                tokio::task::yield_now().await;
            }
        }
        (gateway, id)
    });
    first.shutdown_background();
    let second = Runtime::new().unwrap();
    let ended = second.block_on(async {
        let gateway = before.restarted().await;
        let job = gateway.job_when(&id, |job| job["step"] == "DONE").await;
        let again = gateway.start(gateway.input(json!({ "idempotencyKey": "k" }))).await;
        assert_eq!(again, id, "the key is still known");
        (gateway, job)
    });
    second.shutdown_background();
    ended
}

fn nothing_yet() -> Response {
    lines_and_silence(&[])
}

fn a_card() -> Response {
    lines_and_silence(&note_in_lines()[..1])
}

#[test]
fn while_it_waits() {
    let runtime = Runtime::new().unwrap();
    let service = service(&runtime, false, || Json(note(json!({}))).into_response());
    let none = Bounds { running: 0, ..Bounds::default() };
    let (_, job) = killed(&service, none, "WAITING");
    assert_eq!((&job["state"], service.calls().len()), (&json!("READY"), 1));
}

#[test]
fn while_a_service_that_keeps_its_answers_works() {
    for (first, step) in [(nothing_yet as fn() -> Response, "ASKING"), (a_card, "DRAFTING")] {
        let runtime = Runtime::new().unwrap();
        let service = service(&runtime, true, first);
        let (_, job) = killed(&service, Bounds::default(), step);
        assert_eq!((&job["state"], job["drafts"].as_array().unwrap().len()), (&json!("READY"), 2));
        let keys: Vec<_> =
            service.calls().into_iter().filter_map(|call| call.idempotency_key).collect();
        assert_eq!(keys, [job["id"].as_str().unwrap(); 2], "it can tell that it is the same");
    }
}

#[test]
fn while_a_service_that_keeps_nothing_works() {
    for (first, step) in [(nothing_yet as fn() -> Response, "ASKING"), (a_card, "DRAFTING")] {
        let runtime = Runtime::new().unwrap();
        let service = service(&runtime, false, first);
        let (_, job) = killed(&service, Bounds::default(), step);
        assert_eq!(job["failure"]["code"], "GENERATION_INTERRUPTED", "{job}");
        assert_eq!(service.calls().len(), 1, "it is not asked twice");
    }
}

#[test]
fn a_job_that_takes_each_process_down_is_given_up() {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(Service::responding(nothing_yet));
    service.keeps_answers.store(true, Ordering::Relaxed);
    let mut process: Option<(Gateway, Value)> = None;
    for calls in 1..=3 {
        let runtime = Runtime::new().unwrap();
        process = Some(runtime.block_on(async {
            let (gateway, id) = match process {
                Some((before, id)) => (before.restarted().await, id),
                None => {
                    let gateway = Gateway::of(&service).await;
                    let id = gateway.start(gateway.input(json!({}))).await;
                    (gateway, id)
                }
            };
            while service.calls().len() < calls {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            (gateway, id)
        }));
        runtime.shutdown_background();
    }
    let (before, id) = process.unwrap();
    let runtime = Runtime::new().unwrap();
    let job = runtime.block_on(async {
        let gateway = before.restarted().await;
        gateway.job_when(&id, |job| job["step"] == "DONE").await
    });
    assert_eq!(job["failure"]["code"], "GENERATION_INTERRUPTED", "{job}");
    assert_eq!(service.calls().len(), 3);
}

#[test]
fn when_the_service_itself_goes_away_and_comes_back() {
    // The connection breaks in the middle of the first answer.
    let broken = || {
        let lines = [Ok("{\"type\":\"wait\"}\n"), Err(std::io::Error::other("gone"))];
        crate::support::in_parts(axum::body::Body::from_stream(futures::stream::iter(lines)))
    };
    for (keeps, state, calls) in [(true, "READY", 2), (false, "FAILED", 1)] {
        let runtime = Runtime::new().unwrap();
        let service = service(&runtime, keeps, broken);
        let job = runtime.block_on(async {
            let gateway = Gateway::of(&service).await;
            gateway.over(gateway.input(json!({}))).await
        });
        assert_eq!((&job["state"], service.calls().len()), (&json!(state), calls), "{job}");
    }
}

/// Steps in their order.
const STEPS: [&str; 5] = ["WAITING", "READING", "ASKING", "DRAFTING", "DONE"];

#[test]
fn progress_never_falls_when_the_service_is_asked_again() {
    // Three answers: one breaks after two cards, one has none and hangs while its process goes away, the last is complete.
    let answers: [fn() -> Response; 3] = [
        || {
            let lines = note_in_lines();
            let cards = futures::stream::iter([0, 2].map(|at: usize| format!("{}\n", lines[at])));
            // Each by itself, so that what is stored of it is told.
            let cards = futures::StreamExt::then(cards, async |line| {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                Ok(line)
            });
            let broken = futures::stream::iter([Err(std::io::Error::other("gone"))]);
            crate::support::in_parts(axum::body::Body::from_stream(futures::StreamExt::chain(
                cards, broken,
            )))
        },
        nothing_yet,
        || crate::support::lines(&note_in_lines()),
    ];
    let runtime = Runtime::new().unwrap();
    let calls = Arc::<AtomicUsize>::default();
    let answer = move || answers[calls.fetch_add(1, Ordering::Relaxed).min(2)]();
    let service = runtime.block_on(Service::responding(answer));
    service.keeps_answers.store(true, Ordering::Relaxed);

    let mut seen = Vec::new();
    let first = Runtime::new().unwrap();
    let (before, id) = first.block_on(async {
        let gateway = Gateway::of(&service).await;
        let id = gateway.start(gateway.input(json!({ "maxCards": 2 }))).await;
        let mut told = watch(&gateway, caller(gateway.owner), &id);
        while let Some(job) = futures::StreamExt::next(&mut told).await {
            seen.push(job["data"]["generationProgress"].clone());
            let had = |job: &Value| job["drafts"] != json!([]);
            if seen.iter().any(had) && !seen.last().is_some_and(had) {
                break;
            }
        }
        while service.calls().len() < 2 {
            tokio::task::yield_now().await;
        }
        (gateway, id)
    });
    first.shutdown_background();
    let second = Runtime::new().unwrap();
    second.block_on(async {
        let gateway = before.restarted().await;
        let mut told = watch(&gateway, caller(gateway.owner), &id);
        while let Some(job) = futures::StreamExt::next(&mut told).await {
            seen.push(job["data"]["generationProgress"].clone());
        }
    });
    let at = |job: &Value| {
        let step = STEPS.iter().position(|step| job["step"] == **step).unwrap();
        (step, job["progress"].as_f64().unwrap())
    };
    assert!(seen.is_sorted_by(|one, next| at(one) <= at(next)), "{seen:#?}");
    assert_eq!((service.calls().len(), &seen.last().unwrap()["state"]), (3, &json!("READY")));
    // It had both of its drafts, and none again.
    let drafts: Vec<_> = seen.iter().map(|job| job["drafts"].as_array().unwrap().len()).collect();
    assert!(!drafts.is_sorted() && drafts.contains(&2), "{drafts:?}");
}
