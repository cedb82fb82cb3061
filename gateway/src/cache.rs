//! Keeps prepared operations by their text, so that an operation is parsed, validated and planned once, even when many
//! requests bring it at the same time: one prepares it, the others wait for that.
//!
//! It is bounded by how many bytes it keeps. It has two generations: what is used moves to the young one, and when that has half
//! the bound the old one is dropped. So what is used stays, and what was used once goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A map from an operation to what was made of it, bounded in bytes. It is shared by all requests.
#[derive(Debug)]
pub(crate) struct OperationCache<T> {
    /// Keyed at random, so that nobody can choose texts that collide.
    hasher: ahash::RandomState,
    most_bytes: usize,
    /// How many bytes a value takes.
    weigh: fn(&T) -> usize,
    generations: Mutex<Generations<T>>,
    /// What is being made, by hash.
    flights: Mutex<HashMap<u64, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug)]
struct Generations<T> {
    young: Generation<T>,
    old: Generation<T>,
}

#[derive(Debug)]
struct Generation<T> {
    entries: HashMap<u64, Entry<T>, ahash::RandomState>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    text: Box<str>,
    operation_name: Option<Box<str>>,
    value: Arc<T>,
    uses: u32,
    /// How much it was when it was put here.
    bytes: usize,
}

/// An operation's text and the name of the one that is meant.
pub(crate) type Key = (Box<str>, Option<Box<str>>);

impl<T> Default for Generation<T> {
    fn default() -> Self {
        Self { entries: HashMap::default(), bytes: 0 }
    }
}

impl<T> OperationCache<T> {
    pub(crate) fn new(cached_bytes: usize, weigh: fn(&T) -> usize) -> Self {
        Self {
            hasher: ahash::RandomState::new(),
            most_bytes: cached_bytes / 2,
            weigh,
            generations: Mutex::new(Generations {
                young: Generation::default(),
                old: Generation::default(),
            }),
            flights: Mutex::default(),
        }
    }

    /// What was made of this operation before, or else what `make` makes of it, which is kept unless it fails. Of requests that
    /// bring the same operation, one makes it at a time.
    pub(crate) async fn get_or_make<E>(
        &self,
        text: &str,
        operation_name: Option<&str>,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some(value) = self.get(text, operation_name) {
            return Ok(value);
        }
        let flight = self.flight(text, operation_name);
        let _turn = flight.lock().await;
        if let Some(value) = self.get(text, operation_name) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        self.insert(text, operation_name, value.clone());
        Ok(value)
    }

    /// Whose turn it is to make an operation.
    fn flight(&self, text: &str, operation_name: Option<&str>) -> Arc<tokio::sync::Mutex<()>> {
        let hash = self.hasher.hash_one((text, operation_name));
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&hash).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(hash, Arc::downgrade(&flight));
        flight
    }

    /// What was made of this operation before.
    pub(crate) fn get(&self, text: &str, operation_name: Option<&str>) -> Option<Arc<T>> {
        let hash = self.hasher.hash_one((text, operation_name));
        let mut generations = self.lock();
        if let Some(entry) = generations.young.entries.get_mut(&hash) {
            entry.uses = entry.uses.saturating_add(1);
            return entry.is_for(text, operation_name).then(|| entry.value.clone());
        }
        if !generations.old.entries.get(&hash)?.is_for(text, operation_name) {
            return None;
        }
        let mut entry = generations.old.entries.remove(&hash)?;
        entry.uses = entry.uses.saturating_add(1);
        let value = entry.value.clone();
        self.put(&mut generations, hash, entry);
        Some(value)
    }

    /// Keeps what was made of an operation, unless it alone is beyond the bound.
    pub(crate) fn insert(&self, text: &str, operation_name: Option<&str>, value: Arc<T>) {
        let hash = self.hasher.hash_one((text, operation_name));
        let operation_name = operation_name.map(Into::into);
        let entry = Entry { text: text.into(), operation_name, value, uses: 0, bytes: 0 };
        self.put(&mut self.lock(), hash, entry);
    }

    /// The operations that were asked for most, at most `count`, the most wanted first.
    pub(crate) fn most_used(&self, count: usize) -> Vec<Key> {
        let generations = self.lock();
        let both = [&generations.young, &generations.old];
        let mut entries: Vec<_> =
            both.into_iter().flat_map(|generation| generation.entries.values()).collect();
        entries.sort_unstable_by(|a, b| b.uses.cmp(&a.uses).then_with(|| a.text.cmp(&b.text)));
        entries.truncate(count);
        entries.iter().map(|entry| (entry.text.clone(), entry.operation_name.clone())).collect()
    }

    fn put(&self, generations: &mut Generations<T>, hash: u64, mut entry: Entry<T>) {
        // A value may have grown since it was weighed last.
        entry.bytes = entry.text.len() + (self.weigh)(&entry.value);
        if entry.bytes > self.most_bytes {
            return;
        }
        let young = &mut generations.young;
        if young.bytes + entry.bytes > self.most_bytes {
            generations.old = std::mem::take(young);
        }
        let young = &mut generations.young;
        young.bytes += entry.bytes;
        if let Some(replaced) = young.entries.insert(hash, entry) {
            young.bytes -= replaced.bytes;
        }
    }

    /// A panic elsewhere leaves the maps whole: entries are put in complete.
    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<T>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entry<T> {
    /// Two operations may have the same hash: the text decides.
    fn is_for(&self, text: &str, operation_name: Option<&str>) -> bool {
        *self.text == *text && self.operation_name.as_deref() == operation_name
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A cache of numbers that weigh 10 bytes each.
    fn cache(cached_bytes: usize) -> OperationCache<usize> {
        OperationCache::new(cached_bytes, |_| 10)
    }

    fn kept(cache: &OperationCache<usize>) -> (usize, usize) {
        let generations = cache.lock();
        (
            generations.young.entries.len() + generations.old.entries.len(),
            generations.young.bytes + generations.old.bytes,
        )
    }

    #[test]
    fn text_and_name_find_what_was_kept() {
        let cache = cache(1000);
        cache.insert("{a}", None, Arc::new(1));
        cache.insert("{a}", Some("A"), Arc::new(2));
        assert_eq!(cache.get("{a}", None).as_deref(), Some(&1));
        assert_eq!(cache.get("{a}", Some("A")).as_deref(), Some(&2));
        assert_eq!(cache.get("{a}", Some("B")), None);
        assert_eq!(cache.get("{a }", None), None);
    }

    #[test]
    fn it_stays_within_its_bound() {
        let cache = cache(10_000);
        for number in 0..5000 {
            cache.insert(&format!("{{field{number}}}"), None, Arc::new(number));
        }
        let (entries, bytes) = kept(&cache);
        assert!(bytes <= 10_000 && entries > 200, "{entries} with {bytes} bytes");
        assert!(cache.get("{field4999}", None).is_some());
        let large = "x".repeat(6000);
        cache.insert(&large, None, Arc::new(0));
        assert!(cache.get(&large, None).is_none());
    }

    #[test]
    fn what_is_used_most_is_known() {
        let cache = cache(1000);
        for (text, name, uses) in [("{a}", None, 1), ("{b}", Some("B"), 3), ("{c}", None, 0)] {
            cache.insert(text, name, Arc::new(0));
            for _ in 0..uses {
                cache.get(text, name).unwrap();
            }
        }
        let used: [Key; 2] = [("{b}".into(), Some("B".into())), ("{a}".into(), None)];
        assert_eq!(cache.most_used(2), used);
        assert_eq!(cache.most_used(9).len(), 3);
    }

    #[test]
    fn what_is_used_stays() {
        let cache = cache(500);
        cache.insert("{used}", None, Arc::new(0));
        for number in 0..500 {
            cache.insert(&format!("{{once{number}}}"), None, Arc::new(number));
            assert!(cache.get("{used}", None).is_some(), "after {number}");
        }
        assert!(cache.get("{once3}", None).is_none());
    }

    #[test]
    fn the_same_operation_twice_counts_once() {
        let cache = cache(1000);
        cache.insert("{a}", None, Arc::new(1));
        cache.insert("{a}", None, Arc::new(2));
        assert_eq!(kept(&cache), (1, 13));
        assert_eq!(cache.get("{a}", None).as_deref(), Some(&2));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_comes_at_once_is_made_once() {
        let cache = Arc::new(cache(1000));
        let made = Arc::new(AtomicUsize::new(0));
        let requests = (0..32).map(|number| {
            let (cache, made) = (cache.clone(), made.clone());
            tokio::spawn(async move {
                let text = if number % 2 == 0 { "{a}" } else { "{b}" };
                let make = || {
                    std::thread::sleep(Duration::from_millis(20));
                    Ok::<_, Infallible>(made.fetch_add(1, Ordering::Relaxed))
                };
                cache.get_or_make(text, None, make).await.unwrap()
            })
        });
        futures::future::join_all(requests).await;
        assert_eq!(made.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_fails_is_tried_again() {
        let cache = cache(1000);
        assert_eq!(cache.get_or_make("{a}", None, || Err("bad")).await, Err("bad"));
        assert_eq!(cache.get_or_make("{a}", None, || Ok::<_, &str>(1)).await.as_deref(), Ok(&1));
        cache.get_or_make("{b}", None, || Ok::<_, &str>(1)).await.unwrap();
        let flights = cache.flights.lock().unwrap();
        assert_eq!(flights.len(), 1, "what is over is forgotten when the next begins");
    }
}
