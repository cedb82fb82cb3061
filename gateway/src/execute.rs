//! Runs a prepared operation: the engine fetches, merges and projects; the transports reach the subgraphs.

use std::sync::Arc;

use federation::{Object, Prepared};

use crate::outcome::{Executed, Outcome};
use crate::settings::GatewaySettings;
use crate::transport::{Exchange, RequestFetch, Transports};

/// The engine's answer, with the headers that subgraphs send on the way, and how it came about where that was asked for.
///
/// # Errors
/// [`Outcome::RequestError`] when the variables do not fit the operation.
pub(crate) async fn execute(
    prepared: &Prepared,
    variables: Object,
    transports: &Arc<Transports>,
    exchange: Exchange,
    settings: &GatewaySettings,
) -> Result<Executed, Outcome> {
    let fetch = RequestFetch::new(transports.clone(), Arc::new(exchange));
    let response = federation::execute(prepared, variables, &settings.execution, &fetch)
        .await
        .map_err(Outcome::RequestError)?;
    let exchange = fetch.exchange();
    let explanation = exchange.explain.as_ref().map(|explain| explain.finish(prepared));
    Ok(Executed { response, headers: exchange.take_headers(), explanation })
}
