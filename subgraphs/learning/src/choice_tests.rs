//! Limits along the deck tree, siblings, order, and that the rest stays the same while a queue is worked through.

use super::*;
use crate::model::{DeckRow, OwnSettings, Shelf};
use crate::scheduler::Patch;

const TODAY: Day = Day(20_000);

fn now() -> Timestamp {
    "2026-01-10T12:00:00Z".parse().unwrap()
}

fn when() -> When {
    When { now: now(), today: TODAY }
}

fn wish(deck: Option<DeckId>) -> Wish {
    Wish { deck, extra_new: 0, extra_reviews: 0 }
}

fn tree(decks: &[(DeckId, Option<DeckId>, Patch)]) -> Tree {
    let row = |(id, parent, patch): &(DeckId, Option<DeckId>, Patch)| DeckRow {
        id: *id,
        parent: *parent,
        archived: false,
        own: OwnSettings { version: 1, preset: None, patch: patch.clone() },
    };
    Tree::new(&Shelf { decks: decks.iter().map(row).collect(), presets: vec![] })
}

fn learned(deck: DeckId, urgency: f64) -> Candidate {
    let due = Some(Due::On(Day(TODAY.0 - 1)));
    Candidate { id: CardId::new(), deck, note: None, due, urgency }
}

fn new(deck: DeckId) -> Candidate {
    Candidate { due: None, urgency: 0.0, ..learned(deck, 0.0) }
}

fn limits(new: u32, reviews: u32) -> Patch {
    Patch { new_per_day: Some(new), reviews_per_day: Some(reviews), ..Patch::default() }
}

fn ids(cards: &[Candidate]) -> Vec<CardId> {
    cards.iter().map(|card| card.id).collect()
}

#[test]
fn limits_hold_for_a_deck_and_for_those_it_lies_in() {
    let [top, left, right] = [(); 3].map(|()| DeckId::new());
    let tree = tree(&[
        (top, None, limits(3, 10)),
        (left, Some(top), limits(2, 10)),
        (right, Some(top), limits(9, 10)),
    ]);
    let cards: Vec<Candidate> = (0..8).map(|nth| new(if nth < 4 { left } else { right })).collect();
    let of = |done: HashMap<DeckId, Done>| QueueCards {
        new: cards.clone(),
        done,
        ..QueueCards::default()
    };
    let chosen = choose(of(HashMap::new()), &tree, &wish(None), when());
    assert_eq!(chosen, [cards[0].id, cards[1].id, cards[4].id]);
    // What was done in a deck counts for those it lies in.
    let done = HashMap::from([(right, Done { new: 2, reviews: 0 })]);
    assert_eq!(choose(of(done.clone()), &tree, &wish(None), when()), [cards[0].id]);
    // Asked for alone, the deck above does not limit it.
    assert_eq!(choose(of(done.clone()), &tree, &wish(Some(left)), when()).len(), 2);
    let extra = Wish { extra_new: 2, ..wish(None) };
    assert_eq!(choose(of(done), &tree, &extra, when()).len(), 3);
}

#[test]
fn the_rest_keeps_its_order_while_the_queue_is_worked_through() {
    let deck = DeckId::new();
    let tree = tree(&[(deck, None, limits(5, 12))]);
    let mut due: Vec<Candidate> =
        (0..60).map(|nth| learned(deck, f64::from(nth * 7 % 31))).collect();
    let mut fresh: Vec<Candidate> = (0..9).map(|_| new(deck)).collect();
    let mut done = Done::default();
    let queue = |due: &Vec<Candidate>, fresh: &Vec<Candidate>, done: Done| {
        let cards = QueueCards {
            learned: due.iter().copied().take(24).collect(),
            new: fresh.clone(),
            done: HashMap::from([(deck, done)]),
            ..QueueCards::default()
        };
        choose(cards, &tree, &wish(None), when())
    };
    let whole = queue(&due, &fresh, done);
    assert_eq!(whole.len(), 17);
    for (answered, card) in whole.iter().enumerate() {
        assert_eq!(queue(&due, &fresh, done), whole[answered..], "after {answered}");
        let was_new = fresh.iter().any(|candidate| candidate.id == *card);
        due.retain(|candidate| candidate.id != *card);
        fresh.retain(|candidate| candidate.id != *card);
        if was_new { done.new += 1 } else { done.reviews += 1 }
    }
}

#[test]
fn one_card_of_a_note_comes_a_day() {
    let deck = DeckId::new();
    let bury =
        |bury| tree(&[(deck, None, Patch { bury_siblings: Some(bury), ..Patch::default() })]);
    let [first, second] = [(); 2].map(|()| Some(NoteId::new()));
    let review = Candidate { note: first, ..learned(deck, 1.0) };
    let sibling = Candidate { note: first, ..new(deck) };
    let others = [Candidate { note: second, ..new(deck) }, Candidate { note: second, ..new(deck) }];
    let cards = QueueCards {
        learned: vec![review],
        new: vec![sibling, others[0], others[1]],
        ..QueueCards::default()
    };
    let mixed = choose(cards.clone(), &bury(true), &wish(None), when());
    assert_eq!(mixed, ids(&[review, others[0]]));
    assert_eq!(choose(cards.clone(), &bury(false), &wish(None), when()).len(), 4);
    // One that was studied today hides its sibling, not itself.
    let studied = QueueCards { studied: vec![(second.unwrap(), others[1].id)], ..cards };
    assert_eq!(choose(studied, &bury(true), &wish(None), when()), ids(&[review, others[1]]));
}

#[test]
fn new_cards_come_where_the_settings_say() {
    let deck = DeckId::new();
    let cards = QueueCards {
        learned: vec![learned(deck, 2.0), learned(deck, 1.0)],
        new: vec![new(deck), new(deck)],
        ..QueueCards::default()
    };
    let order = |order| {
        let patch = Patch { new_card_order: Some(order), ..Patch::default() };
        choose(cards.clone(), &tree(&[(deck, None, patch)]), &wish(Some(deck)), when())
    };
    let (reviews, fresh) = (ids(&cards.learned), ids(&cards.new));
    assert_eq!(order(NewCardOrder::Mixed), [reviews[0], fresh[0], reviews[1], fresh[1]]);
    assert_eq!(order(NewCardOrder::AfterReviews), [&reviews[..], &fresh[..]].concat());
    assert_eq!(order(NewCardOrder::BeforeReviews), [&fresh[..], &reviews[..]].concat());
}

#[test]
fn steps_come_first_and_those_soon_due_when_nothing_else_is_left() {
    let deck = DeckId::new();
    let tree = tree(&[(deck, None, Patch::default())]);
    let step = |minutes: i64| {
        let due = now() + jiff::SignedDuration::from_mins(minutes);
        Candidate { due: Some(Due::At(due)), ..learned(deck, 0.0) }
    };
    let steps = vec![step(-9), step(-1), step(5), step(21)];
    let review = learned(deck, 1.0);
    let later = Candidate { due: Some(Due::On(TODAY.plus(3))), ..learned(deck, 0.1) };
    let cards =
        QueueCards { steps: steps.clone(), learned: vec![later, review], ..QueueCards::default() };
    let chosen = choose(cards, &tree, &wish(None), when());
    assert_eq!(chosen, ids(&[steps[0], steps[1], review, later]));
    let cards = QueueCards { steps: steps[2..].to_vec(), ..QueueCards::default() };
    assert_eq!(choose(cards, &tree, &wish(None), when()), [steps[2].id], "within 20 minutes");
}
