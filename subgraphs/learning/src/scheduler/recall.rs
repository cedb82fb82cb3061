//! The recall score: the half-life formula of the original, with its defects mended.
//!
//! A card is recalled with p = 2^(−Δ/h), where Δ is the whole local days since its last review. h starts at 0. A review that was remembered
//! makes an h below 1 into 1, else doubles it; one that was forgotten halves an h above 1, else makes it 0. Only the first review
//! of a card on a local day doubles, so that repeating a card in one evening does not make it look known for months.

/// The half-life of one card, in days.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct HalfLife(pub f64);

impl HalfLife {
    /// The half-life after one more review; `first_of_day` says whether it is the card's first on its local day.
    #[must_use]
    pub fn after(self, remembered: bool, first_of_day: bool) -> Self {
        let h = self.0;
        Self(match (remembered, first_of_day) {
            (true, _) if h < 1.0 => 1.0,
            // Bounded, so that halving an endless half-life gives a number again.
            (true, true) => (2.0 * h).min(f64::MAX),
            (true, false) => h,
            (false, _) if h > 1.0 => h / 2.0,
            (false, _) => 0.0,
        })
    }

    /// The probability of recall `days` after the last review; 0 for a half-life of 0.
    #[must_use]
    pub fn recall(self, days: u32) -> f64 {
        if self.0 > 0.0 { (-f64::from(days) / self.0).exp2() } else { 0.0 }
    }
}

/// A deck's score, 0 to 1 in two decimals: the mean over all its cards, where one that is more likely recalled than not counts 1.
/// `recalls` gives the probability of each studied card; the others of the `cards` count 0. An empty deck scores 0.
#[must_use]
pub fn deck_score(cards: usize, recalls: impl IntoIterator<Item = f64>) -> f64 {
    if cards == 0 {
        return 0.0;
    }
    // An empty sum of floats is -0.
    let sum = recalls.into_iter().fold(0.0, |sum, p| sum + if p > 0.5 { 1.0 } else { p });
    #[expect(clippy::cast_precision_loss, reason = "a deck has far fewer than 2^52 cards")]
    let mean = sum / cards as f64;
    (mean * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reviews: &[(bool, bool)]) -> f64 {
        reviews
            .iter()
            .fold(HalfLife::default(), |h, (remembered, first)| h.after(*remembered, *first))
            .0
    }

    #[test]
    fn it_doubles_from_day_to_day_and_halves_when_forgotten() {
        assert_eq!(after(&[(true, true)]), 1.0);
        assert_eq!(after(&[(true, true), (true, true), (true, true)]), 4.0);
        assert_eq!(after(&[(true, true), (true, true), (false, true)]), 1.0);
        assert_eq!(after(&[(true, true), (false, true)]), 0.0);
        assert_eq!(after(&[(false, true)]), 0.0);
    }

    #[test]
    fn repeating_a_card_on_the_same_day_does_not_double() {
        assert_eq!(after(&[(true, true), (true, false), (true, false)]), 1.0);
        // Forgotten, then relearned that evening: it starts from 1, and what was lost is not given back.
        assert_eq!(after(&[(false, true), (true, false)]), 1.0);
        assert_eq!(
            after(&[(true, true), (true, true), (true, true), (false, true), (true, false)]),
            2.0
        );
    }

    #[test]
    fn recall_halves_with_each_half_life() {
        assert_eq!(HalfLife(4.0).recall(0), 1.0);
        assert_eq!(HalfLife(4.0).recall(4), 0.5);
        assert_eq!(HalfLife(4.0).recall(8), 0.25);
        assert_eq!(HalfLife(0.0).recall(0), 0.0);
    }

    #[test]
    fn a_deck_scores_the_mean_over_all_its_cards() {
        assert_eq!(deck_score(0, []), 0.0);
        assert_eq!(deck_score(3, []), 0.0);
        assert!(deck_score(3, []).is_sign_positive(), "-0 is no score to show");
        // More likely than not counts whole; exactly a half does not.
        assert_eq!(deck_score(3, [0.51, 0.5]), 0.5);
        assert_eq!(deck_score(3, [0.51]), 0.33);
        assert_eq!(deck_score(1, [1.0]), 1.0);
    }

    #[test]
    fn no_number_of_reviews_breaks_it() {
        let h = (0..2000).fold(HalfLife::default(), |h, _| h.after(true, true));
        assert!(h.0.is_finite() && h.recall(1) == 1.0);
        assert!(h.after(false, true).0 < h.0);
    }
}
