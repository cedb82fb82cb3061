//! Rules that take a store in a rare state: limits that are reached, places that are used up, two processes at the same deck.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::Arc;

use async_graphql::Response;
use common::outbox::{Outbox, OutboxStore};
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{
    Caller, Clock, DeckId, Endpoint, EndpointError, Error, Event, SessionId, SubgraphRequest,
    UserId, Viewer, testing,
};
use decks::model::{
    CardList, CardText, Deck, Description, MAX_CARDS, MAX_DECKS, Name, NewCard, NewDeck, Owner,
    TRASH_KEPT,
};
use decks::service::Service;
use decks::store::mongo::MongoStore;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};
use decks::store::{Changes, Commit, Store};
use decks::{NAME, place};
use futures::future::BoxFuture;
use jiff::SignedDuration;

fn viewer() -> Viewer {
    Viewer::new(UserId::new(), SessionId::new(), Roles::default())
}

fn service(store: Arc<impl Store + 'static>) -> Service {
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    Service::new(store, outbox, Clock::System)
}

fn new_deck(name: &str) -> NewDeck {
    let name = Name::new("name", name).unwrap();
    NewDeck { id: None, name, description: Description::default(), color: None, parent: None }
}

fn new_cards(questions: &[&str]) -> Vec<NewCard> {
    let text = |text: &str| CardText::new("text", text.into()).unwrap();
    let card = |question: &&str| NewCard {
        id: None,
        question: text(question),
        answer: text("answer"),
        source: None,
    };
    questions.iter().map(card).collect()
}

/// Brings a deck into a state that would take long to reach.
async fn put(store: &impl Store, deck: Deck) {
    let changes = Changes { decks: vec![deck], ..Changes::default() };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Done);
}

async fn questions(service: &Service, viewer: &Viewer, deck: DeckId) -> Vec<String> {
    let page = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
    let mut pages =
        service.card_pages(viewer, vec![deck], CardList::default(), page).await.unwrap();
    let rows = pages.remove(&deck).unwrap().rows;
    rows.into_iter().map(|card| card.question).collect()
}

#[tokio::test]
async fn a_person_has_at_most_so_many_decks() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = Arc::new(SqliteStore::new(sqlite));
    let (service, viewer) = (service(store.clone()), viewer());
    let owner = Owner { deck_count: MAX_DECKS - 1, ..Owner::new(viewer.user) };
    let changes = Changes { owner: Some(owner), ..Changes::default() };
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Done);
    let last = service.create_deck(&viewer, &new_deck("last")).await.unwrap();
    let error = service.create_deck(&viewer, &new_deck("too many")).await.unwrap_err();
    assert!(matches!(&error, Error::LimitExceeded { message } if message.contains("10000 decks")));
    service.delete_deck(&viewer, last.id).await.unwrap();
    service.create_deck(&viewer, &new_deck("fits again")).await.unwrap();
}

#[tokio::test]
async fn a_deck_holds_at_most_so_many_cards() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = Arc::new(SqliteStore::new(sqlite));
    let (service, viewer) = (service(store.clone()), viewer());
    let deck = service.create_deck(&viewer, &new_deck("deck")).await.unwrap();
    put(&*store, Deck { card_count: MAX_CARDS - 1, ..deck.clone() }).await;
    let error = service.create_cards(&viewer, deck.id, &new_cards(&["a", "b"])).await.unwrap_err();
    assert!(matches!(&error, Error::LimitExceeded { message } if message.contains("100000 cards")));
    service.create_cards(&viewer, deck.id, &new_cards(&["a"])).await.unwrap();
    assert_eq!(questions(&service, &viewer, deck.id).await, ["a"]);
}

#[tokio::test]
async fn when_the_places_are_used_up_cards_move() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = Arc::new(SqliteStore::new(sqlite));
    let (service, viewer) = (service(store.clone()), viewer());
    let deck = service.create_deck(&viewer, &new_deck("deck")).await.unwrap();
    put(&*store, Deck { last_place: place::LAST - place::STEP, ..deck.clone() }).await;
    service.create_cards(&viewer, deck.id, &new_cards(&["a"])).await.unwrap();
    let (_, cards) = service.create_cards(&viewer, deck.id, &new_cards(&["b", "c"])).await.unwrap();
    assert_eq!(questions(&service, &viewer, deck.id).await, ["a", "b", "c"]);
    let outline = store.outline(deck.id).await.unwrap();
    let places: Vec<i64> = outline.iter().map(|card| card.position).collect();
    assert_eq!(places, [1024, 2048, 3072]);
    assert_eq!((outline[0].version, cards[0].version), (2, 1));
    // From here on places are at hand again.
    let deck = store.decks(vec![deck.id]).await.unwrap().remove(0);
    assert_eq!((deck.card_count, deck.last_place), (3, 3072));
}

#[tokio::test]
async fn events_are_kept_while_a_subscriber_is_down() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = Arc::new(SqliteStore::new(sqlite));
    let viewer = viewer();
    let down: Vec<Arc<dyn Endpoint>> = vec![Arc::new(Down)];
    let outbox = Outbox::start(NAME, store.clone(), down);
    let deck = Service::new(store.clone(), outbox, Clock::System)
        .create_deck(&viewer, &new_deck("deck"))
        .await
        .unwrap();
    let pending = store.pending(10).await.unwrap();
    assert!(matches!(&pending[..], [(_, Event::Deck(told))] if told.deck == deck.id));
}

#[tokio::test]
async fn two_processes_at_the_same_deck_lose_no_card() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    same_deck(Arc::new(SqliteStore::new(sqlite))).await;
    same_deck(Arc::new(MongoStore::open(testing::mongo().await).await.unwrap())).await;
}

async fn same_deck(store: Arc<impl Store + 'static>) {
    let (one, other, viewer) = (service(store.clone()), service(store.clone()), viewer());
    let deck = one.create_deck(&viewer, &new_deck("deck")).await.unwrap();
    let add = async |service: &Service, question: &str| {
        for _ in 0..5 {
            service.create_cards(&viewer, deck.id, &new_cards(&[question])).await.unwrap();
        }
    };
    futures::future::join(add(&one, "one"), add(&other, "other")).await;
    let found = questions(&one, &viewer, deck.id).await;
    let count = |text: &str| found.iter().filter(|question| *question == text).count();
    assert_eq!((count("one"), count("other")), (5, 5));
    let outline = store.outline(deck.id).await.unwrap();
    assert!(outline.is_sorted_by(|a, b| a.position < b.position), "{outline:?}");
    let deck = store.decks(vec![deck.id]).await.unwrap().remove(0);
    assert_eq!(deck.card_count, 10);
}

/// A subscriber that does not answer.
struct Down;

impl Endpoint for Down {
    fn name(&self) -> &str {
        "down"
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Err(down()) })
    }

    fn execute(
        &self,
        _: SubgraphRequest,
        _: Arc<Caller>,
    ) -> BoxFuture<'_, Result<Response, EndpointError>> {
        Box::pin(async { Err(down()) })
    }

    fn apply(&self, _: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Err(down()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Err(down()) })
    }
}

fn down() -> EndpointError {
    EndpointError::Timeout { endpoint: "down".into() }
}

#[tokio::test]
async fn what_was_deleted_is_gone_for_good_after_30_days_and_not_before() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    gone_for_good(Arc::new(SqliteStore::new(sqlite))).await;
    gone_for_good(Arc::new(MongoStore::open(testing::mongo().await).await.unwrap())).await;
}

async fn gone_for_good(store: Arc<impl Store + 'static>) {
    let clock = Clock::manual("2026-11-24T09:30:00Z".parse().unwrap());
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    let (service, viewer) = (Service::new(store.clone(), outbox, clock.clone()), viewer());
    let deck = service.create_deck(&viewer, &new_deck("deck")).await.unwrap();
    let kept = service.create_deck(&viewer, &new_deck("kept")).await.unwrap();
    // More than is deleted for good in one transaction.
    for _ in 0..3 {
        let cards = new_cards(&["q"; 700]);
        service.create_cards(&viewer, deck.id, &cards).await.unwrap();
    }
    let (_, cards) = service.create_cards(&viewer, kept.id, &new_cards(&["a", "b"])).await.unwrap();
    service.delete_cards(&viewer, &[cards[0].id]).await.unwrap();
    clock.advance(SignedDuration::from_secs(1));
    let entry = service.delete_deck(&viewer, deck.id).await.unwrap();

    clock.advance(TRASH_KEPT - SignedDuration::from_secs(1));
    assert!(!service.purge().await.unwrap());
    assert_eq!(store.trashed_decks(entry).await.unwrap().len(), 1);
    clock.advance(SignedDuration::from_secs(1));
    assert!(!service.purge().await.unwrap());
    assert_eq!(store.trashed_decks(entry).await.unwrap().len(), 1, "only what is too old");
    clock.advance(SignedDuration::from_secs(1));
    assert!(!service.purge().await.unwrap());
    assert!(store.trashed_decks(entry).await.unwrap().is_empty());
    assert!(store.trashed_cards(entry, 1).await.unwrap().is_empty());
    assert_eq!(store.any_decks(viewer.user, 9).await.unwrap().len(), 1);
    assert_eq!(questions(&service, &viewer, kept.id).await, ["b"]);
    // Its id is given to nothing else: others remember it as deleted.
    let again = NewDeck { id: Some(deck.id), ..new_deck("again") };
    let error = service.create_deck(&viewer, &again).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error}");
}
