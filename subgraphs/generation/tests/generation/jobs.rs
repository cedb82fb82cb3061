//! Jobs: one for a key, bounded, cancelled, listed, deleted, and seen while they go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::Variables;
use axum::Json;
use axum::response::IntoResponse;
use common::{Caller, SubgraphRequest, UserId};
use futures::StreamExt;
use futures::stream::BoxStream;
use generation::queue::Bounds;
use serde_json::{Value, json};

use crate::support::{
    GENERATE, Gateway, JOB, Service, caller, deleted_account, in_parts, lines, lines_and_silence,
    note, note_in_lines,
};

const CANCEL: &str = "mutation($id: ID!) { cancelGeneration(input: { jobId: $id }) { job { state drafts { id } } } }";
const DELETE: &str =
    "mutation($id: ID!) { deleteGenerationJob(input: { jobId: $id }) { deletedId } }";

pub(crate) fn watch(gateway: &Gateway, caller: Caller, id: &Value) -> BoxStream<'static, Value> {
    let document = "subscription($id: ID!) { generationProgress(id: $id) { state step progress version drafts { id question } failure { code } } }";
    let request = SubgraphRequest {
        document: document.into(),
        operation_name: None,
        variables: Variables::from_json(json!({ "id": id })),
    };
    let responses = gateway.endpoint.subscribe(request, Arc::new(caller)).unwrap();
    responses.map(|response| serde_json::to_value(response).unwrap()).boxed()
}

/// A service that never ends its first answers.
async fn silent(times: usize) -> Service {
    let calls = Arc::<AtomicUsize>::default();
    let answer = move || match calls.fetch_add(1, Ordering::Relaxed) < times {
        true => lines_and_silence(&note_in_lines()[..1]),
        false => Json(note(json!({}))).into_response(),
    };
    Service::responding(answer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_calls_with_one_key_there_is_one_job() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let input = gateway.input(json!({ "idempotencyKey": "the-key" }));
    let calls = (0..50).map(|_| gateway.start(input.clone()));
    let ids = futures::future::join_all(calls).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    gateway.job_when(&ids[0], |job| job["state"] == "READY").await;
    assert_eq!(gateway.start(input).await, ids[0], "also when it is over");
    assert_eq!(service.calls().len(), 1);
    let all = gateway.ask("{ generationJobs { nodes { id } } }", json!({})).await;
    assert_eq!(all["generationJobs"]["nodes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_of_another_request_is_a_conflict() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let key = |more: Value| {
        let mut input = gateway.input(more);
        input["input"]["idempotencyKey"] = json!("used");
        input
    };
    gateway.start(key(json!({}))).await;
    for other in
        [json!({ "text": "another" }), json!({ "maxCards": 3 }), json!({ "instructions": "i" })]
    {
        let (code, message) = gateway.error(key(other)).await;
        assert_eq!(code, "CONFLICT");
        assert!(message.starts_with("input.idempotencyKey was used"), "{message}");
    }
}

#[tokio::test]
async fn there_are_no_more_jobs_than_may_be() {
    let service = silent(usize::MAX).await;
    let bounds = Bounds { running: 1, active_each: 2, kept_each: 3, ..Bounds::default() };
    let gateway = Gateway::with(&service.url, bounds).await;
    let first = gateway.start(gateway.input(json!({}))).await;
    gateway.job_when(&first, |job| job["state"] == "RUNNING").await;
    let second = gateway.start(gateway.input(json!({ "idempotencyKey": "second" }))).await;
    let (code, message) = gateway.error(gateway.input(json!({}))).await;
    assert_eq!(code, "LIMIT_EXCEEDED");
    assert!(message.starts_with("2 of your jobs are not done"), "{message}");
    let again = gateway.start(gateway.input(json!({ "idempotencyKey": "second" }))).await;
    assert_eq!(again, second, "what is there already takes no room");
    assert_eq!(gateway.job(&second).await["state"], "QUEUED");
    for id in [&second, &first] {
        gateway.ask(CANCEL, json!({ "id": id })).await;
    }
    let third = gateway.start(gateway.input(json!({}))).await;
    gateway.ask(CANCEL, json!({ "id": third })).await;
    let (code, message) = gateway.error(gateway.input(json!({}))).await;
    assert_eq!(code, "LIMIT_EXCEEDED");
    assert!(message.starts_with("you have 3 jobs"), "{message}");
    gateway.ask(DELETE, json!({ "id": third })).await;
    gateway.start(gateway.input(json!({}))).await;
}

#[tokio::test]
async fn a_job_that_is_cancelled_ends_and_makes_room() {
    let service = silent(1).await;
    let bounds = Bounds { running: 1, ..Bounds::default() };
    let gateway = Gateway::with(&service.url, bounds).await;
    let first = gateway.start(gateway.input(json!({}))).await;
    let second = gateway.start(gateway.input(json!({}))).await;
    let job = gateway.job_when(&first, |job| job["step"] == "DRAFTING").await;
    assert_eq!(job["drafts"][0]["question"], "What is 😀?");
    assert_eq!(gateway.job(&second).await["state"], "QUEUED");
    let cancelled = gateway.ask(CANCEL, json!({ "id": first })).await;
    assert_eq!(cancelled["cancelGeneration"]["job"], json!({ "state": "CANCELLED", "drafts": [] }));
    gateway.job_when(&second, |job| job["state"] == "READY").await;
    assert_eq!(gateway.job(&first).await["state"], "CANCELLED");
    let unchanged = gateway.ask(CANCEL, json!({ "id": second })).await;
    assert_eq!(unchanged["cancelGeneration"]["job"]["state"], "READY");
}

#[tokio::test]
async fn a_job_is_seen_from_its_beginning_to_its_end() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<String>();
    let receiver = std::sync::Mutex::new(Some(receiver));
    let receiver = Arc::new(receiver);
    let answer = move || {
        let receiver = receiver.lock().unwrap().take().unwrap();
        let lines = futures::stream::unfold(receiver, |mut receiver| async move {
            Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver))
        });
        in_parts(axum::body::Body::from_stream(lines))
    };
    let service = Service::responding(answer).await;
    let gateway = Gateway::of(&service).await;
    let id = gateway.start(gateway.input(json!({ "maxCards": 2 }))).await;
    let mut seen = watch(&gateway, caller(gateway.owner), &id);
    let mut until = async |is_so: fn(&Value) -> bool| loop {
        let next = seen.next().await.unwrap();
        let job = next["data"]["generationProgress"].clone();
        if is_so(&job) {
            break job;
        }
    };
    until(|job| job["step"] == "ASKING").await;
    let lines = note_in_lines();
    sender.send(format!("{}\n", lines[0])).unwrap();
    let job = until(|job| job["step"] == "DRAFTING").await;
    let draft = job["drafts"][0].clone();
    assert_eq!(
        (&draft["question"], job["drafts"].as_array().unwrap().len()),
        (&json!("What is 😀?"), 1)
    );
    let progress = job["progress"].as_f64().unwrap();
    assert!((0.49..0.51).contains(&progress), "{progress}");
    let rest: String = lines[1..].iter().map(|line| format!("{line}\n")).collect();
    // However the lines are cut.
    for half in [&rest[..70], &rest[70..]] {
        sender.send(half.to_owned()).unwrap();
    }
    let job = until(|job| job["state"] == "READY").await;
    assert_eq!((&job["drafts"][0], job["drafts"].as_array().unwrap().len()), (&draft, 2));
    assert_eq!(seen.next().await, None, "it ends with the job");
    let over: Vec<Value> = watch(&gateway, caller(gateway.owner), &id).collect().await;
    assert_eq!(over.len(), 1, "of one that is over: {over:?}");
}

#[tokio::test]
async fn nobody_else_sees_a_job() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let id = gateway.data(gateway.input(json!({}))).await["id"].take();
    for (other, code) in
        [(caller(UserId::new()), "NOT_FOUND"), (Caller::anonymous("test"), "UNAUTHENTICATED")]
    {
        let seen: Vec<Value> = watch(&gateway, other.clone(), &id).collect().await;
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen[0]["errors"][0]["extensions"]["code"], code, "{seen:?}");
        for document in [CANCEL, DELETE] {
            let error = gateway.error_as(other.clone(), document, json!({ "id": id })).await;
            assert_eq!(error.0, code);
        }
    }
    let response = gateway.execute(caller(UserId::new()), JOB, json!({ "id": id })).await;
    assert_eq!(response.data.into_json().unwrap(), json!({ "generationJob": null }));
}

#[tokio::test]
async fn an_answer_in_parts_that_is_wrong_anywhere_fails_the_job() {
    let complete = note_in_lines();
    let cut = &complete[..2];
    let error =
        |status: u16| vec![complete[0].clone(), json!({ "type": "error", "status": status })];
    for (wrong, code) in [
        (cut.to_vec(), "GENERATION_FAILED"),
        (vec![], "GENERATION_FAILED"),
        (error(502), "GENERATION_UNAVAILABLE"),
        (error(504), "GENERATION_TIMEOUT"),
        (error(500), "GENERATION_FAILED"),
        (error(7), "GENERATION_UNAVAILABLE"),
        (vec![json!({ "type": "other" })], "GENERATION_FAILED"),
        (vec![json!("half"), json!(7)], "GENERATION_FAILED"),
        (vec![json!({ "type": "done", "data": { "id": 7 } })], "GENERATION_FAILED"),
    ] {
        let answer = wrong.clone();
        let service = Service::responding(move || lines(&answer)).await;
        let gateway = Gateway::of(&service).await;
        let failure = gateway.failure(gateway.input(json!({}))).await;
        assert_eq!(failure.0, code, "{wrong:?}");
    }
}

#[tokio::test]
async fn of_cards_that_never_end_no_more_are_kept_than_were_asked_for() {
    let card = note_in_lines().remove(0);
    let service = Service::responding(move || {
        let line = format!("{card}\n");
        let lines = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(line.clone()));
        in_parts(axum::body::Body::from_stream(lines))
    })
    .await;
    let gateway = Gateway::of(&service).await;
    let id = gateway.start(gateway.input(json!({ "maxCards": 5 }))).await;
    let job = gateway
        .job_when(&id, |job| {
            assert!(job["drafts"].as_array().unwrap().len() <= 5, "{job}");
            job["step"] == "DONE"
        })
        .await;
    assert_eq!(job["state"], "FAILED", "{job}");
}

#[tokio::test]
async fn jobs_are_listed_from_the_newest_on() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, gateway.data(gateway.input(json!({}))).await["id"].take());
    }
    let list = "query($first: Int, $after: String, $last: Int) { generationJobs(first: $first, after: $after, last: $last) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let page = async |variables: Value| {
        let mut list = gateway.ask(list, variables).await["generationJobs"].take();
        let nodes = list["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone());
        let nodes: Vec<_> = nodes.collect();
        (nodes, list["pageInfo"].take())
    };
    let (first, info) = page(json!({ "first": 2 })).await;
    assert_eq!((&first[..], &info["hasNextPage"]), (&ids[..2], &json!(true)));
    let (second, info) = page(json!({ "first": 2, "after": info["endCursor"] })).await;
    assert_eq!((&second[..], &info["hasNextPage"]), (&ids[2..], &json!(false)));
    assert_eq!(page(json!({ "last": 1 })).await.0, ids[2..]);
}

#[tokio::test]
async fn nothing_is_left_of_an_account_that_is_gone_and_nothing_comes() {
    let service = silent(1).await;
    let gateway = Gateway::of(&service).await;
    let id = gateway.start(gateway.input(json!({}))).await;
    gateway.job_when(&id, |job| job["step"] == "DRAFTING").await;
    let gone = deleted_account(gateway.owner);
    for _ in 0..2 {
        gateway.endpoint.apply(Arc::new([gone.clone()])).await.unwrap();
    }
    let all = gateway.ask("{ generationJobs { nodes { id } } }", json!({})).await;
    assert_eq!(all["generationJobs"]["nodes"], json!([]));
    let error = gateway.error_as(caller(gateway.owner), GENERATE, gateway.input(json!({}))).await;
    assert_eq!(error.0, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_known_key_is_answered_before_anything_else_is_looked_at() {
    let service = Service::answering(note(json!({}))).await;
    let gateway = Gateway::of(&service).await;
    gateway.config.set(json!({ "generationCards": 30 }));
    let input = |cards: u32| gateway.input(json!({ "idempotencyKey": "k", "maxCards": cards }));
    let id = gateway.start(input(50)).await;
    let job = gateway.job_when(&id, |job| job["state"] == "READY").await;
    assert_eq!(job["maxCards"], 30, "as many as there may be");

    // Limits get narrower than the text and the number, the deck fills up, decks does not answer, and there are other prompts.
    gateway.config.set(json!({ "generationCards": 5, "generationTextLength": 3 }));
    gateway.clock.advance(jiff::SignedDuration::from_mins(10));
    gateway.decks.is_broken.store(true, Ordering::Relaxed);
    assert_eq!(gateway.start(input(50)).await, id);
    gateway.config.unplug();
    assert_eq!(gateway.start(input(50)).await, id);
    // Another request of the same key is another one still, whatever is wrong with it besides.
    for more in [json!({ "maxCards": 30 }), json!({ "text": "Another." }), json!({ "prompt": "p" })]
    {
        let mut input = json!({ "idempotencyKey": "k", "maxCards": 50 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(gateway.error(gateway.input(input)).await.0, "CONFLICT", "{more}");
    }
    let error = gateway.error(gateway.input(json!({}))).await;
    assert_eq!(error.0, "BAD_USER_INPUT", "a new one is held to the limits that are known");
    assert_eq!(service.calls().len(), 1);
}

#[tokio::test]
async fn a_job_that_is_cancelled_is_called_off_with_the_service() {
    let service = silent(1).await;
    let gateway = Gateway::waiting(&service.url, Bounds::default(), Duration::from_secs(60)).await;
    let id = gateway.start(gateway.input(json!({}))).await;
    gateway.job_when(&id, |job| job["step"] == "DRAFTING").await;
    gateway.ask(CANCEL, json!({ "id": id })).await;
    let called_off = || service.called_off.lock().unwrap().clone();
    for _ in 0..1_000 {
        if !called_off().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(called_off(), [id.as_str().unwrap()]);
    // One that ends by itself is not.
    gateway.data(gateway.input(json!({}))).await;
    assert_eq!(called_off().len(), 1);
}

#[tokio::test]
async fn a_draft_that_comes_soon_after_another_is_shown_though_none_follows() {
    let all = || {
        let lines = note_in_lines();
        lines_and_silence(&[lines[0].clone(), lines[2].clone()])
    };
    let service = Service::responding(all).await;
    let gateway = Gateway::waiting(&service.url, Bounds::default(), Duration::from_secs(60)).await;
    let id = gateway.start(gateway.input(json!({ "maxCards": 4 }))).await;
    let two = |job: &Value| job["drafts"].as_array().is_some_and(|drafts| drafts.len() == 2);
    let job = gateway.job_when(&id, two).await;
    assert_eq!((&job["state"], &job["progress"]), (&json!("RUNNING"), &json!(0.5)), "{job}");
}
