//! Who may run an operation when more arrive than can be run: at most so many run at once, a few wait, and the rest are told at once to
//! come back later. So those that run finish in time, whatever arrives. And while the process does not keep up, whoever asks is told so,
//! the least important first (`pressure`): those whose importance shows before anything was read of the request, at once.
//!
//! A place that becomes free goes to the first in the best class that waits. When all waiting places are taken, somebody of a better
//! class takes that of the one who came last in the worst. Those who are not signed in have three quarters of the places at most, so that
//! however many log in at once, others go on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use http::header::RETRY_AFTER;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::code::Code;
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::pressure::Pressure;
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

/// The best first.
const CLASSES: [Class; 4] = [Class::Cheap, Class::Known, Class::CheapOfAnybody, Class::Anybody];

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

    const fn is_known(self) -> bool {
        matches!(self, Self::Cheap | Self::Known)
    }

    /// The part of classes that is more important.
    fn more_important(self) -> f64 {
        f64::from(self as u8) / (CLASSES.len() - 1) as f64
    }
}

/// The places there are. It is shared by all requests.
#[derive(Debug)]
pub(crate) struct Admission {
    most_running: usize,
    /// How many of them may be of those who are not signed in.
    most_unknown: usize,
    most_waiting: usize,
    patience: Duration,
    /// None where it is of no concern.
    pressure: Option<Arc<Pressure>>,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    running: usize,
    /// How many of them are of those who are not signed in.
    unknown: usize,
    /// Those who wait, by class. One whose receiver is gone has given up.
    waiting: [VecDeque<oneshot::Sender<Permit>>; CLASSES.len()],
}

/// A place among those that run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// None once it was given back.
    admission: Option<Arc<Admission>>,
    is_known: bool,
}

impl Admission {
    pub(crate) fn new(settings: &AdmissionSettings) -> Arc<Self> {
        Arc::new(Self {
            most_running: settings.running,
            most_unknown: (settings.running * 3 / 4).max(1),
            most_waiting: settings.waiting,
            patience: settings.patience,
            pressure: settings.late.map(Pressure::watch),
            places: Mutex::default(),
        })
    }

    /// Turns away whoever would be turned away whatever the operation is, before time is spent on reading it.
    ///
    /// # Errors
    /// As those of [`enter`](Self::enter).
    pub(crate) fn glance(&self, may_be_known: bool) -> Result<(), Outcome> {
        let best = Class::of(may_be_known, true).more_important();
        match &self.pressure {
            Some(pressure) if pressure.turns_away(best) => Err(overloaded()),
            _ => Ok(()),
        }
    }

    /// Waits for a place, a short while. Whether the operation is cheap is only asked when that matters.
    ///
    /// # Errors
    /// [`Code::Overloaded`] with `Retry-After` when there is none.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        is_known: bool,
        is_cheap: impl Fn() -> bool,
    ) -> Result<Permit, Outcome> {
        if let Some(pressure) = &self.pressure
            // The class takes time to find out, and what is not the least's turn is nobody's.
            && pressure.turns_away(CLASSES[CLASSES.len() - 1].more_important())
            && pressure.turns_away(Class::of(is_known, is_cheap()).more_important())
        {
            return Err(overloaded());
        }
        let waiting = {
            let mut places = self.lock();
            if self.has_room(&places, is_known) {
                places.take(is_known);
                return Ok(Permit { admission: Some(self.clone()), is_known });
            }
            places.wait(Class::of(is_known, is_cheap()), self.most_waiting)?
        };
        let _waits = Metrics::get().waits();
        match timeout(self.patience, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }

    const fn has_room(&self, places: &Places, is_known: bool) -> bool {
        places.running < self.most_running && (is_known || places.unknown < self.most_unknown)
    }

    /// Gives places that are free to those who wait for them.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let mut places = self.lock();
            let next = CLASSES.into_iter().find_map(|class| {
                let has_room = self.has_room(&places, class.is_known());
                let next = places.waiting[class as usize].pop_front_if(|_| has_room)?;
                Some((class.is_known(), next))
            });
            let Some((is_known, next)) = next else { return };
            places.take(is_known);
            drop(places);
            // Whoever waited may have given up at this moment: the place is for the one behind.
            if let Err(mut returned) = next.send(Permit { admission: Some(self.clone()), is_known })
            {
                returned.admission = None;
                self.lock().give_back(is_known);
            }
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
            let worst =
                (class as usize + 1..CLASSES.len()).rev().find(|i| !self.waiting[*i].is_empty());
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

    fn take(&mut self, is_known: bool) {
        Metrics::get().running().inc();
        self.running += 1;
        self.unknown += !is_known as usize;
    }

    fn give_back(&mut self, is_known: bool) {
        Metrics::get().running().dec();
        self.running -= 1;
        self.unknown -= !is_known as usize;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.lock().give_back(self.is_known);
            admission.pass_on();
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
        let permit = admission.enter(false, || false).await.unwrap();
        let enter = |(is_known, is_cheap): (bool, bool)| {
            let admission = admission.clone();
            Box::pin(async move { admission.enter(is_known, || is_cheap).await })
        };
        let mut waiting = [(false, false), (true, false), (true, true), (true, true)].map(enter);
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
        let permit = admission.enter(true, || false).await.unwrap();
        let worse = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(false, || false).await.err() }
        });
        tokio::task::yield_now().await;
        let refused = admission.enter(false, || false).now_or_never().unwrap().unwrap_err();
        assert_eq!(refused.code(), Some(Code::Overloaded));
        let better = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter(true, || true).await }
        });
        assert_eq!(worse.await.unwrap().unwrap().code(), Some(Code::Overloaded));
        drop(permit);
        drop(better.await.unwrap().unwrap());
        assert_eq!(admission.lock().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_there_is_patience_and_no_place_is_lost() {
        let admission = admission(1, 10);
        let permit = admission.enter(true, || false).await.unwrap();
        for _ in 0..20 {
            let refused = admission.enter(true, || false).await.unwrap_err();
            assert_eq!(refused.code(), Some(Code::Overloaded));
        }
        drop(permit);
        let permit = admission.enter(true, || false).now_or_never().unwrap().unwrap();
        // A request that is dropped while it waits.
        assert!(admission.enter(true, || false).now_or_never().is_none());
        drop(permit);
        assert_eq!(admission.lock().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_signed_in_leaves_places_to_others() {
        let admission = admission(4, 10);
        let mut storm = Vec::new();
        for _ in 0..3 {
            storm.push(admission.enter(false, || true).await.unwrap());
        }
        let mut fourth = Box::pin(admission.enter(false, || true));
        assert!(fourth.now_or_never_by_ref().is_none());
        let own = admission.enter(true, || false).now_or_never().unwrap().unwrap();
        drop(own);
        assert!(fourth.now_or_never_by_ref().is_none());
        storm.pop();
        drop(fourth.now_or_never_by_ref().unwrap().unwrap());
        drop(storm);
        let places = admission.lock();
        assert_eq!((places.running, places.unknown), (0, 0));
    }

    /// Polls once without consuming.
    trait NowOrNever: Future + Unpin {
        fn now_or_never_by_ref(&mut self) -> Option<Self::Output> {
            futures::future::poll_immediate(self).now_or_never().flatten()
        }
    }

    impl<F: Future + Unpin> NowOrNever for F {}
}
