//! Batches of reviews: what becomes of each, and that the outcome does not depend on how they arrive.

use common::page::{Direction, PageRequest};
use common::{CardId, LearningSessionId};
use futures::future::join_all;
use learning::entry::LogEntry;
use learning::scheduler::Rating::{Again, Easy, Good, Hard};
use learning::scheduler::{Action, CardState, MODEL_VERSION};
use learning::store::Store;
use learning::submission::Verdict;

use crate::support::{Learner, at, card, day, days, replayed, review};

async fn log(store: &dyn Store, learner: &Learner, card: CardId) -> Vec<LogEntry> {
    let page = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
    let mut logs = store.reviews(learner.owner, vec![card], page).await.unwrap();
    logs.remove(&card).unwrap_or_default().into_iter().map(|logged| logged.sent).collect()
}

pub(crate) async fn what_is_accepted_is_in_the_log_and_in_the_card(store: &dyn Store) {
    let learner = Learner::new(store, 2).await;
    let [studied, new] = learner.cards[..] else { panic!() };
    let mut first = review(studied, Good, 0);
    first.time_zone = Some("Europe/Zurich".into());
    first.session = Some(LearningSessionId::new());
    first.received_at = at(3);
    first.duration_ms = 3_600_000;
    // Learned, then forgotten: every part of the state is set.
    let batch = [
        first,
        review(studied, Good, 10),
        review(studied, Again, days(3)),
        review(studied, Hard, days(3) + 10),
    ];
    let submitted = learner.submit(store, &batch).await;
    assert_eq!(submitted.verdicts, [Verdict::Accepted; 4]);
    assert_eq!(log(store, &learner, studied).await, batch);

    let memory = replayed(&batch).memory;
    assert_eq!(learner.memory(store, studied).await, memory);
    let card = &submitted.cards[&studied];
    assert_eq!(
        (card.memory(), card.model, card.deck),
        (memory.as_ref(), MODEL_VERSION, learner.deck)
    );
    let memory = memory.unwrap();
    assert_eq!((memory.state, memory.reps, memory.lapses), (CardState::Relearning, 4, 1));
    assert_eq!(memory.last_day, day(days(3)));
    assert_eq!(learner.memory(store, new).await, None);

    // A learned card has a day instead of a moment.
    learner.submit(store, &[review(new, Easy, 0)]).await;
    let memory = replayed(&log(store, &learner, new).await).memory;
    assert_eq!(learner.memory(store, new).await, memory);
}

pub(crate) async fn each_review_gets_its_verdict(store: &dyn Store) {
    let (learner, stranger) = (Learner::new(store, 3).await, Learner::new(store, 1).await);
    let mut deleted = card(learner.owner, learner.deck, learner.cards[2], 2);
    (deleted.version, deleted.deleted) = (2, true);
    store.apply(vec![common::Event::Card(deleted)]).await.unwrap();

    let stored = review(learner.cards[0], Good, 0);
    let submitted = learner.submit(store, std::slice::from_ref(&stored)).await;
    assert_eq!(submitted.verdicts, [Verdict::Accepted]);
    let fresh = review(learner.cards[1], Easy, 1);
    // Where it is later than what was sent, the store still knows it.
    let again = LogEntry { received_at: at(99), ..stored.clone() };
    let batch = [
        again,
        LogEntry { action: Action::Answer(Hard), ..stored.clone() },
        fresh.clone(),
        fresh.clone(),
        LogEntry { duration_ms: 7, ..fresh.clone() },
        review(CardId::new(), Good, 0),
        review(stranger.cards[0], Good, 0),
        review(learner.cards[2], Good, 0),
    ];
    let submitted = learner.submit(store, &batch).await;
    assert_eq!(
        submitted.verdicts,
        [
            Verdict::Duplicate,
            Verdict::Conflict,
            Verdict::Accepted,
            Verdict::Duplicate,
            Verdict::Conflict,
            Verdict::UnknownCard,
            Verdict::UnknownCard,
            Verdict::UnknownCard,
        ]
    );
    let mut known: Vec<CardId> = submitted.cards.keys().copied().collect();
    known.sort_unstable();
    assert_eq!(known, learner.cards[..2]);
    assert_eq!(log(store, &learner, learner.cards[0]).await, std::slice::from_ref(&stored));
    assert_eq!(log(store, &learner, learner.cards[1]).await, [fresh]);
    assert_eq!(learner.memory(store, learner.cards[0]).await.unwrap().reps, 1);
    assert_eq!(stranger.memory(store, stranger.cards[0]).await, None);
    let stats = store.stats(learner.owner, vec![], day(0), at(720)).await.unwrap();
    assert_eq!((stats.reviews_today, stats.time_today_ms), (2, 3000));

    // Ids are made by clients: two people may make the same.
    let same = LogEntry { card: stranger.cards[0], ..stored };
    assert_eq!(stranger.submit(store, &[same]).await.verdicts, [Verdict::Accepted]);
}

pub(crate) async fn a_review_of_a_card_that_is_gone_by_now_is_still_a_duplicate(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    let sent = [review(learner.cards[0], Good, 0), review(learner.cards[0], Good, 10)];
    learner.submit(store, &sent[..1]).await;
    let mut deleted = card(learner.owner, learner.deck, learner.cards[0], 0);
    (deleted.version, deleted.deleted) = (2, true);
    store.apply(vec![common::Event::Card(deleted)]).await.unwrap();
    let submitted = learner.submit(store, &sent).await;
    assert_eq!(submitted.verdicts, [Verdict::Duplicate, Verdict::UnknownCard]);
    assert!(submitted.cards.is_empty());
}

pub(crate) async fn late_reviews_lead_to_the_same_state(store: &dyn Store) {
    let learner = Learner::new(store, 4).await;
    let history = [(Good, 0), (Good, 10), (Good, days(2)), (Again, days(9)), (Hard, days(9) + 10)];
    let orders: [&[&[usize]]; 4] = [
        &[&[0, 1, 2, 3, 4]],
        &[&[4], &[3], &[2], &[1], &[0]],
        &[&[2, 4], &[3, 0, 1]],
        &[&[0, 3], &[1], &[4, 2]],
    ];
    let mut states = Vec::new();
    for (card, batches) in learner.cards.iter().zip(orders) {
        let reviews = history.map(|(rating, minutes)| review(*card, rating, minutes));
        for batch in batches {
            let batch: Vec<LogEntry> = batch.iter().map(|nth| reviews[*nth].clone()).collect();
            learner.submit(store, &batch).await;
        }
        let memory = learner.memory(store, *card).await.unwrap();
        assert_eq!(memory.last, reviews[4].key());
        // But for the ids, which differ from card to card.
        let same = learning::scheduler::Memory {
            last: (memory.last.0, common::ReviewId::from(uuid::Uuid::nil())),
            ..memory
        };
        states.push(same);
        assert_eq!(states[0], states[states.len() - 1]);
    }
    let stats = store.stats(learner.owner, vec![], day(days(9)), at(days(9) + 720)).await.unwrap();
    assert_eq!((stats.reviews_today, stats.streak_days), (8, 1));
}

pub(crate) async fn reviews_that_come_at_once_are_all_counted_once(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    let card = learner.cards[0];
    let reviews: Vec<LogEntry> = (0..4).map(|nth| review(card, Good, days(nth))).collect();
    // Four phones send the same four, each one by one from another start.
    let phone = |start: usize| {
        let (learner, reviews) = (&learner, &reviews);
        async move {
            let mut accepted = 0;
            for nth in 0..4 {
                let review = &reviews[(start + nth) % 4];
                let verdicts = learner.submit(store, std::slice::from_ref(review)).await.verdicts;
                accepted += usize::from(verdicts == [Verdict::Accepted]);
            }
            accepted
        }
    };
    let accepted: usize = join_all((0..4).map(phone)).await.into_iter().sum();
    assert_eq!(accepted, 4);
    let memory = replayed(&reviews).memory;
    assert_eq!(learner.memory(store, card).await, memory);
    assert_eq!(log(store, &learner, card).await, reviews);
    let stats = store.stats(learner.owner, vec![], day(days(3)), at(days(3) + 720)).await.unwrap();
    assert_eq!((stats.reviews_today, stats.streak_days), (1, 4));
}
