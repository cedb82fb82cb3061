//! Runs a prepared operation: the engine fetches, merges and projects; the transports reach the subgraphs.

use std::sync::Arc;

use federation::{OperationKind, Payload, Prepared, Variables};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderMap;

use crate::authorise::Refusals;
use crate::explain::Explain;
use crate::extensions::Extensions;
use crate::mask::mask_payload;
use crate::outcome::{Executed, Outcome, Part};
use crate::settings::GatewaySettings;
use crate::transport::{Exchange, RequestFetch, Transports};

/// The engine's answer, with the headers that subgraphs send on the way, and how it came about where that was asked for.
///
/// # Errors
/// [`Outcome::RequestError`] when what the variables leave of the operation cannot be planned.
pub(crate) async fn execute(
    prepared: &Prepared,
    variables: Variables,
    transports: &Arc<Transports>,
    exchange: Exchange,
    settings: &GatewaySettings,
) -> Result<Executed, Outcome> {
    let refusals = Refusals::to(exchange.caller.viewer.as_ref());
    let fetch = RequestFetch::new(transports.clone(), Arc::new(exchange));
    let mut response = federation::execute(prepared, variables, &settings.execution, &fetch)
        .await
        .map_err(Outcome::RequestError)?;
    refusals.name(&mut response.errors);
    let exchange = fetch.exchange();
    let plan = exchange.explain.as_ref().map(|explain| explain.told());
    let mut executed = Executed::new(response, exchange.take_headers(), exchange.policy());
    executed.extensions.plan = plan;
    Ok(executed)
}

/// An answer that comes in parts.
pub(crate) struct Opened {
    pub(crate) parts: BoxStream<'static, Part>,
    /// What subgraphs sent for the client before the first part. Whatever they send later comes too late for a header.
    pub(crate) headers: HeaderMap,
}

/// Starts to answer. The first part of a query or mutation is there then; a subscription is open. Errors in the parts are named and masked.
///
/// # Errors
/// [`Outcome::RequestError`] when what the variables leave of the operation cannot be planned.
pub(crate) async fn open(
    prepared: Arc<Prepared>,
    variables: Variables,
    transports: &Arc<Transports>,
    exchange: Exchange,
    settings: &GatewaySettings,
) -> Result<Opened, Outcome> {
    let kind = prepared.kind();
    let refusals = Refusals::to(exchange.caller.viewer.as_ref());
    let fetch = RequestFetch::new(transports.clone(), Arc::new(exchange));
    let execution = settings.execution.clone();
    let mut payloads = federation::execute_stream(prepared, variables, execution, fetch.clone())
        .await
        .map_err(Outcome::RequestError)?;
    if kind != OperationKind::Subscription
        && let Some(first) = payloads.next().await
    {
        payloads = futures::stream::iter([first]).chain(payloads).boxed();
    }
    let (transports, errors) = (transports.clone(), settings.errors.clone());
    let headers = fetch.exchange().take_headers();
    let parts = payloads.map(move |mut payload| {
        refusals.name_in(&mut payload);
        mask_payload(&mut payload, &transports, &errors);
        let is_last = match &payload {
            Payload::Response(_) => true,
            Payload::Initial(_) => false,
            Payload::Subsequent(part) => !part.has_next,
        };
        let explain = fetch.exchange().explain.as_ref().filter(|_| is_last);
        let extensions = Extensions { plan: explain.map(Explain::told), cost: None };
        Part { payload, extensions }
    });
    Ok(Opened { parts: parts.boxed(), headers })
}
