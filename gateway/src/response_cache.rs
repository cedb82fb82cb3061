//! Keeps answers that are the same for everybody, for as long as the subgraphs say that they may be kept (`caching`), and no longer than what
//! they tell of stays as it is: each subgraph counts its changes, and an answer is good as long as the number stays that was read
//! before it was made. So nobody is given an answer that is older than a change of which he was told by this gateway.
//!
//! Not kept: what is for one viewer, what has errors, headers or parts, and what may depend on a client's own headers. The same are those with
//! the same operation, variables and standing of whoever asks, so that one that is wrongly said to be for everybody is still given to nobody
//! who may do less. Of those who ask for an answer that was kept before, one has it made again, and the others wait for that.
//!
//! It is bounded in bytes, and has two generations as the cache of operations has.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use common::Viewer;
use federation::{Object, OperationKind, Prepared};
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::authenticate::Identity;
use crate::caching::Kept;
use crate::outcome::Executed;
use crate::respond::policy;

/// What an entry takes besides its texts, in bytes, roughly.
const OVERHEAD: usize = 400;
/// One answer takes this part of the whole at most.
const LARGEST: usize = 8;

/// The answers that are kept.
#[derive(Debug)]
pub(crate) struct ResponseCache {
    most_bytes: usize,
    generations: Mutex<[Generation; 2]>,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<Key, Entry, ahash::RandomState>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    answer: Kept,
    revision: u64,
    since: Instant,
    bytes: usize,
    /// Whose turn it is to make it again.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What is asked for, and with which standing.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The same operation is the same allocation, as far as whoever asks may see it; it is not kept alive.
    prepared: Weak<Prepared>,
    /// As JSON text.
    variables: Box<[u8]>,
    standing: Standing,
}

/// What whoever asks may do. Nothing of who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Standing {
    Anonymous,
    SignedIn { verified: bool, beta: bool, admin: bool, by_key: bool },
}

impl Standing {
    fn of(identity: &Identity) -> Self {
        let signed_in = |viewer: &Viewer| Self::SignedIn {
            verified: viewer.verified,
            beta: viewer.roles.beta,
            admin: viewer.roles.admin,
            by_key: identity.by_key,
        };
        identity.viewer.as_ref().map_or(Self::Anonymous, signed_in)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.prepared, &other.prepared)
            && self.variables == other.variables
            && self.standing == other.standing
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.prepared.as_ptr().hash(state);
        self.variables.hash(state);
        self.standing.hash(state);
    }
}

/// What was found.
pub(crate) enum Found {
    Answer(Kept),
    /// It has to be made, and may be kept after.
    Nothing(Place),
}

/// Where an answer may be kept that is about to be made.
#[derive(Debug)]
pub(crate) struct Place {
    key: Key,
    /// Read before it is made.
    revision: u64,
    /// Others wait for it.
    _turn: Option<OwnedMutexGuard<()>>,
}

enum Looked {
    Good(Kept),
    Old(Arc<tokio::sync::Mutex<()>>),
    Unknown,
}

impl ResponseCache {
    /// At most so many bytes are kept; none where it is 0.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, generations: Mutex::default() }
    }

    /// What an operation is found by; none when its answer cannot be kept.
    pub(crate) fn key(
        &self,
        prepared: &Arc<Prepared>,
        variables: &Object,
        identity: &Identity,
    ) -> Option<Key> {
        if self.most_bytes == 0 || prepared.kind() != OperationKind::Query {
            return None;
        }
        let variables = serde_json::to_vec(variables).ok()?.into_boxed_slice();
        let standing = Standing::of(identity);
        Some(Key { prepared: Arc::downgrade(prepared), variables, standing })
    }

    /// The answer, if it is kept and still good; `revision` tells how often there were changes. While somebody else makes it again, that is waited
    /// for.
    pub(crate) async fn find(&self, key: Key, revision: impl Fn() -> u64) -> Found {
        let turn = match self.look(&key, revision()) {
            Looked::Good(answer) => return Found::Answer(answer),
            Looked::Unknown => None,
            Looked::Old(turn) => {
                let turn = turn.lock_owned().await;
                match self.look(&key, revision()) {
                    Looked::Good(answer) => return Found::Answer(answer),
                    Looked::Old(_) => Some(turn),
                    // It could not be kept this time. Whoever waits need not do so one after the other.
                    Looked::Unknown => None,
                }
            }
        };
        Found::Nothing(Place { key, revision: revision(), _turn: turn })
    }

    /// Keeps an answer in the place that was found for it, if it may be kept.
    pub(crate) fn keep(&self, place: Place, executed: &Executed) {
        let policy = policy(executed).filter(|policy| policy.is_for_everybody());
        let policy = policy.filter(|_| executed.headers.is_empty());
        let bytes = executed.response.data.len() + place.key.variables.len() + OVERHEAD;
        let mut generations = self.lock();
        generations.iter_mut().for_each(|generation| generation.remove(&place.key));
        let Some(policy) = policy.filter(|_| bytes <= self.most_bytes / LARGEST) else { return };
        let answer = Kept { data: Bytes::copy_from_slice(&executed.response.data), policy };
        let (revision, since) = (place.revision, Instant::now());
        let entry = Entry { answer, revision, since, bytes, turn: Arc::default() };
        self.put(&mut generations, place.key, entry);
    }

    fn look(&self, key: &Key, revision: u64) -> Looked {
        let mut generations = self.lock();
        let [young, old] = &mut *generations;
        let entry = match young.entries.get(key) {
            Some(entry) => entry.clone(),
            None => {
                let Some(entry) = old.take(key) else { return Looked::Unknown };
                self.put(&mut generations, key.clone(), entry.clone());
                entry
            }
        };
        let left = entry.answer.policy.after(entry.since.elapsed());
        if entry.revision == revision && left.allows_keeping() {
            return Looked::Good(Kept { policy: left, ..entry.answer });
        }
        Looked::Old(entry.turn)
    }

    fn put(&self, generations: &mut [Generation; 2], key: Key, entry: Entry) {
        let [young, old] = generations;
        if young.bytes + entry.bytes > self.most_bytes / 2 {
            *old = std::mem::take(young);
        }
        young.bytes += entry.bytes;
        young.entries.insert(key, entry);
    }

    /// A panic elsewhere leaves the entries whole.
    fn lock(&self) -> MutexGuard<'_, [Generation; 2]> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generation {
    fn take(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.bytes -= entry.bytes;
        Some(entry)
    }

    fn remove(&mut self, key: &Key) {
        drop(self.take(key));
    }
}
