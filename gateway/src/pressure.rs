//! Whether the process keeps up with what it is asked: a clock that ought to tick every so often, and how late it does.
//!
//! Where subgraphs run in the process, an operation works until it is done, so that hardly any two are under way at once, and what waits
//! are requests that nobody has looked at yet. They wait as long as the clock is late. As long as it is late all the time, a growing share of
//! operations is turned away, the least important first; a burst that is soon over turns nobody away.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// How often the clock ticks.
const TICK: Duration = Duration::from_millis(10);
/// The ticks of so long decide together, by the one that was least late: at least two of them.
const WINDOW: Duration = Duration::from_millis(100);
/// How much of a class more is turned away each time it was too late, and how much less when it was not.
const UP: f32 = 0.25;
const DOWN: f32 = 0.1;
/// More than this many times too late counts as this.
const MOST: f32 = 4.0;

/// How much is turned away: 0 is nothing, 1 the last class, 2 the last two, and so on.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    /// The bits of a number.
    level: AtomicU32,
    /// Numbers those of whom a share is turned away.
    asked: AtomicU32,
}

impl Pressure {
    /// One that watches how late the clock is until it is dropped; without a runtime, one that turns nobody away.
    pub(crate) fn watch(patience: Duration, classes: usize) -> Arc<Self> {
        let pressure = Arc::new(Self::default());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(watch(Arc::downgrade(&pressure), patience, classes));
        }
        pressure
    }

    /// How much is turned away.
    pub(crate) fn level(&self) -> f32 {
        f32::from_bits(self.level.load(Ordering::Relaxed))
    }

    /// Whether somebody is turned away of the class before which so many are less important.
    pub(crate) fn turns_away(&self, less_important: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a few classes")]
        let share = self.level() - less_important as f32;
        if share <= 0.0 || share >= 1.0 {
            return share >= 1.0;
        }
        // Spread evenly: of 100 in a row, so many.
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "below 100")]
        let place = (number.wrapping_mul(37) % 100) as f32 / 100.0;
        place < share
    }

    /// Takes note of how late the clock was at least, in multiples of what is put up with.
    fn note(&self, late: f32, classes: usize) {
        let step = if late > 1.0 { UP * (late.min(MOST) - 1.0) } else { -DOWN };
        #[expect(clippy::cast_precision_loss, reason = "a few classes")]
        let level = (self.level() + step).clamp(0.0, classes as f32);
        self.level.store(level.to_bits(), Ordering::Relaxed);
    }
}

async fn watch(pressure: Weak<Pressure>, patience: Duration, classes: usize) {
    loop {
        let began = Instant::now();
        let (mut least, mut ticks) = (Duration::MAX, 0);
        while ticks < 2 || began.elapsed() < WINDOW {
            ticks += 1;
            let due = Instant::now() + TICK;
            sleep_until(due).await;
            least = least.min(due.elapsed());
        }
        let Some(pressure) = pressure.upgrade() else { return };
        pressure.note(least.as_secs_f32() / patience.as_secs_f32(), classes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_turned_away_as_long_as_it_is_late_and_less_when_it_is_not() {
        let pressure = Pressure::default();
        pressure.note(0.9, 4);
        assert_eq!(pressure.level(), 0.0);
        assert!(!pressure.turns_away(0));
        for _ in 0..6 {
            pressure.note(2.0, 4);
        }
        assert_eq!(pressure.level(), 1.5);
        let turned_away = |less| (0..100).filter(|_| pressure.turns_away(less)).count();
        assert_eq!([turned_away(0), turned_away(1), turned_away(2)], [100, 50, 0]);
        for _ in 0..100 {
            pressure.note(1_000.0, 4);
        }
        assert_eq!(pressure.level(), 4.0);
        assert!((0..4).all(|less| pressure.turns_away(less)));
        for _ in 0..41 {
            pressure.note(0.0, 4);
        }
        assert_eq!(pressure.level(), 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_does_nothing_else_for_long_turns_away_and_recovers() {
        let pressure = Pressure::watch(Duration::from_millis(50), 4);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(pressure.level(), 0.0);
        // Time passes while nobody looks at the clock.
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(160)).await;
            tokio::task::yield_now().await;
        }
        assert!(pressure.level() > 0.0);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(pressure.level(), 0.0);
    }
}
