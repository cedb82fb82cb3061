//! Making [`Changes`] in one transaction. Whatever is found in another state than the decision was made on fails it, which undoes all.

use std::sync::Arc;

use common::{DeckId, StoreError};
use futures::FutureExt;
use futures::TryStreamExt;
use mongodb::ClientSession;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::{Error, Result};

use super::MongoStore;
use super::documents::{CardDocument, DeckDocument, EventDocument, IdDocument, OwnerDocument};
use crate::model::{Card, Deck, Owner};
use crate::store::{Changes, MovedCard, Stale};

/// How many updates go into one command, which must stay under 16 MB.
const UPDATES: usize = 1_000;

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
        if let Some(owner) = changes.owner {
            self.put_owner(session, owner).await?;
        }
        for deck in &changes.decks {
            let filter = doc! { "_id": deck.id, "revision": deck.revision };
            let mut document = DeckDocument::from(deck);
            document.next_revision();
            one(self
                .decks
                .replace_one(filter, document)
                .session(&mut *session)
                .await?
                .matched_count)?;
        }
        if !changes.new_decks.is_empty() {
            let documents = changes.new_decks.iter().map(DeckDocument::from).collect::<Vec<_>>();
            self.decks.insert_many(documents).session(&mut *session).await?;
        }
        if !changes.new_cards.is_empty() {
            let documents = changes.new_cards.iter().map(CardDocument::from).collect::<Vec<_>>();
            self.cards.insert_many(documents).session(&mut *session).await?;
        }
        let edits = changes.edited_cards.iter().map(edited).collect();
        self.update_cards(session, edits).await?;
        let moves = changes.moved_cards.iter().map(moved).collect();
        self.update_cards(session, moves).await?;
        self.delete_cards(session, changes).await?;
        for deck in &changes.deleted_decks {
            self.delete_deck(session, deck).await?;
        }
        if !events.is_empty() {
            self.outbox.insert_many(events).session(&mut *session).await?;
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
        one(self.owners.replace_one(filter, document).session(session).await?.matched_count)
    }

    async fn update_cards(
        &self,
        session: &mut ClientSession,
        updates: Vec<Document>,
    ) -> Result<()> {
        for updates in updates.chunks(UPDATES) {
            let command = doc! { "update": self.cards.name(), "updates": updates };
            let database = self.mongo.database();
            let answer = database.run_command(command).session(&mut *session).await?;
            if let Some(error) = answer.get_array("writeErrors").ok().and_then(|list| list.first())
            {
                return Err(Error::custom(error.to_string()));
            }
            exactly(answer.get_i32("n").unwrap_or(0), updates.len())?;
        }
        Ok(())
    }

    async fn delete_cards(&self, session: &mut ClientSession, changes: &Changes) -> Result<()> {
        if changes.deleted_cards.is_empty() {
            return Ok(());
        }
        let cards = &changes.deleted_cards;
        let versions =
            cards.iter().map(|(id, version)| doc! { "_id": id.to_bson(), "version": *version });
        let filter = doc! { "$or": versions.collect::<Vec<_>>() };
        let deleted = self.cards.delete_many(filter).session(&mut *session).await?;
        exactly(deleted.deleted_count, cards.len())?;
        let ids = cards.iter().map(|(id, _)| IdDocument { id: id.to_bson() });
        self.deleted.insert_many(ids.collect::<Vec<_>>()).session(session).await?;
        Ok(())
    }

    async fn delete_deck(&self, session: &mut ClientSession, deck: &Deck) -> Result<()> {
        let filter = doc! { "_id": deck.id, "revision": deck.revision };
        one(self.decks.delete_one(filter).session(&mut *session).await?.deleted_count)?;
        let mut ids = self.card_ids(session, deck.id).await?;
        self.cards.delete_many(doc! { "deck": deck.id }).session(&mut *session).await?;
        ids.push(IdDocument { id: deck.id.to_bson() });
        self.deleted.insert_many(ids).session(session).await?;
        Ok(())
    }

    async fn card_ids(&self, session: &mut ClientSession, deck: DeckId) -> Result<Vec<IdDocument>> {
        let cards = self.cards.clone_with_type::<IdDocument>();
        let found = cards.find(doc! { "deck": deck }).projection(doc! { "_id": 1 });
        let mut cursor = found.session(&mut *session).await?;
        cursor.stream(session).try_collect().await
    }
}

fn edited(card: &Card) -> Document {
    doc! {
        "q": { "_id": card.id, "version": card.version - 1 },
        "u": { "$set": {
            "question": &card.question,
            "answer": &card.answer,
            "version": card.version,
            "updatedAt": DateTime::from_millis(card.updated_at.as_millisecond()),
        } },
    }
}

fn moved(card: &MovedCard) -> Document {
    doc! {
        "q": { "_id": card.id, "version": card.version - 1 },
        "u": { "$set": {
            "deck": card.deck,
            "position": card.position,
            "version": card.version,
            "updatedAt": DateTime::from_millis(card.updated_at.as_millisecond()),
        } },
    }
}

fn one(matched: u64) -> Result<()> {
    exactly(matched, 1)
}

fn exactly(found: impl TryInto<usize>, expected: usize) -> Result<()> {
    match found.try_into() {
        Ok(found) if found == expected => Ok(()),
        _ => Err(Error::custom(Stale)),
    }
}
