//! Which cards come next: a pure function of what is due, what is done of the day, the settings along the deck tree and what was asked for.
//!
//! The order depends on the whole day, done and left, so that the rest of a queue keeps its order while a person works through it.

use std::collections::{HashMap, HashSet};

use common::{CardId, DeckId, NoteId};
use jiff::Timestamp;

use crate::model::Candidate;
use crate::scheduler::{Day, Done, Due, NewCardOrder, interleave};
use crate::shelf::Tree;
use crate::store::QueueCards;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Only this deck and those within it.
    pub deck: Option<DeckId>,
    /// So many new cards more than the day brings.
    pub extra_new: u32,
    /// So many learned cards more than the day brings back.
    pub extra_reviews: u32,
}

/// When it is asked.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// The moment.
    pub now: Timestamp,
    /// Its local day.
    pub today: Day,
}

/// How many learned cards of a deck are looked at, of those that have been due the longest: twice what a day brings back, so that there is enough left
/// when siblings are passed over. Those that were done are of them, so that the others stay the same all day.
#[must_use]
pub const fn window(reviews_per_day: u32) -> u32 {
    2 * reviews_per_day
}

/// The cards in the order in which they come. First those in their steps that are due, then learned and new ones as far as the day's limits of each deck
/// and of those it lies in allow, then learned ones that are due on later days, if such were looked for. When there is nothing of all that, those
/// in their steps that are due soon.
#[must_use]
pub fn choose(cards: QueueCards, tree: &Tree, wish: &Wish, when: When) -> Vec<CardId> {
    let mut day = DayPlan::new(&cards, tree, wish);
    let (due, soon): (Vec<Candidate>, Vec<Candidate>) =
        cards.steps.into_iter().partition(|card| card.due_at() <= Some(when.now));
    for card in &due {
        day.taken.extend(card.note.map(|note| (note, card.id)));
    }
    let (mut learned, mut later): (Vec<Candidate>, Vec<Candidate>) = cards
        .learned
        .into_iter()
        .partition(|card| matches!(card.due, Some(Due::On(day)) if day <= when.today));
    learned = day.within_window(learned);
    // The probability of recall falls with urgency.
    let by_urgency =
        |a: &Candidate, b: &Candidate| b.urgency.total_cmp(&a.urgency).then(a.id.cmp(&b.id));
    learned.sort_unstable_by(by_urgency);
    later.sort_unstable_by(by_urgency);
    let reviews: Vec<CardId> = day.take(learned, |left| &mut left.reviews);
    let new: Vec<CardId> = day.take(cards.new, |left| &mut left.new);
    later.retain(|card| !day.has_sibling(card));

    let mut queue: Vec<CardId> = due.iter().map(|card| card.id).collect();
    match day.order {
        NewCardOrder::Mixed => queue.extend(interleave(reviews, new, day.done)),
        NewCardOrder::AfterReviews => queue.extend(reviews.into_iter().chain(new)),
        NewCardOrder::BeforeReviews => queue.extend(new.into_iter().chain(reviews)),
    }
    queue.extend(later.iter().map(|card| card.id));
    if queue.is_empty() {
        let is_near = |card: &&Candidate| {
            let ahead = tree.settings(card.deck).map(|settings| settings.learn_ahead);
            let until = ahead.and_then(|ahead| when.now.checked_add(ahead).ok());
            card.due_at() <= until
        };
        queue.extend(soon.iter().filter(is_near).map(|card| card.id));
    }
    queue
}

/// What is left of a day's work.
struct DayPlan<'a> {
    tree: &'a Tree,
    top: Option<DeckId>,
    order: NewCardOrder,
    /// For each deck: what is left for it and all within it.
    left: HashMap<DeckId, Done>,
    /// What was done in each deck itself.
    own_done: HashMap<DeckId, Done>,
    /// What was done in all that was asked for.
    done: Done,
    /// For each note: a card of it that was studied today or comes today.
    taken: HashMap<NoteId, CardId>,
}

impl<'a> DayPlan<'a> {
    fn new(cards: &QueueCards, tree: &'a Tree, wish: &Wish) -> Self {
        let scope = tree.subtree(wish.deck);
        let mut left: HashMap<DeckId, Done> = HashMap::new();
        for deck in &scope {
            let Some(settings) = tree.settings(*deck) else { continue };
            let new = settings.new_per_day.saturating_add(wish.extra_new);
            let reviews = settings.reviews_per_day.saturating_add(wish.extra_reviews);
            left.insert(*deck, Done { new, reviews });
        }
        let mut done = Done::default();
        let scope: HashSet<DeckId> = scope.into_iter().collect();
        for (deck, of_deck) in &cards.done {
            if !scope.contains(deck) {
                continue;
            }
            done.new += of_deck.new;
            done.reviews += of_deck.reviews;
            for deck in tree.upward(*deck, wish.deck) {
                if let Some(left) = left.get_mut(&deck) {
                    left.new = left.new.saturating_sub(of_deck.new);
                    left.reviews = left.reviews.saturating_sub(of_deck.reviews);
                }
            }
        }
        let settings = wish.deck.and_then(|deck| tree.settings(deck));
        let order = settings.map_or(NewCardOrder::Mixed, |settings| settings.new_card_order);
        let taken = cards.studied.iter().copied().collect();
        let own_done = cards.done.clone();
        Self { tree, top: wish.deck, order, left, own_done, done, taken }
    }

    /// Of each deck those within its window. They come deck by deck, in the order of their due days.
    fn within_window(&self, cards: Vec<Candidate>) -> Vec<Candidate> {
        let mut seen: HashMap<DeckId, u32> = HashMap::new();
        let mut is_within = |card: &Candidate| {
            let of_day =
                self.tree.settings(card.deck).map_or(0, |settings| settings.reviews_per_day);
            let done = self.own_done.get(&card.deck).map_or(0, |done| done.reviews);
            let left = self.left.get(&card.deck).map_or(0, |left| left.reviews);
            let seen = seen.entry(card.deck).or_default();
            *seen += 1;
            *seen <= window(of_day).saturating_sub(done).max(left)
        };
        cards.into_iter().filter(|card| is_within(card)).collect()
    }

    fn has_sibling(&self, card: &Candidate) -> bool {
        let settings = self.tree.settings(card.deck);
        settings.is_some_and(|settings| settings.bury_siblings)
            && card.note.is_some_and(|note| self.taken.get(&note).is_some_and(|id| *id != card.id))
    }

    /// Those of the cards that the limits allow, in their order, without siblings.
    fn take(&mut self, cards: Vec<Candidate>, of: fn(&mut Done) -> &mut u32) -> Vec<CardId> {
        let mut taken = Vec::new();
        for card in cards {
            if self.has_sibling(&card) {
                continue;
            }
            let decks: Vec<DeckId> = self.tree.upward(card.deck, self.top).collect();
            let is_left = |deck: &DeckId| self.left.get_mut(deck).is_some_and(|left| *of(left) > 0);
            if !decks.iter().all(is_left) {
                continue;
            }
            for deck in decks {
                if let Some(left) = self.left.get_mut(&deck) {
                    *of(left) -= 1;
                }
            }
            self.taken.extend(card.note.map(|note| (note, card.id)));
            taken.push(card.id);
        }
        taken
    }
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
