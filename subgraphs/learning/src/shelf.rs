//! A person's decks as a tree, and the settings that each inherits along it.
//!
//! A deck starts from what the deck it lies in has, or from a preset if it names one, and sets its own over that. Parents come from events, which may
//! arrive in any order: a parent that is not known, or a ring of parents, counts as none.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::{DeckId, PresetId};

use crate::model::{DeckRow, Preset, Shelf};
use crate::scheduler::Settings;

/// The decks with their settings.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: HashMap<DeckId, Node>,
    children: BTreeMap<Option<DeckId>, Vec<DeckId>>,
}

#[derive(Debug, Clone)]
struct Node {
    parent: Option<DeckId>,
    settings: Settings,
    /// Put aside, itself or one that it lies in.
    asleep: bool,
}

impl Tree {
    /// Builds the tree.
    #[must_use]
    pub fn new(shelf: &Shelf) -> Self {
        let rows: HashMap<DeckId, &DeckRow> = shelf.decks.iter().map(|row| (row.id, row)).collect();
        let presets: HashMap<PresetId, &Preset> =
            shelf.presets.iter().map(|preset| (preset.id, preset)).collect();
        let mut tree = Self::default();
        for row in &shelf.decks {
            tree.settle(row.id, &rows, &presets);
        }
        for (id, node) in &tree.nodes {
            tree.children.entry(node.parent).or_default().push(*id);
        }
        for children in tree.children.values_mut() {
            children.sort_unstable();
        }
        tree
    }

    /// Settles the decks from the highest one that is not settled yet down to this one.
    fn settle(
        &mut self,
        deck: DeckId,
        rows: &HashMap<DeckId, &DeckRow>,
        presets: &HashMap<PresetId, &Preset>,
    ) {
        let (mut path, mut seen) = (Vec::new(), HashSet::new());
        let mut next = Some(deck);
        while let Some(row) = next.and_then(|id| rows.get(&id)) {
            if self.nodes.contains_key(&row.id) || !seen.insert(row.id) {
                break;
            }
            path.push(*row);
            next = row.parent;
        }
        for row in path.into_iter().rev() {
            let above = row.parent.and_then(|parent| self.nodes.get(&parent));
            let parent = row.parent.filter(|_| above.is_some());
            let preset = row.own.preset.and_then(|id| presets.get(&id));
            let mut settings = match (preset, above) {
                (Some(preset), _) => preset_settings(preset),
                (None, Some(above)) => above.settings.clone(),
                (None, None) => Settings::default(),
            };
            row.own.patch.apply(&mut settings);
            let asleep = row.archived || above.is_some_and(|above| above.asleep);
            self.nodes.insert(row.id, Node { parent, settings, asleep });
        }
    }

    /// The settings of a deck; `None` when there is no such deck.
    #[must_use]
    pub fn settings(&self, deck: DeckId) -> Option<&Settings> {
        self.nodes.get(&deck).map(|node| &node.settings)
    }

    /// All decks with their settings.
    pub fn all(&self) -> impl Iterator<Item = (DeckId, &Settings)> {
        self.nodes.iter().map(|(id, node)| (*id, &node.settings))
    }

    /// A deck and all within it, in the order of their making; all decks for `None`, and none for one that is not known.
    #[must_use]
    pub fn subtree(&self, deck: Option<DeckId>) -> Vec<DeckId> {
        let mut found = match deck {
            None => self.children.get(&None).cloned().unwrap_or_default(),
            Some(deck) if self.nodes.contains_key(&deck) => vec![deck],
            Some(_) => Vec::new(),
        };
        let mut at = 0;
        while let Some(deck) = found.get(at) {
            found.extend(self.children.get(&Some(*deck)).into_iter().flatten());
            at += 1;
        }
        found.sort_unstable();
        found
    }

    /// The same without those that are put aside, or lie in one that is.
    #[must_use]
    pub fn awake(&self, deck: Option<DeckId>) -> Vec<DeckId> {
        let mut decks = self.subtree(deck);
        decks.retain(|deck| self.nodes.get(deck).is_some_and(|node| !node.asleep));
        decks
    }

    /// Those that are put aside, or lie in one that is.
    pub fn asleep(&self) -> impl Iterator<Item = DeckId> {
        self.nodes.iter().filter(|(_, node)| node.asleep).map(|(id, _)| *id)
    }

    /// A deck and those it lies in, upward, as far as `top` if it is among them.
    pub fn upward(&self, deck: DeckId, top: Option<DeckId>) -> impl Iterator<Item = DeckId> {
        let up = move |deck: &DeckId| {
            if Some(*deck) == top { None } else { self.nodes.get(deck)?.parent }
        };
        std::iter::successors(Some(deck), up)
    }
}

/// The settings that a preset stands for.
#[must_use]
pub fn preset_settings(preset: &Preset) -> Settings {
    let mut settings = Settings::default();
    preset.patch.apply(&mut settings);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OwnSettings;
    use crate::scheduler::Patch;

    fn row(
        id: DeckId,
        parent: Option<DeckId>,
        preset: Option<PresetId>,
        new: Option<u32>,
    ) -> DeckRow {
        let patch = Patch { new_per_day: new, ..Patch::default() };
        DeckRow { id, parent, archived: false, own: OwnSettings { version: 1, preset, patch } }
    }

    #[test]
    fn settings_are_inherited_along_the_tree() {
        let [top, middle, leaf, other] = [(); 4].map(|()| DeckId::new());
        let preset = Preset {
            id: PresetId::new(),
            name: "hard".into(),
            version: 1,
            patch: Patch { reviews_per_day: Some(50), ..Patch::default() },
        };
        let shelf = Shelf {
            decks: vec![
                row(leaf, Some(middle), None, None),
                row(middle, Some(top), Some(preset.id), None),
                row(top, None, None, Some(7)),
                row(other, Some(top), Some(PresetId::new()), None),
            ],
            presets: vec![preset],
        };
        let tree = Tree::new(&shelf);
        let of = |deck| {
            let settings = tree.settings(deck).unwrap();
            (settings.new_per_day, settings.reviews_per_day)
        };
        assert_eq!(of(top), (7, 200));
        assert_eq!(of(middle), (20, 50), "a preset stands for what would be inherited");
        assert_eq!(of(leaf), (20, 50));
        assert_eq!(of(other), (7, 200), "a preset that is gone counts as none");
        assert_eq!(tree.subtree(Some(middle)), [middle, leaf]);
        assert_eq!(tree.subtree(None).len(), 4);
        assert_eq!(tree.subtree(Some(DeckId::new())), []);
        assert_eq!(tree.upward(leaf, None).collect::<Vec<_>>(), [leaf, middle, top]);
        assert_eq!(tree.upward(leaf, Some(middle)).collect::<Vec<_>>(), [leaf, middle]);
    }

    #[test]
    fn what_lies_in_a_deck_that_is_put_aside_sleeps_too() {
        let [top, middle, leaf, other] = [(); 4].map(|()| DeckId::new());
        let mut rows = [
            row(leaf, Some(middle), None, None),
            row(middle, Some(top), None, None),
            row(top, None, None, None),
            row(other, Some(top), None, None),
        ];
        rows[1].archived = true;
        let tree = Tree::new(&Shelf { decks: rows.to_vec(), presets: vec![] });
        assert_eq!(tree.awake(None), [top, other]);
        assert_eq!(tree.awake(Some(leaf)), []);
        assert_eq!(tree.subtree(Some(middle)), [middle, leaf], "what was done there counts");
        let mut asleep: Vec<_> = tree.asleep().collect();
        asleep.sort_unstable();
        assert_eq!(asleep, [middle, leaf]);
    }

    #[test]
    fn a_ring_of_parents_is_cut() {
        let [a, b, c] = [(); 3].map(|()| DeckId::new());
        let decks = vec![
            row(a, Some(b), None, Some(1)),
            row(b, Some(a), None, None),
            row(c, Some(DeckId::new()), None, None),
        ];
        let tree = Tree::new(&Shelf { decks, presets: vec![] });
        assert_eq!(tree.subtree(None).len(), 3);
        assert!(tree.upward(a, None).count() <= 2);
    }
}
