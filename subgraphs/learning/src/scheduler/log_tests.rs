//! What the entries of a log do besides answers.

use super::*;
use jiff::SignedDuration;

const TODAY: Day = Day(20_000);

fn card() -> CardId {
    uuid::Uuid::from_u128(7).into()
}

/// The state after actions, a minute apart on one day.
fn after(actions: &[(i32, Action)], rules: &Rules) -> Replayed {
    let start: Timestamp = "2026-01-10T12:00:00Z".parse().unwrap();
    let rulebook = Rulebook([(rules.id(), Arc::new(rules.clone()))].into());
    let entry = |(minute, (day, action)): (i64, &(i32, Action))| Entry {
        id: uuid::Uuid::from_u128(u128::try_from(minute).unwrap()).into(),
        action: *action,
        at: start
            + SignedDuration::from_mins(minute)
            + SignedDuration::from_hours(24 * i64::from(*day)),
        day: TODAY.plus(day.unsigned_abs()),
        rules: rules.id(),
    };
    let log = (0..).zip(actions).map(entry).collect();
    replay(&Model::average().unwrap(), &rulebook, card(), log).unwrap()
}

fn progress(actions: &[(i32, Action)]) -> Progress {
    after(actions, &Rules::original()).progress
}

use Action::{Bury, Flag, Practice, Reset, SetDue, Suspend, Unbury, Undo, Unsuspend};
const GOOD: Action = Action::Answer(Rating::Good);
const EASY: Action = Action::Answer(Rating::Easy);
const AGAIN: Action = Action::Answer(Rating::Again);

fn nth(minute: u128) -> ReviewId {
    uuid::Uuid::from_u128(minute).into()
}

#[test]
fn suspended_buried_and_flagged_until_told_otherwise() {
    let all = progress(&[(0, Suspend), (0, Bury), (0, Flag(3))]);
    assert_eq!((all.suspended, all.buried_until, all.flag), (true, Some(TODAY.plus(1)), 3));
    assert!(all.is_buried(TODAY) && !all.is_buried(TODAY.plus(1)));
    let none = progress(&[
        (0, Suspend),
        (0, Bury),
        (0, Flag(3)),
        (0, Unsuspend),
        (0, Unbury),
        (0, Flag(0)),
    ]);
    assert_eq!((none.suspended, none.buried_until, none.flag), (false, None, 0));
}

#[test]
fn a_reset_card_is_new_again() {
    let reset = after(&[(0, EASY), (8, AGAIN), (8, Reset), (9, GOOD)], &Rules::original());
    let memory = reset.progress.memory.unwrap();
    assert_eq!((memory.reps, memory.lapses, memory.state), (1, 0, CardState::Learning));
    let phases: Vec<Phase> = reset.phases.into_iter().map(|(_, phase)| phase).collect();
    assert_eq!(phases, [Phase::New, Phase::Young, Phase::Uncounted, Phase::New]);
}

#[test]
fn a_due_date_can_be_set() {
    let due = TODAY.plus(40);
    let new = after(&[(0, SetDue(due)), (40, GOOD)], &Rules::original());
    assert_eq!(new.phases[1].1, Phase::Mature);
    let learned = progress(&[(0, SetDue(due))]).memory.unwrap();
    assert_eq!(
        (learned.state, learned.due, learned.stability),
        (CardState::Review, Due::On(due), 40.0)
    );
    let known = progress(&[(0, GOOD)]).memory.unwrap();
    let moved = progress(&[(0, GOOD), (0, SetDue(due))]).memory.unwrap();
    assert_eq!(moved, Memory { state: CardState::Review, step: 0, due: Due::On(due), ..known });
}

#[test]
fn practice_changes_nothing_of_the_schedule() {
    let practised = after(&[(0, EASY), (3, Practice(Rating::Again))], &Rules::original());
    assert_eq!(practised.progress.memory, progress(&[(0, EASY)]).memory);
    assert_eq!(practised.phases[1].1, Phase::Practice);
}

#[test]
fn what_was_undone_never_was() {
    let undone = after(&[(0, EASY), (8, AGAIN), (8, Undo(nth(1))), (8, GOOD)], &Rules::original());
    let without = progress(&[(0, EASY), (0, Unbury), (0, Unbury), (8, GOOD)]);
    assert_eq!(undone.progress, without);
    assert_eq!(undone.phases[1].1, Phase::Uncounted);
    // Twice is once, and an undo of what is no review does nothing.
    let twice = progress(&[(0, EASY), (8, AGAIN), (8, Undo(nth(1))), (8, Undo(nth(1)))]);
    assert_eq!(twice.memory, progress(&[(0, EASY)]).memory);
    assert!(progress(&[(0, Suspend), (0, Undo(nth(0)))]).suspended);
}

#[test]
fn a_leech_is_suspended_when_the_rules_say_so() {
    let rules = Rules { leech_lapses: 2, leech_action: LeechAction::Suspend, ..Rules::original() };
    let log = [(0, EASY), (8, AGAIN), (8, GOOD), (9, AGAIN)];
    assert!(after(&log, &rules).progress.suspended);
    assert!(!after(&log[..3], &rules).progress.suspended);
    assert!(
        after(&log, &Rules { leech_action: LeechAction::Tag, ..rules.clone() })
            .progress
            .memory
            .unwrap()
            .leech
    );
    let back = [&log[..], &[(9, Unsuspend), (9, GOOD), (10, AGAIN)]].concat();
    assert!(after(&back, &rules).progress.suspended, "told again at half the threshold more");
}

#[test]
fn phases_have_numbers() {
    for phase in Phase::COUNTED.into_iter().chain([Phase::Uncounted]) {
        assert_eq!(Phase::from_number(phase.number()), phase);
    }
}
