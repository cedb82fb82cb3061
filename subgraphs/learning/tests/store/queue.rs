//! What the study queue is made of.

use common::{CardId, DeckId};
use learning::model::StoredCard;
use learning::scheduler::Done;
use learning::scheduler::Rating::{Again, Easy, Good};
use learning::store::{QueueCards, QueueQuery, Store};

use crate::support::{Learner, at, day, days, deck, review};

/// What is due at a moment, with room for all of it.
fn query(minutes: i64) -> QueueQuery {
    QueueQuery {
        deck: None,
        now: at(minutes),
        ahead: at(minutes + 20),
        today: day(minutes),
        limit: 200,
        reviews_per_day: 200,
        new_per_day: 20,
    }
}

fn ids(cards: &[StoredCard]) -> Vec<CardId> {
    cards.iter().map(|card| card.id).collect()
}

async fn queue(store: &dyn Store, learner: &Learner, query: QueueQuery) -> QueueCards {
    store.queue(learner.owner, query).await.unwrap()
}

pub(crate) async fn due_steps_come_first_then_reviews_then_steps_soon_due(store: &dyn Store) {
    let learner = Learner::new(store, 7).await;
    let [soon, overdue, due, longer, due_first, later, far] = learner.cards[..] else { panic!() };
    let now = days(20);
    let batch = [
        review(overdue, Easy, days(-30)),
        review(due, Easy, days(12)),
        review(longer, Easy, days(5)),
        review(far, Easy, days(19)),
        // Due in 9 minutes, due 5 minutes ago, due 9 minutes ago, due tomorrow.
        review(soon, Good, now - 1),
        review(due_first, Again, now - 10),
        review(later, Again, now - 6),
    ];
    learner.submit(store, &batch).await;
    let cards = queue(store, &learner, query(now)).await;
    assert_eq!(ids(&cards.due), [due_first, later, overdue, longer, due, soon]);
    assert_eq!(ids(&cards.new), []);
    assert_eq!(cards.done, Done { new: 3, reviews: 0 });
    let memory = learner.memory(store, due_first).await;
    assert_eq!(cards.due[0].memory, memory);

    let stranger = Learner::new(store, 1).await;
    let theirs = queue(store, &stranger, query(now)).await;
    assert_eq!((ids(&theirs.due), ids(&theirs.new)), (vec![], stranger.cards));
}

pub(crate) async fn new_cards_come_deck_by_deck_in_their_order(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let second = DeckId::new();
    let more = learner.more(store, second, 2).await;
    let moved = common::event::CardChanged {
        version: 2,
        ..crate::support::card(learner.owner, learner.deck, learner.cards[0], 99)
    };
    store.apply(vec![common::Event::Card(moved)]).await.unwrap();
    let [a, b, c] = learner.cards[..] else { panic!() };
    let cards = queue(store, &learner, query(0)).await;
    assert_eq!(ids(&cards.new), [b, c, a, more[0], more[1]]);
    learner.submit(store, &[review(c, Good, 0)]).await;
    let cards = queue(store, &learner, query(0)).await;
    assert_eq!(ids(&cards.new), [b, a, more[0], more[1]]);
    assert_eq!(cards.done, Done { new: 1, reviews: 0 });
}

pub(crate) async fn what_a_day_brings_is_bounded(store: &dyn Store) {
    let learner = Learner::new(store, 30).await;
    let (old, new) = learner.cards.split_at(6);
    let batch: Vec<_> = old.iter().map(|card| review(*card, Easy, 0)).collect();
    learner.submit(store, &batch).await;
    let now = days(8);
    let bounded = QueueQuery { reviews_per_day: 3, new_per_day: 5, limit: 1, ..query(now) };
    let cards = queue(store, &learner, bounded).await;
    assert_eq!((cards.due.len() >= 3, ids(&cards.new)), (true, new[..5].to_vec()));
    let batch = [review(old[0], Good, now), review(new[0], Good, now), review(new[1], Easy, now)];
    learner.submit(store, &batch).await;
    let cards = queue(store, &learner, bounded).await;
    assert_eq!(cards.done, Done { new: 2, reviews: 1 });
    assert_eq!(ids(&cards.new), new[2..5]);
    let nothing_new = QueueQuery { new_per_day: 2, ..bounded };
    assert_eq!(ids(&queue(store, &learner, nothing_new).await.new), []);
    // The next day starts over.
    let cards = queue(store, &learner, query(now + days(1))).await;
    assert_eq!((cards.done, cards.new.len()), (Done::default(), 20));
}

pub(crate) async fn one_deck_can_be_asked_for(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let second = DeckId::new();
    store.apply(vec![deck(learner.owner, second, 1, false)]).await.unwrap();
    let more = learner.more(store, second, 3).await;
    let batch = [
        review(learner.cards[0], Again, 0),
        review(learner.cards[1], Easy, days(-9)),
        review(more[0], Again, 0),
        review(more[1], Easy, days(-9)),
    ];
    learner.submit(store, &batch).await;
    let of_second = QueueQuery { deck: Some(second), ..query(5) };
    let cards = queue(store, &learner, of_second).await;
    assert_eq!((ids(&cards.due), ids(&cards.new)), (vec![more[0], more[1]], vec![more[2]]));
    let unknown = QueueQuery { deck: Some(DeckId::new()), ..query(5) };
    let cards = queue(store, &learner, unknown).await;
    assert_eq!((ids(&cards.due), ids(&cards.new)), (vec![], vec![]));
}

pub(crate) async fn a_day_that_is_done_still_lets_learn_ahead(store: &dyn Store) {
    let learner = Learner::new(store, 6).await;
    let (soon, old) = learner.cards.split_first().unwrap();
    let mut batch: Vec<_> = old.iter().map(|card| review(*card, Easy, days(-9))).collect();
    batch.push(review(*soon, Good, 0));
    learner.submit(store, &batch).await;
    let done = QueueQuery { reviews_per_day: 0, new_per_day: 0, limit: 2, ..query(0) };
    assert_eq!(ids(&queue(store, &learner, done).await.due), [*soon]);
}
