//! Running jobs: each process takes those whose turn it is, as long as there is room, and keeps them by a lease that it renews.
//!
//! Before the service is asked, the job says so in the store. A job that is found so after its process has gone is asked for again only of a service
//! that keeps its answers by key; with any other it fails, because nobody knows whether its drafts were made.

use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use common::Error;
use common::metrics::Jobs;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::settings::prompt_of_job;
use super::{Service, watch};
use crate::NAME;
use crate::address::leads_outside;
use crate::answer::Note;
use crate::client::{Generation, GenerationError, Part};
use crate::model::{Job, MAX_ATTEMPTS, Request, State, Step};
use crate::store::Removal;

static JOBS: LazyLock<Jobs> = LazyLock::new(|| Jobs::of(NAME));

/// How long a process has a job to itself without a word.
const LEASE: SignedDuration = SignedDuration::from_secs(20);
/// How long the store may fail before a job is left: less than the lease.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked for jobs that other processes added or left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often drafts that come one by one are stored.
const STORE_EVERY: Duration = Duration::from_millis(250);
/// How often the service is asked again when the connection breaks.
const ASKED_AGAIN: usize = 2;

/// Begins jobs, as long as the domain is open.
pub(crate) async fn work(service: Weak<Service>) {
    LazyLock::force(&JOBS);
    loop {
        let Some(service) = service.upgrade() else { return };
        let now = service.clock.now();
        let claimed = service.store.claim(service.worker, now, now + LEASE, service.bounds).await;
        match claimed {
            Ok(Some(job)) => {
                service.hub.tell(job.id.uuid());
                tokio::spawn(Arc::clone(&service).run(job));
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "jobs of card generation could not be begun"),
        }
        let bell = Arc::clone(&service.bell);
        drop(service);
        // Nothing else is to be done when it is the time that has passed.
        drop(tokio::time::timeout(LOOK_EVERY, bell.notified()).await);
    }
}

/// Why a job is left alone.
enum Left {
    /// It was cancelled, or another process has it.
    Lost,
    /// The store fails. Whoever finds the job when the lease is over goes on with it.
    Store(Error),
}

impl From<common::StoreError> for Left {
    fn from(error: common::StoreError) -> Self {
        Self::Store(error.into())
    }
}

impl Service {
    /// Runs a job to its end, unless it is taken away.
    async fn run(self: Arc<Self>, job: Job) {
        let id = job.id;
        let waited = self.clock.now().duration_since(job.created_at);
        let _running = JOBS.begin(waited.try_into().unwrap_or_default());
        let left = tokio::select! {
            left = self.keep(&job) => Err(left),
            done = self.complete(job.clone()) => done,
        };
        let is_lost = matches!(left, Err(Left::Lost));
        match left {
            Ok(()) => {}
            Err(Left::Lost) => {
                tracing::debug!(job = %id, "card generation: the job was taken away");
            }
            Err(Left::Store(error)) => {
                tracing::warn!(job = %id, %error, "card generation: the job is left for later");
            }
        }
        self.hub.tell(id.uuid());
        // There is room for another one.
        self.bell.notify_one();
        if is_lost {
            self.call_off(&job).await;
        }
    }

    /// Has the service end what it is at for a job that its owner ended: its place there is for others.
    async fn call_off(&self, job: &Job) {
        let now = match self.store.jobs(vec![job.id]).await {
            Ok(mut found) => found.pop(),
            Err(_) => return,
        };
        // One that was taken by another process goes on there.
        if now.is_some_and(|now| !now.state.is_over()) {
            return;
        }
        if let Err(error) = self.client.call_off(job.owner, job.id).await {
            tracing::debug!(job = %job.id, "card generation: it goes on for nobody: {error}");
        }
    }

    /// Renews the lease until the job is not this process's any more.
    async fn keep(&self, job: &Job) -> Left {
        let mut changes = self.hub.listen();
        let mut renewed = Instant::now();
        loop {
            watch::changed(&mut changes, job.id.uuid()).await;
            let until = self.clock.now() + LEASE;
            match self.store.renew(job.id, self.worker, until).await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => return Left::Lost,
                // The lease may outlast a short failure of the store.
                Err(error) if renewed.elapsed() > PATIENCE => return error.into(),
                Err(_) => {}
            }
        }
    }

    async fn complete(&self, mut job: Job) -> Result<(), Left> {
        let started = Instant::now();
        let outcome = match self.may_ask(&job).await {
            Ok(()) => match self.read(&mut job).await? {
                Ok(()) => self.ask(&mut job).await?,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let elapsed_ms = started.elapsed().as_millis();
        let id = job.id;
        let refund = match outcome {
            Ok(note) => {
                let (drafts, rejected) = (note.proposals.len(), note.rejected);
                job.propose(note.proposals);
                job.generator = note.generator;
                job.rejected = note.rejected;
                job.notices = note.notices;
                tracing::info!(job = %id, drafts, rejected, elapsed_ms, "made drafts of cards");
                job.end(State::Ready, self.clock.now())
            }
            Err(error) => {
                job.drafts.clear();
                job.failure = Some(error.failure());
                tracing::warn!(job = %id, elapsed_ms, "card generation: {error}");
                job.end(State::Failed, self.clock.now())
            }
        };
        self.save_with(&mut job, refund).await
    }

    /// Whether the service may be asked, or asked again.
    async fn may_ask(&self, job: &Job) -> Result<(), GenerationError> {
        let was_asked = !matches!(job.step, Step::Waiting | Step::Reading);
        if job.attempts > MAX_ATTEMPTS || (was_asked && !self.client.keeps_answers().await) {
            return Err(GenerationError::Interrupted);
        }
        Ok(())
    }

    /// Has the service read what the job is about, if that is not done. Reading it twice does no harm.
    async fn read(&self, job: &mut Job) -> Result<Result<(), GenerationError>, Left> {
        let Request { address, content, .. } = &job.request;
        if !job.request.text.is_empty() || (address.is_none() && content.is_none()) {
            return Ok(Ok(()));
        }
        job.reach(Step::Reading);
        self.save(job).await?;
        let mut read = self.read_once(job).await?;
        for _ in 0..ASKED_AGAIN {
            if !read.as_ref().is_err_and(GenerationError::is_interruption) {
                break;
            }
            // Whatever it keeps: it has to be there again.
            self.client.keeps_answers().await;
            read = self.read_once(job).await?;
        }
        let read = match read {
            Ok(text) => text,
            Err(error) => return Ok(Err(error)),
        };
        let most = self.limits().await.text as usize;
        job.request.text = read.trim().chars().take(most).collect();
        if job.request.text.is_empty() {
            return Ok(Err(GenerationError::SourceUnreadable));
        }
        Ok(Ok(()))
    }

    async fn read_once(&self, job: &Job) -> Result<Result<String, GenerationError>, Left> {
        match (&job.request.address, job.request.content) {
            (_, Some(content)) => self.text_of(job.owner, content).await.map_err(Left::Store),
            (Some(address), None) if leads_outside(address).await => {
                // What is left of it there, when this is interrupted, is found and deleted.
                let lost = Removal::of_lost(job.owner, address.clone(), self.clock.now());
                self.store.insert_removal(lost.clone()).await?;
                let read = self.client.read(job.owner, address).await;
                if read.as_ref().is_ok_and(|(_, deleted)| *deleted) {
                    self.store.removed(lost.id).await?;
                }
                Ok(read.map(|(text, _)| text))
            }
            (_, None) => Ok(Err(GenerationError::SourceRefused)),
        }
    }

    /// Asks the service; again when the connection breaks and it keeps its answers by key.
    async fn ask(&self, job: &mut Job) -> Result<Result<Note, GenerationError>, Left> {
        let config = self.config.current().await;
        let request = &job.request;
        let generation = Generation {
            job: job.id,
            user: job.owner,
            deck: request.deck,
            text: request.text.clone(),
            instructions: request.instructions.clone(),
            max_cards: request.max_cards,
            prompt: prompt_of_job(&config, request.prompt.as_deref()),
        };
        for _ in 0..ASKED_AGAIN {
            match self.ask_once(job, &generation).await? {
                Err(error) if error.is_interruption() && self.client.keeps_answers().await => {
                    tracing::warn!(job = %job.id, "card generation: {error}: it is asked again");
                }
                outcome => return Ok(outcome),
            }
        }
        self.ask_once(job, &generation).await
    }

    async fn ask_once(
        &self,
        job: &mut Job,
        generation: &Generation,
    ) -> Result<Result<Note, GenerationError>, Left> {
        job.drafts.clear();
        job.reach(Step::Asking);
        self.save(job).await?;
        let mut drafts = match self.client.generate(generation).await {
            Ok(drafts) => drafts,
            Err(error) => return Ok(Err(error)),
        };
        let mut stored = Instant::now();
        // Whether a draft came that is not stored yet. Should none follow soon, it is stored by itself.
        let mut is_behind = false;
        loop {
            let patience = STORE_EVERY.saturating_sub(stored.elapsed());
            let next = match is_behind {
                true => tokio::time::timeout(patience, drafts.next()).await.ok(),
                false => Some(drafts.next().await),
            };
            match next {
                Some(Ok(Part::Note(note))) => return Ok(Ok(note)),
                Some(Ok(Part::Proposal(proposal))) => {
                    if job.drafts.len() < job.request.max_cards as usize {
                        job.add(proposal);
                        is_behind = true;
                    }
                    if job.step == Step::Drafting && stored.elapsed() < STORE_EVERY {
                        continue;
                    }
                    job.reach(Step::Drafting);
                }
                Some(Err(error)) => return Ok(Err(error)),
                None => {}
            }
            if is_behind {
                self.save(job).await?;
                (stored, is_behind) = (Instant::now(), false);
            }
        }
    }

    /// Stores the job's next version, unless somebody else changed it.
    async fn save(&self, job: &mut Job) -> Result<(), Left> {
        self.save_with(job, 0).await
    }

    /// The same, and gives points back.
    async fn save_with(&self, job: &mut Job, refund: u32) -> Result<(), Left> {
        job.version += 1;
        if !self.store.replace(job.clone(), Vec::new(), refund).await? {
            return Err(Left::Lost);
        }
        self.hub.tell(job.id.uuid());
        Ok(())
    }
}
