//! What the domain asks of a store: batch reads, and one way to write.
//!
//! A store holds no rule. The service reads, decides, and hands over everything that changes as one [`Changes`]; the store makes all of it
//! or nothing, and nothing when what the decision was made on has changed since. It asks nobody whose a row is: the service does.

pub mod media;
pub mod mongo;
pub mod sharing;
pub mod sqlite;
mod transfers;

use std::collections::HashMap;
use std::hash::Hash;

use common::event::{CardsStudied, Event, UserChanged};
use common::outbox::OutboxStore;
use common::page::{Direction, Page, PageRequest};
use common::{CardId, DeckId, MediaId, NoteId, StoreError, TransferId, TrashId, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    Card, CardKey, CardList, ChangeKey, ContentHash, Deck, DeckFilter, DeckKey, DeckOrder, Item,
    Media, Note, Owner, Person, Tag, Tagged, Transfer, Trash, TrashKey,
};
use crate::search::{Filter, SearchKey};
use media::{MediaStore, NewContent};
use sharing::{ShareChanges, ShareStore};

pub use transfers::TransferStore;

/// What every answer of a store is.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Where decks, notes and cards are kept. What lies in the trash is answered only where it says so.
pub trait Store: OutboxStore + ShareStore + MediaStore + TransferStore {
    /// What is known of a person.
    fn owner(&self, id: UserId) -> Reply<'_, Owner>;

    /// Those of the decks that exist, in any order.
    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>>;

    /// Those of the cards that exist, in any order.
    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>>;

    /// Those of the notes that exist, in any order, also those whose cards all lie in the trash.
    fn notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Note>>;

    /// A person's notes with these global ids that have a card which is not in the trash, in any order.
    fn notes_by_guid(&self, owner: UserId, guids: Vec<String>) -> Reply<'_, Vec<Note>>;

    /// The cards of the notes in order of note and ordinal, also those in the trash.
    fn cards_of_notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Card>>;

    /// Those of the ids that belong to a deck, a note or a card, or belonged to one which was deleted.
    fn taken(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>>;

    /// One page of a person's decks.
    fn deck_page(
        &self,
        owner: UserId,
        filter: DeckFilter,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>>;

    /// How many of a person's decks are meant.
    fn deck_count(&self, owner: UserId, filter: DeckFilter) -> Reply<'_, i64>;

    /// The same page of the decks in each of the decks, by position, with one statement for all. A deck without such decks may be absent.
    fn child_pages(
        &self,
        parents: Vec<DeckId>,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Deck>>>;

    /// How many decks lie right in each of the decks. One in which there is none may be absent.
    fn child_counts(&self, parents: Vec<DeckId>) -> Reply<'_, HashMap<DeckId, i64>>;

    /// Ids and places of a person's decks in a deck, or at the top, in order.
    fn siblings(&self, owner: UserId, parent: Option<DeckId>) -> Reply<'_, Vec<(DeckId, i64)>>;

    /// A person's decks in a deck, at any depth, in any order.
    fn descendants(&self, owner: UserId, deck: DeckId) -> Reply<'_, Vec<Deck>>;

    /// A deck, also one in the trash.
    fn any_deck(&self, id: DeckId) -> Reply<'_, Option<Deck>>;

    /// Some decks of a person, also those in the trash.
    fn any_decks(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Deck>>;

    /// The same page of the cards of each of the decks, with one statement for all. A deck without such cards may be absent.
    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        list: CardList,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>>;

    /// How many cards of each of the decks are meant. A deck without such cards may be absent.
    fn card_counts(&self, decks: Vec<DeckId>, list: CardList) -> Reply<'_, HashMap<DeckId, i64>>;

    /// All cards of a deck in order, without their texts.
    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>>;

    /// The ids of the cards of the decks, by deck and place, at most `limit`.
    fn card_ids(&self, decks: Vec<DeckId>, limit: u32) -> Reply<'_, Vec<CardId>>;

    /// A page of the tags of a person's notes that have a card, by key; with `below` only that tag and those below it.
    fn tags(
        &self,
        owner: UserId,
        below: Option<Tag>,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Tagged>>;

    /// How many tags there are of which [`Store::tags`] gives pages.
    fn tag_count(&self, owner: UserId, below: Option<Tag>) -> Reply<'_, i64>;

    /// The first of a person's notes with a tag, or one below it, in order of their ids, also those whose cards all lie in the trash.
    fn notes_with_tag(
        &self,
        owner: UserId,
        tag: Tag,
        after: Option<NoteId>,
        limit: u32,
    ) -> Reply<'_, Vec<Note>>;

    /// The cards of a person that a query is true of, with their tiers: those with the words that must be there in the question (0), then the
    /// others (1); the latest first in each. They begin after a cursor, and are one more than `limit` where there is one.
    fn search(
        &self,
        owner: UserId,
        filter: Filter,
        after: Option<SearchKey>,
        limit: u32,
    ) -> Reply<'_, Vec<(u8, Card)>>;

    /// How many cards of a person a query is true of.
    fn search_count(&self, owner: UserId, filter: Filter) -> Reply<'_, i64>;

    /// Keeps where a person is, if it is newer.
    fn put_person(&self, user: UserChanged) -> Reply<'_, ()>;

    /// Where a person is, if that was told.
    fn person(&self, id: UserId) -> Reply<'_, Option<Person>>;

    /// Keeps what was learned of cards that exist, also in the trash, and are their owner's, if it is newer. Whoever tells of a card was told of it once it was
    /// stored, so one that does not exist was deleted for good.
    fn put_study(&self, studied: Vec<CardsStudied>) -> Reply<'_, ()>;

    /// The era of [`common::sqlite::Sqlite::era`] or [`common::mongo::Mongo::era`]; a place among the changes is good in its own alone.
    fn era(&self) -> i32;

    /// Looks at some of what is kept beside cards so that they are found, in the order of their ids beyond one, and mends what processes of earlier versions left
    /// as it was while they wrote beside this one. Answers where to go on; `None` once all was looked at. A file that one process has at a time needs none of it.
    fn mend(&self, after: Option<Uuid>, limit: u32) -> Reply<'_, Option<Uuid>> {
        let _ = (after, limit);
        Box::pin(async { Ok(None) })
    }

    /// The places of a person's decks, notes and cards, also of those in the trash, in the order of their changes beyond a place, at most `limit`; and the
    /// number of the last change there is.
    fn changes(
        &self,
        owner: UserId,
        after: ChangeKey,
        limit: u32,
    ) -> Reply<'_, (Vec<ChangeKey>, i64)>;

    /// Those of the entries of the trash that exist, in any order.
    fn trash(&self, ids: Vec<TrashId>) -> Reply<'_, Vec<Trash>>;

    /// One page of the entries of a person's trash that are listed, newest first.
    fn trash_page(&self, owner: UserId, page: PageRequest<TrashKey>) -> Reply<'_, Page<Trash>>;

    /// How many entries of a person's trash are listed.
    fn trash_count(&self, owner: UserId) -> Reply<'_, i64>;

    /// The decks in an entry of the trash.
    fn trashed_decks(&self, trash: TrashId) -> Reply<'_, Vec<Deck>>;

    /// The cards in an entry of the trash, at most `limit`.
    fn trashed_cards(&self, trash: TrashId, limit: u32) -> Reply<'_, Vec<Card>>;

    /// How many cards of each deck lie in an entry of the trash.
    fn trashed_counts(&self, trash: TrashId) -> Reply<'_, HashMap<DeckId, i64>>;

    /// The oldest entry of the trash that was made before a moment.
    fn expired(&self, before: Timestamp) -> Reply<'_, Option<Trash>>;

    /// Deletes for good at most `limit` cards of an entry of the trash, with the notes that have no card left; once no card is left, its decks
    /// and the entry itself. Answers whether it is gone.
    fn purge(&self, trash: TrashId, limit: u32) -> Reply<'_, bool>;

    /// Makes all changes at once under the person's next number, and keeps their events for delivery, or changes nothing and answers [`Commit::Stale`].
    fn commit(&self, changes: Changes) -> Reply<'_, Commit>;

    /// Whether the store answers.
    fn ping(&self) -> Reply<'_, ()>;
}

/// A card without its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineCard {
    /// Which card.
    pub id: CardId,
    /// The note it is made of.
    pub note: NoteId,
    /// Its place.
    pub position: i64,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a commit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Everything is stored.
    Done,
    /// Somebody was faster: read again and decide again. Nothing was changed.
    Stale,
}

/// Everything that one decision changes. A row that is replaced, moved or deleted is named with the revision or version that the decision
/// was made on.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The person's row; its revision is the one it had, and it is stored with the next one.
    pub owner: Option<Owner>,
    /// Decks to store.
    pub new_decks: Vec<Deck>,
    /// Decks to replace; their revision is the one they had, and they are stored with the next one.
    pub decks: Vec<Deck>,
    /// Decks to delete for good with all their cards, and notes that have no card left.
    pub deleted_decks: Vec<Deck>,
    /// Notes to store.
    pub new_notes: Vec<Note>,
    /// Notes to replace, with their new version.
    pub notes: Vec<Note>,
    /// Cards to store.
    pub new_cards: Vec<Card>,
    /// Cards to replace, with their new version.
    pub cards: Vec<Card>,
    /// Cards that change their place.
    pub moved_cards: Vec<MovedCard>,
    /// New entries of the trash.
    pub trash: Vec<Trash>,
    /// Decks all of whose cards that are not in the trash go into an entry of it, each with the next version.
    pub trashed_with_deck: Vec<(DeckId, TrashId)>,
    /// Entries of the trash that end. The cards that still lie in them come back, each with the next version.
    pub restored: Vec<TrashId>,
    /// Cards that leave the entry of the trash they lie in, with their new version.
    pub uncovered: Vec<Uncovered>,
    /// A transfer to store: see [`TransferStore::put_transfer`].
    pub transfer: Option<Transfer>,
    /// Items that wait to be made by it, after those it has.
    pub new_items: Vec<Item>,
    /// Its items up to this number were made.
    pub done_items: Option<i64>,
    /// What changes of published decks, clones and ratings.
    pub sharing: ShareChanges,
    /// Bytes of media to store that the person does not have yet.
    pub new_contents: Vec<NewContent>,
    /// Media to store.
    pub new_media: Vec<Media>,
    /// The import that stores [`Changes::new_media`]: they are its own until it is sure to be made.
    pub staged_by: Option<TransferId>,
    /// Media of an import that become their owner's own.
    pub adopted_media: Vec<MediaId>,
    /// The import all of whose media do.
    pub adopted_from: Option<TransferId>,
    /// Media to delete.
    pub deleted_media: Vec<MediaId>,
    /// Media that go into entries of the trash.
    pub trashed_media: Vec<(Media, TrashId)>,
    /// Media that leave the trash, whatever becomes of them. An entry that this leaves without any ends.
    pub untrashed_media: Vec<(MediaId, TrashId)>,
    /// Bytes of media that no file has any more.
    pub deleted_contents: Vec<(UserId, ContentHash)>,
    /// What other domains are told.
    pub events: Vec<Event>,
}

/// A card that leaves an entry of the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// Which card.
    pub id: CardId,
    /// Its new version: one more than it had.
    pub version: i64,
    /// The entry it lies in from now on; `None`: it is there.
    pub trash: Option<TrashId>,
}

impl Changes {
    /// Whose things are changed, if any are: all are one person's.
    fn person(&self) -> Option<UserId> {
        let decks = self.new_decks.iter().chain(&self.decks).chain(&self.deleted_decks);
        let notes = self.new_notes.iter().chain(&self.notes).map(|note| note.owner);
        let cards = self.new_cards.iter().chain(&self.cards).map(|card| card.owner);
        let trash = self.trash.iter().map(|trash| trash.owner);
        let owner = self.owner.iter().map(|owner| owner.id);
        let mut all =
            owner.chain(decks.map(|deck| deck.owner)).chain(notes).chain(cards).chain(trash);
        all.next()
    }

    /// Whether the account is gone: nothing is kept of it that is not a thing of its own.
    fn ends_account(&self) -> bool {
        self.owner.is_some_and(|owner| owner.gone)
    }

    /// Whether cards go into the trash or come back, so that notes are not there any more or are there again.
    fn moves_trash(&self) -> bool {
        !self.trash.is_empty()
            || !self.trashed_with_deck.is_empty()
            || !self.restored.is_empty()
            || !self.uncovered.is_empty()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_none()
            && self.new_decks.is_empty()
            && self.decks.is_empty()
            && self.deleted_decks.is_empty()
            && self.new_notes.is_empty()
            && self.notes.is_empty()
            && self.new_cards.is_empty()
            && self.cards.is_empty()
            && self.moved_cards.is_empty()
            && self.trash.is_empty()
            && self.trashed_with_deck.is_empty()
            && self.restored.is_empty()
            && self.uncovered.is_empty()
            && self.transfer.is_none()
            && self.sharing.is_empty()
            && self.new_contents.is_empty()
            && self.new_media.is_empty()
            && self.adopted_media.is_empty()
            && self.adopted_from.is_none()
            && self.deleted_media.is_empty()
            && self.trashed_media.is_empty()
            && self.untrashed_media.is_empty()
            && self.deleted_contents.is_empty()
            && self.events.is_empty()
    }
}

/// A card's new place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedCard {
    /// Which card.
    pub id: CardId,
    /// The note it is made of: it stays, and other domains are told.
    pub note: NoteId,
    /// The deck it will lie in.
    pub deck: DeckId,
    /// Its place there.
    pub position: i64,
    /// Its new version: one more than it had.
    pub version: i64,
    /// When it was made: it stays, and other domains are told.
    pub created_at: Timestamp,
    /// When it was moved.
    pub updated_at: Timestamp,
}

/// The decision was made on rows that have changed since. A store fails a transaction with it, to undo what it wrote.
#[derive(Debug, thiserror::Error)]
#[error("the rows have changed since they were read")]
struct Stale;

/// Turns the ways in which a transaction can find that somebody was faster into [`Commit::Stale`].
fn outcome(result: Result<(), StoreError>) -> Result<Commit, StoreError> {
    match result {
        Ok(()) => Ok(Commit::Done),
        // The id of a new row was free when the decision was made.
        Err(StoreError::Duplicate { .. }) => Ok(Commit::Stale),
        Err(StoreError::Other(cause)) if is_stale(&cause) => Ok(Commit::Stale),
        Err(error) => Err(error),
    }
}

fn is_stale(cause: &common::error::BoxError) -> bool {
    let in_driver = || {
        let error = cause.downcast_ref::<::mongodb::error::Error>()?;
        error.get_custom::<Stale>()
    };
    cause.is::<Stale>() || in_driver().is_some()
}

/// Cuts pages out of rows that a store answered for several decks at once.
fn pages<D: Copy + Eq + Hash, K, T, S: Ord>(
    request: &PageRequest<K>,
    descending: bool,
    rows: Vec<T>,
    deck_of: fn(&T) -> Option<D>,
    key: impl Fn(&T) -> S,
) -> HashMap<D, Page<T>> {
    let mut decks: HashMap<D, Vec<T>> = HashMap::new();
    // The rows of a deck come one after another: those are not looked up one by one.
    let mut rows = rows.into_iter().peekable();
    while let Some(row) = rows.next() {
        let Some(deck) = deck_of(&row) else { continue };
        let list = decks.entry(deck).or_default();
        list.push(row);
        list.extend(std::iter::from_fn(|| rows.next_if(|row| deck_of(row) == Some(deck))));
    }
    let page = |(deck, mut rows): (D, Vec<T>)| {
        if descending {
            rows.sort_unstable_by_key(|row| std::cmp::Reverse(key(row)));
        } else {
            rows.sort_unstable_by_key(&key);
        }
        (deck, Page::from_overfull(request, rows))
    };
    decks.into_iter().map(page).collect()
}

/// Cuts pages out of the cards of several decks.
fn card_pages(
    request: &PageRequest<CardKey>,
    list: &CardList,
    cards: Vec<Card>,
) -> HashMap<DeckId, Page<Card>> {
    let descending = reading_down(list.descending, request);
    pages(request, descending, cards, |card| Some(card.deck), |card| CardKey::of(card, list.by))
}

/// Cuts pages out of the decks in several decks.
fn child_pages(request: &PageRequest<DeckKey>, decks: Vec<Deck>) -> HashMap<DeckId, Page<Deck>> {
    let descending = reading_down(false, request);
    pages(request, descending, decks, Deck::parent, |deck| (deck.position, deck.id))
}

/// Whether a page of a list is read from the greatest to the least.
fn reading_down<K>(list_descends: bool, page: &PageRequest<K>) -> bool {
    list_descends != (page.direction == Direction::Backward)
}
