//! Runs a prepared operation: the engine fetches, merges and projects; the transports reach the subgraphs.

use std::sync::Arc;

use common::Caller;
use federation::{ExecuteSettings, Object, Prepared};

use crate::outcome::{Executed, Outcome};
use crate::transport::{RequestFetch, Transports};

/// The engine's answer, with the cookies that subgraphs set on the way.
///
/// # Errors
/// [`Outcome::RequestError`] when the variables do not fit the operation.
pub(crate) async fn execute(
    prepared: &Prepared,
    variables: Object,
    transports: &Transports,
    caller: Caller,
    settings: &ExecuteSettings,
) -> Result<Executed, Outcome> {
    let fetch = RequestFetch::new(transports, Arc::new(caller));
    let response = federation::execute(prepared, variables, settings, &fetch)
        .await
        .map_err(Outcome::RequestError)?;
    Ok(Executed { response, cookies: fetch.into_cookies() })
}
