//! What a collection is, in the simplest words: sets of decks, notes and cards, each of which may lie in an entry of the trash.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use common::{CardId, DeckId, NoteId, TrashId};
use decks::model::{MAX_DEPTH, Tag, Tagging};

/// What a person sees of a collection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) decks: BTreeMap<DeckId, Vec<DeckId>>,
    pub(crate) cards: BTreeMap<CardId, (DeckId, NoteId, i64)>,
    pub(crate) tags: BTreeMap<String, i64>,
    pub(crate) trash: HashSet<TrashId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Deck,
    Cards,
    Edit,
}

#[derive(Debug, Clone, Copy)]
struct Card {
    note: NoteId,
    ordinal: i64,
    deck: DeckId,
    trash: Option<TrashId>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    decks: BTreeMap<DeckId, (Option<DeckId>, Option<TrashId>)>,
    notes: BTreeMap<NoteId, Vec<Tag>>,
    cards: BTreeMap<CardId, Card>,
    trash: BTreeMap<TrashId, Kind>,
}

fn choose<T: Copy>(all: Vec<T>, choice: usize) -> Option<T> {
    all.get(choice % all.len().max(1)).copied()
}

impl Model {
    fn is_live(&self, deck: DeckId) -> bool {
        self.decks[&deck].1.is_none()
    }

    /// One of the decks that are there.
    pub(crate) fn deck(&self, choice: usize) -> Option<DeckId> {
        choose(self.decks.keys().copied().filter(|deck| self.is_live(*deck)).collect(), choice)
    }

    /// One of the cards that are there.
    pub(crate) fn card(&self, choice: usize) -> Option<CardId> {
        let live = self.cards.iter().filter(|(_, card)| card.trash.is_none());
        choose(live.map(|(id, _)| *id).collect(), choice)
    }

    /// One of the entries of the trash that are listed.
    pub(crate) fn entry(&self, choice: usize) -> Option<TrashId> {
        let listed = self.trash.iter().filter(|(_, kind)| **kind != Kind::Edit);
        choose(listed.map(|(id, _)| *id).collect(), choice)
    }

    pub(crate) fn note_of(&self, card: CardId) -> NoteId {
        self.cards[&card].note
    }

    fn ancestors(&self, deck: DeckId) -> Vec<DeckId> {
        let mut path = Vec::new();
        let mut at = self.decks[&deck].0;
        while let Some(parent) = at {
            path.insert(0, parent);
            at = self.decks[&parent].0;
        }
        path
    }

    fn within(&self, deck: DeckId) -> Vec<DeckId> {
        let lies = |id: &DeckId| *id == deck || self.ancestors(*id).contains(&deck);
        self.decks.keys().copied().filter(|id| self.is_live(*id)).filter(lies).collect()
    }

    /// Whether so many levels of decks fit below a parent.
    pub(crate) fn can_lie_in(&self, parent: Option<DeckId>, levels: usize) -> bool {
        parent.map_or(0, |parent| self.ancestors(parent).len() + 1) + levels <= MAX_DEPTH
    }

    pub(crate) fn make_deck(&mut self, deck: DeckId, parent: Option<DeckId>) {
        self.decks.insert(deck, (parent, None));
    }

    pub(crate) fn move_deck(&mut self, deck: DeckId, parent: Option<DeckId>) -> bool {
        let within = self.within(deck);
        let above = self.ancestors(deck).len();
        let levels = within.iter().map(|id| self.ancestors(*id).len() - above + 1).max();
        let cycle = parent.is_some_and(|parent| within.contains(&parent));
        if cycle || !self.can_lie_in(parent, levels.unwrap_or(1)) {
            return false;
        }
        self.decks.insert(deck, (parent, None));
        true
    }

    pub(crate) fn delete_deck(&mut self, deck: DeckId, entry: TrashId) {
        let within = self.within(deck);
        for card in self.cards.values_mut() {
            if within.contains(&card.deck) && card.trash.is_none() {
                card.trash = Some(entry);
            }
        }
        for deck in within {
            self.decks.entry(deck).and_modify(|deck| deck.1 = Some(entry));
        }
        self.trash.insert(entry, Kind::Deck);
    }

    pub(crate) fn delete_cards(&mut self, cards: &[CardId], entry: TrashId) {
        for card in cards {
            self.cards.entry(*card).and_modify(|card| card.trash = Some(entry));
        }
        self.trash.insert(entry, Kind::Cards);
    }

    pub(crate) fn restore(&mut self, entry: TrashId) -> bool {
        if self.trash[&entry] == Kind::Cards {
            let theirs = || self.cards.values().filter(|card| card.trash == Some(entry));
            if theirs().any(|card| !self.is_live(card.deck)) {
                return false;
            }
        } else {
            let theirs = self.decks.iter().filter(|(_, deck)| deck.1 == Some(entry));
            for id in theirs.map(|(id, _)| *id).collect::<Vec<_>>() {
                let parent = self.decks[&id].0;
                // With its parent, in it, or at the top when that is gone.
                let kept = parent
                    .filter(|parent| self.is_live(*parent) || self.decks[parent].1 == Some(entry));
                self.decks.insert(id, (kept, Some(entry)));
            }
            let theirs = self.decks.values_mut().filter(|deck| deck.1 == Some(entry));
            theirs.for_each(|deck| deck.1 = None);
        }
        let theirs = self.cards.values_mut().filter(|card| card.trash == Some(entry));
        theirs.for_each(|card| card.trash = None);
        self.trash.remove(&entry);
        true
    }

    pub(crate) fn make_note(
        &mut self,
        note: NoteId,
        deck: DeckId,
        cards: Vec<(i64, CardId)>,
        tag: &str,
    ) {
        self.notes.insert(note, vec![Tag::new("tag", tag).unwrap()]);
        for (ordinal, card) in cards {
            self.cards.insert(card, Card { note, ordinal, deck, trash: None });
        }
    }

    pub(crate) fn copy_note(
        &mut self,
        card: CardId,
        copy: NoteId,
        deck: DeckId,
        cards: Vec<(i64, CardId)>,
    ) {
        self.make_note(copy, deck, cards, "x");
        let tags = self.notes[&self.note_of(card)].clone();
        self.notes.insert(copy, tags);
    }

    /// `answer` are the cards that are said to be there after: new ones have their ids from it.
    pub(crate) fn edit_note(&mut self, note: NoteId, numbers: &[i64], answer: Vec<(i64, CardId)>) {
        let edit = TrashId::new();
        self.trash.insert(edit, Kind::Edit);
        let written: BTreeSet<i64> = numbers.iter().map(|number| number - 1).collect();
        let of_note = self.cards.iter().filter(|(_, card)| card.note == note);
        let mut cards: Vec<(CardId, Card)> = of_note.map(|(id, card)| (*id, *card)).collect();
        cards.sort_by_key(|(_, card)| card.ordinal);
        let home = cards.iter().find(|(_, card)| card.trash.is_none()).unwrap().1.deck;
        let comes_back =
            |card: &Card| card.trash.is_none_or(|trash| self.trash[&trash] == Kind::Edit);
        let known: BTreeSet<i64> = cards.iter().map(|(_, card)| card.ordinal).collect();
        let left = cards.iter().any(|(_, c)| comes_back(c) && written.contains(&c.ordinal))
            || !written.is_subset(&known);
        let mut after = Vec::new();
        for (id, card) in cards {
            let was_live = card.trash.is_none();
            let mut next = card;
            if written.contains(&card.ordinal) {
                if !left || comes_back(&card) {
                    next.trash = None;
                    if !was_live && !self.is_live(card.deck) {
                        next.deck = home;
                    }
                }
            } else if was_live || !comes_back(&card) {
                next.trash = Some(edit);
            }
            after.push((id, next));
        }
        for (ordinal, id) in answer {
            if !known.contains(&ordinal) {
                after.push((id, Card { note, ordinal, deck: home, trash: None }));
            }
        }
        self.cards.extend(after);
    }

    pub(crate) fn move_card(&mut self, card: CardId, deck: DeckId) {
        self.cards.entry(card).and_modify(|card| card.deck = deck);
    }

    pub(crate) fn rename_tag(&mut self, from: &Tag, to: &Tag) {
        for tags in self.notes.values_mut() {
            for tag in tags.iter_mut().filter(|tag| tag.is_within(from)) {
                *tag = tag.renamed(from, to, "to").unwrap();
            }
        }
    }

    pub(crate) fn tag(&mut self, edit: &Tagging) {
        for note in &edit.notes {
            let tags = self.notes.entry(*note).or_default();
            tags.retain(|tag| !edit.remove.contains(tag));
            tags.extend(edit.add.iter().cloned());
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        let live = || self.cards.iter().filter(|(_, card)| card.trash.is_none());
        let notes: BTreeSet<NoteId> = live().map(|(_, card)| card.note).collect();
        let mut tags: BTreeMap<String, i64> = BTreeMap::new();
        for note in notes {
            let keys: BTreeSet<String> = self.notes[&note].iter().map(Tag::key).collect();
            keys.into_iter().for_each(|key| *tags.entry(key).or_default() += 1);
        }
        let decks = self.decks.keys().copied().filter(|deck| self.is_live(*deck));
        let listed = self.trash.iter().filter(|(_, kind)| **kind != Kind::Edit);
        Seen {
            decks: decks.map(|deck| (deck, self.ancestors(deck))).collect(),
            cards: live().map(|(id, card)| (*id, (card.deck, card.note, card.ordinal))).collect(),
            tags,
            trash: listed.map(|(id, _)| *id).collect(),
        }
    }
}
