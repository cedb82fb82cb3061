//! Taking in what other domains tell, in one transaction for each call.
//!
//! What the copies depend on across documents (whether a card's deck is gone, whether its owner is) is read before it is written. So that two
//! calls at once cannot miss each other, each first touches the documents of the persons it is about: MongoDB lets one of the two begin
//! anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::event::{CardChanged, DeckChanged, UserChanged};
use common::{DeckId, Event, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Document, Uuid, doc};
use serde::Deserialize;

use super::documents::date;
use super::{MongoStore, ONE_BATCH};
use crate::scheduler::Calendar;
use crate::store::mongo::submit::{next_seq, update};

/// The version of a document that stands for something of which nothing was told yet.
pub(super) const UNTOLD: i64 = -1;

pub(super) async fn apply(store: &MongoStore, events: Vec<Event>) -> Result<(), StoreError> {
    // What learning tells itself.
    let others = |event: &Event| !matches!(event, Event::Studied(_));
    let events: Arc<[Event]> = events.into_iter().filter(others).collect();
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, events) = (store.clone(), Arc::clone(&events));
            async move {
                lock_persons(&store, session, &events).await?;
                let mut news = News::read(&store, session, &events).await?;
                for event in &*events {
                    news.add(event);
                }
                news.number(&store, session).await?;
                news.write(&store, session).await
            }
            .boxed()
        })
        .await
}

/// The versions that are known, and what is newer.
#[derive(Default)]
struct News {
    persons: HashMap<Uuid, Known>,
    decks: HashMap<Uuid, Known>,
    cards: HashMap<Uuid, Known>,
    new_persons: HashMap<UserId, UserChanged>,
    new_decks: HashMap<DeckId, DeckChanged>,
    new_cards: HashMap<Uuid, CardChanged>,
    forgotten: HashSet<UserId>,
    /// The number of the change, for each owner of decks and cards that change.
    seqs: HashMap<UserId, i64>,
}

#[derive(Deserialize, Clone, Copy)]
struct Known {
    #[serde(rename = "_id")]
    id: Uuid,
    version: i64,
    deleted: bool,
    /// Of a deck: absent where it was not told yet.
    archived: Option<bool>,
}

fn owner(event: &Event) -> UserId {
    match event {
        Event::User(user) => user.user,
        Event::Deck(deck) => deck.owner,
        Event::Card(card) => card.owner,
        Event::Accepted(accepted) => accepted.owner,
        Event::History(told) => told.owner,
        Event::Studied(studied) => studied.owner,
    }
}

async fn lock_persons(
    store: &MongoStore,
    session: &mut ClientSession,
    events: &[Event],
) -> mongodb::error::Result<()> {
    let owners: HashSet<UserId> = events.iter().map(owner).collect();
    let untold = doc! {
        "version": UNTOLD, "deleted": false,
        "timeZone": "UTC", "rolloverHour": i32::from(Calendar::ROLLOVER_HOUR),
    };
    let touch = |owner| {
        doc! {
            "q": { "_id": owner },
            "u": { "$inc": { "calls": 1 }, "$setOnInsert": untold.clone() },
            "upsert": true,
        }
    };
    update(store, session, "persons", owners.into_iter().map(touch).collect()).await
}

impl News {
    async fn read(
        store: &MongoStore,
        session: &mut ClientSession,
        events: &[Event],
    ) -> mongodb::error::Result<Self> {
        let (mut persons, mut decks, mut cards) = (HashSet::new(), HashSet::new(), HashSet::new());
        for event in events {
            persons.insert(owner(event).to_bson());
            match event {
                Event::User(_) | Event::Accepted(_) | Event::History(_) | Event::Studied(_) => {}
                Event::Deck(deck) => {
                    decks.insert(deck.deck.to_bson());
                }
                Event::Card(card) => {
                    decks.insert(card.deck.to_bson());
                    cards.insert(card.card.to_bson());
                }
            }
        }
        Ok(Self {
            persons: known(store, session, "persons", persons).await?,
            decks: known(store, session, "decks", decks).await?,
            cards: known(store, session, "cards", cards).await?,
            ..Self::default()
        })
    }

    fn add(&mut self, event: &Event) {
        let owner = owner(event);
        let is_user = matches!(event, Event::User(_));
        let (known, id, version, deleted) = match event {
            Event::User(e) => (&mut self.persons, e.user.to_bson(), e.version, e.deleted),
            Event::Deck(e) => (&mut self.decks, e.deck.to_bson(), e.version, e.deleted),
            Event::Card(e) => (&mut self.cards, e.card.to_bson(), e.version, e.deleted),
            // For decks, which makes cards of the first; entries of logs, which the service puts there; and what this domain tells itself.
            Event::Accepted(_) | Event::History(_) | Event::Studied(_) => return,
        };
        let archived = match event {
            Event::Deck(deck) => deck.archived,
            _ => None,
        };
        // What was told before it was told whether decks are put aside is told again, with the same version.
        let is_told = |known: &Known| {
            let more = known.archived.is_none() && archived.is_some();
            known.version > version || (known.version == version && !more)
        };
        if known.get(&id).is_some_and(is_told) {
            return;
        }
        // Nothing of a deleted account comes back.
        if !is_user && self.persons.get(&owner.to_bson()).is_some_and(|person| person.deleted) {
            return;
        }
        let newer = Known { id, version, deleted, archived };
        match event {
            Event::User(user) => {
                self.persons.insert(id, newer);
                self.new_persons.insert(user.user, user.clone());
                if deleted {
                    self.forgotten.insert(owner);
                    self.new_decks.retain(|_, deck| deck.owner != owner);
                    self.new_cards.retain(|_, card| card.owner != owner);
                }
            }
            Event::Deck(deck) => {
                self.decks.insert(id, newer);
                self.new_decks.insert(deck.deck, deck.clone());
            }
            Event::Card(card) => {
                self.cards.insert(id, newer);
                self.new_cards.insert(id, card.clone());
            }
            Event::Accepted(_) | Event::History(_) | Event::Studied(_) => {}
        }
    }

    async fn number(
        &mut self,
        store: &MongoStore,
        session: &mut ClientSession,
    ) -> mongodb::error::Result<()> {
        let of_decks = self.new_decks.values().map(|deck| deck.owner);
        let owners: HashSet<UserId> =
            of_decks.chain(self.new_cards.values().map(|card| card.owner)).collect();
        for owner in owners {
            self.seqs.insert(owner, next_seq(store, session, owner).await?);
        }
        Ok(())
    }

    async fn write(
        self,
        store: &MongoStore,
        session: &mut ClientSession,
    ) -> mongodb::error::Result<()> {
        let persons = self.new_persons.values().map(put_person).collect();
        update(store, session, "persons", persons).await?;
        self.forget(store, session).await?;
        let decks = self.new_decks.values().map(put_deck).collect();
        update(store, session, "decks", decks).await?;
        // Cards that were told of before their deck, or that go and come with it.
        let seq = |owner: UserId| self.seqs.get(&owner).copied().unwrap_or(0);
        let lives = self.new_decks.values().map(|deck| set_live(deck, seq(deck.owner))).collect();
        update(store, session, "cards", lives).await?;
        let gone = |deck: DeckId| self.decks.get(&deck.to_bson()).is_some_and(|deck| deck.deleted);
        let put = |card: &CardChanged| put_card(card, gone(card.deck), seq(card.owner));
        let cards = self.new_cards.values().map(put).collect();
        update(store, session, "cards", cards).await
    }

    /// Removes everything of persons that are gone but the tombstone.
    async fn forget(
        &self,
        store: &MongoStore,
        session: &mut ClientSession,
    ) -> mongodb::error::Result<()> {
        if self.forgotten.is_empty() {
            return Ok(());
        }
        let owners: Vec<UserId> = self.forgotten.iter().copied().collect();
        let theirs = doc! { "owner": { "$in": &owners } };
        for name in
            ["reviews", "days", "tallies", "sessions", "cards", "decks", "rules", "presets", "fits"]
        {
            let collection = store.mongo.collection::<Document>(name);
            collection.delete_many(theirs.clone()).session(&mut *session).await?;
        }
        let numbers = doc! { "_id": { "$in": owners } };
        store.collections.sync.delete_many(numbers).session(session).await?;
        Ok(())
    }
}

async fn known(
    store: &MongoStore,
    session: &mut ClientSession,
    collection: &str,
    ids: HashSet<Uuid>,
) -> mongodb::error::Result<HashMap<Uuid, Known>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = store
        .mongo
        .collection::<Document>(collection)
        .clone_with_type::<KnownDoc>()
        .find(doc! { "_id": { "$in": ids } })
        .projection(doc! { "version": 1, "deleted": 1, "archived": 1 })
        .batch_size(ONE_BATCH)
        .session(&mut *session)
        .await?;
    let found: Vec<KnownDoc> = found.stream(session).try_collect().await?;
    Ok(found.into_iter().map(|known| (known.id, known)).collect())
}

/// As [`Known`]: the driver asks of what it reads that it could be written too.
type KnownDoc = Known;

fn put_person(user: &UserChanged) -> Document {
    let mut change = doc! { "$set": {
        "version": user.version,
        "deleted": user.deleted,
        "timeZone": &user.time_zone,
        "rolloverHour": i32::from(user.rollover_hour),
        // Others hear it themselves: see tell.rs.
        "passedOn": true,
    } };
    if user.deleted {
        change.insert("$unset", doc! { "weights": "" });
    }
    doc! { "q": { "_id": user.user }, "u": change, "upsert": true }
}

fn put_deck(deck: &DeckChanged) -> Document {
    doc! { "q": { "_id": deck.deck, "owner": deck.owner }, "u": { "$set": {
        "version": deck.version, "deleted": deck.deleted,
        "parent": deck.parent, "archived": deck.archived,
    } }, "upsert": true }
}

fn set_live(deck: &DeckChanged, seq: i64) -> Document {
    doc! {
        "q": { "deck": deck.deck, "owner": deck.owner, "deleted": false, "live": deck.deleted },
        "u": { "$set": { "live": !deck.deleted, "seq": seq } },
        "multi": true,
    }
}

fn put_card(card: &CardChanged, deck_is_gone: bool, seq: i64) -> Document {
    doc! { "q": { "_id": card.card, "owner": card.owner }, "u": {
        "$set": {
            "deck": card.deck,
            "version": card.version,
            "deleted": card.deleted,
            "live": !card.deleted && !deck_is_gone,
            "position": card.position,
            "createdAt": date(card.created_at),
            "note": card.note,
            "tags": &card.tags,
            "seq": seq,
        },
        "$setOnInsert": { "model": 0i64, "state": 0, "memory": null },
    }, "upsert": true }
}
