//! Random sequences of what a person does to a collection, against a simple model of it and beside a device that follows, on both stores; and pages that are read while
//! others make, move and delete.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod model;
mod pages;
mod replica;
mod sharing;
mod sharing_model;

use std::sync::Arc;

use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{CardId, Clock, DeckId, Error, NoteId, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{
    Content, DeckFilter, DeckMove, DeckOrder, DeckSort, Description, FieldEdit, Move, Name,
    NewDeck, NewNote, NoteEdit, NoteKind, Tag, Tagging, Tags,
};
use decks::service::Service;
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use model::Model;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use replica::Replica;

/// What is done: which kind of thing, and two numbers that choose what to.
pub(crate) type Step = (u8, usize, usize);

/// A collection with a person at it.
struct Collection {
    service: Service,
    store: Arc<dyn Store>,
    viewer: Viewer,
}

impl Collection {
    fn new(store: Arc<impl Store + 'static>) -> Self {
        let outbox = Outbox::start(NAME, store.clone(), Vec::new());
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        Self { service: Service::new(store.clone(), outbox, clock), store, viewer }
    }

    async fn deck(&self, name: &str, parent: Option<DeckId>) -> Result<DeckId, Error> {
        let name = Name::new("name", name).unwrap();
        let description = Description::default();
        let new = NewDeck { id: None, name, description, color: None, parent };
        Ok(self.service.create_deck(&self.viewer, &new).await?.id)
    }

    async fn cloze(
        &self,
        deck: DeckId,
        numbers: &[i64],
        tag: &str,
    ) -> (NoteId, Vec<(i64, CardId)>) {
        let new = NewNote {
            id: None,
            card: None,
            guid: None,
            content: Content::new("fields", NoteKind::Cloze, text(numbers)).unwrap(),
            tags: Tags::new("tags", vec![Tag::new("tag", tag).unwrap()]).unwrap(),
            source: None,
        };
        let (_, notes) = self.service.create_notes(&self.viewer, deck, &[new]).await.unwrap();
        let cards = notes[0].cards.iter().map(|card| (card.ordinal, card.id)).collect();
        (notes[0].note.id, cards)
    }

    /// Everything the person sees, as the model would say it.
    async fn seen(&self) -> model::Seen {
        let (service, viewer) = (&self.service, &self.viewer);
        let all = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
        let order = DeckOrder { by: DeckSort::CreatedAt, descending: false };
        let decks = service.deck_page(viewer, DeckFilter::default(), order, all).await.unwrap();
        let mut seen = model::Seen::default();
        let count = service.deck_count(viewer, DeckFilter::default()).await.unwrap();
        assert_eq!(count, decks.rows.len() as i64);
        for deck in &decks.rows {
            seen.decks.insert(deck.id, deck.ancestors.clone());
            let cards = self.store.outline(deck.id).await.unwrap();
            assert_eq!(deck.card_count, cards.len() as i64, "the count of {}", deck.name);
            let ids = cards.iter().map(|card| card.id).collect();
            for card in service.cards(viewer, ids).await.unwrap() {
                seen.cards.insert(card.id, (deck.id, card.note, card.ordinal));
                let hidden = format!("[{}]", card.ordinal + 1);
                assert!(card.question.contains(&hidden), "{}", card.question);
            }
        }
        let all = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
        for tagged in service.tags(viewer, None, all).await.unwrap().rows {
            seen.tags.insert(tagged.tag.key(), tagged.notes);
        }
        let all = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
        let trash = service.trash(viewer, all).await.unwrap();
        seen.trash = trash.rows.iter().map(|entry| entry.id).collect();
        seen
    }

    /// Takes a step in the collection and in the model, which must agree on whether it can be taken.
    async fn step(&self, model: &mut Model, (what, one, other): Step) {
        let (service, viewer) = (&self.service, &self.viewer);
        let (deck, second) = (model.deck(one), model.deck(other));
        let card = model.card(one);
        match (what % 13, deck, card) {
            (0, ..) => {
                let parent = deck.filter(|_| other % 3 > 0);
                let made = self.deck("deck", parent).await;
                match model.can_lie_in(parent, 1) {
                    true => model.make_deck(made.unwrap(), parent),
                    false => assert!(matches!(made, Err(Error::LimitExceeded { .. }))),
                }
            }
            (1, Some(deck), _) => {
                let parent = second.filter(|_| one % 3 > 0);
                let to = DeckMove { id: deck, parent, before: None };
                let moved = service.move_deck(viewer, to).await;
                assert_eq!(moved.is_ok(), model.move_deck(deck, parent), "{moved:?}");
            }
            (2, Some(deck), _) => {
                let entry = service.delete_deck(viewer, deck).await.unwrap();
                model.delete_deck(deck, entry);
            }
            (3 | 4, ..) => {
                let Some(entry) = model.entry(one) else { return };
                let restored = service.restore(viewer, entry).await;
                assert_eq!(restored.is_ok(), model.restore(entry), "{restored:?}");
            }
            (5 | 6, Some(deck), _) => {
                let numbers = numbers(other);
                let tag = ["a", "a::b", "B"][one % 3];
                let (note, cards) = self.cloze(deck, &numbers, tag).await;
                model.make_note(note, deck, cards, tag);
            }
            (7 | 8, _, Some(card)) => {
                let (id, numbers) = (model.note_of(card), numbers(other));
                let edit = NoteEdit {
                    id,
                    kind: None,
                    fields: text(&numbers),
                    tags: None,
                    expected_version: None,
                };
                let edited = service.update_notes(viewer, &[edit]).await.unwrap();
                let cards = edited[0].cards.iter().map(|card| (card.ordinal, card.id)).collect();
                model.edit_note(id, &numbers, cards);
            }
            (9, _, Some(card)) => {
                let entry = service.delete_cards(viewer, &[card]).await.unwrap();
                model.delete_cards(&[card], entry);
            }
            (10, Some(deck), Some(card)) => {
                let to = Move { cards: vec![card], deck: Some(deck), before: None };
                service.move_cards(viewer, &to).await.unwrap();
                model.move_card(card, deck);
            }
            (11, Some(deck), Some(card)) => {
                let (_, notes) = service.copy_cards(viewer, &[card], deck).await.unwrap();
                let cards = notes[0].cards.iter().map(|card| (card.ordinal, card.id)).collect();
                model.copy_note(card, notes[0].note.id, deck, cards);
            }
            (12, _, Some(card)) => {
                let [from, to] = [["a", "a::b", "b"][one % 3], ["c", "a", "B::x"][other % 3]];
                let [from, to] = [from, to].map(|text| Tag::new("tag", text).unwrap());
                if one % 2 == 0 {
                    service.rename_tags(viewer, std::slice::from_ref(&from), &to).await.unwrap();
                    model.rename_tag(&from, &to);
                } else {
                    let notes = vec![model.note_of(card)];
                    let edit = Tagging { notes, add: vec![to], remove: vec![from] };
                    service.tag_notes(viewer, &edit).await.unwrap();
                    model.tag(&edit);
                }
            }
            _ => {}
        }
    }

    async fn run(&self, steps: Vec<Step>) {
        let (mut model, mut device) = (Model::default(), Replica::default());
        for (nth, step) in steps.into_iter().enumerate() {
            self.step(&mut model, step).await;
            let seen = self.seen().await;
            assert_eq!(seen, model.seen(), "after step {nth}: {step:?}");
            device.follow(&self.service, &self.viewer).await;
            device.check(&seen);
        }
    }
}

/// One to three of the first three deletions.
fn numbers(choice: usize) -> Vec<i64> {
    (1..=3).filter(|number| ((choice % 7 + 1) >> (number - 1)) & 1 == 1).collect()
}

/// Deletions whose hints are their numbers.
fn text(numbers: &[i64]) -> Vec<FieldEdit> {
    let text = numbers.iter().map(|n| format!("{{{{c{n}::text::{n}}}}}")).collect::<String>();
    vec![FieldEdit { name: "Text".into(), value: Some(text) }]
}

pub(crate) fn sequences(cases: u32, length: usize, run: impl Fn(Vec<Step>)) {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let steps = prop::collection::vec((any::<u8>(), 0usize..1000, 0usize..1000), 0..length);
    TestRunner::new(config)
        .run(&steps, |steps| {
            run(steps);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_sequence_leads_to_what_the_model_says_in_sqlite() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    sequences(24, 60, |steps| {
        runtime.block_on(async {
            let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
            Collection::new(Arc::new(SqliteStore::new(sqlite))).run(steps).await;
        });
    });
}

#[test]
fn any_sequence_leads_to_what_the_model_says_in_mongodb() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mongo = runtime.block_on(testing::mongo());
    let store = runtime.block_on(async { Arc::new(MongoStore::open(mongo).await.unwrap()) });
    // Each person has a collection of their own in the same database.
    sequences(6, 40, |steps| {
        runtime.block_on(async { Collection::new(store.clone()).run(steps).await });
    });
}
