//! What the steps of a request share: made once, when the gateway starts.

use crate::authenticate::Authenticator;
use crate::health::Drain;
use crate::prepare::Operations;
use crate::settings::GatewaySettings;
use crate::transport::Transports;

/// What the steps of a request share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) operations: Operations,
    pub(crate) transports: Transports,
    /// None where everybody is anonymous.
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) settings: GatewaySettings,
    pub(crate) drain: Drain,
}
