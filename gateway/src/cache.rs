//! Keeps prepared operations by their text, so that an operation is parsed, validated and planned once.
//!
//! It is bounded twice, by how many operations it keeps and by how much text they have. It keeps two generations: what is used moves
//! to the young one, and when that has half the bounds the old one is dropped. So what is used stays, and what was used once goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::settings::OperationSettings;

/// A bounded map from an operation to what was made of it. It is shared by all requests.
#[derive(Debug)]
pub(crate) struct OperationCache<T> {
    /// Keyed at random, so that nobody can choose texts that collide.
    hasher: ahash::RandomState,
    most: usize,
    most_bytes: usize,
    generations: Mutex<Generations<T>>,
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
}

/// An operation's text and the name of the one that is meant.
pub(crate) type Key = (Box<str>, Option<Box<str>>);

impl<T> Default for Generation<T> {
    fn default() -> Self {
        Self { entries: HashMap::default(), bytes: 0 }
    }
}

impl<T> OperationCache<T> {
    pub(crate) fn new(settings: &OperationSettings) -> Self {
        Self {
            hasher: ahash::RandomState::new(),
            most: settings.cached / 2,
            most_bytes: settings.cached_bytes / 2,
            generations: Mutex::new(Generations {
                young: Generation::default(),
                old: Generation::default(),
            }),
        }
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

    /// Keeps what was made of an operation, unless its text alone is beyond the bounds.
    pub(crate) fn insert(&self, text: &str, operation_name: Option<&str>, value: Arc<T>) {
        if text.len() > self.most_bytes || self.most == 0 {
            return;
        }
        let hash = self.hasher.hash_one((text, operation_name));
        let operation_name = operation_name.map(Into::into);
        let entry = Entry { text: text.into(), operation_name, value, uses: 0 };
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

    fn put(&self, generations: &mut Generations<T>, hash: u64, entry: Entry<T>) {
        let young = &mut generations.young;
        if young.entries.len() >= self.most || young.bytes + entry.text.len() > self.most_bytes {
            generations.old = std::mem::take(young);
        }
        let young = &mut generations.young;
        young.bytes += entry.text.len();
        if let Some(replaced) = young.entries.insert(hash, entry) {
            young.bytes -= replaced.text.len();
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
    use super::*;

    fn cache(cached: usize, cached_bytes: usize) -> OperationCache<usize> {
        OperationCache::new(&OperationSettings { cached, cached_bytes })
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
        let cache = cache(10, 1000);
        cache.insert("{a}", None, Arc::new(1));
        cache.insert("{a}", Some("A"), Arc::new(2));
        assert_eq!(cache.get("{a}", None).as_deref(), Some(&1));
        assert_eq!(cache.get("{a}", Some("A")).as_deref(), Some(&2));
        assert_eq!(cache.get("{a}", Some("B")), None);
        assert_eq!(cache.get("{a }", None), None);
    }

    #[test]
    fn it_stays_within_both_bounds() {
        let many = cache(100, 1_000_000);
        let large = cache(1_000_000, 10_000);
        for number in 0..5000 {
            let text = format!("{{field{number}}}");
            many.insert(&text, None, Arc::new(number));
            large.insert(&text, None, Arc::new(number));
        }
        assert!(kept(&many).0 <= 100, "{:?}", kept(&many));
        assert!(kept(&large).1 <= 10_000, "{:?}", kept(&large));
        assert!(many.get("{field4999}", None).is_some());
        large.insert(&"x".repeat(6000), None, Arc::new(0));
        assert!(large.get(&"x".repeat(6000), None).is_none());
    }

    #[test]
    fn what_is_used_most_is_known() {
        let cache = cache(100, 1000);
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
        let cache = cache(20, 100_000);
        cache.insert("{used}", None, Arc::new(0));
        for number in 0..500 {
            cache.insert(&format!("{{once{number}}}"), None, Arc::new(number));
            assert!(cache.get("{used}", None).is_some(), "after {number}");
        }
        assert!(cache.get("{once3}", None).is_none());
    }

    #[test]
    fn the_same_operation_twice_counts_once() {
        let cache = cache(10, 1000);
        cache.insert("{a}", None, Arc::new(1));
        cache.insert("{a}", None, Arc::new(2));
        assert_eq!(kept(&cache), (1, 3));
        assert_eq!(cache.get("{a}", None).as_deref(), Some(&2));
    }
}
