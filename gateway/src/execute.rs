//! Runs a prepared operation: the engine fetches, merges and projects; the transports reach the subgraphs.

use std::sync::Arc;

use common::Caller;
use federation::{ExecuteSettings, Object, OperationKind, Payload, Prepared};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderValue;

use crate::outcome::{Executed, Outcome};
use crate::transport::{RequestFetch, Transports};

/// The engine's answer, with the cookies that subgraphs set on the way.
///
/// # Errors
/// [`Outcome::RequestError`] when the variables do not fit the operation.
pub(crate) async fn execute(
    prepared: &Prepared,
    variables: Object,
    transports: &Arc<Transports>,
    caller: Caller,
    settings: &ExecuteSettings,
) -> Result<Executed, Outcome> {
    let fetch = RequestFetch::new(transports.clone(), Arc::new(caller));
    let response = federation::execute(prepared, variables, settings, &fetch)
        .await
        .map_err(Outcome::RequestError)?;
    Ok(Executed { response, cookies: fetch.take_cookies() })
}

/// An answer that comes in parts.
pub(crate) struct Opened {
    pub(crate) payloads: BoxStream<'static, Payload>,
    /// What subgraphs set before the first part. Whatever they set later comes too late for a header.
    pub(crate) cookies: Vec<HeaderValue>,
}

/// Starts to answer. The first part of a query or mutation is there then; a subscription is open.
///
/// # Errors
/// [`Outcome::RequestError`] when the variables do not fit the operation.
pub(crate) async fn open(
    prepared: Arc<Prepared>,
    variables: Object,
    transports: &Arc<Transports>,
    caller: Caller,
    settings: &ExecuteSettings,
) -> Result<Opened, Outcome> {
    let kind = prepared.kind();
    let fetch = RequestFetch::new(transports.clone(), Arc::new(caller));
    let settings = settings.clone();
    let mut payloads = federation::execute_stream(prepared, variables, settings, fetch.clone())
        .await
        .map_err(Outcome::RequestError)?;
    if kind != OperationKind::Subscription
        && let Some(first) = payloads.next().await
    {
        payloads = futures::stream::iter([first]).chain(payloads).boxed();
    }
    Ok(Opened { payloads, cookies: fetch.take_cookies() })
}
