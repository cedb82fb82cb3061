//! What learning tells other domains: one event for each change, with all of its cards; and decks that are put aside.

use common::event::{CardStudied, CardsStudied, DeckChanged, StudyDue, StudyState};
use common::{DeckId, Event, UserId};
use learning::entry::LogEntry;
use learning::scheduler::Rating::{Again, Easy, Good};
use learning::scheduler::{Action, Due};
use learning::store::Store;

use crate::support::{Learner, at, day, days, deck, entry, review};

/// What waits for delivery about the cards of one person, each as it was told last; and forgets it.
async fn told(store: &dyn Store, owner: UserId) -> Vec<CardsStudied> {
    let pending = store.pending(100).await.unwrap();
    let (ids, events): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
    store.delivered(ids).await.unwrap();
    let mine = |event| match event {
        Event::Studied(studied) if studied.owner == owner => Some(studied),
        _ => None,
    };
    events.into_iter().filter_map(mine).collect()
}

pub(crate) async fn a_batch_is_told_in_one_event(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let [first, second, third] = learner.cards[..] else { panic!() };
    assert!(told(store, learner.owner).await.is_empty(), "new cards are nothing that was learned");
    let batch = [
        review(first, Easy, 0),
        review(second, Good, 1),
        review(second, Again, 2),
        entry(second, Action::Flag(3), 3),
        entry(second, Action::Suspend, 4),
        entry(third, Action::Bury, 5),
    ];
    learner.submit(store, &batch).await;
    let [event] = &told(store, learner.owner).await[..] else { panic!("one event") };
    let mut cards = event.cards.clone();
    cards.sort_unstable_by_key(|card| learner.cards.iter().position(|id| *id == card.card));
    let version = cards[0].version;
    let Some(Due::On(due)) = learner.memory(store, first).await.map(|memory| memory.due) else {
        panic!("it is learned")
    };
    let card = |card, state, due| CardStudied {
        card,
        version,
        state,
        due,
        suspended: false,
        buried_until: None,
        flag: 0,
        lapses: 0,
        leech: false,
        answered: [None; 4],
    };
    let in_steps = learner.memory(store, second).await.unwrap().due;
    let Due::At(in_steps) = in_steps else { panic!("{in_steps:?}") };
    let expected = [
        CardStudied {
            answered: [None, None, None, Some(at(0))],
            ..card(first, StudyState::Review, Some(StudyDue::On(due)))
        },
        CardStudied {
            flag: 3,
            suspended: true,
            answered: [Some(at(2)), None, Some(at(1)), None],
            ..card(second, StudyState::Learning, Some(StudyDue::At(in_steps)))
        },
        CardStudied { buried_until: Some(day(0).plus(1)), ..card(third, StudyState::New, None) },
    ];
    assert_eq!(cards, expected);

    // What changes nothing is told to nobody.
    learner.submit(store, &batch).await;
    assert!(told(store, learner.owner).await.is_empty());
    // A review that never was counts no more, also where another one follows it.
    let again = review(first, Again, days(8));
    learner.submit(store, &[again.clone(), review(first, Good, days(8) + 10)]).await;
    let before = told(store, learner.owner).await.remove(0).cards.remove(0);
    assert!(before.version > version && before.lapses == 1);
    assert_eq!(before.answered[0], Some(at(days(8))));
    let undo: LogEntry = entry(first, Action::Undo(again.id), days(8) + 20);
    learner.submit(store, &[undo]).await;
    let after = told(store, learner.owner).await.remove(0).cards.remove(0);
    assert!(after.version > before.version && after.lapses == 0);
    assert_eq!(after.answered, [None, None, Some(at(days(8) + 10)), Some(at(0))]);
    // A reset card was answered all the same.
    learner.submit(store, &[entry(first, Action::Reset, days(9))]).await;
    let reset = told(store, learner.owner).await.remove(0).cards.remove(0);
    assert_eq!((reset.state, reset.due, reset.answered), (StudyState::New, None, after.answered));
}

pub(crate) async fn events_wait_until_they_are_delivered(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    for minutes in 0..3 {
        learner.submit(store, &[review(learner.cards[0], Good, minutes)]).await;
    }
    let first = store.pending(2).await.unwrap();
    assert_eq!((first.len(), store.pending(9).await.unwrap().len()), (2, 3));
    store.delivered(first.into_iter().map(|(id, _)| id).collect()).await.unwrap();
    let [(_, Event::Studied(last))] = &store.pending(9).await.unwrap()[..] else { panic!() };
    assert_eq!(last.cards[0].answered[2], Some(at(2)));
}

pub(crate) async fn a_deck_that_is_put_aside(store: &dyn Store) {
    let learner = Learner::new(store, 2).await;
    let (owner, id) = (learner.owner, learner.deck);
    let Event::Deck(awake) = deck(owner, id, 2, false) else { panic!() };
    let put_aside = |version, archived| {
        Event::Deck(DeckChanged { version, archived: Some(archived), ..awake.clone() })
    };
    let archived = async || {
        let shelf = store.shelf(owner).await.unwrap();
        let archived = shelf.decks.iter().any(|deck| deck.archived);
        assert_eq!(store.has_archived(owner).await.unwrap(), archived);
        archived
    };
    assert!(!archived().await);
    store.apply(vec![put_aside(2, true)]).await.unwrap();
    store.apply(vec![put_aside(1, false), put_aside(2, false)]).await.unwrap();
    assert!(archived().await, "neither what is older nor what is as old counts");
    let stats = store.stats(owner, vec![id], day(0), at(720)).await.unwrap();
    assert_eq!(stats.new_cards, 0);
    let stats = store.stats(owner, vec![DeckId::new()], day(0), at(720)).await.unwrap();
    assert_eq!(stats.new_cards, 2);
    store.apply(vec![put_aside(3, false)]).await.unwrap();
    assert!(!archived().await);

    // One that was told of before that was told is told of again with the same version: once.
    let old = DeckChanged { deck: DeckId::new(), version: 7, archived: None, ..awake.clone() };
    store.apply(vec![Event::Deck(old.clone()), Event::Deck(old.clone())]).await.unwrap();
    assert!(!archived().await);
    let retold = DeckChanged { archived: Some(true), parent: Some(id), ..old };
    store.apply(vec![Event::Deck(retold.clone())]).await.unwrap();
    assert!(archived().await);
    let shelf = store.shelf(owner).await.unwrap();
    assert!(shelf.decks.iter().any(|deck| deck.parent == Some(id)));
    store.apply(vec![Event::Deck(DeckChanged { archived: Some(false), ..retold })]).await.unwrap();
    assert!(archived().await);
}
