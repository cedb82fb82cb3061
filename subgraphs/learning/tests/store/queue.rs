//! What the study queue is made of.

use common::event::CardChanged;
use common::{CardId, DeckId, Event, NoteId};
use learning::model::Candidate;
use learning::scheduler::Rating::{Again, Easy, Good};
use learning::scheduler::{Action, Day, Done};
use learning::store::{QueueCards, QueueQuery, Store};

use crate::support::{Learner, at, card, day, days, deck, entry, review};

/// What is due at a moment, with room for all of it.
pub(crate) fn query(decks: Vec<DeckId>, minutes: i64) -> QueueQuery {
    QueueQuery {
        decks,
        ahead: at(minutes + 20),
        today: day(minutes),
        until: day(minutes),
        tag: None,
        steps: 200,
        learned: 200,
        new: 200,
    }
}

fn ids(cards: &[Candidate]) -> Vec<CardId> {
    cards.iter().map(|card| card.id).collect()
}

async fn queue(store: &dyn Store, learner: &Learner, query: QueueQuery) -> QueueCards {
    store.queue(learner.owner, query).await.unwrap()
}

pub(crate) async fn steps_and_learned_cards_that_are_due(store: &dyn Store) {
    let learner = Learner::new(store, 7).await;
    let [soon, overdue, due, longer, due_first, later, far] = learner.cards[..] else { panic!() };
    let now = days(20);
    let batch = [
        review(overdue, Easy, days(-30)),
        review(due, Easy, days(12)),
        review(longer, Easy, days(5)),
        review(far, Easy, days(19)),
        // Due in 9 minutes, due 9 minutes ago, due 5 minutes ago.
        review(soon, Good, now - 1),
        review(due_first, Again, now - 10),
        review(later, Again, now - 6),
    ];
    learner.submit(store, &batch).await;
    let all = query(vec![learner.deck], now);
    let cards = queue(store, &learner, all.clone()).await;
    assert_eq!(ids(&cards.steps), [due_first, later, soon]);
    assert_eq!(ids(&cards.learned), [overdue, longer, due], "the longest due first");
    assert_eq!(ids(&cards.new), []);
    assert_eq!(cards.done[&learner.deck], Done { new: 3, reviews: 0 });
    let memory = learner.memory(store, overdue).await.unwrap();
    let first = cards.learned[0];
    assert_eq!((first.due, first.deck, first.note), (Some(memory.due), learner.deck, None));
    let urgency = f64::from(day(now).since(memory.last_day)) / f64::from(memory.stability);
    assert!((first.urgency - urgency).abs() < 1e-6);

    let bounded = QueueQuery { steps: 1, learned: 2, ..all.clone() };
    let cards = queue(store, &learner, bounded).await;
    assert_eq!((ids(&cards.steps), ids(&cards.learned)), (vec![due_first], vec![overdue, longer]));
    let none = QueueQuery { steps: 0, learned: 0, new: 0, ..all.clone() };
    let cards = queue(store, &learner, none).await;
    assert_eq!((cards.steps, cards.learned, cards.new), (vec![], vec![], vec![]));
    let ahead = QueueQuery { until: day(days(27)), ..all.clone() };
    assert_eq!(ids(&queue(store, &learner, ahead).await.learned), [overdue, longer, due, far]);

    let stranger = Learner::new(store, 1).await;
    let theirs = queue(store, &stranger, all).await;
    assert_eq!((theirs.steps, theirs.learned, theirs.new), (vec![], vec![], vec![]));
    let theirs = queue(store, &stranger, query(vec![stranger.deck], now)).await;
    assert_eq!(ids(&theirs.new), stranger.cards);
}

pub(crate) async fn new_cards_come_deck_by_deck_in_their_order(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let second = DeckId::new();
    let more = learner.more(store, second, 2).await;
    let moved =
        CardChanged { version: 2, ..card(learner.owner, learner.deck, learner.cards[0], 99) };
    store.apply(vec![Event::Card(moved)]).await.unwrap();
    let [a, b, c] = learner.cards[..] else { panic!() };
    let both = vec![second, learner.deck];
    let cards = queue(store, &learner, query(both.clone(), 0)).await;
    assert_eq!(ids(&cards.new), [b, c, a, more[0], more[1]]);
    learner.submit(store, &[review(c, Good, 0)]).await;
    let two = QueueQuery { new: 1, ..query(both, 0) };
    let cards = queue(store, &learner, two).await;
    assert_eq!(ids(&cards.new), [b, more[0]], "so many of each deck");
    assert_eq!(cards.done[&learner.deck], Done { new: 1, reviews: 0 });
}

pub(crate) async fn what_is_done_counts_on_its_day_for_its_deck(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let second = DeckId::new();
    store.apply(vec![deck(learner.owner, second, 1, false)]).await.unwrap();
    let more = learner.more(store, second, 1).await;
    let [a, b, _] = learner.cards[..] else { panic!() };
    let batch = [
        review(a, Easy, 0),
        review(a, Easy, days(8)),
        review(b, Good, days(8)),
        review(more[0], Good, 0),
    ];
    learner.submit(store, &batch).await;
    let done = async |minutes| {
        let cards = queue(store, &learner, query(vec![learner.deck, second], minutes)).await;
        let of = |deck| cards.done.get(deck).copied().unwrap_or_default();
        (of(&learner.deck), of(&second))
    };
    let new = Done { new: 1, reviews: 0 };
    assert_eq!(done(0).await, (new, new));
    assert_eq!(done(days(8)).await, (Done { new: 1, reviews: 1 }, Done::default()));
    assert_eq!(done(days(9)).await, (Done::default(), Done::default()));
    // What is undone was never done.
    learner.submit(store, &[entry(a, Action::Undo(batch[1].id), days(8) + 1)]).await;
    assert_eq!(done(days(8)).await.0, new);
}

pub(crate) async fn suspended_and_buried_cards_do_not_come(store: &dyn Store) {
    let learner = Learner::new(store, 4).await;
    let [step, learned, suspended, buried] = learner.cards[..] else { panic!() };
    let batch = [
        review(step, Again, -10),
        review(learned, Easy, days(-9)),
        entry(suspended, Action::Suspend, 0),
        entry(buried, Action::Bury, 0),
        entry(step, Action::Bury, 0),
        entry(learned, Action::Suspend, 0),
    ];
    learner.submit(store, &batch).await;
    let coming = async |minutes| {
        let cards = queue(store, &learner, query(vec![learner.deck], minutes)).await;
        [ids(&cards.steps), ids(&cards.learned), ids(&cards.new)]
    };
    assert_eq!(coming(1).await, [vec![], vec![], vec![]]);
    assert_eq!(coming(days(1)).await, [vec![step], vec![], vec![buried]]);
    let stats = store.stats(learner.owner, vec![], day(1), at(days(1))).await.unwrap();
    assert_eq!((stats.due_today, stats.new_cards), (0, 0));
    let numbers = store.decks(learner.owner, vec![learner.deck], day(1)).await.unwrap().remove(0);
    assert_eq!((numbers.new, numbers.new_away), (2, 2));
    assert!(numbers.studied.iter().all(|card| !card.comes));
    let batch = [
        entry(suspended, Action::Unsuspend, 2),
        entry(learned, Action::Unsuspend, 2),
        entry(step, Action::Unbury, 2),
    ];
    learner.submit(store, &batch).await;
    assert_eq!(coming(3).await, [vec![step], vec![learned], vec![suspended]]);
}

pub(crate) async fn siblings_and_tags(store: &dyn Store) {
    let learner = Learner::new(store, 0).await;
    let (note, tags) = (NoteId::new(), vec!["kanji".to_owned(), "n5".to_owned()]);
    let cards = [(); 4].map(|()| CardId::new());
    let told = |(place, id): (i64, &CardId)| {
        let plain = card(learner.owner, learner.deck, *id, place);
        let tagged = CardChanged { note: Some(note), tags: tags.clone(), ..plain.clone() };
        Event::Card(if place < 3 { tagged } else { plain })
    };
    store.apply((0..).zip(&cards).map(told).collect()).await.unwrap();
    learner.submit(store, &[review(cards[0], Easy, days(-9)), review(cards[1], Again, -5)]).await;
    let tagged = |tag: &str| QueueQuery { tag: Some(tag.into()), ..query(vec![learner.deck], 0) };
    let found = queue(store, &learner, tagged("n5")).await;
    assert_eq!(
        (ids(&found.steps), ids(&found.learned), ids(&found.new)),
        (vec![cards[1]], vec![cards[0]], vec![cards[2]])
    );
    assert!(found.new[0].note == Some(note) && found.studied == [(note, cards[1])]);
    let found = queue(store, &learner, tagged("n")).await;
    assert!(found.steps.is_empty() && found.learned.is_empty() && found.new.is_empty());
    let found = queue(store, &learner, query(vec![learner.deck], 0)).await;
    assert_eq!(ids(&found.new), cards[2..]);
}

pub(crate) async fn the_forecast_counts_cards_by_day(store: &dyn Store) {
    let learner = Learner::new(store, 5).await;
    let [overdue, today, later, step, suspended] = learner.cards[..] else { panic!() };
    let batch = [
        review(overdue, Easy, days(-20)),
        review(today, Easy, days(-8)),
        review(later, Easy, 0),
        review(step, Again, 0),
        review(suspended, Easy, 0),
        entry(suspended, Action::Suspend, 1),
    ];
    learner.submit(store, &batch).await;
    let forecast = async |last: i64| {
        let days = (day(0), day(days(last)));
        let forecast = store.forecast(learner.owner, vec![learner.deck], days.0, days.1).await;
        let of_day = |(of, cards): (Day, u32)| (of.since(days.0), cards);
        forecast.unwrap().into_iter().map(of_day).collect::<Vec<_>>()
    };
    assert_eq!(forecast(9).await, [(0, 3), (8, 1)]);
    assert_eq!(forecast(7).await, [(0, 3)]);
}
