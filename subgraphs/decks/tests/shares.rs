//! The largest deck that can be published goes all the way on both stores: published, cloned, changed and pulled, in parts. And
//! what is left of a published deck that is deleted for good.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;

use common::outbox::Outbox;
use common::viewer::Roles;
use common::{Clock, DeckId, Error, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{
    ChangeNote, Content, Description, FieldEdit, Licence, MAX_BATCH, MAX_PUBLISHED_CARDS, Name,
    NewClone, NewDeck, NewNote, NoteEdit, NoteKind, Publish, Pull, Slug, TRASH_KEPT, Tag, Tagging,
    Tags,
};
use decks::service::{NoteWithCards, Service};
use decks::store::Store;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use jiff::SignedDuration;

fn viewer() -> Viewer {
    Viewer::new(UserId::new(), SessionId::new(), Roles::default())
}

fn new_note(nth: usize) -> NewNote {
    let field = |name: &str, value: String| FieldEdit { name: name.into(), value: Some(value) };
    let fields = vec![
        field("Front", format!("What is the number {nth} in the list?")),
        field("Back", format!("It is {nth}, as the question says, and nothing else.")),
    ];
    NewNote {
        id: None,
        card: None,
        guid: None,
        content: Content::new("fields", NoteKind::Basic, fields).unwrap(),
        tags: Tags::new("tags", vec![Tag::new("tag", "number").unwrap()]).unwrap(),
        source: None,
    }
}

fn publish(deck: DeckId) -> Publish {
    Publish {
        deck,
        slug: Some(Slug::new("slug", "large").unwrap()),
        title: None,
        description: None,
        tags: None,
        licence: Some(Licence::CcBy),
        author: None,
        change_note: ChangeNote::default(),
        expected_release: None,
    }
}

async fn make(service: &Service, viewer: &Viewer, deck: DeckId, count: usize) -> NoteWithCards {
    let notes: Vec<NewNote> = (0..count).map(new_note).collect();
    service.create_notes(viewer, deck, &notes).await.unwrap().1.pop().unwrap()
}

async fn the_largest_deck_goes_all_the_way(store: Arc<impl Store + 'static>) {
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    let service = Service::new(store, outbox, Clock::System);
    let (author, other) = (viewer(), viewer());
    let name = Name::new("name", "Numbers").unwrap();
    let new =
        NewDeck { id: None, name, description: Description::default(), color: None, parent: None };
    let deck = service.create_deck(&author, &new).await.unwrap().id;
    let mut last = Vec::new();
    for _ in 0..MAX_PUBLISHED_CARDS / MAX_BATCH {
        last.push(make(&service, &author, deck, MAX_BATCH).await);
    }
    let published = service.publish(&author, &publish(deck)).await.unwrap();
    assert_eq!(published.card_count, MAX_PUBLISHED_CARDS as i64);
    let new = NewClone { slug: "large".into(), id: None, parent: None };
    let clone = service.clone_deck(&other, &new).await.unwrap();
    assert_eq!(clone.card_count, MAX_PUBLISHED_CARDS as i64);

    // One card too many is refused, and what is public stays as it is.
    let more = make(&service, &author, deck, 1).await;
    let refused = service.publish(&author, &publish(deck)).await;
    assert!(matches!(refused, Err(Error::LimitExceeded { .. })), "{refused:?}");
    assert_eq!(service.public_deck("large").await.unwrap().unwrap().release, 1);
    service.delete_notes(&author, &[more.note.id]).await.unwrap();

    let field = FieldEdit { name: "Back".into(), value: Some("changed".into()) };
    let edit = |note: &NoteWithCards| NoteEdit {
        id: note.note.id,
        kind: None,
        fields: vec![field.clone()],
        tags: None,
        expected_version: None,
    };
    let edits: Vec<NoteEdit> = last.iter().map(edit).collect();
    service.update_notes(&author, &edits).await.unwrap();
    let tag = Tag::new("tag", "first").unwrap();
    let edit = Tagging { notes: vec![last[0].note.id], add: vec![tag], remove: Vec::new() };
    service.tag_notes(&author, &edit).await.unwrap();
    let published = service.publish(&author, &publish(deck)).await.unwrap();
    assert_eq!(published.release, 2);
    let pull = Pull {
        deck: clone.id,
        dry_run: false,
        take_theirs: false,
        choices: Vec::new(),
        expected_release: Some(2),
    };
    let pulled = service.pull(&other, &pull).await.unwrap();
    assert_eq!((pulled.added, pulled.updated, pulled.deleted), (0, last.len() as i64, 0));

    // Everything changes at once.
    let root = Name::new("to", "x").unwrap();
    let renamed = Publish { title: Some(root), ..publish(deck) };
    let [from, to] = ["number", "n"].map(|tag| Tag::new("tag", tag).unwrap());
    service.rename_tags(&author, std::slice::from_ref(&from), &to).await.unwrap();
    assert_eq!(service.publish(&author, &renamed).await.unwrap().release, 3);
    let pulled = service.pull(&other, &Pull { expected_release: None, ..pull }).await.unwrap();
    assert_eq!((pulled.updated, &*pulled.deck.name), (MAX_PUBLISHED_CARDS as i64, "x"));
}

async fn nothing_is_left_of_a_purged_deck(store: Arc<impl Store + 'static>) {
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
    let service = Service::new(store.clone(), outbox, clock.clone());
    let (author, other) = (viewer(), viewer());
    let name = Name::new("name", "Numbers").unwrap();
    let new =
        NewDeck { id: None, name, description: Description::default(), color: None, parent: None };
    let mut decks = Vec::new();
    for person in [&author, &other] {
        decks.push(service.create_deck(person, &new).await.unwrap().id);
        make(&service, person, decks[decks.len() - 1], 3).await;
    }
    let first = service.publish(&author, &publish(decks[0])).await.unwrap();
    let new = NewClone { slug: "large".into(), id: None, parent: None };
    let clone = service.clone_deck(&other, &new).await.unwrap();
    service.delete_deck(&author, decks[0]).await.unwrap();
    let taken = service.publish(&other, &publish(decks[1])).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    clock.advance(TRASH_KEPT + SignedDuration::from_secs(1));
    while service.purge().await.unwrap() {}
    assert_eq!(store.release_places(first.id, 1).await.unwrap(), []);
    // The slug is free, and the clone is none of what has it now.
    let second = service.publish(&other, &publish(decks[1])).await.unwrap();
    assert_ne!(first.id, second.id);
    let sources = service.sources(&other, vec![clone.id]).await.unwrap();
    assert_eq!(sources[&clone.id].publication, None);
}

#[tokio::test]
async fn nothing_is_left_in_sqlite() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    nothing_is_left_of_a_purged_deck(Arc::new(SqliteStore::new(sqlite))).await;
}

#[tokio::test]
async fn nothing_is_left_in_mongodb() {
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    nothing_is_left_of_a_purged_deck(Arc::new(store)).await;
}

#[tokio::test]
async fn the_largest_goes_all_the_way_in_sqlite() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    Box::pin(the_largest_deck_goes_all_the_way(Arc::new(SqliteStore::new(sqlite)))).await;
}

#[tokio::test]
async fn the_largest_goes_all_the_way_in_mongodb() {
    let store = MongoStore::open(testing::mongo().await).await.unwrap();
    Box::pin(the_largest_deck_goes_all_the_way(Arc::new(store))).await;
}
