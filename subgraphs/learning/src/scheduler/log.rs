//! A card's log and what it leads to. [`Progress`] is the fold of the log's entries in the order of (moment, id), without those that were undone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{CardId, ReviewId};
use jiff::Timestamp;

use super::{
    Answer, AnswerKey, CardState, Day, Due, HalfLife, LeechAction, Memory, Model, ModelError,
    Rating, Rules, RulesId, Scheduler,
};

/// The interval, in days, from which on a learned card is mature.
pub const MATURE: u32 = 21;

/// What an entry of the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The card was reviewed.
    Answer(Rating),
    /// The card was reviewed for practice: it counts as work, and changes nothing of when the card comes back.
    Practice(Rating),
    /// The card comes no more,
    Suspend,
    /// or again.
    Unsuspend,
    /// The card comes no more on this local day,
    Bury,
    /// or again.
    Unbury,
    /// The card bears this flag: 0 (none) to 7.
    Flag(u8),
    /// The card is new again.
    Reset,
    /// The card comes back on this local day. A new one becomes a learned one whose stability is the days until then.
    SetDue(Day),
    /// This review of the same card never was.
    Undo(ReviewId),
}

impl Action {
    /// How well the card was remembered, if it was reviewed.
    #[must_use]
    pub const fn rating(self) -> Option<Rating> {
        match self {
            Self::Answer(rating) | Self::Practice(rating) => Some(rating),
            _ => None,
        }
    }
}

/// An entry of a card's log, as scheduling takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which entry it is.
    pub id: ReviewId,
    /// What it says.
    pub action: Action,
    /// When it was made.
    pub at: Timestamp,
    /// The local day it was made on, where the person was then.
    pub day: Day,
    /// The rules that were in force when it arrived.
    pub rules: RulesId,
}

/// Among which reviews an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of a new card.
    New,
    /// Of a card in its learning steps.
    Learning,
    /// Of a card in its relearning steps.
    Relearning,
    /// Of a learned card that waited less than 21 days.
    Young,
    /// Of a learned card that waited 21 days or more.
    Mature,
    /// For practice.
    Practice,
    /// None: what is no answer, and what was undone.
    Uncounted,
}

impl Phase {
    /// Those that are counted, in the order of their numbers.
    pub const COUNTED: [Self; 6] =
        [Self::New, Self::Learning, Self::Relearning, Self::Young, Self::Mature, Self::Practice];

    /// The number that stores keep.
    #[must_use]
    pub fn number(self) -> u8 {
        let place = Self::COUNTED.iter().position(|phase| *phase == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(6)
    }

    /// The phase with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        Self::COUNTED.get(usize::from(number)).copied().unwrap_or(Self::Uncounted)
    }

    fn of(memory: Option<&Memory>) -> Self {
        let Some(memory) = memory else { return Self::New };
        match (memory.state, memory.due) {
            (CardState::Relearning, _) => Self::Relearning,
            (CardState::Review, Due::On(day)) if day.since(memory.last_day) >= MATURE => {
                Self::Mature
            }
            (CardState::Review, _) => Self::Young,
            (CardState::New | CardState::Learning, _) => Self::Learning,
        }
    }
}

/// What a card's log led to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// What its answers led to; `None` for a new card.
    pub memory: Option<Memory>,
    /// Whether it comes no more.
    pub suspended: bool,
    /// It comes no more before this local day.
    pub buried_until: Option<Day>,
    /// 0 (none) to 7.
    pub flag: u8,
    /// When it was last answered AGAIN, HARD, GOOD and EASY, for practice or not.
    pub answered: [Option<Timestamp>; 4],
    /// The last entry of the log.
    pub last: Option<AnswerKey>,
}

impl Progress {
    /// Whether it comes no more on this local day.
    #[must_use]
    pub fn is_buried(&self, today: Day) -> bool {
        self.buried_until.is_some_and(|until| today < until)
    }
}

/// Rules by the names that a log has for them.
#[derive(Debug, Clone, Default)]
pub struct Rulebook(pub HashMap<RulesId, Arc<Rules>>);

impl Rulebook {
    /// The rules with this name; the original ones for a name that is not known.
    #[must_use]
    pub fn rules(&self, id: RulesId) -> Arc<Rules> {
        self.0.get(&id).cloned().unwrap_or_else(|| Arc::new(Rules::original()))
    }
}

/// What a replay gives: the state, and for each entry of the log, in its order, among which reviews it counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replayed {
    /// The state.
    pub progress: Progress,
    /// Each entry once.
    pub phases: Vec<(ReviewId, Phase)>,
}

/// The state that a card's log leads to, whatever order it is handed in.
///
/// # Errors
/// Those of the model.
pub fn replay(
    model: &Model,
    rulebook: &Rulebook,
    card: CardId,
    mut log: Vec<Entry>,
) -> Result<Replayed, ModelError> {
    log.sort_unstable_by_key(|entry| (entry.at, entry.id));
    log.dedup_by_key(|entry| entry.id);
    let undone: HashSet<ReviewId> = log
        .iter()
        .filter_map(|entry| match entry.action {
            Action::Undo(review) => Some(review),
            _ => None,
        })
        .collect();
    let mut replayed = Replayed::default();
    for entry in log {
        let phase = if undone.contains(&entry.id) && entry.action.rating().is_some() {
            replayed.progress.last = Some((entry.at, entry.id));
            Phase::Uncounted
        } else {
            let rules = rulebook.rules(entry.rules);
            let before = std::mem::take(&mut replayed.progress);
            let (progress, phase) = advance(model, &rules, card, before, entry)?;
            replayed.progress = progress;
            phase
        };
        replayed.phases.push((entry.id, phase));
    }
    Ok(replayed)
}

/// The state after `entry`, which must be later in the log than those that led to `before` and undo none of them.
///
/// # Errors
/// Those of the model.
pub fn advance(
    model: &Model,
    rules: &Rules,
    card: CardId,
    mut progress: Progress,
    entry: Entry,
) -> Result<(Progress, Phase), ModelError> {
    let Entry { id, action, at, day, .. } = entry;
    progress.last = Some((at, id));
    let scheduler = Scheduler { model, rules };
    let mut phase = Phase::Uncounted;
    if let Some(rating) = action.rating() {
        progress.answered[rating.place()] = Some(at);
    }
    match action {
        Action::Answer(rating) => {
            let before = progress.memory.as_ref();
            phase = Phase::of(before);
            let lapses = before.map_or(0, |before| before.lapses);
            let after = scheduler.answer(card, before, Answer { id, rating, at, day })?;
            if after.lapses > lapses
                && rules.is_leech_alarm(after.lapses)
                && rules.leech_action == LeechAction::Suspend
            {
                progress.suspended = true;
            }
            progress.memory = Some(after);
        }
        Action::Practice(_) => phase = Phase::Practice,
        Action::Suspend => progress.suspended = true,
        Action::Unsuspend => progress.suspended = false,
        Action::Bury => progress.buried_until = Some(day.plus(1)),
        Action::Unbury => progress.buried_until = None,
        Action::Flag(flag) => progress.flag = flag,
        Action::Reset => progress.memory = None,
        Action::SetDue(due) => {
            progress.memory = Some(set_due(&scheduler, progress.memory, entry, due)?);
        }
        Action::Undo(_) => {}
    }
    Ok((progress, phase))
}

fn set_due(
    scheduler: &Scheduler<'_>,
    before: Option<Memory>,
    entry: Entry,
    due: Day,
) -> Result<Memory, ModelError> {
    let due_on = Due::On(due);
    if let Some(before) = before {
        return Ok(Memory { state: CardState::Review, step: 0, due: due_on, ..before });
    }
    #[expect(clippy::cast_precision_loss, reason = "a date lies within ten thousand years")]
    let stability = due.since(entry.day).max(1) as f32;
    Ok(Memory {
        state: CardState::Review,
        step: 0,
        due: due_on,
        stability,
        difficulty: scheduler.model.first_difficulty(Rating::Good)?,
        half_life: HalfLife::default(),
        reps: 0,
        lapses: 0,
        leech: false,
        last: (entry.at, entry.id),
        last_day: entry.day,
    })
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
