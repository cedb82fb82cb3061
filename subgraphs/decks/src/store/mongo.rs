//! Decks, notes and cards in MongoDB 5.0 or newer: collections `owners`, `decks`, `notes`, `cards`, `trash`, `media`, `trashedMedia`, `mediaChunks`,
//! `deleted`, `outbox`.

mod documents;
mod filters;
mod indexes;
mod media;
mod outbox;
mod public_media;
mod roads;
mod search;
mod sharing;
mod sharing_documents;
mod sync;
mod tags;
mod terms;
mod told;
mod transfers;
mod upgrade;
mod write;

use std::collections::HashMap;

use common::event::{CardsStudied, UserChanged};
use common::mongo::Mongo;
use common::page::{Page, PageRequest};
use common::{CardId, DeckId, NoteId, StoreError, TrashId, UserId};
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{self, Bson, DateTime, doc};
use uuid::Uuid;

use super::{
    Changes, Commit, OutlineCard, Reply, Store, card_pages, child_pages, outcome, reading_down,
};
use crate::model::{
    Card, CardKey, CardList, CardSort, ChangeKey, Deck, DeckFilter, DeckKey, DeckOrder, DeckSort,
    Note, Owner, Person, Tag, Tagged, Trash, TrashKey,
};
use crate::search::{Filter, SearchKey};
use documents::{
    CardDocument, DeckDocument, EventDocument, IdDocument, NoteDocument, OutlineDocument,
    OwnerDocument, PlaceDocument, TrashDocument, without_words,
};
use filters::{all, beyond, deck_key, filtered, live, one_of, only, sort};
use media::{ChunkDocument, MediaDocument};
use sync::SyncDocument;
use told::PersonDocument;

/// One batch of a cursor, unless it is larger than a message.
const ONE_BATCH: u32 = 100_000;

/// Decks, notes and cards in a database of a replica set.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    owners: Collection<OwnerDocument>,
    decks: Collection<DeckDocument>,
    notes: Collection<NoteDocument>,
    cards: Collection<CardDocument>,
    trash: Collection<TrashDocument>,
    media: Collection<MediaDocument>,
    chunks: Collection<ChunkDocument>,
    deleted: Collection<IdDocument>,
    outbox: Collection<EventDocument>,
    transfers: transfers::Transfers,
    persons: Collection<PersonDocument>,
    sync: Collection<SyncDocument>,
}

impl MongoStore {
    /// Uses the database, carries data of earlier versions over, and makes the indexes.
    ///
    /// # Errors
    /// When one of these cannot be done.
    pub async fn open(mongo: Mongo) -> Result<Self, StoreError> {
        let store = Self {
            owners: mongo.collection("owners"),
            decks: mongo.collection("decks"),
            notes: mongo.collection("notes"),
            cards: mongo.collection("cards"),
            trash: mongo.collection("trash"),
            media: mongo.collection("media"),
            chunks: mongo.collection("mediaChunks"),
            deleted: mongo.collection("deleted"),
            outbox: mongo.collection("outbox"),
            transfers: transfers::Transfers::of(&mongo),
            persons: mongo.collection("persons"),
            sync: mongo.collection("sync"),
            mongo,
        };
        upgrade::upgrade(&store).await?;
        store.make_indexes().await?;
        Ok(store)
    }
}

impl Store for MongoStore {
    fn owner(&self, id: UserId) -> Reply<'_, Owner> {
        Box::pin(async move {
            let document = self.owners.find_one(doc! { "_id": id }).await?;
            Ok(document.map_or_else(|| Owner::new(id), Owner::from))
        })
    }

    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>> {
        let found = self.decks.find(live(one_of(ids))).batch_size(ONE_BATCH);
        Box::pin(async move { all(found.await?, Deck::try_from).await })
    }

    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>> {
        let found = self.cards.find(live(one_of(ids))).projection(without_words());
        let found = found.batch_size(ONE_BATCH);
        Box::pin(async move { all(found.await?, Card::try_from).await })
    }

    fn notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Note>> {
        let found = self.notes.find(one_of(ids)).batch_size(ONE_BATCH);
        Box::pin(async move { all(found.await?, Note::try_from).await })
    }

    fn notes_by_guid(&self, owner: UserId, guids: Vec<String>) -> Reply<'_, Vec<Note>> {
        Box::pin(self.known_notes(owner, guids))
    }

    fn cards_of_notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Card>> {
        let found = self.cards.find(doc! { "note": { "$in": ids } }).batch_size(ONE_BATCH);
        let found = found.sort(doc! { "note": 1, "ordinal": 1 }).projection(without_words());
        Box::pin(async move { all(found.await?, Card::try_from).await })
    }

    fn taken(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>> {
        let ids = ids.into_iter().map(|id| bson::Uuid::from_bytes(id.into_bytes()));
        let filter = one_of(ids.collect());
        Box::pin(async move {
            let mut taken = Vec::new();
            for collection in
                [self.decks.name(), self.notes.name(), self.cards.name(), self.deleted.name()]
            {
                let ids = self.mongo.collection::<IdDocument>(collection);
                let found = ids.find(filter.clone()).projection(doc! { "_id": 1 }).await?;
                let id = |document: IdDocument| Ok(Uuid::from_bytes(document.id.bytes()));
                taken.append(&mut all(found, id).await?);
            }
            Ok(taken)
        })
    }

    fn deck_page(
        &self,
        owner: UserId,
        filter: DeckFilter,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>> {
        let key = match order.by {
            DeckSort::Name => "sortName",
            DeckSort::CreatedAt => "createdAt",
            DeckSort::UpdatedAt => "updatedAt",
            DeckSort::Position => "position",
        };
        let descending = reading_down(order.descending, &page);
        let mut found = filtered(owner, filter);
        found.extend(beyond(key, descending, page.cursor.as_ref().map(deck_key)));
        Box::pin(async move {
            let limit = i64::from(page.limit) + 1;
            let found = self.decks.find(found).sort(sort(key, descending)).limit(limit).await?;
            Ok(Page::from_overfull(&page, all(found, Deck::try_from).await?))
        })
    }

    fn deck_count(&self, owner: UserId, filter: DeckFilter) -> Reply<'_, i64> {
        Box::pin(async move {
            let count = self.decks.count_documents(filtered(owner, filter)).await?;
            Ok(i64::try_from(count).unwrap_or(i64::MAX))
        })
    }

    fn child_pages(
        &self,
        parents: Vec<DeckId>,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Deck>>> {
        let descending = reading_down(false, &page);
        let mut filter = beyond("position", descending, page.cursor.as_ref().map(deck_key));
        filter.insert("trash", Bson::Null);
        let sort = sort("position", descending);
        let pipeline = self.joined(parents, self.decks.name(), "parent", filter, sort, page.limit);
        Box::pin(async move {
            let found = self.decks.aggregate(pipeline).batch_size(ONE_BATCH);
            let cursor = found.with_type::<DeckDocument>().await?;
            Ok(child_pages(&page, all(cursor, Deck::try_from).await?))
        })
    }

    fn child_counts(&self, parents: Vec<DeckId>) -> Reply<'_, HashMap<DeckId, i64>> {
        let filter = live(doc! { "parent": { "$in": parents } });
        Box::pin(self.counts(self.decks.name(), filter, "$parent"))
    }

    fn siblings(&self, owner: UserId, parent: Option<DeckId>) -> Reply<'_, Vec<(DeckId, i64)>> {
        let filter = filtered(owner, DeckFilter { parent: Some(parent), archived: None });
        Box::pin(async move {
            let decks = self.decks.clone_with_type::<PlaceDocument>();
            let found = decks.find(filter).projection(doc! { "position": 1 });
            let found = found.sort(sort("position", false)).batch_size(ONE_BATCH).await?;
            all(found, |place| Ok((place.id.into(), place.position))).await
        })
    }

    fn descendants(&self, owner: UserId, deck: DeckId) -> Reply<'_, Vec<Deck>> {
        let filter = live(doc! { "owner": owner, "ancestors": deck });
        Box::pin(async move {
            let found = self.decks.find(filter).batch_size(ONE_BATCH).await?;
            all(found, Deck::try_from).await
        })
    }

    fn any_deck(&self, id: DeckId) -> Reply<'_, Option<Deck>> {
        let found = self.decks.find_one(doc! { "_id": id });
        Box::pin(async move { found.await?.map(Deck::try_from).transpose() })
    }

    fn any_decks(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Deck>> {
        let found = self.decks.find(doc! { "owner": owner }).limit(i64::from(limit));
        Box::pin(async move { all(found.await?, Deck::try_from).await })
    }

    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        list: CardList,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>> {
        let key = match list.by {
            CardSort::Position => "position",
            CardSort::CreatedAt => "createdAt",
            CardSort::UpdatedAt => "updatedAt",
        };
        let descending = reading_down(list.descending, &page);
        let cursor = page.cursor.map(|CardKey(_, at, id)| {
            let at = match list.by {
                CardSort::Position => Bson::from(at),
                CardSort::CreatedAt | CardSort::UpdatedAt => DateTime::from_millis(at).into(),
            };
            (at, id.to_bson())
        });
        let mut filter = only(&list);
        filter.extend(beyond(key, descending, cursor));
        let sort = sort(key, descending);
        let cards = self.cards.name();
        let mut pipeline = self.joined(decks, cards, "deck", filter, sort, page.limit);
        pipeline.push(doc! { "$project": without_words() });
        Box::pin(async move {
            let found = self.decks.aggregate(pipeline).batch_size(ONE_BATCH);
            let cursor = found.with_type::<CardDocument>().await?;
            Ok(card_pages(&page, &list, all(cursor, Card::try_from).await?))
        })
    }

    fn card_counts(&self, decks: Vec<DeckId>, list: CardList) -> Reply<'_, HashMap<DeckId, i64>> {
        let mut filter = only(&list);
        filter.insert("deck", doc! { "$in": decks });
        Box::pin(self.counts(self.cards.name(), filter, "$deck"))
    }

    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>> {
        Box::pin(async move {
            let found = self
                .cards
                .clone_with_type::<OutlineDocument>()
                .find(live(doc! { "deck": deck }))
                .projection(doc! { "note": 1, "position": 1, "version": 1, "createdAt": 1 })
                .sort(sort("position", false))
                .await?;
            all(found, OutlineCard::try_from).await
        })
    }

    fn card_ids(&self, decks: Vec<DeckId>, limit: u32) -> Reply<'_, Vec<CardId>> {
        Box::pin(async move {
            let cards = self.cards.clone_with_type::<IdDocument>();
            let found = cards.find(live(doc! { "deck": { "$in": decks } }));
            let found = found.projection(doc! { "_id": 1 }).limit(i64::from(limit));
            let found = found.sort(doc! { "deck": 1, "position": 1, "_id": 1 }).await?;
            all(found, |card| Ok(card.id.into())).await
        })
    }

    fn tags(
        &self,
        owner: UserId,
        below: Option<Tag>,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Tagged>> {
        Box::pin(self.tag_page(owner, below, page))
    }

    fn tag_count(&self, owner: UserId, below: Option<Tag>) -> Reply<'_, i64> {
        Box::pin(self.count_tags(owner, below))
    }

    fn notes_with_tag(
        &self,
        owner: UserId,
        tag: Tag,
        after: Option<NoteId>,
        limit: u32,
    ) -> Reply<'_, Vec<Note>> {
        let mut filter = doc! { "owner": owner, "tagKeys": tag.key() };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after });
        }
        let found = self.notes.find(filter).sort(doc! { "_id": 1 }).limit(i64::from(limit));
        Box::pin(async move { all(found.await?, Note::try_from).await })
    }

    fn trash(&self, ids: Vec<TrashId>) -> Reply<'_, Vec<Trash>> {
        Box::pin(async move { all(self.trash.find(one_of(ids)).await?, Trash::try_from).await })
    }

    fn trash_page(&self, owner: UserId, page: PageRequest<TrashKey>) -> Reply<'_, Page<Trash>> {
        let descending = reading_down(true, &page);
        let cursor = page.cursor.map(|(at, id)| (DateTime::from_millis(at).into(), id.to_bson()));
        let mut filter = beyond("deletedAt", descending, cursor);
        filter.extend(doc! { "owner": owner, "kind": { "$nin": ["edit", "import"] } });
        let limit = i64::from(page.limit) + 1;
        let found = self.trash.find(filter).sort(sort("deletedAt", descending)).limit(limit);
        Box::pin(async move {
            Ok(Page::from_overfull(&page, all(found.await?, Trash::try_from).await?))
        })
    }

    fn trash_count(&self, owner: UserId) -> Reply<'_, i64> {
        let listed = doc! { "owner": owner, "kind": { "$nin": ["edit", "import"] } };
        let count = self.trash.count_documents(listed);
        Box::pin(async move { Ok(i64::try_from(count.await?).unwrap_or(i64::MAX)) })
    }

    fn trashed_decks(&self, trash: TrashId) -> Reply<'_, Vec<Deck>> {
        let found = self.decks.find(doc! { "trash": trash }).batch_size(ONE_BATCH);
        Box::pin(async move { all(found.await?, Deck::try_from).await })
    }

    fn trashed_cards(&self, trash: TrashId, limit: u32) -> Reply<'_, Vec<Card>> {
        let found = self.cards.find(doc! { "trash": trash }).projection(without_words());
        let found = found.limit(i64::from(limit));
        Box::pin(async move { all(found.await?, Card::try_from).await })
    }

    fn trashed_counts(&self, trash: TrashId) -> Reply<'_, HashMap<DeckId, i64>> {
        Box::pin(self.counts(self.cards.name(), doc! { "trash": trash }, "$deck"))
    }

    fn expired(&self, before: Timestamp) -> Reply<'_, Option<Trash>> {
        let before = DateTime::from_millis(before.as_millisecond());
        let found = self.trash.find_one(doc! { "deletedAt": { "$lt": before } });
        let found = found.sort(doc! { "deletedAt": 1, "_id": 1 });
        Box::pin(async move { found.await?.map(Trash::try_from).transpose() })
    }

    fn purge(&self, trash: TrashId, limit: u32) -> Reply<'_, bool> {
        Box::pin(self.purge_some(trash, limit))
    }

    fn search(
        &self,
        owner: UserId,
        filter: Filter,
        after: Option<SearchKey>,
        limit: u32,
    ) -> Reply<'_, Vec<(u8, Card)>> {
        Box::pin(self.search_page(owner, filter, after, limit))
    }

    fn search_count(&self, owner: UserId, filter: Filter) -> Reply<'_, i64> {
        Box::pin(self.found_count(owner, filter))
    }

    fn put_person(&self, user: UserChanged) -> Reply<'_, ()> {
        Box::pin(self.keep_person(user))
    }

    fn person(&self, id: UserId) -> Reply<'_, Option<Person>> {
        Box::pin(self.person_of(id))
    }

    fn put_study(&self, studied: Vec<CardsStudied>) -> Reply<'_, ()> {
        Box::pin(self.keep_study(studied))
    }

    fn era(&self) -> i32 {
        self.mongo.era()
    }

    fn mend(&self, after: Option<Uuid>, limit: u32) -> Reply<'_, Option<Uuid>> {
        Box::pin(upgrade::renew_terms(self, after, limit))
    }

    fn changes(
        &self,
        owner: UserId,
        after: ChangeKey,
        limit: u32,
    ) -> Reply<'_, (Vec<ChangeKey>, i64)> {
        Box::pin(self.changes_after(owner, after, limit))
    }

    fn commit(&self, changes: Changes) -> Reply<'_, Commit> {
        Box::pin(async move { outcome(self.write(changes).await) })
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.mongo.ping())
    }
}
