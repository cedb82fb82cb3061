//! What was learned of a card elsewhere, in Anki's terms: what decks tells learning after an import, and asks of it for an export.
//!
//! It carries no texts and names no files. Numbers are kept as they were found, so that an export says them again without change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CardId, UserId};

/// The most reviews and schedules in one event.
pub const MAX_HISTORY: usize = 500;
/// The moments that are kept, in milliseconds since 1970: until 9999-12-31.
const MOMENTS: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999;

/// A part of what was learned of a person's cards before they were imported: at most [`MAX_HISTORY`] reviews and schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryTold {
    /// Whose cards.
    pub owner: UserId,
    /// When they were imported.
    pub at: Timestamp,
    /// The cards. One whose log is long comes in several events.
    pub cards: Vec<CardHistory>,
}

impl HistoryTold {
    /// How many reviews and schedules it carries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.cards.iter().map(|card| 1 + card.reviews.len()).sum()
    }
}

/// What was learned of one card, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardHistory {
    /// Which card.
    pub card: CardId,
    /// Reviews, in the order of their time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<PastReview>,
    /// Where the card stands after all of its reviews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// A review in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastReview {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// 1 (again) to 4 (easy), or 0 where nothing was answered.
    pub button: u8,
    /// The interval given: days, or negative in seconds.
    pub interval: i64,
    /// The interval before: days, or negative in seconds.
    pub last_interval: i64,
    /// The ease factor in thousandths; under FSRS the difficulty, as 100 to 1100.
    pub factor: u32,
    /// How long the answer took, in milliseconds.
    pub taken: u32,
    /// 0 in the first steps, 1 of a known card, 2 in the steps after forgetting, 3 ahead of time, 4 a date that the person set, 5 one that
    /// the program set.
    pub kind: u8,
}

/// Where a card stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// 0 new, 1 in the first steps, 2 known, 3 in the steps after forgetting.
    pub state: u8,
    /// When it is due, in milliseconds since 1970: in steps within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// The local day on which it is due, in days since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_day: Option<i32>,
    /// The present interval: days, or negative in seconds.
    pub interval: i64,
    /// The ease factor in thousandths; 0 where there is none.
    pub ease: u32,
    /// How often it was answered.
    pub reps: u32,
    /// How often it was forgotten.
    pub lapses: u32,
    /// Steps that are left, as Anki counts them.
    pub steps_left: u32,
    /// Out of use until the person wants it back.
    pub suspended: bool,
    /// Put off to the next day.
    pub buried: bool,
    /// 0 (none) to 7.
    pub flag: u8,
    /// FSRS: days until the probability of recall falls to 0.9. Never NaN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<f32>,
    /// FSRS: 1 to 10. Never NaN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<f32>,
    /// The desired retention with which it was scheduled, 0 to 1. Never NaN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_retention: Option<f32>,
    /// FSRS' decay with which it was scheduled. Never NaN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f32>,
    /// The last answer, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_review: Option<i64>,
    /// Its position among the new before it was first answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

// Its numbers are never NaN: `sound` sees to it before one is made of a stranger's file.
impl Eq for Schedule {}

impl PastReview {
    /// The same where it is at a moment that is kept: from 1970 to 9999. Its button and its kind become such that there are.
    #[must_use]
    pub fn sound(mut self) -> Option<Self> {
        self.button = self.button.min(4);
        self.kind = self.kind.min(5);
        MOMENTS.contains(&self.at).then_some(self)
    }
}

impl Schedule {
    /// The same without numbers that are none, or out of range: moments from 1970 to 9999, days from 1870 to 9999.
    #[must_use]
    pub fn sound(mut self) -> Self {
        let within = |number: Option<f32>, least: f32, most: f32| {
            number.filter(|number| (least..=most).contains(number))
        };
        self.stability = within(self.stability, 0.001, 36_500.0);
        self.difficulty = within(self.difficulty, 1.0, 10.0);
        self.desired_retention = within(self.desired_retention, 0.0, 1.0);
        self.decay = within(self.decay, 0.01, 10.0);
        self.due_at = self.due_at.filter(|at| MOMENTS.contains(at));
        self.due_day = self.due_day.filter(|day| (-36_525..=2_932_896).contains(day));
        let is_moment =
            |seconds: &i64| seconds.checked_mul(1_000).is_some_and(|at| MOMENTS.contains(&at));
        self.last_review = self.last_review.filter(is_moment);
        self.flag = self.flag.min(7);
        self.state = self.state.min(3);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_left_out() {
        let text = r#"{"state": 9, "interval": 3, "ease": 2500, "reps": 1, "lapses": 0, "stepsLeft": 0, "suspended": false,
            "buried": false, "flag": 200, "stability": 0.0, "difficulty": 5.5, "decay": 99.0}"#;
        let read: Schedule = serde_json::from_str(text).unwrap();
        let sound = Schedule { stability: Some(f32::NAN), ..read }.sound();
        assert_eq!((sound.state, sound.flag), (3, 7));
        assert_eq!((sound.stability, sound.difficulty, sound.decay), (None, Some(5.5), None));
        assert_eq!(sound.sound(), sound);
    }
}
