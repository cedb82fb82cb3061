//! Random sequences of what an author and somebody with a clone do, against a simple model of what a pull makes of it. Notes carry a key in a
//! field of their own, and decks in their description, by which they are told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::outbox::Outbox;
use common::viewer::Roles;
use common::{CardId, Clock, DeckId, Error, NoteId, SessionId, TrashId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{
    ChangeNote, Content, DeckEdit, DeckMove, Description, FieldEdit, Licence, Move, Name, NewClone,
    NewDeck, NewNote, NoteEdit, NoteKind, Publish, Pull, Slug, Tag, Tags,
};
use decks::service::{Pulled, Service};
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};

use crate::sharing_model::{Decks, Model, OWN, ROOT, Told, Tree, VALUES, Written};
use crate::{Step, sequences};

/// The most decks in the author's.
const INNER: usize = 5;
/// The most decks that somebody makes in a clone.
const OWN_DECKS: usize = 2;

/// Two people at one store.
struct Two {
    service: Service,
    store: Arc<dyn Store>,
    author: Viewer,
    other: Viewer,
    slug: String,
    deck: DeckId,
    /// How many notes and decks the author, and the other, have made so far.
    made: [usize; 4],
    /// What each deleted last: the author a deck, the other a note.
    author_trash: Option<(TrashId, usize, Tree)>,
    trash: Option<(TrashId, usize, Written)>,
    clone: Option<DeckId>,
    release: i64,
}

/// What somebody sees of a deck.
struct Seen {
    tree: Tree,
    /// Notes with their first cards.
    notes: BTreeMap<usize, (NoteId, CardId)>,
    decks: BTreeMap<usize, DeckId>,
}

fn nth<K: Copy, V>(map: &BTreeMap<K, V>, choice: usize) -> Option<K> {
    map.keys().nth(choice % map.len().max(1)).copied()
}

/// One of the decks but for the outermost.
fn inner(decks: &Decks, choice: usize) -> Option<usize> {
    let inner: Vec<usize> = decks.keys().copied().filter(|key| *key != ROOT).collect();
    inner.get(choice % inner.len().max(1)).copied()
}

impl Two {
    async fn new(store: Arc<impl Store + 'static>) -> Self {
        let outbox = Outbox::start(NAME, store.clone(), Vec::new());
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let service = Service::new(store.clone(), outbox, clock);
        let [author, other] =
            [(); 2].map(|()| Viewer::new(UserId::new(), SessionId::new(), Roles::default()));
        let slug = format!("deck-{}", uuid::Uuid::now_v7().simple());
        let mut two = Self {
            service,
            store,
            author,
            other,
            slug,
            deck: DeckId::new(),
            made: [0, 1, OWN, OWN],
            author_trash: None,
            trash: None,
            clone: None,
            release: 0,
        };
        two.deck = two.make_deck(&two.author, ROOT, "a", None).await;
        two
    }

    async fn make_deck(
        &self,
        viewer: &Viewer,
        key: usize,
        name: &str,
        parent: Option<DeckId>,
    ) -> DeckId {
        let name = Name::new("name", name).unwrap();
        let description = Description::new("description", key.to_string()).unwrap();
        let new = NewDeck { id: None, name, description, color: None, parent };
        self.service.create_deck(viewer, &new).await.unwrap().id
    }

    async fn make_note(&self, viewer: &Viewer, key: usize, written: &Written, deck: DeckId) {
        let mut fields = sides(written);
        fields.push(FieldEdit { name: "Key".into(), value: Some(key.to_string()) });
        let content = Content::new("fields", NoteKind::Basic, fields).unwrap();
        let tags = tags(written);
        let new = NewNote { id: None, card: None, guid: None, content, tags, source: None };
        self.service.create_notes(viewer, deck, &[new]).await.unwrap();
    }

    async fn seen(&self, viewer: &Viewer, root: DeckId) -> Seen {
        let mut all = self.service.decks(viewer, vec![root]).await.unwrap();
        all.extend(self.store.descendants(viewer.user, root).await.unwrap());
        let key = |deck: &decks::model::Deck| deck.description.parse::<usize>().unwrap();
        let decks: BTreeMap<usize, DeckId> = all.iter().map(|deck| (key(deck), deck.id)).collect();
        assert_eq!(decks.len(), all.len(), "each deck once");
        let mut seen = Seen { tree: Tree::default(), notes: BTreeMap::new(), decks };
        for deck in &all {
            let of = |id: DeckId| seen.decks.iter().find(|(_, deck)| **deck == id);
            let parent = deck.parent().filter(|_| deck.id != root);
            let parent = parent.map(|id| *of(id).unwrap().0);
            let name = VALUES.into_iter().find(|name| deck.name == *name).unwrap();
            seen.tree.decks.insert(key(deck), (parent, name));
            let outline = self.store.outline(deck.id).await.unwrap();
            assert_eq!(deck.card_count, outline.len() as i64);
            let card_of: BTreeMap<NoteId, CardId> =
                outline.iter().map(|card| (card.note, card.id)).collect();
            let found =
                self.service.notes(viewer, card_of.keys().copied().collect()).await.unwrap();
            for note in found {
                let fields = note.note.content.fields();
                let value = |nth: usize| {
                    VALUES.into_iter().find(|value| fields[nth].value == *value).unwrap()
                };
                let has = |name: &str| note.note.tags.list().iter().any(|tag| tag.text() == name);
                let written = Written {
                    sides: [value(0), value(1)],
                    tags: [has("t"), has("u")],
                    place: key(deck),
                };
                assert_eq!(note.cards[0].question, written.sides[0]);
                let key = fields[2].value.parse().unwrap();
                assert_eq!(seen.tree.notes.insert(key, written), None, "each note once");
                seen.notes.insert(key, (note.note.id, card_of[&note.note.id]));
            }
        }
        seen
    }

    async fn write(&self, viewer: &Viewer, id: NoteId, written: &Written) {
        let (fields, tags) = (sides(written), Some(tags(written)));
        let edit = NoteEdit { id, kind: None, fields, tags, expected_version: None };
        self.service.update_notes(viewer, &[edit]).await.unwrap();
    }

    async fn rename(&self, viewer: &Viewer, id: DeckId, name: &str) {
        let edit = DeckEdit {
            id,
            name: Some(Name::new("name", name).unwrap()),
            description: None,
            color: None,
            archived: None,
            expected_version: None,
        };
        self.service.update_deck(viewer, &edit).await.unwrap();
    }

    async fn move_note(&self, viewer: &Viewer, card: CardId, deck: DeckId) {
        let to = Move { cards: vec![card], deck: Some(deck), before: None };
        self.service.move_cards(viewer, &to).await.unwrap();
    }

    /// Moves a deck in somebody's and in the model, which agree on whether it can be.
    async fn move_deck(&self, viewer: &Viewer, seen: &Seen, tree: &mut Tree, what: [usize; 2]) {
        let [deck, to] = what;
        let parent = Some(seen.decks[&to]);
        let can = tree.can_move(deck, to);
        let to_move = DeckMove { id: seen.decks[&deck], parent, before: None };
        let moved = self.service.move_deck(viewer, to_move).await;
        assert_eq!(moved.is_ok(), can, "{moved:?}");
        if can {
            tree.decks.entry(deck).and_modify(|deck| deck.0 = Some(to));
        }
    }

    async fn publish(&self) -> Result<i64, Error> {
        let new = Publish {
            deck: self.deck,
            slug: Some(Slug::new("slug", &self.slug).unwrap()),
            title: None,
            description: None,
            tags: None,
            licence: Some(Licence::Cc0),
            author: None,
            change_note: ChangeNote::default(),
            expected_release: Some(self.release),
        };
        Ok(self.service.publish(&self.author, &new).await?.release)
    }

    fn next(&mut self, what: usize) -> usize {
        self.made[what] += 1;
        self.made[what] - 1
    }

    async fn by_author(&mut self, model: &mut Model, (what, one, other): Step) {
        let seen = self.seen(&self.author, self.deck).await;
        let tree = &mut model.author;
        let (note, deck) = (nth(&tree.notes, one), inner(&tree.decks, one));
        let place = nth(&tree.decks, other).unwrap();
        match (what % 12, note, deck) {
            (0 | 1, ..) => {
                let sides = [VALUES[one % 3], VALUES[other / 3 % 3]];
                let written = Written { sides, tags: [one % 2 == 0, false], place };
                let key = self.next(0);
                self.make_note(&self.author, key, &written, seen.decks[&place]).await;
                tree.notes.insert(key, written);
            }
            (2, Some(key), _) => {
                let written = tree.notes.get_mut(&key).unwrap();
                change(written, one, other);
                self.write(&self.author, seen.notes[&key].0, written).await;
            }
            (3, Some(key), _) => {
                self.service.delete_notes(&self.author, &[seen.notes[&key].0]).await.unwrap();
                tree.notes.remove(&key);
            }
            (4, Some(key), _) => {
                self.move_note(&self.author, seen.notes[&key].1, seen.decks[&place]).await;
                tree.notes.entry(key).and_modify(|note| note.place = place);
            }
            (5 | 6, ..) if tree.decks.len() <= INNER => {
                let (key, name) = (self.next(1), VALUES[one % 3]);
                self.make_deck(&self.author, key, name, Some(seen.decks[&place])).await;
                tree.decks.insert(key, (Some(place), name));
            }
            (7, _, Some(deck)) => {
                let name = VALUES[other % 3];
                self.rename(&self.author, seen.decks[&deck], name).await;
                tree.decks.entry(deck).and_modify(|deck| deck.1 = name);
            }
            (8 | 9, _, Some(deck)) => {
                self.move_deck(&self.author, &seen, tree, [deck, place]).await;
            }
            (10, _, Some(deck)) => {
                let entry = self.service.delete_deck(&self.author, seen.decks[&deck]).await;
                let parent = tree.decks[&deck].0.unwrap();
                self.author_trash = Some((entry.unwrap(), parent, tree.cut(deck)));
            }
            (11, ..) => {
                let back = |trash: &mut (TrashId, usize, Tree)| tree.decks.contains_key(&trash.1);
                let Some((entry, _, cut)) = self.author_trash.take_if(back) else { return };
                self.service.restore(&self.author, entry).await.unwrap();
                tree.decks.extend(cut.decks);
                tree.notes.extend(cut.notes);
            }
            _ => {}
        }
    }

    async fn by_other(&mut self, model: &mut Model, clone: DeckId, (what, one, other): Step) {
        let seen = self.seen(&self.other, clone).await;
        let tree = &mut model.mine;
        let (note, deck) = (nth(&tree.notes, one), inner(&tree.decks, one));
        let place = nth(&tree.decks, other).unwrap();
        match (what % 11, note, deck) {
            (0 | 1, Some(key), _) => {
                let written = tree.notes.get_mut(&key).unwrap();
                change(written, one, other);
                self.write(&self.other, seen.notes[&key].0, written).await;
            }
            (2, Some(key), _) => {
                let ids = [seen.notes[&key].0];
                let gone = self.service.delete_notes(&self.other, &ids).await.unwrap();
                self.trash = tree.notes.remove(&key).map(|written| (gone, key, written));
            }
            (3, ..) => {
                let Some((entry, key, written)) = self.trash.take() else { return };
                let restored = self.service.restore(&self.other, entry).await;
                // The author may have deleted a note, and published it again, while it lay in the trash.
                let there = tree.decks.contains_key(&written.place);
                assert_eq!(restored.is_ok(), there, "{restored:?}");
                if there {
                    tree.notes.insert(key, written);
                }
            }
            (4, Some(key), _) => {
                self.move_note(&self.other, seen.notes[&key].1, seen.decks[&place]).await;
                tree.notes.entry(key).and_modify(|note| note.place = place);
            }
            (5, ..) => {
                let sides = [VALUES[one % 3]; 2];
                let written = Written { sides, tags: [false; 2], place };
                let key = self.next(2);
                self.make_note(&self.other, key, &written, seen.decks[&place]).await;
                tree.notes.insert(key, written);
            }
            (6, ..) if self.made[3] < OWN + OWN_DECKS => {
                let (key, name) = (self.next(3), VALUES[one % 3]);
                self.make_deck(&self.other, key, name, Some(seen.decks[&place])).await;
                tree.decks.insert(key, (Some(place), name));
            }
            (7, _, Some(deck)) => {
                let name = VALUES[other % 3];
                self.rename(&self.other, seen.decks[&deck], name).await;
                tree.decks.entry(deck).and_modify(|deck| deck.1 = name);
            }
            (8 | 9, _, Some(deck)) => {
                self.move_deck(&self.other, &seen, tree, [deck, place]).await;
            }
            (10, _, Some(deck)) if other % 2 == 0 => {
                self.service.delete_deck(&self.other, seen.decks[&deck]).await.unwrap();
                tree.cut(deck);
            }
            _ => {}
        }
    }

    async fn step(&mut self, model: &mut Model, (what, one, other): Step) {
        match (what % 10, self.clone) {
            (0..=3, _) => self.by_author(model, (what / 10, one, other)).await,
            (4..=5, Some(clone)) => self.by_other(model, clone, (what / 10, one, other)).await,
            (6, _) if one % 8 == 0 && model.latest.is_some() => {
                self.service.unpublish(&self.author, self.deck).await.unwrap();
                model.listed = false;
            }
            (6 | 7, _) => self.publish_it(model).await,
            (_, None) => {
                let (id, slug) = (Some(DeckId::new()), self.slug.clone());
                let new = NewClone { slug, id, parent: None };
                let cloned = self.service.clone_deck(&self.other, &new).await;
                if model.listed {
                    let deck = cloned.unwrap();
                    let again = self.service.clone_deck(&self.other, &new).await.unwrap();
                    assert_eq!((Some(deck.id), again.id), (id, deck.id));
                    self.clone = id;
                    model.clone_it();
                } else {
                    assert!(matches!(cloned, Err(Error::NotFound { .. })), "{cloned:?}");
                }
            }
            (_, Some(clone)) => self.pull(model, clone, one % 3 == 0).await,
        }
    }

    async fn publish_it(&mut self, model: &mut Model) {
        let published = self.publish().await;
        if model.author.notes.is_empty() {
            assert!(matches!(published, Err(Error::Invalid { .. })), "{published:?}");
            return;
        }
        let release = published.unwrap();
        let now = Some(model.author.clone());
        // Where a note lies among others is part of a release too, which the model does not know.
        assert!((self.release..=self.release + 1).contains(&release));
        assert!(model.latest == now || release == self.release + 1);
        self.release = release;
        assert_eq!(self.publish().await.unwrap(), release, "nothing differs");
        (model.latest, model.listed) = (now, true);
        let published = self.service.public_deck(&self.slug).await.unwrap().unwrap();
        let decks = self.store.release_decks(published.id, release).await.unwrap().unwrap();
        model.order = decks.iter().map(|deck| deck.description.parse().unwrap()).collect();
    }

    async fn pull(&mut self, model: &mut Model, clone: DeckId, take_theirs: bool) {
        let pull = |dry_run| Pull {
            deck: clone,
            dry_run,
            take_theirs,
            choices: Vec::new(),
            expected_release: None,
        };
        let before = self.seen(&self.other, clone).await;
        let planned = self.service.pull(&self.other, &pull(true)).await;
        let pulled = self.service.pull(&self.other, &pull(false)).await;
        if !model.listed {
            assert!(matches!(pulled, Err(Error::NotFound { .. })), "{pulled:?}");
            return;
        }
        let (planned, pulled) = (planned.unwrap(), pulled.unwrap());
        assert_eq!(planned.conflicts, pulled.conflicts);
        assert_eq!(planned.deck_conflicts.len(), pulled.deck_conflicts.len());
        assert_eq!(told(&planned), told(&pulled));
        assert_eq!(told(&pulled), model.pull(take_theirs));
        let after = self.seen(&self.other, clone).await;
        for (key, ids) in &after.notes {
            assert!(before.notes.get(key).is_none_or(|before| before == ids), "what is learned");
        }
        for (key, id) in &after.decks {
            assert!(before.decks.get(key).is_none_or(|before| before == id), "the same deck");
        }
        let again = self.service.pull(&self.other, &pull(false)).await.unwrap();
        assert_eq!(told(&again), Told::default(), "nothing is left to do");
        // What has become another note here, or none, is not taken out of the trash: there would be two with one key.
        self.trash.take_if(|(_, key, _)| *key < OWN && !model.waits_for(*key));
    }

    async fn run(mut self, steps: Vec<Step>) {
        let mut model = Model::default();
        model.author.decks.insert(ROOT, (None, "a"));
        for (nth, step) in steps.into_iter().enumerate() {
            Box::pin(self.step(&mut model, step)).await;
            let seen = self.seen(&self.author, self.deck).await;
            assert_eq!(seen.tree, model.author, "after {nth}: {step:?}");
            if let Some(clone) = self.clone {
                let seen = self.seen(&self.other, clone).await;
                assert_eq!(seen.tree, model.mine, "after {nth}: {step:?}");
            }
        }
    }
}

fn told(pulled: &Pulled) -> Told {
    Told {
        added: pulled.added,
        updated: pulled.updated,
        deleted: pulled.deleted,
        conflicts: pulled.conflicts.len() as i64,
        added_decks: pulled.added_decks,
        updated_decks: pulled.updated_decks,
        deleted_decks: pulled.deleted_decks,
        deck_conflicts: pulled.deck_conflicts.len() as i64,
    }
}

fn sides(written: &Written) -> Vec<FieldEdit> {
    let sides = ["Front", "Back"].into_iter().zip(written.sides);
    sides.map(|(name, value)| FieldEdit { name: name.into(), value: Some(value.into()) }).collect()
}

fn tags(written: &Written) -> Tags {
    let names = ["t", "u"].into_iter().zip(written.tags).filter(|(_, has)| *has);
    let tags = names.map(|(name, _)| Tag::new("tag", name).unwrap()).collect();
    Tags::new("tags", tags).unwrap()
}

fn change(written: &mut Written, one: usize, other: usize) {
    match other % 4 {
        3 => written.tags[one % 2] = !written.tags[one % 2],
        _ => written.sides[one % 2] = VALUES[other % 3],
    }
}

#[test]
fn any_sequence_of_two_people_leads_to_what_the_model_says_in_sqlite() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    sequences(48, 120, |steps| {
        runtime.block_on(async {
            let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
            let two = Two::new(Arc::new(SqliteStore::new(sqlite))).await;
            Box::pin(two.run(steps)).await;
        });
    });
}

#[test]
fn any_sequence_of_two_people_leads_to_what_the_model_says_in_mongodb() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mongo = runtime.block_on(testing::mongo());
    let store = runtime.block_on(async { Arc::new(MongoStore::open(mongo).await.unwrap()) });
    sequences(8, 80, |steps| {
        runtime.block_on(async { Box::pin(Two::new(store.clone()).await.run(steps)).await });
    });
}
