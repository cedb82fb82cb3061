//! Actions, undo and sums: what a store keeps is what a replay of its log gives.

use std::collections::HashMap;
use std::sync::Arc;

use learning::entry::LogEntry;
use learning::scheduler::Rating::{Again, Easy, Good, Hard};
use learning::scheduler::{Action, LeechAction, Phase, Rules};
use learning::store::Store;
use learning::submission::{Terms, Verdict};
use learning::tally::Tally;

use crate::support::{Learner, day, days, entry, replayed, review, terms};

pub(crate) async fn actions_are_kept_whatever_their_order(store: &dyn Store) {
    let learner = Learner::new(store, 3).await;
    let history = [
        (Action::Answer(Easy), 0),
        (Action::Practice(Again), 5),
        (Action::Flag(7), 6),
        (Action::Answer(Again), days(8)),
        (Action::Suspend, days(8) + 1),
        (Action::Bury, days(8) + 2),
        (Action::SetDue(day(days(30))), days(8) + 3),
        (Action::Answer(Hard), days(30)),
        (Action::Reset, days(31)),
        (Action::Unsuspend, days(31) + 1),
        (Action::Answer(Good), days(32)),
    ];
    let orders: [Vec<usize>; 3] =
        [(0..11).collect(), (0..11).rev().collect(), vec![3, 9, 1, 10, 0, 5, 7, 2, 8, 4, 6]];
    for (card, order) in learner.cards.iter().zip(orders) {
        let entries: Vec<LogEntry> =
            history.iter().map(|(action, minutes)| entry(*card, *action, *minutes)).collect();
        for chunk in order.chunks(2) {
            let batch: Vec<LogEntry> = chunk.iter().map(|nth| entries[*nth].clone()).collect();
            learner.submit(store, &batch).await;
        }
        assert_eq!(learner.progress(store, *card).await, replayed(&entries), "{order:?}");
        // All of it again changes nothing.
        let again = learner.submit(store, &entries).await;
        assert_eq!(again.verdicts, [Verdict::Duplicate; 11]);
        assert_eq!(learner.progress(store, *card).await, replayed(&entries));
    }
}

pub(crate) async fn an_undone_review_never_was(store: &dyn Store) {
    let learner = Learner::new(store, 2).await;
    let [card, other] = learner.cards[..] else { panic!() };
    let entries =
        [review(card, Easy, 0), review(card, Again, days(8)), review(card, Good, days(8) + 10)];
    learner.submit(store, &entries).await;
    learner.submit(store, &[review(other, Easy, days(8))]).await;
    let found = store.entries(learner.owner, vec![entries[0].id, entries[2].id]).await.unwrap();
    let mut found: Vec<_> = found.iter().map(|logged| logged.sent.id).collect();
    found.sort_unstable();
    let mut expected = [entries[0].id, entries[2].id];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let nth = async |later| store.answer_before(learner.owner, later).await.unwrap();
    assert_eq!(nth(0).await, Some(entries[2].key()));
    assert_eq!((nth(3).await, nth(4).await), (Some(entries[0].key()), None));

    let undo = entry(card, Action::Undo(entries[1].id), days(8) + 20);
    let undone = learner.submit(store, std::slice::from_ref(&undo)).await;
    assert_eq!(undone.verdicts, [Verdict::Accepted]);
    let all = [&entries[..], &[undo]].concat();
    assert_eq!(learner.progress(store, card).await, replayed(&all));
    assert_eq!(learner.memory(store, card).await.unwrap().lapses, 0);
    let found = store.entries(learner.owner, vec![entries[1].id]).await.unwrap();
    assert!(found[0].is_undone());
    let tallies = store.tallies(learner.owner, None, (day(0), day(days(9)))).await.unwrap();
    let of: HashMap<_, &Tally> = tallies.iter().map(|(day, tally)| (*day, tally)).collect();
    let tally = of[&day(days(8))];
    assert_eq!((tally.reviews(), tally.duration_ms), (2, 3000));
    assert_eq!((tally.of(Phase::Young, Good), tally.of_phase(Phase::Relearning)), (1, 0));
}

pub(crate) async fn late_reviews_correct_the_sums(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    let card = learner.cards[0];
    learner.submit(store, &[review(card, Easy, days(8))]).await;
    let tally = async |at: i64| {
        let mut tallies = store.tallies(learner.owner, None, (day(at), day(at))).await.unwrap();
        tallies.pop().map(|(_, tally)| tally).unwrap_or_default()
    };
    assert_eq!(tally(days(8)).await.of(Phase::New, Easy), 1);
    // The first answer arrives last: what was taken for the first is one of a learned card.
    learner.submit(store, &[review(card, Easy, 0)]).await;
    assert_eq!(tally(0).await.of(Phase::New, Easy), 1);
    let now = tally(days(8)).await;
    assert_eq!((now.of(Phase::New, Easy), now.of(Phase::Young, Easy), now.reviews()), (0, 1, 1));
    assert_eq!(now.hour(12), (1, 1));
    let of_deck =
        store.tallies(learner.owner, Some(vec![learner.deck]), (day(0), day(days(9)))).await;
    assert_eq!(of_deck.unwrap().len(), 2);
    let of_other =
        store.tallies(learner.owner, Some(vec![common::DeckId::new()]), (day(0), day(days(9))));
    assert_eq!(of_other.await.unwrap(), []);
}

pub(crate) async fn the_log_names_the_rules_it_was_made_by(store: &dyn Store) {
    let learner = Learner::new(store, 1).await;
    let card = learner.cards[0];
    let rules = Rules {
        learning_steps: vec![],
        leech_lapses: 1,
        leech_action: LeechAction::Suspend,
        ..Rules::original()
    };
    let own = Arc::new(Terms {
        rules: [(learner.deck, Arc::new(rules.clone()))].into(),
        ..Terms::clone(&terms())
    });
    let first = review(card, Good, 0);
    store.submit(learner.owner, [first.clone()].into(), own.clone()).await.unwrap();
    let learned = learner.progress(store, card).await;
    let lapsed = review(card, Again, days(2));
    store.submit(learner.owner, [lapsed.clone()].into(), own).await.unwrap();
    assert!(learner.progress(store, card).await.suspended);
    // Other rules hold by now, and a review comes late: what was decided by the earlier ones stays so.
    let late = entry(card, Action::Flag(1), 1);
    learner.submit(store, &[late]).await;
    let now = learner.progress(store, card).await;
    assert!(now.suspended && now.flag == 1 && now.memory.as_ref().unwrap().lapses == 1);
    assert_eq!(learned.memory.unwrap().state, learning::scheduler::CardState::Review);
    let log = store.entries(learner.owner, vec![first.id, lapsed.id]).await.unwrap();
    assert!(log.iter().all(|logged| logged.rules == rules.id() && logged.deck == learner.deck));
}
