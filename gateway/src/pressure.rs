//! Whether the process keeps up with what it is asked: a letter that it sends itself through a socket every so often, and how late that comes.
//!
//! Where subgraphs run in the process, an operation works until it is done, so that hardly any two are under way at once, and what waits
//! are requests that nobody has looked at yet. A letter waits with them: for its turn among the sockets that have something, and then among
//! the tasks that can go on. (A timer does not, since whoever it wakes comes first.) While letters are late all the time, operations are turned
//! away, the least important soonest; whoever is not important at all even at a glance. So the others wait no longer than is put up with,
//! however many ask. A burst that is soon over turns nobody away, and neither does a process that was stopped and goes on.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// How long after a letter the next is sent.
const PAUSE: Duration = Duration::from_millis(10);
/// So many letters in a row must be on time for the process to be so: one may be lucky.
const IN_A_ROW: u32 = 3;
/// How long it is late before anybody is turned away.
const STEADY: Duration = Duration::from_millis(500);
/// The least important are turned away when it is so much of what is put up with late, the most important when it is all of that.
const LEAST: f64 = 0.5;

/// How late the process is with everything. All times are in microseconds since it was watched.
#[derive(Debug)]
pub(crate) struct Pressure {
    patience: Duration,
    began: Instant,
    /// When the letter was sent that is under way; [`u64::MAX`] where none is.
    sent: AtomicU64,
    /// How long the last one took.
    late: AtomicU64,
    /// Since when letters have been late; [`u64::MAX`] where they are not.
    since: AtomicU64,
    /// How many in a row were on time.
    on_time: AtomicU32,
}

impl Pressure {
    /// One that watches how late letters are until it is dropped; without a runtime, one that turns nobody away.
    pub(crate) fn watch(patience: Duration) -> Arc<Self> {
        let pressure = Arc::new(Self::new(patience));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(watch(Arc::downgrade(&pressure)));
        }
        pressure
    }

    fn new(patience: Duration) -> Self {
        Self {
            patience,
            began: Instant::now(),
            sent: AtomicU64::new(u64::MAX),
            late: AtomicU64::new(0),
            since: AtomicU64::new(u64::MAX),
            on_time: AtomicU32::new(0),
        }
    }

    /// Whether somebody is turned away now of whom this part, 0 to 1, is more important: 0 for the most important.
    pub(crate) fn turns_away(&self, more_important: f64) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        if since == u64::MAX {
            return false;
        }
        let now = self.micros(Instant::now());
        if now.saturating_sub(since) < in_micros(STEADY) {
            return false;
        }
        let under_way = now.saturating_sub(self.sent.load(Ordering::Relaxed));
        let late = under_way.max(self.late.load(Ordering::Relaxed));
        let part = 1.0 - (1.0 - LEAST) * more_important;
        Duration::from_micros(late) > self.patience.mul_f64(part)
    }

    fn send(&self, now: Instant) {
        self.sent.store(self.micros(now), Ordering::Relaxed);
    }

    fn receive(&self, now: Instant) {
        let now = self.micros(now);
        let late = now.saturating_sub(self.sent.swap(u64::MAX, Ordering::Relaxed));
        self.late.store(late, Ordering::Relaxed);
        if Duration::from_micros(late) > self.patience.mul_f64(LEAST) {
            self.on_time.store(0, Ordering::Relaxed);
            self.since.fetch_min(now, Ordering::Relaxed);
        } else if self.on_time.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW {
            self.since.store(u64::MAX, Ordering::Relaxed);
        }
    }

    fn micros(&self, moment: Instant) -> u64 {
        in_micros(moment.saturating_duration_since(self.began))
    }
}

fn in_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

async fn watch(pressure: Weak<Pressure>) {
    if let Err(error) = letters(pressure).await {
        tracing::warn!(%error, "how late the process is cannot be told: nobody is turned away for it");
    }
}

async fn letters(pressure: Weak<Pressure>) -> std::io::Result<()> {
    let (mut sender, mut receiver) = UnixStream::pair()?;
    // Larger than a letter: what does not fill it shows that nothing is left, so that the next letter is waited for.
    let mut received = [0; 8];
    loop {
        sleep(PAUSE).await;
        let Some(watched) = pressure.upgrade() else { return Ok(()) };
        watched.send(Instant::now());
        sender.write_all(&[0]).await?;
        if receiver.read(&mut received).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        watched.receive(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    /// A process whose letters are late as the test says.
    struct Process(Pressure);

    impl Process {
        fn new() -> Self {
            Self(Pressure::new(PATIENCE))
        }

        async fn be_late(&self, milliseconds: u64, times: usize) {
            for _ in 0..times {
                self.0.send(Instant::now());
                tokio::time::advance(Duration::from_millis(milliseconds)).await;
                self.0.receive(Instant::now());
                tokio::time::advance(PAUSE).await;
            }
        }

        fn turns_away(&self) -> [bool; 4] {
            [1.0, 0.6, 0.4, 0.0].map(|one| self.0.turns_away(one))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_important_are_turned_away_first_and_nobody_before_it_was_late_for_long() {
        let process = Process::new();
        process.be_late(1, 100).await;
        assert_eq!(process.turns_away(), [false; 4]);
        process.be_late(150, 3).await;
        assert_eq!(process.turns_away(), [false; 4], "a burst");
        process.be_late(150, 2).await;
        assert_eq!(process.turns_away(), [true, true, false, false]);
        process.be_late(210, 1).await;
        assert_eq!(process.turns_away(), [true; 4]);
        process.be_late(1, 1).await;
        process.be_late(190, 1).await;
        assert_eq!(process.turns_away(), [true, true, true, false], "one letter was lucky");
        process.be_late(1, 3).await;
        assert_eq!(process.turns_away(), [false; 4], "it keeps up again");
    }

    #[tokio::test(start_paused = true)]
    async fn how_late_it_is_is_known_before_a_letter_comes() {
        let process = Process::new();
        process.be_late(110, 7).await;
        assert_eq!(process.turns_away(), [true, false, false, false]);
        process.0.send(Instant::now());
        tokio::time::advance(Duration::from_millis(220)).await;
        assert_eq!(process.turns_away(), [true; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_stopped_and_goes_on_turns_nobody_away() {
        let process = Process::new();
        process.be_late(60_000, 1).await;
        assert_eq!(process.turns_away(), [false; 4]);
    }

    #[tokio::test]
    async fn letters_wait_behind_the_tasks_that_can_go_on() {
        let pressure = Pressure::watch(Duration::from_millis(40));
        for _ in 0..50 {
            let pressure = pressure.clone();
            tokio::spawn(async move {
                while !pressure.turns_away(0.0) {
                    std::thread::sleep(Duration::from_millis(1));
                    tokio::task::yield_now().await;
                }
            });
        }
        let away = async {
            while !pressure.turns_away(0.0) {
                sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), away).await.unwrap();
    }
}
