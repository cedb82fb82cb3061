//! Scheduling gives what `fsrs` from PyPI, the reference in Python, gives: over ten thousand histories, with the steps, limits and retentions that
//! `reference/histories.py` drew. `make test-reference` compares the file with the package itself.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use common::{CardId, ReviewId};
use jiff::{SignedDuration, Timestamp};
use learning::scheduler::{Answer, Day, Due, Memory, Model, Rating, Rules, Scheduler};

const HISTORIES: &str = include_str!("reference/histories.txt");

fn steps(text: &str) -> Vec<SignedDuration> {
    let second = |text: &str| SignedDuration::from_secs(text.parse().unwrap());
    if text == "-" { Vec::new() } else { text.split(',').map(second).collect() }
}

/// The state that a line's reviews lead to here.
fn learned(model: &Model, fields: &[&str]) -> Memory {
    let rules = Rules {
        desired_retention: fields[0].parse().unwrap(),
        maximum_interval: fields[1].parse().unwrap(),
        learning_steps: steps(fields[2]),
        relearning_steps: steps(fields[3]),
        ..Rules::original()
    };
    let scheduler = Scheduler { model, rules: &rules };
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut memory: Option<Memory> = None;
    for (nth, review) in (0..).zip(fields[4].split(',')) {
        let (day, rating) = review.split_once(':').unwrap();
        let day: i32 = day.parse().unwrap();
        let at = start
            + SignedDuration::from_hours(24 * i64::from(day))
            + SignedDuration::from_secs(nth);
        let rating = Rating::from_number(rating.parse().unwrap()).unwrap();
        let answer = Answer { id: ReviewId::new(), rating, at, day: Day(day) };
        let card = CardId::from(uuid::Uuid::nil());
        memory = Some(scheduler.answer(card, memory.as_ref(), answer).unwrap());
    }
    memory.unwrap()
}

#[test]
fn scheduling_agrees_with_the_reference_over_ten_thousand_histories() {
    let model = Model::average().unwrap();
    let (mut histories, mut rounded, mut furthest) = (0, 0, 0f64);
    for line in HISTORIES.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let memory = learned(&model, &fields);
        let interval = match memory.due {
            Due::At(at) => at.duration_since(memory.last.0).as_secs(),
            Due::On(day) => i64::from(day.since(memory.last_day)) * 86_400,
        };
        let state = format!("{:?} {}", memory.state, memory.step);
        let reference: f64 = fields[8].parse().unwrap();
        let off = (f64::from(memory.stability) - reference).abs();
        // The model counts in single precision, which has seven digits: four decimals, of the value where that is above one.
        furthest = furthest.max(off / reference.max(1.0));
        let difficulty = (f64::from(memory.difficulty) - fields[9].parse::<f64>().unwrap()).abs();
        assert_eq!(state, fields[5..7].join(" "), "{line}");
        let apart = interval.abs_diff(fields[7].parse::<i64>().unwrap());
        // With seven digits, an interval of years may be rounded to the day beside.
        let is_rounded = memory.stability > 1_000.0 && apart == 86_400;
        assert!(apart == 0 || is_rounded, "{line}: {memory:?}");
        rounded += u32::from(is_rounded);
        assert!(off / reference.max(1.0) < 1e-4, "{line}: {memory:?}");
        assert!(difficulty < 1e-4, "{line}: {memory:?}");
        histories += 1;
    }
    assert_eq!(histories, 10_000);
    assert!(rounded <= 10, "{rounded}");
    assert!(furthest > 0.0, "the numbers are compared, not the texts");
}
