//! Fitting the memory model's weights to a person's reviews, and simulating the workload at another retention: pure, and slow, so it belongs on a thread of
//! its own.
//!
//! What is fitted is compared with the weights of now on the latest fifth of the reviews, which the fitting never saw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::CardId;
use fsrs::{
    CombinedProgressState, ComputeParametersInput, FSRS, FSRSItem, FSRSReview, SimulatorConfig,
    compute_parameters, simulate,
};
use jiff::Timestamp;

use crate::scheduler::{Day, Model, Rating};

/// The least number of usable reviews: those that came a day or more after the one before. With fewer, the model's crate moves hardly any weight.
pub const LEAST_REVIEWS: usize = 64;
/// The most that are used: the latest.
const MOST_REVIEWS: usize = 100_000;
/// How many reviews of one card are used, from its first.
const LONGEST: usize = 256;

/// A review that counts, as fitting takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The card.
    pub card: CardId,
    /// When.
    pub at: Timestamp,
    /// Its local day.
    pub day: Day,
    /// How well it was remembered.
    pub rating: Rating,
    /// Whether the card was new.
    pub is_first: bool,
}

/// How well weights foretell reviews.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// The mean of −ln of the probability that was given to what happened: less is better.
    pub log_loss: f64,
    /// The root of the mean square of foretold less real recall, over groups of alike reviews: less is better.
    pub rmse: f64,
}

/// What fitting found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// 21 weights.
    pub weights: Vec<f32>,
    /// How many reviews they were fitted to.
    pub reviews: usize,
    /// How many were held out.
    pub held_out: usize,
    /// How well the weights of now foretell those.
    pub current: Quality,
    /// How well the fitted ones do.
    pub fitted: Quality,
}

impl Fitted {
    /// Whether the fitted weights foretell better, by log loss.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.fitted.log_loss < self.current.log_loss
    }
}

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// There are too few reviews.
    #[error(
        "{0} reviews can be used, those that came a day or more after the one before: at least {LEAST_REVIEWS} are needed"
    )]
    TooFew(usize),
    /// The crate refused.
    #[error("the weights could not be fitted")]
    Crate(#[from] fsrs::FSRSError),
}

/// How far a fitting is.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<CombinedProgressState>>);

impl Progress {
    /// 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 steps")]
        let share = state.current() as f64 / state.total().max(1) as f64;
        share.clamp(0.0, 1.0)
    }

    /// Lets the fitting end soon, without weights.
    pub fn abort(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).want_abort = true;
    }
}

/// Fits weights to the reviews of a person, in any order.
///
/// # Errors
/// [`FitError`].
pub fn fit(model: &Model, samples: Vec<Sample>, progress: &Progress) -> Result<Fitted, FitError> {
    let mut items = items(samples);
    if items.len() < LEAST_REVIEWS {
        return Err(FitError::TooFew(items.len()));
    }
    items.sort_by_key(|(at, _)| *at);
    items.drain(..items.len().saturating_sub(MOST_REVIEWS));
    let held_out = items.split_off(items.len() - items.len() / 5);
    let plain = |items: Vec<(Timestamp, FSRSItem)>| -> Vec<FSRSItem> {
        items.into_iter().map(|(_, item)| item).collect()
    };
    let (train_set, held_out) = (plain(items), plain(held_out));
    let reviews = train_set.len();
    let weights = compute_parameters(ComputeParametersInput {
        train_set,
        progress: Some(Arc::clone(&progress.0)),
        ..ComputeParametersInput::default()
    })?;
    let quality = |weights: &[f32]| {
        let evaluation = FSRS::new(weights)?.evaluate(held_out.clone(), |_| true)?;
        let (log_loss, rmse) = (evaluation.log_loss.into(), evaluation.rmse_bins.into());
        Ok::<_, fsrs::FSRSError>(Quality { log_loss, rmse })
    };
    let (current, fitted) = (quality(model.weights())?, quality(&weights)?);
    Ok(Fitted { weights, reviews, held_out: held_out.len(), current, fitted })
}

/// For each review that came a day or more after the one before: the history of its card up to it. The crate cannot use others.
fn items(mut samples: Vec<Sample>) -> Vec<(Timestamp, FSRSItem)> {
    samples.sort_unstable_by_key(|sample| (sample.at, sample.card));
    let mut histories: HashMap<CardId, (Day, Vec<FSRSReview>)> = HashMap::new();
    let mut items = Vec::new();
    for sample in samples {
        let (last, reviews) =
            histories.entry(sample.card).or_insert_with(|| (sample.day, Vec::new()));
        if sample.is_first {
            reviews.clear();
        }
        let day = if reviews.is_empty() { sample.day } else { sample.day.max(*last) };
        let delta_t = if reviews.is_empty() { 0 } else { day.since(*last) };
        *last = day;
        if reviews.len() >= LONGEST {
            continue;
        }
        reviews.push(FSRSReview { rating: sample.rating.number().into(), delta_t });
        if delta_t > 0 {
            items.push((sample.at, FSRSItem { reviews: reviews.clone() }));
        }
    }
    items
}

/// The work that cards make at a retention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// The retention.
    pub retention: f32,
    /// Reviews a day, without those of new cards: the mean.
    pub reviews_per_day: f64,
    /// Minutes a day: the mean.
    pub minutes_per_day: f64,
    /// How many of the cards would be remembered on the last day.
    pub remembered: f64,
}

/// Simulates learning so many cards over some days, so many new ones a day, at a retention. The same question gets the same answer.
///
/// # Errors
/// What the crate refuses.
pub fn workload(
    model: &Model,
    (cards, new_per_day, days): (usize, usize, usize),
    retention: f32,
) -> Result<Workload, fsrs::FSRSError> {
    let config = SimulatorConfig {
        deck_size: cards,
        learn_span: days,
        learn_limit: new_per_day,
        max_cost_perday: f32::MAX,
        ..SimulatorConfig::default()
    };
    let simulated = simulate(&config, model.weights(), retention, Some(42), None)?;
    #[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
    let (days, reviews) = (days as f64, simulated.review_cnt_per_day.iter().sum::<usize>() as f64);
    let seconds: f64 = simulated.cost_per_day.iter().copied().map(f64::from).sum();
    let remembered = simulated.memorized_cnt_per_day.last().copied().unwrap_or(0.0).into();
    Ok(Workload {
        retention,
        reviews_per_day: reviews / days,
        minutes_per_day: seconds / 60.0 / days,
        remembered,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    /// Reviews of somebody who forgets fast: what was learned a week ago is gone.
    fn forgetful(cards: u128) -> Vec<Sample> {
        let start: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let sample = |card: u128, day: i32, rating, is_first| Sample {
            card: uuid::Uuid::from_u128(card).into(),
            at: start + SignedDuration::from_hours(24 * i64::from(day)),
            day: Day(day),
            rating,
            is_first,
        };
        (0..cards)
            .flat_map(|card| {
                let begin = i32::try_from(card % 60).unwrap();
                let later = if card.is_multiple_of(7) { Rating::Good } else { Rating::Again };
                [
                    sample(card, begin, Rating::Good, true),
                    sample(card, begin, Rating::Good, false),
                    sample(card, begin + 1, Rating::Good, false),
                    sample(card, begin + 7, later, false),
                    sample(card, begin + 14, later, false),
                ]
            })
            .collect()
    }

    #[test]
    fn a_history_counts_from_its_first_review_after_a_day() {
        let mut samples = forgetful(1);
        let items = items(samples.clone());
        let days = |item: &FSRSItem| item.reviews.iter().map(|r| r.delta_t).collect::<Vec<_>>();
        let found: Vec<_> = items.iter().map(|(_, item)| days(item)).collect();
        assert_eq!(found, [vec![0, 0, 1], vec![0, 0, 1, 6], vec![0, 0, 1, 6, 7]]);
        // A card that was reset begins anew.
        samples[3].is_first = true;
        let found: Vec<_> = super::items(samples).iter().map(|(_, item)| days(item)).collect();
        assert_eq!(found, [vec![0, 0, 1], vec![0, 7]]);
    }

    #[test]
    fn too_few_reviews_are_refused_with_their_number() {
        let model = Model::average().unwrap();
        let error = fit(&model, forgetful(10), &Progress::default()).unwrap_err();
        assert!(error.to_string().starts_with("30 reviews can be used"), "{error}");
    }

    #[test]
    fn fitted_weights_foretell_better_what_was_held_out() {
        let (model, progress) = (Model::average().unwrap(), Progress::default());
        let fitted = fit(&model, forgetful(300), &progress).unwrap();
        assert_eq!((fitted.reviews, fitted.held_out, fitted.weights.len()), (720, 180, 21));
        assert!(fitted.is_better(), "{fitted:?}");
        assert!(fitted.fitted.rmse < fitted.current.rmse, "{fitted:?}");
        assert!(Model::new(1, &fitted.weights).is_ok());
    }

    #[test]
    fn a_higher_retention_takes_more_reviews() {
        let model = Model::average().unwrap();
        let at = |retention| workload(&model, (200, 10, 120), retention).unwrap();
        let (low, high) = (at(0.8), at(0.95));
        assert!(low.reviews_per_day < high.reviews_per_day, "{low:?} {high:?}");
        assert!(low.remembered < high.remembered && low.remembered > 0.0);
        assert_eq!(at(0.8), low, "the same question gets the same answer");
    }
}
