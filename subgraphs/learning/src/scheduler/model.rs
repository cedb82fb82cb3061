//! The memory model: FSRS-6, by the crate `fsrs`. Stability is the days until the probability of recall falls to 0.9; difficulty is 1 to 10.

use fsrs::{DEFAULT_PARAMETERS, FSRS, MemoryState};

use super::{Rating, Rules};

/// Which model and rules made a stored state. It grows when a replay would give another one; a state of an older version is replayed
/// at the card's next review.
pub const MODEL_VERSION: i64 = 1;

/// What the model refuses.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The weights are not 21 usable numbers.
    #[error("the weights of the memory model cannot be used")]
    Weights(#[source] fsrs::FSRSError),
    /// A stored stability or difficulty is not a number.
    #[error("a stored memory state is not usable: stability {stability}, difficulty {difficulty}")]
    State {
        /// As stored.
        stability: f32,
        /// As stored.
        difficulty: f32,
    },
}

/// FSRS-6 with its weights.
#[derive(Debug, Clone)]
pub struct Model {
    version: i64,
    weights: Vec<f32>,
    fsrs: FSRS,
    decay: f64,
    factor: f64,
}

/// How well a card is known after an answer, and the interval in days after which it should come back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    pub(super) stability: f32,
    pub(super) difficulty: f32,
    pub(super) interval: u32,
}

impl Model {
    /// The model with the weights that fit the average person: version 0.
    ///
    /// # Errors
    /// Never with these weights.
    pub fn average() -> Result<Self, ModelError> {
        Self::new(0, &DEFAULT_PARAMETERS)
    }

    /// The model with weights that were fitted to a person, 21 numbers, under their version.
    ///
    /// # Errors
    /// [`ModelError::Weights`] when they are others.
    pub fn new(version: i64, weights: &[f32]) -> Result<Self, ModelError> {
        let decay = weights.get(20).copied().unwrap_or(DEFAULT_PARAMETERS[20]);
        let fsrs = FSRS::new(weights).map_err(ModelError::Weights)?;
        let decay = f64::from(decay);
        let factor = 0.9f64.powf(-1.0 / decay) - 1.0;
        Ok(Self { version, weights: weights.to_vec(), fsrs, decay, factor })
    }

    /// Which weights these are.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The difficulty of a card whose first answer is `rating`.
    ///
    /// # Errors
    /// Never with usable weights.
    pub fn first_difficulty(&self, rating: Rating) -> Result<f32, ModelError> {
        Ok(self.next(&Rules::original(), (0.0, 0.0), 0, rating)?.difficulty)
    }

    /// How fast memories fade: the last of the weights.
    #[must_use]
    pub fn decay(&self) -> f32 {
        self.weights.get(20).copied().unwrap_or(DEFAULT_PARAMETERS[20])
    }

    /// Stability and difficulty of a card that another model gave an interval of whole days, and an ease in thousandths: 0 where there is none.
    /// A card without an interval is as after its first answer.
    ///
    /// # Errors
    /// Never with usable weights.
    pub fn of_interval(&self, ease: u32, days: u32) -> Result<(f32, f32), ModelError> {
        let first = self.next(&Rules::original(), (0.0, 0.0), 0, Rating::Good)?;
        if days == 0 {
            return Ok((first.stability, first.difficulty));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let (days, ease) = (days.min(36_500) as f32, ease.min(10_000) as f32 / 1_000.0);
        if ease < 1.0 {
            return Ok((days, first.difficulty));
        }
        let state = self.fsrs.memory_state_from_sm2(ease, days, 0.9);
        let state = state.map_err(|_| ModelError::State { stability: days, difficulty: ease })?;
        Ok((state.stability, state.difficulty.clamp(1.0, 10.0)))
    }

    /// The probability of recall `days` after the last answer: `(1 + f·t/S)^(−w20)` with `f = 0.9^(−1/w20) − 1`.
    #[must_use]
    pub fn retrievability(&self, stability: f32, days: u32) -> f64 {
        (1.0 + self.factor * f64::from(days) / f64::from(stability)).powf(-self.decay)
    }

    /// What `rating` does to a card that was last answered `days` ago; `None` is a card that was never answered.
    pub(super) fn next(
        &self,
        rules: &Rules,
        (stability, difficulty): (f32, f32),
        days: u32,
        rating: Rating,
    ) -> Result<Outcome, ModelError> {
        let known = (stability > 0.0).then_some(MemoryState { stability, difficulty });
        let next = self
            .fsrs
            .next_states(known, rules.desired_retention, days)
            .map_err(|_| ModelError::State { stability, difficulty })?;
        let chosen = match rating {
            Rating::Again => next.again,
            Rating::Hard => next.hard,
            Rating::Good => next.good,
            Rating::Easy => next.easy,
        };
        let longest = f64::from(rules.maximum_interval.max(1));
        let interval = f64::from(chosen.interval).round().clamp(1.0, longest);
        Ok(Outcome {
            stability: chosen.memory.stability,
            difficulty: chosen.memory.difficulty,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a whole number between 1 and a u32"
            )]
            interval: interval as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stabilities(known: (f32, f32), days: u32) -> [String; 4] {
        let (model, rules) = (Model::average().unwrap(), Rules::original());
        Rating::ALL.map(|rating| {
            format!("{:.4}", model.next(&rules, known, days, rating).unwrap().stability)
        })
    }

    #[test]
    fn stability_agrees_with_the_reference_to_four_decimals() {
        assert_eq!(stabilities((0.0, 0.0), 0), ["0.2120", "1.2931", "2.3065", "8.2956"]);
        let model = Model::average().unwrap();
        let good = model.next(&Rules::original(), (0.0, 0.0), 0, Rating::Good).unwrap();
        let known = (good.stability, good.difficulty);
        assert_eq!(stabilities(known, 2), ["0.6076", "7.5133", "10.9643", "18.5218"]);
    }

    #[test]
    fn retrievability_starts_at_one_and_is_nine_tenths_after_the_stability() {
        let model = Model::average().unwrap();
        assert_eq!(format!("{:.4}", model.retrievability(5.0, 0)), "1.0000");
        assert_eq!(format!("{:.4}", model.retrievability(5.0, 5)), "0.9000");
        // The crate computes the same in single precision.
        for days in [1, 2, 30, 400] {
            let state = MemoryState { stability: 2.3065, difficulty: 2.1 };
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let reference =
                fsrs::current_retrievability(state, days as f32, DEFAULT_PARAMETERS[20]);
            let ours = model.retrievability(2.3065, days);
            assert!((ours - f64::from(reference)).abs() < 1e-5, "{ours} {reference}");
        }
    }

    #[test]
    fn an_interval_stays_within_its_bounds() {
        let (model, rules) = (Model::average().unwrap(), Rules::original());
        let again = model.next(&rules, (0.0, 0.0), 0, Rating::Again).unwrap();
        assert_eq!(again.interval, 1);
        let easy = model.next(&rules, (36_000.0, 1.0), 36_000, Rating::Easy).unwrap();
        assert_eq!(easy.interval, 36_500);
        let short = Rules { maximum_interval: 30, ..rules };
        assert_eq!(model.next(&short, (300.0, 1.0), 300, Rating::Good).unwrap().interval, 30);
    }

    #[test]
    fn a_state_that_is_not_a_number_is_refused() {
        let model = Model::average().unwrap();
        let refused = model.next(&Rules::original(), (1.0, f32::NAN), 1, Rating::Good);
        assert!(matches!(refused, Err(ModelError::State { .. })));
    }
}
