//! What this process counts and measures, for Prometheus: one page for all that runs in it.
//!
//! A name stands here or in `gateway/src/metrics.rs`, and nowhere else. Labels are of small, closed sets: a label whose values clients choose is
//! bounded where it is made. Nothing here tells who somebody is.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The media type of [`page`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;
/// Counters of one name.
pub type Counters = Family<Labels, Counter>;
/// Gauges of one name.
pub type Gauges = Family<Labels, Gauge>;
/// Histograms of seconds, of one name.
pub type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// Counters that are on the page from now on; a name is given once. On the page it ends with `_total`.
#[must_use]
pub fn counters(name: &'static str, help: &'static str) -> Counters {
    register(name, help, Counters::default())
}

/// Gauges, likewise.
#[must_use]
pub fn gauges(name: &'static str, help: &'static str) -> Gauges {
    register(name, help, Gauges::default())
}

/// Histograms, likewise, with bounds from a tenth of a millisecond to half a minute.
#[must_use]
pub fn histograms(name: &'static str, help: &'static str) -> Histograms {
    register(name, help, Histograms::new_with_constructor(histogram))
}

fn histogram() -> Histogram {
    Histogram::new([
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
        5.0, 10.0, 30.0,
    ])
}

/// Puts a metric of another kind on the page.
pub fn register<M: prometheus_client::registry::Metric + Clone>(
    name: &'static str,
    help: &'static str,
    metric: M,
) -> M {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric.clone());
    metric
}

/// The page as it is now.
///
/// # Errors
/// When a metric cannot be written.
pub fn page() -> Result<String, std::fmt::Error> {
    LazyLock::force(&OWN);
    let mut page = String::new();
    encode(&mut page, &REGISTRY.lock().unwrap_or_else(PoisonError::into_inner))?;
    Ok(page)
}

/// Those that domains share.
struct Own {
    store_seconds: Histograms,
    outbox_delivered: Counters,
    outbox_waiting: Gauges,
    jobs_running: Gauges,
    jobs_wait: Histograms,
}

static OWN: LazyLock<Own> = LazyLock::new(|| Own {
    store_seconds: histograms(
        "spacey_store_seconds",
        "How long stores took: of SQLite a read or a write with its commit, of MongoDB a command",
    ),
    outbox_delivered: counters(
        "spacey_outbox_events_delivered",
        "Events that a domain told those who follow it",
    ),
    outbox_waiting: gauges(
        "spacey_outbox_waiting_seconds",
        "For how long a domain has had events that it could not tell; 0 when it has none",
    ),
    jobs_running: gauges("spacey_jobs_running", "Jobs that this process works on"),
    jobs_wait: histograms("spacey_job_wait_seconds", "How long jobs waited until they were begun"),
});

/// How long a store's operations of a kind take.
#[must_use]
pub fn store_seconds(store: &str, operation: &str) -> Histogram {
    let labels = vec![("store", store.to_owned()), ("operation", operation.to_owned())];
    OWN.store_seconds.get_or_create_owned(&labels)
}

/// What is told of an outbox.
#[derive(Debug)]
pub struct OutboxMetrics {
    delivered: Counter,
    waiting: Gauge,
    since: Mutex<Option<Instant>>,
}

impl OutboxMetrics {
    /// That of a domain.
    #[must_use]
    pub fn of(domain: &str) -> Self {
        let labels = vec![("domain", domain.to_owned())];
        Self {
            delivered: OWN.outbox_delivered.get_or_create_owned(&labels),
            waiting: OWN.outbox_waiting.get_or_create_owned(&labels),
            since: Mutex::default(),
        }
    }

    /// So many events were told.
    pub fn told(&self, events: usize) {
        self.delivered.inc_by(events as u64);
    }

    /// Whether all that there was is told now.
    pub fn note(&self, is_empty: bool) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if is_empty { None } else { since.or_else(|| Some(Instant::now())) };
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        self.waiting.set(i64::try_from(waited.as_secs()).unwrap_or(i64::MAX));
    }
}

/// What is told of a domain's jobs.
#[derive(Debug)]
pub struct Jobs {
    running: Gauge,
    wait: Histogram,
}

impl Jobs {
    /// Those of a domain.
    #[must_use]
    pub fn of(domain: &str) -> Self {
        let labels = vec![("domain", domain.to_owned())];
        Self {
            running: OWN.jobs_running.get_or_create_owned(&labels),
            wait: OWN.jobs_wait.get_or_create_owned(&labels),
        }
    }

    /// One begins that waited so long.
    #[must_use]
    pub fn begin(&self, waited: Duration) -> RunningJob {
        self.wait.observe(waited.as_secs_f64());
        self.running.inc();
        RunningJob(self.running.clone())
    }
}

/// A job that is worked on, until it is dropped.
#[derive(Debug)]
pub struct RunningJob(Gauge);

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_on_the_page() {
        store_seconds("of the test", "read").observe(0.002);
        let outbox = OutboxMetrics::of("of the test");
        outbox.told(3);
        outbox.note(false);
        let job = Jobs::of("of the test").begin(Duration::from_secs(2));
        let during = page().unwrap();
        for line in [
            "spacey_store_seconds_count{store=\"of the test\",operation=\"read\"} 1",
            "spacey_outbox_events_delivered_total{domain=\"of the test\"} 3",
            "spacey_jobs_running{domain=\"of the test\"} 1",
            "spacey_job_wait_seconds_sum{domain=\"of the test\"} 2.0",
        ] {
            assert!(during.contains(line), "{line} in {during}");
        }
        drop(job);
        assert!(page().unwrap().contains("spacey_jobs_running{domain=\"of the test\"} 0"));
    }

    #[test]
    fn what_waits_waits_from_the_first_time_on() {
        let outbox = OutboxMetrics::of("another");
        let since = || *outbox.since.lock().unwrap();
        outbox.note(false);
        let first = since();
        outbox.note(false);
        assert!(first.is_some() && since() == first);
        outbox.note(true);
        assert_eq!(since(), None);
    }
}
