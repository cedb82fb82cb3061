//! What other domains tell, in any order, twice and late.

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, Event, LearningSessionId, UserId};
use learning::model::{Person, Session, Shelf, Stats};
use learning::scheduler::Rating;
use learning::shelf::Tree;
use learning::store::{ChangeKey, Changes, Started, Store};

use crate::queue::query;
use crate::support::{Learner, at, card, day, deck, review, terms, user};

/// New cards in the order of the queue.
async fn new_cards(store: &dyn Store, owner: UserId) -> Vec<CardId> {
    let decks = Tree::new(&store.shelf(owner).await.unwrap()).subtree(None);
    let queue = store.queue(owner, query(decks, 0)).await.unwrap();
    queue.new.into_iter().map(|card| card.id).collect()
}

pub(crate) async fn events_say_the_same_in_any_order(store: &dyn Store) {
    const EVENTS: usize = 11;
    for turn in 0..EVENTS + 2 {
        let owner = UserId::new();
        let [first, second, gone, untold] = [(); 4].map(|()| DeckId::new());
        let [a, b, c, d, e, f] = [(); 6].map(|()| CardId::new());
        let mut moved = card(owner, second, a, 9);
        moved.version = 3;
        let mut renumbered = card(owner, first, b, 7);
        renumbered.version = 2;
        let mut deleted = card(owner, first, c, 2);
        (deleted.version, deleted.deleted) = (2, true);
        let mut events: [Event; EVENTS] = [
            deck(owner, first, 1, false),
            deck(owner, second, 1, false),
            deck(owner, gone, 1, false),
            deck(owner, gone, 2, true),
            Event::Card(card(owner, gone, d, 0)),
            Event::Card(card(owner, first, a, 0)),
            Event::Card(moved),
            Event::Card(renumbered),
            Event::Card(deleted),
            Event::Card(card(owner, first, e, 3)),
            Event::Card(card(owner, untold, f, 0)),
        ];
        events.rotate_left((5 * turn) % EVENTS);
        if turn % 2 == 1 {
            events.reverse();
        }
        // Older ones that arrive late, and all of it twice.
        let late = [Event::Card(card(owner, first, b, 1)), Event::Card(card(owner, first, c, 2))];
        let told: Vec<Event> = events.iter().chain(&late).chain(&events).cloned().collect();
        if turn < EVENTS {
            store.apply(told).await.unwrap();
        } else {
            for event in told {
                store.apply(vec![event]).await.unwrap();
            }
        }

        // One whose deck is not known yet waits until it is.
        assert_eq!(new_cards(store, owner).await, [e, b, a], "turn {turn}");
        let all = vec![a, b, c, d, e, f];
        let cards = store.cards(owner, all.clone()).await.unwrap();
        let mut ids: Vec<_> = cards.iter().map(|card| card.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [a, b, e, f], "turn {turn}");
        assert!(cards.iter().all(|card| card.memory().is_none()));
        assert_eq!(store.cards(UserId::new(), all).await.unwrap(), []);
        let decks = store.decks(owner, vec![first, second, gone, untold], day(0)).await.unwrap();
        let mut decks: Vec<_> = decks.into_iter().map(|deck| (deck.id, deck.new)).collect();
        decks.sort_unstable();
        assert_eq!(decks, [(first, 2), (second, 1)], "turn {turn}");
    }
}

pub(crate) async fn a_deck_that_comes_back_brings_its_cards(store: &dyn Store) {
    let learner = Learner::new(store, 2).await;
    let Learner { owner, deck: id, ref cards } = learner;
    learner.submit(store, &[review(cards[0], Rating::Good, 0)]).await;
    let before = learner.memory(store, cards[0]).await;
    store.apply(vec![deck(owner, id, 2, true)]).await.unwrap();
    assert_eq!(store.cards(owner, cards.clone()).await.unwrap(), []);
    assert_eq!(store.decks(owner, vec![id], day(0)).await.unwrap(), []);

    let mut deleted = card(owner, id, cards[1], 1);
    (deleted.version, deleted.deleted) = (2, true);
    store.apply(vec![Event::Card(deleted), deck(owner, id, 3, false)]).await.unwrap();
    assert_eq!(store.cards(owner, cards.clone()).await.unwrap().len(), 1);
    assert_eq!(learner.memory(store, cards[0]).await, before);
}

pub(crate) async fn a_person_is_known_once_told_of(store: &dyn Store) {
    let owner = UserId::new();
    assert_eq!(store.person(owner).await.unwrap(), None);
    store.apply(vec![deck(owner, DeckId::new(), 1, false)]).await.unwrap();
    assert_eq!(store.person(owner).await.unwrap(), None);
    store.apply(vec![user(owner, 2, false), user(owner, 1, false)]).await.unwrap();
    let person = Person { time_zone: "Etc/GMT-2".into(), rollover_hour: 3, weights: vec![] };
    assert_eq!(store.person(owner).await.unwrap(), Some(person.clone()));
    store.apply(vec![user(owner, 1, false), user(owner, 2, true)]).await.unwrap();
    assert_eq!(store.person(owner).await.unwrap(), Some(person));
    store.apply(vec![user(owner, 3, true)]).await.unwrap();
    assert_eq!(store.person(owner).await.unwrap(), None);
}

async fn assert_empty(store: &dyn Store, learner: &Learner) {
    let Learner { owner, deck, cards } = learner.clone();
    let page = || PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
    assert_eq!(store.cards(owner, cards.clone()).await.unwrap(), []);
    assert_eq!(store.decks(owner, vec![deck], day(0)).await.unwrap(), []);
    assert!(store.reviews(owner, cards, page()).await.unwrap().is_empty());
    let sessions = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
    assert_eq!(store.sessions(owner, sessions).await.unwrap(), []);
    assert_eq!(store.stats(owner, vec![], day(0), at(720)).await.unwrap(), Stats::default());
    assert_eq!(new_cards(store, owner).await, []);
    assert_eq!(store.shelf(owner).await.unwrap(), Shelf::default());
    let all = ChangeKey { seq: 0, card: uuid::Uuid::nil().into() };
    assert_eq!(store.changes(owner, all, 9).await.unwrap(), Changes::default());
    assert_eq!(store.tallies(owner, None, (day(-9999), day(9999))).await.unwrap(), []);
}

fn session(learner: &Learner) -> Session {
    let (id, owner, deck) = (LearningSessionId::new(), learner.owner, learner.deck);
    Session { id, owner, deck, started_at: at(0), finished_at: None }
}

pub(crate) async fn a_deleted_account_leaves_nothing(store: &dyn Store) {
    let (gone, stays) = (Learner::new(store, 2).await, Learner::new(store, 2).await);
    for learner in [&gone, &stays] {
        learner.submit(store, &[review(learner.cards[0], Rating::Good, 0)]).await;
        let session = session(learner);
        let started = store.start_session(session.clone()).await.unwrap();
        assert_eq!(started, Started::Session(session));
    }
    let mut changed = card(gone.owner, gone.deck, gone.cards[1], 5);
    changed.version = 9;
    let changed = Event::Card(changed);
    // In one call with news of the same account, before and after it.
    store.apply(vec![changed.clone(), user(gone.owner, 2, true), changed.clone()]).await.unwrap();
    assert_empty(store, &gone).await;
    let events = [deck(gone.owner, gone.deck, 9, false), changed, user(gone.owner, 1, false)];
    store.apply(events.to_vec()).await.unwrap();
    assert_empty(store, &gone).await;

    assert!(stays.memory(store, stays.cards[0]).await.is_some());
    let stats = store.stats(stays.owner, vec![], day(0), at(720)).await.unwrap();
    assert_eq!((stats.reviews_today, stats.new_cards), (1, 1));
}

pub(crate) async fn a_deletion_that_comes_first_keeps_the_account_empty(store: &dyn Store) {
    let owner = UserId::new();
    store.apply(vec![user(owner, 4, true)]).await.unwrap();
    let (deck_id, card_id) = (DeckId::new(), CardId::new());
    let late = [deck(owner, deck_id, 1, false), Event::Card(card(owner, deck_id, card_id, 0))];
    store.apply(late.to_vec()).await.unwrap();
    assert_empty(store, &Learner { owner, deck: deck_id, cards: vec![card_id] }).await;
}

pub(crate) async fn a_card_told_of_while_its_deck_goes_is_gone(store: &dyn Store) {
    for _ in 0..4 {
        let Learner { owner, deck: id, .. } = Learner::new(store, 0).await;
        let new = CardId::new();
        let told = vec![Event::Card(card(owner, id, new, 0))];
        let deleted = vec![deck(owner, id, 2, true)];
        futures::try_join!(store.apply(told), store.apply(deleted)).unwrap();
        assert_eq!(store.cards(owner, vec![new]).await.unwrap(), []);
    }
}

pub(crate) async fn work_done_while_the_account_goes_is_gone(store: &dyn Store) {
    for _ in 0..4 {
        let learner = Learner::new(store, 1).await;
        let batch = [review(learner.cards[0], Rating::Good, 0)];
        futures::try_join!(
            store.submit(learner.owner, batch.into(), terms()),
            store.apply(vec![user(learner.owner, 2, true)]),
            // One after the other, so that one of them meets the deletion.
            async {
                for _ in 0..20 {
                    store.start_session(session(&learner)).await?;
                }
                Ok(())
            },
        )
        .unwrap();
        assert_empty(store, &learner).await;
    }
}
