//! When a card comes back: pure functions of the settings, the model's weights and a card's answers.
//!
//! A card's [`Progress`] is the fold of its log in the order of (moment, id). Nothing here reads a clock or a store: the moment, the
//! local day and what was answered before are handed in, so that replaying a log always gives the same state.

mod answer;
mod fuzz;
mod log;
mod memory;
mod model;
mod queue;
mod recall;
mod settings;

use async_graphql::Enum;

pub use answer::{Answer, Preview, Scheduler};
pub use common::calendar::{Calendar, Day, UnknownTimeZone};
pub use log::{Action, Entry, MATURE, Phase, Progress, Replayed, Rulebook, advance, replay};
pub use memory::{AnswerKey, Due, Memory};
pub use model::{MODEL_VERSION, Model, ModelError};
pub use queue::{Done, interleave};
pub use recall::{HalfLife, deck_score};
pub use settings::{
    EasyDay, InvalidSetting, LeechAction, NewCardOrder, Patch, Rules, RulesId, Settings,
};

/// How well a card was remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Enum)]
pub enum Rating {
    /// Forgotten.
    Again,
    /// Remembered with great effort.
    Hard,
    /// Remembered.
    Good,
    /// Remembered without effort.
    Easy,
}

impl Rating {
    /// All four, in order.
    pub const ALL: [Self; 4] = [Self::Again, Self::Hard, Self::Good, Self::Easy];

    /// The number that stores and other programs use: 1 (again) to 4 (easy).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Again => 1,
            Self::Hard => 2,
            Self::Good => 3,
            Self::Easy => 4,
        }
    }

    /// Its place among the four.
    #[must_use]
    pub const fn place(self) -> usize {
        self as usize
    }

    /// The rating with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.number() == number)
    }

    /// Whether the card was remembered.
    #[must_use]
    pub const fn is_pass(self) -> bool {
        !matches!(self, Self::Again)
    }
}

/// Where a card is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Enum)]
pub enum CardState {
    /// Never studied.
    New,
    /// In the learning steps, minutes apart.
    Learning,
    /// Learned: it comes back after whole days.
    Review,
    /// Forgotten after it was learned: in the relearning steps.
    Relearning,
}

impl CardState {
    /// The number that stores keep: 0 (new) to 3 (relearning).
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::New => 0,
            Self::Learning => 1,
            Self::Review => 2,
            Self::Relearning => 3,
        }
    }

    /// The state with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::New, Self::Learning, Self::Review, Self::Relearning]
            .into_iter()
            .find(|state| state.number() == number)
    }
}
