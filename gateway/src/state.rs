//! What the steps of a request share: made once, when the gateway starts.

use std::sync::Arc;

use crate::authenticate::Authenticator;
use crate::health::Drain;
use crate::live::{Clients, Reservations};
use crate::prepare::Operations;
use crate::settings::GatewaySettings;
use crate::transport::Transports;

/// What the steps of a request share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) operations: Operations,
    pub(crate) transports: Arc<Transports>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) settings: GatewaySettings,
    pub(crate) drain: Drain,
    pub(crate) clients: Clients,
    pub(crate) reservations: Reservations,
}
