//! A person's collection as the graph shows it, and what must hold within it whatever was done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenDeck {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) archived: bool,
    pub(crate) parent: Option<Uuid>,
    pub(crate) version: i64,
    cards: u64,
    /// How many cards learning counts in it.
    learned: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenNote {
    pub(crate) kind: String,
    pub(crate) fields: Vec<String>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) version: i64,
    /// By ordinal.
    pub(crate) cards: BTreeMap<u64, Uuid>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenCard {
    pub(crate) deck: Uuid,
    pub(crate) note: Uuid,
    pub(crate) position: i64,
    /// Learning knows it.
    known: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) decks: BTreeMap<Uuid, SeenDeck>,
    pub(crate) notes: BTreeMap<Uuid, SeenNote>,
    pub(crate) cards: BTreeMap<Uuid, SeenCard>,
    /// Entries of the trash by title: their ids, and how many decks and cards they hold.
    pub(crate) trash: BTreeMap<String, (Uuid, [u64; 2])>,
    /// Tags with their numbers of notes.
    pub(crate) tags: BTreeMap<String, u64>,
}

pub(crate) fn id(value: &Value) -> Uuid {
    Uuid::parse_str(value.as_str().unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Seen {
    pub(crate) fn put_deck(&mut self, deck: &Value) {
        let seen = SeenDeck {
            name: text(&deck["name"]),
            description: text(&deck["description"]),
            archived: deck["archived"].as_bool().unwrap(),
            parent: Some(&deck["parent"]).filter(|parent| !parent.is_null()).map(|p| id(&p["id"])),
            version: deck["version"].as_i64().unwrap(),
            cards: deck["cardCount"].as_u64().unwrap(),
            learned: deck["counts"]["total"].as_u64().unwrap(),
        };
        assert!(self.decks.insert(id(&deck["id"]), seen).is_none(), "twice: {deck}");
    }

    pub(crate) fn put_card(&mut self, card: &Value) {
        let note = &card["note"];
        let tags = note["tags"].as_array().unwrap().iter().map(text).collect();
        let fields = note["fields"].as_array().unwrap().iter();
        let seen = SeenNote {
            kind: text(&note["type"]),
            fields: fields.map(|field| text(&field["value"])).collect(),
            tags,
            version: note["version"].as_i64().unwrap(),
            cards: BTreeMap::new(),
        };
        let card_id = id(&card["id"]);
        let known = self.notes.entry(id(&note["id"])).or_insert(seen);
        let before = known.cards.insert(card["ordinal"].as_u64().unwrap(), card_id);
        assert_eq!(before, None, "two cards of one ordinal: {card}");
        let seen = SeenCard {
            deck: id(&card["deck"]["id"]),
            note: id(&note["id"]),
            position: card["position"].as_i64().unwrap(),
            known: !card["state"].is_null(),
        };
        assert!(self.cards.insert(card_id, seen).is_none(), "twice: {card}");
    }

    /// What is counted is there, no card is without its deck, and learning knows each.
    pub(crate) fn check(&self) {
        for (deck, seen) in &self.decks {
            let cards = self.cards.values().filter(|card| card.deck == *deck).count() as u64;
            assert_eq!(seen.cards, cards, "the count of {}", seen.name);
            assert_eq!(seen.learned, cards, "learning's count of {}", seen.name);
            assert!(seen.parent.is_none_or(|parent| self.decks.contains_key(&parent)));
        }
        for (id, card) in &self.cards {
            assert!(self.decks.contains_key(&card.deck), "{id} lies nowhere");
            assert!(card.known, "learning does not know {id}");
        }
        let mut tags: BTreeMap<String, u64> = BTreeMap::new();
        for tag in self.notes.values().flat_map(|note| &note.tags) {
            *tags.entry(tag.clone()).or_default() += 1;
        }
        assert_eq!(self.tags, tags, "the list of tags");
    }
}
