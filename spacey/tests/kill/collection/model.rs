//! What a client's collection is, in the simplest words: decks, notes, and entries of the trash that hold whole decks and notes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::seen::Seen;

/// How deep decks lie in one another.
const DEPTH: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deck {
    pub(crate) name: String,
    pub(crate) parent: Option<Uuid>,
    pub(crate) archived: bool,
}

/// What cards a note makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Basic,
    Reversed,
    /// With so many deletions.
    Cloze(u64),
}

impl Kind {
    pub(crate) const fn cards(self) -> u64 {
        match self {
            Self::Basic => 1,
            Self::Reversed => 2,
            Self::Cloze(deletions) => deletions,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Reversed => "BASIC_REVERSED",
            Self::Cloze(_) => "CLOZE",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) deck: Uuid,
    pub(crate) kind: Kind,
    /// A word that no other note has.
    pub(crate) name: String,
    pub(crate) tags: BTreeSet<String>,
}

impl Note {
    /// Its fields by name. What a card asks begins with the note's name, and ends with it.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let name = &self.name;
        let Kind::Cloze(deletions) = self.kind else {
            return vec![("Front", format!("{name} front")), ("Back", format!("{name} back"))];
        };
        let deletions: String = (1..=deletions).map(|n| format!(" {{{{c{n}::d{n}}}}}")).collect();
        vec![("Text", format!("{name}{deletions}")), ("Extra", String::new())]
    }
}

/// What was deleted at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) decks: BTreeMap<Uuid, Deck>,
    pub(crate) notes: BTreeMap<Uuid, Note>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) decks: BTreeMap<Uuid, Deck>,
    pub(crate) notes: BTreeMap<Uuid, Note>,
    /// By the name of the deck or of the first note that was deleted.
    pub(crate) trash: BTreeMap<String, Entry>,
}

/// What of a collection can be compared with what the graph shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    decks: BTreeMap<Uuid, Deck>,
    /// With the ordinals of their cards and the decks these lie in, and their fields.
    notes: BTreeMap<Uuid, ShownNote>,
    /// With how many decks and cards each holds.
    trash: BTreeMap<String, [u64; 2]>,
}

impl Shown {
    /// What is in one of the two only.
    pub(crate) fn differences(&self, found: &Self) -> Vec<String> {
        let lines = |shown: &Self| -> BTreeSet<String> {
            let decks = shown.decks.iter().map(|deck| format!("{deck:?}"));
            let notes = shown.notes.iter().map(|note| format!("{note:?}"));
            let trash = shown.trash.iter().map(|entry| format!("{entry:?}"));
            decks.chain(notes).chain(trash).collect()
        };
        let (expected, found) = (lines(self), lines(found));
        let missing = expected.difference(&found).map(|line| format!("expected {line}"));
        missing.chain(found.difference(&expected).map(|line| format!("found    {line}"))).collect()
    }
}

type ShownNote = (String, Vec<String>, BTreeSet<String>, Vec<(u64, Uuid)>);

impl Model {
    /// How many decks lie above a deck.
    fn depth(&self, deck: Uuid) -> usize {
        let up = |id: &Uuid| self.decks[id].parent;
        std::iter::successors(self.decks[&deck].parent, up).count()
    }

    /// Whether a deck can lie in this one.
    pub(crate) fn has_room(&self, deck: Uuid) -> bool {
        self.depth(deck) + 1 < DEPTH
    }

    /// A deck and all in it.
    pub(crate) fn within(&self, deck: Uuid) -> BTreeSet<Uuid> {
        let lies = |id: &Uuid| {
            std::iter::successors(Some(*id), |id| self.decks[id].parent).any(|id| id == deck)
        };
        self.decks.keys().copied().filter(lies).collect()
    }

    pub(crate) fn can_move(&self, deck: Uuid, parent: Option<Uuid>) -> bool {
        let Some(parent) = parent else { return true };
        let within = self.within(deck);
        let deepest = within.iter().map(|id| self.depth(*id)).max().unwrap_or(0);
        let levels = deepest - self.depth(deck) + 1;
        !within.contains(&parent) && self.depth(parent) + levels < DEPTH
    }

    /// The entries of the trash that can be restored: the decks of their notes are there, or come with them, and nothing lies too deep.
    pub(crate) fn restorable(&self) -> impl Iterator<Item = String> {
        let fits = |entry: &&Entry| {
            let known =
                |deck: &Uuid| self.decks.contains_key(deck) || entry.decks.contains_key(deck);
            let shallow = |deck: &Deck| {
                deck.parent.is_none_or(|parent| {
                    !self.decks.contains_key(&parent) || self.depth(parent) < DEPTH
                })
            };
            entry.notes.values().all(|note| known(&note.deck)) && entry.decks.values().all(shallow)
        };
        self.trash.iter().filter(move |(_, entry)| fits(entry)).map(|(title, _)| title.clone())
    }

    pub(crate) fn trashed_notes(&self) -> impl Iterator<Item = &Note> {
        self.trash.values().flat_map(|entry| entry.notes.values())
    }

    /// All notes, also those in the trash.
    pub(crate) fn all_notes_mut(&mut self) -> impl Iterator<Item = &mut Note> {
        let trashed = self.trash.values_mut().flat_map(|entry| entry.notes.values_mut());
        self.notes.values_mut().chain(trashed)
    }

    pub(crate) fn shown(&self) -> Shown {
        let note = |note: &Note| {
            let fields = note.fields().into_iter().map(|(_, text)| text).collect();
            let cards = (0..note.kind.cards()).map(|ordinal| (ordinal, note.deck)).collect();
            (note.kind.name().to_owned(), fields, note.tags.clone(), cards)
        };
        let counts = |entry: &Entry| {
            [entry.decks.len() as u64, entry.notes.values().map(|note| note.kind.cards()).sum()]
        };
        Shown {
            decks: self.decks.clone(),
            notes: self.notes.iter().map(|(id, of)| (*id, note(of))).collect(),
            trash: self.trash.iter().map(|(title, of)| (title.clone(), counts(of))).collect(),
        }
    }

    /// What the graph shows of the client with this name.
    pub(crate) fn seen(seen: &Seen, name: &str) -> Shown {
        let is_ours = |text: &str| text.split_once('-').is_some_and(|(first, _)| first == name);
        let decks = seen.decks.iter().filter(|(_, deck)| is_ours(&deck.name)).map(|(id, deck)| {
            // The name stands in the description too, so that an edit is seen to be whole.
            assert_eq!(deck.name, deck.description);
            let (name, parent, archived) = (deck.name.clone(), deck.parent, deck.archived);
            (*id, Deck { name, parent, archived })
        });
        let notes = seen.notes.iter().filter(|(_, note)| is_ours(&note.fields[0]));
        let notes = notes.map(|(id, note)| {
            let cards = note.cards.iter().map(|(nth, card)| (*nth, seen.cards[card].deck));
            let shown =
                (note.kind.clone(), note.fields.clone(), note.tags.clone(), cards.collect());
            (*id, shown)
        });
        let trash = seen.trash.iter().filter(|(title, _)| is_ours(title));
        let trash =
            trash.map(|(title, (_, counts))| (first_word(title).to_owned(), *counts)).collect();
        Shown { decks: decks.collect(), notes: notes.collect(), trash }
    }
}

pub(crate) fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text)
}
