//! Files of public decks, on both stores: who reaches them and when, what clones have of them, limits, and that nothing is left.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use common::endpoint::Domain;
use common::event::UserChanged;
use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{Clock, DeckId, Error, Event, MediaId, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{
    ChangeNote, Content, ContentHash, Description, FieldEdit, Licence, MAX_BATCH,
    MAX_MEDIA_OF_NOTE, MAX_PUBLISHED_FILES, MediaFilter, MediaLimits, MediaName, Name, NewClone,
    NewDeck, NewMedia, NewNote, NoteEdit, NoteKind, Publication, Publish, PublishedMedia, Pull,
    Slug, TRASH_KEPT, Tags,
};
use decks::service::{Pulled, Service};
use decks::store::mongo::MongoStore;
use decks::store::sharing::ShareChanges;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use decks::store::{Changes, Commit, Store};
use futures::TryStreamExt;
use jiff::SignedDuration;

const LIMITS: MediaLimits = MediaLimits { file_bytes: 1 << 20, files: 4, bytes: 2_000 };

fn viewer() -> Viewer {
    Viewer::new(UserId::new(), SessionId::new(), Roles::default())
}

/// A PNG of so many bytes.
fn png(filling: u8, size: usize) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.resize(size, filling);
    bytes.into()
}

/// What a file is called in what is published.
fn published(name: &str, bytes: &Bytes) -> String {
    let name = MediaName::new("name", name).unwrap();
    decks::model::published_name(&name, ContentHash::of(bytes)).text().to_owned()
}

/// An author with a deck, and the others.
struct World {
    service: Service,
    store: Arc<dyn Store>,
    clock: Clock,
    author: Viewer,
    deck: DeckId,
}

impl World {
    async fn new(store: Arc<impl Store + 'static>) -> Self {
        Self::within(store, LIMITS).await
    }

    async fn within(store: Arc<impl Store + 'static>, limits: MediaLimits) -> Self {
        let outbox = Outbox::start(NAME, store.clone(), Vec::new());
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let service = Service::new(store.clone(), outbox, clock.clone()).with_media_limits(limits);
        let (author, name) = (viewer(), Name::new("name", "Cells").unwrap());
        let description = Description::default();
        let new = NewDeck { id: None, name, description, color: None, parent: None };
        let deck = service.create_deck(&author, &new).await.unwrap().id;
        Self { service, store, clock, author, deck }
    }

    async fn upload(&self, who: &Viewer, name: &str, bytes: &Bytes) -> MediaId {
        let new = NewMedia::new("input", name, bytes.clone(), &LIMITS).unwrap();
        let stored = self.service.store_media(who, &[new]).await.unwrap();
        assert_eq!(stored[0].name.text(), name);
        stored[0].id
    }

    async fn note(&self, front: &str, back: &str) -> decks::service::NoteWithCards {
        let content = Content::new("fields", NoteKind::Basic, fields(front, back)).unwrap();
        let tags = Tags::default();
        let new = NewNote { id: None, card: None, guid: None, content, tags, source: None };
        let (_, notes) = self.service.create_notes(&self.author, self.deck, &[new]).await.unwrap();
        notes[0].clone()
    }

    fn publishing(&self) -> Publish {
        Publish {
            deck: self.deck,
            slug: Some(Slug::new("slug", "cells").unwrap()),
            title: None,
            description: None,
            tags: None,
            licence: Some(Licence::Cc0),
            author: None,
            change_note: ChangeNote::default(),
            expected_release: None,
        }
    }

    async fn publish(&self) -> decks::model::Publication {
        self.service.publish(&self.author, &self.publishing()).await.unwrap()
    }

    async fn clone(&self, who: &Viewer) -> Result<DeckId, Error> {
        let new = NewClone { slug: "cells".into(), id: None, parent: None };
        Ok(self.service.clone_deck(who, &new).await?.id)
    }

    async fn pull(&self, who: &Viewer, deck: DeckId, dry_run: bool) -> Pulled {
        let pull =
            Pull { deck, dry_run, take_theirs: false, choices: Vec::new(), expected_release: None };
        self.service.pull(who, &pull).await.unwrap()
    }

    /// What is on the backs of a person's notes in a deck, by fronts.
    async fn backs(&self, who: &Viewer, deck: DeckId) -> BTreeMap<String, String> {
        let outline = self.store.outline(deck).await.unwrap();
        let ids = outline.iter().map(|card| card.note).collect();
        let notes = self.service.notes(who, ids).await.unwrap();
        let sides = |note: decks::service::NoteWithCards| {
            let fields = note.note.content.fields();
            (fields[0].value.clone(), fields[1].value.clone())
        };
        notes.into_iter().map(sides).collect()
    }

    /// A person's files with their bytes.
    async fn files(&self, who: &Viewer) -> BTreeMap<String, Bytes> {
        let page = PageRequest { direction: Direction::Forward, limit: 100, cursor: None };
        let filter = MediaFilter::default();
        let mut files = BTreeMap::new();
        for media in self.service.media_page(who, filter, page).await.unwrap().rows {
            let size = u64::try_from(media.size).unwrap();
            let bytes: Vec<Bytes> =
                self.service.read_media(&media, 0..size).try_collect().await.unwrap();
            files.insert(media.name.text().to_owned(), bytes.concat().into());
        }
        files
    }

    /// What the gateway is given for an address.
    async fn served(&self, who: &Viewer, id: MediaId) -> Option<Bytes> {
        let info = self.service.file(who, id.uuid()).await.unwrap();
        let range = 0..info.as_ref().map_or(1, |info| info.size);
        let bytes = self.service.file_bytes(who, id.uuid(), range).await.unwrap();
        assert_eq!(info.is_some(), bytes.is_some());
        let bytes: Vec<Bytes> = bytes?.try_collect().await.unwrap();
        Some(bytes.concat().into())
    }

    async fn used(&self, who: &Viewer) -> (i64, i64) {
        let owner = self.store.owner(who.user).await.unwrap();
        (owner.media_count, owner.media_bytes)
    }

    async fn has_chunk(&self, who: &Viewer, bytes: &Bytes) -> bool {
        let chunk = self.store.media_chunk(who.user, ContentHash::of(bytes), 0).await;
        chunk.unwrap().is_some()
    }
}

fn fields(front: &str, back: &str) -> Vec<FieldEdit> {
    let field =
        |name: &str, value: &str| FieldEdit { name: name.into(), value: Some(value.into()) };
    vec![field("Front", front), field("Back", back)]
}

async fn on_both(run: impl AsyncFn(World)) {
    let (_folder, file) = testing::sqlite(MIGRATIONS);
    Box::pin(run(World::new(Arc::new(SqliteStore::new(file))).await)).await;
    let mongo = MongoStore::open(testing::mongo().await).await.unwrap();
    Box::pin(run(World::new(Arc::new(mongo)).await)).await;
}

#[tokio::test]
async fn a_clone_has_the_files_that_its_notes_name_and_nobody_reaches_others() {
    on_both(async |world| {
        let (author, other, stranger) = (&world.author, viewer(), viewer());
        let (cell, secret, own) = (png(1, 500), png(2, 300), png(3, 400));
        let id = world.upload(author, "cell.png", &cell).await;
        let hidden = world.upload(author, "secret.png", &secret).await;
        world.note("cell", "cell.png is ![](media:cell.png)").await;
        world.note("html", "<img src=\"cell.png\"> [sound:absent.mp3]").await;
        let own_id = world.upload(&other, "cell.png", &own).await;
        let deck = world.publish().await;
        assert_eq!((deck.media_count, deck.media_bytes), (1, 500));
        assert_eq!(world.used(author).await, (2, 800), "nothing is copied");

        let name = published("cell.png", &cell);
        let public = PublishedMedia::id_of(deck.id, &MediaName::new("n", &name).unwrap());
        assert_eq!(world.served(&stranger, public).await, Some(cell.clone()));
        for private in [id, hidden, own_id] {
            assert_eq!(world.served(&stranger, private).await, None);
        }
        let guessed = MediaName::new("n", &published("secret.png", &secret)).unwrap();
        assert_eq!(world.served(&stranger, PublishedMedia::id_of(deck.id, &guessed)).await, None);

        let clone = world.clone(&other).await.unwrap();
        let backs = world.backs(&other, clone).await;
        assert_eq!(backs["cell"], format!("cell.png is ![](media:{name})"));
        assert_eq!(backs["html"], format!("<img src=\"{name}\"> [sound:absent.mp3]"));
        let expected = [("cell.png".to_owned(), own.clone()), (name.clone(), cell.clone())];
        assert_eq!(world.files(&other).await, BTreeMap::from(expected));
        assert_eq!(world.used(&other).await, (2, 900));
        let again = world.pull(&other, clone, false).await;
        assert_eq!((again.updated, again.media.added, again.media.left_out_count), (0, 0, 0));

        // What one publishes of a clone names the same files.
        let slug = Some(Slug::new("slug", "again").unwrap());
        let new = Publish { deck: clone, slug, ..world.publishing() };
        let second = world.service.publish(&other, &new).await.unwrap();
        let files = world.store.published_media_of(second.id, 9).await.unwrap();
        assert_eq!(files.iter().map(|file| file.name.text()).collect::<Vec<_>>(), [&*name]);

        // It is served no longer than it is public; clones keep what they have.
        world.service.unpublish(author, world.deck).await.unwrap();
        assert_eq!(world.served(&stranger, public).await, None);
        assert_eq!(world.files(&other).await.len(), 2);
        let back = world.publish().await;
        assert_eq!(back.release, 1, "the same release is public again");
        assert_eq!(world.served(&stranger, public).await, Some(cell));
    })
    .await;
}

#[tokio::test]
async fn a_pull_brings_the_files_that_the_author_replaced() {
    on_both(async |world| {
        let (author, other) = (&world.author, viewer());
        let (before, after) = (png(1, 500), png(2, 600));
        let id = world.upload(author, "cell.png", &before).await;
        world.note("cell", "![](media:cell.png)").await;
        let plain = world.note("plain", "no file").await;
        world.publish().await;
        let clone = world.clone(&other).await.unwrap();
        let mine = world.store.outline(clone).await.unwrap();
        for card in mine {
            // The owner writes something else of each note.
            let fields = vec![FieldEdit { name: "Own".into(), value: Some("mine".into()) }];
            let id = card.note;
            let edit = NoteEdit { id, kind: None, fields, tags: None, expected_version: None };
            world.service.update_notes(&other, &[edit]).await.unwrap();
        }
        world.service.delete_media(author, &[id]).await.unwrap();
        assert_eq!(world.used(author).await, (0, 500), "it is still public");
        assert!(world.clone(&viewer()).await.is_ok(), "and cloned");
        world.upload(author, "cell.png", &after).await;
        let edit = NoteEdit {
            id: plain.note.id,
            kind: None,
            fields: fields("plain", "[sound:absent.mp3] and ![](media:cell.png)"),
            tags: None,
            expected_version: None,
        };
        world.service.update_notes(author, &[edit]).await.unwrap();
        assert_eq!(world.publish().await.release, 2);
        assert_eq!(world.used(author).await, (1, 600), "what was replaced is gone");
        assert!(!world.has_chunk(author, &before).await);

        let planned = world.pull(&other, clone, true).await;
        assert_eq!((planned.updated, planned.media.added), (2, 1));
        assert_eq!(world.used(&other).await, (1, 500), "nothing has changed");
        let pulled = world.pull(&other, clone, false).await;
        assert_eq!(pulled.media, planned.media);
        assert_eq!((pulled.updated, pulled.conflicts.len()), (2, 0));
        let (old, new) = (published("cell.png", &before), published("cell.png", &after));
        let backs = world.backs(&other, clone).await;
        assert_eq!(backs["cell"], format!("![](media:{new})"));
        assert_eq!(backs["plain"], format!("[sound:absent.mp3] and ![](media:{new})"));
        assert_eq!(world.files(&other).await, BTreeMap::from([(old, before), (new, after)]));
    })
    .await;
}

#[tokio::test]
async fn what_has_no_room_is_refused_by_a_clone_and_told_by_a_pull() {
    on_both(async |world| {
        let (author, full, other) = (&world.author, viewer(), viewer());
        let (large, small) = (png(1, 1_500), png(2, 100));
        world.upload(author, "large.png", &large).await;
        world.note("large", "![](media:large.png)").await;
        world.publish().await;
        let ballast = world.upload(&full, "ballast.png", &png(9, 1_000)).await;
        let refused = world.clone(&full).await.unwrap_err().to_string();
        let why = "there is no room for 1 of the 1 media files of the deck: a person has at most 2000 bytes of media";
        assert_eq!(refused, why);
        assert_eq!(world.store.owner(full.user).await.unwrap().deck_count, 0, "nothing is made");
        world.service.delete_media(&full, &[ballast]).await.unwrap();
        world.clone(&full).await.unwrap();
        assert_eq!(world.used(&full).await, (1, 1_500));

        let clone = world.clone(&other).await.unwrap();
        let ballast = world.upload(&other, "ballast.png", &png(8, 450)).await;
        world.upload(author, "small.png", &small).await;
        world.note("small", "![](media:small.png)").await;
        world.publish().await;
        for dry_run in [true, false, false] {
            let pulled = world.pull(&other, clone, dry_run).await;
            assert_eq!((pulled.media.added, pulled.media.left_out_count), (0, 1));
            let left = &pulled.media.left_out[0];
            assert_eq!((left.name.text(), left.size), (&*published("small.png", &small), 100));
            assert_eq!(left.reason, "a person has at most 2000 bytes of media");
        }
        let backs = world.backs(&other, clone).await;
        assert!(backs.contains_key("small"), "the note is there");
        world.service.delete_media(&other, &[ballast]).await.unwrap();
        let pulled = world.pull(&other, clone, false).await;
        assert_eq!((pulled.added, pulled.media.added, pulled.media.left_out_count), (0, 1, 0));
        assert_eq!(world.files(&other).await.len(), 2);

        // The number of files is bounded too.
        let many = viewer();
        for nth in 0..3 {
            world.upload(&many, &format!("{nth}.png"), &png(nth, 50)).await;
        }
        let refused = world.clone(&many).await.unwrap_err().to_string();
        assert!(refused.ends_with("a person has at most 4 media files"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_of_the_files_of_what_is_public_no_more() {
    on_both(async |world| {
        let (author, other) = (&world.author, viewer());
        let (one, two) = (png(1, 500), png(2, 700));
        let ids = [
            world.upload(author, "one.png", &one).await,
            world.upload(author, "two.png", &two).await,
        ];
        world.note("one", "![](media:one.png)").await;
        world.note("two", "![](media:two.png)").await;
        let deck = world.publish().await;
        let clone = world.clone(&other).await.unwrap();
        let left = async || world.store.published_media_of(deck.id, 9).await.unwrap().len();
        assert_eq!(left().await, 2);

        // Unpublishing lets go of bytes whose file is deleted, and of no others.
        world.service.delete_media(author, &ids[..1]).await.unwrap();
        assert!(world.has_chunk(author, &one).await);
        world.service.unpublish(author, world.deck).await.unwrap();
        assert_eq!((left().await, world.used(author).await), (0, (1, 700)));
        assert!(!world.has_chunk(author, &one).await && world.has_chunk(author, &two).await);

        // Whoever unlists it may break off before its files are gone: then it is looked after later.
        world.publish().await;
        assert_eq!(left().await, 1);
        let found = world.store.publications_of_decks(vec![world.deck]).await.unwrap().pop();
        let unlisted = Publication { listed: false, ..found.unwrap() };
        let sharing = ShareChanges { publications: vec![unlisted], ..ShareChanges::default() };
        let changes = Changes { sharing, ..Changes::default() };
        assert_eq!(world.store.commit(changes).await.unwrap(), Commit::Done);
        assert_eq!(left().await, 1);
        assert_eq!(world.store.unlisted_with_media(9).await.unwrap(), [(deck.id, author.user)]);
        world.service.drop_forgotten_media().await.unwrap();
        assert_eq!((left().await, world.used(author).await), (0, (1, 700)));
        assert_eq!(world.store.unlisted_with_media(9).await.unwrap(), []);

        // The same goes for a deck that goes to the trash, and what its owner stores meanwhile.
        assert_eq!(world.publish().await.media_count, 1);
        world.service.delete_media(author, &ids[1..]).await.unwrap();
        let again = world.upload(author, "two again.png", &two).await;
        assert_eq!(world.used(author).await, (1, 700), "the bytes were there");
        world.service.delete_deck(author, world.deck).await.unwrap();
        assert_eq!((left().await, world.used(author).await), (0, (1, 700)));
        world.service.delete_media(author, &[again]).await.unwrap();
        assert_eq!(world.used(author).await, (0, 0));
        assert!(!world.has_chunk(author, &two).await);
        world.clock.advance(TRASH_KEPT + SignedDuration::from_secs(1));
        while world.service.purge().await.unwrap() {}

        // An account that ends takes everything along, and no clone.
        let slug = Some(Slug::new("slug", "second").unwrap());
        let new = Publish { deck: clone, slug, ..world.publishing() };
        let second = world.service.publish(&other, &new).await.unwrap();
        let third = viewer();
        let copy = NewClone { slug: "second".into(), id: None, parent: None };
        world.service.clone_deck(&third, &copy).await.unwrap();
        let user = other.user;
        let (version, deleted) = (9, true);
        let (time_zone, rollover_hour) = ("UTC".into(), 4);
        let gone = UserChanged { user, version, deleted, time_zone, rollover_hour };
        world.service.apply(&[Event::User(gone)]).await.unwrap();
        assert_eq!(world.store.published_media_of(second.id, 9).await.unwrap(), []);
        assert_eq!(world.used(&other).await, (0, 0));
        for bytes in [&one, &two] {
            assert!(!world.has_chunk(&other, bytes).await);
            assert!(world.has_chunk(&third, bytes).await);
        }
    })
    .await;
}

#[tokio::test]
async fn too_many_files_are_not_published() {
    let (_folder, file) = testing::sqlite(MIGRATIONS);
    let world = World::within(Arc::new(SqliteStore::new(file)), MediaLimits::default()).await;
    let bytes = png(1, 30);
    let mut names: Vec<String> = (0..=MAX_PUBLISHED_FILES).map(|n| format!("{n}.png")).collect();
    for names in names.chunks(MAX_BATCH) {
        let new = |name: &String| NewMedia::new("input", name, bytes.clone(), &LIMITS).unwrap();
        let files: Vec<NewMedia> = names.iter().map(new).collect();
        world.service.store_media(&world.author, &files).await.unwrap();
    }
    let last = names.pop().unwrap();
    for (nth, names) in names.chunks(MAX_MEDIA_OF_NOTE).enumerate() {
        let back = names.iter().map(|name| format!("[sound:{name}]")).collect::<String>();
        world.note(&nth.to_string(), &back).await;
    }
    let most = i64::try_from(MAX_PUBLISHED_FILES).unwrap();
    assert_eq!(world.publish().await.media_count, most);
    world.note("one more", &format!("![](media:{last})")).await;
    let refused = world.service.publish(&world.author, &world.publishing()).await;
    let message = "10001 media files are too many to publish: at most 10000 are accepted";
    assert_eq!(refused.unwrap_err().to_string(), message);
    assert_eq!(world.service.public_deck("cells").await.unwrap().unwrap().release, 1);
}
