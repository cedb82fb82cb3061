//! Whatever way a history of reviews arrives (in any order, in any batches, some of it twice), what is stored is what a replay of the whole
//! log gives.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;

use common::{CardId, DeckId, ReviewId};
use jiff::{SignedDuration, Timestamp};
use learning::model::{Review, ReviewInput, StoredCard};
use learning::scheduler::{Calendar, MODEL_VERSION, Memory, Model, Rating, Scheduler, Settings};
use learning::submission::{Known, Verdict, admit};
use proptest::prelude::*;

const CARDS: usize = 3;
/// Two of them lie a day apart at any moment: a journey between them goes back a day.
const TIME_ZONES: [&str; 3] = ["Europe/Zurich", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

fn scheduler() -> Scheduler {
    Scheduler { settings: Settings::default(), model: Model::average().unwrap() }
}

/// What the stores do, in memory: they too ask for nothing but what [`admit`] and those after it want to know.
struct Log {
    known: Known,
    scheduler: Scheduler,
}

impl Log {
    fn new(cards: &[CardId]) -> Self {
        let deck = DeckId::new();
        let new = |id: &CardId| (*id, StoredCard { id: *id, deck, memory: None, model: 0 });
        let cards = cards.iter().map(new).collect();
        Self { known: Known { cards, reviews: HashMap::new() }, scheduler: scheduler() }
    }

    fn submit(&mut self, batch: &[Review]) -> Vec<Verdict> {
        let admission = admit(batch, &self.known);
        let replayed = admission.cards_to_replay(&self.known);
        let logs = replayed.into_iter().map(|card| (card, self.answers(card))).collect();
        let settled = admission.settle(&self.scheduler, &self.known, logs).unwrap();
        for review in admission.accepted {
            self.known.reviews.insert(review.id, review.clone());
        }
        self.known.cards.extend(settled.into_iter().map(|card| (card.id, card)));
        admission.verdicts
    }

    fn answers(&self, card: CardId) -> Vec<learning::scheduler::Answer> {
        let of_card = self.known.reviews.values().filter(|review| review.card == card);
        of_card.map(Review::answer).collect()
    }

    fn memory(&self, card: CardId) -> Option<Memory> {
        self.known.cards[&card].memory.clone()
    }
}

fn review(card: CardId, rating: Rating, quarters: i64, time_zone: &str) -> Review {
    let noon: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let reviewed_at = noon + SignedDuration::from_mins(15 * quarters);
    let input = ReviewInput {
        id: ReviewId::new(),
        card,
        rating,
        reviewed_at,
        duration_ms: 1000,
        time_zone: Some(time_zone.to_owned()),
        session: None,
    };
    Review::new(input, &Calendar::default(), reviewed_at).unwrap()
}

/// Reviews as (card, rating, quarter of an hour, time zone): within a few days, so that many share a day, and some a moment.
fn history() -> impl Strategy<Value = Vec<(usize, usize, i64, usize)>> {
    prop::collection::vec((0..CARDS, 0..4usize, 0..600i64, 0..TIME_ZONES.len()), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_the_replay_of_the_log(
        (history, order) in history().prop_flat_map(|history| {
            let twice: Vec<usize> = (0..history.len()).chain(0..history.len()).collect();
            (Just(history), Just(twice).prop_shuffle())
        }),
        sizes in prop::collection::vec(1..8usize, 60),
    ) {
        let cards: Vec<CardId> = (0..CARDS).map(|_| CardId::new()).collect();
        let reviews: Vec<Review> = history
            .iter()
            .map(|(card, rating, quarters, zone)| {
                review(cards[*card], Rating::ALL[*rating], *quarters, TIME_ZONES[*zone])
            })
            .collect();
        let mut arrived = order.iter().map(|nth| reviews[*nth].clone());
        let (mut log, mut accepted) = (Log::new(&cards), 0);
        for size in sizes {
            let batch: Vec<Review> = arrived.by_ref().take(size).collect();
            let verdicts = log.submit(&batch);
            accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
        }
        prop_assert_eq!(accepted, reviews.len());
        for card in cards {
            let answers = reviews.iter().filter(|review| review.card == card);
            let replayed = scheduler().replay(answers.map(Review::answer).collect()).unwrap();
            prop_assert_eq!(log.memory(card), replayed);
        }
    }
}

#[test]
fn a_state_of_another_model_is_replayed_at_the_next_review() {
    let card = CardId::new();
    let [first, second] = [0, 300].map(|quarters| review(card, Rating::Good, quarters, "UTC"));
    let mut log = Log::new(&[card]);
    log.submit(std::slice::from_ref(&first));
    let stored = log.known.cards.get_mut(&card).unwrap();
    assert_eq!(stored.model, MODEL_VERSION);
    stored.model -= 1;
    stored.memory.as_mut().unwrap().stability = 99.0;
    log.submit(std::slice::from_ref(&second));
    let replayed = scheduler().replay(vec![first.answer(), second.answer()]).unwrap();
    assert_eq!((log.memory(card), log.known.cards[&card].model), (replayed, MODEL_VERSION));
}
