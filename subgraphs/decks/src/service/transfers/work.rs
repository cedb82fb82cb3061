//! Who works on imports and exports: looks for those with work to do, claims them for a while, and does it, a few at a time and one of a
//! person. A claim that is not renewed ends, and somebody else goes on.

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use common::metrics::Jobs;
use common::{Error, UserId, Viewer};
use jiff::SignedDuration;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::super::Service;
use crate::NAME;
use crate::exchange::{self, ReadError, WriteError};
use crate::model::{Direction, FileFormat, Transfer, TransferError, TransferState};
use crate::store::{Changes, Commit};

static JOBS: LazyLock<Jobs> = LazyLock::new(|| Jobs::of(NAME));

/// How many transfers are worked on at once in this process.
const AT_ONCE: usize = 2;
/// How long a claim holds. It is renewed with each step.
const CLAIM: SignedDuration = SignedDuration::from_secs(120);
/// How often a claim is renewed where a step takes long.
const RENEW: Duration = Duration::from_secs(30);
/// How often it is looked for work that nobody called for: another process's.
const LOOK: Duration = Duration::from_secs(2);
/// How often a transfer is begun before it counts as failed.
const BEGINNINGS: u32 = 5;
/// How often a step is decided again.
const ATTEMPTS: usize = 10;

/// Who is at work.
pub(in crate::service) struct Workers {
    places: Arc<Semaphore>,
    people: Mutex<HashSet<UserId>>,
}

impl Default for Workers {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), people: Mutex::default() }
    }
}

/// Why work on a transfer stops before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// Somebody else has it by now, or it is gone.
    #[error("somebody else goes on with it")]
    Fenced,
    /// It cannot be done.
    #[error("{code}: {message}")]
    Failed {
        /// See [`TransferError::code`].
        code: &'static str,
        /// What was wrong.
        message: String,
    },
    /// The store failed: it is tried again later.
    #[error(transparent)]
    Domain(#[from] Error),
}

impl From<common::StoreError> for Stop {
    fn from(error: common::StoreError) -> Self {
        Self::Domain(error.into())
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => io(error),
            ReadError::Package(anki::Error::Io(error)) => io(error),
            bad => Self::Failed { code: "BAD_FILE", message: bad.to_string() },
        }
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Io(error) => io(error),
            WriteError::TooLarge(most) => {
                let message =
                    format!("the file would have more than {most} bytes: export fewer decks");
                failed("LIMIT_EXCEEDED", message)
            }
            other => Self::Failed { code: "INTERNAL_SERVER_ERROR", message: other.to_string() },
        }
    }
}

pub(super) fn io(error: std::io::Error) -> Stop {
    Stop::Domain(Error::Store(common::StoreError::Other(Box::new(error))))
}

pub(super) fn failed(code: &'static str, message: impl Into<String>) -> Stop {
    Stop::Failed { code, message: message.into() }
}

/// Works as long as the domain is open.
pub(crate) async fn work(service: Weak<Service>) {
    LazyLock::force(&JOBS);
    loop {
        let Some(service) = service.upgrade() else { return };
        if let Err(error) = service.forget_transfers().await {
            tracing::warn!(%error, "old imports and exports could not be forgotten");
        }
        if let Err(error) = start_waiting(&service).await {
            tracing::warn!(%error, "it could not be looked for imports and exports to work on");
        }
        let wake = Arc::clone(&service.wake);
        drop(service);
        // Nobody calling in time is the usual case.
        drop(tokio::time::timeout(LOOK, wake.notified()).await);
    }
}

async fn start_waiting(service: &Arc<Service>) -> Result<(), Error> {
    for mut transfer in service.store.waiting_transfers(service.clock.now(), 50).await? {
        let places = Arc::clone(&service.workers.places);
        let Ok(place) = places.try_acquire_owned() else { return Ok(()) };
        let Some(person) = Busy::new(service, transfer.owner) else { continue };
        transfer.claimed_until = Some(service.clock.now() + CLAIM);
        let claimed = service.store.put_transfer(transfer.clone()).await;
        if claimed? != Commit::Done {
            continue;
        }
        transfer.revision += 1;
        let service = Arc::clone(service);
        let waited = service.clock.now().duration_since(transfer.updated_at);
        let running = JOBS.begin(waited.try_into().unwrap_or_default());
        tokio::spawn(async move {
            service.work_on(transfer).await;
            drop((person, place, running));
            service.wake.notify_one();
        });
    }
    Ok(())
}

/// A person one of whose transfers is worked on, until it is dropped, whatever becomes of the work.
struct Busy(Arc<Service>, UserId);

impl Busy {
    /// `None` when one is worked on already.
    fn new(service: &Arc<Service>, person: UserId) -> Option<Self> {
        service.workers.people().insert(person).then(|| Self(Arc::clone(service), person))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.workers.people().remove(&self.1);
    }
}

impl Workers {
    fn people(&self) -> std::sync::MutexGuard<'_, HashSet<UserId>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    async fn work_on(&self, mut transfer: Transfer) {
        let id = transfer.id;
        let done = match (transfer.state, transfer.direction) {
            (TransferState::Reading, _) => self.preview(&mut transfer).await,
            (TransferState::Queued | TransferState::Running, Direction::Import) => {
                self.stage_and_commit(&mut transfer).await
            }
            (TransferState::Queued | TransferState::Running, Direction::Export) => {
                self.write_export(&mut transfer).await
            }
            (TransferState::Committing, _) => self.commit_import(&mut transfer).await,
            (TransferState::Cancelling, _) => {
                self.call_off(&mut transfer, TransferState::Cancelled).await
            }
            _ => Ok(()),
        };
        let undone = match done {
            Ok(()) | Err(Stop::Fenced) => Ok(()),
            Err(Stop::Failed { code, message }) => {
                transfer.body.error = Some(TransferError { code: code.to_owned(), message });
                self.call_off(&mut transfer, TransferState::Failed).await
            }
            Err(stop) => Err(stop),
        };
        if let Err(error) = undone {
            tracing::warn!(%id, %error, cause = ?error, "work on an import or export broke off: it is tried again");
        }
    }

    /// Counts a beginning; a transfer that never ends is given up.
    pub(super) fn count_beginning(transfer: &mut Transfer) -> Result<(), Stop> {
        transfer.body.attempts += 1;
        if transfer.body.attempts > BEGINNINGS {
            return Err(failed("INTERRUPTED", format!("it broke off {BEGINNINGS} times")));
        }
        Ok(())
    }

    /// Undoes what was made and is not shown yet, in parts, then says how the transfer ended.
    async fn call_off(&self, transfer: &mut Transfer, state: TransferState) -> Result<(), Stop> {
        self.purge_staging(transfer).await?;
        self.delete_staged_media(transfer).await?;
        if state == TransferState::Cancelled {
            transfer.body.preview = None;
        }
        Ok(self.end(transfer.clone(), state).await?)
    }

    /// Removes what is staged, a bounded number of rows in each transaction.
    pub(super) async fn purge_staging(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        let Some(staging) = transfer.body.staging else { return Ok(()) };
        while !self.store.purge(staging, 500).await? {
            self.renew(transfer).await?;
        }
        Ok(())
    }

    /// Stores how far a transfer has come, and holds it for a while longer.
    pub(super) async fn renew(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        let next = self.held(transfer.clone());
        match self.store.put_transfer(next.clone()).await? {
            Commit::Done => *transfer = Transfer { revision: next.revision + 1, ..next },
            Commit::Stale => return Err(Stop::Fenced),
        }
        Ok(())
    }

    /// Waits for what somebody else is at, however long it takes, and holds the transfer meanwhile.
    pub(super) async fn hold_while<T>(
        &self,
        transfer: &mut Transfer,
        work: impl Future<Output = T>,
    ) -> Result<T, Stop> {
        self.hold_each(RENEW, transfer, work).await
    }

    async fn hold_each<T>(
        &self,
        period: Duration,
        transfer: &mut Transfer,
        work: impl Future<Output = T>,
    ) -> Result<T, Stop> {
        let mut work = pin!(work);
        loop {
            // What is done wins, and renewing is never broken off.
            match tokio::time::timeout(period, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) => self.renew(transfer).await?,
            }
        }
    }

    /// A transfer as it is stored with a step.
    pub(super) fn held(&self, mut transfer: Transfer) -> Transfer {
        let now = self.clock.now();
        transfer.updated_at = now;
        transfer.claimed_until = Some(now + CLAIM);
        transfer
    }

    /// Decides a step and makes it together with the transfer, until nobody is faster. What is decided must hold the transfer.
    pub(super) async fn step<T, F>(
        &self,
        transfer: &mut Transfer,
        decide: impl Fn(Transfer) -> F + Send,
    ) -> Result<T, Stop>
    where
        F: Future<Output = Result<(T, Changes), Stop>> + Send,
        T: Send,
    {
        for _ in 0..ATTEMPTS {
            let _one_at_a_time = self.lock(transfer.owner).await;
            let (answer, mut changes) = decide(self.held(transfer.clone())).await?;
            self.tell_tags(&mut changes).await?;
            let Some(next) = changes.transfer.clone() else { return Err(Stop::Fenced) };
            if self.store.commit(changes).await? == Commit::Done {
                *transfer = Transfer { revision: next.revision + 1, ..next };
                return Ok(answer);
            }
            let found = self.store.transfer(transfer.id).await?;
            if found.is_none_or(|found| found.revision != transfer.revision) {
                return Err(Stop::Fenced);
            }
        }
        Err(Error::Conflict("others change the same decks at this moment".into()).into())
    }

    /// The owner, as if asking.
    pub(super) fn owner_of(transfer: &Transfer) -> Viewer {
        let session = common::SessionId::from(uuid::Uuid::nil());
        Viewer::new(transfer.owner, session, common::Roles::default())
    }

    /// Puts the parts of a file together, in a file that is removed when it is dropped.
    pub(super) async fn assemble(&self, transfer: &Transfer) -> Result<LocalFile, Stop> {
        let (file, path) =
            tempfile::Builder::new().prefix("spacey-").tempfile().map_err(io)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        for number in 0..transfer.body.parts {
            let part = self.store.part(transfer.id, number).await?;
            let part = part.ok_or(Stop::Fenced)?;
            file.write_all(&part).await.map_err(io)?;
        }
        file.flush().await.map_err(io)?;
        let format = match transfer.body.format {
            Some(format) => format,
            None => exchange::format_of(&path, &transfer.body.name).map_err(io)?,
        };
        Ok(LocalFile { format, path: path.to_path_buf(), _file: path })
    }
}

/// A file of somebody's, here for as long as it is read.
pub(super) struct LocalFile {
    pub(super) format: FileFormat,
    pub(super) path: PathBuf,
    _file: tempfile::TempPath,
}

#[cfg(test)]
mod tests {
    use common::outbox::Outbox;
    use common::{Clock, TransferId, testing};

    use super::*;
    use crate::model::TransferBody;
    use crate::store::Store;
    use crate::store::mongo::MongoStore;
    use crate::store::sqlite::{MIGRATIONS, SqliteStore};

    async fn a_claim_is_renewed_while_others_work(store: Arc<impl Store + 'static>) {
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let outbox = Outbox::start("decks", store.clone(), Vec::new());
        let service = Service::new(store.clone(), outbox, clock.clone());
        let now = clock.now();
        let new = Transfer {
            id: TransferId::new(),
            owner: UserId::new(),
            direction: Direction::Export,
            state: TransferState::Running,
            created_at: now,
            updated_at: now,
            expires_at: now + SignedDuration::from_hours(1),
            claimed_until: Some(now + CLAIM),
            revision: 0,
            body: TransferBody::default(),
        };
        assert_eq!(store.put_transfer(new.clone()).await.unwrap(), Commit::Done);
        let mut held = Transfer { revision: 1, ..new };
        let (id, watched) = (held.id, store.clone());
        // The package is packed for longer than a claim holds, again and again.
        let packing = async {
            for seconds in [100, 200, 300] {
                clock.advance(SignedDuration::from_secs(100));
                while watched.transfer(id).await.unwrap().unwrap().claimed_until
                    != Some(now + SignedDuration::from_secs(seconds) + CLAIM)
                {
                    tokio::task::yield_now().await;
                }
                // Nobody else finds it to work on.
                assert_eq!(watched.waiting_transfers(clock.now(), 9).await.unwrap(), []);
            }
            "packed"
        };
        let packed = service.hold_each(Duration::from_millis(1), &mut held, packing).await;
        assert_eq!(packed.unwrap(), "packed");
        assert_eq!(store.transfer(id).await.unwrap().unwrap().revision, held.revision);
        assert!(held.revision > 3);

        // Whoever was slower than that is told, and its work ends.
        let mut late = Transfer { revision: 1, ..held };
        let endless = std::future::pending::<()>();
        let stopped = service.hold_each(Duration::from_millis(1), &mut late, endless).await;
        assert!(matches!(stopped, Err(Stop::Fenced)));
    }

    #[tokio::test]
    async fn a_claim_is_renewed_while_others_work_in_both_stores() {
        let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
        a_claim_is_renewed_while_others_work(Arc::new(SqliteStore::new(sqlite))).await;
        let mongo = MongoStore::open(testing::mongo().await).await.unwrap();
        a_claim_is_renewed_while_others_work(Arc::new(mongo)).await;
    }
}
