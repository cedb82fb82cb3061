//! The rules: everybody may read what concerns them, those who administer may change all of it.
//!
//! Reading is answered from memory. What another process changed is seen within [`REFRESH_EVERY`]; a store that does not answer leaves the
//! last known values in place.

use std::sync::{Arc, PoisonError, RwLock};

use common::page::{Page, PageRequest};
use common::{Caller, Clock, ConfigChangeId, Error, PublicRevision, Role, StoreError, UserId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::model::{Change, Effective, Environment, Key, Snapshot, Visibility};
use crate::store::Store;

/// How old what is answered may be.
pub(crate) const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// The domain's rules over its store.
pub(crate) struct Service {
    store: Arc<dyn Store>,
    environment: Environment,
    clock: Clock,
    known: RwLock<Known>,
    /// Held while the store is read or changed, so that what is known never goes back in time.
    reading: Mutex<()>,
    /// How often what is in effect changed.
    changes: PublicRevision,
}

#[derive(Clone)]
struct Known {
    snapshot: Arc<Snapshot>,
    read_at: Timestamp,
}

/// A key as those who administer see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) effective: Effective,
}

/// What a key is changed to.
enum To {
    Value(Value),
    Default,
    Version(i64),
}

impl Service {
    /// Reads the store for the first time.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        clock: Clock,
    ) -> Result<Self, Error> {
        let snapshot = Arc::new(Snapshot::of(store.last().await?, &environment));
        report(&snapshot);
        let known = RwLock::new(Known { snapshot, read_at: clock.now() });
        let (reading, changes) = (Mutex::default(), PublicRevision::default());
        Ok(Self { store, environment, clock, known, reading, changes })
    }

    /// Whether the store answers.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
    }

    /// How often what is in effect changed, as far as this process knows.
    pub(crate) fn revision(&self) -> u64 {
        self.changes.get()
    }

    /// What is in effect.
    pub(crate) async fn snapshot(&self) -> Arc<Snapshot> {
        let known = self.known();
        if self.clock.now().duration_since(known.read_at) < REFRESH_EVERY {
            return known.snapshot;
        }
        // One reads; the others are answered what was known before.
        let Ok(_reading) = self.reading.try_lock() else { return known.snapshot };
        match self.read().await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                tracing::warn!(%error, "the last known config stays in effect");
                let last = self.known().snapshot;
                self.learn(Arc::clone(&last));
                last
            }
        }
    }

    /// The keys that the viewer may read.
    pub(crate) fn visible(caller: &Caller) -> impl Iterator<Item = Key> {
        Key::ALL.into_iter().filter(|key| key.definition().visibility.admits(caller))
    }

    /// The keys that a service may read, when it asks on nobody's behalf. For persons there is no such thing.
    pub(crate) fn for_services(caller: &Caller) -> Result<impl Iterator<Item = Key>, Error> {
        if caller.viewer.is_some() {
            return Err(Error::not_found("field", "serviceConfig"));
        }
        let visible = |key: &Key| key.definition().visibility != Visibility::Admin;
        Ok(Key::ALL.into_iter().filter(visible))
    }

    /// Every key, for those who administer.
    pub(crate) async fn entries(&self, caller: &Caller) -> Result<Vec<Entry>, Error> {
        caller.with_role(Role::Admin)?;
        let _reading = self.reading.lock().await;
        let snapshot = self.read().await?;
        Ok(Key::ALL.into_iter().filter_map(|key| entry(&snapshot, key)).collect())
    }

    /// The changes of one key or of all, the newest first, for those who administer.
    pub(crate) async fn history(
        &self,
        caller: &Caller,
        key: Option<Key>,
        page: PageRequest<ConfigChangeId>,
    ) -> Result<Page<Change>, Error> {
        caller.with_role(Role::Admin)?;
        let changes = self.store.history(key.map(Key::name), page.clone()).await?;
        Ok(Page::from_overfull(&page, changes))
    }

    /// Overrides the default of a key, for those who administer.
    pub(crate) async fn set(
        &self,
        caller: &Caller,
        key: Key,
        value: Value,
        expected: Option<i64>,
    ) -> Result<Entry, Error> {
        self.change(caller, key, To::Value(value), expected).await
    }

    /// Puts a key back to its default, for those who administer.
    pub(crate) async fn reset(
        &self,
        caller: &Caller,
        key: Key,
        expected: Option<i64>,
    ) -> Result<Entry, Error> {
        self.change(caller, key, To::Default, expected).await
    }

    /// Gives a key the value again that it had at a version, for those who administer. Before the first change it had its default.
    pub(crate) async fn revert(
        &self,
        caller: &Caller,
        key: Key,
        version: i64,
        expected: Option<i64>,
    ) -> Result<Entry, Error> {
        self.change(caller, key, To::Version(version), expected).await
    }

    async fn change(
        &self,
        caller: &Caller,
        key: Key,
        to: To,
        expected: Option<i64>,
    ) -> Result<Entry, Error> {
        let made_by = caller.with_role(Role::Admin)?.user;
        let checked = |value: &Value, argument| {
            key.definition()
                .rule
                .check(value)
                .map_err(|error| Error::invalid(argument, error.to_string()))
        };
        if let To::Value(value) = &to {
            checked(value, "input.value")?;
        }
        let _reading = self.reading.lock().await;
        let before = self.read().await?;
        let version =
            before.get(key).and_then(|now| now.last.as_ref()).map_or(0, |last| last.version);
        if let Some(expected) = expected.filter(|expected| *expected != version) {
            return Err(Error::Conflict(format!(
                "{} has version {version}, not {expected}: somebody changed it, read it again",
                key.name()
            )));
        }
        let value = match to {
            To::Value(value) => Some(value.to_string()),
            To::Default | To::Version(0) => None,
            To::Version(former) => {
                let value = self.former(key, former, version).await?;
                if let Some(text) = &value {
                    let value = serde_json::from_str(text).unwrap_or_default();
                    checked(&value, "input.toVersion")?;
                }
                value
            }
        };
        self.append(key, version + 1, value, made_by).await?;
        let after = self.read().await?;
        // Every key is in every snapshot.
        entry(&after, key).ok_or_else(|| Error::not_found("setting", key.name()))
    }

    async fn former(&self, key: Key, former: i64, version: i64) -> Result<Option<String>, Error> {
        match self.store.version(key.name(), former).await? {
            Some(change) => Ok(change.value),
            None => Err(Error::invalid(
                "input.toVersion",
                format!("{} has no version {former}: it has 0 to {version}", key.name()),
            )),
        }
    }

    async fn append(
        &self,
        key: Key,
        version: i64,
        value: Option<String>,
        made_by: UserId,
    ) -> Result<(), Error> {
        let change = Change {
            id: ConfigChangeId::new(),
            key: key.name().to_owned(),
            version,
            value,
            made_at: self.clock.now(),
            made_by,
        };
        self.store.append(change).await.map_err(|error| match error {
            StoreError::Duplicate { .. } => Error::Conflict(format!(
                "{} was changed at the same moment: read it again",
                key.name()
            )),
            other => other.into(),
        })
    }

    async fn read(&self) -> Result<Arc<Snapshot>, Error> {
        let snapshot = Arc::new(Snapshot::of(self.store.last().await?, &self.environment));
        if !self.known().snapshot.problems().eq(snapshot.problems()) {
            report(&snapshot);
        }
        self.learn(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, snapshot: Arc<Snapshot>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.snapshot != snapshot;
        *known = Known { snapshot, read_at: self.clock.now() };
        drop(known);
        if is_new {
            self.changes.advance();
        }
    }
}

fn entry(snapshot: &Snapshot, key: Key) -> Option<Entry> {
    Some(Entry { key, effective: snapshot.get(key)?.clone() })
}

fn report(snapshot: &Snapshot) {
    for (key, problem) in snapshot.problems() {
        tracing::warn!(key = key.name(), problem, "a stored setting has no effect");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use common::{Roles, SessionId, Viewer};
    use serde_json::json;

    use super::*;
    use crate::store::Answer;

    /// A store that can be unplugged.
    #[derive(Default)]
    struct Unplugged(AtomicBool);

    impl Unplugged {
        fn answer<T: Send + 'static>(&self, value: T) -> Answer<'_, T> {
            let answer = match self.0.load(Ordering::Relaxed) {
                true => Err(StoreError::Unavailable("unplugged".into())),
                false => Ok(value),
            };
            Box::pin(async { answer })
        }
    }

    impl Store for Unplugged {
        fn last(&self) -> Answer<'_, Vec<Change>> {
            self.answer(vec![Change {
                id: ConfigChangeId::new(),
                key: "signUpOpen".into(),
                version: 1,
                value: Some("false".into()),
                made_at: Timestamp::UNIX_EPOCH,
                made_by: UserId::new(),
            }])
        }

        fn version<'a>(&'a self, _key: &'a str, _version: i64) -> Answer<'a, Option<Change>> {
            self.answer(None)
        }

        fn history<'a>(
            &'a self,
            _key: Option<&'a str>,
            _page: PageRequest<ConfigChangeId>,
        ) -> Answer<'a, Vec<Change>> {
            self.answer(Vec::new())
        }

        fn append(&self, _change: Change) -> Answer<'_, ()> {
            self.answer(())
        }

        fn ping(&self) -> Answer<'_, ()> {
            self.answer(())
        }
    }

    #[tokio::test]
    async fn without_its_store_the_last_known_values_stay() {
        let store = Arc::new(Unplugged::default());
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let service =
            Service::open(store.clone(), Environment::default(), clock.clone()).await.unwrap();
        store.0.store(true, Ordering::Relaxed);
        clock.advance(REFRESH_EVERY);
        assert_eq!(service.snapshot().await.value(Key::SignUpOpen), &json!(false));
        assert!(service.ready().await.is_err());

        let roles = Roles { beta: false, admin: true };
        let viewer = Viewer::new(UserId::new(), SessionId::new(), roles);
        let admin = Caller::new(Some(viewer), "test");
        let error = service.set(&admin, Key::SignUpOpen, json!(true), None).await.unwrap_err();
        assert_eq!(error.code(), "SERVICE_UNAVAILABLE");
        assert_eq!(service.snapshot().await.value(Key::SignUpOpen), &json!(false));
    }
}
