//! Fitting the memory model to a person, and simulating, in GraphQL.

use async_graphql::{InputObject, SimpleObject};
use common::FitId;
use common::graphql::DateTime;

use crate::fit::{Quality, Workload};
use crate::service::{FitRecord, FitState};

/// A fitting of the memory model's weights to one's own reviews.
#[derive(Debug, SimpleObject)]
pub(super) struct WeightsFit {
    /// Its id.
    id: FitId,
    /// What became of it.
    state: FitState,
    /// How far it is, 0 to 1.
    progress: f64,
    /// When it was started.
    started_at: DateTime,
    /// When it ended. Null while it is under way.
    finished_at: Option<DateTime>,
    /// How many reviews the weights were fitted to.
    reviews: i64,
    /// How many reviews, the latest, were held out to compare by.
    held_out: i64,
    /// How well the weights of before foretell those. Null until it is done.
    current: Option<FitQuality>,
    /// How well the fitted ones do. Null until it is done.
    fitted: Option<FitQuality>,
    /// Whether the fitted ones foretell better, and hold from then on.
    applied: bool,
    /// The version under which they hold.
    weights_version: Option<i64>,
    /// Why it failed.
    message: Option<String>,
}

/// How well weights foretell reviews: less is better.
#[derive(Debug, SimpleObject)]
pub(super) struct FitQuality {
    /// The mean of −ln of the probability that was given to what happened.
    log_loss: f64,
    /// The root of the mean square of foretold less real recall, over groups of alike reviews.
    rmse: f64,
}

impl From<Quality> for FitQuality {
    fn from(quality: Quality) -> Self {
        Self { log_loss: quality.log_loss, rmse: quality.rmse }
    }
}

impl From<FitRecord> for WeightsFit {
    fn from(record: FitRecord) -> Self {
        let int = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            id: record.id,
            state: record.state,
            progress: if record.is_under_way() { record.progress } else { 1.0 },
            started_at: DateTime(record.started_at),
            finished_at: record.finished_at.map(DateTime),
            reviews: int(record.reviews),
            held_out: int(record.held_out),
            current: record.current.map(FitQuality::from),
            fitted: record.fitted.map(FitQuality::from),
            applied: record.applied.is_some(),
            weights_version: record.applied,
            message: record.message,
        }
    }
}

/// A fitting to start.
#[derive(Debug, InputObject)]
pub(super) struct FitWeightsInput {
    /// Whether all cards get states and due dates by the new weights at once, if these hold; else each at its next review.
    #[graphql(default)]
    pub(super) reschedule: bool,
}

/// The fitting that is under way.
#[derive(Debug, SimpleObject)]
pub(super) struct FitWeightsPayload {
    /// The fitting; ask `weightsFit` how far it is.
    pub(super) fit: WeightsFit,
}

/// The work that learning takes at a retention.
#[derive(Debug, SimpleObject)]
pub(super) struct SimulatedWorkload {
    /// The retention.
    retention: f64,
    /// Reviews a day, without those of new cards: the mean.
    reviews_per_day: f64,
    /// Minutes a day: the mean.
    minutes_per_day: f64,
    /// How many of the cards would be remembered on the last day.
    remembered: f64,
}

impl From<Workload> for SimulatedWorkload {
    fn from(workload: Workload) -> Self {
        Self {
            retention: (f64::from(workload.retention) * 1e4).round() / 1e4,
            reviews_per_day: workload.reviews_per_day,
            minutes_per_day: workload.minutes_per_day,
            remembered: workload.remembered,
        }
    }
}
