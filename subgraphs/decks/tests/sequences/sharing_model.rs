//! What two people have who share a deck, in the simplest words: decks and notes by keys of their own, and what a pull makes of them.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) const VALUES: [&str; 3] = ["a", "b", "c"];
/// The deck that is published, and what is made of it.
pub(crate) const ROOT: usize = 0;
/// The first key of what somebody makes in a clone.
pub(crate) const OWN: usize = 1000;

/// A note: front, back, which of two tags it has, and the deck it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) sides: [&'static str; 2],
    pub(crate) tags: [bool; 2],
    pub(crate) place: usize,
}

impl Written {
    fn says_what(&self, other: &Self) -> bool {
        (self.sides, self.tags) == (other.sides, other.tags)
    }
}

/// A deck: the one it lies in, and its name.
pub(crate) type Named = (Option<usize>, &'static str);
pub(crate) type Notes = BTreeMap<usize, Written>;
pub(crate) type Decks = BTreeMap<usize, Named>;

/// What a pull did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) added: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: i64,
    pub(crate) conflicts: i64,
    pub(crate) added_decks: i64,
    pub(crate) updated_decks: i64,
    pub(crate) deleted_decks: i64,
    pub(crate) deck_conflicts: i64,
}

/// A collection of one of the two.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) decks: Decks,
    pub(crate) notes: Notes,
}

impl Tree {
    /// The decks that one lies in.
    fn above(&self, deck: usize) -> Vec<usize> {
        std::iter::successors(self.decks[&deck].0, |above| self.decks[above].0).collect()
    }

    /// A deck and those in it.
    pub(crate) fn within(&self, deck: usize) -> BTreeSet<usize> {
        let lies = |key: &usize| *key == deck || self.above(*key).contains(&deck);
        self.decks.keys().copied().filter(lies).collect()
    }

    /// Takes a deck out with all that is in it.
    pub(crate) fn cut(&mut self, deck: usize) -> Self {
        let gone = self.within(deck);
        let decks = self.decks.extract_if(.., |key, _| gone.contains(key)).collect();
        let notes = self.notes.extract_if(.., |_, note| gone.contains(&note.place)).collect();
        Self { decks, notes }
    }

    /// Whether a deck can be moved into another.
    pub(crate) fn can_move(&self, deck: usize, to: usize) -> bool {
        self.decks.contains_key(&to) && !self.within(deck).contains(&to)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) author: Tree,
    /// What was published last, and the order of its decks.
    pub(crate) latest: Option<Tree>,
    pub(crate) order: Vec<usize>,
    pub(crate) listed: bool,
    /// The clone, what each of its notes and decks was compared with last, and which decks were made of the author's.
    pub(crate) mine: Tree,
    bases: BTreeMap<usize, Option<Written>>,
    base_decks: Decks,
    linked: BTreeSet<usize>,
}

fn pick<T: PartialEq + Copy>(base: Option<T>, theirs: T, mine: T, take: bool) -> (T, bool) {
    if theirs == mine || base == Some(theirs) {
        (mine, false)
    } else if base == Some(mine) {
        (theirs, false)
    } else {
        (if take { theirs } else { mine }, true)
    }
}

impl Model {
    pub(crate) fn clone_it(&mut self) {
        self.mine = self.latest.clone().unwrap();
        self.bases = self.mine.notes.iter().map(|(key, note)| (*key, Some(note.clone()))).collect();
        self.base_decks = self.mine.decks.clone();
        self.linked = self.mine.decks.keys().copied().collect();
    }

    /// Whether a note of the author's may come out of the trash as what was made of it.
    pub(crate) fn waits_for(&self, key: usize) -> bool {
        self.bases.contains_key(&key) && !self.mine.notes.contains_key(&key)
    }

    pub(crate) fn pull(&mut self, take: bool) -> Told {
        let latest = self.latest.clone().unwrap();
        let mut told = Told::default();
        for key in self.order.clone() {
            self.pull_deck(key, latest.decks[&key], take, &mut told);
        }
        let keys = self.bases.keys().chain(latest.notes.keys()).copied();
        for key in keys.collect::<BTreeSet<usize>>() {
            self.pull_note(key, latest.notes.get(&key).cloned(), take, &mut told);
        }
        self.drop_decks(&latest.decks, take, &mut told);
        // What neither has any more is forgotten by the pull after, which the test makes each time.
        self.linked
            .retain(|key| latest.decks.contains_key(key) || self.mine.decks.contains_key(key));
        self.base_decks = latest.decks;
        told
    }

    fn pull_deck(&mut self, key: usize, theirs: Named, take: bool, told: &mut Told) {
        let base = self.base_decks.get(&key).copied();
        let Some(mine) = self.mine.decks.get(&key).copied() else {
            let own_deletion = self.linked.contains(&key) && base.is_some();
            if !own_deletion && self.mine.decks.contains_key(&theirs.0.unwrap()) {
                self.mine.decks.insert(key, theirs);
                self.linked.insert(key);
                told.added_decks += 1;
            }
            return;
        };
        let Some(base) = base else { return };
        let mut deck = mine;
        let (name, both) = pick(Some(base.1), theirs.1, mine.1, take);
        deck.1 = name;
        told.deck_conflicts += i64::from(both);
        if base.0 != theirs.0 && mine.0 != theirs.0 {
            let left_alone = mine.0 == base.0;
            let to = theirs.0.unwrap();
            let moves = (left_alone || take) && self.mine.can_move(key, to);
            if moves {
                deck.0 = theirs.0;
            }
            told.deck_conflicts += i64::from(!(moves && left_alone));
        }
        told.updated_decks += i64::from(deck != mine);
        self.mine.decks.insert(key, deck);
    }

    fn pull_note(&mut self, key: usize, theirs: Option<Written>, take: bool, told: &mut Told) {
        let base = self.bases.get(&key).cloned().flatten();
        match (base, theirs, self.mine.notes.get(&key).cloned()) {
            (_, None, None) => drop(self.bases.remove(&key)),
            (Some(_), Some(_), None) => {}
            (None, Some(theirs), None) => {
                if self.mine.decks.contains_key(&theirs.place) {
                    told.added += 1;
                    self.bases.insert(key, Some(theirs.clone()));
                    self.mine.notes.insert(key, theirs);
                }
            }
            (base, None, Some(mine)) => {
                let changed = base.as_ref().is_some_and(|base| !base.says_what(&mine));
                if base.is_some() && (!changed || take) {
                    told.deleted += 1;
                    self.mine.notes.remove(&key);
                } else {
                    told.conflicts += i64::from(changed);
                }
                self.bases.insert(key, None);
            }
            (base, Some(theirs), Some(mine)) => {
                let mut note = mine.clone();
                let mut conflict = false;
                for side in [0, 1] {
                    let base = base.as_ref().map(|base| base.sides[side]);
                    let (value, both) = pick(base, theirs.sides[side], mine.sides[side], take);
                    note.sides[side] = value;
                    conflict |= both;
                }
                for tag in [0, 1] {
                    let base = base.as_ref().is_some_and(|base| base.tags[tag]);
                    let same = mine.tags[tag] == base;
                    note.tags[tag] = if same { theirs.tags[tag] } else { mine.tags[tag] };
                }
                told.conflicts += i64::from(conflict);
                let was = base.map(|base| base.place);
                if was.is_some_and(|was| was != theirs.place) && mine.place != theirs.place {
                    let left_alone = was == Some(mine.place);
                    let there = self.mine.decks.contains_key(&theirs.place);
                    if there && (left_alone || take) {
                        note.place = theirs.place;
                    }
                    told.conflicts += i64::from(!(there && left_alone));
                }
                told.updated += i64::from(note != mine);
                self.mine.notes.insert(key, note);
                self.bases.insert(key, Some(theirs));
            }
        }
    }

    fn drop_decks(&mut self, theirs: &Decks, take: bool, told: &mut Told) {
        let dropped = self
            .base_decks
            .keys()
            .filter(|key| !theirs.contains_key(key) && self.mine.decks.contains_key(key));
        let mut dropped: Vec<usize> = dropped.copied().collect();
        dropped.sort_by_key(|key| std::cmp::Reverse(self.mine.above(*key).len()));
        for key in dropped {
            let untouched = self.mine.decks[&key] == self.base_decks[&key];
            let empty = self.mine.within(key).len() == 1
                && self.mine.notes.values().all(|note| note.place != key);
            if empty && (untouched || take) {
                self.mine.decks.remove(&key);
                told.deleted_decks += 1;
            } else {
                told.deck_conflicts += 1;
            }
        }
    }
}
