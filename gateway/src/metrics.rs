//! What the gateway counts and measures. Handles are made once for each operation's name and each subgraph, so that a request counts without
//! allocating.
//!
//! Clients choose the names of their operations, so that there are places for so many only, and none for what people who are not signed in send:
//! all others are counted together, as `other`.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ahash::HashMap;
use common::metrics::{self, Counters, Gauges, Histograms};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// How many names of operations are told apart.
const NAMES: usize = 200;
const OTHER: &str = "other";
const ANONYMOUS: &str = "anonymous";

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Points, which are no whole numbers.
type Points = Counter<f64, AtomicU64>;

/// What the gateway counts and measures.
pub(crate) struct Metrics {
    operations: Named<OperationMetrics>,
    fetches: Named<FetchMetrics>,
    answered: [Counter; 5],
    refusals: Counters,
    requested: Points,
    actual: Points,
    running: Gauge,
    waiting: Gauge,
    prepared: Hits,
    responses: Hits,
}

/// Requests, errors and durations of an operation.
pub(crate) struct OperationMetrics {
    total: Counter,
    errors: Counter,
    seconds: Histogram,
}

/// Those of a subgraph.
pub(crate) struct FetchMetrics {
    total: Counter,
    errors: Counter,
    seconds: Histogram,
}

/// How often something was found in a cache, and how often not.
struct Hits {
    hit: Counter,
    miss: Counter,
}

/// Those of a kind by their names.
struct Named<T> {
    made: RwLock<HashMap<Box<str>, Arc<T>>>,
    make: Box<dyn Fn(&str) -> T + Send + Sync>,
}

impl<T> Named<T> {
    fn new(make: impl Fn(&str) -> T + Send + Sync + 'static) -> Self {
        Self { made: RwLock::default(), make: Box::new(make) }
    }

    fn find(&self, name: &str) -> Option<Arc<T>> {
        self.made.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// That of `name` if there are fewer than `most`; else that of all others.
    fn of(&self, name: &str, most: usize) -> Arc<T> {
        if let Some(found) = self.find(name) {
            return found;
        }
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        let name = if made.len() < most { name } else { OTHER };
        made.entry(name.into()).or_insert_with(|| Arc::new((self.make)(name))).clone()
    }
}

impl Metrics {
    fn new() -> Self {
        let operations: Counters =
            metrics::counters("spacey_operations", "Operations that could be run, by their names");
        let operation_errors: Counters = metrics::counters(
            "spacey_operation_errors",
            "Of these those that were refused, or answered with errors",
        );
        let operation_seconds: Histograms =
            metrics::histograms("spacey_operation_seconds", "How long they took");
        let fetches: Counters =
            metrics::counters("spacey_fetches", "Requests to subgraphs, by their names");
        let fetch_errors: Counters =
            metrics::counters("spacey_fetch_errors", "Of these those that were not answered");
        let fetch_seconds: Histograms =
            metrics::histograms("spacey_fetch_seconds", "How long they took");
        let requests: Counters = metrics::counters(
            "spacey_http_requests",
            "HTTP requests but those about health, by the class of their status",
        );
        let points = ["spacey_cost_requested_points", "spacey_cost_actual_points"];
        let points_help = ["What operations were estimated at", "What they cost"];
        let [requested, actual] = [0, 1]
            .map(|index| metrics::register(points[index], points_help[index], Points::default()));
        let running: Gauges =
            metrics::gauges("spacey_operations_running", "Operations that have a place");
        let waiting: Gauges =
            metrics::gauges("spacey_operations_waiting", "Operations that wait for a place");
        let hits: Counters =
            metrics::counters("spacey_cache_lookups", "Looks into caches, by what was found");
        let hits = |cache: &str| {
            let [hit, miss] = ["hit", "miss"].map(|result| {
                let labels = vec![("cache", cache.to_owned()), ("result", result.to_owned())];
                hits.get_or_create_owned(&labels)
            });
            Hits { hit, miss }
        };
        let of = |name: &str| vec![("operation", name.to_owned())];
        let of_subgraph = |name: &str| vec![("subgraph", name.to_owned())];
        Self {
            operations: Named::new(move |name| OperationMetrics {
                total: operations.get_or_create_owned(&of(name)),
                errors: operation_errors.get_or_create_owned(&of(name)),
                seconds: operation_seconds.get_or_create_owned(&of(name)),
            }),
            fetches: Named::new(move |name| FetchMetrics {
                total: fetches.get_or_create_owned(&of_subgraph(name)),
                errors: fetch_errors.get_or_create_owned(&of_subgraph(name)),
                seconds: fetch_seconds.get_or_create_owned(&of_subgraph(name)),
            }),
            answered: ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| requests.get_or_create_owned(&vec![("status", class.to_owned())])),
            refusals: metrics::counters(
                "spacey_refusals",
                "Requests that were refused as a whole, by the code that clients are told",
            ),
            requested,
            actual,
            running: running.get_or_create_owned(&Vec::new()),
            waiting: waiting.get_or_create_owned(&Vec::new()),
            prepared: hits("operations"),
            responses: hits("answers"),
        }
    }

    /// Those of this process.
    pub(crate) fn get() -> &'static Self {
        &METRICS
    }

    /// A request was answered with this status.
    pub(crate) fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, self.answered.len());
        self.answered[class - 1].inc();
    }

    /// A request was refused with this code, which is one of the gateway's own.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&vec![("code", code.to_owned())]).inc();
    }

    /// An operation begins, of somebody for whose names there may be a place.
    pub(crate) fn operation(&self, name: Option<&str>, may_take_place: bool) -> Watch {
        let name = name.unwrap_or(ANONYMOUS);
        let of = match self.operations.find(name) {
            Some(of) => of,
            None if may_take_place => self.operations.of(name, NAMES),
            None => self.operations.of(OTHER, usize::MAX),
        };
        Watch { of, begun: Instant::now() }
    }

    /// Those of a subgraph, of which there are as many as a supergraph names.
    pub(crate) fn fetch(&self, subgraph: &str) -> Arc<FetchMetrics> {
        self.fetches.of(subgraph, usize::MAX)
    }

    /// So many points were estimated.
    pub(crate) fn requested(&self, points: f64) {
        self.requested.inc_by(points.max(0.0));
    }

    /// So many points were due.
    pub(crate) fn cost(&self, points: f64) {
        self.actual.inc_by(points.max(0.0));
    }

    /// Operations that have a place.
    pub(crate) const fn running(&self) -> &Gauge {
        &self.running
    }

    /// An operation waits for a place until this is dropped.
    pub(crate) fn waits(&self) -> Waits<'_> {
        self.waiting.inc();
        Waits(&self.waiting)
    }

    /// An operation was ready to run, or not.
    pub(crate) fn prepared(&self, found: bool) {
        self.prepared.count(found);
    }

    /// An answer was kept, or not.
    pub(crate) fn kept(&self, found: bool) {
        self.responses.count(found);
    }
}

impl Hits {
    fn count(&self, found: bool) {
        if found { &self.hit } else { &self.miss }.inc();
    }
}

/// Until it is dropped, somebody waits.
pub(crate) struct Waits<'a>(&'a Gauge);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An operation that runs.
pub(crate) struct Watch {
    of: Arc<OperationMetrics>,
    begun: Instant,
}

impl Watch {
    /// It answered, with errors or without, or was refused. Tells how long it took.
    pub(crate) fn end(self, failed: bool) -> Duration {
        let took = self.begun.elapsed();
        self.of.total.inc();
        self.of.seconds.observe(took.as_secs_f64());
        if failed {
            self.of.errors.inc();
        }
        took
    }
}

impl FetchMetrics {
    /// A request was answered, or not.
    pub(crate) fn note(&self, took: Duration, answered: bool) {
        self.total.inc();
        self.seconds.observe(took.as_secs_f64());
        if !answered {
            self.errors.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_strangers_choose_take_no_place_and_others_a_bounded_number() {
        let metrics = Metrics::get();
        metrics.operation(Some("OfAStranger"), false).end(true);
        for number in 0..NAMES * 2 {
            metrics.operation(Some(&format!("OfSomebody{number}")), true).end(false);
        }
        metrics.operation(None, true).end(false);
        let names = metrics.operations.made.read().unwrap();
        assert!(names.len() <= NAMES + 1, "{}", names.len());
        assert!(names.contains_key(OTHER) && !names.contains_key("OfAStranger"));
        let page = metrics::page().unwrap();
        assert!(page.contains("spacey_operations_total{operation=\"OfSomebody1\"} 1"), "{page}");
        assert!(!page.contains("OfAStranger"));
    }

    #[test]
    fn statuses_are_counted_by_class() {
        for status in [0, 200, 204, 404, 599, 999] {
            Metrics::get().answered(status);
        }
        assert!(metrics::page().unwrap().contains("spacey_http_requests_total{status=\"4xx\"}"));
    }
}
