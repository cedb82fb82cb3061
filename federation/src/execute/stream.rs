//! Answers an operation over time: the events of a subscription, each completed by the rest of its plan; or the parts of a
//! response, each as soon as what it needs is fetched.
//!
//! Events are answered one after the other, in the order in which they came, and the next is taken only when the last was
//! taken from us: whoever reads slowly slows the subgraph down, and nothing piles up here.

use std::sync::Arc;

use async_stream::stream;
use futures::stream::{BoxStream, FuturesUnordered, StreamExt};

use crate::operation::{OperationKind, RequestError, Variables};
use crate::plan::Prepared;

use super::delivery::Deliveries;
use super::payload::Payload;
use super::project;
use super::response::Response;
use super::run::{Run, call};
use super::{Events, ExecuteSettings, Fetch, FetchError, FetchResponse, Started, execute, start};

/// Executes a prepared operation of any kind and answers with a stream: of one response for a query or mutation, or of its parts
/// where some are deferred, and of a response for each event of a subscription. That ends when the subgraph's stream does, or
/// breaks; dropping it ends the subscription.
///
/// # Errors
/// When what the variables leave of it cannot be planned; nothing has been fetched then.
pub async fn execute_stream<F: Fetch + 'static>(
    prepared: Arc<Prepared>,
    variables: Variables,
    settings: ExecuteSettings,
    fetch: F,
) -> Result<BoxStream<'static, Payload>, Vec<RequestError>> {
    if prepared.kind() != OperationKind::Subscription {
        if prepared.is_incremental() {
            let started = start(&prepared, variables, &settings, false)?;
            fetch.planned(&started.variant.plan);
            return Ok(parts(started, settings, fetch).boxed());
        }
        let response = execute(&prepared, variables, &settings, &fetch).await?;
        return Ok(futures::stream::iter([Payload::Response(response)]).boxed());
    }
    let started = start(&prepared, variables, &settings, true)?;
    fetch.planned(&started.variant.plan);
    let Some(events) = open(&started, &settings, &fetch).await else {
        // Nothing of it may be seen: the one answer is the errors that say so.
        let response = answer(&started, &settings, None, &fetch).await;
        return Ok(futures::stream::iter([Payload::Response(response)]).boxed());
    };
    Ok(answers(events, started, settings, fetch).boxed())
}

/// The events of the fetch that the plan begins with; none when nothing is left of the operation to ask for. When it cannot be
/// opened, that is the only event.
async fn open<F: Fetch>(
    started: &Started,
    settings: &ExecuteSettings,
    fetch: &F,
) -> Option<Events> {
    let mut run = Run::new(&started.variant.plan, &started.variables, settings);
    let first = *run.first().first()?;
    let asked = run.ask(first).pop()?;
    let opened = fetch.subscribe(asked.request).await;
    Some(opened.unwrap_or_else(|error| futures::stream::iter([Err(error)]).boxed()))
}

/// One answer for each event, until there are no more or they broke off, which the last answer tells.
fn answers<F: Fetch>(
    mut events: Events,
    started: Started,
    settings: ExecuteSettings,
    fetch: F,
) -> impl futures::Stream<Item = Payload> + Send {
    stream! {
        while let Some(event) = events.next().await {
            let broke = event.is_err();
            yield Payload::Response(answer(&started, &settings, Some(event), &fetch).await);
            if broke {
                break;
            }
        }
    }
}

/// Runs what follows the first fetch, which answered `event`, if there is one.
async fn answer<F: Fetch>(
    started: &Started,
    settings: &ExecuteSettings,
    event: Option<Result<FetchResponse, FetchError>>,
    fetch: &F,
) -> Response {
    let mut run = Run::new(&started.variant.plan, &started.variables, settings);
    run.withhold(&started.variant.refused);
    let mut ready = Vec::new();
    if let ([first], Some(event)) = (&run.first()[..], event) {
        let first = *first;
        run.take(first, &[], event);
        run.done(first, &mut ready);
    }
    run.go(ready, fetch).await;
    project::project(started, &run.arena, run.errors, settings.response_bytes)
}

/// The parts of a response.
fn parts<F: Fetch>(
    started: Started,
    settings: ExecuteSettings,
    fetch: F,
) -> impl futures::Stream<Item = Payload> + Send {
    stream! {
        let mut run = Run::new(&started.variant.plan, &started.variables, &settings);
        let mut deliveries = Deliveries::new(&started, settings.response_bytes);
        run.withhold(&started.variant.refused);
        deliveries.told_at_once().append(&mut run.errors);
        let mut running = FuturesUnordered::new();
        let mut ready = run.first();
        loop {
            while let Some(index) = ready.pop() {
                let asked = run.ask(index);
                deliveries.errors_of(index).append(&mut run.errors);
                if asked.is_empty() {
                    run.done(index, &mut ready);
                    deliveries.done(index);
                }
                running.extend(asked.into_iter().map(|asked| call(&fetch, asked)));
            }
            while let Some(payload) = deliveries.next(&run.arena) {
                let has_next = payload.has_next();
                yield payload;
                if !has_next {
                    return;
                }
            }
            let Some((index, batches, answer)) = running.next().await else { return };
            run.take(index, &batches, answer);
            deliveries.errors_of(index).append(&mut run.errors);
            if run.is_answered(index) {
                run.done(index, &mut ready);
                deliveries.done(index);
            }
        }
    }
}
