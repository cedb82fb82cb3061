//! The places of cards in their deck: numbers with gaps between them, so that a card can be put between two others without touching those.
//!
//! Where a gap is used up, as few neighbours as possible move to make room. It knows no cards and no store.

/// The distance between cards that are added one after another.
pub const STEP: i64 = 1024;
/// The last place: the schema shows places as GraphQL's 32-bit `Int`.
pub const LAST: i64 = i32::MAX as i64;
const FIRST: i64 = i32::MIN as i64;
/// The least distance that is left when neighbours had to move: the next card there then finds room.
const ROOM: i64 = 16;

/// Finds places for the cards of `order` that have none: one run of them, `range`, anywhere in the order. Answers the index and the new
/// place of each card whose place changes: those of the run, and of neighbours that had to make room.
#[must_use]
pub fn find(order: &[Option<i64>], range: std::ops::Range<usize>) -> Vec<(usize, i64)> {
    let (mut from, mut to) = (range.start, range.end);
    let mut least = 1;
    loop {
        let count = i64::try_from(to - from).unwrap_or(LAST);
        let low = from.checked_sub(1).and_then(|before| order[before]);
        let high = order.get(to).copied().flatten();
        let (start, step) = match (low, high) {
            (None, None) => (0, STEP),
            (Some(low), None) => (low, STEP.min((LAST - low) / count.max(1))),
            (None, Some(high)) => {
                let step = STEP.min((high - FIRST) / (count + 1));
                (high - step * (count + 1), step)
            }
            (Some(low), Some(high)) => (low, STEP.min((high - low) / (count + 1))),
        };
        if step >= least || (low.is_none() && high.is_none()) {
            return (from..to)
                .zip(1..)
                .map(|(index, nth)| (index, start + step * nth))
                .filter(|(index, place)| order[*index] != Some(*place))
                .collect();
        }
        let more = (to - from).max(8);
        (from, to) = (from.saturating_sub(more), (to + more).min(order.len()));
        least = ROOM;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies what [`find`] says; all places must then grow along the order.
    fn placed(order: &[Option<i64>], range: std::ops::Range<usize>) -> (Vec<i64>, usize) {
        let found = find(order, range);
        let mut places = order.to_vec();
        for (index, place) in &found {
            places[*index] = Some(*place);
        }
        let places: Vec<i64> = places.into_iter().map(Option::unwrap).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        assert!(places.iter().all(|place| (FIRST..=LAST).contains(place)), "{places:?}");
        (places, found.len())
    }

    #[test]
    fn an_empty_deck_starts_with_gaps() {
        assert_eq!(placed(&[None, None], 0..2), (vec![1024, 2048], 2));
    }

    #[test]
    fn between_at_the_front_and_at_the_end_only_the_new_ones_get_a_place() {
        assert_eq!(placed(&[Some(0), None, Some(1024)], 1..2), (vec![0, 512, 1024], 1));
        assert_eq!(placed(&[None, Some(0)], 0..1), (vec![-1024, 0], 1));
        assert_eq!(placed(&[Some(0), None], 1..2), (vec![0, 1024], 1));
    }

    #[test]
    fn neighbours_move_when_there_is_no_gap_and_few_of_them() {
        let mut order: Vec<Option<i64>> = (0..1000).map(Some).collect();
        order.insert(500, None);
        placed(&order, 500..501);
        let mut order: Vec<Option<i64>> = (0..1000).map(|nth| Some(nth * STEP)).collect();
        order[500] = order[499].map(|place| place + 1);
        order.insert(500, None);
        let (_, moved) = placed(&order, 500..501);
        assert!(moved < 40, "{moved} cards moved");
    }

    #[test]
    fn the_ends_of_the_numbers_are_kept() {
        placed(&[Some(LAST - 1), Some(LAST), None], 2..3);
        placed(&[None, Some(FIRST), Some(FIRST + 1)], 0..1);
    }

    #[test]
    fn always_putting_a_card_in_the_same_spot_works() {
        let mut order = vec![Some(0), Some(1024)];
        for _ in 0..500 {
            order.insert(1, None);
            order = placed(&order, 1..2).0.into_iter().map(Some).collect();
        }
    }
}
