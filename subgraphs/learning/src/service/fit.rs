//! Fitting weights as a job, and what learning would take at another retention.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::{Clock, Error, FitId, UserId, Viewer};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Learner, Service};
use crate::fit::{FitError, Fitted, Progress, Quality, Workload, fit, workload};
use crate::model::Weights;
use crate::scheduler::Model;
use crate::store::Store;

/// After so long without a word, a job of a process that went away is over.
const LONGEST_FIT: SignedDuration = SignedDuration::from_hours(1);

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
}

/// The fittings of this process that are under way.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<HashMap<UserId, (FitRecord, Progress)>>);

impl Jobs {
    fn get(&self, user: UserId) -> Option<(FitRecord, f64)> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(&user).map(|(record, progress)| (record.clone(), progress.share()))
    }

    /// Adds a job, unless there is one of this person's.
    fn add(&self, user: UserId, record: &FitRecord, progress: &Progress) -> bool {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.contains_key(&user) {
            return false;
        }
        jobs.insert(user, (record.clone(), progress.clone()));
        true
    }

    fn remove(&self, user: UserId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&user);
    }
}

impl Service {
    /// Starts to fit the weights of the memory model to the viewer's reviews. They hold from then on if they foretell reviews that were held out better than
    /// those of now do; with `reschedule` all cards get states and due dates by them, else each at its next review. While one is under way, that one
    /// is answered.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn start_fit(
        &self,
        viewer: &Viewer,
        reschedule: bool,
    ) -> Result<(FitRecord, f64), Error> {
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
        };
        let progress = Progress::default();
        if !self.jobs.add(user, &record, &progress) {
            return Ok(self.jobs.get(user).unwrap_or((record, 1.0)));
        }
        if let Err(error) = self.store.put_fit(user, record.clone()).await {
            self.jobs.remove(user);
            return Err(error.into());
        }
        let Learner { models, .. } = match self.learner(user).await {
            Ok(learner) => learner,
            Err(error) => {
                self.jobs.remove(user);
                return Err(error);
            }
        };
        let job = Job {
            user,
            record: record.clone(),
            progress,
            model: Arc::clone(models.current()),
            reschedule,
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
        };
        let jobs = Arc::clone(&self.jobs);
        tokio::spawn(async move {
            job.run().await;
            jobs.remove(user);
        });
        Ok((record, 0.0))
    }

    /// The viewer's last fitting, with how far it is, 0 to 1.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn last_fit(&self, viewer: &Viewer) -> Result<Option<(FitRecord, f64)>, Error> {
        if let Some(running) = self.jobs.get(viewer.user) {
            return Ok(Some(running));
        }
        let now = self.clock.now();
        let stored = self.store.last_fit(viewer.user).await?;
        Ok(stored.map(|record| {
            let is_lost = record.state == FitState::Running
                && now.duration_since(record.started_at) > LONGEST_FIT;
            if is_lost {
                let message = Some("it was interrupted: start it again".to_owned());
                return (FitRecord { state: FitState::Failed, message, ..record }, 1.0);
            }
            let share = if record.state == FitState::Running { 0.0 } else { 1.0 };
            (record, share)
        }))
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

/// A fitting that is under way.
struct Job {
    user: UserId,
    record: FitRecord,
    progress: Progress,
    model: Arc<Model>,
    reschedule: bool,
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Job {
    async fn run(mut self) {
        let outcome = self.outcome().await;
        self.record.finished_at = Some(self.clock.now());
        match outcome {
            Ok(()) => self.record.state = FitState::Done,
            Err(message) => {
                self.record.state = FitState::Failed;
                self.record.message = Some(message);
            }
        }
        // When even this fails, the fitting counts as interrupted after an hour.
        drop(self.store.put_fit(self.user, self.record).await);
    }

    async fn outcome(&mut self) -> Result<(), String> {
        // What went wrong inside is for nobody's eyes.
        fn internal<E>(_: E) -> String {
            "something went wrong: try again".to_owned()
        }
        let samples = self.store.samples(self.user).await.map_err(internal)?;
        let (model, progress) = (Arc::clone(&self.model), self.progress.clone());
        let fitted = tokio::task::spawn_blocking(move || fit(&model, samples, &progress)).await;
        let fitted: Fitted = match fitted {
            Ok(Ok(fitted)) => fitted,
            Ok(Err(error @ FitError::TooFew(_))) => return Err(error.to_string()),
            Ok(Err(FitError::Crate(_))) | Err(_) => {
                return Err("the weights could not be fitted to these reviews".to_owned());
            }
        };
        self.record.reviews = fitted.reviews;
        self.record.held_out = fitted.held_out;
        self.record.current = Some(fitted.current);
        self.record.fitted = Some(fitted.fitted);
        if !fitted.is_better() {
            return Ok(());
        }
        let version = self.model.version() + 1;
        let model = Model::new(version, &fitted.weights).map_err(internal)?;
        let weights = Weights { version, numbers: fitted.weights };
        self.store.put_weights(self.user, weights).await.map_err(internal)?;
        self.record.applied = Some(version);
        if self.reschedule {
            let model = Arc::new(model);
            let mut from = None;
            loop {
                let page = self.store.reschedule(self.user, Arc::clone(&model), from);
                from = page.await.map_err(internal)?;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}
