//! Answers an operation over time: the events of a subscription, each completed by the rest of its plan.
//!
//! Events are answered one after the other, in the order in which they came, and the next is taken only when the last was
//! taken from us: whoever reads slowly slows the subgraph down, and nothing piles up here.

use std::sync::Arc;

use async_stream::stream;
use futures::stream::{BoxStream, StreamExt};

use crate::operation::{OperationKind, RequestError};
use crate::plan::Prepared;

use super::payload::Payload;
use super::project;
use super::response::Response;
use super::run::Run;
use super::{Events, ExecuteSettings, Fetch, FetchError, FetchResponse, Started, execute, start};

/// Executes a prepared operation of any kind and answers with a stream: of one response for a query or mutation, of one
/// for each event of a subscription. It ends when the subgraph's stream does, or breaks; dropping it ends the subscription.
///
/// # Errors
/// When the variables do not fit what the operation declares; nothing has been fetched then.
pub async fn execute_stream<F: Fetch + 'static>(
    prepared: Arc<Prepared>,
    variables: crate::value::Object,
    settings: ExecuteSettings,
    fetch: F,
) -> Result<BoxStream<'static, Payload>, Vec<RequestError>> {
    if prepared.kind() != OperationKind::Subscription {
        let response = execute(&prepared, variables, &settings, &fetch).await?;
        return Ok(futures::stream::iter([Payload::Response(response)]).boxed());
    }
    let started = start(&prepared, variables, &settings)?;
    let events = open(&started, &settings, &fetch).await;
    Ok(answers(events, started, settings, fetch).boxed())
}

/// The events of the fetch that the plan begins with. When it cannot be opened, that is the only event.
async fn open<F: Fetch>(started: &Started, settings: &ExecuteSettings, fetch: &F) -> Events {
    let mut run = Run::new(&started.variant.plan, &started.variables, settings);
    let first = match run.first().first() {
        Some(&first) => run.ask(first).pop(),
        None => None,
    };
    let opened = match first {
        Some(asked) => fetch.subscribe(asked.request).await,
        None => Ok(futures::stream::empty().boxed()),
    };
    opened.unwrap_or_else(|error| futures::stream::iter([Err(error)]).boxed())
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
            yield Payload::Response(answer(&started, &settings, event, &fetch).await);
            if broke {
                break;
            }
        }
    }
}

/// Runs what follows the first fetch, which answered `event`.
async fn answer<F: Fetch>(
    started: &Started,
    settings: &ExecuteSettings,
    event: Result<FetchResponse, FetchError>,
    fetch: &F,
) -> Response {
    let mut run = Run::new(&started.variant.plan, &started.variables, settings);
    let mut ready = Vec::new();
    if let [first] = run.first()[..] {
        run.take(first, None, event);
        run.done(first, &mut ready);
    }
    run.go(ready, fetch).await;
    project::project(&started.variant.shape, &run.arena, &started.introspected, run.errors)
}
