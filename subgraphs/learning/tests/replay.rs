//! Whatever way a history arrives (in any order, in any batches, some of it twice, with actions and undo), what is stored is what a replay of the whole
//! log gives, and the sums are those of the log.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::sync::Arc;

use common::{CardId, DeckId, ReviewId};
use jiff::{SignedDuration, Timestamp};
use learning::entry::{EntryInput, LogEntry, Logged};
use learning::model::StoredCard;
use learning::scheduler::{
    Action, Calendar, Day, EasyDay, MODEL_VERSION, Model, Phase, Progress, Rating, Rulebook, Rules,
    replay,
};
use learning::submission::{Known, Terms, Verdict, admit};
use learning::tally::{ALL_DECKS, Tally};
use proptest::prelude::*;

const CARDS: usize = 3;
/// Two of them lie a day apart at any moment: a journey between them goes back a day.
const TIME_ZONES: [&str; 3] = ["Europe/Zurich", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

/// What the stores do, in memory: they too ask for nothing but what [`admit`] and those after it want to know.
struct Log {
    known: Known,
    terms: Terms,
    rulebook: Rulebook,
    tallies: HashMap<(Day, DeckId), Tally>,
}

impl Log {
    /// A log of cards in one deck each, the first of which has rules of its own.
    fn new(cards: &[CardId]) -> Self {
        let rules = Rules {
            learning_steps: vec![],
            maximum_interval: 40,
            leech_lapses: 1,
            leech_action: learning::scheduler::LeechAction::Suspend,
            fuzz: true,
            easy_days: [EasyDay::Reduced; 7],
            ..Rules::original()
        };
        let new = |id: &CardId| (*id, StoredCard::new(*id, DeckId::new()));
        let known = Known { cards: cards.iter().map(new).collect(), entries: HashMap::new() };
        let deck = known.cards[&cards[0]].deck;
        let terms = Terms {
            model: Arc::new(Model::average().unwrap()),
            rules: [(deck, Arc::new(rules))].into(),
            default_rules: Arc::new(Rules::default()),
        };
        Self { known, terms, rulebook: Rulebook::default(), tallies: HashMap::new() }
    }

    fn submit(&mut self, batch: &[LogEntry]) -> Vec<Verdict> {
        let admission = admit(batch, &self.known);
        let replayed = admission.cards_to_replay(&self.terms, &self.known);
        let logs = replayed.iter().map(|card| (*card, self.log(*card))).collect();
        let rulebook = self.rulebook.clone();
        let settled =
            admission.settle(&self.terms, &self.known, logs, rulebook, &replayed).unwrap();
        let keys: Vec<_> = settled.tallies.keys().collect();
        for key in keys {
            let before = self.tallies.remove(&key).unwrap_or_default();
            self.tallies.insert(key, settled.tallies.after(key, before));
        }
        self.rulebook.0.extend(settled.rules);
        for logged in settled.entries {
            self.known.entries.insert(logged.sent.id, logged);
        }
        for (id, phase) in settled.recounted {
            self.known.entries.get_mut(&id).unwrap().phase = phase;
        }
        self.known.cards.extend(settled.cards.into_iter().map(|card| (card.id, card)));
        admission.verdicts
    }

    fn log(&self, card: CardId) -> Vec<Logged> {
        self.known.entries.values().filter(|logged| logged.sent.card == card).cloned().collect()
    }

    fn progress(&self, card: CardId) -> &Progress {
        &self.known.cards[&card].progress
    }

    /// What a replay of the whole log gives.
    fn replayed(&self, card: CardId) -> learning::scheduler::Replayed {
        let log = self.log(card).iter().map(Logged::entry).collect();
        replay(&self.terms.model, &self.rulebook, card, log).unwrap()
    }
}

fn entry(id: ReviewId, card: CardId, action: Action, quarters: i64, time_zone: &str) -> LogEntry {
    let noon: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let at = noon + SignedDuration::from_mins(15 * quarters);
    let input = EntryInput {
        id,
        card,
        action,
        at,
        duration_ms: if action.rating().is_some() { 1000 } else { 0 },
        time_zone: Some(time_zone.to_owned()),
        session: None,
    };
    LogEntry::new(input, &Calendar::default(), at).unwrap()
}

/// What happens to a card: mostly answers. An undo names one of the other entries.
fn action() -> impl Strategy<Value = (Action, usize)> {
    let rating = (0..4usize).prop_map(|nth| Rating::ALL[nth]);
    let action = prop_oneof![
        12 => rating.clone().prop_map(Action::Answer),
        1 => rating.prop_map(Action::Practice),
        1 => Just(Action::Suspend),
        1 => Just(Action::Unsuspend),
        1 => Just(Action::Bury),
        1 => Just(Action::Unbury),
        1 => (0..8u8).prop_map(Action::Flag),
        1 => Just(Action::Reset),
        1 => (0..40u32).prop_map(|days| Action::SetDue(Day(20_522).plus(days))),
        3 => Just(Action::Undo(ReviewId::from(uuid::Uuid::nil()))),
    ];
    (action, any::<usize>())
}

type Happening = (usize, (Action, usize), i64, usize);

/// Entries as (card, action, quarter of an hour, time zone): within a few days, so that many share a day, and some a moment.
fn history() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec((0..CARDS, action(), 0..600i64, 0..TIME_ZONES.len()), 1..40)
}

fn entries(history: &[Happening], cards: &[CardId]) -> Vec<LogEntry> {
    let ids: Vec<ReviewId> = history.iter().map(|_| ReviewId::new()).collect();
    let entry = |(nth, (card, (action, other), quarters, zone)): (usize, &Happening)| {
        let mut card = cards[*card];
        let mut action = *action;
        if let Action::Undo(target) = &mut action {
            let other = other % history.len();
            *target = ids[other];
            card = cards[history[other].0];
        }
        entry(ids[nth], card, action, *quarters, TIME_ZONES[*zone])
    };
    history.iter().enumerate().map(entry).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_the_replay_of_the_log(
        (history, order) in history().prop_flat_map(|history| {
            let twice: Vec<usize> = (0..history.len()).chain(0..history.len()).collect();
            (Just(history), Just(twice).prop_shuffle())
        }),
        sizes in prop::collection::vec(1..8usize, 80),
    ) {
        let cards: Vec<CardId> = (0..CARDS).map(|_| CardId::new()).collect();
        let entries = entries(&history, &cards);
        let mut arrived = order.iter().map(|nth| entries[*nth].clone());
        let (mut log, mut accepted) = (Log::new(&cards), 0);
        for size in sizes {
            let batch: Vec<LogEntry> = arrived.by_ref().take(size).collect();
            let verdicts = log.submit(&batch);
            accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
        }
        // What was refused, because it undoes what had not arrived, is sent again.
        let verdicts = log.submit(&entries);
        accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
        prop_assert_eq!(accepted, entries.len());

        // The same in one batch, in order: the outcome is the same.
        let mut at_once = Log::new(&cards);
        at_once.known.cards.clone_from(&log.known.cards);
        for card in at_once.known.cards.values_mut() {
            *card = StoredCard::new(card.id, card.deck);
        }
        at_once.terms = log.terms.clone();
        let verdicts = at_once.submit(&entries);
        prop_assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted));

        let mut tallies: HashMap<(Day, DeckId), Tally> = HashMap::new();
        for card in cards {
            let replayed = log.replayed(card);
            prop_assert_eq!(log.progress(card), &replayed.progress);
            prop_assert_eq!(at_once.progress(card), &replayed.progress);
            let phases: HashMap<ReviewId, Phase> = replayed.phases.into_iter().collect();
            for logged in log.log(card) {
                prop_assert_eq!(logged.phase, phases[&logged.sent.id]);
                if let Some(counted) = logged.counted(logged.phase) {
                    for deck in [logged.deck, ALL_DECKS.into()] {
                        tallies.entry((logged.sent.day, deck)).or_default().add(&counted);
                    }
                }
            }
        }
        for log in [&log, &at_once] {
            for (key, tally) in &log.tallies {
                prop_assert_eq!(tally, &tallies.get(key).cloned().unwrap_or_default());
            }
            for key in tallies.keys() {
                prop_assert!(log.tallies.contains_key(key));
            }
        }
    }
}

#[test]
fn a_state_of_another_model_is_replayed_at_the_next_review() {
    let cards = [CardId::new(), CardId::new()];
    let good = Action::Answer(Rating::Good);
    let [first, second] =
        [0, 300].map(|quarters| entry(ReviewId::new(), cards[1], good, quarters, "UTC"));
    let mut log = Log::new(&cards);
    log.submit(std::slice::from_ref(&first));
    let stored = log.known.cards.get_mut(&cards[1]).unwrap();
    assert_eq!(stored.model, MODEL_VERSION);
    stored.model -= 1;
    stored.progress.memory.as_mut().unwrap().stability = 99.0;
    log.submit(std::slice::from_ref(&second));
    assert_eq!(log.progress(cards[1]), &log.replayed(cards[1]).progress);
    assert_eq!(log.known.cards[&cards[1]].model, MODEL_VERSION);
}
