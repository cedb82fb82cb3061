//! Work that is under way once, however many ask for it at the same time.
//!
//! Whoever asks first starts the work; who asks for the same before it is done waits for the same result. The work goes on for as long
//! as anybody waits, whoever started it. Nothing is kept: who asks when it is done starts it anew.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

type Running<T> = WeakShared<BoxFuture<'static, T>>;

/// The work that is under way, by what it is for. Its copies share it.
pub(crate) struct Inflight<K, T: Clone> {
    running: Arc<Mutex<HashMap<K, Running<T>, ahash::RandomState>>>,
}

impl<K, T: Clone> Default for Inflight<K, T> {
    fn default() -> Self {
        Self { running: Arc::default() }
    }
}

impl<K, T: Clone> std::fmt::Debug for Inflight<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflight").finish_non_exhaustive()
    }
}

impl<K, T> Inflight<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The result of the work for `key`, of what is under way, else of what `start` gives; and whether it was this caller who started it.
    pub(crate) async fn run<F>(&self, key: K, start: impl FnOnce() -> F) -> (T, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (work, own) = self.join(key, start);
        (work.await, own)
    }

    fn join<F>(&self, key: K, start: impl FnOnce() -> F) -> (Shared<BoxFuture<'static, T>>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut running = lock(&self.running);
        if let Some(work) = running.get(&key).and_then(WeakShared::upgrade) {
            return (work, false);
        }
        let work = start();
        let entry = Entry { running: self.running.clone(), key: key.clone() };
        let work = async move {
            let result = work.await;
            drop(entry);
            result
        };
        let work = work.boxed().shared();
        // It was made a moment ago and nobody has waited for it: it is not done.
        if let Some(weak) = work.downgrade() {
            running.insert(key, weak);
        }
        (work, true)
    }
}

/// Takes the work off the list when it is done, and when nobody waits for it any more.
struct Entry<K: Hash + Eq, T: Clone> {
    running: Arc<Mutex<HashMap<K, Running<T>, ahash::RandomState>>>,
    key: K,
}

impl<K: Hash + Eq, T: Clone> Drop for Entry<K, T> {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.key);
    }
}

/// A panic elsewhere leaves the map whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::{join_all, poll_immediate};
    use tokio::sync::{Notify, oneshot};

    use super::*;

    fn running(inflight: &Inflight<u8, usize>) -> usize {
        lock(&inflight.running).len()
    }

    #[tokio::test]
    async fn the_same_at_the_same_time_is_done_once() {
        let (inflight, times) = (Inflight::default(), Arc::new(AtomicUsize::new(0)));
        let all_wait = Arc::new(Notify::new());
        let work = || {
            let (times, all_wait) = (times.clone(), all_wait.clone());
            async move {
                all_wait.notified().await;
                times.fetch_add(1, Ordering::SeqCst)
            }
        };
        let together = join_all((0..5).map(|_| inflight.run(1, work)));
        let (results, ()) = futures::join!(together, async { all_wait.notify_one() });
        assert_eq!(results[0], (0, true));
        assert!(results[1..].iter().all(|result| *result == (0, false)), "{results:?}");
        assert_eq!(running(&inflight), 0);
        all_wait.notify_one();
        assert_eq!(inflight.run(1, work).await, (1, true));
    }

    #[tokio::test]
    async fn different_things_are_done_apart() {
        let inflight = Inflight::default();
        let both = futures::join!(inflight.run(1, || async { 1 }), inflight.run(2, || async { 2 }));
        assert_eq!(both, ((1, true), (2, true)));
    }

    #[tokio::test]
    async fn the_work_goes_on_when_who_started_it_gives_up() {
        let inflight = Inflight::default();
        let (finish, finished) = oneshot::channel();
        let mut first = Box::pin(inflight.run(1, || async { finished.await.unwrap() }));
        assert!(poll_immediate(&mut first).await.is_none());
        let mut second = Box::pin(inflight.run(1, || async { unreachable!("it is under way") }));
        assert!(poll_immediate(&mut second).await.is_none());
        drop(first);
        finish.send(7).unwrap();
        assert_eq!(second.await, (7, false));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_dropped() {
        let inflight = Inflight::default();
        let mut only = Box::pin(inflight.run(1, std::future::pending::<usize>));
        assert!(poll_immediate(&mut only).await.is_none());
        assert_eq!(running(&inflight), 1);
        drop(only);
        assert_eq!(running(&inflight), 0);
        assert_eq!(inflight.run(1, || async { 3 }).await, (3, true));
    }
}
