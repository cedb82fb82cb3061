//! One change of a collection: how it is asked for, and what the collection is after it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Deck, Entry, Model, Note, first_word};
use crate::seen::{Seen, id};

#[derive(Debug, Clone)]
pub(super) enum Change {
    MakeDeck(Uuid, Deck),
    EditDeck(Uuid, Deck),
    MoveDeck(Uuid, Option<Uuid>),
    DeleteDeck(Uuid),
    MakeNotes(Uuid, Vec<(Uuid, Note)>),
    EditNotes(Vec<(Uuid, Note)>),
    DeleteNotes(Vec<Uuid>),
    /// The entry of the trash with this title.
    Restore(String),
    MoveNotes(Vec<Uuid>, Uuid),
    Tag {
        notes: Vec<Uuid>,
        add: String,
        remove: String,
    },
    /// One of them is renamed.
    MergeTags(Vec<String>, String),
}

impl Change {
    /// Whether it would change nothing, which is refused.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::MakeNotes(_, notes) | Self::EditNotes(notes) => notes.is_empty(),
            Self::DeleteNotes(notes) | Self::MoveNotes(notes, _) | Self::Tag { notes, .. } => {
                notes.is_empty()
            }
            _ => false,
        }
    }

    /// The mutation, and its input.
    pub(super) fn request(&self, model: &Model, seen: &Seen) -> (&'static str, Value) {
        match self {
            Self::MakeDeck(id, deck) => (
                "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }",
                json!({ "id": id, "name": deck.name, "description": deck.name, "parentId": deck.parent }),
            ),
            Self::EditDeck(id, deck) => (
                "mutation($input: UpdateDeckInput!) { updateDeck(input: $input) { deck { id } } }",
                json!({ "id": id, "name": deck.name, "description": deck.name, "archived": deck.archived }),
            ),
            Self::MoveDeck(id, parent) => (
                "mutation($input: MoveDeckInput!) { moveDeck(input: $input) { deck { id } } }",
                json!({ "id": id, "parentId": parent }),
            ),
            Self::DeleteDeck(id) => (
                "mutation($input: DeleteDeckInput!) { result: deleteDeck(input: $input) { trashId } }",
                json!({ "id": id }),
            ),
            Self::MakeNotes(deck, notes) => {
                let notes = notes.iter().map(|(id, note)| {
                    json!({ "id": id, "type": note.kind.name(), "fields": fields(note), "tags": note.tags })
                });
                (
                    "mutation($input: CreateNotesInput!) { result: createNotes(input: $input) { notes { id cards { id ordinal } } } }",
                    json!({ "deckId": deck, "notes": notes.collect::<Value>() }),
                )
            }
            Self::EditNotes(notes) => {
                let notes = notes.iter().map(
                    |(id, note)| json!({ "id": id, "fields": fields(note), "tags": note.tags }),
                );
                (
                    "mutation($input: UpdateNotesInput!) { result: updateNotes(input: $input) { notes { id cards { id ordinal } } } }",
                    json!({ "notes": notes.collect::<Value>() }),
                )
            }
            Self::DeleteNotes(ids) => (
                "mutation($input: DeleteNotesInput!) { result: deleteNotes(input: $input) { trashId } }",
                json!({ "ids": ids }),
            ),
            Self::Restore(title) => (
                "mutation($input: RestoreDeletedInput!) { restoreDeleted(input: $input) { restored { id } } }",
                json!({ "trashId": trash_id(seen, title) }),
            ),
            Self::MoveNotes(notes, deck) => {
                let cards = notes.iter().flat_map(|note| {
                    let of_note = &seen.notes[note].cards;
                    (0..model.notes[note].kind.cards()).map(move |nth| of_note[&nth])
                });
                (
                    "mutation($input: MoveCardsInput!) { moveCards(input: $input) { cards { id } } }",
                    json!({ "cardIds": cards.collect::<Vec<_>>(), "deckId": deck }),
                )
            }
            Self::Tag { notes, add, remove } => (
                "mutation($input: TagNotesInput!) { tagNotes(input: $input) { notes { id } } }",
                json!({ "noteIds": notes, "add": [add], "remove": [remove] }),
            ),
            Self::MergeTags(tags, into) => match &tags[..] {
                [tag] => (
                    "mutation($input: RenameTagInput!) { renameTag(input: $input) { changedNotes } }",
                    json!({ "tag": tag, "to": into }),
                ),
                _ => (
                    "mutation($input: MergeTagsInput!) { mergeTags(input: $input) { changedNotes } }",
                    json!({ "tags": tags, "into": into }),
                ),
            },
        }
    }

    /// What the collection may be once it was begun: the last is what it is once it is done. All but the merging of several tags have one such
    /// state, since they are made wholly or not at all; that one renames tag by tag, in whatever order, and doing it again does the rest.
    pub(super) fn states(&self, before: &Model) -> Vec<Model> {
        let Self::MergeTags(tags, into) = self else {
            let mut after = before.clone();
            self.apply(&mut after);
            return vec![after];
        };
        let renamed = |tags: &[String]| {
            let mut after = before.clone();
            for note in after.all_notes_mut() {
                for tag in tags {
                    if note.tags.remove(tag) {
                        note.tags.insert(into.clone());
                    }
                }
            }
            after
        };
        tags.iter().map(std::slice::from_ref).chain([&tags[..]]).map(renamed).collect()
    }

    fn apply(&self, model: &mut Model) {
        match self {
            Self::MakeDeck(id, deck) | Self::EditDeck(id, deck) => {
                model.decks.insert(*id, deck.clone());
            }
            Self::MoveDeck(id, parent) => {
                model.decks.entry(*id).and_modify(|deck| deck.parent = *parent);
            }
            Self::DeleteDeck(id) => {
                let title = model.decks[id].name.clone();
                let within = model.within(*id);
                let mut entry = Entry::default();
                entry.decks.extend(model.decks.extract_if(.., |id, _| within.contains(id)));
                let lies = |note: &Note| within.contains(&note.deck);
                entry.notes.extend(model.notes.extract_if(.., |_, note| lies(note)));
                model.trash.insert(title, entry);
            }
            Self::MakeNotes(_, notes) | Self::EditNotes(notes) => {
                model.notes.extend(notes.iter().cloned());
            }
            Self::DeleteNotes(ids) => {
                let title = model.notes[&ids[0]].name.clone();
                let notes = model.notes.extract_if(.., |id, _| ids.contains(id)).collect();
                model.trash.insert(title, Entry { notes, ..Entry::default() });
            }
            Self::Restore(title) => {
                let Some(mut entry) = model.trash.remove(title) else { return };
                let known: Vec<Uuid> =
                    model.decks.keys().chain(entry.decks.keys()).copied().collect();
                for deck in entry.decks.values_mut() {
                    // A deck whose parent is gone comes back at the top.
                    deck.parent = deck.parent.filter(|parent| known.contains(parent));
                }
                model.decks.extend(entry.decks);
                model.notes.extend(entry.notes);
            }
            Self::MoveNotes(notes, deck) => {
                for note in notes {
                    model.notes.entry(*note).and_modify(|note| note.deck = *deck);
                }
            }
            Self::Tag { notes, add, remove } => {
                for note in notes {
                    model.notes.entry(*note).and_modify(|note| {
                        note.tags.remove(remove);
                        note.tags.insert(add.clone());
                    });
                }
            }
            Self::MergeTags(..) => {}
        }
    }

    /// Notes which ids the answer gave to cards and to an entry of the trash.
    pub(super) fn note_ids(&self, model: &Model, data: &Value, seen: &mut Seen) {
        let result = &data["result"];
        for note in result["notes"].as_array().into_iter().flatten() {
            let of_note = seen.notes.entry(id(&note["id"])).or_default();
            for card in note["cards"].as_array().into_iter().flatten() {
                of_note.cards.insert(card["ordinal"].as_u64().unwrap(), id(&card["id"]));
            }
        }
        let title = match self {
            Self::DeleteDeck(deck) => &model.decks[deck].name,
            Self::DeleteNotes(notes) => &model.notes[&notes[0]].name,
            _ => return,
        };
        seen.trash.insert(title.clone(), (id(&result["trashId"]), [0, 0]));
    }
}

fn fields(note: &Note) -> Value {
    let field = |(name, value)| json!({ "name": name, "value": value });
    note.fields().into_iter().map(field).collect()
}

fn trash_id(seen: &Seen, title: &str) -> Uuid {
    let entry = seen.trash.iter().find(|(full, _)| first_word(full) == title);
    entry.unwrap_or_else(|| panic!("{title} was not seen in the trash")).1.0
}
