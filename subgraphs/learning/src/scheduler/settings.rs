//! What a person can choose about learning, for a deck and all within it. The defaults are those that people who know Anki expect.
//!
//! [`Rules`] are the part that decides when a card comes back. Each entry of the log names the rules that were in force when it arrived, so that a
//! replay gives the same state after they were changed.

use async_graphql::Enum;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Day;

/// What decides when a card comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Delays of the steps a new card goes through. Empty: a new card is learned at its first answer.
    pub learning_steps: Vec<SignedDuration>,
    /// Delays of the steps a forgotten card goes through. Empty: it stays among the reviews.
    pub relearning_steps: Vec<SignedDuration>,
    /// The probability of recall at which a card comes back, 0.7 to 0.99.
    pub desired_retention: f32,
    /// The longest interval, in days: 1 to 36,500.
    pub maximum_interval: u32,
    /// How many lapses make a card a leech; 0: none ever is one.
    pub leech_lapses: u32,
    /// What happens to a leech.
    pub leech_action: LeechAction,
    /// How much a weekday may bring, from Monday.
    pub easy_days: [EasyDay; 7],
    /// Whether intervals vary a little from card to card, so that cards learned together do not come back together.
    pub fuzz: bool,
}

/// What happens to a card that was forgotten too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeechAction {
    /// It is marked: `leech` is true from then on.
    Tag,
    /// It is marked, and comes no more until it is unsuspended.
    Suspend,
}

/// How much a weekday may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EasyDay {
    /// As any other.
    Normal,
    /// About half.
    Reduced,
    /// As little as the room that fuzz has allows.
    Minimum,
}

/// Where new cards come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NewCardOrder {
    /// Among the reviews, evenly.
    Mixed,
    /// After the reviews.
    AfterReviews,
    /// Before the reviews.
    BeforeReviews,
}

/// Names rules by what they say: 0 are those of reviews from before there were settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RulesId(pub i64);

impl RulesId {
    /// The rules of reviews from before there were settings: see [`Rules::original`].
    pub const ORIGINAL: Self = Self(0);
}

impl Default for Rules {
    /// As [`Rules::original`], but intervals vary, as in Anki.
    fn default() -> Self {
        Self { fuzz: true, ..Self::original() }
    }
}

impl Rules {
    /// The rules of reviews from before there were settings. They never change, even if the defaults should.
    #[must_use]
    pub fn original() -> Self {
        Self {
            learning_steps: vec![SignedDuration::from_mins(1), SignedDuration::from_mins(10)],
            relearning_steps: vec![SignedDuration::from_mins(10)],
            desired_retention: 0.9,
            maximum_interval: 36_500,
            leech_lapses: 8,
            leech_action: LeechAction::Tag,
            easy_days: [EasyDay::Normal; 7],
            fuzz: false,
        }
    }

    /// The name that the log keeps of these rules.
    #[must_use]
    pub fn id(&self) -> RulesId {
        if *self == Self::original() {
            return RulesId::ORIGINAL;
        }
        // Rules are plain data: writing them as JSON cannot fail.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let (name, _) = Uuid::new_v5(&Uuid::NAMESPACE_OID, &text).as_u64_pair();
        RulesId(name.cast_signed().max(i64::MIN + 1))
    }

    /// Whether the lapse that brings the count to `lapses` calls for attention: the first time at the threshold, then each time half
    /// of it has been added, as in Anki.
    #[must_use]
    pub fn is_leech_alarm(&self, lapses: u32) -> bool {
        let again = (self.leech_lapses / 2).max(1);
        self.leech_lapses > 0
            && lapses >= self.leech_lapses
            && (lapses - self.leech_lapses).is_multiple_of(again)
    }

    /// How much a day may bring.
    #[must_use]
    pub fn easiness(&self, day: Day) -> EasyDay {
        self.easy_days[day.weekday()]
    }
}

/// The settings of one deck.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What decides when a card comes back.
    pub rules: Rules,
    /// How many new cards a local day brings: 0 to 9,999.
    pub new_per_day: u32,
    /// How many learned cards a local day brings back: 0 to 9,999.
    pub reviews_per_day: u32,
    /// Whether only one card of a note comes on a local day.
    pub bury_siblings: bool,
    /// Where new cards come.
    pub new_card_order: NewCardOrder,
    /// How soon before its time a card in its steps may come when nothing else is left: at most a day.
    pub learn_ahead: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            new_per_day: 20,
            reviews_per_day: 200,
            bury_siblings: false,
            new_card_order: NewCardOrder::Mixed,
            learn_ahead: SignedDuration::from_mins(20),
        }
    }
}

/// Some of the settings: those that a deck or a preset sets itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "they are those of Settings and Rules")]
pub struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_steps: Option<Vec<SignedDuration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relearning_steps: Option<Vec<SignedDuration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_retention: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviews_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leech_lapses: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leech_action: Option<LeechAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bury_siblings: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_card_order: Option<NewCardOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easy_days: Option<[EasyDay; 7]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuzz: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learn_ahead: Option<SignedDuration>,
}

/// Why a setting is refused: which one, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {accepted}")]
pub struct InvalidSetting {
    /// The field, as GraphQL names it.
    pub field: &'static str,
    /// What is accepted.
    pub accepted: &'static str,
}

impl Patch {
    /// Checks that every value lies in its range.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        const STEPS: &str = "at most 20 steps of 1 to 2,592,000 seconds (30 days) are accepted";
        let second = SignedDuration::from_secs(1);
        let month = SignedDuration::from_hours(30 * 24);
        let steps = |steps: &Option<Vec<SignedDuration>>| {
            steps.as_ref().is_none_or(|steps| {
                steps.len() <= 20 && steps.iter().all(|step| (second..=month).contains(step))
            })
        };
        let within =
            |value: Option<u32>, least, most| value.is_none_or(|v| (least..=most).contains(&v));
        let retention =
            self.desired_retention.is_none_or(|retention| (0.7..=0.99).contains(&retention));
        let day = SignedDuration::from_hours(24);
        let ahead =
            self.learn_ahead.is_none_or(|ahead| (SignedDuration::ZERO..=day).contains(&ahead));
        let rules = [
            (steps(&self.learning_steps), "learningSteps", STEPS),
            (steps(&self.relearning_steps), "relearningSteps", STEPS),
            (retention, "desiredRetention", "0.7 to 0.99 is accepted"),
            (
                within(self.maximum_interval, 1, 36_500),
                "maximumInterval",
                "1 to 36,500 days are accepted",
            ),
            (within(self.new_per_day, 0, 9_999), "newPerDay", "0 to 9,999 are accepted"),
            (within(self.reviews_per_day, 0, 9_999), "reviewsPerDay", "0 to 9,999 are accepted"),
            (within(self.leech_lapses, 0, 99), "leechLapses", "0 (never) to 99 are accepted"),
            (ahead, "learnAhead", "0 to 86,400 seconds are accepted"),
        ];
        match rules.into_iter().find(|(kept, ..)| !kept) {
            None => Ok(()),
            Some((_, field, accepted)) => Err(InvalidSetting { field, accepted }),
        }
    }

    /// Writes what is set here over `settings`.
    pub fn apply(&self, settings: &mut Settings) {
        fn put<T: Clone>(from: &Option<T>, to: &mut T) {
            if let Some(value) = from {
                value.clone_into(to);
            }
        }
        let rules = &mut settings.rules;
        put(&self.learning_steps, &mut rules.learning_steps);
        put(&self.relearning_steps, &mut rules.relearning_steps);
        put(&self.desired_retention, &mut rules.desired_retention);
        put(&self.maximum_interval, &mut rules.maximum_interval);
        put(&self.leech_lapses, &mut rules.leech_lapses);
        put(&self.leech_action, &mut rules.leech_action);
        put(&self.easy_days, &mut rules.easy_days);
        put(&self.fuzz, &mut rules.fuzz);
        put(&self.new_per_day, &mut settings.new_per_day);
        put(&self.reviews_per_day, &mut settings.reviews_per_day);
        put(&self.bury_siblings, &mut settings.bury_siblings);
        put(&self.new_card_order, &mut settings.new_card_order);
        put(&self.learn_ahead, &mut settings.learn_ahead);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leech_is_told_at_eight_lapses_then_every_four() {
        let rules = Rules::default();
        let told: Vec<u32> = (0..=20).filter(|lapses| rules.is_leech_alarm(*lapses)).collect();
        assert_eq!(told, [8, 12, 16, 20]);
        assert!(!Rules { leech_lapses: 0, ..rules }.is_leech_alarm(8), "0 turns it off");
    }

    #[test]
    fn rules_are_named_by_what_they_say() {
        assert_eq!(Rules::original().id(), RulesId::ORIGINAL);
        let (of_now, before) = (Settings::default().rules, Rules::original());
        assert_eq!(of_now, Rules { fuzz: true, ..before }, "as in Anki");
        assert_ne!(of_now.id(), RulesId::ORIGINAL, "what was learned before stays as it was");
        let rules = Rules { maximum_interval: 99, fuzz: true, ..Rules::original() };
        // Logs name them so: this must never change.
        assert_eq!(rules.id(), RulesId(PINNED), "{}", serde_json::to_string(&rules).unwrap());
        let text = serde_json::to_string(&rules).unwrap();
        let read: Rules = serde_json::from_str(&text).unwrap();
        assert_eq!((read.id(), read), (rules.id(), rules.clone()));
        assert_ne!(Rules { maximum_interval: 98, ..rules.clone() }.id(), rules.id());
    }

    const PINNED: i64 = -4_839_264_932_016_205_192;

    #[test]
    fn each_range_is_kept() {
        let secs = SignedDuration::from_secs;
        let cases = [
            ("learningSteps", Patch { learning_steps: Some(vec![secs(0)]), ..Patch::default() }),
            (
                "learningSteps",
                Patch { learning_steps: Some(vec![secs(60); 21]), ..Patch::default() },
            ),
            (
                "relearningSteps",
                Patch { relearning_steps: Some(vec![secs(2_592_001)]), ..Patch::default() },
            ),
            ("desiredRetention", Patch { desired_retention: Some(0.69), ..Patch::default() }),
            ("desiredRetention", Patch { desired_retention: Some(f32::NAN), ..Patch::default() }),
            ("maximumInterval", Patch { maximum_interval: Some(0), ..Patch::default() }),
            ("newPerDay", Patch { new_per_day: Some(10_000), ..Patch::default() }),
            ("reviewsPerDay", Patch { reviews_per_day: Some(10_000), ..Patch::default() }),
            ("leechLapses", Patch { leech_lapses: Some(100), ..Patch::default() }),
            ("learnAhead", Patch { learn_ahead: Some(secs(86_401)), ..Patch::default() }),
        ];
        for (field, patch) in cases {
            assert_eq!(patch.check().unwrap_err().field, field);
        }
        let all = Patch {
            learning_steps: Some(vec![]),
            desired_retention: Some(0.99),
            maximum_interval: Some(36_500),
            new_per_day: Some(0),
            learn_ahead: Some(secs(0)),
            ..Patch::default()
        };
        assert_eq!(all.check(), Ok(()));
        let mut settings = Settings::default();
        all.apply(&mut settings);
        assert_eq!((settings.new_per_day, settings.reviews_per_day), (0, 200));
        assert!(settings.rules.learning_steps.is_empty());
    }
}
