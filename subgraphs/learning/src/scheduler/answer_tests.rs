//! The steps, the states between them and the numbers that follow from an answer.

use super::*;

fn model() -> &'static Model {
    static MODEL: std::sync::OnceLock<Model> = std::sync::OnceLock::new();
    MODEL.get_or_init(|| Model::average().unwrap())
}

fn scheduler_of(rules: Rules) -> Scheduler<'static> {
    Scheduler { rules: Box::leak(Box::new(rules)), model: model() }
}

fn scheduler() -> Scheduler<'static> {
    scheduler_of(Rules::original())
}

fn card() -> CardId {
    Uuid::from_u128(1).into()
}

fn start() -> Timestamp {
    "2026-01-10T12:00:00Z".parse().unwrap()
}

/// The states after answers that are given `(day, minute of that day, rating)`.
fn history(scheduler: &Scheduler<'_>, answers: &[(i32, i64, Rating)]) -> Vec<Memory> {
    let mut states: Vec<Memory> = Vec::new();
    for (day, minute, rating) in answers {
        let at = start() + DAY * *day + SignedDuration::from_mins(*minute);
        let answer = Answer { id: ReviewId::new(), rating: *rating, at, day: Day(20_000 + *day) };
        states.push(scheduler.answer(card(), states.last(), answer).unwrap());
    }
    states
}

fn last(answers: &[(i32, i64, Rating)]) -> Memory {
    history(&scheduler(), answers).pop().unwrap()
}

fn minutes_until_due(memory: &Memory) -> f64 {
    match memory.due {
        Due::At(due) => due.duration_since(memory.last.0).as_secs_f64() / 60.0,
        Due::On(day) => panic!("due on {day:?}"),
    }
}

use Rating::{Again, Easy, Good, Hard};

#[test]
fn a_new_card_goes_through_the_steps() {
    let again = last(&[(0, 0, Again)]);
    assert_eq!((again.state, again.step, minutes_until_due(&again)), (CardState::Learning, 0, 1.0));
    let hard = last(&[(0, 0, Hard)]);
    assert_eq!((hard.step, minutes_until_due(&hard)), (0, 5.5), "the mean of 1 and 10 minutes");
    let good = last(&[(0, 0, Good)]);
    assert_eq!((good.step, minutes_until_due(&good)), (1, 10.0));
    let learned = last(&[(0, 0, Good), (0, 10, Good)]);
    assert_eq!((learned.state, learned.due), (CardState::Review, Due::On(Day(20_002))));
    let easy = last(&[(0, 0, Easy)]);
    assert_eq!((easy.state, easy.due), (CardState::Review, Due::On(Day(20_008))));
}

#[test]
fn again_starts_the_steps_over_and_hard_repeats_a_later_step() {
    let again = last(&[(0, 0, Good), (0, 10, Again)]);
    assert_eq!((again.state, again.step, minutes_until_due(&again)), (CardState::Learning, 0, 1.0));
    let hard = last(&[(0, 0, Good), (0, 10, Hard)]);
    assert_eq!((hard.step, minutes_until_due(&hard)), (1, 10.0));
    assert_eq!(again.lapses, 0, "a card that was not learned yet cannot lapse");
}

#[test]
fn a_forgotten_card_is_relearned() {
    let before = [(0, 0, Good), (0, 10, Good), (2, 0, Again)];
    let lapsed = last(&before);
    assert_eq!((lapsed.state, lapsed.lapses), (CardState::Relearning, 1));
    assert_eq!(minutes_until_due(&lapsed), 10.0);
    let hard = last(&[before.as_slice(), &[(2, 10, Hard)]].concat());
    assert_eq!(minutes_until_due(&hard), 15.0, "half as much again as the only step");
    let back = last(&[before.as_slice(), &[(2, 10, Good)]].concat());
    assert_eq!((back.state, back.due), (CardState::Review, Due::On(Day(20_003))));
    assert_eq!((back.reps, back.lapses), (4, 1));
}

#[test]
fn without_steps_every_answer_counts_in_days() {
    let rules = Rules { learning_steps: vec![], relearning_steps: vec![], ..Rules::original() };
    let scheduler = scheduler_of(rules);
    let states = history(&scheduler, &[(0, 0, Good), (2, 0, Good), (13, 0, Again)]);
    assert!(states.iter().all(|memory| memory.state == CardState::Review));
    assert_eq!(states[0].due, Due::On(Day(20_002)));
    assert_eq!(format!("{:.4}", states[1].stability), "10.9643");
    assert_eq!(states[1].due, Due::On(Day(20_013)));
    assert_eq!(states[2].lapses, 1);
}

#[test]
fn a_leech_stays_one() {
    let mut answers = vec![(0, 0, Easy)];
    for lapse in 1..=9 {
        answers.extend([(lapse, 0, Again), (lapse, 10, Good)]);
    }
    let states = history(&scheduler(), &answers);
    let first = states.iter().find(|memory| memory.leech).unwrap();
    assert_eq!(first.lapses, 8);
    assert!(states.last().unwrap().leech);
}

#[test]
fn days_are_counted_from_the_day_of_the_log() {
    let states = history(&scheduler(), &[(0, 0, Easy), (8, 0, Good), (8, 1, Good)]);
    assert_eq!((states[0].last_day, states[2].last_day), (Day(20_000), Day(20_008)));
    assert_eq!(states.iter().map(|memory| memory.half_life.0).collect::<Vec<_>>(), [1.0, 2.0, 2.0]);
}

#[test]
fn an_answer_on_an_earlier_local_day_counts_as_the_same_day() {
    let scheduler = scheduler();
    let answer = |at: i64, day| Answer {
        id: ReviewId::new(),
        rating: Good,
        at: start() + SignedDuration::from_hours(at),
        day: Day(day),
    };
    let first = scheduler.answer(card(), None, answer(0, 20_001)).unwrap();
    let west = scheduler.answer(card(), Some(&first), answer(1, 20_000)).unwrap();
    assert_eq!(west.last_day, Day(20_001));
    assert_eq!(west.half_life, HalfLife(1.0));
}

#[test]
fn previews_are_what_the_answers_lead_to_and_do_not_fall() {
    let scheduler = scheduler();
    let states = history(&scheduler, &[(0, 0, Good), (0, 10, Good), (2, 0, Again), (2, 10, Good)]);
    let mut befores: Vec<Option<&Memory>> = states.iter().map(Some).collect();
    befores.push(None);
    for before in befores {
        let (at, day) = (start() + DAY * 5, Day(20_005));
        let previews = scheduler.previews(card(), before, at, day).unwrap();
        assert!(previews.is_sorted_by_key(|preview| preview.interval), "{previews:?}");
        for preview in previews {
            let answer = Answer { id: ReviewId::new(), rating: preview.rating, at, day };
            assert_eq!(scheduler.answer(card(), before, answer).unwrap().due, preview.due);
        }
    }
    let new = scheduler.previews(card(), None, start(), Day(20_000)).unwrap();
    let seconds: Vec<i64> = new.iter().map(|preview| preview.interval.as_secs()).collect();
    assert_eq!(seconds, [60, 330, 600, 8 * 86_400]);
}
