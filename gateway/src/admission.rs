//! Who may run an operation when more arrive than can be run: at most so many run at once, a few wait, and the rest are told at once to
//! come back later. So those that run finish in time, whatever arrives.
//!
//! A place that becomes free goes to the first in the best class that waits. When all waiting places are taken, somebody of a better
//! class takes that of the one who came last in the worst.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use http::header::RETRY_AFTER;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::code::Code;
use crate::outcome::Outcome;
use crate::settings::AdmissionSettings;

/// How much somebody's operation matters when not all can be run; the first matters most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A cheap operation of somebody who is signed in.
    Cheap,
    /// Another operation of such a person.
    Known,
    /// A cheap operation of nobody in particular.
    CheapOfAnybody,
    /// All others.
    Anybody,
}

const CLASSES: usize = 4;

impl Class {
    /// The class of an operation.
    pub(crate) const fn of(is_known: bool, is_cheap: bool) -> Self {
        match (is_known, is_cheap) {
            (true, true) => Self::Cheap,
            (true, false) => Self::Known,
            (false, true) => Self::CheapOfAnybody,
            (false, false) => Self::Anybody,
        }
    }
}

/// The places there are. It is shared by all requests.
#[derive(Debug)]
pub(crate) struct Admission {
    most_running: usize,
    most_waiting: usize,
    patience: Duration,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    running: usize,
    /// Those who wait, by class. One whose receiver is gone has given up.
    waiting: [VecDeque<oneshot::Sender<Permit>>; CLASSES],
}

/// A place among those that run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// None once it was passed on.
    admission: Option<Arc<Admission>>,
}

impl Admission {
    pub(crate) fn new(settings: &AdmissionSettings) -> Arc<Self> {
        Arc::new(Self {
            most_running: settings.running,
            most_waiting: settings.waiting,
            patience: settings.patience,
            places: Mutex::default(),
        })
    }

    /// Waits for a place, a short while. The class is only asked for when there is none.
    ///
    /// # Errors
    /// [`Code::Overloaded`] with `Retry-After` when there is none.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        class: impl FnOnce() -> Class,
    ) -> Result<Permit, Outcome> {
        let waiting = {
            let mut places = self.lock();
            if places.running < self.most_running {
                places.running += 1;
                return Ok(Permit { admission: Some(self.clone()) });
            }
            places.wait(class(), self.most_waiting)?
        };
        match timeout(self.patience, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }

    /// A panic elsewhere leaves the places whole.
    fn lock(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn wait(&mut self, class: Class, most: usize) -> Result<oneshot::Receiver<Permit>, Outcome> {
        if self.count() >= most {
            // Those who gave up are found only now, when it matters.
            self.waiting.iter_mut().for_each(|queue| queue.retain(|place| !place.is_closed()));
        }
        if self.count() >= most {
            let worst = (class as usize + 1..CLASSES).rev().find(|i| !self.waiting[*i].is_empty());
            let worst = worst.ok_or_else(overloaded)?;
            self.waiting[worst].pop_back();
        }
        let (place, waiting) = oneshot::channel();
        self.waiting[class as usize].push_back(place);
        Ok(waiting)
    }

    fn count(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        self.waiting.iter_mut().find_map(VecDeque::pop_front)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(admission) = self.admission.take() else { return };
        loop {
            let mut places = admission.lock();
            let Some(next) = places.next() else {
                places.running -= 1;
                return;
            };
            drop(places);
            match next.send(Self { admission: Some(admission.clone()) }) {
                Ok(()) => return,
                // Whoever waited gave up at this moment: the place is for the one behind.
                Err(mut returned) => returned.admission = None,
            }
        }
    }
}

fn overloaded() -> Outcome {
    Outcome::refused(Code::Overloaded, "more is asked for than can be answered: try again")
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn admission(running: usize, waiting: usize) -> Arc<Admission> {
        let patience = Duration::from_millis(500);
        Admission::new(&AdmissionSettings {
            running,
            waiting,
            patience,
            ..AdmissionSettings::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_of_the_best_class_comes_next() {
        let admission = admission(1, 10);
        let permit = admission.enter(|| Class::Anybody).await.unwrap();
        let enter = |class| {
            let admission = admission.clone();
            Box::pin(async move { admission.enter(|| class).await })
        };
        let mut waiting = [Class::Anybody, Class::Known, Class::Cheap, Class::Cheap].map(enter);
        for future in &mut waiting {
            assert!(future.now_or_never_by_ref().is_none());
        }
        drop(permit);
        let mut order = Vec::new();
        for _ in 0..waiting.len() {
            let ready: Vec<_> = waiting
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| !order.contains(index))
                .filter_map(|(index, future)| Some((index, future.now_or_never_by_ref()?)))
                .collect();
            assert_eq!(ready.len(), 1);
            for (index, permit) in ready {
                order.push(index);
                drop(permit.unwrap());
            }
        }
        assert_eq!(order, [2, 3, 1, 0]);
        assert_eq!(admission.lock().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_room_is_told_at_once_unless_a_worse_one_waits() {
        let admission = admission(1, 1);
        let permit = admission.enter(|| Class::Known).await.unwrap();
        let worse = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(|| Class::Anybody).await.err() }
        });
        tokio::task::yield_now().await;
        let refused = admission.enter(|| Class::Anybody).now_or_never().unwrap().unwrap_err();
        assert_eq!(refused.code(), Some(Code::Overloaded));
        let better = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(|| Class::Cheap).await }
        });
        assert_eq!(worse.await.unwrap().unwrap().code(), Some(Code::Overloaded));
        drop(permit);
        drop(better.await.unwrap().unwrap());
        assert_eq!(admission.lock().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_there_is_patience_and_no_place_is_lost() {
        let admission = admission(1, 10);
        let permit = admission.enter(|| Class::Known).await.unwrap();
        for _ in 0..20 {
            let refused = admission.enter(|| Class::Known).await.unwrap_err();
            assert_eq!(refused.code(), Some(Code::Overloaded));
        }
        drop(permit);
        let permit = admission.enter(|| Class::Known).now_or_never().unwrap().unwrap();
        // A request that is dropped while it waits.
        assert!(admission.enter(|| Class::Known).now_or_never().is_none());
        drop(permit);
        assert_eq!(admission.lock().running, 0);
    }

    /// Polls once without consuming.
    trait NowOrNever: Future + Unpin {
        fn now_or_never_by_ref(&mut self) -> Option<Self::Output> {
            futures::future::poll_immediate(self).now_or_never().flatten()
        }
    }

    impl<F: Future + Unpin> NowOrNever for F {}
}
