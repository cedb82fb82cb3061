//! Delivery of events from one domain to others, at least once.
//!
//! A domain writes an event in the same transaction as the change it tells of, then calls [`Outbox::flush`] before it answers, so
//! that in the common case its caller reads its own writes everywhere. When a subscriber is down, the event stays in the store, and a
//! background task tries again. A kill at any instant loses nothing: what is not marked as delivered is delivered again.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use crate::metrics::OutboxMetrics;
use crate::{Endpoint, EndpointError, Event, EventId, StoreError};

/// How many events are handed over in one call, at most, unless the store says otherwise,
const BATCH: usize = 500;
/// and how much work they may be together, unless it is one alone: see [`Event::weight`].
const WEIGHT: usize = 2_000;
/// How long a mutation waits for delivery before it answers all the same.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// How often what could not be delivered is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// The part of a domain's store that holds undelivered events.
pub trait OutboxStore: Send + Sync {
    /// The oldest undelivered events, at most `limit`.
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>>;

    /// How many events are handed over in one call, at most: few where one of them may be large.
    fn batch(&self) -> usize {
        BATCH
    }

    /// Forgets events that were delivered.
    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Hands a domain's events to those who subscribed to them.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    domain: &'static str,
    store: Arc<dyn OutboxStore>,
    subscribers: Vec<Arc<dyn Endpoint>>,
    delivering: Mutex<()>,
    metrics: OutboxMetrics,
}

#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Subscriber(#[from] EndpointError),
}

impl Outbox {
    /// Starts to deliver, what an earlier run left behind first. It ends when the last clone is dropped. Must be called within a tokio
    /// runtime.
    #[must_use]
    pub fn start(
        domain: &'static str,
        store: Arc<dyn OutboxStore>,
        subscribers: Vec<Arc<dyn Endpoint>>,
    ) -> Self {
        let (delivering, metrics) = (Mutex::default(), OutboxMetrics::of(domain));
        let inner = Arc::new(Inner { domain, store, subscribers, delivering, metrics });
        let background = Arc::downgrade(&inner);
        tokio::spawn(async move {
            while let Some(inner) = background.upgrade() {
                if let Err(error) = inner.deliver().await {
                    tracing::warn!(domain, %error, "events wait for delivery");
                }
                drop(inner);
                tokio::time::sleep(RETRY_EVERY).await;
            }
        });
        Self(inner)
    }

    /// Delivers what is waiting, or gives up after a while and leaves it to the background task.
    pub async fn flush(&self) {
        let domain = self.0.domain;
        match tokio::time::timeout(FLUSH_TIMEOUT, self.0.deliver()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(domain, %error, "events wait for delivery"),
            Err(_) => {
                self.0.metrics.note(false);
                tracing::warn!(domain, "events wait for a slow subscriber");
            }
        }
    }
}

impl Inner {
    async fn deliver(&self) -> Result<(), DeliveryError> {
        let delivered = self.deliver_all().await;
        self.metrics.note(delivered.is_ok());
        delivered
    }

    async fn deliver_all(&self) -> Result<(), DeliveryError> {
        let _one_at_a_time = self.delivering.lock().await;
        let batch = self.store.batch();
        loop {
            let mut pending = self.store.pending(batch).await?;
            let last = pending.len() < batch;
            while !pending.is_empty() {
                let rest = pending.split_off(light(&pending));
                let (ids, events): (Vec<_>, Vec<_>) =
                    std::mem::replace(&mut pending, rest).into_iter().unzip();
                let events: Arc<[Event]> = events.into();
                for subscriber in &self.subscribers {
                    subscriber.apply(events.clone()).await?;
                }
                let told = ids.len();
                self.store.delivered(ids).await?;
                self.metrics.told(told);
            }
            if last {
                return Ok(());
            }
        }
    }
}

/// How many of the first events may go in one call: at least one.
fn light(events: &[(EventId, Event)]) -> usize {
    let weights = events.iter().scan(0, |sum, (_, event)| {
        *sum += event.weight();
        Some(*sum)
    });
    weights.take_while(|sum| *sum <= WEIGHT).count().max(1)
}
