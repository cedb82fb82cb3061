//! A device's copy of a collection, which it keeps by asking what changed since it last asked.

use std::collections::BTreeMap;

use common::{CardId, DeckId, NoteId, Viewer};
use decks::model::{Kind, Tag};
use decks::service::{Node, Service};

use crate::model::Seen;

#[derive(Debug, Default)]
pub(crate) struct Replica {
    decks: BTreeMap<DeckId, Vec<DeckId>>,
    /// The keys of their tags.
    notes: BTreeMap<NoteId, Vec<String>>,
    cards: BTreeMap<CardId, (DeckId, NoteId, i64)>,
    cursor: Option<String>,
}

impl Replica {
    /// Asks until there is no more.
    pub(crate) async fn follow(&mut self, service: &Service, viewer: &Viewer) {
        loop {
            let page = service.changes(viewer, self.cursor.as_deref(), 7).await.unwrap();
            assert!(page.nodes.len() + page.gone.len() <= 7);
            for node in page.nodes {
                self.put(node);
            }
            for (kind, id) in page.gone {
                match kind {
                    Kind::Deck => {
                        self.decks.remove(&DeckId::from(id));
                    }
                    Kind::Note => {
                        self.notes.remove(&NoteId::from(id));
                    }
                    Kind::Card => {
                        self.cards.remove(&CardId::from(id));
                    }
                }
            }
            assert!(page.cursor.is_some());
            self.cursor = page.cursor;
            if !page.has_more {
                return;
            }
        }
    }

    fn put(&mut self, node: Node) {
        match node {
            Node::User(user) => panic!("{user} is no part of a collection"),
            Node::Media(media) => panic!("{media:?} is no part of a collection"),
            Node::Deck(deck) => {
                self.decks.insert(deck.id, deck.ancestors);
            }
            Node::Card(card) => {
                self.cards.insert(card.id, (card.deck, card.note, card.ordinal));
            }
            Node::Note(note) => {
                let tags = note.note.tags.list().iter().map(Tag::key).collect();
                self.notes.insert(note.note.id, tags);
            }
        }
    }

    /// It has what the person sees.
    pub(crate) fn check(&self, seen: &Seen) {
        assert_eq!(self.decks, seen.decks);
        assert_eq!(self.cards, seen.cards);
        let mut tags: BTreeMap<String, i64> = BTreeMap::new();
        for key in self.notes.values().flatten() {
            *tags.entry(key.clone()).or_default() += 1;
        }
        assert_eq!(tags, seen.tags);
    }
}
