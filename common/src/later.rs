//! A domain of this process that is opened later than one which tells it things. Two domains that tell each other things cannot both be opened
//! after the other.
//!
//! It holds the domain weakly: two that held each other would never end. Until the domain is there, and once it is gone, nothing reaches it,
//! and what is told waits in the outbox of whoever tells it.

use std::sync::{Arc, OnceLock, Weak};

use async_graphql::Response;
use futures::future::BoxFuture;

use crate::{Caller, Endpoint, EndpointError, Event, SubgraphRequest};

/// A domain that is opened later.
pub struct Later {
    name: &'static str,
    domain: OnceLock<Weak<dyn Endpoint>>,
}

impl Later {
    /// The domain of this name, which is not there yet.
    #[must_use]
    pub fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, domain: OnceLock::new() })
    }

    /// Says that it is there. Only the first time counts.
    pub fn is(&self, domain: &Arc<dyn Endpoint>) {
        self.domain.get_or_init(|| Arc::downgrade(domain));
    }

    fn domain(&self) -> Result<Arc<dyn Endpoint>, EndpointError> {
        self.domain.get().and_then(Weak::upgrade).ok_or_else(|| EndpointError::Unreachable {
            endpoint: self.name.to_owned(),
            source: "it is not open".into(),
        })
    }
}

impl Endpoint for Later {
    fn name(&self) -> &str {
        self.name
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { self.domain()?.sdl().await })
    }

    fn execute(
        &self,
        request: SubgraphRequest,
        caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async { self.domain()?.execute(request, caller).await })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { self.domain()?.apply(events).await })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { self.domain()?.ready().await })
    }
}
