//! What the steps of a request share: made once, when the gateway starts.

use std::sync::Arc;

use http::HeaderMap;

use crate::authenticate::{Authenticator, Identity};
use crate::health::Drain;
use crate::live::{Clients, Reservations};
use crate::outcome::Outcome;
use crate::prepare::Operations;
use crate::settings::GatewaySettings;
use crate::transport::Transports;

/// What the steps of a request share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) operations: Operations,
    pub(crate) transports: Arc<Transports>,
    /// None where everybody is anonymous.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
    pub(crate) settings: GatewaySettings,
    pub(crate) drain: Drain,
    pub(crate) clients: Clients,
    pub(crate) reservations: Reservations,
}

impl State {
    /// Who is asking; nobody where nobody is asked who he is.
    ///
    /// # Errors
    /// As those of [`Authenticator::authenticate`].
    pub(crate) fn identify(
        &self,
        headers: &HeaderMap,
        by_safe_method: bool,
    ) -> Result<Identity, Outcome> {
        match &self.authenticator {
            Some(authenticator) => authenticator.authenticate(headers, by_safe_method),
            None => Ok(Identity::default()),
        }
    }
}
