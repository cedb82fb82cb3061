//! Fitting weights as a job, and what learning would take at another retention.

use std::sync::Arc;
use std::time::Duration;

use common::{Clock, Error, FitId, StoreError, UserId, Viewer};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Learner, Models, Service};
use crate::fit::{FitError, Fitted, Progress, Quality, Workload, fit, workload};
use crate::model::Weights;
use crate::scheduler::Model;
use crate::store::{Lease, Store};

/// For how long a fitting is left to the process that is at it.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How often it says how far it is,
const TOLD_EVERY: Duration = Duration::from_secs(2);
/// and how often a process looks for those of which nothing was heard.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often one is begun: that of a process that ends again and again may be why.
const TRIES: u32 = 3;

/// What became of a fitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
pub enum FitState {
    /// It is under way.
    Running,
    /// It found weights; `applied` says whether they foretell better and hold from now on.
    Done,
    /// It found none, which the message explains.
    Failed,
}

/// A fitting, under way or done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FitRecord {
    /// Which one.
    pub id: FitId,
    /// What became of it.
    pub state: FitState,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How many reviews the weights were fitted to.
    pub reviews: usize,
    /// How many were held out.
    pub held_out: usize,
    /// How well the weights of before foretell those.
    pub current: Option<Quality>,
    /// How well the fitted ones do.
    pub fitted: Option<Quality>,
    /// The version under which the fitted weights hold, when they foretell better.
    pub applied: Option<i64>,
    /// Why it failed.
    pub message: Option<String>,
    /// How far it is, 0 to 1.
    #[serde(default)]
    pub progress: f64,
    /// Whether all cards get states by the fitted weights at once, if these hold.
    #[serde(default)]
    pub reschedule: bool,
    /// How often it was begun.
    #[serde(default)]
    pub tries: u32,
}

impl FitRecord {
    /// Whether there is a process that is at it, or takes it up soon.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state == FitState::Running
    }
}

impl Service {
    /// Starts to fit the weights of the memory model to the viewer's reviews. They hold from then on if they foretell reviews that were held out better than
    /// those of now do; with `reschedule` all cards get states and due dates by them, else each at its next review. While one is under way, that one
    /// is answered.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn start_fit(&self, viewer: &Viewer, reschedule: bool) -> Result<FitRecord, Error> {
        let user = viewer.user;
        let record = FitRecord {
            id: FitId::new(),
            state: FitState::Running,
            started_at: self.clock.now(),
            finished_at: None,
            reviews: 0,
            held_out: 0,
            current: None,
            fitted: None,
            applied: None,
            message: None,
            progress: 0.0,
            reschedule,
            tries: 1,
        };
        let worker = Uuid::new_v4();
        let begun =
            self.fitter.store.begin_fit(user, record.clone(), self.fitter.lease(worker)).await?;
        if begun.id == record.id {
            Job { user, record, worker, fitter: Arc::clone(&self.fitter) }.start();
        }
        Ok(begun)
    }

    /// The viewer's last fitting.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn last_fit(&self, viewer: &Viewer) -> Result<Option<FitRecord>, Error> {
        Ok(self.store.last_fit(viewer.user).await?)
    }

    /// What learning `cards` new cards over `days` would take at each of the retentions, by the viewer's weights: 1 to 10 of 0.7 to 0.99, 1 to 10,000 cards,
    /// 1 to 9,999 new ones a day, 1 to 365 days.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is out of range; [`Error::Store`].
    pub async fn simulate(
        &self,
        viewer: &Viewer,
        retentions: Vec<f64>,
        (cards, new_per_day, days): (i32, i32, i32),
    ) -> Result<Vec<Workload>, Error> {
        let within = |name, value: i32, most: i32| {
            usize::try_from(value)
                .ok()
                .filter(|_| (1..=most).contains(&value))
                .ok_or_else(|| Error::invalid(name, format!("is out of range: 1 to {most}")))
        };
        let question = (
            within("cards", cards, 10_000)?,
            within("newPerDay", new_per_day, 9_999)?,
            within("days", days, 365)?,
        );
        let in_range = retentions.iter().all(|retention| (0.7..=0.99).contains(retention));
        if !in_range || !(1..=10).contains(&retentions.len()) {
            return Err(Error::invalid(
                "retentions",
                "1 to 10 numbers from 0.7 to 0.99 are accepted",
            ));
        }
        let Learner { models, .. } = self.learner(viewer.user).await?;
        let model = Arc::clone(models.current());
        let simulated = tokio::task::spawn_blocking(move || {
            #[expect(clippy::cast_possible_truncation, reason = "a probability")]
            let at = |retention: f64| workload(&model, question, retention as f32);
            retentions.into_iter().map(at).collect::<Result<Vec<_>, _>>()
        });
        let simulated = simulated.await.map_err(|error| failed(&error))?;
        simulated.map_err(|error| failed(&error))
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Error {
    common::StoreError::Other(error.to_string().into()).into()
}

/// What fittings of this process need.
pub(super) struct Fitter {
    store: Arc<dyn Store>,
    average: Arc<Model>,
    clock: Clock,
}

impl Fitter {
    /// Starts to look for fittings whose process went away, for as long as the fitter is there.
    pub(super) fn start(store: Arc<dyn Store>, average: Arc<Model>, clock: Clock) -> Arc<Self> {
        let fitter = Arc::new(Self { store, average, clock });
        let background = Arc::downgrade(&fitter);
        tokio::spawn(async move {
            while let Some(fitter) = background.upgrade() {
                if let Err(error) = fitter.take_up().await {
                    tracing::warn!(%error, "fittings of processes that went away wait");
                }
                drop(fitter);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        fitter
    }

    async fn take_up(self: &Arc<Self>) -> Result<(), StoreError> {
        loop {
            // Each for itself: of two of this process that are at one fitting, one has lost it.
            let worker = Uuid::new_v4();
            let taken = self.store.take_fit(self.clock.now(), self.lease(worker)).await?;
            let Some((user, mut record)) = taken else { return Ok(()) };
            record.tries += 1;
            Job { user, record, worker, fitter: Arc::clone(self) }.start();
        }
    }

    fn lease(&self, worker: Uuid) -> Lease {
        Lease { worker, until: self.clock.now() + LEASE }
    }
}

/// A fitting that this process is at.
struct Job {
    user: UserId,
    record: FitRecord,
    /// Whose lease it is.
    worker: Uuid,
    fitter: Arc<Fitter>,
}

/// Why a fitting ends without weights.
enum Stop {
    /// Another process is at it, or the account is gone.
    Lost,
    /// It found none.
    Failed(String),
}

/// What went wrong inside is for nobody's eyes.
fn internal<E>(_: E) -> Stop {
    Stop::Failed("something went wrong: try again".to_owned())
}

impl Job {
    fn start(self) {
        tokio::spawn(self.run());
    }

    async fn run(mut self) {
        let outcome = self.outcome().await;
        self.record.finished_at = Some(self.fitter.clock.now());
        self.record.progress = 1.0;
        match outcome {
            Ok(()) => self.record.state = FitState::Done,
            Err(Stop::Failed(message)) => {
                self.record.state = FitState::Failed;
                self.record.message = Some(message);
            }
            Err(Stop::Lost) => return,
        }
        // When even this fails, somebody takes it up once the lease is over.
        drop(self.keep().await);
    }

    /// Says how far it is.
    async fn keep(&self) -> Result<(), Stop> {
        let Fitter { store, .. } = &*self.fitter;
        match store.keep_fit(self.user, self.record.clone(), self.fitter.lease(self.worker)).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Stop::Lost),
        }
    }

    async fn outcome(&mut self) -> Result<(), Stop> {
        self.keep().await?;
        if self.record.tries > TRIES {
            return Err(Stop::Failed("it was interrupted again and again".to_owned()));
        }
        let store = Arc::clone(&self.fitter.store);
        let person = store.person(self.user).await.map_err(internal)?;
        let models = Models::new(&self.fitter.average, person.as_ref()).map_err(internal)?;
        // One that was interrupted after its weights held has only cards to reschedule.
        let has_weights = self.record.applied.is_some_and(|of| of == models.current().version());
        let model = if has_weights {
            Arc::clone(models.current())
        } else {
            let fitted = self.fit(models.current()).await?;
            self.record.reviews = fitted.reviews;
            self.record.held_out = fitted.held_out;
            self.record.current = Some(fitted.current);
            self.record.fitted = Some(fitted.fitted);
            self.record.applied = None;
            if !fitted.is_better() {
                return Ok(());
            }
            let version = models.current().version() + 1;
            let model = Model::new(version, &fitted.weights).map_err(internal)?;
            self.record.applied = Some(version);
            self.keep().await?;
            let weights = Weights { version, numbers: fitted.weights };
            store.put_weights(self.user, weights).await.map_err(internal)?;
            Arc::new(model)
        };
        if !self.record.reschedule {
            return Ok(());
        }
        let mut from = None;
        loop {
            from = store.reschedule(self.user, Arc::clone(&model), from).await.map_err(internal)?;
            if from.is_none() {
                return Ok(());
            }
            self.keep().await?;
        }
    }

    /// Fits, on a thread of its own, and says how far it is all the while.
    async fn fit(&mut self, model: &Arc<Model>) -> Result<Fitted, Stop> {
        let samples = self.fitter.store.samples(self.user).await.map_err(internal)?;
        let progress = Progress::default();
        let (model, told) = (Arc::clone(model), progress.clone());
        let mut fitting = tokio::task::spawn_blocking(move || fit(&model, samples, &told));
        loop {
            match tokio::time::timeout(TOLD_EVERY, &mut fitting).await {
                Ok(Ok(Ok(fitted))) => return Ok(fitted),
                Ok(Ok(Err(error @ FitError::TooFew(_)))) => {
                    return Err(Stop::Failed(error.to_string()));
                }
                Ok(_) => {
                    let message = "the weights could not be fitted to these reviews";
                    return Err(Stop::Failed(message.to_owned()));
                }
                Err(_) => {
                    self.record.progress = progress.share();
                    if let Err(stop) = self.keep().await {
                        progress.abort();
                        return Err(stop);
                    }
                }
            }
        }
    }
}
