//! Decks' numbers, logs, sessions and stats.

use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, LearningSessionId, UserId};
use learning::entry::{LogEntry, Logged};
use learning::model::{Session, SessionKey, Stats};
use learning::scheduler::AnswerKey;
use learning::scheduler::Rating::{Again, Easy, Good};
use learning::store::{Started, Store};

use crate::support::{Learner, at, day, days, deck, review};

pub(crate) async fn the_numbers_of_decks(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 4).await, Learner::new(store, 1).await);
    let empty = DeckId::new();
    store.apply(vec![deck(learner.owner, empty, 1, false)]).await.unwrap();
    let batch = [
        review(learner.cards[0], Good, 0),
        review(learner.cards[1], Easy, 0),
        review(learner.cards[2], Easy, 1),
    ];
    learner.submit(store, &batch).await;
    let ids = vec![empty, learner.deck, stranger.deck, DeckId::new()];
    let mut decks = store.decks(learner.owner, ids, day(0)).await.unwrap();
    decks.sort_by_key(|deck| deck.new);
    let [none, some] = &decks[..] else { panic!("two decks were expected, not {decks:?}") };
    assert_eq!((none.id, none.new, none.studied.len()), (empty, 0, 0));
    assert_eq!((some.id, some.new, some.studied.len()), (learner.deck, 1, 3));
    for card in &learner.cards[..3] {
        let memory = learner.memory(store, *card).await.unwrap();
        let same = |studied: &&learning::model::Studied| {
            studied.due == memory.due
                && studied.stability == memory.stability
                && studied.half_life == memory.half_life
                && studied.last_day == memory.last_day
        };
        assert!(some.studied.iter().any(|studied| same(&studied)), "{memory:?}");
    }
}

pub(crate) async fn asking_twice_for_the_same_gives_it_once(store: &dyn Store) {
    let learner = Learner::new(store, 2).await;
    let Learner { owner, deck, ref cards } = learner;
    let sent = [review(cards[0], Good, 0), review(cards[0], Good, 10)];
    learner.submit(store, &sent).await;
    let decks = store.decks(owner, vec![deck, deck], day(0)).await.unwrap();
    assert_eq!(decks.len(), 1);
    assert_eq!((decks[0].new, decks[0].studied.len()), (1, 1));
    let twice = vec![cards[0], cards[1], cards[0]];
    assert_eq!(store.cards(owner, twice.clone()).await.unwrap().len(), 2);
    let logs = store.reviews(owner, twice, page(Direction::Forward, 50, None)).await.unwrap();
    let logged: Vec<LogEntry> = logs[&cards[0]].iter().map(|logged| logged.sent.clone()).collect();
    assert_eq!(logged, sent);
}

fn page<K>(direction: Direction, limit: u32, cursor: Option<K>) -> PageRequest<K> {
    PageRequest { direction, limit, cursor }
}

pub(crate) async fn logs_are_paged_both_ways(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let [long, short, none] = learner.cards[..] else { panic!() };
    // Two at the same moment are told apart by their ids.
    let mut sent: Vec<LogEntry> =
        [0, 10, 10, 30, 40].map(|minutes| review(long, Again, minutes)).into();
    sent.sort_by_key(LogEntry::key);
    let other = review(short, Good, 20);
    let batch: Vec<LogEntry> = sent.iter().rev().chain([&other]).cloned().collect();
    learner.submit(store, &batch).await;

    let ask = async |direction, limit, cursor: Option<AnswerKey>| {
        let cards = vec![none, long, short];
        store.reviews(learner.owner, cards, page(direction, limit, cursor)).await.unwrap()
    };
    let of = |logs: &std::collections::HashMap<CardId, Vec<Logged>>, card| -> Vec<LogEntry> {
        logs.get(&card).into_iter().flatten().map(|logged| logged.sent.clone()).collect()
    };
    let reversed: Vec<LogEntry> = sent.iter().rev().cloned().collect();
    // Always one more than the page holds, where there is one.
    let logs = ask(Direction::Forward, 2, None).await;
    assert_eq!(of(&logs, long), sent[..3]);
    assert_eq!((of(&logs, short), of(&logs, none)), (vec![other.clone()], vec![]));
    let logs = ask(Direction::Forward, 2, Some(sent[1].key())).await;
    assert_eq!((of(&logs, long), of(&logs, short)), (sent[2..].to_vec(), vec![other.clone()]));
    let logs = ask(Direction::Backward, 2, None).await;
    assert_eq!(of(&logs, long), reversed[..3]);
    let logs = ask(Direction::Backward, 500, Some(sent[2].key())).await;
    assert_eq!((of(&logs, long), of(&logs, short)), (reversed[3..].to_vec(), vec![]));
    let logs = ask(Direction::Forward, 0, None).await;
    assert_eq!(of(&logs, long), sent[..1]);
    let theirs = store.reviews(UserId::new(), vec![long], page(Direction::Forward, 9, None)).await;
    assert!(theirs.unwrap().is_empty());
}

fn session(learner: &Learner, minutes: i64) -> Session {
    let (id, owner, deck) = (LearningSessionId::new(), learner.owner, learner.deck);
    Session { id, owner, deck, started_at: at(minutes), finished_at: None }
}

pub(crate) async fn sessions_start_and_finish_once(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 1).await, Learner::new(store, 1).await);
    let first = session(&learner, 0);
    let started = store.start_session(first.clone()).await.unwrap();
    assert_eq!(started, Started::Session(first.clone()));
    let again = Session { started_at: at(5), ..first.clone() };
    assert_eq!(store.start_session(again).await.unwrap(), Started::Session(first.clone()));
    for deck in [DeckId::new(), stranger.deck] {
        let foreign = Session { deck, ..session(&learner, 0) };
        assert_eq!(store.start_session(foreign).await.unwrap(), Started::UnknownDeck);
    }

    let unknown = store.finish_session(learner.owner, LearningSessionId::new(), at(9)).await;
    assert_eq!(unknown.unwrap(), None);
    assert_eq!(store.finish_session(stranger.owner, first.id, at(9)).await.unwrap(), None);
    let finished = Session { finished_at: Some(at(10)), ..first.clone() };
    for minutes in [10, 20] {
        let session = store.finish_session(learner.owner, first.id, at(minutes)).await.unwrap();
        assert_eq!(session, Some(finished.clone()));
    }
    // Ids are made by clients: two people may make the same.
    let same = Session { id: first.id, ..session(&stranger, 3) };
    assert_eq!(store.start_session(same.clone()).await.unwrap(), Started::Session(same));
}

pub(crate) async fn sessions_are_paged_newest_first(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    let mut newest_first: Vec<Session> =
        [0, 5, 5, 9].map(|minutes| session(&learner, minutes)).into();
    for session in &newest_first {
        store.start_session(session.clone()).await.unwrap();
    }
    newest_first.sort_by_key(|session| std::cmp::Reverse((session.started_at, session.id)));
    let ask = async |direction, limit, cursor: Option<SessionKey>| {
        store.sessions(learner.owner, page(direction, limit, cursor)).await.unwrap()
    };
    let key = |nth: usize| Some((newest_first[nth].started_at, newest_first[nth].id));
    let oldest_first: Vec<Session> = newest_first.iter().rev().cloned().collect();
    assert_eq!(ask(Direction::Forward, 50, None).await, newest_first);
    assert_eq!(ask(Direction::Forward, 1, None).await, newest_first[..2]);
    assert_eq!(ask(Direction::Forward, 1, key(1)).await, newest_first[2..]);
    assert_eq!(ask(Direction::Backward, 50, None).await, oldest_first);
    assert_eq!(ask(Direction::Backward, 50, key(2)).await, oldest_first[2..]);
    let stranger = UserId::new();
    assert_eq!(store.sessions(stranger, page(Direction::Forward, 50, None)).await.unwrap(), []);
}

pub(crate) async fn stats_and_streak(store: &dyn Store) {
    let learner = Learner::new(store, 5).await;
    let [a, b, c, d, _] = learner.cards[..] else { panic!() };
    let ask = async |minutes: i64| {
        let tomorrow = at(days(minutes / days(1)) + 16 * 60);
        store.stats(learner.owner, vec![], day(minutes), tomorrow).await.unwrap()
    };
    assert_eq!(ask(0).await, Stats { new_cards: 5, ..Stats::default() });
    learner.submit(store, &[review(a, Easy, 0), review(b, Good, 1), review(b, Again, 5)]).await;
    let now = ask(5).await;
    // b comes back in a minute.
    let expected =
        Stats { reviews_today: 3, time_today_ms: 4500, streak_days: 1, due_today: 1, new_cards: 3 };
    assert_eq!(now, expected);
    learner.submit(store, &[review(c, Easy, days(1)), review(d, Easy, days(2))]).await;
    assert_eq!((ask(days(2)).await.streak_days, ask(days(3)).await.streak_days), (3, 3));
    assert_eq!(ask(days(4)).await.streak_days, 0);
    let later = ask(days(9)).await;
    // The learned ones come back on days 8, 9 and 10.
    assert_eq!((later.due_today, later.reviews_today, later.time_today_ms), (3, 0, 0));
    // What is dated tomorrow counts tomorrow.
    assert_eq!(ask(days(1)).await.streak_days, 2);
}
