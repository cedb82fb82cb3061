//! Edits of a collection: one client that makes, edits, moves, deletes and restores decks and notes, and tags them, often many at once. What it
//! made is told from another client's by how its names begin.

mod change;
mod model;

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use rand::{Rng, RngExt};
use serde_json::json;
use uuid::Uuid;

use crate::account::Account;
use crate::load::{Load, World};
use crate::program::{Client, Lost};
use crate::seen::Seen;
use change::Change;
use model::{Deck, Kind, Model, Note};

/// The collection stays about so large, so that reading it takes no longer with each kill.
const DECKS: usize = 12;
const NOTES: usize = 80;
const TAGS: usize = 5;

pub(crate) struct Collection {
    account: Account,
    name: &'static str,
    dice: StdRng,
    /// How many names it has given.
    named: u64,
    /// What was acknowledged.
    model: Model,
    /// What was asked for and not answered.
    doubtful: Option<Change>,
    /// What the graph showed at the last look, for the ids that it gave.
    seen: Seen,
    acknowledged: u64,
    in_doubt: u64,
    /// What may or may not have been done where nothing shows it, to be done again.
    again: Option<Change>,
    /// What was answered since the last look, for whoever reads of a failure.
    answered: Vec<Change>,
}

impl Collection {
    pub(crate) fn new(account: Account, name: &'static str, dice: StdRng) -> Self {
        Self {
            account,
            name,
            dice,
            named: 0,
            model: Model::default(),
            doubtful: None,
            seen: Seen::default(),
            acknowledged: 0,
            in_doubt: 0,
            again: None,
            answered: Vec::new(),
        }
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(u128::from(self.dice.next_u64()) << 64 | u128::from(self.dice.next_u64()))
    }

    /// One that nothing else has.
    fn fresh_name(&mut self) -> String {
        self.named += 1;
        format!("{}-{}", self.name, self.named)
    }

    fn deck(&mut self) -> Option<Uuid> {
        self.model.decks.keys().copied().choose(&mut self.dice)
    }

    /// Some of the notes that are there, 1 to `most` when there are any.
    fn some_notes(&mut self, most: usize) -> Vec<Uuid> {
        let count = self.dice.random_range(1..=most);
        self.model.notes.keys().copied().sample(&mut self.dice, count)
    }

    /// So many different ones.
    fn tags(&mut self, count: usize) -> Vec<String> {
        let tags = (0..TAGS).sample(&mut self.dice, count).into_iter();
        tags.map(|tag| format!("{}::{tag}", self.name)).collect()
    }

    fn note(&mut self, deck: Uuid) -> Note {
        let kind = match self.dice.random_range(0..3) {
            0 => Kind::Basic,
            1 => Kind::Reversed,
            _ => Kind::Cloze(self.dice.random_range(1..=3)),
        };
        let count = self.dice.random_range(0..3);
        let tags = self.tags(count).into_iter().collect();
        Note { deck, kind, name: self.fresh_name(), tags }
    }

    /// A note as it was, with other words and tags; a cloze with other deletions.
    fn edited(&mut self, id: Uuid) -> (Uuid, Note) {
        let before = self.model.notes[&id].clone();
        let new = self.note(before.deck);
        let kind = match before.kind {
            Kind::Cloze(_) => Kind::Cloze(self.dice.random_range(1..=3)),
            other => other,
        };
        (id, Note { kind, ..new })
    }

    /// Something that can be done now.
    fn draw(&mut self) -> Change {
        loop {
            if let Some(change) = self.try_draw().filter(|change| !change.is_empty()) {
                return change;
            }
        }
    }

    fn try_draw(&mut self) -> Option<Change> {
        let (decks, notes) = (self.model.decks.len(), self.model.notes.len());
        match self.dice.random_range(0..16) {
            0 | 1 if decks < DECKS => {
                let parent = self.deck().filter(|deck| self.model.has_room(*deck));
                let deck = Deck { name: self.fresh_name(), parent, archived: false };
                Some(Change::MakeDeck(self.id(), deck))
            }
            2 => {
                let (id, name, archived) =
                    (self.deck()?, self.fresh_name(), self.dice.random_bool(0.5));
                let parent = self.model.decks[&id].parent;
                Some(Change::EditDeck(id, Deck { name, parent, archived }))
            }
            3 => {
                let (deck, parent) = (self.deck()?, self.deck()?);
                let parent = Some(parent).filter(|_| self.dice.random_bool(0.7));
                self.model.can_move(deck, parent).then_some(Change::MoveDeck(deck, parent))
            }
            4 if decks > 2 => Some(Change::DeleteDeck(self.deck()?)),
            5..=7 if notes < NOTES => {
                let (deck, count) = (self.deck()?, self.dice.random_range(1..20));
                let notes = (0..count).map(|_| (self.id(), self.note(deck))).collect();
                Some(Change::MakeNotes(deck, notes))
            }
            8 | 9 => {
                let notes = self.some_notes(20).into_iter();
                Some(Change::EditNotes(notes.map(|id| self.edited(id)).collect()))
            }
            10 if notes > NOTES / 4 => Some(Change::DeleteNotes(self.some_notes(20))),
            11 | 12 => self.model.restorable().choose(&mut self.dice).map(Change::Restore),
            13 => {
                let deck = self.deck()?;
                let mut notes = self.some_notes(10);
                // The cards that a cloze made before and makes no longer stay behind when it moves: too much for this model.
                notes.retain(|id| !matches!(self.model.notes[id].kind, Kind::Cloze(_)));
                Some(Change::MoveNotes(notes, deck))
            }
            14 => {
                let (notes, tags) = (self.some_notes(40), self.tags(2));
                Some(Change::Tag { notes, add: tags[0].clone(), remove: tags[1].clone() })
            }
            15 => {
                let mut tags = self.tags(3);
                let into = tags.pop()?;
                if self.dice.random_bool(0.5) {
                    tags.pop();
                }
                Some(Change::MergeTags(tags, into))
            }
            _ => None,
        }
    }

    async fn step(&mut self, client: &Client) -> Result<(), Lost> {
        let change = self.again.take().unwrap_or_else(|| self.draw());
        let (mutation, input) = change.request(&self.model, &self.seen);
        self.doubtful = Some(change);
        let data = self.account.ask(client, mutation, &json!({ "input": input })).await?;
        if let Some(change) = self.doubtful.take() {
            change.note_ids(&self.model, &data, &mut self.seen);
            self.model = change.states(&self.model).pop().unwrap_or_default();
            self.acknowledged += 1;
            self.answered.push(change);
        }
        Ok(())
    }

    async fn check(&mut self, world: &World<'_>) {
        let seen = Model::seen(world.seen, self.name);
        let mut states = vec![self.model.clone()];
        let doubtful = self.doubtful.take();
        if let Some(change) = &doubtful {
            states.extend(change.states(&self.model));
            self.in_doubt += 1;
        }
        let mut found = (0..states.len()).filter(|nth| states[*nth].shown() == seen);
        let (found, other) = (found.next(), found.next());
        let Some(found) = found else {
            let differences = states.iter().map(|state| state.shown().differences(&seen));
            let closest = differences.min_by_key(Vec::len).unwrap_or_default().join("\n");
            panic!(
                "after kill {}: what is there is not what was said:\n{closest}\nanswered: {:#?}\nin doubt: {doubtful:#?}",
                world.kill, self.answered
            );
        };
        // Tags of notes in the trash are not seen until these come back. Doing it again is as well as knowing.
        self.again = doubtful.filter(|_| other.is_some());
        self.model = states.swap_remove(found);
        self.check_versions(world.seen);
        self.check_search(world).await;
        self.answered.clear();
        // Of notes in the trash nothing is seen; they may come back before the next look.
        let before = std::mem::replace(&mut self.seen, world.seen.clone());
        for (id, note) in before.notes {
            self.seen.notes.entry(id).or_insert(note);
        }
    }

    /// Versions never go back.
    fn check_versions(&self, now: &Seen) {
        for (id, before) in &self.seen.notes {
            assert!(now.notes.get(id).is_none_or(|note| note.version >= before.version), "{id}");
        }
        for (id, before) in &self.seen.decks {
            assert!(now.decks.get(id).is_none_or(|deck| deck.version >= before.version), "{id}");
        }
    }

    /// What is there is found by its words, and what is not there is not.
    async fn check_search(&mut self, world: &World<'_>) {
        let search = "query($query: String!) { searchCards(query: $query, first: 10) { nodes { note { id } } } }";
        let gone = self.model.trashed_notes().choose(&mut self.dice).cloned();
        let there = self.model.notes.values().choose(&mut self.dice).cloned();
        for (note, is_there) in [(gone, false), (there, true)] {
            let Some(note) = note else { continue };
            let query = json!({ "query": format!("\"{}\"", note.name) });
            let data = self.account.ask(world.client, search, &query).await.unwrap();
            let found: BTreeSet<String> = data["searchCards"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|card| card["note"]["id"].to_string())
                .collect();
            assert_eq!(found.len(), usize::from(is_there), "after kill {}: {query}", world.kill);
        }
    }
}

impl Load for Collection {
    fn step<'a>(&'a mut self, client: &'a Client) -> BoxFuture<'a, Result<(), Lost>> {
        self.step(client).boxed()
    }

    fn check<'a>(&'a mut self, world: &'a World<'a>) -> BoxFuture<'a, ()> {
        self.check(world).boxed()
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    fn in_doubt(&self) -> u64 {
        self.in_doubt
    }
}
