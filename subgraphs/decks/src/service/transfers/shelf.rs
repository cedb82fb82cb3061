//! A person's decks as an import sees them: a file's deck is the one with the same names, or a new one that nobody sees yet; places for the
//! file's cards are kept free at its end.

use std::collections::{HashMap, HashSet};

use common::{DeckId, TrashId};
use jiff::Timestamp;

use super::work::{Stop, failed};
use crate::exchange::{DeckInfo, DeckPath};
use crate::model::{Deck, MAX_CARDS, MAX_DEPTH, Transfer};
use crate::place;

/// A deck, and the next place in it.
pub(super) struct Target {
    pub(super) deck: DeckId,
    pub(super) next: i64,
    pub(super) step: i64,
}

/// A person's decks, and new ones among them.
pub(super) struct Shelf<'a> {
    transfer: &'a Transfer,
    staging: TrashId,
    now: Timestamp,
    pub(super) decks: Vec<Deck>,
    by_name: HashMap<(Option<DeckId>, String), usize>,
    last_position: HashMap<Option<DeckId>, i64>,
    /// Those that are there and get cards.
    pub(super) changed: HashSet<DeckId>,
    /// Those that are made.
    pub(super) new: Vec<DeckId>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(
        decks: Vec<Deck>,
        transfer: &'a Transfer,
        staging: TrashId,
        now: Timestamp,
    ) -> Self {
        let mut shelf = Self {
            transfer,
            staging,
            now,
            decks: Vec::new(),
            by_name: HashMap::new(),
            last_position: HashMap::new(),
            changed: HashSet::new(),
            new: Vec::new(),
        };
        decks.into_iter().for_each(|deck| shelf.put(deck));
        shelf
    }

    fn put(&mut self, deck: Deck) {
        let last = self.last_position.entry(deck.parent()).or_insert(deck.position);
        *last = (*last).max(deck.position);
        let index = self.decks.len();
        // Of two with one name the older counts.
        self.by_name.entry((deck.parent(), deck.name.clone())).or_insert(index);
        self.decks.push(deck);
    }

    /// The deck with a path below `root`; it is made where it is not there.
    pub(super) fn deck(
        &mut self,
        root: Option<&Deck>,
        path: &DeckPath,
        infos: &[DeckInfo],
    ) -> Result<Reserving<'_>, Stop> {
        let depth = root.map_or(0, |root| root.ancestors.len() + 1) + path.len();
        if depth > MAX_DEPTH {
            let message = format!(
                "the deck {:?} would lie too deep: decks lie in one another at most {MAX_DEPTH} deep",
                path.join("::")
            );
            return Err(failed("LIMIT_EXCEEDED", message));
        }
        let mut ancestors = root.map(Deck::ancestors_of_children).unwrap_or_default();
        let mut found = None;
        for (index, name) in path.iter().enumerate() {
            let parent = ancestors.last().copied();
            let place = self.by_name.get(&(parent, name.clone())).copied();
            let place = place.unwrap_or_else(|| {
                let info = infos.iter().find(|info| info.path[..] == path[..=index]);
                self.make(name, &ancestors, info)
            });
            ancestors.push(self.decks[place].id);
            found = Some(place);
        }
        let place = found.ok_or_else(|| failed("BAD_FILE", "a deck has no name"))?;
        let deck = &mut self.decks[place];
        if deck.trash.is_none() {
            self.changed.insert(deck.id);
        }
        Ok(Reserving(deck))
    }

    fn make(&mut self, name: &str, ancestors: &[DeckId], info: Option<&DeckInfo>) -> usize {
        let parent = ancestors.last().copied();
        let last = self.last_position.get(&parent).copied().unwrap_or(0);
        let deck = Deck {
            id: DeckId::new(),
            owner: self.transfer.owner,
            name: name.to_owned(),
            description: info.map(|info| info.description.clone()).unwrap_or_default(),
            color: info.and_then(|info| info.color.clone()),
            created_at: self.now,
            updated_at: self.now,
            version: 1,
            card_count: 0,
            last_place: 0,
            revision: 1,
            ancestors: ancestors.to_vec(),
            position: last.saturating_add(place::STEP).min(place::LAST),
            archived: info.is_some_and(|info| info.archived),
            trash: Some(self.staging),
        };
        self.new.push(deck.id);
        self.put(deck);
        self.decks.len() - 1
    }
}

/// A deck in which places are kept free.
pub(super) struct Reserving<'a>(&'a mut Deck);

impl Reserving<'_> {
    pub(super) fn reserve(self, cards: u64) -> Result<Target, Stop> {
        let deck = self.0;
        let cards = i64::try_from(cards).unwrap_or(i64::MAX);
        let room = place::LAST.saturating_sub(deck.last_place);
        let step = place::STEP.min(room / cards.saturating_add(1).max(1));
        if deck.card_count.saturating_add(cards) > MAX_CARDS || step < 1 {
            let message =
                format!("the deck {:?} would hold more than {MAX_CARDS} cards", deck.name);
            return Err(failed("LIMIT_EXCEEDED", message));
        }
        let next = deck.last_place + step;
        deck.last_place += step * cards;
        Ok(Target { deck: deck.id, next, step })
    }
}
