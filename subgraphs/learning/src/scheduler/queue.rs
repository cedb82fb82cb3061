//! The order in which a day's cards come.

/// How much of a day's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Cards that were new.
    pub new: u32,
    /// Learned cards that came back.
    pub reviews: u32,
}

/// Spreads the new cards evenly among the reviews. Both lists hold what is left of the day in their own order.
///
/// The place of a card depends on the whole day's numbers, done and left. So while a person works through the queue its rest keeps its
/// order: a phone that loaded it earlier shows the same next card.
pub fn interleave<T>(reviews: Vec<T>, new: Vec<T>, done: Done) -> Vec<T> {
    let reviews_of_day = share(done.reviews, reviews.len());
    let new_of_day = share(done.new, new.len());
    let mut queue = Vec::with_capacity(reviews.len() + new.len());
    let (mut next_review, mut next_new) = (u64::from(done.reviews), u64::from(done.new));
    let mut reviews = reviews.into_iter().peekable();
    let mut new = new.into_iter().peekable();
    loop {
        // Each list is laid out over the day with its cards in the middle of equal parts; the earlier one comes next. A review wins a tie.
        let new_is_earlier = (2 * next_new + 1) * reviews_of_day < (2 * next_review + 1) * new_of_day;
        let from_new = match (reviews.peek().is_some(), new.peek().is_some()) {
            (false, false) => return queue,
            (true, true) => new_is_earlier,
            (_, only_new) => only_new,
        };
        if from_new {
            queue.extend(new.next());
            next_new += 1;
        } else {
            queue.extend(reviews.next());
            next_review += 1;
        }
    }
}

fn share(done: u32, left: usize) -> u64 {
    u64::from(done) + left as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_cards_are_spread_among_the_reviews() {
        let queue = interleave(vec!["r"; 6], vec!["n"; 2], Done::default());
        assert_eq!(queue.concat(), "rrnrrrnr");
        assert_eq!(interleave(vec![], vec![1, 2], Done::default()), [1, 2]);
        assert_eq!(interleave(vec![1, 2], vec![], Done::default()), [1, 2]);
    }

    #[test]
    fn the_rest_keeps_its_order_while_the_queue_is_worked_through() {
        let reviews: Vec<i32> = (0..37).collect();
        let new: Vec<i32> = (100..111).collect();
        let whole = interleave(reviews.clone(), new.clone(), Done::default());
        let (mut reviews, mut new, mut done) = (reviews, new, Done::default());
        for (answered, card) in whole.iter().enumerate() {
            let rest = interleave(reviews.clone(), new.clone(), done);
            assert_eq!(rest, whole[answered..], "after {answered}");
            if *card >= 100 {
                new.remove(0);
                done.new += 1;
            } else {
                reviews.remove(0);
                done.reviews += 1;
            }
        }
    }
}
