//! The rules of card generation: who may, of which text, for which deck, and by which prompt; and that only the owner sees or changes a job. What
//! belongs to somebody else is answered as if it did not exist.
//!
//! A change is decided on a job that was read before, and stored only if it is still the same; otherwise it is decided again.

mod contents;
mod drafts;
mod people;
mod run;
mod settings;
mod upkeep;
mod watch;

use std::sync::Arc;

use common::outbox::Outbox;
use common::page::{Page, PageRequest};
use common::{Caller, Clock, Endpoint, Error, Event, GenerationJobId, Role, ServiceConfig, Viewer};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::allowance::{Allowance, Short};
use crate::client::Client;
use crate::decks::Decks;
use crate::model::{Job, Request, Source, State, Wanted, max_cards, text};
use crate::queue::Bounds;
use crate::store::{Full, Inserted, Store};

pub use drafts::Accepted;
pub(crate) use run::work;
pub use settings::Limits;
pub(crate) use upkeep::upkeep;
use watch::Hub;

/// The feature's flag.
const FEATURE: &str = "cardGeneration";
/// How often a change is decided again: others change a job at most a few times a second.
const ATTEMPTS: usize = 20;

/// The rules of card generation.
pub struct Service {
    store: Arc<dyn Store>,
    outbox: Outbox,
    client: Client,
    bounds: Bounds,
    decks: Decks,
    config: ServiceConfig,
    clock: Clock,
    /// Who runs jobs in this process.
    worker: Uuid,
    /// Rung when there may be something to begin.
    bell: Arc<Notify>,
    /// Rung when there may be something to do for contents.
    upkeep: Arc<Notify>,
    hub: Hub,
}

impl Service {
    /// Starts the domain on its store.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        outbox: Outbox,
        client: Client,
        bounds: Bounds,
        decks: Arc<dyn Endpoint>,
        config: ServiceConfig,
        clock: Clock,
    ) -> Self {
        Self {
            store,
            outbox,
            client,
            bounds,
            decks: Decks::new(decks),
            config,
            clock,
            worker: Uuid::new_v4(),
            bell: Arc::default(),
            upkeep: Arc::default(),
            hub: Hub::default(),
        }
    }

    /// Adds a job for one of the viewer's decks, for those with a verified address and the role BETA. With the key of an earlier one that asked for
    /// the same, that one is answered, before anything else is looked at.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Unverified`], [`Error::Forbidden`], [`Error::NotFound`] for the deck, [`Error::Conflict`] for a key of another
    /// request, [`Error::LimitExceeded`] when there are too many jobs, [`Error::Unavailable`].
    pub async fn generate(&self, caller: &Arc<Caller>, wanted: Wanted) -> Result<Job, Error> {
        let viewer = self.may_generate(caller).await?;
        let (address, content, given) = match wanted.source {
            Source::Text(given) => (None, None, given),
            Source::Address(address) => (Some(address.0), None, String::new()),
            Source::Content(id) => (None, Some(id), String::new()),
        };
        let wanted_cards = max_cards(wanted.max_cards)?;
        let mut request = Request {
            deck: wanted.deck,
            address,
            content,
            text: given,
            max_cards: wanted_cards,
            wanted_cards: None,
            instructions: wanted.instructions.map(|instructions| instructions.0),
            // A default is decided when the job is begun.
            prompt: wanted.prompt,
            key: wanted.key.map(|key| key.0),
        };
        let digest = request.digest();
        // What was asked for before is answered, whatever has become of limits, the deck or the content since.
        if let Some(key) = &request.key
            && let Some(job) = self.store.by_key(viewer.user, key.clone()).await?
        {
            return same(job, digest);
        }
        let config = self.config.current().await;
        let limits = Limits::of(&config);
        settings::prompt(&config, request.prompt.as_deref())?;
        if wanted_cards > limits.cards {
            (request.max_cards, request.wanted_cards) = (limits.cards, Some(wanted_cards));
        }
        if let Some(id) = request.content {
            self.content(viewer, id).await?;
        } else if request.address.is_none() {
            request.text = text(request.text, limits.text)?;
        }
        self.decks.room(caller, wanted.deck).await?;
        let job = Job::new(GenerationJobId::new(), viewer.user, request, self.clock.now());
        match self.store.insert(job, self.bounds).await? {
            Inserted::New(job) => {
                self.bell.notify_one();
                Ok(job)
            }
            Inserted::Known(job) => same(job, digest),
            Inserted::Full(full) => Err(Error::LimitExceeded { message: self.full(full) }),
            Inserted::Short(Short { price, points, seconds }) => {
                let message = format!(
                    "the job costs {price} points, of which you have {points}: there are enough in {seconds} seconds"
                );
                Err(Error::Unavailable { code: "GENERATION_POINTS_USED_UP", message })
            }
            // The account ended while the request was under way.
            Inserted::Gone => Err(Error::Unauthenticated),
        }
    }

    /// The viewer, if they have a verified address, the role BETA and the feature.
    async fn may_generate<'a>(&self, caller: &'a Caller) -> Result<&'a Viewer, Error> {
        caller.verified()?;
        let viewer = caller.with_role(Role::Beta)?;
        if self.config.current().await.feature(FEATURE, Some(viewer)) == Some(false) {
            let message = "cards are not generated for this account now".into();
            return Err(Error::Unavailable { code: "FEATURE_DISABLED", message });
        }
        Ok(viewer)
    }

    /// What the viewer has left for jobs, and the most there can be.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn allowance(&self, viewer: &Viewer) -> Result<(Allowance, u32), Error> {
        let most = self.bounds.points_each;
        let known = self.store.allowance(viewer.user).await?;
        Ok((Allowance::now(known, most, self.clock.now()), most))
    }

    fn full(&self, full: Full) -> String {
        let Bounds { active_each, kept_each, .. } = self.bounds;
        match full {
            Full::Active => "too many people have cards generated now: try again later".to_owned(),
            Full::ActiveOfOwner => format!(
                "{active_each} of your jobs are not done, which is the most: wait for one, or cancel it"
            ),
            Full::KeptOfOwner => format!(
                "you have {kept_each} jobs, which is the most: delete some, or wait until they are 30 days old"
            ),
        }
    }

    /// The viewer's job.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn job(&self, viewer: &Viewer, id: GenerationJobId) -> Result<Job, Error> {
        let job = self.store.jobs(vec![id]).await?.pop();
        job.filter(|job| job.owner == viewer.user)
            .ok_or_else(|| Error::not_found("generation job", id))
    }

    /// A page of the viewer's jobs, the newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn page(
        &self,
        viewer: &Viewer,
        page: PageRequest<GenerationJobId>,
    ) -> Result<Page<Job>, Error> {
        let rows = self.store.page(viewer.user, page.clone()).await?;
        Ok(Page::from_overfull(&page, rows))
    }

    /// Ends a job of the viewer's that is not over; one that is stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn cancel(&self, viewer: &Viewer, id: GenerationJobId) -> Result<Job, Error> {
        let now = self.clock.now();
        let cancelled = self.change(viewer, id, |job| {
            if job.state.is_over() {
                return Ok(((), Change::None));
            }
            let refund = job.end(State::Cancelled, now);
            // What came before it was done is nobody's.
            job.drafts.clear();
            Ok(((), Change::Ended { refund }))
        });
        let ((), job) = cancelled.await?;
        self.bell.notify_one();
        Ok(job)
    }

    /// Deletes a job of the viewer's that is over, with its drafts. Cards that were made of some stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is not over; [`Error::Store`].
    pub async fn delete(&self, viewer: &Viewer, id: GenerationJobId) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let job = self.job(viewer, id).await?;
            if !job.state.is_over() {
                return Err(Error::Conflict(format!("the job {id} is not over: cancel it first")));
            }
            if self.store.remove(id, job.version).await? {
                return Ok(());
            }
        }
        Err(busy("job"))
    }

    /// Reads the viewer's job, lets `decide` change it, and stores it, until nobody is faster.
    async fn change<T>(
        &self,
        viewer: &Viewer,
        id: GenerationJobId,
        decide: impl Fn(&mut Job) -> Result<(T, Change), Error> + Send,
    ) -> Result<(T, Job), Error> {
        for _ in 0..ATTEMPTS {
            let mut job = self.job(viewer, id).await?;
            let (answer, change) = decide(&mut job)?;
            let (events, refund) = match change {
                Change::None => return Ok((answer, job)),
                Change::Job => (Vec::new(), 0),
                Change::Ended { refund } => (Vec::new(), refund),
                Change::Told(event) => (vec![event], 0),
            };
            job.version += 1;
            let told = !events.is_empty();
            if self.store.replace(job.clone(), events, refund).await? {
                self.hub.tell(id.uuid());
                if told {
                    self.outbox.flush().await;
                }
                return Ok((answer, job));
            }
        }
        Err(busy("job"))
    }
}

/// What is to be stored of a decision.
enum Change {
    /// Nothing.
    None,
    /// The job.
    Job,
    /// The job, which is over, with the points to give back.
    Ended { refund: u32 },
    /// The job, and what others are told.
    Told(Event),
}

/// The job that a key has, if what was asked for then is what is asked for now.
fn same(job: Job, digest: [u8; 32]) -> Result<Job, Error> {
    if job.request.digest() == digest {
        return Ok(job);
    }
    Err(Error::Conflict(
        "input.idempotencyKey was used for another source, deck, number of cards, prompt or instructions: use a new one"
            .into(),
    ))
}

fn busy(what: &str) -> Error {
    Error::Conflict(format!("the {what} changes all the time: try again"))
}
