//! What is stored, seen at a moment: how well a card or deck is remembered now.

use common::{CardId, DeckId};
use jiff::Timestamp;

use crate::model::{StoredCard, StoredDeck};
use crate::scheduler::{Calendar, CardState, Day, Due, HalfLife, Memory, Progress, deck_score};

use super::Models;

/// A moment where a person is.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The moment.
    pub now: Timestamp,
    /// The person's calendar.
    pub calendar: Calendar,
    /// The local day of the moment.
    pub today: Day,
    /// When the next one starts.
    pub tomorrow: Timestamp,
}

impl Moment {
    /// `now` in `calendar`.
    #[must_use]
    pub fn new(now: Timestamp, calendar: Calendar) -> Self {
        let today = calendar.day_of(now);
        Self { now, today, tomorrow: calendar.start_of(today.plus(1)), calendar }
    }

    /// When something comes back: a learned card at the start of its day.
    #[must_use]
    pub fn due_at(&self, due: Due) -> Timestamp {
        match due {
            Due::At(at) => at,
            Due::On(day) => self.calendar.start_of(day),
        }
    }

    /// Whether something comes back before this local day ends.
    fn is_due_today(&self, due: Due) -> bool {
        match due {
            Due::At(at) => at < self.tomorrow,
            Due::On(day) => day <= self.today,
        }
    }
}

/// A card, seen at a moment.
#[derive(Debug, Clone)]
pub struct CardView {
    /// Which card.
    pub id: CardId,
    /// What its log led to.
    pub progress: Progress,
    /// When it comes back; `None` for a new card.
    pub due: Option<Timestamp>,
    /// Whether it comes no more on the local day of the moment.
    pub buried: bool,
    /// The probability of recall by FSRS; `None` for a new card.
    pub retrievability: Option<f64>,
    /// The probability of recall by the half-life; 0 for a new card.
    pub recall_score: f64,
    /// The version of the weights that made its state; `None` for a new card.
    pub weights: Option<i64>,
}

impl CardView {
    pub(super) fn new(card: StoredCard, models: &Models, moment: &Moment) -> Self {
        let memory = card.memory();
        let model = models.of(card.weights);
        let days = |memory: &Memory| moment.today.since(memory.last_day);
        Self {
            id: card.id,
            due: memory.map(|memory| moment.due_at(memory.due)),
            buried: card.progress.is_buried(moment.today),
            retrievability: memory
                .map(|memory| model.retrievability(memory.stability, days(memory))),
            recall_score: memory.map_or(0.0, |memory| memory.half_life.recall(days(memory))),
            weights: memory.map(|_| card.weights),
            progress: card.progress,
        }
    }

    /// What its answers led to; `None` for a new card.
    #[must_use]
    pub const fn memory(&self) -> Option<&Memory> {
        self.progress.memory.as_ref()
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> CardState {
        self.memory().map_or(CardState::New, |memory| memory.state)
    }
}

/// A deck, seen at a moment.
#[derive(Debug, Clone)]
pub struct DeckView {
    /// Which deck.
    pub id: DeckId,
    /// Its cards, by what is to be done with them.
    pub counts: DeckCounts,
    /// The mean recall score over all its cards, 0 to 1.
    pub recall_score: f64,
    /// The mean probability of recall over its studied cards by FSRS; `None` without any.
    pub retrievability: Option<f64>,
}

/// A deck's cards, by what is to be done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeckCounts {
    /// Never studied, and neither suspended nor buried.
    pub new: usize,
    /// In their steps, and due today.
    pub learning: usize,
    /// Learned, and due today.
    pub review: usize,
    /// All.
    pub total: usize,
}

impl DeckView {
    /// A deck, which may be put aside, or lie in one that is: then nothing is to be done with it.
    pub(super) fn new(deck: &StoredDeck, asleep: bool, models: &Models, moment: &Moment) -> Self {
        let total = deck.new + deck.studied.len();
        let new = if asleep { 0 } else { deck.new - deck.new_away };
        let mut counts = DeckCounts { new, learning: 0, review: 0, total };
        let mut sum = 0.0;
        for card in &deck.studied {
            match card.due {
                due if asleep || !card.comes || !moment.is_due_today(due) => {}
                Due::At(_) => counts.learning += 1,
                Due::On(_) => counts.review += 1,
            }
            let model = models.of(card.weights);
            sum += model.retrievability(card.stability, moment.today.since(card.last_day));
        }
        let recall = |half_life: HalfLife, last: Day| half_life.recall(moment.today.since(last));
        let recalls = deck.studied.iter().map(|card| recall(card.half_life, card.last_day));
        #[expect(clippy::cast_precision_loss, reason = "a deck has far fewer than 2^52 cards")]
        let studied = deck.studied.len() as f64;
        Self {
            id: deck.id,
            counts,
            recall_score: deck_score(total, recalls),
            retrievability: (studied > 0.0).then(|| sum / studied),
        }
    }
}
