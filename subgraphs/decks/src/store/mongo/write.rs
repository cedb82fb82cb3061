//! Making [`Changes`] in one transaction, and deleting for good. Whatever is found in another state than the decision was made on fails the
//! transaction, which undoes all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{NoteId, StoreError, TrashId, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::bson::{Bson, DateTime, Document, Uuid, doc, serialize_to_document};
use mongodb::error::{Error, Result};
use mongodb::{ClientSession, Collection};
use serde::Serialize;

use super::MongoStore;
use super::documents::{
    DeckDocument, EventDocument, IdDocument, NoteDocument, OwnerDocument, TagsDocument,
    TrashDocument,
};
use super::filters::one_of;
use super::terms::{self, NewCardDocument, WordsDocument};
use super::transfers::NoteOfCard;
use crate::model::{Card, Deck, Note, Owner};
use crate::store::{Changes, MovedCard, Stale, Uncovered};

/// How many updates go into one command, which must stay under 48 MB.
pub(super) const UPDATES: usize = 1_000;

impl MongoStore {
    pub(super) async fn write(&self, changes: Changes) -> std::result::Result<(), StoreError> {
        let events: std::result::Result<Vec<_>, _> =
            changes.events.iter().map(EventDocument::new).collect();
        let work = Arc::new((self.clone(), changes, events?));
        let transaction = self.mongo.transaction(move |session| {
            let work = Arc::clone(&work);
            async move {
                let (store, changes, events) = &*work;
                store.write_in(session, changes, events).await
            }
            .boxed()
        });
        transaction.await
    }

    async fn write_in(
        &self,
        session: &mut ClientSession,
        changes: &Changes,
        events: &[EventDocument],
    ) -> Result<()> {
        let change = match changes.person() {
            Some(person) => self.next_change(session, person).await?,
            None => 0,
        };
        if let Some(owner) = changes.owner {
            self.put_owner(session, owner).await?;
        }
        let trash: Vec<_> = changes.trash.iter().map(TrashDocument::from).collect();
        insert(session, &self.trash, trash).await?;
        for (deck, trash) in &changes.trashed_with_deck {
            let set = doc! { "trash": *trash, "change": change };
            let update = terms::set_in_next_version(set);
            let theirs = doc! { "deck": *deck, "trash": null };
            self.cards.update_many(theirs, update).session(&mut *session).await?;
        }
        let decks = changes.decks.iter().map(|deck| replaced(deck, change));
        let decks = decks.collect::<Result<_>>()?;
        self.update(session, self.decks.name(), decks).await?;
        let new_decks = changes.new_decks.iter().map(|deck| DeckDocument::new(deck, change));
        insert(session, &self.decks, new_decks).await?;

        let noted = changes.new_notes.iter().chain(&changes.notes);
        let tags: HashMap<NoteId, TagsDocument> =
            noted.map(|note| (note.id, TagsDocument::from(&note.tags))).collect();
        let new_notes = changes.new_notes.iter().map(|note| NoteDocument::new(note, change));
        insert(session, &self.notes, new_notes).await?;
        let notes = changes.notes.iter().map(|note| edited_note(note, change));
        let notes = notes.collect::<Result<_>>()?;
        self.update(session, self.notes.name(), notes).await?;
        let new_cards = changes.new_cards.iter().map(|card| {
            let tags = tags.get(&card.note).cloned().unwrap_or_default();
            NewCardDocument::new(card, tags, change)
        });
        insert(session, &self.cards.clone_with_type(), new_cards).await?;
        let retagged = changes.notes.iter().map(|note| retagged(note, &tags)).collect();
        self.update_any(session, self.cards.name(), retagged).await?;
        let cards = changes.cards.iter().map(|card| edited(card, change)).collect();
        self.update(session, self.cards.name(), cards).await?;
        let moves = changes.moved_cards.iter().map(|card| moved(card, change)).collect();
        self.update(session, self.cards.name(), moves).await?;

        for trash in &changes.restored {
            let set = doc! { "trash": null, "change": change };
            let update = terms::set_in_next_version(set);
            let theirs = doc! { "trash": *trash };
            self.cards.update_many(theirs, update).session(&mut *session).await?;
            let gone = self.trash.delete_one(doc! { "_id": *trash }).session(&mut *session).await?;
            exactly(gone.deleted_count, 1)?;
        }
        let uncovered = changes.uncovered.iter().map(|card| uncovered(card, change)).collect();
        self.update(session, self.cards.name(), uncovered).await?;
        self.put_transfer_in(session, changes).await?;
        for deck in &changes.deleted_decks {
            self.delete_deck(session, deck).await?;
        }
        self.write_sharing(session, &changes.sharing).await?;
        self.write_media(session, changes).await?;
        if let Some(person) = changes.person() {
            self.follow(session, person, changes, change).await?;
        }
        insert(session, &self.outbox, events.iter().cloned()).await
    }

    /// What follows from the changes: notes come and go with their cards, and of an account that is gone nothing is kept that is not a thing of its own.
    async fn follow(
        &self,
        session: &mut ClientSession,
        person: UserId,
        changes: &Changes,
        change: i64,
    ) -> Result<()> {
        if changes.moves_trash() {
            let cards = self.cards.clone_with_type::<NoteOfCard>();
            let found = cards.find(doc! { "owner": person, "change": change });
            let found = found.projection(doc! { "note": 1 });
            let mut cursor = found.session(&mut *session).await?;
            let cards: Vec<NoteOfCard> = cursor.stream(&mut *session).try_collect().await?;
            let notes: HashSet<Uuid> = cards.iter().map(|card| card.note).collect();
            let notes: Vec<Uuid> = notes.into_iter().collect();
            for notes in notes.chunks(UPDATES) {
                let update = doc! { "$set": { "change": change } };
                let these = one_of(notes.to_vec());
                self.notes.update_many(these, update).session(&mut *session).await?;
            }
        }
        if changes.ends_account() {
            self.sync.delete_one(doc! { "_id": person }).session(&mut *session).await?;
            self.persons.delete_one(doc! { "_id": person }).session(session).await?;
        }
        Ok(())
    }

    async fn put_owner(&self, session: &mut ClientSession, owner: Owner) -> Result<()> {
        let document = OwnerDocument::from(owner);
        if owner.revision == 0 {
            self.owners.insert_one(document).session(session).await?;
            return Ok(());
        }
        let filter = doc! { "_id": owner.id, "revision": owner.revision };
        let replaced = self.owners.replace_one(filter, document).session(session).await?;
        exactly(replaced.matched_count, 1)
    }

    /// Runs updates of one document each, of which none may miss.
    async fn update(
        &self,
        session: &mut ClientSession,
        collection: &str,
        updates: Vec<Document>,
    ) -> Result<()> {
        let expected = updates.len();
        exactly(self.update_any(session, collection, updates).await?, expected)
    }

    /// Runs updates; answers how many documents they found.
    async fn update_any(
        &self,
        session: &mut ClientSession,
        collection: &str,
        updates: Vec<Document>,
    ) -> Result<usize> {
        let mut found = 0;
        for updates in updates.chunks(UPDATES) {
            let command = doc! { "update": collection, "updates": updates };
            let database = self.mongo.database();
            let answer = database.run_command(command).session(&mut *session).await?;
            if let Some(error) = answer.get_array("writeErrors").ok().and_then(|list| list.first())
            {
                return Err(Error::custom(error.to_string()));
            }
            found += usize::try_from(answer.get_i32("n").unwrap_or(0)).unwrap_or(0);
        }
        Ok(found)
    }

    async fn delete_deck(&self, session: &mut ClientSession, deck: &Deck) -> Result<()> {
        let filter = doc! { "_id": deck.id, "revision": deck.revision };
        let gone = self.decks.delete_one(filter).session(&mut *session).await?;
        exactly(gone.deleted_count, 1)?;
        if let Some(trash) = deck.trash {
            let other = self.decks.find_one(doc! { "trash": trash }).session(&mut *session).await?;
            if other.is_none() {
                self.trash.delete_one(doc! { "_id": trash }).session(&mut *session).await?;
            }
        }
        self.delete_cards(session, doc! { "deck": deck.id }, None).await?;
        self.forget_clones(session, vec![deck.id.to_bson()]).await?;
        let id = IdDocument { id: deck.id.to_bson() };
        self.deleted.insert_one(id).session(session).await?;
        Ok(())
    }

    /// Deletes cards, and the notes that have no card left. Answers how many cards.
    async fn delete_cards(
        &self,
        session: &mut ClientSession,
        filter: Document,
        limit: Option<i64>,
    ) -> Result<usize> {
        let cards = self.cards.clone_with_type::<NoteOfCard>();
        let mut found = cards.find(filter).projection(doc! { "note": 1 });
        if let Some(limit) = limit {
            found = found.limit(limit);
        }
        let mut cursor = found.session(&mut *session).await?;
        let found: Vec<NoteOfCard> = cursor.stream(session).try_collect().await?;
        for found in found.chunks(UPDATES) {
            let ids: Vec<Uuid> = found.iter().map(|card| card.id).collect();
            let mut notes: HashSet<Uuid> = found.iter().map(|card| card.note).collect();
            self.cards.delete_many(one_of(ids.clone())).session(&mut *session).await?;
            let theirs = doc! { "note": { "$in": notes.iter().copied().collect::<Vec<_>>() } };
            let left = cards.find(theirs).projection(doc! { "note": 1 });
            let mut cursor = left.session(&mut *session).await?;
            let left: Vec<NoteOfCard> = cursor.stream(session).try_collect().await?;
            notes.retain(|note| left.iter().all(|card| card.note != *note));
            let notes: Vec<Uuid> = notes.into_iter().collect();
            self.notes.delete_many(one_of(notes.clone())).session(&mut *session).await?;
            let gone = ids.into_iter().chain(notes).map(|id| IdDocument { id });
            insert(session, &self.deleted, gone).await?;
        }
        Ok(found.len())
    }

    /// Deletes a part of an entry of the trash for good; answers whether the entry is gone.
    pub(super) async fn purge_some(
        &self,
        trash: TrashId,
        limit: u32,
    ) -> std::result::Result<bool, StoreError> {
        let store = self.clone();
        let purge = self.mongo.transaction(move |session| {
            let store = store.clone();
            async move { store.purge_in(session, trash, limit).await }.boxed()
        });
        purge.await
    }

    async fn purge_in(
        &self,
        session: &mut ClientSession,
        trash: TrashId,
        limit: u32,
    ) -> Result<bool> {
        let decks = self.decks.clone_with_type::<IdDocument>();
        let found = decks.find(doc! { "trash": trash }).projection(doc! { "_id": 1 });
        let mut cursor = found.session(&mut *session).await?;
        let decks: Vec<IdDocument> = cursor.stream(&mut *session).try_collect().await?;
        let ids: Vec<Uuid> = decks.iter().map(|deck| deck.id).collect();
        // A deck takes all cards along that still lie in it, whatever else they were deleted by.
        let cards = doc! { "$or": [{ "trash": trash }, { "deck": { "$in": ids.clone() } }] };
        let limit = i64::from(limit);
        if self.delete_cards(session, cards, Some(limit)).await? as i64 == limit {
            return Ok(false);
        }
        insert(session, &self.deleted, decks).await?;
        self.forget_clones(session, ids.clone()).await?;
        self.decks.delete_many(one_of(ids)).session(&mut *session).await?;
        self.trash.delete_one(doc! { "_id": trash }).session(session).await?;
        Ok(true)
    }
}

pub(super) async fn insert<T: Serialize + Send + Sync>(
    session: &mut ClientSession,
    collection: &Collection<T>,
    documents: impl IntoIterator<Item = T>,
) -> Result<()> {
    let documents: Vec<T> = documents.into_iter().collect();
    if !documents.is_empty() {
        collection.insert_many(documents).session(session).await?;
    }
    Ok(())
}

fn replaced(deck: &Deck, change: i64) -> Result<Document> {
    let mut document = DeckDocument::new(deck, change);
    document.next_revision();
    Ok(doc! {
        "q": { "_id": deck.id, "revision": deck.revision },
        "u": serialize_to_document(&document)?,
    })
}

fn edited_note(note: &Note, change: i64) -> Result<Document> {
    Ok(doc! {
        "q": { "_id": note.id, "version": note.version - 1 },
        "u": serialize_to_document(&NoteDocument::new(note, change))?,
    })
}

fn retagged(note: &Note, tags: &HashMap<NoteId, TagsDocument>) -> Document {
    let tags = tags.get(&note.id).map(TagsDocument::to_fields).unwrap_or_default();
    doc! { "q": { "note": note.id }, "u": terms::set(tags), "multi": true }
}

fn edited(card: &Card, change: i64) -> Document {
    let mut fields = WordsDocument::new(&card.question, &card.answer).to_fields();
    fields.extend(doc! {
        "deck": card.deck,
        "position": card.position,
        "question": &card.question,
        "answer": &card.answer,
        "kind": card.kind.number(),
        "trash": card.trash.map_or(Bson::Null, Bson::from),
        "version": card.version,
        "change": change,
        "updatedAt": DateTime::from_millis(card.updated_at.as_millisecond()),
    });
    doc! { "q": { "_id": card.id, "version": card.version - 1 }, "u": terms::set(fields) }
}

fn uncovered(card: &Uncovered, change: i64) -> Document {
    let trash = card.trash.map_or(Bson::Null, Bson::from);
    doc! {
        "q": { "_id": card.id, "version": card.version - 1 },
        "u": terms::set(doc! { "trash": trash, "version": card.version, "change": change }),
    }
}

fn moved(card: &MovedCard, change: i64) -> Document {
    doc! {
        "q": { "_id": card.id, "version": card.version - 1 },
        "u": terms::set(doc! {
            "deck": card.deck,
            "position": card.position,
            "version": card.version,
            "change": change,
            "updatedAt": DateTime::from_millis(card.updated_at.as_millisecond()),
        }),
    }
}

pub(super) fn exactly(found: impl TryInto<usize>, expected: usize) -> Result<()> {
    match found.try_into() {
        Ok(found) if found == expected => Ok(()),
        _ => Err(Error::custom(Stale)),
    }
}
