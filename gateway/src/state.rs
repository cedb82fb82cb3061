//! What the steps of a request share: made once, when the gateway starts. Only the graph is replaced, as a whole.

use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;

use crate::authenticate::Authenticator;
use crate::graph::Graph;
use crate::health::Drain;
use crate::settings::GatewaySettings;
use crate::under_way::UnderWay;

/// What the steps of a request share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) graph: ArcSwap<Graph>,
    /// Whether a newer supergraph is there that cannot be used.
    pub(crate) is_stale: AtomicBool,
    /// None where everybody is anonymous.
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) settings: GatewaySettings,
    pub(crate) under_way: UnderWay,
    pub(crate) drain: Drain,
}
