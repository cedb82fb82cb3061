//! A MongoDB database on a replica set: majority writes, transactions, and errors in neutral form.
//!
//! A standalone server is refused: it has no transactions, and loses acknowledged writes when it is killed.

mod replica_set;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use mongodb::bson::{Document, doc};
use mongodb::error::{ErrorKind, WriteFailure};
use mongodb::event::{EventHandler, command::CommandEvent};
use mongodb::options::{
    Acknowledgment, ClientOptions, IndexOptions, ReadConcern, ReadPreference, SelectionCriteria,
    WriteConcern,
};
use mongodb::{Client, ClientSession, Collection, Database, IndexModel};
use prometheus_client::metrics::histogram::Histogram;
use serde::{Serialize, de::DeserializeOwned};

pub use replica_set::{CollectionId, ReplicaSet};

#[cfg(feature = "testing")]
use crate::testing::Heard;
use crate::{StoreError, metrics, trace};

/// How long a server is looked for.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// The collection of what a database says of itself, whichever domain's it is.
const OWN: &str = "spacey";
const ERA: &str = "era";
const ERA_FIELD: &str = "number";
const DUPLICATE_KEY: i32 = 11000;
const NAMESPACE_NOT_FOUND: i32 = 26;
const INDEX_NOT_FOUND: i32 = 27;

/// A domain's database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Mongo {
    database: Database,
    commands: Arc<AtomicU64>,
    era: i32,
    #[cfg(feature = "testing")]
    heard: Heard,
}

impl Mongo {
    /// Connects to the replica set at `uri` and uses the database `name`.
    ///
    /// # Errors
    /// [`StoreError::Unsuitable`] when the address is wrong or the server is no replica set, [`StoreError::Unavailable`] when
    /// none answers within five seconds.
    pub async fn connect(uri: &str, name: &str) -> Result<Self, StoreError> {
        let unsuitable = |error: mongodb::error::Error| StoreError::Unsuitable(error.to_string());
        let mut options = ClientOptions::parse(uri).await.map_err(unsuitable)?;
        let commands = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commands);
        let store = name.to_owned();
        let seconds = CommandSeconds::of_store(&store);
        #[cfg(feature = "testing")]
        let heard = Heard::default();
        #[cfg(feature = "testing")]
        let listener = heard.clone();
        options.app_name = Some(app_name(name));
        options.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
        make_safe(&mut options);
        options.command_event_handler = Some(EventHandler::callback(move |event| {
            let (command, duration) = match event {
                CommandEvent::Started(_started) => {
                    counter.fetch_add(1, Ordering::Relaxed);
                    #[cfg(feature = "testing")]
                    listener.hear(_started.command);
                    return;
                }
                CommandEvent::Succeeded(done) => (done.command_name, done.duration),
                CommandEvent::Failed(failed) => (failed.command_name, failed.duration),
                _ => return,
            };
            seconds.of(&command).observe(duration.as_secs_f64());
            if trace::is_on() {
                let began = SystemTime::now().checked_sub(duration);
                trace::statement(
                    "mongodb",
                    &store,
                    &command,
                    began.unwrap_or(SystemTime::UNIX_EPOCH),
                );
            }
        }));
        let database = Client::with_options(options).map_err(unsuitable)?.database(name);
        let hello = database.run_command(doc! { "hello": 1 }).await?;
        // A mongos (sharded cluster) says so in `msg`; a member of a replica set names the set.
        if !hello.contains_key("setName") && hello.get_str("msg").ok() != Some("isdbgrid") {
            return Err(StoreError::Unsuitable(
                "MongoDB runs as a standalone server: a replica set is needed".into(),
            ));
        }
        let era = database.collection::<Document>(OWN).find_one(doc! { "_id": ERA }).await?;
        let era = era.and_then(|era| era.get_i32(ERA_FIELD).ok()).unwrap_or_default();
        Ok(Self {
            database,
            commands,
            era,
            #[cfg(feature = "testing")]
            heard,
        })
    }

    /// A collection.
    #[must_use]
    pub fn collection<T: Send + Sync + Serialize + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Collection<T> {
        self.database.collection(name)
    }

    /// The database itself.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Another number each time that the database was brought back from a backup: what was numbered before may have been numbered anew since.
    #[must_use]
    pub const fn era(&self) -> i32 {
        self.era
    }

    /// Makes an index unless there is one with this name. An index of that name that differs is an error.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ensure_index(
        &self,
        collection: &str,
        name: &str,
        keys: Document,
        mut options: IndexOptions,
    ) -> Result<(), StoreError> {
        options.name = Some(name.to_owned());
        let index = IndexModel::builder().keys(keys).options(options).build();
        self.database.collection::<Document>(collection).create_index(index).await?;
        Ok(())
    }

    /// Drops an index that there may be.
    ///
    /// # Errors
    /// What the server says, but that there is none.
    pub async fn drop_index(&self, collection: &str, name: &str) -> Result<(), StoreError> {
        match self.database.collection::<Document>(collection).drop_index(name).await {
            Err(error) if !is_absent(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Runs `change` in a transaction and commits it. It may be called again when the server asks for a retry, so it must do nothing but
    /// work on the session. To refuse from within, return `Ok` of a value that says so, before the first write.
    ///
    /// # Errors
    /// What `change` or the commit fails with; then nothing was changed.
    pub async fn transaction<T, F>(&self, mut change: F) -> Result<T, StoreError>
    where
        F: for<'s> FnMut(&'s mut ClientSession) -> BoxFuture<'s, mongodb::error::Result<T>> + Send,
        T: Send,
    {
        let mut session = self.database.client().start_session().await?;
        let result = session.start_transaction().and_run((), |session, ()| change(session)).await?;
        Ok(result)
    }

    /// How many commands were sent since connecting: for tests that bound it.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// What it hears of the commands that are sent: for tests that look how they are carried out.
    #[cfg(feature = "testing")]
    #[must_use]
    pub const fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Whether the primary answers now.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.run_command(doc! { "ping": 1 }).await?;
        Ok(())
    }
}

/// How long commands take, by their names: those that Spacey sends much, and all others together.
struct CommandSeconds(Vec<(&'static str, Histogram)>, Histogram);

impl CommandSeconds {
    fn of_store(store: &str) -> Self {
        let names = [
            "find",
            "aggregate",
            "insert",
            "update",
            "delete",
            "findAndModify",
            "getMore",
            "commitTransaction",
        ];
        let of = |name| (name, metrics::store_seconds(store, name));
        Self(names.map(of).into(), metrics::store_seconds(store, "other"))
    }

    fn of(&self, command: &str) -> &Histogram {
        self.0.iter().find(|(name, _)| *name == command).map_or(&self.1, |(_, seconds)| seconds)
    }
}

/// By which the server knows who uses a database, whatever the address says.
fn app_name(database: &str) -> String {
    format!("spacey {database}")
}

/// What is acknowledged is on the disks of most members, and what is read was.
fn make_safe(options: &mut ClientOptions) {
    let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    options.write_concern = Some(durable);
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
}

impl From<mongodb::error::Error> for StoreError {
    fn from(error: mongodb::error::Error) -> Self {
        if let Some(index) = duplicate_index(&error) {
            return Self::Duplicate { index };
        }
        match error.kind.as_ref() {
            ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. } => Self::Unavailable(Box::new(error)),
            ErrorKind::BsonDeserialization(_) => Self::Corrupt(error.to_string()),
            _ => Self::Other(Box::new(error)),
        }
    }
}

/// The index whose uniqueness a write would have broken.
fn duplicate_index(error: &mongodb::error::Error) -> Option<String> {
    let message = match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(write)) if write.code == DUPLICATE_KEY => {
            &write.message
        }
        ErrorKind::Command(command) if command.code == DUPLICATE_KEY => &command.message,
        ErrorKind::InsertMany(many) => many
            .write_errors
            .as_ref()?
            .iter()
            .find(|write| write.code == DUPLICATE_KEY)
            .map(|write| &write.message)?,
        _ => return None,
    };
    // "E11000 duplicate key error collection: db.users index: email_1 dup key: { … }"
    let name = message.split(" index: ").nth(1)?.split(' ').next()?;
    Some(name.to_owned())
}
/// Whether there is no such index, or no such collection.
fn is_absent(error: &mongodb::error::Error) -> bool {
    let code = match &*error.kind {
        ErrorKind::Command(error) => error.code,
        _ => return false,
    };
    matches!(code, NAMESPACE_NOT_FOUND | INDEX_NOT_FOUND)
}
