//! A case as a sequence of choices: drawn at random, kept, replayed, and made smaller while it still fails.
//!
//! Whatever draws from it must make 0 its simplest choice; then a shorter and smaller sequence is a simpler case.

use std::time::{Duration, Instant};

/// How long a failing case is made smaller.
const SHRINK_FOR: Duration = Duration::from_secs(8);

/// Where decisions come from.
pub(crate) struct Choices {
    made: Vec<u32>,
    next: usize,
    /// The state of the generator, or none when choices are replayed: what lies beyond them is 0 then.
    random: Option<u64>,
}

impl Choices {
    pub(crate) fn random(seed: u64) -> Self {
        Self { made: Vec::new(), next: 0, random: Some(seed) }
    }

    pub(crate) fn replay(made: &[u32]) -> Self {
        Self { made: made.to_vec(), next: 0, random: None }
    }

    /// What was chosen so far.
    pub(crate) fn made(&self) -> &[u32] {
        &self.made[..self.next]
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if self.next == self.made.len() {
            let choice = self.random.as_mut().map_or(0, split_mix);
            self.made.push(choice);
        }
        let choice = self.made[self.next] as usize % bound;
        self.made[self.next] = u32::try_from(choice).unwrap();
        self.next += 1;
        choice
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Some of `items`, at least one, in their order.
    pub(crate) fn some<T: Copy>(&mut self, items: &[T]) -> Vec<T> {
        let first = self.below(items.len());
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if index == first || self.one_in(2) {
                chosen.push(*item);
            }
        }
        chosen
    }
}

/// `SplitMix64`, of which the upper half is used.
fn split_mix(state: &mut u64) -> u32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()
}

/// A shorter and smaller sequence for which `fails` still holds.
pub(crate) fn shrink(choices: &[u32], fails: &mut dyn FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut best = choices.to_vec();
    let end = Instant::now() + SHRINK_FOR;
    loop {
        let before = best.clone();
        let mut size = best.len().next_power_of_two();
        while size > 0 {
            let mut start = 0;
            while start < best.len() && Instant::now() < end {
                let range = start..(start + size).min(best.len());
                let mut shorter = best.clone();
                shorter.drain(range.clone());
                let mut simpler = best.clone();
                simpler[range.clone()].fill(0);
                if fails(&shorter) {
                    best = shorter;
                } else {
                    if simpler != best && fails(&simpler) {
                        best = simpler;
                    }
                    start += size;
                }
            }
            size /= 2;
        }
        for index in 0..best.len() {
            while best[index] > 0 && Instant::now() < end {
                let mut smaller = best.clone();
                smaller[index] -= 1;
                if !fails(&smaller) {
                    break;
                }
                best = smaller;
            }
        }
        if best == before || Instant::now() >= end {
            return best;
        }
    }
}

#[test]
fn a_failing_sequence_is_made_as_small_as_it_can_be() {
    let mut random = Choices::random(1);
    let long: Vec<u32> = (0..200).map(|_| u32::try_from(random.below(50)).unwrap()).collect();
    let mut fails = |choices: &[u32]| choices.iter().filter(|choice| **choice > 20).count() >= 3;
    assert!(fails(&long));
    assert_eq!(shrink(&long, &mut fails), [21, 21, 21]);
}
