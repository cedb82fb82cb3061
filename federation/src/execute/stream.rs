//! Answers an operation over time: the events of a subscription, each completed by the rest of its plan.
//!
//! Events are answered one after the other, in the order in which they came, and the next is taken only when the last was
//! taken from us: whoever reads slowly slows the subgraph down, and nothing piles up here.

use std::sync::Arc;

use async_stream::stream;
use futures::stream::{BoxStream, StreamExt};

use crate::operation::{OperationKind, RequestError, coerce_variables};
use crate::plan::{Prepared, Variant};
use crate::value::Object;

use super::payload::Payload;
use super::response::Response;
use super::{Events, Fetch, FetchResponse, execute, project, run};

/// Executes a prepared operation of any kind and answers with a stream: of one response for a query or mutation, of one
/// for each event of a subscription. It ends when the subgraph's stream does, or breaks; dropping it ends the subscription.
///
/// # Errors
/// When the variables do not fit what the operation declares; nothing has been fetched then.
pub async fn execute_stream<F: Fetch + 'static>(
    prepared: Arc<Prepared>,
    variables: Object,
    fetch: F,
) -> Result<BoxStream<'static, Payload>, Vec<RequestError>> {
    if prepared.kind() != OperationKind::Subscription {
        let response = execute(&prepared, variables, &fetch).await?;
        return Ok(futures::stream::iter([Payload::Response(response)]).boxed());
    }
    subscribe(prepared, variables, fetch).await
}

async fn subscribe<F: Fetch + 'static>(
    prepared: Arc<Prepared>,
    variables: Object,
    fetch: F,
) -> Result<BoxStream<'static, Payload>, Vec<RequestError>> {
    let document = prepared.document();
    let variables = coerce_variables(
        prepared.supergraph().api(),
        &document.operation,
        &document.executable.sources,
        variables,
    )?;
    let variant = prepared.variant(&variables).map_err(|error| vec![error])?;
    let opened = match run::source(&variant.plan, &variables) {
        Some(request) => fetch.subscribe(request).await,
        None => Ok(futures::stream::empty().boxed()),
    };
    let events: Events = match opened {
        Ok(events) => events,
        Err(error) => futures::stream::iter([Err(error)]).boxed(),
    };
    Ok(answers(events, variant, variables, fetch).boxed())
}

/// One answer for each event, until there are no more or they broke off, which the last answer tells.
fn answers<F: Fetch>(
    mut events: Events,
    variant: Arc<Variant>,
    variables: Object,
    fetch: F,
) -> impl futures::Stream<Item = Payload> + Send {
    stream! {
        while let Some(event) = events.next().await {
            let broke = event.is_err();
            let response = match event {
                Ok(event) => answer(&variant, &variables, event, &fetch).await,
                Err(error) => {
                    let errors = run::broken(&variant.plan, &error);
                    let data = crate::value::Value::Null;
                    project::project(&variant.shape, &data, &Object::default(), errors)
                }
            };
            yield Payload::Response(response);
            if broke {
                break;
            }
        }
    }
}

async fn answer<F: Fetch>(
    variant: &Variant,
    variables: &Object,
    event: FetchResponse,
    fetch: &F,
) -> Response {
    let (data, errors) = run::run_after(&variant.plan, variables, event, fetch).await;
    project::project(&variant.shape, &data, &Object::default(), errors)
}
