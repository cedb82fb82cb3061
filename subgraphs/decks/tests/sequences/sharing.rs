//! Random sequences of what an author and somebody with a clone do, against a simple model of what a pull makes of it. The notes carry a key in
//! a field of their own, by which they are told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{CardId, Clock, DeckId, Error, NoteId, SessionId, TrashId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{
    ChangeNote, Content, DeckEdit, Description, FieldEdit, Licence, Move, Name, NewClone, NewDeck,
    NewNote, NoteEdit, NoteKind, Publish, Pull, Slug, Tag, Tags,
};
use decks::service::Service;
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};

use crate::{Step, sequences};

const VALUES: [&str; 3] = ["a", "b", "c"];

/// A note of the model: front, back, which of two tags it has, and whether it lies in the inner deck.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    sides: [&'static str; 2],
    tags: [bool; 2],
    inner: bool,
}

impl Written {
    fn says_what(&self, other: &Self) -> bool {
        (self.sides, self.tags) == (other.sides, other.tags)
    }
}

type Notes = BTreeMap<usize, Written>;

/// What a pull did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    added: i64,
    updated: i64,
    deleted: i64,
    conflicts: i64,
}

#[derive(Debug, Default)]
struct Model {
    author: Notes,
    name: &'static str,
    /// What was published last, with the name of the inner deck.
    latest: Option<(Notes, &'static str)>,
    listed: bool,
    /// With the clone: its notes, what each was compared with last, the names of the inner deck, and what was deleted last.
    mine: Notes,
    bases: BTreeMap<usize, Option<Written>>,
    my_name: &'static str,
    base_name: &'static str,
    deleted: Option<(usize, Written)>,
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
    fn clone_it(&mut self) {
        let (notes, name) = self.latest.clone().unwrap();
        self.bases = notes.iter().map(|(key, note)| (*key, Some(note.clone()))).collect();
        (self.mine, self.my_name, self.base_name) = (notes, name, name);
    }

    fn pull(&mut self, take: bool) -> Told {
        let (latest, name) = self.latest.clone().unwrap();
        let mut told = Told::default();
        if self.my_name == self.base_name {
            self.my_name = name;
        }
        self.base_name = name;
        let keys: Vec<usize> = self.bases.keys().chain(latest.keys()).copied().collect();
        for key in std::collections::BTreeSet::from_iter(keys) {
            let base = self.bases.get(&key).cloned().flatten();
            let theirs = latest.get(&key).cloned();
            match (base, theirs, self.mine.get(&key).cloned()) {
                (_, None, None) => drop(self.bases.remove(&key)),
                (Some(_), Some(_), None) => {}
                (None, Some(theirs), None) => {
                    told.added += 1;
                    self.bases.insert(key, Some(theirs.clone()));
                    self.mine.insert(key, theirs);
                }
                (base, None, Some(mine)) => {
                    let changed = base.as_ref().is_some_and(|base| !base.says_what(&mine));
                    if base.is_some() && (!changed || take) {
                        told.deleted += 1;
                        self.mine.remove(&key);
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
                    if base.is_some_and(|base| base.inner == mine.inner) {
                        note.inner = theirs.inner;
                    }
                    told.conflicts += i64::from(conflict);
                    told.updated += i64::from(note != mine);
                    self.mine.insert(key, note);
                    self.bases.insert(key, Some(theirs));
                }
            }
        }
        told
    }
}

/// Two people at one store.
struct Two {
    service: Service,
    store: Arc<dyn Store>,
    author: Viewer,
    other: Viewer,
    slug: String,
    deck: DeckId,
    inner: DeckId,
    notes: BTreeMap<usize, NoteId>,
    clone: Option<DeckId>,
    trash: Option<TrashId>,
    release: i64,
}

/// What somebody sees of a deck: its notes with their first cards, and the name of the inner deck.
type Seen = (Notes, BTreeMap<usize, (NoteId, CardId)>, String);

impl Two {
    async fn new(store: Arc<impl Store + 'static>) -> Self {
        let outbox = Outbox::start(NAME, store.clone(), Vec::new());
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let service = Service::new(store.clone(), outbox, clock);
        let [author, other] =
            [(); 2].map(|()| Viewer::new(UserId::new(), SessionId::new(), Roles::default()));
        let make = async |name: &str, parent| {
            let name = Name::new("name", name).unwrap();
            let new = NewDeck {
                id: None,
                name,
                description: Description::default(),
                color: None,
                parent,
            };
            service.create_deck(&author, &new).await.unwrap().id
        };
        let deck = make("deck", None).await;
        let inner = make("a", Some(deck)).await;
        let slug = format!("deck-{}", uuid::Uuid::now_v7().simple());
        let (notes, clone, trash, release) = (BTreeMap::new(), None, None, 0);
        Self { service, store, author, other, slug, deck, inner, notes, clone, trash, release }
    }

    async fn seen(&self, viewer: &Viewer, root: DeckId) -> Seen {
        let all = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
        let inside = self.service.child_pages(viewer, vec![root], all).await.unwrap();
        let [inner] = &inside[&root].rows[..] else { panic!("one deck lies in it") };
        let (mut notes, mut ids) = (Notes::new(), BTreeMap::new());
        for deck in self.service.decks(viewer, vec![root, inner.id]).await.unwrap() {
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
                    inner: deck.id == inner.id,
                };
                assert_eq!(note.cards[0].question, written.sides[0]);
                let key = fields[2].value.parse().unwrap();
                assert_eq!(notes.insert(key, written), None, "each note once");
                ids.insert(key, (note.note.id, card_of[&note.note.id]));
            }
        }
        (notes, ids, inner.name.clone())
    }

    async fn write(&self, viewer: &Viewer, id: NoteId, written: &Written) {
        let field =
            |name: &str, value: &str| FieldEdit { name: name.into(), value: Some(value.into()) };
        let fields = vec![field("Front", written.sides[0]), field("Back", written.sides[1])];
        let tags = Some(tags(written));
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

    async fn by_author(&mut self, model: &mut Model, (what, one, other): Step) {
        let key = model.author.keys().nth(one % model.author.len().max(1)).copied();
        match (what % 6, key) {
            (0, _) | (_, None) => {
                let key = self.notes.len();
                let written = Written {
                    sides: [VALUES[one % 3], VALUES[other % 3]],
                    tags: [one % 2 == 0, false],
                    inner: other % 2 == 0,
                };
                let values = [("Front", written.sides[0]), ("Back", written.sides[1])];
                let mut fields: Vec<FieldEdit> = values
                    .map(|(name, value)| FieldEdit { name: name.into(), value: Some(value.into()) })
                    .into();
                fields.push(FieldEdit { name: "Key".into(), value: Some(key.to_string()) });
                let content = Content::new("fields", NoteKind::Basic, fields).unwrap();
                let tags = tags(&written);
                let new = NewNote { id: None, card: None, guid: None, content, tags, source: None };
                let deck = if written.inner { self.inner } else { self.deck };
                let (_, made) =
                    self.service.create_notes(&self.author, deck, &[new]).await.unwrap();
                self.notes.insert(key, made[0].note.id);
                model.author.insert(key, written);
            }
            (1 | 2, Some(key)) => {
                let written = model.author.get_mut(&key).unwrap();
                change(written, one, other);
                self.write(&self.author, self.notes[&key], written).await;
            }
            (3, Some(key)) => {
                self.service.delete_notes(&self.author, &[self.notes[&key]]).await.unwrap();
                model.author.remove(&key);
            }
            (4, Some(key)) => {
                let written = model.author.get_mut(&key).unwrap();
                written.inner = !written.inner;
                let (_, ids, _) = self.seen(&self.author, self.deck).await;
                let deck = Some(if written.inner { self.inner } else { self.deck });
                let to = Move { cards: vec![ids[&key].1], deck, before: None };
                self.service.move_cards(&self.author, &to).await.unwrap();
            }
            _ => {
                model.name = VALUES[other % 3];
                self.rename(&self.author, self.inner, model.name).await;
            }
        }
    }

    async fn by_other(&mut self, model: &mut Model, clone: DeckId, (what, one, other): Step) {
        let (_, ids, _) = self.seen(&self.other, clone).await;
        let key = model.mine.keys().nth(one % model.mine.len().max(1)).copied();
        match (what % 5, key) {
            (0 | 1, Some(key)) => {
                let written = model.mine.get_mut(&key).unwrap();
                change(written, one, other);
                self.write(&self.other, ids[&key].0, written).await;
            }
            (2, Some(key)) => {
                let gone = self.service.delete_notes(&self.other, &[ids[&key].0]).await.unwrap();
                self.trash = Some(gone);
                model.deleted = model.mine.remove(&key).map(|written| (key, written));
            }
            (3, _) => {
                let Some((key, written)) = model.deleted.take() else { return };
                self.service.restore(&self.other, self.trash.unwrap()).await.unwrap();
                model.mine.insert(key, written);
            }
            _ => {
                let all = PageRequest { direction: Direction::Forward, limit: 5, cursor: None };
                let inside = self.service.child_pages(&self.other, vec![clone], all).await.unwrap();
                model.my_name = VALUES[other % 3];
                self.rename(&self.other, inside[&clone].rows[0].id, model.my_name).await;
            }
        }
    }

    async fn step(&mut self, model: &mut Model, (what, one, other): Step) {
        match (what % 10, self.clone) {
            (0..=2, _) => self.by_author(model, (what / 10, one, other)).await,
            (3..=5, Some(clone)) => self.by_other(model, clone, (what / 10, one, other)).await,
            (6, _) if one % 8 == 0 && model.latest.is_some() => {
                self.service.unpublish(&self.author, self.deck).await.unwrap();
                model.listed = false;
            }
            (6 | 7, _) => {
                let published = self.publish().await;
                if model.author.is_empty() {
                    assert!(matches!(published, Err(Error::Invalid { .. })), "{published:?}");
                    return;
                }
                let release = published.unwrap();
                let now = Some((model.author.clone(), model.name));
                // Where a note lies among others is part of a release too, which the model does not know.
                assert!((self.release..=self.release + 1).contains(&release));
                assert!(model.latest == now || release == self.release + 1);
                assert_eq!(self.publish_again(release).await, release, "nothing differs");
                self.release = release;
                (model.latest, model.listed) = (now, true);
            }
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
            (_, Some(clone)) => {
                let take_theirs = one % 2 == 0;
                let pull = |dry_run| Pull {
                    deck: clone,
                    dry_run,
                    take_theirs,
                    choices: Vec::new(),
                    expected_release: None,
                };
                let (_, before, _) = self.seen(&self.other, clone).await;
                let planned = self.service.pull(&self.other, &pull(true)).await;
                let pulled = self.service.pull(&self.other, &pull(false)).await;
                if !model.listed {
                    assert!(matches!(pulled, Err(Error::NotFound { .. })), "{pulled:?}");
                    return;
                }
                let (planned, pulled) = (planned.unwrap(), pulled.unwrap());
                assert_eq!(planned.conflicts, pulled.conflicts);
                let told = |pulled: &decks::service::Pulled| Told {
                    added: pulled.added,
                    updated: pulled.updated,
                    deleted: pulled.deleted,
                    conflicts: pulled.conflicts.len() as i64,
                };
                assert_eq!(told(&planned), told(&pulled));
                assert_eq!(told(&pulled), model.pull(take_theirs));
                let (_, after, _) = self.seen(&self.other, clone).await;
                for (key, ids) in &after {
                    assert!(before.get(key).is_none_or(|before| before == ids), "what is learned");
                }
            }
        }
    }

    async fn publish_again(&mut self, release: i64) -> i64 {
        self.release = release;
        self.publish().await.unwrap()
    }

    async fn run(mut self, steps: Vec<Step>) {
        let mut model = Model { name: "a", ..Model::default() };
        for (nth, step) in steps.into_iter().enumerate() {
            Box::pin(self.step(&mut model, step)).await;
            let (notes, _, name) = self.seen(&self.author, self.deck).await;
            assert_eq!(
                (notes, &*name),
                (model.author.clone(), model.name),
                "after {nth}: {step:?}"
            );
            if let Some(clone) = self.clone {
                let (notes, _, name) = self.seen(&self.other, clone).await;
                let expected = (model.mine.clone(), model.my_name);
                assert_eq!((notes, &*name), expected, "after {nth}: {step:?}");
            }
        }
    }
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
    sequences(24, 80, |steps| {
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
    sequences(6, 60, |steps| {
        runtime.block_on(async { Box::pin(Two::new(store.clone()).await.run(steps)).await });
    });
}
