//! Media in the trash, on both stores: what comes back with what, what its bytes are kept for, and when it is deleted for good.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

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
    Content, ContentHash, Description, FieldEdit, Media, MediaFilter, MediaLimits, MediaName, Name,
    NewDeck, NewMedia, NewNote, NoteEdit, NoteKind, TRASH_KEPT, Tags, Trash, TrashKind,
};
use decks::service::{NoteWithCards, Service};
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use futures::TryStreamExt;
use jiff::SignedDuration;

const LIMITS: MediaLimits = MediaLimits { file_bytes: 10 << 20, files: 10, bytes: 1 << 30 };

fn viewer() -> Viewer {
    Viewer::new(UserId::new(), SessionId::new(), Roles::default())
}

/// A PNG of so many bytes.
fn png(filling: u8, size: usize) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.resize(size, filling);
    bytes.into()
}

fn fields(back: &str) -> Vec<FieldEdit> {
    let field =
        |name: &str, value: &str| FieldEdit { name: name.into(), value: Some(value.into()) };
    vec![field("Front", "front"), field("Back", back)]
}

/// Somebody with a deck.
struct World {
    service: Service,
    store: Arc<dyn Store>,
    clock: Clock,
    who: Viewer,
    deck: DeckId,
}

impl World {
    async fn new(store: Arc<impl Store + 'static>) -> Self {
        let outbox = Outbox::start(NAME, store.clone(), Vec::new());
        let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
        let service = Service::new(store.clone(), outbox, clock.clone()).with_media_limits(LIMITS);
        let (who, name) = (viewer(), Name::new("name", "Cells").unwrap());
        let description = Description::default();
        let new = NewDeck { id: None, name, description, color: None, parent: None };
        let deck = service.create_deck(&who, &new).await.unwrap().id;
        Self { service, store, clock, who, deck }
    }

    async fn upload(&self, name: &str, bytes: &Bytes) -> Media {
        let new = NewMedia::new("input", name, bytes.clone(), &LIMITS).unwrap();
        self.service.store_media(&self.who, &[new]).await.unwrap().remove(0)
    }

    async fn note(&self, back: &str) -> NoteWithCards {
        let content = Content::new("fields", NoteKind::Basic, fields(back)).unwrap();
        let tags = Tags::default();
        let new = NewNote { id: None, card: None, guid: None, content, tags, source: None };
        let made = self.service.create_notes(&self.who, self.deck, &[new]).await.unwrap();
        made.1[0].clone()
    }

    /// The names of the files that are there, each with whether all its bytes are.
    async fn files(&self) -> Vec<(String, bool)> {
        let page = PageRequest { direction: Direction::Forward, limit: 100, cursor: None };
        let found = self.service.media_page(&self.who, MediaFilter::default(), page).await;
        let mut files = Vec::new();
        for media in found.unwrap().rows {
            let is_whole = self.bytes(&media).await.is_some_and(|bytes| {
                ContentHash::of(&bytes) == media.hash && bytes.len() as i64 == media.size
            });
            files.push((media.name.text().to_owned(), is_whole));
        }
        files
    }

    async fn bytes(&self, media: &Media) -> Option<Vec<u8>> {
        let size = u64::try_from(media.size).unwrap();
        let read = self.service.read_media(media, 0..size).try_collect::<Vec<Bytes>>().await;
        read.ok().map(|pieces| pieces.concat())
    }

    /// How many files a person has by the count that limits them, and how many bytes.
    async fn used(&self) -> (i64, i64) {
        let owner = self.store.owner(self.who.user).await.unwrap();
        (owner.media_count, owner.media_bytes)
    }

    async fn trash(&self) -> Vec<Trash> {
        let page = PageRequest { direction: Direction::Forward, limit: 100, cursor: None };
        self.store.trash_page(self.who.user, page).await.unwrap().rows
    }

    /// Some time goes by, and what is too old is deleted for good.
    async fn after(&self, time: SignedDuration) {
        self.clock.advance(time);
        while self.service.purge().await.unwrap() {}
    }
}

fn there(names: &[&str]) -> Vec<(String, bool)> {
    names.iter().map(|name| ((*name).to_owned(), true)).collect()
}

async fn on_both(run: impl AsyncFn(World)) {
    let (_folder, file) = testing::sqlite(MIGRATIONS);
    run(World::new(Arc::new(SqliteStore::new(file))).await).await;
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    run(World::new(Arc::new(store)).await).await;
}

const A_MOMENT: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn a_file_in_the_trash_comes_back_until_it_is_deleted_for_good() {
    on_both(async |world| {
        let (one, two) = (png(1, 600_000), png(2, 300));
        let first = world.upload("a.png", &one).await;
        let second = world.upload("b.png", &two).await;
        world.upload("same as a.png", &one).await;
        assert_eq!(world.used().await, (3, 600_300));
        let ids = [first.id, second.id];
        let entry = world.service.trash_media(&world.who, &ids).await.unwrap();
        assert_eq!(world.files().await, there(&["same as a.png"]));
        assert_eq!(world.service.media(&world.who, ids.to_vec()).await.unwrap(), []);
        assert!(world.service.file(&world.who, first.id.uuid()).await.unwrap().is_none());
        assert_eq!(world.used().await, (3, 600_300), "it counts until it is gone");
        let [listed] = &world.trash().await[..] else { panic!("one entry") };
        assert_eq!((listed.id, listed.kind, &*listed.title), (entry, TrashKind::Media, "a.png"));
        assert_eq!((listed.media_count, listed.card_count, listed.deck_count), (2, 0, 0));

        // Nobody else's, all or none, and no twice.
        let error = world.service.restore(&viewer(), entry).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }));
        let error = world.service.trash_media(&world.who, &ids).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }));

        world.after(TRASH_KEPT).await;
        world.service.restore(&world.who, entry).await.unwrap();
        assert_eq!(world.files().await, there(&["a.png", "b.png", "same as a.png"]));
        let found = world.service.media(&world.who, vec![first.id]).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&first));
        assert_eq!((world.used().await, world.trash().await), ((3, 600_300), Vec::new()));
        assert!(world.service.restore(&world.who, entry).await.is_err(), "once only");

        // Bytes stay as long as anything has them.
        let entry = world.service.trash_media(&world.who, &ids).await.unwrap();
        world.after(TRASH_KEPT + A_MOMENT).await;
        assert!(world.service.restore(&world.who, entry).await.is_err());
        assert_eq!((world.used().await, world.trash().await), ((1, 600_000), Vec::new()));
        assert_eq!(world.files().await, there(&["same as a.png"]));
        assert_eq!(world.bytes(&second).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_free_while_its_file_lies_in_the_trash() {
    on_both(async |world| {
        let (one, two) = (png(1, 400), png(2, 300));
        let old = world.upload("a.png", &one).await;
        let again = [old.id];
        let entry = world.service.trash_media(&world.who, &again).await.unwrap();
        // Other bytes take the name: what comes back gets the one beside it.
        world.upload("a.png", &two).await;
        world.service.restore(&world.who, entry).await.unwrap();
        let beside = old.name.beside(old.hash);
        assert_eq!(world.files().await, there(&[beside.text(), "a.png"]));
        assert_eq!(world.used().await, (2, 700));
        // The same bytes were stored again: nothing is there twice.
        let entry = world.service.trash_media(&world.who, &again).await.unwrap();
        assert_eq!(world.upload("a.png", &one).await.name, beside);
        assert_eq!(world.used().await, (3, 700), "the bytes were there");
        world.service.restore(&world.who, entry).await.unwrap();
        assert_eq!((world.used().await, world.trash().await), ((2, 700), Vec::new()));
        assert_eq!(world.files().await, there(&[beside.text(), "a.png"]));
    })
    .await;
}

#[tokio::test]
async fn a_restored_note_shows_its_picture_again_and_one_that_is_gone_takes_it_along() {
    on_both(async |world| {
        for (nth, name) in ["own.png", "shared.png", "kept.png"].into_iter().enumerate() {
            world.upload(name, &png(nth as u8, 100 + nth)).await;
        }
        let note = world.note("![](media:own.png) ![](media:shared.png)").await;
        let other = world.note("![](media:shared.png)").await;
        let entry = world.service.delete_notes(&world.who, &[note.note.id]).await.unwrap();
        world.after(TRASH_KEPT).await;
        assert_eq!(world.files().await, there(&["kept.png", "own.png", "shared.png"]));
        world.service.restore(&world.who, entry).await.unwrap();
        assert_eq!(world.files().await, there(&["kept.png", "own.png", "shared.png"]));

        // With its note goes what nothing else names; what no note ever named stays.
        world.service.delete_notes(&world.who, &[note.note.id]).await.unwrap();
        world.after(TRASH_KEPT + A_MOMENT).await;
        assert_eq!(world.files().await, there(&["kept.png", "shared.png"]));
        assert_eq!(world.used().await, (2, 101 + 102));

        // An edit that no longer names a file loses nothing.
        let edit = NoteEdit {
            id: other.note.id,
            kind: None,
            fields: fields("plain"),
            tags: None,
            expected_version: None,
        };
        world.service.update_notes(&world.who, &[edit]).await.unwrap();
        world.after(TRASH_KEPT + A_MOMENT).await;
        assert_eq!(world.files().await, there(&["kept.png", "shared.png"]));

        // The same goes for a deck, and for a note of it that had been deleted before.
        let third = world.note("![](media:shared.png)").await;
        world.note("![](media:kept.png)").await;
        world.service.delete_notes(&world.who, &[third.note.id]).await.unwrap();
        world.clock.advance(A_MOMENT);
        world.service.delete_deck(&world.who, world.deck).await.unwrap();
        world.after(TRASH_KEPT).await;
        assert_eq!(world.files().await, there(&["kept.png"]));
        world.after(A_MOMENT).await;
        assert_eq!((world.files().await, world.used().await), (Vec::new(), (0, 0)));
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_for_good_makes_room_at_once_in_parts_that_are_bounded() {
    on_both(async |world| {
        // More bytes than one transaction deletes.
        let mut large = Vec::new();
        for nth in 0..7 {
            large.push(world.upload(&format!("{nth}.png"), &png(nth, 10 << 20)).await);
        }
        for nth in 7..10 {
            world.upload(&format!("{nth}.png"), &png(nth, 100)).await;
        }
        let new = NewMedia::new("input", "10.png", png(10, 100), &LIMITS).unwrap();
        let ids: Vec<MediaId> = large.iter().map(|file| file.id).collect();
        let entry = world.service.trash_media(&world.who, &ids).await.unwrap();
        let refused = world.service.store_media(&world.who, std::slice::from_ref(&new)).await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("at most 10 media files, those in the trash among them"),
            "{refused}"
        );
        world.service.restore(&world.who, entry).await.unwrap();
        world.service.delete_media(&world.who, &ids).await.unwrap();
        assert_eq!((world.used().await, world.trash().await), ((3, 300), Vec::new()));
        for file in &large {
            assert_eq!(world.bytes(file).await, None);
        }
        world.service.store_media(&world.who, &[new]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_account_that_ends_leaves_nothing_in_the_trash() {
    on_both(async |world| {
        let file = world.upload("a.png", &png(1, 100)).await;
        world.service.trash_media(&world.who, &[file.id]).await.unwrap();
        let gone = UserChanged {
            user: world.who.user,
            version: 2,
            deleted: true,
            time_zone: "UTC".into(),
            rollover_hour: 4,
        };
        world.service.apply(&[Event::User(gone)]).await.unwrap();
        assert_eq!((world.used().await, world.trash().await), ((0, 0), Vec::new()));
        assert_eq!(world.bytes(&file).await, None);
        let left = world.store.trashed_media(world.who.user, None, 9).await.unwrap();
        assert_eq!(left, []);
    })
    .await;
}

#[tokio::test]
async fn files_that_an_import_is_not_done_with_are_not_looked_at() {
    on_both(async |world| {
        let bytes = png(1, 100);
        let note = world.note("![](media:a.png)").await;
        let name = MediaName::new("name", "a.png").unwrap();
        let media = Media {
            id: MediaId::new(),
            owner: world.who.user,
            name,
            hash: ContentHash::of(&bytes),
            kind: decks::model::MediaKind::Png,
            size: 100,
            created_at: world.clock.now(),
        };
        let changes = decks::store::Changes {
            new_media: vec![media.clone()],
            staged_by: Some(common::TransferId::new()),
            ..Default::default()
        };
        assert_eq!(world.store.commit(changes).await.unwrap(), decks::store::Commit::Done);
        world.service.delete_notes(&world.who, &[note.note.id]).await.unwrap();
        world.after(TRASH_KEPT + A_MOMENT).await;
        assert_eq!(world.store.media(vec![media.id]).await.unwrap(), [media]);
    })
    .await;
}
