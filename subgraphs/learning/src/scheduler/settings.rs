//! What a person can choose about scheduling. The defaults are those that people who know Anki expect.

use jiff::SignedDuration;

/// The settings of one deck. All decks share the defaults for now.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Delays of the steps a new card goes through. Empty: a new card is learned at its first answer.
    pub learning_steps: Vec<SignedDuration>,
    /// Delays of the steps a forgotten card goes through. Empty: it stays among the reviews.
    pub relearning_steps: Vec<SignedDuration>,
    /// The probability of recall at which a card comes back, 0.7 to 0.99.
    pub desired_retention: f32,
    /// The longest interval, in days.
    pub maximum_interval: u32,
    /// How many new cards a local day brings.
    pub new_per_day: u32,
    /// How many learned cards a local day brings back.
    pub reviews_per_day: u32,
    /// How many lapses make a card a leech.
    pub leech_lapses: u32,
    /// How soon before its time a card in learning may come when nothing else is left.
    pub learn_ahead: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_steps: vec![SignedDuration::from_mins(1), SignedDuration::from_mins(10)],
            relearning_steps: vec![SignedDuration::from_mins(10)],
            desired_retention: 0.9,
            maximum_interval: 36_500,
            new_per_day: 20,
            reviews_per_day: 200,
            leech_lapses: 8,
            learn_ahead: SignedDuration::from_mins(20),
        }
    }
}

impl Settings {
    /// Whether the lapse that brings the count to `lapses` calls for attention: the first time at the threshold, then each time half
    /// of it has been added, as in Anki.
    #[must_use]
    pub fn is_leech_alarm(&self, lapses: u32) -> bool {
        let again = (self.leech_lapses / 2).max(1);
        self.leech_lapses > 0
            && lapses >= self.leech_lapses
            && (lapses - self.leech_lapses).is_multiple_of(again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leech_is_told_at_eight_lapses_then_every_four() {
        let settings = Settings::default();
        let told: Vec<u32> = (0..=20).filter(|lapses| settings.is_leech_alarm(*lapses)).collect();
        assert_eq!(told, [8, 12, 16, 20]);
        assert!(!Settings { leech_lapses: 0, ..settings }.is_leech_alarm(8), "0 turns it off");
    }
}
