//! Sends a request again that got no answer, where it may be sent twice: after a while that doubles each time and differs by chance, and
//! only while retries are a small part of all requests, so that a subgraph in trouble is not buried under them.

use std::time::Duration;

use http::StatusCode;
use tower::retry::backoff::{
    Backoff, ExponentialBackoff, ExponentialBackoffMaker, InvalidBackoff, MakeBackoff,
};
use tower::retry::budget::{Budget, TpsBudget};

/// How far back the budget looks.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);
/// Retries a second that are allowed however few requests there are: without them nothing is ever retried in quiet times.
const ALWAYS_ALLOWED: u32 = 1;
/// By which part a wait may be longer than it was computed.
const JITTER: f64 = 0.5;

/// How queries are tried again. Mutations never are.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySettings {
    /// How often one request is sent again at most.
    pub most: u32,
    /// How many retries there may be for each request, from 0 to 1; besides, one a second is always allowed.
    pub budget: f32,
    /// How long to wait before the first one. Each further wait is twice as long, plus up to half of it by chance.
    pub wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            most: 2,
            budget: 0.2,
            wait: Duration::from_millis(20),
            longest_wait: Duration::from_secs(1),
        }
    }
}

/// The retries of one subgraph.
#[derive(Debug)]
pub(super) struct Retry {
    most: u32,
    budget: TpsBudget,
    backoff: ExponentialBackoffMaker,
}

/// The retries of one request.
#[derive(Debug)]
pub(super) struct Retries<'a> {
    left: u32,
    budget: &'a TpsBudget,
    backoff: ExponentialBackoff,
}

impl Retry {
    /// # Errors
    /// When the waits make no sense: the first is longer than the longest, or the longest is nothing.
    pub(super) fn new(settings: &RetrySettings) -> Result<Self, InvalidBackoff> {
        let rng = tower::util::rng::HasherRng::default();
        Ok(Self {
            most: settings.most,
            budget: TpsBudget::new(BUDGET_WINDOW, ALWAYS_ALLOWED, settings.budget.clamp(0.0, 1.0)),
            backoff: ExponentialBackoffMaker::new(
                settings.wait,
                settings.longest_wait,
                JITTER,
                rng,
            )?,
        })
    }

    /// Those of a new request, which adds to the budget.
    pub(super) fn start(&self) -> Retries<'_> {
        self.budget.deposit();
        let backoff = self.backoff.clone().make_backoff();
        Retries { left: self.most, budget: &self.budget, backoff }
    }
}

impl Retries<'_> {
    /// Waits until the request is to be sent again; false at once when it is not to be.
    pub(super) async fn again(&mut self) -> bool {
        if self.left == 0 || !self.budget.withdraw() {
            return false;
        }
        self.left -= 1;
        self.backoff.next_backoff().await;
        true
    }
}

/// Whether an answer with this status may be another one in a moment: the subgraph itself did not answer.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_differ() {
        let settings = RetrySettings {
            most: 4,
            budget: 1.0,
            wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(60),
        };
        let retry = Retry::new(&settings).unwrap();
        for _ in 0..3 {
            let _request = retry.start();
        }
        let mut retries = retry.start();
        for least in [100, 200, 400, 800] {
            let before = Instant::now();
            assert!(retries.again().await);
            let waited = before.elapsed().as_millis();
            assert!((least..=least * 3 / 2 + 1).contains(&waited), "{waited} ms, not {least}");
        }
        assert!(!retries.again().await, "no more than were allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn they_stay_a_small_part_of_all_requests() {
        let settings = RetrySettings { most: 5, budget: 0.2, ..RetrySettings::default() };
        let retry = Retry::new(&settings).unwrap();
        let mut sent_again = 0;
        for _ in 0..200 {
            let mut retries = retry.start();
            while retries.again().await {
                sent_again += 1;
            }
        }
        let reserve = u128::from(ALWAYS_ALLOWED) * BUDGET_WINDOW.as_millis() / 1000;
        assert!((40..=41 + reserve).contains(&sent_again), "{sent_again}");
    }

    #[test]
    fn waits_that_make_no_sense_are_refused() {
        let settings = RetrySettings { wait: Duration::from_secs(2), ..RetrySettings::default() };
        assert!(Retry::new(&settings).is_err());
    }
}
