//! What the cases start from: people with decks and cards, told by events, and reviews.

use std::sync::Arc;

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::{CardId, DeckId, Event, ReviewId, UserId};
use jiff::{SignedDuration, Timestamp};
use learning::entry::{EntryInput, LogEntry};
use learning::scheduler::{
    Action, Calendar, Day, Entry, Memory, Model, Progress, Rating, Rulebook, Rules, RulesId, replay,
};
use learning::store::{Store, Submitted};
use learning::submission::Terms;

/// A moment, in minutes after a noon.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let noon: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_mins(minutes)
}

/// The moment `days` after that noon.
pub(crate) fn days(days: i64) -> i64 {
    days * 24 * 60
}

/// The local day of a moment.
pub(crate) fn day(minutes: i64) -> Day {
    Calendar::default().day_of(at(minutes))
}

pub(crate) fn user(user: UserId, version: i64, deleted: bool) -> Event {
    let time_zone = format!("Etc/GMT-{version}");
    Event::User(UserChanged { user, version, deleted, time_zone, rollover_hour: 3 })
}

pub(crate) fn deck(owner: UserId, deck: DeckId, version: i64, deleted: bool) -> Event {
    Event::Deck(DeckChanged { deck, owner, version, deleted, parent: None, archived: Some(false) })
}

pub(crate) fn card(owner: UserId, deck: DeckId, card: CardId, position: i64) -> CardChanged {
    CardChanged {
        card,
        deck,
        owner,
        version: 1,
        deleted: false,
        position,
        created_at: at(position),
        note: None,
        tags: Vec::new(),
    }
}

/// Somebody with one deck.
#[derive(Debug, Clone)]
pub(crate) struct Learner {
    pub(crate) owner: UserId,
    pub(crate) deck: DeckId,
    pub(crate) cards: Vec<CardId>,
}

impl Learner {
    pub(crate) async fn new(store: &dyn Store, cards: usize) -> Self {
        let (owner, deck_id) = (UserId::new(), DeckId::new());
        store.apply(vec![user(owner, 1, false), deck(owner, deck_id, 1, false)]).await.unwrap();
        let mut learner = Self { owner, deck: deck_id, cards: Vec::new() };
        learner.cards = learner.more(store, deck_id, cards).await;
        learner
    }

    /// More cards, in a deck that need not be told of.
    pub(crate) async fn more(&self, store: &dyn Store, deck: DeckId, count: usize) -> Vec<CardId> {
        let cards: Vec<CardId> = (0..count).map(|_| CardId::new()).collect();
        let event = |(nth, id): (i64, &CardId)| Event::Card(card(self.owner, deck, *id, nth));
        store.apply((0..).zip(&cards).map(event).collect()).await.unwrap();
        cards
    }

    pub(crate) async fn submit(&self, store: &dyn Store, batch: &[LogEntry]) -> Submitted {
        store.submit(self.owner, batch.into(), terms()).await.unwrap()
    }

    pub(crate) async fn progress(&self, store: &dyn Store, card: CardId) -> Progress {
        let cards = store.cards(self.owner, vec![card]).await.unwrap();
        let [card] = &cards[..] else { panic!("one card was expected, not {cards:?}") };
        card.progress.clone()
    }

    pub(crate) async fn memory(&self, store: &dyn Store, card: CardId) -> Option<Memory> {
        self.progress(store, card).await.memory
    }
}

/// The average person's model and the original rules.
pub(crate) fn terms() -> Arc<Terms> {
    Arc::new(Terms {
        model: Arc::new(Model::average().unwrap()),
        rules: std::collections::HashMap::new(),
        default_rules: Arc::new(Rules::original()),
    })
}

/// The state that entries of a card lead to by these terms.
pub(crate) fn replayed(entries: &[LogEntry]) -> Progress {
    let log: Vec<Entry> = entries.iter().map(|entry| entry.entry(RulesId::ORIGINAL)).collect();
    let card = entries[0].card;
    replay(&Model::average().unwrap(), &Rulebook::default(), card, log).unwrap().progress
}

pub(crate) fn review(card: CardId, rating: Rating, minutes: i64) -> LogEntry {
    entry(card, Action::Answer(rating), minutes)
}

pub(crate) fn entry(card: CardId, action: Action, minutes: i64) -> LogEntry {
    let input = EntryInput {
        id: ReviewId::new(),
        card,
        action,
        at: at(minutes),
        duration_ms: if action.rating().is_some() { 1500 } else { 0 },
        time_zone: None,
        session: None,
    };
    LogEntry::new(input, &Calendar::default(), at(minutes)).unwrap()
}
