//! The rules: everybody may read what the front end is told, those who administer may override it.
//!
//! Reading is answered from memory. What another process changed is seen within [`REFRESH_EVERY`]; a store that does not answer leaves the
//! last known values in place.

use std::sync::{Arc, PoisonError, RwLock};

use common::{Caller, Clock, Error, Role};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::model::{Frontend, Key, Override, Snapshot};
use crate::store::Store;

/// How old what is answered may be.
pub(crate) const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// The domain's rules over its store.
pub(crate) struct Service {
    store: Arc<dyn Store>,
    clock: Clock,
    known: RwLock<Known>,
    /// Held while the store is read or changed, so that what is known never goes back in time.
    reading: Mutex<()>,
}

#[derive(Clone)]
struct Known {
    snapshot: Arc<Snapshot>,
    read_at: Timestamp,
}

/// A key with its value, as those who administer see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Value,
    pub(crate) default: Value,
    pub(crate) overridden: Option<(Timestamp, common::UserId)>,
}

impl Service {
    /// Reads the store for the first time.
    pub(crate) async fn open(store: Arc<dyn Store>, clock: Clock) -> Result<Self, Error> {
        let snapshot = Arc::new(Snapshot::of(&store.overrides().await?));
        let known = RwLock::new(Known { snapshot, read_at: clock.now() });
        Ok(Self { store, clock, known, reading: Mutex::new(()) })
    }

    /// Whether the store answers.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
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

    /// Every key, for those who administer.
    pub(crate) async fn entries(&self, caller: &Caller) -> Result<Vec<Entry>, Error> {
        caller.with_role(Role::Admin)?;
        let _reading = self.reading.lock().await;
        let snapshot = self.read().await?;
        Ok(Key::ALL.into_iter().map(|key| entry(&snapshot, key)).collect())
    }

    /// Overrides the default of a key, for those who administer.
    pub(crate) async fn set(
        &self,
        caller: &Caller,
        key: Key,
        value: &Value,
    ) -> Result<Entry, Error> {
        let viewer = caller.with_role(Role::Admin)?;
        let mut checked = Frontend::default();
        checked
            .set(key, value)
            .map_err(|error| Error::invalid("input.value", error.to_string()))?;
        let _reading = self.reading.lock().await;
        let change = Override {
            key: key.name().to_owned(),
            value: checked.get(key),
            set_at: self.clock.now(),
            set_by: viewer.user,
        };
        self.store.put(change).await?;
        Ok(entry(&*self.read().await?, key))
    }

    /// Puts a key back to its default, for those who administer.
    pub(crate) async fn reset(&self, caller: &Caller, key: Key) -> Result<Entry, Error> {
        caller.with_role(Role::Admin)?;
        let _reading = self.reading.lock().await;
        self.store.remove(key.name()).await?;
        Ok(entry(&*self.read().await?, key))
    }

    async fn read(&self) -> Result<Arc<Snapshot>, Error> {
        let snapshot = Arc::new(Snapshot::of(&self.store.overrides().await?));
        self.learn(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, snapshot: Arc<Snapshot>) {
        let known = Known { snapshot, read_at: self.clock.now() };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

fn entry(snapshot: &Snapshot, key: Key) -> Entry {
    Entry {
        key,
        value: snapshot.frontend.get(key),
        default: Frontend::default().get(key),
        overridden: snapshot.overridden(key),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use common::{Roles, SessionId, StoreError, UserId, Viewer};
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
        fn overrides(&self) -> Answer<'_, Vec<Override>> {
            self.answer(vec![Override {
                key: "signUpOpen".into(),
                value: json!(false),
                set_at: Timestamp::UNIX_EPOCH,
                set_by: UserId::new(),
            }])
        }

        fn put(&self, _change: Override) -> Answer<'_, ()> {
            self.answer(())
        }

        fn remove<'a>(&'a self, _key: &'a str) -> Answer<'a, ()> {
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
        let service = Service::open(store.clone(), clock.clone()).await.unwrap();
        store.0.store(true, Ordering::Relaxed);
        clock.advance(REFRESH_EVERY);
        assert!(!service.snapshot().await.frontend.sign_up_open());
        assert!(service.ready().await.is_err());

        let roles = Roles { beta: false, admin: true };
        let viewer = Viewer::new(UserId::new(), SessionId::new(), roles);
        let admin = Caller::new(Some(viewer), "test");
        let error = service.set(&admin, Key::SignUpOpen, &json!(true)).await.unwrap_err();
        assert_eq!(error.code(), "SERVICE_UNAVAILABLE");
        assert!(!service.snapshot().await.frontend.sign_up_open());
    }
}
