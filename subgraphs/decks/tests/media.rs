//! The rules of media, on both stores: names, what is stored once, limits, deletion, and the end of an account.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;

use bytes::Bytes;
use common::endpoint::Domain;
use common::event::UserChanged;
use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::sqlite::Sqlite;
use common::viewer::Roles;
use common::{Clock, Error, Event, MediaId, NoteId, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{Media, MediaFilter, MediaLimits, NewMedia};
use decks::service::Service;
use decks::store::media::CHUNK;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use decks::store::{Changes, Commit, Store};
use futures::TryStreamExt;
use mongodb::bson::{DateTime, doc};

const LIMITS: MediaLimits = MediaLimits { file_bytes: 1 << 20, files: 5, bytes: 2 << 20 };

fn viewer() -> Viewer {
    Viewer::new(UserId::new(), SessionId::new(), Roles::default())
}

fn service(store: Arc<impl Store + 'static>) -> Service {
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    Service::new(store, outbox, Clock::System).with_media_limits(LIMITS)
}

/// A PNG of so many bytes.
fn png(filling: u8, size: usize) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.resize(size, filling);
    bytes.into()
}

fn file(name: &str, bytes: &Bytes) -> NewMedia {
    NewMedia::new("input", name, bytes.clone(), &LIMITS).unwrap()
}

async fn bytes(service: &Service, media: &Media, range: std::ops::Range<u64>) -> Vec<u8> {
    let chunks: Vec<Bytes> = service.read_media(media, range).try_collect().await.unwrap();
    chunks.concat()
}

fn first_page() -> PageRequest<String> {
    PageRequest { direction: Direction::Forward, limit: 100, cursor: None }
}

async fn on_both<F: Future<Output = ()>, G: Future<Output = ()>>(
    sqlite: impl FnOnce(Arc<SqliteStore>) -> F,
    mongo: impl FnOnce(Arc<MongoStore>) -> G,
) {
    let (_folder, file) = testing::sqlite(MIGRATIONS);
    sqlite(Arc::new(SqliteStore::new(file))).await;
    mongo(Arc::new(MongoStore::open(testing::mongo().await).await.unwrap())).await;
}

#[tokio::test]
async fn the_same_bytes_are_stored_once_and_a_taken_name_gets_one_beside_it() {
    async fn run(store: Arc<impl Store + 'static>) {
        let (service, viewer, other) = (service(store.clone()), viewer(), viewer());
        let (one, two) = (png(1, 100), png(2, 200));
        let files = [file("a.png", &one), file("b.png", &one), file("a.png", &two)];
        let stored = service.store_media(&viewer, &files).await.unwrap();
        let names: Vec<&str> = stored.iter().map(|media| media.name.text()).collect();
        let beside = files[2].name.beside(files[2].hash);
        assert_eq!(names, ["a.png", "b.png", beside.text()]);
        let owner = store.owner(viewer.user).await.unwrap();
        assert_eq!((owner.media_count, owner.media_bytes), (3, 300));
        // Once more it is all there already.
        assert_eq!(service.store_media(&viewer, &files).await.unwrap(), stored);
        assert_eq!(store.owner(viewer.user).await.unwrap(), owner);
        // Another person sees nothing of it.
        let theirs = service.store_media(&other, &files[2..]).await.unwrap();
        assert_eq!(theirs[0].name.text(), "a.png");
        let ids = stored.iter().map(|media| media.id).collect();
        assert_eq!(service.media(&other, ids).await.unwrap(), []);

        // Bytes stay as long as a file has them.
        service.delete_media(&viewer, &[stored[0].id]).await.unwrap();
        assert_eq!(bytes(&service, &stored[1], 0..100).await, one);
        service.delete_media(&viewer, &[stored[1].id]).await.unwrap();
        assert!(service.read_media(&stored[1], 0..100).try_collect::<Vec<_>>().await.is_err());
        let owner = store.owner(viewer.user).await.unwrap();
        assert_eq!((owner.media_count, owner.media_bytes), (1, 200));
        assert_eq!(bytes(&service, &theirs[0], 0..200).await, two);
        // The name is free again.
        let again = service.store_media(&viewer, &files[..1]).await.unwrap();
        assert_eq!(again[0].name.text(), "a.png");
    }
    on_both(run, run).await;
}

#[tokio::test]
async fn any_range_is_read_chunk_by_chunk() {
    async fn run(store: Arc<impl Store + 'static>) {
        let (service, viewer) = (service(store), viewer());
        let mut whole = png(0, CHUNK * 2 + 10).to_vec();
        for (n, byte) in whole.iter_mut().enumerate().skip(16) {
            *byte = (n % 253) as u8;
        }
        let whole = Bytes::from(whole);
        let stored = service.store_media(&viewer, &[file("a.png", &whole)]).await.unwrap();
        let (chunk, size) = (CHUNK as u64, whole.len() as u64);
        for range in [
            0..size,
            0..1,
            size - 1..size,
            chunk - 1..chunk + 1,
            chunk..2 * chunk,
            5..size - 5,
            7..7,
        ] {
            let expected = &whole[range.start as usize..range.end as usize];
            assert_eq!(bytes(&service, &stored[0], range.clone()).await, expected, "{range:?}");
        }
    }
    on_both(run, run).await;
}

#[tokio::test]
async fn limits_hold_and_nothing_is_stored_beyond_them() {
    async fn run(store: Arc<impl Store + 'static>) {
        let (service, viewer) = (service(store.clone()), viewer());
        let big: Vec<NewMedia> =
            (0..3).map(|n| file(&format!("{n}.png"), &png(n, 1 << 20))).collect();
        let error = service.store_media(&viewer, &big).await.unwrap_err();
        assert!(matches!(&error, Error::LimitExceeded { message } if message.contains("2097152")));
        assert_eq!(store.owner(viewer.user).await.unwrap().revision, 0);
        service.store_media(&viewer, &big[..2]).await.unwrap();
        // The same bytes take no room.
        let names = ["c.png", "d.png", "e.png"];
        let same: Vec<NewMedia> = names.map(|name| file(name, &png(0, 1 << 20))).into();
        service.store_media(&viewer, &same).await.unwrap();
        let more = [file("f.png", &png(0, 1 << 20))];
        let error = service.store_media(&viewer, &more).await.unwrap_err();
        assert!(matches!(&error, Error::LimitExceeded { message } if message.contains("5 media")));
        let filter = MediaFilter::default();
        assert_eq!(service.media_totals(&viewer, filter).await.unwrap().files, 5);

        for (ids, named) in [
            (vec![], "input.ids: names 0 files"),
            (vec![MediaId::new(); 2], "is given twice"),
            (vec![MediaId::new()], "media file"),
        ] {
            let error = service.delete_media(&viewer, &ids).await.unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let theirs = service.media_page(&viewer, filter, first_page()).await.unwrap().rows[0].id;
        let error = service.delete_media(&self::viewer(), &[theirs]).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }));
    }
    on_both(run, run).await;
}

#[tokio::test]
async fn both_names_may_be_taken() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let (service, viewer) = (service(Arc::new(SqliteStore::new(sqlite))), viewer());
    let wanted = file("a.png", &png(1, 100));
    let beside = wanted.name.beside(wanted.hash);
    let others = [file("a.png", &png(2, 100)), file(beside.text(), &png(3, 100))];
    service.store_media(&viewer, &others).await.unwrap();
    let error = service.store_media(&viewer, &[wanted]).await.unwrap_err();
    assert!(matches!(&error, Error::Conflict(message) if message.contains(beside.text())));
}

#[tokio::test]
async fn an_account_that_ends_leaves_no_media_and_gets_none() {
    async fn run(store: Arc<impl Store + 'static>) {
        let limits = MediaLimits { files: 100, ..LIMITS };
        let (service, viewer, other) =
            (service(store.clone()).with_media_limits(limits), viewer(), viewer());
        let files: Vec<NewMedia> =
            (0..50).map(|n| file(&format!("{n}.png"), &png(n, 64))).collect();
        let stored = service.store_media(&viewer, &files).await.unwrap();
        let kept = service.store_media(&other, &files[..1]).await.unwrap();
        let gone = UserChanged {
            user: viewer.user,
            version: 2,
            deleted: true,
            time_zone: "UTC".into(),
            rollover_hour: 4,
        };
        service.apply(&[Event::User(gone)]).await.unwrap();
        let ids = stored.iter().map(|media| media.id).collect();
        assert_eq!(store.media(ids).await.unwrap(), []);
        for media in stored {
            assert_eq!(store.media_chunk(viewer.user, media.hash, 0).await.unwrap(), None);
        }
        let owner = store.owner(viewer.user).await.unwrap();
        assert_eq!((owner.media_count, owner.media_bytes, owner.gone), (0, 0, true));
        let error = service.store_media(&viewer, &files[..1]).await.unwrap_err();
        assert!(matches!(error, Error::Unauthenticated));
        assert_eq!(bytes(&service, &kept[0], 0..64).await, files[0].bytes);
    }
    on_both(run, run).await;
}

/// The files of `user` that a note of before names.
async fn found_in_old_notes(store: &impl Store, user: UserId) {
    let media = ["a.png", "b.png"].map(|name| file(name, &png(1, 100)));
    let now = Clock::System.now();
    let new_media = media.map(|new| Media {
        id: MediaId::new(),
        owner: user,
        name: new.name,
        hash: new.hash,
        kind: new.kind,
        size: 100,
        created_at: now,
    });
    let changes = Changes { new_media: new_media.into(), ..Changes::default() };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Done);
    let unused = MediaFilter { unused: Some(true), ..MediaFilter::default() };
    let page = store.media_page(user, unused, first_page()).await.unwrap();
    assert_eq!(page.rows.iter().map(|media| media.name.text()).collect::<Vec<_>>(), ["b.png"]);
}

#[tokio::test]
async fn notes_of_before_are_read_for_names() {
    let user = UserId::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decks.db");
    // Before there were media.
    let old = Sqlite::open(&path, &MIGRATIONS[..3]).unwrap();
    let written = old.write(move |connection| {
        for (n, fields) in
            ["[[\"Front\",\"<img src=a.png>\"]]", "[[\"Front\",\"plain\"]]"].iter().enumerate()
        {
            let sql = "INSERT INTO note VALUES (?1, ?2, ?3, 0, ?4, '[]', 0, 0, 1)";
            connection
                .execute(sql, rusqlite::params![NoteId::new(), user, n.to_string(), fields])?;
        }
        Ok(())
    });
    written.await.unwrap();
    drop(old);
    let store = SqliteStore::open(Sqlite::open(&path, MIGRATIONS).unwrap()).await.unwrap();
    found_in_old_notes(&store, user).await;

    let mongo = testing::mongo().await;
    let note = doc! {
        "_id": NoteId::new(), "owner": user, "guid": "g", "kind": 0i64, "fields": [["Front", "<img src=a.png>"]],
        "createdAt": DateTime::from_millis(0), "updatedAt": DateTime::from_millis(0), "version": 1i64, "tags": [], "tagKeys": [],
    };
    mongo.collection("notes").insert_one(note).await.unwrap();
    found_in_old_notes(&MongoStore::open(mongo).await.unwrap(), user).await;
}
