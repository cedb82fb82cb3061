//! What a batch of log entries does: pure functions that the stores call within their transaction, so that both decide alike.
//!
//! The outcome does not depend on the order in which entries arrive. One that is later than all of its card's continues from the stored state; one
//! that comes late, or undoes another, makes the card's whole log be replayed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use common::{CardId, DeckId, ReviewId};

use crate::entry::{LogEntry, Logged};
use crate::model::StoredCard;
use crate::scheduler::{
    Action, Day, MODEL_VERSION, Model, ModelError, Phase, Rulebook, Rules, RulesId, advance, replay,
};
use crate::tally::TallyChanges;

/// What became of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the log now.
    Accepted,
    /// It was there already.
    Duplicate,
    /// Another one is there under its id.
    Conflict,
    /// There is no such card, or it is somebody else's.
    UnknownCard,
    /// It undoes a review that is not in the log, nor in the batch.
    UnknownReview,
}

/// What new entries of a person are scheduled by.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The memory model with the person's weights.
    pub model: Arc<Model>,
    /// The rules of each deck,
    pub rules: HashMap<DeckId, Arc<Rules>>,
    /// and those of a deck that is not known yet.
    pub default_rules: Arc<Rules>,
}

impl Terms {
    /// The rules of a deck.
    #[must_use]
    pub fn rules_of(&self, deck: DeckId) -> &Arc<Rules> {
        self.rules.get(&deck).unwrap_or(&self.default_rules)
    }
}

/// What the store holds of the things a batch names.
#[derive(Debug, Default)]
pub struct Known {
    /// Entries that the batch names: see [`named`].
    pub entries: HashMap<ReviewId, Logged>,
    /// The owner's cards.
    pub cards: HashMap<CardId, StoredCard>,
}

/// A batch that was looked through.
#[derive(Debug)]
pub struct Admission<'a> {
    /// For each entry, in the order of the batch.
    pub verdicts: Vec<Verdict>,
    /// Those to put into the log.
    pub accepted: Vec<&'a LogEntry>,
}

/// What the store is to write.
#[derive(Debug, Default)]
pub struct Settlement {
    /// New entries of the log.
    pub entries: Vec<Logged>,
    /// Entries that count among other reviews now.
    pub recounted: Vec<(ReviewId, Phase)>,
    /// What the sums of decks and days change by.
    pub tallies: TallyChanges,
    /// Cards with their new states.
    pub cards: Vec<StoredCard>,
    /// Rules that the new entries name.
    pub rules: BTreeMap<RulesId, Arc<Rules>>,
}

/// The entries that a batch names: its own, and those it undoes.
pub fn named(batch: &[LogEntry]) -> impl Iterator<Item = ReviewId> + '_ {
    let undone = batch.iter().filter_map(|entry| match entry.action {
        Action::Undo(review) => Some(review),
        _ => None,
    });
    batch.iter().map(|entry| entry.id).chain(undone)
}

/// Decides which entries of a batch enter the log. One that was stored before is a duplicate even when its card is gone by now.
#[must_use]
pub fn admit<'a>(batch: &'a [LogEntry], known: &Known) -> Admission<'a> {
    let mut seen: HashMap<ReviewId, &LogEntry> = HashMap::new();
    let mut accepted = Vec::new();
    let verdict = |entry: &'a LogEntry| {
        let stored = known.entries.get(&entry.id).map(|logged| &logged.sent);
        match stored.or_else(|| seen.get(&entry.id).copied()) {
            Some(other) if other.says_the_same_as(entry) => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
            None if !known.cards.contains_key(&entry.card) => Verdict::UnknownCard,
            None => {
                seen.insert(entry.id, entry);
                Verdict::Accepted
            }
        }
    };
    let mut verdicts: Vec<Verdict> = batch.iter().map(verdict).collect();
    for (entry, verdict) in batch.iter().zip(&mut verdicts) {
        if *verdict != Verdict::Accepted {
            continue;
        }
        // What is undone must be there first, so that a review that comes later need not ask whether it was undone before.
        match entry.action {
            Action::Undo(review)
                if !known.entries.contains_key(&review) && !seen.contains_key(&review) =>
            {
                *verdict = Verdict::UnknownReview;
            }
            _ => accepted.push(entry),
        }
    }
    Admission { verdicts, accepted }
}

impl Admission<'_> {
    /// The cards whose whole log is needed: an entry comes before one that was counted or undoes one, or another model made the state.
    #[must_use]
    pub fn cards_to_replay(&self, terms: &Terms, known: &Known) -> Vec<CardId> {
        let needs_log = |entry: &&&LogEntry| {
            known.cards.get(&entry.card).is_some_and(|card| {
                let of_now = card.model == MODEL_VERSION && card.weights == terms.model.version();
                let is_late = card.progress.last.is_some_and(|last| entry.key() < last);
                matches!(entry.action, Action::Undo(_))
                    || is_late
                    || (card.progress.last.is_some() && !of_now)
            })
        };
        let cards: HashSet<CardId> =
            self.accepted.iter().filter(needs_log).map(|entry| entry.card).collect();
        cards.into_iter().collect()
    }

    /// What follows from the accepted entries. `logs` are the stored entries of [`Admission::cards_to_replay`], in any order, and `rulebook` holds
    /// the rules that they name.
    ///
    /// # Errors
    /// Those of the model.
    pub fn settle(
        &self,
        terms: &Terms,
        known: &Known,
        mut logs: HashMap<CardId, Vec<Logged>>,
        mut rulebook: Rulebook,
        replayed: &[CardId],
    ) -> Result<Settlement, ModelError> {
        let mut settlement = Settlement::default();
        let mut new: BTreeMap<CardId, Vec<Logged>> = BTreeMap::new();
        let mut names: HashMap<DeckId, RulesId> = HashMap::new();
        for entry in &self.accepted {
            let Some(card) = known.cards.get(&entry.card) else { continue };
            let rules = *names.entry(card.deck).or_insert_with(|| {
                let rules = terms.rules_of(card.deck);
                let id = rules.id();
                rulebook.0.insert(id, Arc::clone(rules));
                settlement.rules.insert(id, Arc::clone(rules));
                id
            });
            let sent = LogEntry::clone(entry);
            let logged = Logged { sent, deck: card.deck, rules, phase: Phase::Uncounted };
            new.entry(entry.card).or_default().push(logged);
        }
        let replayed: HashSet<CardId> = replayed.iter().copied().collect();
        for (id, mut new) in new {
            let Some(card) = known.cards.get(&id) else { continue };
            let mut card =
                StoredCard { model: MODEL_VERSION, weights: terms.model.version(), ..card.clone() };
            new.sort_unstable_by_key(|logged| logged.sent.key());
            if replayed.contains(&id) {
                let old = logs.remove(&id).unwrap_or_default();
                card.progress = settlement.replay(&terms.model, &rulebook, id, old, &mut new)?;
            } else {
                for logged in &mut new {
                    let rules = rulebook.rules(logged.rules);
                    let before = std::mem::take(&mut card.progress);
                    (card.progress, logged.phase) =
                        advance(&terms.model, &rules, id, before, logged.entry())?;
                }
            }
            for logged in &new {
                if let Some(counted) = logged.counted(logged.phase) {
                    settlement.tallies.put(logged.sent.day, logged.deck, &counted);
                }
            }
            settlement.entries.append(&mut new);
            settlement.cards.push(card);
        }
        Ok(settlement)
    }
}

impl Settlement {
    /// Replays the whole log of a card: its stored entries, which may count among other reviews then, and new ones.
    fn replay(
        &mut self,
        model: &Model,
        rulebook: &Rulebook,
        card: CardId,
        old: Vec<Logged>,
        new: &mut [Logged],
    ) -> Result<crate::scheduler::Progress, ModelError> {
        let log = old.iter().chain(new.iter()).map(Logged::entry).collect();
        let replayed = replay(model, rulebook, card, log)?;
        let phases: HashMap<ReviewId, Phase> = replayed.phases.into_iter().collect();
        let phase = |id| phases.get(&id).copied().unwrap_or(Phase::Uncounted);
        for logged in new {
            logged.phase = phase(logged.sent.id);
        }
        for logged in &old {
            let phase = phase(logged.sent.id);
            if phase == logged.phase {
                continue;
            }
            self.recounted.push((logged.sent.id, phase));
            let (day, deck) = (logged.sent.day, logged.deck);
            if let Some(counted) = logged.counted(logged.phase) {
                self.tallies.take(day, deck, &counted);
            }
            if let Some(counted) = logged.counted(phase) {
                self.tallies.put(day, deck, &counted);
            }
        }
        Ok(replayed.progress)
    }

    /// What follows from replaying whole logs without a new entry: after other weights, or where the sums were never made.
    ///
    /// # Errors
    /// Those of the model.
    pub fn of_replay(
        model: &Model,
        rulebook: &Rulebook,
        logs: HashMap<CardId, Vec<Logged>>,
        cards: &HashMap<CardId, StoredCard>,
    ) -> Result<Self, ModelError> {
        let mut settlement = Self::default();
        for (id, log) in logs {
            let progress = settlement.replay(model, rulebook, id, log, &mut [])?;
            if let Some(card) = cards.get(&id) {
                let (model, weights) = (MODEL_VERSION, model.version());
                settlement.cards.push(StoredCard { progress, model, weights, ..card.clone() });
            }
        }
        Ok(settlement)
    }
}

/// How many local days in a row there was a review. `days` are those with one, latest first, none after `today`; they are read only as
/// far as the row goes.
///
/// # Errors
/// What reading a day fails with.
pub fn streak<E>(today: Day, days: impl IntoIterator<Item = Result<Day, E>>) -> Result<u32, E> {
    let mut length = 0;
    let mut expected = today;
    for day in days {
        let day = day?;
        // While today has no review yet, the row may end yesterday.
        if length == 0 && day == Day(today.0 - 1) {
            expected = day;
        }
        if day != expected {
            break;
        }
        length += 1;
        expected = Day(day.0 - 1);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streak_of(today: i32, days: &[i32]) -> u32 {
        let days = days.iter().map(|day| Ok::<_, std::convert::Infallible>(Day(*day)));
        streak(Day(today), days).unwrap()
    }

    #[test]
    fn a_streak_may_end_today_or_yesterday() {
        assert_eq!(streak_of(10, &[]), 0);
        assert_eq!(streak_of(10, &[10]), 1);
        assert_eq!(streak_of(10, &[10, 9, 8, 6]), 3);
        assert_eq!(streak_of(10, &[9, 8, 6]), 2);
        assert_eq!(streak_of(10, &[8, 7]), 0);
    }
}
