//! What is known of a studied card: the state that its answers lead to.

use common::ReviewId;
use jiff::Timestamp;

use super::{CardState, Day, HalfLife};

/// The place of an answer in its card's log.
pub type AnswerKey = (Timestamp, ReviewId);

/// When a card comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At a moment: a card in its steps.
    At(Timestamp),
    /// On a local day, wherever the person is then: a learned card.
    On(Day),
}

/// A studied card. A card without one is new.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// Where it is in its life; never new.
    pub state: CardState,
    /// Which of the steps it waits in, from 0; 0 for a learned card.
    pub step: u8,
    /// When it comes back.
    pub due: Due,
    /// Days until the probability of recall falls to 0.9.
    pub stability: f32,
    /// 1 (easy) to 10.
    pub difficulty: f32,
    /// What the recall score is computed from.
    pub half_life: HalfLife,
    /// How often it was answered.
    pub reps: u32,
    /// How often it was forgotten after it had been learned.
    pub lapses: u32,
    /// Whether it was forgotten so often that it is better rewritten.
    pub leech: bool,
    /// The last answer, or what set the due date of a new card.
    pub last: AnswerKey,
    /// Its local day.
    pub last_day: Day,
}
