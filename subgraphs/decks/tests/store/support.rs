//! Decks, notes and cards to put into a store, and short ways to ask it.

use common::event::DeckChanged;
use common::page::{Direction, PageRequest};
use common::{CardId, DeckId, Event, NoteId, TrashId, UserId};
use decks::model::{
    Card, Content, Deck, DeckFilter, DeckOrder, DeckSort, FieldEdit, Guid, Note, NoteKind, Tag,
    Tags, Trash, TrashKind,
};
use decks::store::{Changes, Commit, Store};
use jiff::Timestamp;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap()
}

pub(crate) fn deck(owner: UserId, name: &str, ms: i64) -> Deck {
    Deck {
        id: DeckId::new(),
        owner,
        name: name.into(),
        description: String::new(),
        color: None,
        created_at: at(ms),
        updated_at: at(-ms),
        version: 1,
        card_count: 0,
        last_place: 0,
        revision: 1,
        ancestors: Vec::new(),
        position: ms * 1024,
        archived: false,
        trash: None,
    }
}

pub(crate) fn card(deck: &Deck, position: i64) -> Card {
    Card {
        id: CardId::new(),
        note: NoteId::new(),
        ordinal: 0,
        kind: NoteKind::Basic,
        deck: deck.id,
        owner: deck.owner,
        position,
        question: format!("question {position}"),
        answer: format!("answer {position}"),
        source: None,
        created_at: at(position),
        updated_at: at(position),
        version: 1,
        trash: None,
    }
}

pub(crate) fn note(owner: UserId, tags: &[&str]) -> Note {
    let id = NoteId::new();
    let field =
        |name: &str, value: &str| FieldEdit { name: name.into(), value: Some(value.into()) };
    let fields = vec![field("Front", "q\u{0}"), field("Back", "a"), field("More", "")];
    let tags = tags.iter().map(|tag| Tag::new("tag", tag).unwrap()).collect();
    Note {
        id,
        owner,
        guid: Guid::of(id),
        content: Content::new("fields", NoteKind::BasicReversed, fields).unwrap(),
        tags: Tags::new("tags", tags).unwrap(),
        created_at: at(1),
        updated_at: at(2),
        version: 1,
    }
}

pub(crate) fn entry(owner: UserId, kind: TrashKind, ms: i64) -> Trash {
    let (deck_count, card_count, media_count) = (0, 1, 0);
    let (id, title, deleted_at) = (TrashId::new(), "title".into(), at(ms));
    Trash { id, owner, kind, title, deck_count, card_count, media_count, deleted_at }
}

pub(crate) fn event(deck: &Deck) -> Event {
    let (version, deleted) = (deck.version, false);
    Event::Deck(DeckChanged {
        deck: deck.id,
        owner: deck.owner,
        version,
        deleted,
        parent: None,
        archived: Some(false),
    })
}

pub(crate) async fn done(store: &impl Store, changes: Changes) {
    assert_eq!(store.commit(changes).await.unwrap(), Commit::Done);
}

pub(crate) async fn decks_of(store: &impl Store, owner: UserId) -> Vec<Deck> {
    let order = DeckOrder { by: DeckSort::CreatedAt, descending: false };
    let page = PageRequest { direction: Direction::Forward, limit: 500, cursor: None };
    store.deck_page(owner, DeckFilter::default(), order, page).await.unwrap().rows
}

pub(crate) async fn positions(store: &impl Store, deck: DeckId) -> Vec<(CardId, i64, i64)> {
    let outline = store.outline(deck).await.unwrap();
    outline.into_iter().map(|card| (card.id, card.position, card.version)).collect()
}
