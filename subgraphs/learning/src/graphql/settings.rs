//! Settings of decks, and presets, in GraphQL. Delays are whole seconds.

use async_graphql::{InputObject, SimpleObject};
use common::PresetId;
use jiff::SignedDuration;

use crate::model::Preset;
use crate::scheduler::{EasyDay, LeechAction, NewCardOrder, Patch, Rules, Settings};
use crate::service::DeckSettings;
use crate::shelf::preset_settings;

/// How a deck and all within it are learned.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct DeckStudySettings {
    /// Grows with each change of what the deck sets itself; 0 while it never did.
    version: i64,
    /// The preset that it starts from, instead of what it inherits.
    preset_id: Option<PresetId>,
    /// What it sets itself; null where it inherits.
    own: OwnStudySettings,
    /// What holds.
    effective: StudySettings,
}

/// How cards are learned.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct StudySettings {
    /// Delays of the steps that a new card goes through, in seconds. None: it is learned at its first answer.
    learning_steps: Vec<i32>,
    /// Delays of the steps that a forgotten card goes through, in seconds. None: it stays among the reviews.
    relearning_steps: Vec<i32>,
    /// The probability of recall at which a card comes back.
    desired_retention: f64,
    /// The longest interval, in days.
    maximum_interval: i32,
    /// How many new cards a local day brings.
    new_per_day: i32,
    /// How many learned cards a local day brings back.
    reviews_per_day: i32,
    /// How many lapses make a card a leech, and again each half of that more; 0: none ever is one.
    leech_lapses: i32,
    /// What happens to a leech.
    leech_action: LeechAction,
    /// Whether only one card of a note comes on a local day.
    bury_siblings: bool,
    /// Where new cards come in the queue of the deck.
    new_card_order: NewCardOrder,
    /// How much each weekday may bring, Monday to Sunday.
    easy_days: Vec<EasyDay>,
    /// Whether intervals vary a little from card to card, so that cards learned together do not come back together.
    fuzz: bool,
    /// How soon before its time a card in its steps may come when nothing else is left, in seconds.
    learn_ahead: i32,
}

/// Some settings: null for what is not set.
#[derive(Debug, Clone, SimpleObject, InputObject)]
#[graphql(input_name = "StudySettingsInput")]
pub(super) struct OwnStudySettings {
    /// Delays of the steps that a new card goes through: at most 20, of 1 to 2,592,000 seconds.
    learning_steps: Option<Vec<i32>>,
    /// Delays of the steps that a forgotten card goes through: at most 20, of 1 to 2,592,000 seconds.
    relearning_steps: Option<Vec<i32>>,
    /// The probability of recall at which a card comes back: 0.7 to 0.99.
    desired_retention: Option<f64>,
    /// The longest interval: 1 to 36,500 days.
    maximum_interval: Option<i32>,
    /// How many new cards a local day brings: 0 to 9,999.
    new_per_day: Option<i32>,
    /// How many learned cards a local day brings back: 0 to 9,999.
    reviews_per_day: Option<i32>,
    /// How many lapses make a card a leech: 1 to 99, or 0 for never.
    leech_lapses: Option<i32>,
    /// What happens to a leech.
    leech_action: Option<LeechAction>,
    /// Whether only one card of a note comes on a local day.
    bury_siblings: Option<bool>,
    /// Where new cards come in the queue of the deck.
    new_card_order: Option<NewCardOrder>,
    /// How much each weekday may bring: seven, Monday to Sunday.
    easy_days: Option<Vec<EasyDay>>,
    /// Whether intervals vary a little from card to card.
    fuzz: Option<bool>,
    /// How soon before its time a card in its steps may come when nothing else is left: 0 to 86,400 seconds.
    learn_ahead: Option<i32>,
}

/// A named set of settings. A deck that starts from it has these instead of what it would inherit.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct StudyPreset {
    /// Its id, a UUID.
    id: PresetId,
    /// Its name.
    name: String,
    /// Grows with each change.
    version: i64,
    /// What it sets; null where it leaves the default.
    own: OwnStudySettings,
    /// What a deck that starts from it has.
    effective: StudySettings,
}

impl From<DeckSettings> for DeckStudySettings {
    fn from(settings: DeckSettings) -> Self {
        Self {
            version: settings.own.version,
            preset_id: settings.own.preset,
            own: settings.own.patch.into(),
            effective: settings.effective.into(),
        }
    }
}

impl From<Preset> for StudyPreset {
    fn from(preset: Preset) -> Self {
        Self {
            id: preset.id,
            effective: preset_settings(&preset).into(),
            name: preset.name,
            version: preset.version,
            own: preset.patch.into(),
        }
    }
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn seconds(delay: SignedDuration) -> i32 {
    i32::try_from(delay.as_secs()).unwrap_or(i32::MAX)
}

fn all_seconds(delays: Vec<SignedDuration>) -> Vec<i32> {
    delays.into_iter().map(seconds).collect()
}

/// A setting as it was chosen: 0.9, not the nearest number of single precision.
fn exact(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

impl From<Settings> for StudySettings {
    fn from(settings: Settings) -> Self {
        let Rules {
            learning_steps,
            relearning_steps,
            desired_retention,
            maximum_interval,
            leech_lapses,
            leech_action,
            easy_days,
            fuzz,
        } = settings.rules;
        Self {
            learning_steps: all_seconds(learning_steps),
            relearning_steps: all_seconds(relearning_steps),
            desired_retention: exact(desired_retention),
            maximum_interval: int(maximum_interval),
            new_per_day: int(settings.new_per_day),
            reviews_per_day: int(settings.reviews_per_day),
            leech_lapses: int(leech_lapses),
            leech_action,
            bury_siblings: settings.bury_siblings,
            new_card_order: settings.new_card_order,
            easy_days: easy_days.to_vec(),
            fuzz,
            learn_ahead: seconds(settings.learn_ahead),
        }
    }
}

impl From<Patch> for OwnStudySettings {
    fn from(patch: Patch) -> Self {
        Self {
            learning_steps: patch.learning_steps.map(all_seconds),
            relearning_steps: patch.relearning_steps.map(all_seconds),
            desired_retention: patch.desired_retention.map(exact),
            maximum_interval: patch.maximum_interval.map(int),
            new_per_day: patch.new_per_day.map(int),
            reviews_per_day: patch.reviews_per_day.map(int),
            leech_lapses: patch.leech_lapses.map(int),
            leech_action: patch.leech_action,
            bury_siblings: patch.bury_siblings,
            new_card_order: patch.new_card_order,
            easy_days: patch.easy_days.map(Vec::from),
            fuzz: patch.fuzz,
            learn_ahead: patch.learn_ahead.map(seconds),
        }
    }
}

impl OwnStudySettings {
    /// The settings as the domain takes them. A number that is out of range for it stays out of range, and the domain says so.
    pub(super) fn read(self) -> Result<Patch, common::Error> {
        let count = |number: Option<i32>| number.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let delay = |seconds: i32| SignedDuration::from_secs(seconds.into());
        let delays = |steps: Option<Vec<i32>>| {
            steps.map(|steps| steps.into_iter().map(delay).collect::<Vec<_>>())
        };
        let week = |days: Vec<EasyDay>| {
            <[EasyDay; 7]>::try_from(days).map_err(|_| {
                common::Error::invalid(
                    "input.settings.easyDays",
                    "seven are accepted, Monday to Sunday",
                )
            })
        };
        #[expect(clippy::cast_possible_truncation, reason = "a probability, which is checked then")]
        let single = |number: f64| number as f32;
        Ok(Patch {
            learning_steps: delays(self.learning_steps),
            relearning_steps: delays(self.relearning_steps),
            desired_retention: self.desired_retention.map(single),
            maximum_interval: count(self.maximum_interval),
            new_per_day: count(self.new_per_day),
            reviews_per_day: count(self.reviews_per_day),
            leech_lapses: count(self.leech_lapses),
            leech_action: self.leech_action,
            bury_siblings: self.bury_siblings,
            new_card_order: self.new_card_order,
            easy_days: self.easy_days.map(week).transpose()?,
            fuzz: self.fuzz,
            learn_ahead: self.learn_ahead.map(delay),
        })
    }
}
