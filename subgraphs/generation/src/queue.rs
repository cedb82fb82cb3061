//! Whose job is next: bounded for each person and overall, and fair between people.
//!
//! This is start-time fair queueing (Goyal, Vin and Cheng, 1996) with jobs of equal size. A job's turn is one beyond the last of the same person's
//! jobs that are not over, but not before those that are served now. The least turn is served first. So whoever asks for one job waits for at
//! most one of each other person's, however many these have asked for.

use common::{GenerationJobId, UserId};
use jiff::Timestamp;

/// How many jobs there may be, and what they may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many run at the same time, in all processes. In one where it is 0 none is begun.
    pub running: usize,
    /// How many of one person's run at the same time.
    pub running_each: usize,
    /// How many are not over.
    pub active: usize,
    /// How many of one person's are not over.
    pub active_each: usize,
    /// How many of one person's are kept.
    pub kept_each: usize,
    /// How many points a person has for jobs, which an empty allowance is given again in a day: see [`crate::allowance`].
    pub points_each: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            running: 4,
            running_each: 2,
            active: 1_000,
            active_each: 10,
            kept_each: 500,
            points_each: 3_000,
        }
    }
}

/// A job that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// Which one.
    pub id: GenerationJobId,
    /// Whose it is.
    pub owner: UserId,
    /// Its turn.
    pub turn: i64,
    /// Until when the process that runs it has it to itself; `None` when it was not begun.
    pub lease: Option<Timestamp>,
}

impl Active {
    fn runs(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|until| until > now)
    }
}

/// The turn of a new job.
#[must_use]
pub fn turn(active: &[Active], owner: UserId) -> i64 {
    let served = active.iter().map(|job| job.turn).min().unwrap_or_default();
    let own = active.iter().filter(|job| job.owner == owner).map(|job| job.turn + 1).max();
    own.map_or(served, |own| own.max(served))
}

/// The job to begin now, if there is room: one that waits, or one whose process has not been heard of for too long.
#[must_use]
pub fn next(active: &[Active], bounds: &Bounds, now: Timestamp) -> Option<GenerationJobId> {
    let running = || active.iter().filter(|job| job.runs(now));
    if running().count() >= bounds.running {
        return None;
    }
    let of = |owner| running().filter(|job| job.owner == owner).count();
    let waiting = active.iter().filter(|job| !job.runs(now));
    let may = waiting.filter(|job| of(job.owner) < bounds.running_each);
    // Ids are in the order in which jobs were made.
    may.min_by_key(|job| (job.turn, job.id)).map(|job| job.id)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[derive(Default)]
    struct Line(Vec<Active>);

    impl Line {
        fn ask(&mut self, owner: UserId) {
            let turn = turn(&self.0, owner);
            self.0.push(Active { id: GenerationJobId::new(), owner, turn, lease: None });
        }

        fn begin(&mut self, bounds: &Bounds) -> Option<UserId> {
            let id = next(&self.0, bounds, NOW)?;
            let job = self.0.iter_mut().find(|job| job.id == id).unwrap();
            job.lease = Some(NOW + SignedDuration::from_secs(1));
            Some(job.owner)
        }

        fn end(&mut self, owner: UserId) {
            let place = self.0.iter().position(|job| job.owner == owner && job.runs(NOW)).unwrap();
            self.0.remove(place);
        }

        /// Serves them one by one to the end.
        fn order(&mut self) -> Vec<UserId> {
            let one = Bounds { running: 1, ..Bounds::default() };
            let mut order = Vec::new();
            while let Some(owner) = self.begin(&one) {
                self.end(owner);
                order.push(owner);
            }
            order
        }
    }

    fn people() -> [UserId; 3] {
        std::array::from_fn(|_| UserId::new())
    }

    #[test]
    fn who_asks_for_one_waits_for_one_of_each_other_at_most() {
        let [a, b, c] = people();
        let mut line = Line::default();
        (0..5).for_each(|_| line.ask(a));
        let one = Bounds { running: 1, ..Bounds::default() };
        assert_eq!(line.begin(&one), Some(a));
        line.ask(b);
        line.ask(b);
        line.ask(c);
        line.end(a);
        assert_eq!(line.order(), [b, c, a, b, a, a, a]);
    }

    #[test]
    fn a_person_who_comes_late_gets_no_credit_for_having_been_away() {
        let [a, b, _] = people();
        let mut line = Line::default();
        (0..8).for_each(|_| line.ask(a));
        let one = Bounds { running: 1, ..Bounds::default() };
        for _ in 0..4 {
            line.begin(&one);
            line.end(a);
        }
        (0..4).for_each(|_| line.ask(b));
        assert_eq!(line.order(), [a, b, a, b, a, b, a, b]);
    }

    #[test]
    fn no_more_run_than_may_of_one_and_of_all() {
        let [a, b, c] = people();
        let bounds = Bounds { running: 3, running_each: 2, ..Bounds::default() };
        let mut line = Line::default();
        (0..3).for_each(|_| line.ask(a));
        assert_eq!((line.begin(&bounds), line.begin(&bounds)), (Some(a), Some(a)));
        assert_eq!(line.begin(&bounds), None, "two of one person");
        line.ask(b);
        line.ask(c);
        assert_eq!(line.begin(&bounds), Some(b));
        assert_eq!(line.begin(&bounds), None, "three of all");
        line.end(a);
        assert_eq!(line.begin(&bounds), Some(c), "whose turn is before the third of the first");
    }

    #[test]
    fn a_job_whose_process_is_gone_is_begun_again() {
        let [a, ..] = people();
        let mut line = Line::default();
        line.ask(a);
        let bounds = Bounds::default();
        let id = next(&line.0, &bounds, NOW);
        line.begin(&bounds);
        assert_eq!(next(&line.0, &bounds, NOW), None);
        let later = NOW + SignedDuration::from_secs(1);
        assert_eq!(next(&line.0, &bounds, later), id);
    }
}
