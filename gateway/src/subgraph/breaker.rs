//! Leaves a subgraph alone that keeps failing, so that requests fail at once rather than pile up, and looks now and then whether it is well again.
//!
//! Closed, it counts; when within the window too large a part of enough requests failed, it opens. Open, it lets nothing through. After
//! a while it lets a single request through: if that is answered it closes, else it stays open for as long again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a circuit breaker opens, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerSettings {
    /// How far back failures count.
    pub window: Duration,
    /// How many requests of the window there must be before it may open.
    pub minimum: u32,
    /// The part of them that must have failed, above 0 and up to 1.
    pub ratio: f64,
    /// How long it stays open before it tries one request.
    pub open_for: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            minimum: 10,
            ratio: 0.5,
            open_for: Duration::from_secs(5),
        }
    }
}

/// The breaker is open: nothing was sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subgraph keeps failing and is left alone for a while")]
pub(crate) struct Open;

/// The circuit breaker of one subgraph.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open { until: Instant },
    Probing,
}

/// What happened lately, in two halves, so that what is old is forgotten by half the window at a time.
#[derive(Debug)]
struct Window {
    since: Instant,
    current: Counts,
    before: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    requests: u32,
    failures: u32,
}

/// Leave to send one request, whose outcome is to be reported. One that is dropped without was given up by the client and says nothing.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    reported: bool,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::new(State::Closed(Window::new())) }
    }

    /// Asks for leave to send a request.
    ///
    /// # Errors
    /// [`Open`] when there is none.
    pub(super) fn admit(&self) -> Result<Admission<'_>, Open> {
        let mut state = self.lock();
        let is_probe = match *state {
            State::Closed(_) => false,
            State::Open { until } if Instant::now() >= until => true,
            State::Open { .. } | State::Probing => return Err(Open),
        };
        if is_probe {
            *state = State::Probing;
        }
        Ok(Admission { breaker: self, is_probe, reported: false })
    }

    fn note(&self, is_probe: bool, answered: bool) {
        let now = Instant::now();
        let open = State::Open { until: now + self.settings.open_for };
        let mut state = self.lock();
        match &mut *state {
            State::Probing if is_probe && answered => *state = State::Closed(Window::new()),
            State::Probing if is_probe => *state = open,
            State::Closed(window) => {
                let counts = window.count(now, self.settings.window, answered);
                if !answered && counts.are_too_many(&self.settings) {
                    tracing::warn!("a circuit breaker opens");
                    *state = open;
                }
            }
            // An answer to what was sent before it opened.
            State::Open { .. } | State::Probing => {}
        }
    }

    /// A panic elsewhere leaves the state whole: it is replaced at once.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission<'_> {
    /// Says how it went.
    pub(super) fn report(mut self, answered: bool) {
        self.reported = true;
        self.breaker.note(self.is_probe, answered);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.reported {
            // Somebody else may try at once.
            *self.breaker.lock() = State::Open { until: Instant::now() };
        }
    }
}

impl Window {
    fn new() -> Self {
        Self { since: Instant::now(), current: Counts::default(), before: Counts::default() }
    }

    /// Counts a request, and gives what the window holds with it.
    fn count(&mut self, now: Instant, length: Duration, answered: bool) -> Counts {
        let age = now.duration_since(self.since);
        if age >= length / 2 {
            self.before = if age < length { self.current } else { Counts::default() };
            self.current = Counts::default();
            self.since = now;
        }
        self.current.requests += 1;
        self.current.failures += u32::from(!answered);
        Counts {
            requests: self.current.requests + self.before.requests,
            failures: self.current.failures + self.before.failures,
        }
    }
}

impl Counts {
    fn are_too_many(self, settings: &BreakerSettings) -> bool {
        let failed = f64::from(self.failures) / f64::from(self.requests);
        self.requests >= settings.minimum && failed >= settings.ratio
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);
    const OPEN_FOR: Duration = Duration::from_secs(5);

    fn breaker(minimum: u32, ratio: f64) -> Breaker {
        Breaker::new(BreakerSettings { window: WINDOW, minimum, ratio, open_for: OPEN_FOR })
    }

    fn send(breaker: &Breaker, answers: &[bool]) {
        for &answered in answers {
            breaker.admit().unwrap().report(answered);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_when_too_large_a_part_fails() {
        let breaker = breaker(4, 0.5);
        send(&breaker, &[false, false, false]);
        assert!(breaker.admit().is_ok(), "three are too few to judge by");
        send(&breaker, &[true, true, true, true]);
        assert!(breaker.admit().is_ok(), "3 of 7");
        send(&breaker, &[false]);
        assert_eq!(breaker.admit().unwrap_err(), Open, "4 of 8");
    }

    #[tokio::test(start_paused = true)]
    async fn old_failures_are_forgotten() {
        let breaker = breaker(4, 1.0);
        send(&breaker, &[false, false]);
        advance(WINDOW / 2).await;
        send(&breaker, &[false]);
        advance(WINDOW / 2).await;
        send(&breaker, &[false, false]);
        assert!(breaker.admit().is_ok(), "no window holds four");
        advance(WINDOW).await;
        send(&breaker, &[false, false, false]);
        assert!(breaker.admit().is_ok());
        send(&breaker, &[false]);
        assert!(breaker.admit().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_finds_out_whether_it_is_well_again() {
        let breaker = breaker(1, 1.0);
        let late = breaker.admit().unwrap();
        send(&breaker, &[false]);
        advance(OPEN_FOR - Duration::from_millis(1)).await;
        assert!(breaker.admit().is_err());
        advance(Duration::from_millis(1)).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one at a time");
        late.report(true);
        assert!(breaker.admit().is_err(), "what was sent before says nothing of now");
        probe.report(false);
        assert!(breaker.admit().is_err());
        advance(OPEN_FOR).await;
        breaker.admit().unwrap().report(true);
        send(&breaker, &[true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_lets_another_try() {
        let breaker = breaker(1, 1.0);
        send(&breaker, &[false]);
        advance(OPEN_FOR).await;
        drop(breaker.admit().unwrap());
        breaker.admit().unwrap().report(true);
        assert!(breaker.admit().is_ok());
    }
}
